"""What comes in: each input is archived and staged for the desk, or its outcome is known at once."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from storage import arrivals
from storage.errors import StoreError
from storage.pages import Original, PageWriter
from storage.records import FileVisit, Visit
from storage.store import Store
from tasks.documents import Candidate, Outcome, Page, PageKind, PageRef, Reason, Rejection, Versions
from tasks.fetch.results import Deferred, Fetched
from tasks.rows import (
    COUNTED,
    INTAKE_REJECTIONS,
    PAGES,
    SETTLED,
    ArchivedPage,
    Counted,
    Settled,
    archived_table,
    counted_table,
    hints_text,
    rejections_table,
    settled_table,
    versions_key,
)

GONE: Final = frozenset({Reason.NOT_FOUND, Reason.GONE})  # what a server says of a page that is no more
ARRIVED: Final = "archived"  # in the ledger: the page is kept, and nothing has become of it yet
# What an input comes to whose page is as it was when this became of it.
_STILL: Final[Mapping[str, Outcome]] = {
    Outcome.NEW: Outcome.UNCHANGED,
    Outcome.UPDATED: Outcome.UNCHANGED,
    Outcome.UNCHANGED: Outcome.UNCHANGED,
    Outcome.REJECTED: Outcome.REJECTED,
    Outcome.SKIPPED: Outcome.SKIPPED,
}
_FILE: Final = "urn:copydesk:file:"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRef:
    """A staged table: its name in the run, its path in the store, its rows. Documents never cross a task's border."""

    key: str
    path: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Became:
    """What became of an input at the desk and in the dataset."""

    outcome: str
    article_id: str | None = None
    reason: str | None = None


