"""Pages that have arrived in the archive: their visits are recorded with them, or found again where a process died.

While an archive file grows, each visit is noted beside it (`jot`). The file becomes visible in one step, and its
visits in another (`keep`): a note below `state/arrivals/` holds them until both are done. Without these, pages would
lie on the disk that nobody knows of, and be fetched again.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from storage.pages import FOLDER as PAGES
from storage.pages import PageWriter
from storage.records import Visit, values_of
from storage.store import Store

FOLDER: Final = "state/arrivals"
_INSTANTS: Final = ("fetched_at", "next_visit")


def keep(store: Store, writer: PageWriter | None, visits: Sequence[Visit]) -> None:
    """Publish what a writer wrote, and record these visits; killed in between, `adopt` does the rest."""
    if writer is None or not writer.records:
        store.ledger.record_visits(visits)
        if writer is not None:
            writer.close()
        return
    note = f"{FOLDER}/{writer.file.replace('/', '~')}.json"
    told = {"file": writer.file, "visits": [values_of(visit) for visit in visits]}
    store.files.publish(note, json.dumps(told, default=datetime.isoformat).encode())
    writer.close()
    store.ledger.record_visits(visits)
    store.files.remove(note)


def jot(writer: PageWriter, visit: Visit) -> None:
    """Note a visit whose page has just been written, so that it is known although its file is not whole yet."""
    told = {"size": writer.size, "visit": values_of(visit)}
    writer.tell(json.dumps(told, default=datetime.isoformat).encode())


def adopt(store: Store) -> int:
    """Record the visits of archive files whose process died before it could, and return how many there were.

    A file that was still being written becomes one that is whole, with the pages it has. Newer visits stand.
    """
    return _adopt_kept(store) + sum(_adopt_abandoned(store, *each) for each in store.pages.abandoned())


def _adopt_kept(store: Store) -> int:
    """Record what `keep` has noted. A note whose file never appeared is dropped: its pages are not there."""
    adopted = 0
    for note in store.files.list(FOLDER):
        told = json.loads(store.files.read(note))
        if store.files.exists(f"{PAGES}/{told['file']}"):
            new = _new(store, [_visit(each) for each in told["visits"]])
            store.ledger.record_visits(new)
            adopted += len(new)
        store.files.remove(note)
    return adopted


def _adopt_abandoned(store: Store, writer: PageWriter, lines: list[bytes]) -> int:
    """Keep what was jotted down. A file of which nothing was is dropped: what it holds is read again from disk."""
    visits = [visit for size, visit in map(_jotted, lines) if visit is not None and size <= writer.size]
    if not visits:
        writer.discard()
        return 0
    new = _new(store, visits)
    keep(store, writer, new)
    return len(new)


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
