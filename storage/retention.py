"""Retention: what is old enough to be dropped, archive files whole, and rejections a day at a time.

A page that a row points to is evidence, and stays, unless its owner says that pages go whatever points to them. Then
the store remembers since when pages are kept, so that a row whose page was dropped is not called damaged.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from storage.chore import Steps, Work
from storage.errors import DamagedFileError
from storage.files import Files
from storage.merge import keys, without
from storage.pages import FOLDER as PAGES
from storage.partition import are_sound, days, guard, read
from storage.schema import ARTICLES_DATASET, REJECTIONS_DATASET
from storage.store import Store

_SINCE: Final = "state/pages-kept-since"


def kept_since(files: Files) -> date | None:
    """Return the day from which on the pages of rows are kept; None where all of them are."""
    try:
        return date.fromisoformat(files.read(_SINCE).decode())
    except FileNotFoundError:
        return None


def day_of(file: str) -> date | None:
    """Return the day an archive file was begun; None for one that is named otherwise.

    >>> day_of("2026/03/04/20260304T120000-ab12cd-00000.warc.gz")
    datetime.date(2026, 3, 4)
    """
    try:
        return date.fromisoformat("-".join(file.split("/")[:3]))
    except ValueError:
        return None


def was_dropped(file: str, since: date | None) -> bool:
    """Say whether an archive file that is not there was begun before the day from which on all are kept."""
    day = day_of(file)
    return since is not None and day is not None and day < since


def drop_pages(store: Store, before: date, *, of_rows: bool, needed: Collection[str]) -> int:
    """Drop the archive files that were begun before a day, and return how many.

    Files stay that are `needed`, and those that rows point to, unless `of_rows` says that these go too. A visit whose
    page is dropped forgets it, so that the next one asks for the page and not only whether it has changed. Killed in
    between, the same call does the rest. While rows that may point to some are damaged, none is dropped.
    """
    old = [file for file in store.pages.list() if (day := day_of(file)) is not None and day < before]
    try:
        kept = {*needed} if of_rows or not old else {*needed, *_pointed_to(store)}
    except DamagedFileError:  # nobody knows what its rows point to
        return 0
    dropped = [file for file in old if file not in kept]
    if dropped and of_rows:
        since = kept_since(store.files)
        store.files.publish(_SINCE, max(before, since or before).isoformat().encode())
    store.ledger.drop_pages(dropped)
    for file in dropped:
        store.files.remove(f"{PAGES}/{file}")
    return len(dropped)


def expired(store: Store, before: datetime) -> Steps:
    """Return the days that have rejections to drop, as steps: those whose cause has not changed since.

    An input that was asked for again since is still failing, and its rejection stays; so does a day that is damaged.
    """
    old = (day for day in days(store.files, REJECTIONS_DATASET) if day <= before.date())
    sound = (day for day in old if are_sound(store.files, [REJECTIONS_DATASET], day))
    expiring = [day for day in sound if _expired_on(store, day, before)]
    return tuple((REJECTIONS_DATASET.name, day.isoformat(), before.isoformat()) for day in expiring)


def expire(work: Work) -> int:
    """Drop the rejections that the steps mean, and return how many."""
    count = 0
    for _, name, moment in work.chore.steps:
        day, before = date.fromisoformat(name), datetime.fromisoformat(moment)
        with work.store.files.lock(guard(REJECTIONS_DATASET, day)):
            gone = _expired_on(work.store, day, before)
            stored = read(work.store.files, REJECTIONS_DATASET, day).table
            # In this order: once the rows are gone, nobody could say which keys are to be displaced.
            work.store.ledger.displace(REJECTIONS_DATASET.name, gone)
            work.press.replace(REJECTIONS_DATASET, day, without(REJECTIONS_DATASET, stored, gone))
        count += len(gone)
    return count


def _expired_on(store: Store, day: date, before: datetime) -> list[str]:
    table = read(store.files, REJECTIONS_DATASET, day, ["source", "input", "updated_at"]).table
    old = table.filter(pc.less(table["updated_at"], pa.scalar(before, table["updated_at"].type)))
    visits = store.ledger.visits(old["input"].to_pylist())
    named = zip(keys(REJECTIONS_DATASET, old).to_pylist(), old["input"].to_pylist(), strict=True)
    return [key for key, input_ in named if input_ not in visits or visits[input_].fetched_at < before]


def _pointed_to(store: Store) -> Iterable[str]:
    for dataset in (ARTICLES_DATASET, REJECTIONS_DATASET):
        for day in days(store.files, dataset):
            pages = read(store.files, dataset, day, ["page"]).table["page"].drop_null()
            yield from pc.unique(pc.struct_field(pages, "file")).to_pylist()
