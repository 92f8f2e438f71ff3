"""Pages that have arrived in the archive: their visits are recorded with them, or found again where a process died.

While an archive file grows, each visit is noted beside it (`jot`). The file becomes visible in one step, and its
visits in another (`keep`): the notes stay until both are done. Without them, pages would lie on the disk that nobody
knows of, and be fetched again.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from storage.errors import StoreError
from storage.pages import PageWriter
from storage.records import Visit, values_of
from storage.store import Store

_INSTANTS: Final = ("fetched_at", "next_visit")
_ENCODER: Final = json.JSONEncoder(default=datetime.isoformat)  # one for all: `json.dumps` would set one up each time


def jot(writer: PageWriter, visit: Visit) -> None:
    """Note a visit whose page has just been written, so that it is known although its file is not whole yet."""
    told = {"size": writer.size, "visit": values_of(visit)}
    writer.tell(_ENCODER.encode(told).encode())


def keep(store: Store, writer: PageWriter | None, visits: Sequence[Visit]) -> None:
    """Publish what a writer wrote, and record these visits; killed in between, `adopt` records those jotted down."""
    if writer is not None:
        writer.close()
    store.ledger.record_visits(visits)
    if writer is not None:
        writer.forget()


def adopt(store: Store) -> int:
    """Record the visits of archive files whose process died before it could, and return how many there were.

    A file that was still being written becomes one that is whole, with the pages it has. Newer visits stand.
    """
    abandoned = sum(_adopt_abandoned(store, *each) for each in store.pages.abandoned())
    return abandoned + sum(_adopt_published(store, *each) for each in store.pages.unforgotten())


def _adopt_abandoned(store: Store, writer: PageWriter, lines: list[bytes]) -> int:
    """Keep what was jotted down. A file of which nothing was is dropped: what it holds is read again from disk."""
    visits = [visit for size, visit in map(_jotted, lines) if visit is not None and size <= writer.size]
    if not visits:
        writer.discard()
        return 0
    new = _new(store, visits)
    keep(store, writer, new)
    return len(new)


def _adopt_published(store: Store, file: str, lines: list[bytes]) -> int:
    """Record what was jotted down of a file that is whole, as far as its pages can be read."""
    visits = [visit for _, visit in map(_jotted, lines) if visit is not None and _is_kept(store, visit)]
    new = _new(store, visits)
    store.ledger.record_visits(new)
    store.pages.forget(file)
    return len(new)


def _is_kept(store: Store, visit: Visit) -> bool:
    try:
        store.pages.original(visit.page_file or "", visit.page_offset or 0)
    except StoreError:
        return False
    return True


def _jotted(line: bytes) -> tuple[int, Visit | None]:
    """Return the size that a file had with a visit's page in it, and the visit; None for a line the disk has lost."""
    try:
        told = json.loads(line)
        return told["size"], _visit(told["visit"])
    except (ValueError, LookupError, TypeError):
        return 0, None


def _new(store: Store, visits: Sequence[Visit]) -> list[Visit]:
    known = store.ledger.visits(visit.url for visit in visits)
    return [each for each in visits if each.url not in known or known[each.url].fetched_at < each.fetched_at]


def _visit(told: dict[str, str]) -> Visit:
    instants = {name: datetime.fromisoformat(told[name]) for name in _INSTANTS if told[name] is not None}
    return Visit(**told | instants)  # type: ignore[arg-type]
