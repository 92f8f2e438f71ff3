"""What happens to datasets: files that are lost, rows that grow old, archives that rot."""

from datetime import date

import pyarrow as pa

from storage.partition import encode, read
from storage.records import FileVisit, Visit
from storage.schema import ARTICLES_DATASET
from storage.store import Store


def remove_day(store: Store, day: date) -> None:
    """Lose a day's file."""
    store.files.remove(ARTICLES_DATASET.path(day))


def make_stale(store: Store, day: date) -> None:
    """Let a day's rows be of an older rule book."""
    table = read(store.files, ARTICLES_DATASET, day).table
    made_by = [{**row, "rules": "of old"} for row in table["versions"].to_pylist()]
    place = table.schema.get_field_index("versions")
    field = table.schema.field(place)
    aged = table.set_column(place, field, pa.array(made_by, field.type))
    store.files.publish(ARTICLES_DATASET.path(day), encode(ARTICLES_DATASET, aged))


def damage_archived(store: Store, day: date, pages: int | None = None) -> None:
    """Spoil the archive's records of a day's articles, all or some of them."""
    ids = sorted(store.ledger.placed_on(ARTICLES_DATASET.name, day))
    visits: list[Visit | FileVisit] = [*store.ledger.visits_of(ids), *store.ledger.file_visits_of(ids)]
    for visit in sorted(visits, key=lambda visit: visit.input)[:pages]:
        path = f"pages/{visit.page_file}"
        content = bytearray(store.files.read(path))
        start = (visit.page_offset or 0) + 30
        content[start : start + 40] = bytes(40)
        store.files.publish(path, bytes(content))
