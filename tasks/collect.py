"""From sources to staged batches of pages: discover, fetch or read, archive; one input, one place in the run."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import Final

from storage import arrivals
from storage.blocklist import Blocklist
from storage.records import FileVisit, Visit
from storage.store import Store
from tasks import listings
from tasks.documents import Candidate, Hints, Page, Rejection
from tasks.edit import versions
from tasks.fetch.client import Fetcher
from tasks.fetch.discover import discover
from tasks.fetch.feeds import FeedReader
from tasks.fetch.local import read_local
from tasks.fetch.results import Deferred, Fetched, NotModified, Request, Result, Tally
from tasks.fetch.results import Visit as ListingVisit
from tasks.fetch.sources import Source, SourceKind
from tasks.fetch.webshelf import Ask
from tasks.intake import ARRIVED, BatchRef, Intake
from tasks.job import Job
from tasks.listings import Listed, ListingMemory, page_validator
from tasks.progress import tell
from tasks.rows import hints_from_text
from tasks.urls import BadUrl, article_id, canonical_url, content_id

FORGOTTEN: Final = "forgotten"  # why an input is skipped that an operator has taken out for good
_LOT, _LOT_BYTES = 100, 8 * 1024 * 1024


def collect_pages(job: Job, sources: Iterable[Source]) -> Iterator[BatchRef]:
    """Yield batches of archived pages while the sources bring them; all other inputs are staged with their outcome.

    Closed early or interrupted, what was taken until then is safe, and the next run goes on from it.
    """
    sources = list(sources)
    with job.place.open() as store:
        intake = Intake(
            store=store,
            run=job.run,
            now=job.started_at,
            versions=versions(job.desk),
            batch_size=job.batch_size,
        )
        arrivals.adopt(store)
        left_out: Counter[tuple[str, str]] = Counter()
        try:
            yield from _read_local(job, intake, (source for source in sources if source.is_local), left_out)
            yield from _in_step(
                _fetch_web(job, intake, [source for source in sources if not source.is_local], left_out)
            )
        finally:
            last = intake.flush()
            intake.close([source.name for source in sources], left_out)
        if last is not None:
            yield last


def _read_local(
    job: Job, intake: Intake, sources: Iterable[Source], left_out: Counter[tuple[str, str]]
) -> Iterator[BatchRef]:
    """Take every document of the sources' files."""
    forgotten = Blocklist.of(intake.store.files)
    with _asking(job, intake.store) as ask:
        for source in sources:
            yield from _read_source(job, intake, source, ask, forgotten, left_out)


def _read_source(
    job: Job, intake: Intake, source: Source, ask: Ask, forgotten: Blocklist, left_out: Counter[tuple[str, str]]
) -> Iterator[BatchRef]:
    """Take every document of a source's files."""
    count = new = 0
    for found in _few_at_a_time(read_local(source, job.window, ask)):
        inputs = [page.input for page in found if isinstance(page, Page)]
        visits = intake.store.ledger.file_visits(source.name, inputs)
        for each in found:
            count += not isinstance(each, Tally)
            if isinstance(each, Page):
                visit = visits.get(each.input)
                new += visit is None or visit.sha256 != each.sha256
                _take_local(intake, source, each, visit, forgotten)
            elif isinstance(each, Rejection):
                intake.take_rejection(each)
            else:
                left_out[source.name, each.reason] += each.count
            tell("collect", intake.taken)
            if intake.full and (batch := intake.flush()) is not None:
                yield batch
    if job.window is None:
        listings.remember_reading(intake.store, source, count, new, intake.now)


@contextmanager
def _asking(job: Job, store: Store) -> Iterator[Ask]:
    """Fetch one thing after another, and wait for each, while the block runs."""
    with asyncio.Runner() as runner:
        fetcher = _fetcher(job, store)
        try:
            yield lambda request: runner.run(fetcher.fetch(request))
        finally:
            runner.run(fetcher.close())


def _fetcher(job: Job, store: Store) -> Fetcher:
    return Fetcher(
        contact=job.contact,
        clock=job.clock,
        random=Random(job.seed),  # noqa: S311 - for the jitter of retries
        leases=store.ledger,
        robots=store.ledger,
        limits=job.limits,
    )


