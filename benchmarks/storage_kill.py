"""Kill the writer of a store with SIGKILL at random moments, and look at what readers, a next run and `verify` find.

    PYTHONPATH=. python benchmarks/storage_kill.py [--kills 200] [--seed 1] [--data DIR]

After each death: every file reads from end to end, and shows each article as it was before the run that died or as
that run made it, once (an article on its way to another day may be seen twice). Then the next process completes what
was begun; after that the dataset holds exactly what the runs said, and `verify` finds nothing. Prints a line of JSON
with the counts; the exit code is 1 where anything was wrong.
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa

from storage import read
from storage.arrivals import adopt, jot, keep
from storage.chore import noted
from storage.commit import commit
from storage.records import Visit
from storage.schema import STAGED_ARTICLES
from storage.store import Store
from storage.upkeep import move_corrected
from storage.verify import verify

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
ARTICLES, AT_A_TIME, DAYS = 300, 30, 5
MOVES_EVERY = 3
PRELOADED = ["storage.upkeep", "storage.commit", "storage.verify", "storage.read", "storage.arrivals"]
CONTEXT = multiprocessing.get_context("forkserver")

State = dict[str, tuple[str, datetime]]


def said_by(run: int) -> State:
    """Return what a run says: the text and the date of some articles."""
    chance = Random(run)
    names = chance.sample(range(ARTICLES), AT_A_TIME)
    days = (number if chance.random() < 0.9 else number + 1 for number in names)
    return {
        f"article-{name:03}": (f"Said by run {run}.", START + timedelta(days=day % DAYS))
        for name, day in zip(names, days, strict=True)
    }


def expected(runs: int) -> State:
    """Return what a dataset holds after so many runs."""
    state: State = {}
    for run in range(runs):
        state |= said_by(run)
    return state


def row(number: int, name: str, text: str, published_at: datetime, run: int, page: tuple[str, int]) -> dict[str, Any]:
    """Return a staged article; columns that say nothing here are empty."""
    url, fetched_at = f"https://news.example/{name}", START + timedelta(minutes=run)
    known = {
        "article_id": name, "fallback_id": name, "source": "example", "input": url, "url": url, "title": name,
        "text": text, "published_at": published_at, "published_precision": "instant", "fetched_at": fetched_at,
        "page": {"file": page[0], "offset": page[1], "sha256": "00"}, "number": number, "fingerprint": b"0",
        "topics": [{"id": "medtop:01000000", "label": "arts", "score": 0.5, "evidence": []}],
    }  # fmt: skip
    return {field.name: known[field.name] if field.name in known else empty(field) for field in STAGED_ARTICLES}


def empty(field: pa.Field) -> Any:
    """Return the value that says nothing, of a column's type."""
    if field.nullable:
        return None
    if pa.types.is_list(field.type):
        return []
    if pa.types.is_struct(field.type):
        return {}
    if pa.types.is_boolean(field.type):
        return False
    return "" if pa.types.is_string(field.type) else 0


def work(root: Path, done: Path, stop_after: int) -> None:
    """Do one run after the other, beginning with the first that is not done."""
    with Store.open(root) as store:
        for run in range(runs_done(done), stop_after):
            do_run(store, run)
            done.write_text(str(run + 1))


def do_run(store: Store, run: int) -> None:
    """Archive pages, stage them, commit them; now and then move what was redated."""
    name, now = f"run-{run}", START + timedelta(minutes=run)
    adopt(store)
    staged = store.staging.runs().get(name, ())
    if not staged:
        said = said_by(run)
        writer = store.pages.writer(name, now.date())
        pages, visits = {}, []
        for each in said:
            url = f"https://news.example/{each}"
            file, offset = pages[each] = writer.write_response(url, now, 200, "OK", [], each.encode())
            visit = Visit(
                url=url, source="example", input=url, fetched_at=now, outcome="archived",
                page_file=file, page_offset=offset,
            )  # fmt: skip
            jot(writer, visit)
            visits.append(visit)
        keep(store, writer, visits)
        rows = [row(number, each, *said[each], run, pages[each]) for number, each in enumerate(said)]
        staged = (store.staging.write(name, "batch", "articles", pa.Table.from_pylist(rows, STAGED_ARTICLES)),)
    commit(store, staged, run=name, now=now)
    store.staging.remove(staged)
    if run % MOVES_EVERY == MOVES_EVERY - 1:
        move_corrected(store, now)


def runs_done(done: Path) -> int:
    """Return how many runs are done."""
    return int(done.read_text() or 0) if done.exists() else 0


def start(root: Path, done: Path, stop_after: int) -> BaseProcess:
    """Start a writer in a process of its own."""
    process = CONTEXT.Process(target=work, args=(root, done, stop_after))
    process.start()
    return process


def seen_after_death(root: Path, done: int) -> list[str]:
    """Return what is wrong with what readers see of a store whose writer has just died."""
    table = read.articles(root)
    count = read.connect(root).execute("SELECT count(*) FROM articles").fetchone()[0]
    before, after = expected(done), expected(done + 1)
    rows = list(zip(*(table[name].to_pylist() for name in ("article_id", "text", "published_at")), strict=True))
    times = Counter(article_id for article_id, _, _ in rows)
    moving = {article_id for article_id, more in times.items() if more > 1}
    wrong = [f"{name} is lost" for name in before.keys() - times.keys()]
    wrong += [f"{name} is {said}" for name, *said in rows if tuple(said) not in (before.get(name), after.get(name))]
    if count != table.num_rows:
        wrong.append(f"DuckDB sees {count} rows, and Arrow {table.num_rows}")
    if moving:
        with Store.open(root) as store:
            on_their_way = {step[0] for chore in noted(store.files) if chore.kind == "move" for step in chore.steps}
        wrong += [f"{name} is there {times[name]} times" for name in moving - on_their_way]
    return wrong


def seen_after_completion(root: Path, runs: int) -> list[str]:
    """Return what is wrong with a store whose runs are all done."""
    table = read.articles(root)
    rows = zip(*(table[name].to_pylist() for name in ("article_id", "text", "published_at")), strict=True)
    found = {name: tuple(said) for name, *said in rows}
    wrong = [] if found == expected(runs) and len(found) == table.num_rows else ["the dataset is not what was said"]
    with Store.open(root) as store:
        return wrong + [f"{each.path}: {each.detail}" for each in verify(store).findings]


def main() -> int:
    """Kill, look, complete, look; so many times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=Path, help="folder to work in; a temporary one by default")
    arguments = parser.parse_args()
    CONTEXT.set_forkserver_preload(PRELOADED)
    with tempfile.TemporaryDirectory(dir=arguments.data) as folder:
        root, done = Path(folder) / "data", Path(folder) / "done"
        Store.open(root).close()
        chance, began = Random(arguments.seed), time.monotonic()
        wrong: list[str] = []
        for _ in range(arguments.kills):
            process = start(root, done, sys.maxsize)
            process.join(chance.uniform(0.1, 1.2))
            process.kill()
            process.join()
            runs = runs_done(done)
            wrong += seen_after_death(root, runs)
            process = start(root, done, runs + 1)
            process.join()
            wrong += [f"the next process ended with {process.exitcode}"] if process.exitcode else []
            wrong += seen_after_completion(root, runs + 1)
        told = {"kills": arguments.kills, "runs": runs_done(done), "wrong": wrong[:20], "wrong_in_all": len(wrong)}
        print(json.dumps(told | {"seconds": round(time.monotonic() - began, 1)}))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
