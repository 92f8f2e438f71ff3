"""Publishes a run and tells its stories again and again, dying one step later each time, and prints what comes of it.

A program of its own, because it forks: `PYTHONPATH=. python tests/pipeline/story_crasher.py publish|remake FOLDER`.
"""

import json
import os
import random
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from storage import read
from storage.store import Place, Store
from storage.verify import verify
from tasks.fingerprint import fingerprint
from tasks.housekeeping import fingerprint_anew
from tasks.job import Job
from tasks.publish import finish_interrupted, publish_run, tell_stories
from tests.conftest import job_of
from tests.storage.conftest import Desk, Row, article
from tests.storage.crasher import DIED, in_child
from tests.storage.dying import die_at

MARCH_1: Final = datetime(2026, 3, 1, 8, tzinfo=UTC)
NOW: Final = MARCH_1 + timedelta(days=40)
WORDS: Final = (
    "river",
    "bridge",
    "market",
    "school",
    "old",
    "narrow",
    "opened",
    "crossed",
    "near",
    "while",
    "the",
    "a",
)
NO_SKETCH: Final = fingerprint("")


def prose(seed: int) -> str:
    """Return a text of its own for each seed."""
    return " ".join(random.Random(seed).choices(WORDS, k=200))


RIVER, SCHOOL, MARKET = prose(1), prose(2), prose(3)


@dataclass(frozen=True, slots=True)
class Work:
    """Something that may be cut short: a store before it, the work itself, and who comes next."""

    prepare: Callable[[Path], None]
    do: Callable[[Job], object]
    then: Callable[[Job], object]


def main(work: Work, folder: Path) -> None:
    """Try every step."""
    os.fsync = lambda _: None  # a process dies here, not the machine
    template = folder / "template"
    work.prepare(template)
    step, died = 0, True
    while died:
        root = folder / f"step-{step}"
        shutil.copytree(template, root)
        died = in_child(lambda root=root, step=step: attempt(work, root, step)) == DIED
        work.then(job_of(root, "next", started_at=NOW, clock=lambda: NOW))
        print(json.dumps({"died": died, **told(root)}))  # noqa: T201
        shutil.rmtree(root)
        step += 1


def attempt(work: Work, root: Path, step: int) -> None:
    """Work, and die at a step."""
    with Store.open(root) as store, store.files.lock("run-killed"):
        die_at(step, setattr, lambda: os._exit(DIED))
        work.do(job_of(root, "killed", started_at=NOW, clock=lambda: NOW))


def telling(name: str, text: str, day: int) -> Row:
    """Return a staged article of a day, with its true fingerprint."""
    published_at = MARCH_1 + timedelta(days=day)
    return article(name, text=text, published_at=published_at, fingerprint=fingerprint(text), artifacts=[], page=None)


HISTORY: Final = (
    ("river-cut", RIVER[:600], 5),
    ("river-again", RIVER, 20),
    ("school", SCHOOL, 3),
    ("other", MARKET, 21),
)


def stage_a_late_original(root: Path) -> None:
    """Make a store, and stage a run that changes stories on days where it publishes nothing."""
    desk = Desk(root)
    committed = desk.commit([telling(*each) for each in HISTORY])
    tell_stories(Place(root=str(root)), committed.partitions, run="history", now=NOW)
    late = [telling("river-first", RIVER, 1), telling("other", SCHOOL, 21)]
    desk.stage("killed", [row | {"number": number} for number, row in enumerate(late)])
    desk.store.close()


def keep_no_fingerprints(root: Path) -> None:
    """Make a store whose fingerprints are of no use."""
    desk = Desk(root)
    committed = desk.commit([telling(*each) | {"fingerprint": NO_SKETCH} for each in HISTORY])
    tell_stories(Place(root=str(root)), committed.partitions, run="history", now=NOW)
    desk.store.close()


def publish(at_work: Job) -> None:
    """Do what ends a run."""
    tell_stories(at_work.place, publish_run(at_work).days, run=at_work.run, now=at_work.started_at)


def remake(at_work: Job) -> None:
    """Do what `copydesk reprocess --only fingerprints` does."""
    finish_interrupted(at_work)
    fingerprint_anew(at_work.place, None, None, run=at_work.run, now=at_work.started_at)


WORKS: Final = {
    "publish": Work(stage_a_late_original, publish, finish_interrupted),
    "remake": Work(keep_no_fingerprints, remake, remake),
}


def told(root: Path) -> dict[str, Any]:
    """Return the stories and fingerprints, and what is wrong or left over."""
    with Store.open(root) as store:
        findings = [f"{each.path}: {each.detail}" for each in verify(store, pages=False).findings]
    return {
        "stories": {row["article_id"]: row["duplicate_of"] for row in read.article_stories(root).to_pylist()},
        "fingerprints": str(read.fingerprints(root).sort_by("article_id").to_pylist()),
        "findings": findings,
        "left": [path.name for path in root.glob("state/untold/*")],
    }


if __name__ == "__main__":
    main(WORKS[sys.argv[1]], Path(sys.argv[2]))
