"""Making again what follows from something else: derived tables, the index, notes that a dead process did not write."""

from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from storage import index
from storage.chore import Work
from storage.derived import DERIVED
from storage.errors import DamagedFileError
from storage.merge import ordered
from storage.partition import guard, read
from storage.schema import ARTICLE_STORIES_DATASET, ARTICLES_DATASET, DATASETS, FINGERPRINTS_DATASET, Dataset

ASIDE: Final = "state/strays"
"""Where files go that have no place in a dataset: nobody but their owner can say that they are worth nothing."""


def rebuild(work: Work) -> None:
    """Do each step: `derive` a day, `record` a file, put a `stray` aside, make the `index` again, drop `visits`."""
    for what, *names in work.chore.steps:
        _STEPS[what](work, *names)


def settle(work: Work) -> None:
    """Record what an attempt to publish derived rows had published when it died; they are made again anyway."""
    for name, day in work.chore.steps:
        work.press.settle(DATASETS[name], date.fromisoformat(day))


def _derive(work: Work, iso: str) -> None:
    day = date.fromisoformat(iso)
    with work.store.files.lock(guard(ARTICLES_DATASET, day)):
        articles = read(work.store.files, ARTICLES_DATASET, day).table
        for dataset, derive in DERIVED:
            _renew(work, dataset, day, derive(articles))
        _keep_known(work, FINGERPRINTS_DATASET, day, articles["article_id"])
    with work.store.files.lock(guard(ARTICLE_STORIES_DATASET, day)):
        _keep_known(work, ARTICLE_STORIES_DATASET, day, articles["article_id"])


def _renew(work: Work, dataset: Dataset, day: date, table: pa.Table) -> None:
    """Put these rows in place, unless the file is the one that was published last and holds them already."""
    head = work.store.manifest.known().head(dataset.name, day)
    table = ordered(dataset, table)
    try:
        stored = read(work.store.files, dataset, day)
    except DamagedFileError:
        work.store.files.remove(dataset.path(day))
        stored = read(work.store.files, dataset, day)
    if stored.sha256 != head or not stored.table.equals(table):
        work.press.publish(dataset, day, table, replace(stored, sha256=head))


def _keep_known(work: Work, dataset: Dataset, day: date, ids: pa.ChunkedArray) -> None:
    try:
        stored = read(work.store.files, dataset, day).table
    except DamagedFileError:
        return
    work.press.replace(dataset, day, stored.filter(pc.is_in(stored["article_id"], value_set=ids.combine_chunks())))


def _record(work: Work, name: str, iso: str) -> None:
    work.press.adopt(DATASETS[name], date.fromisoformat(iso))


def _set_aside(work: Work, path: str) -> None:
    files = work.store.files
    if files.exists(path):
        files.publish(f"{ASIDE}/{path}", files.read(path))
        files.remove(path)


def _index(work: Work) -> None:
    # Rows of a file that cannot be read keep their places: dropped, they would be taken in anew elsewhere.
    with suppress(DamagedFileError):
        index.rebuild(work.store)
        index.drop_stale(work.store)


def _drop_visits(work: Work) -> None:
    """Forget the visits whose page is not kept, so that it is fetched again; what became of the page is not touched."""
    store = work.store
    wanted: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for url, file, offset in store.ledger.archived():
        wanted[file].append((url, offset))
    for file, visits in wanted.items():
        kept = {record.offset for record in store.pages.records(file)} if file in store.pages.list() else set()
        store.ledger.drop_visits(url for url, offset in visits if offset not in kept)


_STEPS: Final[dict[str, Callable[..., None]]] = {
    "derive": _derive,
    "record": _record,
    "stray": _set_aside,
    "index": _index,
    "visits": _drop_visits,
}
