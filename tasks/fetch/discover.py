"""From a source to what it offers: candidates to fetch, pages that are here already, and what was left out, counted."""

import asyncio
import re
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from urllib.parse import urljoin

from tasks.documents import Candidate, Reason, Rejection, Stage
from tasks.fetch.client import Fetcher
from tasks.fetch.content import accepted_type, looks_like_html
from tasks.fetch.feeds import Entry, Listing, UnreadableListing, read_feed
from tasks.fetch.freshness import Answer
from tasks.fetch.guard import literal_address, refusal
from tasks.fetch.memory import Memory, NoMemory, Remembered
from tasks.fetch.results import Deferred, Fetched, NotModified, Request, Tally, Visit, Wanted
from tasks.fetch.sitemaps import read_sitemap
from tasks.fetch.sources import Source, SourceKind
from tasks.urls import BadUrl, UrlTrouble, canonical_url, host_of, registrable_domain

Discovery = Candidate | Fetched | NotModified | Deferred | Rejection | Visit | Tally

DEEPEST_SITEMAP = 5
MOST_SITEMAPS = 200
_ROOT = re.compile(rb"<(?:[\w.-]+:)?(rss|feed|rdf|urlset|sitemapindex)[\s>]", re.IGNORECASE)
_KIND_OF_ROOT = {b"urlset": SourceKind.SITEMAP, b"sitemapindex": SourceKind.SITEMAP}
_FEED_TYPES = frozenset({"application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json"})
_JSON_FEED = re.compile(rb"\s*\{.*?jsonfeed\.org", re.DOTALL)
_NO_MEMORY = NoMemory()


async def discover(
    source: Source,
    fetcher: Fetcher,
    *,
    now: datetime,
    memory: Memory = _NO_MEMORY,
) -> AsyncIterator[Discovery]:
    """Yield what a networked source offers (local ones are read by `local.read_local`).

    - `Candidate`: to be fetched.
    - `Fetched`: the source's own URL was a page: an input that is fetched already.
    - `Rejection`, `Deferred`: a feed, sitemap or the source itself could not be read; `input` is its address.
    - `NotModified`: the source's own page is as it was on the last visit.
    - `Visit`: a feed or sitemap was read, or recalled because it has not changed.
    - `Tally`: links that are no inputs, by reason.
    """
    links = _Links(source)
    if source.kind is SourceKind.URL_LIST:
        for found in await asyncio.to_thread(_read_url_list, source, links):
            yield found
    else:
        async for discovery in _read_web(source, fetcher, links, now, memory):
            yield discovery
    for tally in links.tallies():
        yield tally


@dataclass(slots=True)
class _Links:
    """The links of one source: each page once, and the dropped ones counted by reason."""

    source: Source
    dropped: Counter[str] = field(default_factory=Counter)
    _seen: set[str] = field(default_factory=set)

    def candidate(self, entry: Entry, base: str, *, same_site: bool) -> Candidate | None:
        """Return the input that an entry is, or None for one that is dropped and counted."""
        if not entry.link.strip():
            self.dropped["no-link"] += 1
            return None
        try:
            link = _joined(base, entry.link.strip())
            url = canonical_url(link)
        except BadUrl as error:
            self.dropped[error.trouble.value] += 1
            return None
        if objection := self._objection(url, host_of(base) if same_site else None):
            self.dropped[objection] += 1
            return None
        self._seen.add(url)
        language = entry.hints.language or self.source.language
        return Candidate(input=link, source=self.source.name, url=url, hints=replace(entry.hints, language=language))

    def tallies(self) -> Iterator[Tally]:
        """Yield what was dropped, by reason."""
        for reason, count in sorted(self.dropped.items()):
            yield Tally(source=self.source.name, reason=reason, count=count)

    def _objection(self, url: str, site: str | None) -> str:
        """Return why a link is no input, or "" where it is one; `site` is the host whose site it must belong to."""
        if self._is_private(url):
            return "private-address"
        if site is not None and registrable_domain(host_of(url)) != registrable_domain(site):
            return "other-site"
        return "duplicate" if url in self._seen else ""

    def _is_private(self, url: str) -> bool:
        """Tell whether a link spells out an address that its source has no business to name."""
        address = literal_address(host_of(url))
        if address is None:
            return False
        is_own = self.source.allow_private and host_of(url) == host_of(self.source.location)
        return refusal(address, allow_private=is_own) != ""


def _joined(base: str, link: str) -> str:
    try:
        return urljoin(base, link)
    except ValueError as error:
        raise BadUrl(UrlTrouble.UNPARSABLE, f"{link[:200]!r} is not a URL: {error}") from error


def _read_url_list(source: Source, links: _Links) -> list[Candidate | Rejection]:
    """Return a text file's URLs; the operator wrote them, so each that is none is named."""
    found: list[Candidate | Rejection] = []
    seen: set[str] = set()
    for line in Path(source.location).read_text("utf-8-sig", "replace").splitlines():
        text = line.strip()
        if not text:
            continue
        try:
            url = canonical_url(text)
        except BadUrl as error:
            found.append(_rejection(source, text, Reason.BAD_URL, str(error)))
            continue
        if url in seen:
            links.dropped["duplicate"] += 1
        else:
            seen.add(url)
            found.append(Candidate(input=text, source=source.name, url=url))
    return found


