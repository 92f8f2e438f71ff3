"""Links that a listing offers: which of them are inputs, and how many are not, by reason."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from urllib.parse import urljoin

from tasks.documents import Candidate, Hints, Precision
from tasks.fetch.dating import day_in_path, left_out
from tasks.fetch.feeds import Entry
from tasks.fetch.guard import literal_address, refusal
from tasks.fetch.results import Tally
from tasks.fetch.sources import Source
from tasks.fetch.window import Window
from tasks.urls import BadUrl, UrlTrouble, canonical_url, host_of, registrable_domain


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a link stands: the listing's address, after redirects, and the day it is for, if it is for one.

    A sitemap lists pages of its own site only (`is_sitemap`); a feed may lead anywhere. `is_archive` says that the
    operator has told the day, so that it is a date for what has none.
    """

    url: str
    day: date | None = None
    is_sitemap: bool = False
    is_archive: bool = False


@dataclass(slots=True)
class Links:
    """The links of one source: each page once, and the dropped ones counted by reason."""

    source: Source
    window: Window | None = None
    dropped: Counter[str] = field(default_factory=Counter)
    _seen: set[str] = field(default_factory=set)
    _guids: set[tuple[str, str]] = field(default_factory=set)

    def candidate(self, entry: Entry, place: Place) -> Candidate | None:
        """Return the input that an entry is, or None for one that is dropped and counted."""
        if not entry.link.strip():
            self.dropped["no-link"] += 1
            return None
        try:
            link = joined(place.url, entry.link.strip())
            url = canonical_url(link)
        except BadUrl as error:
            self.dropped[error.trouble.value] += 1
            return None
        if objection := self._objection(entry, url, place):
            self.dropped[objection] += 1
            return None
        self._seen.add(url)
        self._guids.add((place.url, entry.guid or url))
        return Candidate(input=link, source=self.source.name, url=url, hints=self._hints(entry, url, place))

    def named(self, url: str) -> Candidate | None:
        """Return the input that an operator has named; raise `BadUrl` for what is none, drop what is to be left out."""
        canonical = canonical_url(url)
        objection = "duplicate" if canonical in self._seen else self._other_day(Entry(link=url), canonical, None)
        if objection:
            self.dropped[objection] += 1
            return None
        self._seen.add(canonical)
        return Candidate(input=url, source=self.source.name, url=canonical)

    def sibling(self, link: str, base: str) -> str | None:
        """Return the address of another listing of the same site, or None for what is no business of the source."""
        try:
            url = joined(base, link.strip())
            canonical = canonical_url(url)
        except BadUrl:
            return None
        return None if self._is_private(canonical) or _is_elsewhere(canonical, base) else url

    def tallies(self) -> Iterator[Tally]:
        """Yield what was dropped, by reason."""
        for reason, count in sorted(self.dropped.items()):
            yield Tally(source=self.source.name, reason=reason, count=count)

    def _objection(self, entry: Entry, url: str, place: Place) -> str:
        """Return why a link is no input, or "" where it is one."""
        if self._is_private(url):
            return "private-address"
        if place.is_sitemap and _is_elsewhere(url, place.url):
            return "other-site"
        if url in self._seen or (entry.guid and (place.url, entry.guid) in self._guids):
            return "duplicate"
        return self._other_day(entry, url, place.day)

    def _other_day(self, entry: Entry, url: str, day: date | None) -> str:
        return "" if self.window is None else left_out(entry, url, self.window, day)

    def _hints(self, entry: Entry, url: str, place: Place) -> Hints:
        hints = replace(entry.hints, language=entry.hints.language or self.source.language)
        if not place.is_archive or place.day is None or hints.published_at or day_in_path(url):
            return hints
        midnight = datetime.combine(place.day, time(), UTC)
        return replace(hints, published_at=midnight, published_precision=Precision.DAY)

    def _is_private(self, url: str) -> bool:
        """Tell whether a link spells out an address that its source has no business to name."""
        address = literal_address(host_of(url))
        if address is None:
            return False
        own = {host_of(self.source.location), host_of(self.source.archive or "")}
        is_own = self.source.allow_private and host_of(url) in own
        return refusal(address, allow_private=is_own) != ""


def joined(base: str, link: str) -> str:
    """Return where a link leads from a page; raise `BadUrl` where it is none."""
    try:
        return urljoin(base, link)
    except ValueError as error:
        raise BadUrl(UrlTrouble.UNPARSABLE, f"{link[:200]!r} is not a URL: {error}") from error


def _is_elsewhere(url: str, base: str) -> bool:
    return registrable_domain(host_of(url)) != registrable_domain(host_of(base))
