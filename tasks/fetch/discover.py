"""From a source to what it offers: candidates to fetch, pages that are here already, and what was left out, counted."""

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

from tasks.documents import Candidate, Reason, Rejection, Stage
from tasks.fetch.client import Fetcher
from tasks.fetch.content import accepted_type, looks_like_html
from tasks.fetch.dating import day_in_path, listing_left_out
from tasks.fetch.feeds import Entry, FeedReader, UnreadableListing
from tasks.fetch.freshness import Answer
from tasks.fetch.links import Links, Place, joined
from tasks.fetch.memory import Memory, NoMemory, Remembered
from tasks.fetch.results import Deferred, Fetched, NotModified, Request, Result, Tally, Visit, Wanted
from tasks.fetch.signposts import FEED_TYPES, advertised_feeds, sitemaps_in_robots
from tasks.fetch.sitemaps import read_sitemap
from tasks.fetch.sources import Source, SourceKind, listing_of_day
from tasks.fetch.window import Window
from tasks.urls import BadUrl, is_home_page

Discovery = Candidate | Fetched | NotModified | Deferred | Rejection | Visit | Tally

DEEPEST_SITEMAP = 5
MOST_SITEMAPS = 200
MOST_FEEDS = 20  # beside the page that advertises them
_MOST = {SourceKind.SITEMAP: MOST_SITEMAPS, SourceKind.FEED: 1 + MOST_FEEDS}
_ROOT = re.compile(rb"<(?:[\w.-]+:)?(rss|feed|rdf|urlset|sitemapindex)[\s>]", re.IGNORECASE)
_KIND_OF_ROOT = {b"urlset": SourceKind.SITEMAP, b"sitemapindex": SourceKind.SITEMAP}
_JSON_FEED = re.compile(rb"\s*\{.*?jsonfeed\.org", re.DOTALL)
_NO_MEMORY = NoMemory()


async def discover(
    source: Source,
    fetcher: Fetcher,
    *,
    now: datetime,
    memory: Memory = _NO_MEMORY,
    window: Window | None = None,
    reader: FeedReader | None = None,
) -> AsyncIterator[Discovery]:
    """Yield what a networked source offers (local ones are read by `local.read_local`).

    - `Candidate`: to be fetched.
    - `Fetched`: the source's own URL was a page: an input that is fetched already.
    - `Rejection`, `Deferred`: a feed, sitemap or the source itself could not be read; `input` is its address.
    - `NotModified`: the source's own page is as it was on the last visit.
    - `Visit`: a feed or sitemap was read, or recalled because it has not changed.
    - `Tally`: links that are no inputs, by reason.

    With a window, entries of other days are counted and not offered; a source with an `archive` is then read from
    the listings of those days. `reader` parses the feeds; give one that many sources share.
    """
    links = Links(source, window)
    if source.kind is SourceKind.URL_LIST:
        for listed in await asyncio.to_thread(_read_url_list, source, links):
            yield listed
    else:
        async with AsyncExitStack() as stack:
            feeds = reader if reader is not None else await stack.enter_async_context(FeedReader())
            survey = _Survey(source, fetcher, links, feeds, now, memory, window)
            async for found in survey.discoveries():
                yield found
    for tally in links.tallies():
        yield tally


def _read_url_list(source: Source, links: Links) -> list[Candidate | Rejection]:
    """Return a text file's URLs; the operator wrote them, so each that is none is named."""
    found: list[Candidate | Rejection] = []
    for line in Path(source.location).read_text("utf-8-sig", "replace").splitlines():
        text = line.strip()
        if not text:
            continue
        try:
            candidate = links.named(text)
        except BadUrl as error:
            found.append(_rejection(source, text, Reason.BAD_URL, str(error)))
            continue
        if candidate is not None:
            found.append(candidate)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stop:
    """A listing to be asked for: what it is to be, how deep it lies, and the day that it is for, if it is for one.

    `modified_at`: when it last changed, as the index says that names it.
    `is_archive`: the operator has said that it is for that day. `is_robots`: it is the robots.txt that names sitemaps.
    """

    url: str
    kind: SourceKind
    modified_at: datetime | None = None
    depth: int = 1
    day: date | None = None
    is_archive: bool = False
    is_robots: bool = False

    @property
    def stands_for_feeds(self) -> bool:
        """Whether a page here is a way to its feeds: said so, or a home page; an article advertises feeds too."""
        is_way = self.kind in {SourceKind.HOME, SourceKind.FEED}
        return self.depth == 1 and (is_way or (self.kind is SourceKind.WEB and is_home_page(self.url)))


