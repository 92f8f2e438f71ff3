"""The note a commit leaves while it is under way, and the result it leaves when done.

Both lie below `state/commits/`. The note holds the commit's instant, so that a second attempt does what the first would
have done; the result answers a caller that died before it could use the answer.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import pyarrow as pa
import pyarrow.ipc

from storage.files import Files
from storage.staging import to_ipc

FOLDER: Final = "state/commits"
_NOTE: Final = ".json"
_RESULT: Final = ".arrow"
_ABOUT: Final = b"copydesk.commit"


@dataclass(frozen=True, slots=True)
class Intent:
    """A commit under way: `resumed` says that an earlier attempt died."""

    run: str
    now: datetime
    resumed: bool


@dataclass(frozen=True, slots=True)
class Result:
    """What a commit did, as it is kept for a caller that asks again."""

    outcomes: pa.Table
    refused_canonicals: int
    partitions: tuple[date, ...]


def begin(files: Files, run: str, now: datetime) -> Intent:
    """Note that a commit begins, or find the note of an attempt that died, and take over its instant."""
    found = _read_note(files, run)
    if found is not None:
        return found
    files.remove(_path(run, _RESULT))
    files.publish(_path(run, _NOTE), json.dumps({"run": run, "now": now.isoformat()}).encode())
    return Intent(run, now, resumed=False)


def keep(files: Files, run: str, staged: Sequence[str], result: Result) -> None:
    """Keep the result of a commit whose every file is in place."""
    about = {
        "staged": {path: _digest(files, path) for path in staged},
        "refused_canonicals": result.refused_canonicals,
        "partitions": [day.isoformat() for day in result.partitions],
    }
    table = result.outcomes.replace_schema_metadata({_ABOUT: json.dumps(about).encode()})
    files.publish(_path(run, _RESULT), to_ipc(table))


def end(files: Files, run: str) -> None:
    """Take away the note of a commit whose result is kept."""
    files.remove(_path(run, _NOTE))


def recall(files: Files, run: str, staged: Sequence[str]) -> Result | None:
    """Return the result of a commit of these very batches, or of what is left of them, that was done already."""
    try:
        table = pa.ipc.open_file(pa.BufferReader(files.read(_path(run, _RESULT)))).read_all()
    except FileNotFoundError:
        return None
    about = json.loads(table.schema.metadata[_ABOUT])
    if {*staged} != {*about["staged"]}:
        return None
    if any(files.exists(path) and _digest(files, path) != known for path, known in about["staged"].items()):
        return None
    days = tuple(date.fromisoformat(day) for day in about["partitions"])
    return Result(table.replace_schema_metadata(None), about["refused_canonicals"], days)


def forget(files: Files, runs: Iterable[str]) -> None:
    """Drop the results of all runs but these."""
    kept = set(runs)
    for path in files.list(FOLDER):
        if path.endswith(_RESULT) and _run_of(path) not in kept:
            files.remove(path)


def noted(files: Files) -> set[str]:
    """Return the runs whose commit has begun and not ended."""
    return {_run_of(path) for path in files.list(FOLDER) if path.endswith(_NOTE)}


def _read_note(files: Files, run: str) -> Intent | None:
    try:
        note = json.loads(files.read(_path(run, _NOTE)))
    except FileNotFoundError:
        return None
    return Intent(note["run"], datetime.fromisoformat(note["now"]), resumed=True)


def _digest(files: Files, path: str) -> str:
    return hashlib.sha256(files.read(path)).hexdigest()


def _path(run: str, suffix: str) -> str:
    return f"{FOLDER}/{run}{suffix}"


def _run_of(path: str) -> str:
    return path.removeprefix(f"{FOLDER}/").rpartition(".")[0]
