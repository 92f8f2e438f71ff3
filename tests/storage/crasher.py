"""Commits a run again and again, dying one step later each time, and prints what a second call makes of it.

A program of its own, because it forks: `PYTHONPATH=. python tests/storage/crasher.py FOLDER`.
"""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from storage import read
from storage.commit import Committed, commit
from storage.schema import DATASETS
from storage.store import Store
from tests.storage.conftest import NOON, Desk, article, rejection
from tests.storage.dying import die_at

DIED = 9
NOW = NOON + timedelta(days=1)
TIMED = {"first_seen_at", "updated_at"}
ALL = tuple(DATASETS.values())
FEBRUARY = datetime(2026, 2, 7, 12, tzinfo=UTC)


def main(folder: Path) -> None:
    """Try every step."""
    os.fsync = lambda _: None  # a process dies here, not the machine
    template = folder / "template"
    prepare(template)
    step, died = 0, True
    while died:
        root = folder / f"step-{step}"
        shutil.copytree(template, root)
        died = in_child(lambda root=root, step=step: attempt(root, step)) == DIED
        finish(root, died)
        shutil.rmtree(root)
        step += 1


def in_child(act: Callable[[], None]) -> int:
    """Run in a process of its own, which may die, and return its exit code."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            act()
            code = 0
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code not in (0, DIED):
        sys.exit(f"a step failed with exit code {code}")
    return code


def prepare(root: Path) -> None:
    """Make a store with some history, and stage a run that needs every part of a commit."""
    desk = Desk(root)
    desk.commit(
        [article("kept"), article("changed"), article("versions"), article("old", published_at=FEBRUARY)],
        [rejection("healed"), rejection("fails-still")],
    )
    claim = {"article_id": "home", "canonical_url": "https://news.example/home"}
    rows = [
        article("kept"),
        article("changed", title="Another", topics=[], number=1),
        article("old", text="Another.", number=2),
        article("old", number=3),
        article("claims-1", fallback_id="claims-1", number=4, **claim),
        article("claims-2", fallback_id="claims-2", number=5, published_at=FEBRUARY, **claim),
    ]
    desk.stage("killed", rows[:3], [rejection("fails-still", number=6)], key="batch-1")
    desk.stage("killed", rows[3:], [rejection("fails-too", number=7)], key="batch-2")
    desk.store.close()


def attempt(root: Path, step: int) -> None:
    """Commit, and die at a step."""
    with Store.open(root) as store:
        staged = store.staging.runs()["killed"]
        die_at(step, setattr, lambda: os._exit(DIED))
        commit(store, staged, run="killed", now=NOW)


def finish(root: Path, died: bool) -> None:
    """Look at what is there, call again, and say what came of it."""
    is_noted = (root / "state" / "commits" / "killed.json").exists()
    unreadable = [str(path) for path in sorted(root.rglob("*.parquet")) if not is_whole(path)]
    with Store.open(root) as store:
        staged = store.staging.runs()["killed"]
        answer = commit(store, staged, run="killed", now=NOW + timedelta(hours=1))
        store.staging.remove(staged)
        known = {entry.sha256 for entry in store.manifest.entries(store.manifest.names())}
    digests = {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*.parquet"))
    }
    told = {
        "died": died,
        "noted": is_noted,
        "unreadable": unreadable,
        "answer": said(answer),
        "rows": counted_rows(root),
        "files": digests,
        "unknown_to_manifest": [path for path, digest in digests.items() if digest not in known],
        "strays": strays(root),
    }
    print(json.dumps(told))  # noqa: T201


def is_whole(path: Path) -> bool:
    """Say whether a Parquet file reads from end to end."""
    return pq.ParquetFile(path, page_checksum_verification=True).read().num_rows >= 0


def counted_rows(root: Path) -> dict[str, str]:
    """Return the rows of every dataset as far as they count."""
    tables = {dataset: read.table(dataset, root).drop_columns([*TIMED & {*dataset.schema.names}]) for dataset in ALL}
    return {dataset.name: str(table.to_pylist()) for dataset, table in tables.items()}


def said(committed: Committed) -> dict[str, Any]:
    """Return the answer of a commit as JSON has it."""
    return {
        "counts": committed.counts,
        "outcomes": str(committed.outcomes.to_pylist()),
        "refused": committed.refused_canonicals,
        "partitions": str(committed.partitions),
    }


def strays(root: Path) -> list[str]:
    """Return files that should not have outlived the commit."""
    state = root / "state"
    left = [*state.glob("tmp/*"), *state.glob("staging/*"), *state.glob("commits/*.json"), *state.glob("locks/a*")]
    return [str(path) for path in left]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
