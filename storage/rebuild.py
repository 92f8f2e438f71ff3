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
from storage.errors import DamagedFileError, SchemaVersionError
from storage.manifest import Entry
from storage.merge import keys, ordered
from storage.partition import days, guard, is_trusted, read
from storage.schema import (
    ARTICLE_STORIES_DATASET,
    ARTICLES_DATASET,
    DATASETS,
    FINGERPRINTS_DATASET,
    REJECTIONS_DATASET,
    SCHEMA_VERSION,
    Dataset,
)
from storage.store import Store

ASIDE: Final = "state/strays"
"""Where files go that have no place in a dataset: nobody but their owner can say that they are worth nothing."""


def rebuild(work: Work) -> None:
    """Do each step.

    `derive` a day, `record` a file, `accept` a changed one, put a `stray` aside, make the `index` again, drop `visits`.
    """
    for what, *names in work.chore.steps:
        _STEPS[what](work, *names)


def settle(work: Work) -> None:
    """Record what an attempt to publish derived rows had published when it died; they are made again anyway."""
    for name, day in work.chore.steps:
        work.press.settle(DATASETS[name], date.fromisoformat(day))


def _derive(work: Work, iso: str) -> None:
    day = date.fromisoformat(iso)
    with work.store.files.lock(guard(ARTICLES_DATASET, day)):
        articles = trusted_articles(work.store, day)
        if articles is None:
            return
        for dataset, derive in DERIVED:
            renew(work, dataset, day, derive(articles))
        _keep_known(work, FINGERPRINTS_DATASET, day, articles["article_id"])
    with work.store.files.lock(guard(ARTICLE_STORIES_DATASET, day)):
        _keep_known(work, ARTICLE_STORIES_DATASET, day, articles["article_id"])


def trusted_articles(store: Store, day: date) -> pa.Table | None:
    """Return the articles of a day if they can be believed: where they are lost, what tells of them stays."""
    try:
        stored = read(store.files, ARTICLES_DATASET, day)
    except (DamagedFileError, SchemaVersionError):
        return None
    return stored.table if is_trusted(ARTICLES_DATASET, day, stored, store.manifest.known()) else None


def renew(work: Work, dataset: Dataset, day: date, table: pa.Table) -> None:
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
    """Drop the rows that tell of no article; a file that cannot be believed stays, for the caller to make again."""
    try:
        partition = read(work.store.files, dataset, day)
    except DamagedFileError:
        return
    if not is_trusted(dataset, day, partition, work.store.manifest.known()):
        return
    stored = partition.table
    work.press.replace(dataset, day, stored.filter(pc.is_in(stored["article_id"], value_set=ids.combine_chunks())))


def _record(work: Work, name: str, iso: str) -> None:
    """Record a file of which the manifest knows nothing, if it can be one of its dataset."""
    dataset, day, known = DATASETS[name], date.fromisoformat(iso), work.store.manifest.known()
    if (name, day) in known.heads:
        return
    with suppress(DamagedFileError, SchemaVersionError), work.store.files.lock(guard(dataset, day)):
        if is_trusted(dataset, day, read(work.store.files, dataset, day), known):
            work.press.adopt(dataset, day)


def _accept(work: Work, name: str, iso: str) -> None:
    """Note in the manifest that a file it did not know took the place of the one it did: the operator has looked."""
    day, known = date.fromisoformat(iso), work.store.manifest.known()
    current = read(work.store.files, DATASETS[name], day).sha256
    lost = [sha256 for sha256 in known.heads.get((name, day), {}) if sha256 != current]
    for before, unheard in zip(lost, known.gaps.get((name, day), ()), strict=False):
        work.press.entries.append(
            Entry(
                dataset=name,
                partition=day,
                run=work.press.run,
                rows=0,
                size=0,
                sha256=unheard or "",
                previous=before,
                schema=SCHEMA_VERSION,
                first_key=None,
                last_key=None,
            )
        )


def _set_aside(work: Work, path: str) -> None:
    files = work.store.files
    if files.exists(path):
        files.publish(f"{ASIDE}/{path}", files.read(path))
        files.remove(path)


def _index(work: Work) -> None:
    with suppress(DamagedFileError):
        index.rebuild(work.store)
        for dataset in (ARTICLES_DATASET, REJECTIONS_DATASET):
            _drop_stale(work.store, dataset)


def _drop_stale(store: Store, dataset: Dataset) -> None:
    """Drop from the index what no partition holds any more.

    Rows of a file that is lost or cannot be believed keep their places: dropped, they would be taken in anew elsewhere.
    """
    placed, known = store.ledger.placed(dataset.name), store.manifest.known()
    found: set[str] = set()
    doubtful: set[date] = set()
    for day in {*days(store.files, dataset), *(day for name, day in known.heads if name == dataset.name)}:
        stored = read(store.files, dataset, day, [*dataset.key])
        found.update(keys(dataset, stored.table).to_pylist())
        if not is_trusted(dataset, day, stored, known):
            doubtful.add(day)
    store.ledger.displace(
        dataset.name, [key for key, day in placed.items() if key not in found and day not in doubtful]
    )


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
    "accept": _accept,
    "stray": _set_aside,
    "index": _index,
    "visits": _drop_visits,
}
