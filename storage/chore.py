"""Housekeeping that changes a dataset, noted before it begins: whoever comes next completes what a death cut short.

A note below `state/chores/` names every step, and is removed when all are done and recorded. Steps are done again with
the same result. One chore is under way at a time; commits go on beside it, held up a partition at a time.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias, TypeVar

from storage.files import Files
from storage.manifest import commit_name
from storage.partition import Press
from storage.store import Store

FOLDER: Final = "state/chores"
LOCK: Final = "upkeep"

Steps: TypeAlias = tuple[tuple[str, ...], ...]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chore:
    """Something to be done to a store: `kind` says what, `steps` to which parts of it."""

    kind: str
    now: datetime
    steps: Steps

    @property
    def name(self) -> str:
        """The name under which the manifest records it."""
        return commit_name(self.now, self.kind)


@dataclass(frozen=True, slots=True)
class Work:
    """A chore being done, and the press that notes what it publishes."""

    store: Store
    press: Press
    chore: Chore


def perform(store: Store, chore: Chore, do: Callable[[Work], T], *, resumed: bool = False) -> T:
    """Do a chore under a note, and record what it published; `resumed` says that an earlier attempt died."""
    if not chore.steps:
        return do(Work(store, Press(store.files, chore.name), chore))
    path = f"{FOLDER}/{chore.name}.json"
    if not resumed:
        note = {"kind": chore.kind, "now": chore.now.isoformat(), "steps": chore.steps}
        store.files.publish(path, json.dumps(note).encode())
    known = store.manifest.known() if resumed else None
    press = Press(store.files, chore.name, store.manifest.of(chore.name), known)
    done = do(Work(store, press, chore))
    record(store, chore.name, press)
    store.files.remove(path)
    return done


def record(store: Store, name: str, press: Press) -> None:
    """Note in the manifest, and in the ledger, what was published."""
    if press.entries:
        store.manifest.record(name, press.entries)
        store.ledger.record_manifests([name])


def noted(files: Files) -> list[Chore]:
    """Return the chores under way, the oldest first."""
    notes = [json.loads(files.read(path)) for path in files.list(FOLDER) if path.endswith(".json")]
    return [
        Chore(
            kind=note["kind"],
            now=datetime.fromisoformat(note["now"]),
            steps=tuple(tuple(step) for step in note["steps"]),
        )
        for note in notes
    ]
