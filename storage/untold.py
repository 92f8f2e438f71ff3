"""Days whose stories have still to be told: noted before what a run staged is removed, and gone once they are told.

So no death between the articles and their stories loses any: whoever tells stories next tells these too.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Final

from storage.files import Files
from storage.staging import checked_name

FOLDER: Final = "state/untold"
LOCK: Final = "stories"
"""Whoever tells stories or reads the notes holds the lock of this name."""


def note(files: Files, run: str, days: Collection[date]) -> None:
    """Note the days that a run has changed."""
    if days:
        content = json.dumps([day.isoformat() for day in sorted(days)])
        files.publish(f"{FOLDER}/{checked_name(run)}.json", content.encode())


def noted(files: Files) -> Mapping[str, tuple[date, ...]]:
    """Return the days of each run that are noted."""
    found = {path.rpartition("/")[2].removesuffix(".json"): path for path in files.list(FOLDER)}
    return {run: tuple(map(date.fromisoformat, json.loads(files.read(path)))) for run, path in sorted(found.items())}


def settle(files: Files, runs: Iterable[str]) -> None:
    """Forget the notes of some runs: the stories of their days are told."""
    for run in runs:
        files.remove(f"{FOLDER}/{run}.json")
