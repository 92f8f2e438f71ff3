"""What is to be done for a dataset at night, step by step; each is free where there is nothing to do."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pyarrow.compute as pc

from storage import arrivals, read, untold, upkeep
from storage.errors import DamagedFileError
from storage.partition import days
from storage.partition import read as read_partition
from storage.repair import put_fingerprints, repair
from storage.schema import ARTICLES_DATASET
from storage.store import Place, Store
from storage.verify import Verdict, verify
from tasks.intake import ARRIVED
from tasks.job import Announce, PublishedDay, tell_no_one
from tasks.publish import finish_runs, tell_stories
from tasks.rows import KEPT, PAGES, archived_pages, contents, fingerprints_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """For how many days what is kept: archived pages and rejections; 0: for ever.

    Pages that rows point to stay longer, unless `pages_of_rows` says that their time is up with that of the others.
    """

    pages_days: int = 0
    rejections_days: int = 0
    pages_of_rows: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """What was found cut short, and completed: runs, chores of upkeep, archived pages that nobody knew of."""

    runs: int
    chores: int
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """What was kept for long enough: archive files, rejections."""

    files: int = 0
    rejections: int = 0


def complete(place: Place, now: datetime, announce: Announce = tell_no_one) -> Completed:
    """Complete what was cut short; what runs are at work on is left to them."""
    with place.open() as store:
        adopted = arrivals.adopt(store)
        chores = upkeep.finish(store)
    return Completed(runs=finish_runs(place, now, announce), chores=chores, pages=adopted)


def move_corrected(place: Place, now: datetime, announce: Announce = tell_no_one) -> int:
    """Move articles whose date was corrected, and tell their stories anew; return how many."""
    with place.open() as store:
        moved = upkeep.move_corrected(store, now)
    run = f"maintain-{now:%Y%m%dT%H%M%S}"
    tell_stories(place, moved.partitions, run=run, now=now)
    for day in moved.partitions:
        announce(PublishedDay(run=run, root=place.root, day=day))
    return moved.articles


def retire(place: Place, retention: Retention, now: datetime) -> Dropped:
    """Drop what has been kept for long enough."""
    files = rejections = 0
    with place.open() as store:
        if retention.rejections_days:
            rejections = upkeep.drop_rejections(store, now - timedelta(days=retention.rejections_days), now)
        if retention.pages_days:
            before = (now - timedelta(days=retention.pages_days)).date()
            needed = frozenset(_needed(store))
            files = upkeep.drop_pages(store, before, of_rows=retention.pages_of_rows, needed=needed)
    return Dropped(files=files, rejections=rejections)


def compact(place: Place) -> bool:
    """Tidy the ledger's database; False where it is in use."""
    with place.open() as store:
        return store.ledger.compact()


def prove(place: Place, now: datetime) -> Verdict:
    """Look whether all but the archived pages themselves are sound, and make again what follows from the articles."""
    with place.open() as store:
        verdict = verify(store, pages=False)
    return verdict if verdict.clean else mended(place, verdict, now, pages=False)[0]


def mended(place: Place, verdict: Verdict, now: datetime, *, pages: bool) -> tuple[Verdict, int]:
    """Repair what can be; return what is left, and how many inputs have lost their articles."""
    with place.open() as store:
        verdict = repair(store, verdict, now)
        for day in verdict.days_to_fingerprint:
            _put_fingerprints(store, day, now)
        doubted = store.ledger.doubt_absent({*_stored(store)})
    told = sorted({*verdict.days_to_fingerprint, *verdict.days_to_retell})
    tell_stories(place, told, run=f"repair-{now:%Y%m%dT%H%M%S}", now=now)
    with place.open() as store:
        return verify(store, pages=pages), doubted


def _stored(store: Store) -> Iterator[str]:
    """Yield the ids of all articles; of a damaged file, which a copy may restore, those that were in it."""
    for day in days(store.files, ARTICLES_DATASET):
        try:
            table = read_partition(store.files, ARTICLES_DATASET, day, ["article_id"]).table
            yield from table["article_id"].to_pylist()
        except DamagedFileError:
            yield from store.ledger.placed_on(ARTICLES_DATASET.name, day)


def fingerprint_anew(
    place: Place, first: date | None, last: date | None, *, run: str, now: datetime
) -> tuple[date, ...]:
    """Make fingerprints again from the stored texts, and tell all stories by them; return the days."""
    with place.open() as store:
        chosen = [
            day
            for day in days(store.files, ARTICLES_DATASET)
            if (first is None or day >= first) and (last is None or day <= last)
        ]
        untold.note(store.files, run, chosen)
        for day in chosen:
            _put_fingerprints(store, day, now)
    tell_stories(place, chosen, run=run, now=now)
    return tuple(chosen)


def _put_fingerprints(store: Store, day: date, now: datetime) -> None:
    articles = read.articles(store.root, filter=pc.field("published_date") == day)
    put_fingerprints(store, day, fingerprints_table(articles), now)


def _needed(store: Store) -> Iterator[str]:
    """Yield the archive files with pages that have still to be edited."""
    yield from (visit.page_file for visit in store.ledger.arrived(ARRIVED, None) if visit.page_file is not None)
    for staged in store.staging.runs().values():
        for path in staged:
            if contents(path) in (PAGES, KEPT):
                yield from (page.page.file for page in archived_pages(store.staging.read(path)))