@dataclass(slots=True, kw_only=True)
class Intake:
    """Takes what a run's sources bring, one input at a time; `full` says when to `flush` a batch of pages."""

    store: Store
    run: str
    now: datetime
    versions: Versions
    batch_size: int
    counts: Counter[str] = field(default_factory=Counter)  # inputs by source
    _number: int = 0
    _flushed: int = 0
    _writer: PageWriter | None = None
    _pages: list[ArchivedPage] = field(default_factory=list)
    _visits: list[Visit] = field(default_factory=list)
    _settled: list[Settled] = field(default_factory=list)
    _rejected: list[tuple[int, Rejection]] = field(default_factory=list)
    _met: set[str] = field(default_factory=set)  # article ids

    @property
    def full(self) -> bool:
        """Whether a batch of pages has come together."""
        return len(self._pages) >= self.batch_size

    @property
    def taken(self) -> int:
        """How many inputs have been taken so far."""
        return self._number

    def take_fetched(self, fetched: Fetched, visit: Visit | None) -> None:
        """Archive a page that was fetched; one that is as it was on the last visit is kept as a revisit of that."""
        answer = fetched.url, fetched.fetched_at, fetched.status, fetched.reason_phrase, fetched.headers
        if visit is not None and visit.sha256 == fetched.sha256 and (original := self._original(visit)) is not None:
            self._archive().write_revisit(*answer, original)
            self._arrive(_asked_again(visit, fetched))
            self.take_known(fetched.candidate, visit)
            return
        file, offset = self._archive().write_response(*answer, fetched.payload)
        ref = PageRef(file=file, offset=offset, sha256=fetched.sha256)
        self._stage(fetched.candidate, PageKind.HTML, ref)
        self._arrive(_arrived(fetched, ref))

    def take_known(self, candidate: Candidate, visit: Visit) -> None:
        """Take an input whose page lies in the archive: its outcome stands, unless the desk has changed since."""
        if self._stands(visit.versions) and (outcome := _STILL.get(visit.outcome)) is not None:
            self._settle_again(candidate.input, candidate.source, outcome, visit)
            return
        assert visit.page_file is not None
        assert visit.page_offset is not None
        ref = PageRef(file=visit.page_file, offset=visit.page_offset, sha256=visit.sha256 or "")
        self._stage(candidate, PageKind.HTML, ref)

    def take_local(self, page: Page, visit: FileVisit | None) -> None:
        """Archive a document from disk; one that is as it was on the last reading keeps its outcome."""
        if visit is not None and visit.sha256 == page.sha256 and self._stands(visit.versions):
            self._settle_again(page.input, page.source, _STILL[visit.outcome], visit)
            return
        candidate = Candidate(input=page.input, source=page.source, url=page.url, hints=page.hints)
        self._stage(candidate, page.kind, self._keep(page))

    def take_rejection(self, rejection: Rejection) -> None:
        """Take an input that was set aside before the desk saw it."""
        self._rejected.append((self._next(rejection.source), rejection))

    def take_failure(self, rejection: Rejection, visit: Visit | None) -> None:
        """Take an input that was asked for in vain; what is known of its last visit stays known."""
        self.take_rejection(rejection)
        self._visits.append(_failed(rejection, self.now, visit))

    def take_deferred(self, deferred: Deferred) -> None:
        """Take an input that is to be asked for later."""
        detail = f"until {deferred.until:%Y-%m-%d %H:%M} UTC: {deferred.detail}"
        self._settle(deferred.candidate.input, deferred.candidate.source, Outcome.DEFERRED, None, detail)

    def take_repeated(self, candidate: Candidate) -> None:
        """Take an input that another source of this run has brought already."""
        self._settle(candidate.input, candidate.source, Outcome.REPEATED, None, None)

    def take_skipped(self, candidate: Candidate | Page, why: str) -> None:
        """Take an input that is not to be had at all."""
        self._settle(candidate.input, candidate.source, Outcome.SKIPPED, None, why)

    def flush(self) -> BatchRef | None:
        """Make what was taken safe: the archive file whole, the visits recorded, pages staged; return those, if any."""
        arrivals.keep(self.store, self._writer, self._visits)
        self._writer = None
        key = f"{self._flushed:05d}"
        if self._settled:
            self.store.staging.write(self.run, key, SETTLED, settled_table(self._settled))
        if self._rejected:
            table = rejections_table(self._rejected, self.versions)
            self.store.staging.write(self.run, key, INTAKE_REJECTIONS, table)
        batch = None
        if self._pages:
            path = self.store.staging.write(self.run, key, PAGES, archived_table(self._pages))
            batch = BatchRef(key=key, path=path, count=len(self._pages))
        self._flushed += 1
        for taken in (self._pages, self._visits, self._settled, self._rejected):
            taken.clear()
        return batch

    def close(self, sources: Iterable[str], left_out: Mapping[tuple[str, str], int]) -> None:
        """Stage how many inputs each source brought, and how many of its entries were none, by reason."""
        counted = [Counted(source=source, count=self.counts[source]) for source in sources]
        counted += [Counted(source=source, left_out=why, count=count) for (source, why), count in left_out.items()]
        self.store.staging.write(self.run, "intake", COUNTED, counted_table(counted))

    def _original(self, visit: Visit) -> Original | None:
        """Return the copy in the archive that a visit tells of; None where it cannot be had any more."""
        if visit.page_file is None or visit.page_offset is None:
            return None
        try:
            return self.store.pages.original(visit.page_file, visit.page_offset)
        except StoreError:  # the archive is damaged here: the page in hand is kept whole instead
            return None

    def _stands(self, versions: str | None) -> bool:
        return versions == versions_key(self.versions)

    def _next(self, source: str) -> int:
        self.counts[source] += 1
        self._number += 1
        return self._number - 1

    def _settle_again(self, input_: str, source: str, outcome: Outcome, visit: Visit | FileVisit) -> None:
        """Settle an input that is as it was; an article that another input of this run has brought is repeated."""
        if outcome is Outcome.UNCHANGED and visit.article_id in self._met:
            outcome = Outcome.REPEATED
        elif visit.article_id is not None:
            self._met.add(visit.article_id)
        self._settle(input_, source, outcome, visit.article_id, visit.reason)

    def _settle(self, input_: str, source: str, outcome: Outcome, article_id: str | None, detail: str | None) -> None:
        self._settled.append(
            Settled(
                number=self._next(source),
                input=input_,
                source=source,
                outcome=outcome,
                article_id=article_id,
                detail=detail,
            )
        )

    def _stage(self, candidate: Candidate, kind: PageKind, ref: PageRef) -> None:
        self._pages.append(
            ArchivedPage(
                number=self._next(candidate.source),
                input=candidate.input,
                source=candidate.source,
                kind=kind,
                page=ref,
                hints=candidate.hints,
            )
        )

    def _arrive(self, visit: Visit) -> None:
        """Note a visit that brought a page: known from now on, although it is recorded with the next `flush`."""
        arrivals.jot(self._archive(), visit)
        self._visits.append(visit)

    def _archive(self) -> PageWriter:
        if self._writer is None:
            self._writer = self.store.pages.writer(f"{self.run}-{self._flushed:05d}", self.now.date())
        return self._writer

    def _keep(self, page: Page) -> PageRef:
        """Archive a document from disk: a page out of a WARC file as the response it was, any other as a resource."""
        if page.url is not None:
            headers = (("Content-Type", page.content_type),)
            place = self._archive().write_response(page.url, page.fetched_at, page.status, "OK", headers, page.body)
        else:
            uri = _FILE + page.input
            place = self._archive().write_resource(uri, page.fetched_at, page.content_type, page.body)
        return PageRef(file=place[0], offset=place[1], sha256=page.sha256)


def _arrived(fetched: Fetched, ref: PageRef) -> Visit:
    return Visit(
        url=fetched.candidate.input,
        source=fetched.candidate.source,
        input=fetched.candidate.input,
        fetched_at=fetched.fetched_at,
        outcome=ARRIVED,
        etag=fetched.etag,
        last_modified=fetched.last_modified,
        sha256=ref.sha256,
        page_file=ref.file,
        page_offset=ref.offset,
        hints=hints_text(fetched.candidate.hints),
    )


def _asked_again(visit: Visit, answer: Fetched) -> Visit:
    return replace(
        visit, fetched_at=answer.fetched_at, etag=answer.etag, last_modified=answer.last_modified, failures=0
    )


