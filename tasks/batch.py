"""A staged batch of pages through the desk: read from the archive, edited, staged again. Knows no Prefect."""

import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass, replace
from multiprocessing import get_context
from threading import Lock
from types import TracebackType
from typing import Final, Protocol, Self

from storage.errors import DamagedFileError, PageGoneError, StoreError
from storage.store import Place, Store
from tasks.documents import Article, Page, Reason, Rejection, Stage
from tasks.edit import Desk, edit, versions
from tasks.fetch.decoding import DecodingError, decode_body
from tasks.intake import BatchRef, is_address
from tasks.job import Job
from tasks.language import load_profiles
from tasks.rows import ARTICLES, REJECTIONS, ArchivedPage, archived_pages, articles_table, rejections_table

SLICE: Final = 25  # pages that a process edits at a time
MOST_BYTES: Final = 64 * 1024 * 1024  # of a decoded page; it passed the client's own, lower limit before


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Some of the pages of a staged batch: rows `start` to `stop`."""

    key: str
    path: str
    start: int
    stop: int

    def halves(self) -> "tuple[Slice, Slice]":
        """Return the two halves of a slice of two rows or more."""
        middle = (self.start + self.stop) // 2
        return replace(self, stop=middle), replace(self, start=middle)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """How many articles and rejections a batch became; they are staged."""

    articles: int = 0
    rejections: int = 0

    def __add__(self, other: "Edited") -> "Edited":
        """Return the sum of two."""
        return Edited(articles=self.articles + other.articles, rejections=self.rejections + other.rejections)


def edit_slice(place: Place, run: str, part: Slice, desk: Desk) -> Edited:
    """Edit the pages of a slice and stage what they became. One broken page makes one rejection."""
    articles: list[tuple[int, Article]] = []
    rejections: list[tuple[int, Rejection]] = []
    with place.open() as store:
        for archived in _pages(store, part):
            edited = _edit_one(store, archived, desk)
            if isinstance(edited, Article):
                articles.append((archived.number, edited))
            else:
                rejections.append((archived.number, edited))
        return _stage(store, run, part, desk, articles, rejections)


def reject_slice(place: Place, run: str, part: Slice, desk: Desk, detail: str) -> Edited:
    """Stage a rejection for each page of a slice that took its process down."""
    with place.open() as store:
        rejections = [(page.number, _rejection(page, Reason.CRASHED, detail)) for page in _pages(store, part)]
        return _stage(store, run, part, desk, [], rejections)


EditSlice = Callable[[Place, str, Slice, Desk], Edited]


class Editors(Protocol):
    """Whoever edits batches: processes of this machine (`Workers`), or a cluster (`tasks.cluster.Cluster`)."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let those who edit go."""

    def edit(self, job: Job, batch: BatchRef) -> Edited:
        """Edit a batch, and stage what it became."""


class WorkersError(Exception):
    """No process can be had to edit pages with."""


