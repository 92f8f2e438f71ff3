"""Lifting partitions of older versions to today's schema, one file at a time."""

from dataclasses import dataclass
from datetime import date

from storage.chore import Steps, Work
from storage.partition import days, guard, read, schema_of
from storage.schema import DATASETS, added_since
from storage.store import Store


@dataclass(frozen=True, slots=True)
class Migrated:
    """The partitions that were lifted, as names of datasets and days."""

    partitions: tuple[tuple[str, date], ...]


def outdated(store: Store) -> Steps:
    """Return the partitions whose version lacks columns of today; a version that nobody knows is refused."""
    return tuple(
        (dataset.name, day.isoformat())
        for dataset in DATASETS.values()
        for day in days(store.files, dataset)
        if added_since(dataset, schema_of(store.files, dataset, day))
    )


def lift(work: Work) -> Migrated:
    """Write these partitions again with today's columns; what was not known then is null."""
    lifted = []
    for name, iso in work.chore.steps:
        dataset, day = DATASETS[name], date.fromisoformat(iso)
        with work.store.files.lock(guard(dataset, day)):
            stored = read(work.store.files, dataset, day)
            if stored.sha256 is not None and added_since(dataset, stored.schema):
                work.press.publish(dataset, day, stored.table, stored)
            else:
                work.press.settle(dataset, day)
        lifted.append((name, day))
    return Migrated(tuple(lifted))