def _failed(rejection: Rejection, now: datetime, visit: Visit | None) -> Visit:
    """Return a visit that failed. Without versions, the page of before is edited again once its server answers."""
    known = visit or Visit(
        url=rejection.input, source=rejection.source, input=rejection.input, fetched_at=now, outcome=Outcome.REJECTED
    )
    return replace(
        known,
        fetched_at=now,
        outcome=Outcome.REJECTED,
        reason=rejection.reason,
        detail=rejection.detail,
        versions=None,
        failures=known.failures + 1,
    )


def remember_outcomes(
    store: Store, pages: Iterable[ArchivedPage], became: Mapping[tuple[str, str], Became], key: str | None
) -> set[str]:
    """Record in the ledger what became of edited pages, by source and input; `key` is the desk's `versions_key`.

    Returns the ids of articles whose page had been gone and answers again.
    """
    pages = list(pages)
    visits = store.ledger.visits([page.input for page in pages])
    seen, read = [], []
    for page in pages:
        visit, what = visits.get(page.input), became[page.source, page.input]
        if visit is None:
            read.append(_read(page, what, key))
        else:
            seen.append(
                replace(
                    visit,
                    outcome=what.outcome,
                    article_id=what.article_id,
                    reason=what.reason,
                    versions=key,
                    failures=0,
                    hints=hints_text(page.hints),
                )
            )
    store.ledger.record_visits(seen)
    store.ledger.record_file_visits(read)
    return {visit.article_id for visit in visits.values() if visit.article_id and visit.reason in GONE}


def remember_kept(
    store: Store, pages: Iterable[ArchivedPage], became: Mapping[tuple[str, str], Became], key: str | None
) -> None:
    """Record what became of pages of earlier runs. Nobody was asked: later failures and answers stand.

    A page that cannot be read from the archive any more is had anew the next time that its source brings it.
    """
    pages = list(pages)
    unreadable = [page for page in pages if became[page.source, page.input].reason == Reason.DAMAGED_ARCHIVE]
    _let_go(store, unreadable)
    pages = [page for page in pages if page not in unreadable]
    visits = store.ledger.visits([page.input for page in pages])
    seen, read = [], []
    for page in pages:
        visit, what = visits.get(page.input), became[page.source, page.input]
        if visit is None and not is_address(page.input):
            read.append(_read(page, what, key))
        elif visit is not None and not visit.failures and page_of(visit) == page.page:
            seen.append(
                replace(visit, outcome=what.outcome, article_id=what.article_id, reason=what.reason, versions=key)
            )
    newest = _newest_readings(store, read)
    store.ledger.record_visits(seen)
    store.ledger.record_file_visits(
        visit for visit in read if newest.get((visit.source, visit.input), visit).sha256 == visit.sha256
    )


def _let_go(store: Store, pages: Iterable[ArchivedPage]) -> None:
    """Let the archive's copies of pages count for nothing: what was made of them stands, but not that it is known."""
    pages = list(pages)
    visits = store.ledger.visits(page.input for page in pages)
    store.ledger.record_visits(
        replace(visits[page.input], versions=None, etag=None, last_modified=None)
        for page in pages
        if page.input in visits and page_of(visits[page.input]) == page.page
    )
    for page in pages:
        read = store.ledger.file_visits(page.source, [page.input]).values()
        store.ledger.record_file_visits(replace(visit, versions=None) for visit in read if page_of(visit) == page.page)


def failing(store: Store, pages: Iterable[ArchivedPage]) -> set[tuple[str, str]]:
    """Return the sources and inputs of pages whose server has answered nothing usable since they were fetched."""
    pages = list(pages)
    visits = store.ledger.visits([page.input for page in pages])
    return {(page.source, page.input) for page in pages if page.input in visits and visits[page.input].failures}


def page_of(visit: Visit | FileVisit) -> PageRef | None:
    """Return where the page of a visit lies; None where none is kept."""
    if visit.page_file is None or visit.page_offset is None:
        return None
    return PageRef(file=visit.page_file, offset=visit.page_offset, sha256=visit.sha256 or "")


def is_address(input_: str) -> bool:
    """Whether an input is a URL, and not the path of a document on disk."""
    return input_.startswith(("http://", "https://"))


def _newest_readings(store: Store, read: Iterable[FileVisit]) -> dict[tuple[str, str], FileVisit]:
    by_source: dict[str, list[str]] = {}
    for visit in read:
        by_source.setdefault(visit.source, []).append(visit.input)
    return {
        (source, visit.input): visit
        for source, inputs in by_source.items()
        for visit in store.ledger.file_visits(source, inputs).values()
    }


def _read(page: ArchivedPage, became: Became, key: str | None) -> FileVisit:
    return FileVisit(
        source=page.source,
        input=page.input,
        sha256=page.page.sha256,
        outcome=became.outcome,
        article_id=became.article_id,
        reason=became.reason,
        versions=key,
        page_file=page.page.file,
        page_offset=page.page.offset,
        hints=hints_text(page.hints),
    )
