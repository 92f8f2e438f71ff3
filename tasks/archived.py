"""Pages of earlier runs, taken from the archive for today's desk: no network, no folder of the past.

What is stale is told by the rows themselves, so that work which was cut short is not done twice. A row names its page;
what a feed once said of that page, the ledger remembers, and where it does not, the row shows it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from itertools import count, islice
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from storage.partition import days, read
from storage.records import FileVisit, Visit
from storage.schema import ARTICLES_DATASET, REJECTIONS_DATASET
from storage.store import Place, Store
from tasks.artifacts.mend import undo
from tasks.documents import Hints, PageKind, PageRef, Precision, Versions
from tasks.edit import versions
from tasks.fetch.sources import FileType, file_type
from tasks.intake import ARRIVED, BatchRef, is_address, page_of
from tasks.job import Job
from tasks.progress import tell
from tasks.rematch import differ_in_watchlists_only, rematch
from tasks.rows import (
    COUNTED,
    KEPT,
    ArchivedPage,
    Counted,
    archived_table,
    artifacts_of,
    counted_table,
    hints_from_text,
)

NOT_KEPT: Final = "page-not-kept"  # why a stale row is left as it is
FIRST_NUMBER: Final = 1 << 32  # beside what the same run fetches, whose numbers begin at 0

_ROW: Final = ("article_id", "source", "input", "page", "versions")
_TELLING: Final = (
    "article_id",
    "title",
    "summary",
    "authors",
    "artifacts",
    "published_at",
    "published_precision",
    "published_source",
    "language_declared",
)
_HINTED: Final = ("feed", "hint")  # as `published_source` names dates that the page itself does not give


class Cause(StrEnum):
    """Why an archived page is edited anew."""

    STALE = "stale"  # its row was made by an older desk
    WATCHLISTS = "watchlists"  # the watchlists have changed since, and nothing else: its row's text will do
    LOST = "lost"  # its row is not in the dataset any more
    SET_ASIDE = "set aside"  # an older desk set it aside
    WAITING = "waiting"  # it was archived, and nothing has become of it yet
    ASKED_FOR = "asked for"  # its row is as today's desk made it


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which archived pages are wanted, by source and day; what is not said does not restrict.

    The day of a page is that of its article's partition; of one that became none, the day it was set aside or fetched.
    """

    sources: frozenset[str] = frozenset()
    first_day: date | None = None
    last_day: date | None = None
    partitions: frozenset[tuple[str, date]] | None = None
    stale_only: bool = True

    def covers(self, source: str, day: date) -> bool:
        """Whether a source's day is wanted.

        >>> Selection(first_day=date(2026, 2, 1)).covers("harbour", date(2026, 1, 31))
        False
        """
        return (
            self._has_day(day)
            and (not self.sources or source in self.sources)
            and (self.partitions is None or (source, day) in self.partitions)
        )

    def days(self, known: Iterable[date]) -> list[date]:
        """Return those days of which anything may be wanted, in order."""
        named = None if self.partitions is None else {day for _, day in self.partitions}
        return sorted(day for day in known if self._has_day(day) and (named is None or day in named))

    def _has_day(self, day: date) -> bool:
        return (self.first_day is None or day >= self.first_day) and (self.last_day is None or day <= self.last_day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An archived page that is wanted, and why. `is_kept` is False where it is not in the archive any more."""

    page: ArchivedPage = field(repr=False)
    day: date
    cause: Cause
    is_kept: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """How many pages of a source are to be edited anew for one cause, and of which days."""

    source: str
    cause: Cause
    first_day: date
    last_day: date
    pages: int = 0
    not_kept: int = 0  # more, whose page is not in the archive any more


def plan(place: Place, selection: Selection, today: Versions) -> tuple[Planned, ...]:
    """Say what `collect_archived` would take up at a desk of these versions, a line a source and cause."""
    lines: dict[tuple[str, Cause], Planned] = {}
    with place.open() as store:
        for found in find_archived(store, selection, today):
            line = found.page.source, found.cause
            known = lines.get(line) or Planned(
                source=found.page.source, cause=found.cause, first_day=found.day, last_day=found.day
            )
            lines[line] = replace(
                known,
                pages=known.pages + found.is_kept,
                not_kept=known.not_kept + (not found.is_kept),
                first_day=min(known.first_day, found.day),
                last_day=max(known.last_day, found.day),
            )
    return tuple(lines[line] for line in sorted(lines))


def collect_archived(job: Job, selection: Selection) -> Iterator[BatchRef]:
    """Yield batches of archived pages for the desk, whose outcomes `publish_run` publishes as those of fetched ones.

    Articles of which only the watchlists are old are matched here and now.
    """
    counts: Counter[tuple[str, str | None]] = Counter()
    old_watchlists: dict[date, set[str]] = {}
    with job.place.open() as store:
        found = find_archived(store, selection, versions(job.desk))
        pages = _numbered(_without_rematched(found, counts, old_watchlists), counts)
        for number in count():
            batch = list(islice(pages, job.batch_size))
            if not batch:
                break
            key = f"kept-{number:05d}"
            path = store.staging.write(job.run, key, KEPT, archived_table(batch))
            tell("collect", batch[-1].number - FIRST_NUMBER + 1)
            yield BatchRef(key=key, path=path, count=len(batch))
        rematch(store, job.run, old_watchlists, job.desk)
        counted = [Counted(source=source, left_out=why, count=number) for (source, why), number in counts.items()]
        store.staging.write(job.run, "kept", COUNTED, counted_table(counted))


def _numbered(found: Iterable[Found], counts: Counter[tuple[str, str | None]]) -> Iterator[ArchivedPage]:
    """Yield the pages that are kept, numbered; count them by source, and those that are not, by why."""
    numbers = count(FIRST_NUMBER)
    for each in found:
        counts[each.page.source, None if each.is_kept else NOT_KEPT] += 1
        if each.is_kept:
            yield replace(each.page, number=next(numbers))


def _without_rematched(
    found: Iterable[Found], counts: Counter[tuple[str, str | None]], rematched: dict[date, set[str]]
) -> Iterator[Found]:
    """Yield what needs the desk; count what does not, and put it in `rematched`: article ids by day."""
    for each in found:
        if each.cause is Cause.WATCHLISTS and each.page.article_id is not None:
            counts[each.page.source, None] += 1
            rematched.setdefault(each.day, set()).add(each.page.article_id)
        else:
            yield each


def find_archived(store: Store, selection: Selection, today: Versions) -> Iterator[Found]:
    """Yield the archived pages of a selection, each once, a day at a time: memory holds no more than a day's rows."""
    look = _Look(store, selection, today)
    yield from look.articles()
    yield from look.rejections()
    yield from look.waiting()


class _Look:
    """One look through dataset and ledger for what a selection wants."""

    def __init__(self, store: Store, selection: Selection, today: Versions) -> None:
        self._store = store
        self._selection = selection
        self._today = today
        self._files = frozenset(store.pages.list())
        self._judged: set[tuple[str, str]] = set()  # inputs that today's desk has set aside

    def articles(self) -> Iterator[Found]:
        """Yield the pages of articles, of those that are not in the dataset any more too."""
        self._judged = self._set_aside_today()
        placed = self._store.ledger.placed_by_day(ARTICLES_DATASET.name)
        for day in self._selection.days({*days(self._store.files, ARTICLES_DATASET), *placed}):
            rows = read(self._store.files, ARTICLES_DATASET, day, _ROW).table
            yield from self._stale(day, rows)
            if placed.get(day, 0) > rows.num_rows:
                here = set(rows["article_id"].to_pylist())
                yield from self._lost(day, self._store.ledger.placed_on(ARTICLES_DATASET.name, day) - here)

    def rejections(self) -> Iterator[Found]:
        """Yield the pages that were set aside at the desk."""
        for day in self._selection.days(days(self._store.files, REJECTIONS_DATASET)):
            rows = read(self._store.files, REJECTIONS_DATASET, day, ["source", "input", "page", "versions"]).table
            chosen = [row for row in rows.to_pylist() if row["page"] is not None and self._wants_judged(row, day)]
            hints = self._hints_of_inputs(chosen)
            for row in chosen:
                page = _archived(row, hints.get((row["source"], row["input"]), Hints()))
                yield self._found(page, day, Cause.SET_ASIDE)

    def waiting(self) -> Iterator[Found]:
        """Yield the pages of runs that were cut short before the desk."""
        for visit in self._store.ledger.arrived(ARRIVED, self._selection.sources or None):
            day = visit.fetched_at.date()
            if self._selection.covers(visit.source, day) and (page := _page_of_visit(visit)) is not None:
                yield self._found(page, day, Cause.WAITING)

    def _stale(self, day: date, rows: pa.Table) -> Iterator[Found]:
        chosen = [
            row
            for row in rows.to_pylist()
            if self._wants(row, day)
            and not (self._selection.stale_only and (row["source"], row["input"]) in self._judged)
        ]
        hints = self._hints_of_rows(day, [row for row in chosen if row["page"] is not None])
        for row in chosen:
            yield self._found(_archived(row, hints.get(row["article_id"], Hints())), day, self._cause(row))

    def _lost(self, day: date, ids: set[str]) -> Iterator[Found]:
        """Yield the last page of each of these articles."""
        ledger = self._store.ledger
        fetched = sorted(ledger.visits_of(sorted(ids)), key=lambda visit: visit.fetched_at)
        last: dict[str | None, Visit | FileVisit] = {visit.article_id: visit for visit in fetched}
        last |= {visit.article_id: visit for visit in ledger.file_visits_of(sorted(ids - last.keys()))}
        for visit in last.values():
            if self._selection.covers(visit.source, day) and (page := _page_of_visit(visit)) is not None:
                yield self._found(page, day, Cause.LOST)

    def _wants(self, row: dict[str, Any], day: date) -> bool:
        return self._selection.covers(row["source"], day) and (not self._selection.stale_only or self._is_stale(row))

    def _wants_judged(self, row: dict[str, Any], day: date) -> bool:
        is_wanted = not self._selection.stale_only or not self._is_judged_today(row)
        return is_wanted and self._selection.covers(row["source"], day)

    def _cause(self, row: dict[str, Any]) -> Cause:
        if not self._is_stale(row):
            return Cause.ASKED_FOR
        is_rematched = self._selection.stale_only and differ_in_watchlists_only(
            Versions(**row["versions"]), self._today
        )
        return Cause.WATCHLISTS if is_rematched else Cause.STALE

    def _is_stale(self, row: dict[str, Any]) -> bool:
        return row["versions"] is None or Versions(**row["versions"]) != self._today

    def _is_judged_today(self, row: dict[str, Any]) -> bool:
        """Whether today's desk would set a page aside again that it has set aside: watchlists have no say in that."""
        return row["versions"] is not None and (
            replace(Versions(**row["versions"]), watchlists=self._today.watchlists) == self._today
        )

    def _found(self, page: ArchivedPage, day: date, cause: Cause) -> Found:
        is_kept = cause is Cause.WATCHLISTS or page.page.file in self._files
        return Found(page=page, day=day, cause=cause, is_kept=is_kept)

    def _set_aside_today(self) -> set[tuple[str, str]]:
        """Return the sources and inputs whose page today's desk has set aside: to ask it again changes nothing."""
        found: set[tuple[str, str]] = set()
        for day in days(self._store.files, REJECTIONS_DATASET):
            rows = read(self._store.files, REJECTIONS_DATASET, day, ["source", "input", "page", "versions"]).table
            found |= {
                (row["source"], row["input"])
                for row in rows.filter(rows["page"].is_valid()).to_pylist()
                if self._is_judged_today(row)
            }
        return found

    def _hints_of_inputs(self, rows: list[dict[str, Any]]) -> dict[tuple[str, str], Hints]:
        """Return what was hinted of inputs, as far as the ledger knows."""
        visits = self._store.ledger.visits(row["input"] for row in rows if is_address(row["input"]))
        found = {(row["source"], row["input"]): visits[row["input"]].hints for row in rows if row["input"] in visits}
        by_source: dict[str, list[str]] = {}
        for row in rows:
            if not is_address(row["input"]):
                by_source.setdefault(row["source"], []).append(row["input"])
        for source, inputs in by_source.items():
            for visit in self._store.ledger.file_visits(source, inputs).values():
                found[source, visit.input] = visit.hints
        return {name: hints_from_text(text) for name, text in found.items()}

    def _hints_of_rows(self, day: date, rows: list[dict[str, Any]]) -> dict[str, Hints]:
        """Return what was hinted of the pages that rows were made of: from their visits, else from the rows."""
        ids = [row["article_id"] for row in rows]
        ledger = self._store.ledger
        visits: list[Visit | FileVisit] = [*ledger.visits_of(ids), *ledger.file_visits_of(ids)]
        told = {(visit.article_id, page_of(visit)): hints_from_text(visit.hints) for visit in visits}
        pages = {row["article_id"]: PageRef(**row["page"]) for row in rows}
        found = {id_: told[id_, page] for id_, page in pages.items() if (id_, page) in told}
        if untold := pages.keys() - found.keys():
            table = read(self._store.files, ARTICLES_DATASET, day, _TELLING).table
            wanted = table.filter(pc.is_in(table["article_id"], value_set=pa.array(sorted(untold), pa.string())))
            found |= {row["article_id"]: _hints_in(row) for row in wanted.to_pylist()}
        return found


def _archived(row: dict[str, Any], hints: Hints) -> ArchivedPage:
    return ArchivedPage(
        number=0,
        input=row["input"],
        source=row["source"],
        kind=_kind(row["input"]),
        page=PageRef(**row["page"]) if row["page"] is not None else PageRef(file="", offset=0, sha256=""),
        hints=hints,
        article_id=row.get("article_id"),
    )


def _page_of_visit(visit: Visit | FileVisit) -> ArchivedPage | None:
    page = page_of(visit)
    if page is None:
        return None
    return ArchivedPage(
        number=0,
        input=visit.input,
        source=visit.source,
        kind=_kind(visit.input),
        page=page,
        hints=hints_from_text(visit.hints),
        article_id=visit.article_id,
    )


def _kind(input_: str) -> PageKind:
    """Return how a page's bytes are read, from what its source named it.

    >>> _kind("notes/crane.txt").value, _kind("https://news.example/robots.txt").value
    ('text', 'html')
    """
    is_text = not is_address(input_) and file_type(Path(input_)) is FileType.TEXT
    return PageKind.TEXT if is_text else PageKind.HTML


def _hints_in(row: dict[str, Any]) -> Hints:
    """Return hints that make the row again, where its page says nothing itself."""
    artifacts = artifacts_of(row["artifacts"])
    is_hinted = row["published_source"] in _HINTED
    return Hints(
        title=undo(row["title"], artifacts, "title") or None,
        summary=undo(row["summary"], artifacts, "summary") if row["summary"] else None,
        authors=tuple(row["authors"]),
        published_at=row["published_at"] if is_hinted else None,
        published_precision=Precision(row["published_precision"]) if is_hinted else Precision.INSTANT,
        language=row["language_declared"],
    )