@dataclass(slots=True)
class _Survey:
    """One reading of a source, and of the listings that it leads to, each once."""

    source: Source
    fetcher: Fetcher
    links: Links
    reader: FeedReader
    now: datetime
    memory: Memory
    window: Window | None
    _waiting: deque[_Stop] = field(default_factory=deque)
    _seen: set[str] = field(default_factory=set)
    _first: int = 0

    async def discoveries(self) -> AsyncIterator[Discovery]:
        """Yield what the listings bring, one listing after the other."""
        self._waiting.extend(self._first_stops())
        self._seen.update(stop.url for stop in self._waiting)
        self._first = len(self._seen)
        while self._waiting:
            async for found in self._read(self._waiting.popleft()):
                yield found

    def _first_stops(self) -> Iterator[_Stop]:
        """Yield where to begin: the listings of the days that are wanted, or the source's own address."""
        source = self.source
        if source.archive is not None and self.window is not None:
            kind = source.kind if source.kind in {SourceKind.FEED, SourceKind.SITEMAP} else SourceKind.WEB
            for day in self.window.days():
                yield _Stop(url=listing_of_day(source.archive, day), kind=kind, day=day, is_archive=True)
        elif source.kind is SourceKind.SITEMAP and is_home_page(source.location):
            yield _Stop(url=joined(source.location, "/robots.txt"), kind=source.kind, is_robots=True)
        else:
            yield _Stop(url=source.location, kind=source.kind, day=day_in_path(source.location))

    async def _read(self, stop: _Stop) -> AsyncIterator[Discovery]:
        """Ask for a listing, and yield what it brings."""
        found = await self._ask(stop)
        if isinstance(found, Visit):
            yield found
            for candidate in self._enter(stop, found):
                yield candidate
        elif not isinstance(found, Fetched):
            yield found
        elif stop.is_robots:
            sitemaps = map(_entry, sitemaps_in_robots(found.body))
            if not self._queue(sitemaps, found.url, SourceKind.SITEMAP, stop):
                yield self._rejection(stop, Reason.BAD_SITEMAP, "robots.txt names no sitemap of this site", found.url)
        elif stop.is_archive:
            yield self._rejection(
                stop, Reason.BAD_SITEMAP, "the listing of a day is neither feed nor sitemap", found.url
            )
        elif not (stop.stands_for_feeds and self._follow_feeds(stop, found)):
            yield self._page(stop, found)

    async def _ask(self, stop: _Stop) -> Visit | Result:
        """Return a listing as it is now; one that has not changed is as it is remembered."""
        is_known = stop.depth > 1 and self.memory.passes_over(stop.url, stop.modified_at)
        if is_known and (known := self.memory.recall(stop.url)) is not None:
            return self._recalled(stop, known, Answer.PASSED_OVER, self.now)
        candidate = Candidate(input=stop.url, source=self.source.name, url=stop.url)
        validator = self.memory.validator(stop.url)
        result = await self.fetcher.fetch(
            Request(candidate=candidate, source=self.source, validator=validator, wanted=Wanted.LISTING)
        )
        if isinstance(result, NotModified) and (known := self.memory.recall(stop.url)) is not None:
            return self._recalled(stop, known, Answer.NOT_MODIFIED, result.fetched_at)
        if not isinstance(result, Fetched) or stop.is_robots:
            return result
        kind = _nature(stop.kind, result)
        return await self._listing(stop, kind, result) if kind in _MOST else result

    async def _listing(self, stop: _Stop, kind: SourceKind, result: Fetched) -> Visit | Rejection:
        is_sitemap = kind is SourceKind.SITEMAP
        try:
            if is_sitemap:
                listing = await asyncio.to_thread(read_sitemap, result.body, self.now)
            else:
                listing = await self.reader.read(result.body, self.now)
        except UnreadableListing as trouble:
            reason = Reason.BAD_SITEMAP if is_sitemap else Reason.BAD_FEED
            return self._rejection(stop, reason, str(trouble), result.url)
        return Visit(
            source=self.source.name,
            url=stop.url,
            kind=kind,
            fetched_at=result.fetched_at,
            listing=listing,
            base=result.url,
            redirects=result.redirects,
            validator=result.validator,
        )

    def _recalled(self, stop: _Stop, known: Remembered, answer: Answer, when: datetime) -> Visit:
        return Visit(
            source=self.source.name,
            url=stop.url,
            kind=known.kind,
            fetched_at=when,
            listing=known.listing,
            base=known.base,
            answer=answer,
        )

    def _enter(self, stop: _Stop, visit: Visit) -> Iterator[Candidate]:
        """Yield the inputs that a listing offers, and go on to the listings that it names."""
        is_sitemap = visit.kind is SourceKind.SITEMAP
        place = Place(url=visit.base, day=stop.day, is_sitemap=is_sitemap, is_archive=stop.is_archive)
        for entry in visit.listing.entries:
            if candidate := self.links.candidate(entry, place):
                yield candidate
        self._queue(visit.listing.sitemaps, visit.base, SourceKind.SITEMAP, stop)

    def _follow_feeds(self, stop: _Stop, page: Fetched) -> bool:
        """Go on to the feeds that a page advertises; return whether there are any."""
        if not looks_like_html(page.body):
            return False
        return self._queue(map(_entry, advertised_feeds(page.body)), page.url, SourceKind.FEED, stop)

    def _queue(self, listings: Iterable[Entry], base: str, kind: SourceKind, stop: _Stop) -> bool:
        """Go on to further listings: each once, of the same site, not too deep, not too many, of the days wanted."""
        is_any = False
        for listing in listings:
            url = self.links.sibling(listing.link, base)
            if url is None:
                self.links.dropped[f"{kind}-elsewhere"] += 1
            elif url in self._seen:
                self.links.dropped[f"{kind}-again"] += 1
            elif self.window is not None and listing_left_out(replace(listing, link=url), self.window):
                self.links.dropped[f"{kind}-outside-window"] += 1
            elif stop.depth >= DEEPEST_SITEMAP or len(self._seen) >= self._first * _MOST[kind]:
                self.links.dropped[f"{kind}-too-many"] += 1
            else:
                is_any = True
                self._seen.add(url)
                day = day_in_path(url) or stop.day
                further = _Stop(url=url, kind=kind, modified_at=listing.modified_at, depth=stop.depth + 1)
                self._waiting.append(replace(further, day=day, is_archive=stop.is_archive))
        return is_any

    def _page(self, stop: _Stop, result: Fetched) -> Fetched | Rejection:
        """Return the page that a source's own URL turned out to be."""
        if stop.kind in {SourceKind.HOME, SourceKind.FEED}:
            return self._rejection(stop, Reason.BAD_FEED, "a page that advertises no feed of its site", result.url)
        content_type = accepted_type(result.content_type, result.body)
        if content_type is None:
            detail = f"neither a feed, a sitemap nor a page: Content-Type {result.content_type[:100]!r}"
            return self._rejection(stop, Reason.NOT_HTML, detail, result.url)
        if len(result.body) > self.fetcher.limits.page_bytes:
            return self._rejection(stop, Reason.TOO_LARGE, f"{len(result.body)} bytes", result.url)
        return replace(result, content_type=content_type)

    def _rejection(self, stop: _Stop, reason: Reason, detail: str, url: str) -> Rejection:
        return _rejection(self.source, stop.url, reason, detail, url)