def _take_local(intake: Intake, source: Source, page: Page, visit: FileVisit | None, forgotten: Blocklist) -> None:
    names = (page.url, article_id(content_id(page.sha256)), visit.article_id if visit else None)
    if forgotten.covers(*names):
        intake.take_skipped(page, FORGOTTEN)
    else:
        intake.take_local(replace(page, hints=_in_language(page.hints, source)), visit)


def _few_at_a_time(found: Iterator[Page | Rejection | Tally]) -> Iterator[list[Page | Rejection | Tally]]:
    """Yield documents in lots for which the ledger is asked once, small enough to be held in memory."""
    lot: list[Page | Rejection | Tally] = []
    size = 0
    for each in found:
        lot.append(each)
        size += len(each.body) if isinstance(each, Page) else 0
        if len(lot) >= _LOT or size >= _LOT_BYTES:
            yield lot
            lot, size = [], 0
    if lot:
        yield lot


async def _fetch_web(
    job: Job, intake: Intake, sources: list[Source], left_out: Counter[tuple[str, str]]
) -> AsyncIterator[BatchRef]:
    """Discover what the sources on the network offer, then fetch it, many hosts side by side."""
    if not sources:
        return
    async with _fetcher(job, intake.store) as fetcher:
        wanted = _Wanted(intake, left_out, Blocklist.of(intake.store.files))
        async with FeedReader() as reader:
            offers = await asyncio.gather(
                *(_discover(job, fetcher, reader, source, intake.store) for source in sources)
            )
        for offer in offers:
            wanted.take_settled(offer)
        for offer in offers:
            wanted.take_candidates(offer)
        wanted.take_pending(source.name for source in sources)
        async for result in fetcher.fetch_all(wanted.requests()):
            wanted.take(result)
            tell("collect", intake.taken, len(wanted))
            if intake.full and (batch := intake.flush()) is not None:
                yield batch
    for offer in offers:
        offer.remember(intake.store, job)


@dataclass(slots=True)
class _Offer:
    """What a source offers: URLs to have, what discovery itself settled, and the listings that were visited."""

    source: Source
    candidates: list[Candidate] = field(default_factory=list)
    settled: list[Fetched | NotModified | Deferred | Rejection | Tally] = field(default_factory=list)
    listed: list[Listed] = field(default_factory=list)
    new: int = 0  # pages: the source's own, or those of a list of addresses

    def remember(self, store: Store, job: Job) -> None:
        """Keep what the source listed, for its next visit; of a window's days this was none that counts."""
        if job.window is not None:
            return
        if self.source.kind is SourceKind.URL_LIST:
            listings.remember_reading(store, self.source, len(self.candidates), self.new, job.started_at)
            return
        troubles = [found for found in self.settled if isinstance(found, Deferred | Rejection)]
        listings.remember(store, self.source, self.listed, troubles, job.started_at, new_pages=self.new)


async def _discover(job: Job, fetcher: Fetcher, reader: FeedReader, source: Source, store: Store) -> _Offer:
    """Ask a source what it offers; one that has not changed offers what it did before."""
    offer, memory = _Offer(source), ListingMemory(store, source, job.started_at)
    offered = discover(source, fetcher, now=job.started_at, memory=memory, window=job.window, reader=reader)
    async for found in offered:
        match found:
            case Candidate():
                offer.candidates.append(found)
            case ListingVisit():
                offer.listed.append(Listed(visit=found, new=memory.new_entries(found)))
            case _:
                offer.new += isinstance(found, Fetched) and memory.is_new_page(found)
                offer.settled.append(found)
    if source.kind is SourceKind.URL_LIST:
        inputs = [candidate.input for candidate in offer.candidates]
        offer.new = len(inputs) - len(store.ledger.visits(inputs))
    return offer


