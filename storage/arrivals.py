"""Pages that have arrived in the archive: their visits are recorded with them, or found again where a process died.

An archive file becomes visible in one step, and its visits in another. A note below `state/arrivals/` holds the visits
until both are done; without it, pages would lie in the archive that nobody knows of, and be fetched again.
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


def adopt(store: Store) -> int:
    """Record the visits of archive files whose process died before it could, and return how many there were.

    A note whose file never appeared is dropped: its pages are not there. Newer visits stand.
    """
    adopted = 0
    for note in store.files.list(FOLDER):
        told = json.loads(store.files.read(note))
        if store.files.exists(f"{PAGES}/{told['file']}"):
            visits = [_visit(each) for each in told["visits"]]
            known = store.ledger.visits(visit.url for visit in visits)
            new = [each for each in visits if each.url not in known or known[each.url].fetched_at < each.fetched_at]
            store.ledger.record_visits(new)
            adopted += len(new)
        store.files.remove(note)
    return adopted


def _visit(told: dict[str, str]) -> Visit:
    instants = {name: datetime.fromisoformat(told[name]) for name in _INSTANTS if told[name] is not None}
    return Visit(**told | instants)  # type: ignore[arg-type]