def _entry(link: str) -> Entry:
    return Entry(link=link)


def _nature(declared: SourceKind, result: Fetched) -> SourceKind:
    """Return what an answer is: as the source says, or as its first bytes say (`WEB`: a page)."""
    body = result.body.lstrip(b"\xef\xbb\xbf \t\r\n")
    is_html = looks_like_html(body)
    if declared in {SourceKind.PAGE, SourceKind.SITEMAP} or (declared is SourceKind.FEED and not is_html):
        return declared
    if is_html:
        return SourceKind.WEB
    media_type = result.content_type.partition(";")[0].strip().lower()
    if media_type in FEED_TYPES:
        return SourceKind.FEED
    head = body[:4096].replace(b"\x00", b"")  # a rough view of UTF-16 will do
    if root := _ROOT.search(head):
        return _KIND_OF_ROOT.get(root[1].lower(), SourceKind.FEED)
    if _JSON_FEED.match(head):
        return SourceKind.FEED
    is_url_list = media_type == "text/plain" and head[:4].lower() == b"http"
    if body.startswith(b"\x1f\x8b") or is_url_list:
        return SourceKind.SITEMAP
    return SourceKind.WEB


def _rejection(source: Source, name: str, reason: Reason, detail: str, url: str | None = None) -> Rejection:
    return Rejection(input=name, source=source.name, url=url, stage=Stage.DISCOVER, reason=reason, detail=detail)