@dataclass(slots=True)
class _Wanted:
    """The URLs that a run's sources offer: each is had once, with what is known of its last visit."""

    intake: Intake
    left_out: Counter[tuple[str, str]]
    forgotten: Blocklist
    _had: set[str] = field(default_factory=set)  # canonical URLs that discovery itself has brought
    _offers: dict[str, tuple[Source, Candidate]] = field(default_factory=dict)  # by canonical URL
    _visits: dict[str, Visit] = field(default_factory=dict)
    _taken: int = 0

    def __len__(self) -> int:
        return self._taken + len(self._offers)

    def take_settled(self, offer: _Offer) -> None:
        """Take what a source's discovery settled: its own page, its trouble, links left out."""
        for found in offer.settled:
            self._take_settled(offer.source, found)

    def take_candidates(self, offer: _Offer) -> None:
        """Want the URLs that a source offers."""
        for candidate in offer.candidates:
            self._add(offer.source, candidate)

    def _add(self, source: Source, candidate: Candidate) -> None:
        """Want a URL, unless another source of this run has brought it already."""
        key = _key(candidate)
        if self.forgotten.covers(candidate.input, key):
            self._taken += 1
            self.intake.take_skipped(candidate, FORGOTTEN)
        elif key in self._offers or key in self._had:
            self._taken += 1
            self.intake.take_repeated(candidate)
        else:
            hints = _in_language(candidate.hints, source)
            self._offers[key] = source, candidate if hints is candidate.hints else replace(candidate, hints=hints)

    def _take_settled(self, source: Source, found: Fetched | NotModified | Deferred | Rejection | Tally) -> None:
        if isinstance(found, Tally):
            self.left_out[source.name, found.reason] += found.count
            return
        self._taken += 1
        if isinstance(found, Fetched | NotModified) and self.forgotten.covers(
            found.candidate.input, _key(found.candidate)
        ):
            self.intake.take_skipped(found.candidate, FORGOTTEN)
        elif isinstance(found, Fetched | NotModified):
            self._had.add(_key(found.candidate))
            visit = self._known([found.candidate.input]).get(found.candidate.input)
            if isinstance(found, Fetched):
                self.intake.take_fetched(found, visit)
            elif visit is not None:
                self.intake.take_known(found.candidate, visit)
        elif isinstance(found, Deferred):
            self.intake.take_deferred(found)
        else:
            self.intake.take_rejection(found)

    def take_pending(self, sources: Iterable[str]) -> None:
        """Take what a run archived before it was cut short, and the sources do not list any more."""
        offered = {candidate.input for _, candidate in self._offers.values()}
        for visit in self.intake.store.ledger.arrived(ARRIVED, sources):
            if visit.input not in offered:
                self._taken += 1
                hints = hints_from_text(visit.hints)
                known = Candidate(input=visit.input, source=visit.source, url=visit.url, hints=hints)
                self.intake.take_known(known, visit)

    def requests(self) -> Iterator[Request]:
        """Yield what is to be asked of hosts; pages that lie in the archive since a run was cut short are not."""
        self._visits = self._known(candidate.input for _, candidate in self._offers.values())
        for source, candidate in self._offers.values():
            visit = self._visits.get(candidate.input)
            if visit is not None and visit.outcome == ARRIVED and visit.page_file is not None:
                self.intake.take_known(candidate, visit)
            else:
                yield Request(candidate=candidate, source=source, validator=page_validator(visit))

    def take(self, result: Result) -> None:
        """Take what a host answered."""
        if isinstance(result, Rejection):
            self.intake.take_failure(result, self._visits.get(result.input))
        elif isinstance(result, Deferred):
            self.intake.take_deferred(result)
        elif isinstance(result, NotModified):
            self.intake.take_known(result.candidate, self._visits[result.candidate.input])
        else:
            self.intake.take_fetched(result, self._visits.get(result.candidate.input))

    def _known(self, inputs: Iterable[str]) -> dict[str, Visit]:
        return self.intake.store.ledger.visits(inputs)


def _in_language(hints: Hints, source: Source) -> Hints:
    """Return hints with the language that most pages of the source are in, where nothing nearer tells."""
    return hints if hints.language or source.language is None else replace(hints, language=source.language)


def _key(candidate: Candidate) -> str:
    try:
        return canonical_url(candidate.url or candidate.input)
    except BadUrl:
        return candidate.input


def _in_step(batches: AsyncIterator[BatchRef]) -> Iterator[BatchRef]:
    """Yield from an asynchronous iterator; its event loop turns only while the next batch is waited for."""
    with asyncio.Runner() as runner:
        try:
            while True:
                try:
                    yield runner.run(_next(batches))
                except StopAsyncIteration:
                    return
        finally:
            close = getattr(batches, "aclose", None)
            # One that was interrupted at its work is cancelled by the runner as that closes.
            if close is not None and not getattr(batches, "ag_running", False):
                runner.run(close())


async def _next(batches: AsyncIterator[BatchRef]) -> BatchRef:
    return await anext(batches)
