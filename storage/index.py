"""The index of what lies where, kept in the ledger and made again from the dataset where the ledger is behind it."""

from datetime import date
from typing import Final

from storage.merge import keys
from storage.partition import days, read
from storage.schema import ARTICLES_DATASET, REJECTIONS_DATASET, Dataset
from storage.store import Store

_INDEXED: Final = {dataset.name: dataset for dataset in (ARTICLES_DATASET, REJECTIONS_DATASET)}


def catch_up(store: Store) -> int:
    """Bring the index up to the dataset, and return how many partitions had to be read for that.

    A ledger that never indexed anything is new, or the old one was lost: then every partition is read, manifest or not.
    """
    if not store.ledger.is_indexed():
        return rebuild(store)
    behind = store.ledger.unknown_manifests(store.manifest.names())
    partitions = {
        (entry.dataset, entry.partition) for entry in store.manifest.entries(behind) if entry.dataset in _INDEXED
    }
    for name, day in sorted(partitions):
        _index(store, _INDEXED[name], day)
    store.ledger.record_manifests(behind)
    return len(partitions)


def rebuild(store: Store) -> int:
    """Note again what every partition of the dataset holds, and return how many were read."""
    names = store.manifest.names()
    partitions = [(dataset, day) for dataset in _INDEXED.values() for day in days(store.files, dataset)]
    for dataset, day in partitions:
        _index(store, dataset, day)
    store.ledger.record_manifests(names)
    store.ledger.mark_indexed()
    return len(partitions)


def _index(store: Store, dataset: Dataset, day: date) -> None:
    columns = [*dataset.key, *(["url"] if dataset is ARTICLES_DATASET else [])]
    table = read(store.files, dataset, day, columns).table
    found = keys(dataset, table).to_pylist()
    urls = dict(zip(table["url"].to_pylist(), found, strict=True)) if dataset is ARTICLES_DATASET else {}
    urls.pop(None, None)
    store.ledger.index(dataset.name, day, found, urls)