class Workers:
    """Processes that edit pages; a page that takes its process down costs itself only. `count` 1: this process edits.

    Use as `with Workers(count) as workers`; threads may share it. `edit` is what a process does with a slice.
    """

    def __init__(self, count: int, edit: EditSlice = edit_slice) -> None:
        """Remember how many; they start with the first batch."""
        self._count = count
        self._edit = edit
        self._pool: ProcessPoolExecutor | None = None
        self._starting = Lock()

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the processes go; what they have not begun is dropped."""
        self._drop_pool()

    def edit(self, job: Job, batch: BatchRef) -> Edited:
        """Edit a batch, slice by slice, side by side."""
        parts = slices(batch)
        if self._count == 1:
            return sum((self._edit(job.place, job.run, part, job.desk) for part in parts), Edited())
        pool = self._running_pool()
        futures = [self._submit(pool, job, part) for part in parts]
        return sum(
            (self._result(pool, future, job, part) for future, part in zip(futures, parts, strict=True)), Edited()
        )

    def _submit(self, pool: ProcessPoolExecutor, job: Job, part: Slice) -> "Future[Edited] | None":
        """Hand a slice to the pool; None where another slice has just taken the pool down."""
        try:
            return pool.submit(self._edit, job.place, job.run, part, job.desk)
        except (BrokenProcessPool, RuntimeError):
            return None

    def _result(self, pool: ProcessPoolExecutor, future: "Future[Edited] | None", job: Job, part: Slice) -> Edited:
        try:
            if future is not None:
                return future.result()
        except (BrokenProcessPool, CancelledError):
            self._drop_pool(pool)
        return edit_carefully(job, part, self._edit)

    def _running_pool(self) -> ProcessPoolExecutor:
        with self._starting:
            if self._pool is None:
                self._pool = _pool(self._count)
            return self._pool

    def _drop_pool(self, broken: ProcessPoolExecutor | None = None) -> None:
        """Let the pool go; where one is named, only that one: another thread may have started the next."""
        with self._starting:
            pool = self._pool
            if pool is None or (broken is not None and pool is not broken):
                return
            self._pool = None
        pool.shutdown(cancel_futures=True)


def edit_carefully(job: Job, part: Slice, edit: EditSlice = edit_slice) -> Edited:
    """Edit a slice in a process of its own, and by halves where that dies, until the culprit stands alone."""
    with closing(_Alone()) as alone:
        return _by_halves(alone, job, part, edit)


def _by_halves(alone: "_Alone", job: Job, part: Slice, edit: EditSlice) -> Edited:
    edited = alone.edit(job, part, edit)
    if edited is not None:
        return edited
    if part.stop - part.start == 1:
        return reject_slice(job.place, job.run, part, job.desk, "The process that edited this page died.")
    return sum((_by_halves(alone, job, half, edit) for half in part.halves()), Edited())


class _Alone:
    """A process that edits one slice at a time; another takes its place where it dies."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    def edit(self, job: Job, part: Slice, edit: EditSlice) -> Edited | None:
        """Edit a slice; None where that killed the process."""
        if self._pool is None:
            self._pool = _pool(1)
            _check_alive(self._pool)
        try:
            return self._pool.submit(edit, job.place, job.run, part, job.desk).result()
        except BrokenProcessPool:
            self.close()
            return None

    def close(self) -> None:
        """Let the process go."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None


def _check_alive(pool: ProcessPoolExecutor) -> None:
    """See that a process runs at all before a page is blamed for its death."""
    try:
        pool.submit(int).result()
    except BrokenProcessPool:
        raise WorkersError(
            "The processes that edit pages cannot be started, or die at once. See that memory is not short, "
            "or edit in one process with `workers = 1` in copydesk.toml."
        ) from None


def slices(batch: BatchRef) -> list[Slice]:
    """Return the slices of a batch: what a process edits at a time."""
    starts = range(0, batch.count, SLICE)
    return [
        Slice(key=batch.key, path=batch.path, start=start, stop=min(start + SLICE, batch.count)) for start in starts
    ]


def _pool(count: int) -> ProcessPoolExecutor:
    # Spawned, not forked: the caller has threads, and a forked copy of their locks may never be released.
    return ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=load_profiles)


def _pages(store: Store, part: Slice) -> Iterator[ArchivedPage]:
    yield from archived_pages(store.staging.read(part.path).slice(part.start, part.stop - part.start))


def _edit_one(store: Store, archived: ArchivedPage, desk: Desk) -> Article | Rejection:
    try:
        edited = edit(restore_page(store, archived), desk)
        return _as_known(edited, archived.article_id) if isinstance(edited, Article) else edited
    except DecodingError as error:
        return _rejection(archived, error.reason, str(error), Stage.DECODE)
    except (DamagedFileError, PageGoneError) as error:
        return _rejection(archived, Reason.DAMAGED_ARCHIVE, str(error), Stage.DECODE)
    except StoreError:
        raise  # the store cannot be reached: that is no fault of the page
    except Exception:  # noqa: BLE001 - the one broad except: a broken page must not take its batch down
        return _rejection(archived, Reason.CRASHED, traceback.format_exc(limit=-8))


def _as_known(article: Article, article_id: str | None) -> Article:
    """Return an article under the id that it has; for one with an address, the ledger sees to that."""
    if article_id is None or article.url is not None or article.article_id == article_id:
        return article
    if article.fallback_id == article_id:
        return replace(article, article_id=article_id, canonical_url=None)
    return replace(article, article_id=article_id, fallback_id=article_id)


def restore_page(store: Store, archived: ArchivedPage) -> Page:
    """Return a page as it was fetched, from the archive."""
    stored = store.pages.read(archived.page.file, archived.page.offset)
    headers = {name.lower(): value for name, value in stored.headers}
    return Page(
        input=archived.input,
        source=archived.source,
        url=stored.url if stored.url.startswith(("http://", "https://")) else None,
        fetched_at=stored.fetched_at,
        status=stored.status or 200,
        content_type=headers.get("content-type", ""),
        kind=archived.kind,
        body=decode_body(stored.payload, headers.get("content-encoding", ""), MOST_BYTES),
        sha256=archived.page.sha256,
        hints=archived.hints,
        ref=archived.page,
    )


def _rejection(page: ArchivedPage, reason: Reason, detail: str, stage: Stage = Stage.EDIT) -> Rejection:
    url = page.input if is_address(page.input) else None
    return Rejection(
        input=page.input, source=page.source, url=url, stage=stage, reason=reason, detail=detail, ref=page.page
    )


def _stage(
    store: Store,
    run: str,
    part: Slice,
    desk: Desk,
    articles: list[tuple[int, Article]],
    rejections: list[tuple[int, Rejection]],
) -> Edited:
    """Stage what a slice became, under a name that the same slice of a second try gets again."""
    key = f"{part.key}-{part.start:05d}"
    if articles:
        store.staging.write(run, key, ARTICLES, articles_table(articles))
    if rejections:
        store.staging.write(run, key, REJECTIONS, rejections_table(rejections, versions(desk)))
    return Edited(articles=len(articles), rejections=len(rejections))