async def _read_web(
    source: Source, fetcher: Fetcher, links: _Links, now: datetime, memory: Memory
) -> AsyncIterator[Discovery]:
    """Read a source from the web, and the sitemaps that it leads to, each once."""
    waiting = deque([(Entry(link=source.location), 1)])
    seen = {source.location}
    while waiting:
        place, depth = waiting.popleft()
        kind = source.kind if depth == 1 else SourceKind.SITEMAP
        found = await _visit(source, kind, place, fetcher, now, memory)
        yield found
        if not isinstance(found, Visit):
            continue
        for entry in found.listing.entries:
            if candidate := links.candidate(entry, found.base, same_site=found.kind is SourceKind.SITEMAP):
                yield candidate
        for child in _new_sitemaps(found.listing, found.base, depth, seen, links):
            waiting.append((child, depth + 1))


async def _visit(
    source: Source, declared: SourceKind, place: Entry, fetcher: Fetcher, now: datetime, memory: Memory
) -> Visit | Fetched | NotModified | Deferred | Rejection:
    """Visit one place where a feed or sitemap should be; one that has not changed is as it is remembered."""
    url = place.link
    is_part = url != source.location
    if is_part and memory.passes_over(url, place.modified_at) and (known := memory.recall(url)) is not None:
        return _recalled(source, url, known, Answer.PASSED_OVER, now)
    candidate = Candidate(input=url, source=source.name, url=url)
    request = Request(candidate=candidate, source=source, validator=memory.validator(url), wanted=Wanted.LISTING)
    result = await fetcher.fetch(request)
    if isinstance(result, NotModified) and (known := memory.recall(url)) is not None:
        return _recalled(source, url, known, Answer.NOT_MODIFIED, result.fetched_at)
    if not isinstance(result, Fetched):
        return result
    kind = _nature(declared, result)
    if kind is SourceKind.WEB:
        return _as_page(source, result, fetcher.limits.page_bytes)
    try:
        listing = await _read_listing(kind, result.body, now)
    except UnreadableListing as trouble:
        reason = Reason.BAD_FEED if kind is SourceKind.FEED else Reason.BAD_SITEMAP
        return _rejection(source, url, reason, str(trouble), result.url)
    return Visit(
        source=source.name,
        url=url,
        fetched_at=result.fetched_at,
        kind=kind,
        listing=listing,
        base=result.url,
        validator=result.validator,
    )


def _recalled(source: Source, url: str, known: Remembered, answer: Answer, when: datetime) -> Visit:
    return Visit(
        source=source.name,
        url=url,
        fetched_at=when,
        kind=known.kind,
        listing=known.listing,
        base=known.base,
        answer=answer,
    )


async def _read_listing(kind: SourceKind, body: bytes, now: datetime) -> Listing:
    if kind is SourceKind.FEED:
        return await read_feed(body, now)
    return await asyncio.to_thread(read_sitemap, body, now)


def _nature(declared: SourceKind, result: Fetched) -> SourceKind:
    """Return what an answer is: as the source says, or for `WEB` as its first bytes say (`WEB`: a page)."""
    if declared is not SourceKind.WEB:
        return declared
    media_type = result.content_type.partition(";")[0].strip().lower()
    if media_type in _FEED_TYPES:
        return SourceKind.FEED
    body = result.body.lstrip(b"\xef\xbb\xbf \t\r\n")
    head = body[:4096].replace(b"\x00", b"")  # a rough view of UTF-16 will do
    if looks_like_html(body):
        return SourceKind.WEB
    if root := _ROOT.search(head):
        return _KIND_OF_ROOT.get(root[1].lower(), SourceKind.FEED)
    if _JSON_FEED.match(head):
        return SourceKind.FEED
    is_url_list = media_type == "text/plain" and head[:4].lower() == b"http"
    if body.startswith(b"\x1f\x8b") or is_url_list:
        return SourceKind.SITEMAP
    return SourceKind.WEB


def _as_page(source: Source, result: Fetched, most_bytes: int) -> Fetched | Rejection:
    """Return the page that a source's own URL turned out to be."""
    content_type = accepted_type(result.content_type, result.body)
    if content_type is None:
        detail = f"neither a feed, a sitemap nor a page: Content-Type {result.content_type[:100]!r}"
        return _rejection(source, source.location, Reason.NOT_HTML, detail, result.url)
    if len(result.body) > most_bytes:
        return _rejection(source, source.location, Reason.TOO_LARGE, f"{len(result.body)} bytes", result.url)
    return replace(result, content_type=content_type)


def _new_sitemaps(listing: Listing, base: str, depth: int, seen: set[str], links: _Links) -> Iterator[Entry]:
    """Yield the sitemaps of an index that are to be read: each once, of the same site, not too deep, not too many."""
    for sitemap in listing.sitemaps:
        candidate = _Links(links.source).candidate(sitemap, base, same_site=True)
        if candidate is None or candidate.url is None:
            links.dropped["sitemap-elsewhere"] += 1
        elif candidate.input in seen:
            links.dropped["sitemap-again"] += 1
        elif depth >= DEEPEST_SITEMAP or len(seen) >= MOST_SITEMAPS:
            links.dropped["sitemap-too-many"] += 1
        else:
            seen.add(candidate.input)
            yield replace(sitemap, link=candidate.input)


def _rejection(source: Source, name: str, reason: Reason, detail: str, url: str | None = None) -> Rejection:
    return Rejection(input=name, source=source.name, url=url, stage=Stage.DISCOVER, reason=reason, detail=detail)
