"""Let several processes upsert into the same partitions while readers look on, and say whether every count was right.

    python -m benchmarks.storage_writers --on s3 --writers 4 --upserts 50 --days 3 [--kills 20] [--seed 1]

`--on disk` keeps the store in a folder, `--on s3` on a SeaweedFS of its own. Every upsert adds the same number of
articles to each day and changes one that all writers share, so a reader can tell a wrong count from a right one. With
`--kills`, writers are killed (SIGKILL) at random moments and started again. Exit code 1 where a count was wrong.
"""

import argparse
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, Final

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from storage import read
from storage.commit import commit
from storage.lease import SECONDS
from storage.ledger import Ledger
from storage.manifest import Manifest
from storage.objects import S3Files
from storage.pages import Pages
from storage.schema import STAGED_ARTICLES
from storage.staging import Staging
from storage.store import Store
from tests.storage.conftest import article
from tests.storage.seaweed import Seaweed, serve

NOON: Final = datetime(2026, 3, 4, 12, tzinfo=UTC)
SPAWNING: Final = multiprocessing.get_context("spawn")
Rows = Mapping[date, tuple[int, int]]
"""By day, how many articles a reader saw, and how many different ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """Where the writers meet, how many there are, and what each does."""

    root: str
    ledger: str
    folder: str  # for what the writers note of their progress
    endpoint: str = ""
    writers: int = 4
    upserts: int = 50
    days: int = 3
    articles: int = 5  # new ones, a day and upsert
    kills: int = 0
    lease: float = SECONDS
    seed: int = 1

    @property
    def options(self) -> dict[str, str]:
        """How to reach the store, where it is on S3."""
        return Seaweed(self.endpoint).options() if self.endpoint else {}

    def open(self) -> Store:
        """Open the store, with the lease of this contest."""
        if not self.endpoint:
            return Store.open(self.root, ledger=self.ledger)
        files = S3Files.at(self.root, self.options, lease=self.lease)
        return Store(
            root=self.root,
            files=files,
            staging=Staging(files),
            pages=Pages(files),
            manifest=Manifest(files),
            ledger=Ledger.open(self.ledger),
        )


@dataclass(slots=True)
class Seen:
    """What the readers saw: reads and loud errors by engine, and what was wrong without a word."""

    reads: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a contest ended."""

    seconds: float
    upserts_a_second: float
    killed: int
    seen: Seen
    wrong_at_the_end: list[str]

    @property
    def is_right(self) -> bool:
        """No count was wrong, neither on the way nor at the end."""
        return not self.seen.wrong and not self.wrong_at_the_end


def hold(contest: Contest) -> Result:
    """Let the writers write and the readers read until all is written, and look at what came of it."""
    with contest.open() as store:
        _upsert(store, "base", [_shared(day, 0) for day in range(contest.days)])
    done, seen = SPAWNING.Event(), SPAWNING.Queue()
    reader = SPAWNING.Process(target=look_on, args=(contest, done, seen))
    reader.start()
    start = time.monotonic()
    killed = _run_writers(contest)
    seconds = time.monotonic() - start
    done.set()
    saw: Seen = seen.get()
    reader.join()
    return Result(
        seconds=seconds,
        upserts_a_second=contest.writers * contest.upserts / seconds,
        killed=killed,
        seen=saw,
        wrong_at_the_end=list(_wrong_at_the_end(contest)),
    )


# Writing


def write(contest: Contest, writer: int) -> None:
    """Make the upserts of one writer, beginning with the first that is not noted as done."""
    progress = Path(contest.folder) / f"writer-{writer}"
    first = int(progress.read_text()) if progress.exists() else 0
    with contest.open() as store:
        for number in range(first, contest.upserts):
            rows = [
                row
                for day in range(contest.days)
                for row in (*_own(contest, writer, number, day), _shared(day, writer * contest.upserts + number + 1))
            ]
            _upsert(store, f"writer-{writer}-{number}", rows)
            aside = progress.with_suffix(".next")
            aside.write_text(str(number + 1))
            aside.replace(progress)


def _upsert(store: Store, run: str, rows: list[dict[str, Any]]) -> None:
    for number, row in enumerate(rows):
        row["number"] = number
    staged = [store.staging.write(run, "batch", "articles", pa.Table.from_pylist(rows, STAGED_ARTICLES))]
    commit(store, staged, run=run, now=NOON)
    store.staging.remove(staged)


def _own(contest: Contest, writer: int, number: int, day: int) -> list[dict[str, Any]]:
    names = (f"w{writer}-{number}-{day}-{place}" for place in range(contest.articles))
    return [article(name, published_at=NOON - timedelta(days=day)) for name in names]


def _shared(day: int, number: int) -> dict[str, Any]:
    when = {"published_at": NOON - timedelta(days=day), "fetched_at": NOON + timedelta(seconds=number)}
    return article(f"shared-{day}", title=f"Change {number}", **when)


def _run_writers(contest: Contest) -> int:
    """Run all writers to their end, killing some on the way, and return how many were killed."""
    chance = random.Random(contest.seed)
    writers = [_start(contest, writer) for writer in range(contest.writers)]
    killed = 0
    while any(process.exitcode != 0 for process in writers):
        for writer, process in enumerate(writers):
            if process.exitcode == -signal.SIGKILL:
                writers[writer] = _start(contest, writer)
            elif process.exitcode:
                raise RuntimeError(f"writer {writer} failed with exit code {process.exitcode}")
        time.sleep(chance.uniform(0.5, 2.5) if contest.kills else 0.05)
        living = [process for process in writers if process.is_alive()]
        if killed < contest.kills and living:
            os.kill(chance.choice(living).pid or 0, signal.SIGKILL)
            killed += 1
    return killed


def _start(contest: Contest, writer: int) -> SpawnProcess:
    process = SPAWNING.Process(target=write, args=(contest, writer))
    process.start()
    return process


# Reading


def look_on(contest: Contest, done: Any, told: Any) -> None:
    """Read with each engine in turn until all is written, and tell what was seen."""
    seen = Seen()
    last: dict[str, dict[date, int]] = {name: {} for name in _ENGINES}
    while not done.is_set():
        for name, engine in _ENGINES.items():
            last[name] = _look(contest, seen, name, engine, last[name])
    told.put(seen)


def _look(
    contest: Contest, seen: Seen, name: str, engine: Callable[[Contest], Rows], last: Mapping[date, int]
) -> dict[date, int]:
    try:
        rows = engine(contest)
    except BaseException as error:  # noqa: BLE001 - Polars' PanicException is no Exception
        seen.errors[f"{name}: {type(error).__name__}"] += 1
        return dict(last)
    seen.reads[name] += 1
    counts = {day: count for day, (count, _) in rows.items()}
    seen.wrong += [f"{name}: {what}" for what in _wrong(contest, rows, last)]
    return counts


def _wrong(contest: Contest, rows: Rows, last: Mapping[date, int]) -> Iterator[str]:
    """Say what no state of the dataset explains: parts of an upsert, an article twice, or fewer than before."""
    if len(rows) != contest.days:
        yield f"{len(rows)} days"
    for day, (count, different) in rows.items():
        if (count - 1) % contest.articles or different != count or count < last.get(day, 0):
            yield f"{day}: {count} articles, {different} different, {last.get(day, 0)} before"


def _counted(days: Any, ids: Any) -> Rows:
    table = pa.table({"day": pa.array(days).cast(pa.date32()), "id": pa.array(ids).cast(pa.string())})
    grouped = table.group_by("day").aggregate([("id", "count"), ("id", "count_distinct")])
    return {row["day"]: (row["id_count"], row["id_count_distinct"]) for row in grouped.to_pylist()}


_ASKED: Final = ["article_id", "published_date"]


def _by_helper(contest: Contest) -> Rows:
    table = read.articles(contest.root, _ASKED, storage_options=contest.options)
    return _counted(table["published_date"].combine_chunks(), table["article_id"].combine_chunks())


def _by_query(contest: Contest) -> Rows:
    with read.connect(contest.root, storage_options=contest.options) as connection:
        query = "SELECT published_date, count(*), count(DISTINCT article_id) FROM articles GROUP BY 1"
        rows = read.retrying(lambda: connection.execute(query).fetchall())
    return {day: (count, different) for day, count, different in rows}


def _by_pyarrow(contest: Contest) -> Rows:
    path, filesystem = _for_arrow(contest)
    table = ds.dataset(path, filesystem=filesystem, partitioning="hive").to_table(columns=_ASKED)
    return _counted(table["published_date"].combine_chunks(), table["article_id"].combine_chunks())


def _by_pandas(contest: Contest) -> Rows:
    path, filesystem = _for_arrow(contest)
    frame = pd.read_parquet(path, filesystem=filesystem, columns=_ASKED, partitioning="hive")
    return _counted(pa.array(frame["published_date"].astype(str)), pa.array(frame["article_id"]))


def _by_polars(contest: Contest) -> Rows:
    options = contest.options | ({"allow_http": "true"} if contest.endpoint else {})
    frame = pl.read_parquet(
        f"{contest.root}/articles/**/*.parquet", hive_partitioning=True, storage_options=options or None, columns=_ASKED
    )
    return _counted(frame["published_date"].to_arrow(), frame["article_id"].to_arrow())


def _for_arrow(contest: Contest) -> tuple[str, Any]:
    folder = f"{contest.root.removeprefix('s3://')}/articles"
    return folder, Seaweed(contest.endpoint).arrow() if contest.endpoint else None


_ENGINES: Final[Mapping[str, Callable[[Contest], Rows]]] = {
    "storage.read.articles": _by_helper,
    "storage.read.connect": _by_query,
    "pyarrow": _by_pyarrow,
    "pandas": _by_pandas,
    "polars": _by_polars,
}


# At the end


def _wrong_at_the_end(contest: Contest) -> Iterator[str]:
    wanted = {
        (f"w{writer}-{number}-{day}-{place}", NOON.date() - timedelta(days=day))
        for writer in range(contest.writers)
        for number in range(contest.upserts)
        for day in range(contest.days)
        for place in range(contest.articles)
    } | {(f"shared-{day}", NOON.date() - timedelta(days=day)) for day in range(contest.days)}
    articles = read.articles(contest.root, storage_options=contest.options)
    found = list(zip(*(articles[name].to_pylist() for name in _ASKED), strict=True))
    if sorted(found) != sorted(wanted):
        yield f"{len(wanted - {*found})} articles are lost, {len(found) - len({*found})} are there twice"
    latest = f"Change {contest.writers * contest.upserts}"
    shared = articles.filter(pc.starts_with(articles["article_id"], "shared-"))["title"].to_pylist()
    if shared != [latest] * contest.days:
        yield f"the shared articles are {shared}"
    topics = read.article_topics(contest.root, storage_options=contest.options).num_rows
    marks = read.fingerprints(contest.root, storage_options=contest.options).num_rows
    if (topics, marks) != (2 * len(wanted), len(wanted)):
        yield f"{topics} topics and {marks} fingerprints for {len(wanted)} articles"


@contextmanager
def arena(on: str, **settings: Any) -> Iterator[Contest]:
    """Make a place for a contest, on `disk` or on `s3`."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        contest = Contest(
            root=str(folder / "data"), ledger=f"sqlite:///{folder}/ledger.sqlite", folder=str(folder), **settings
        )
        if on == "s3":
            (folder / "seaweed").mkdir()
            server = stack.enter_context(serve(folder / "seaweed"))
            contest = replace(contest, root=server.new_store(), endpoint=server.endpoint)
        yield contest


def main() -> None:
    """Hold a contest as the command line says, and print how it ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--on", choices=("disk", "s3"), default="disk")
    for name, default in (("writers", 4), ("upserts", 50), ("days", 3), ("articles", 5), ("kills", 0), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--lease", type=float, default=SECONDS, help="seconds that a lock on S3 outlives its holder")
    with arena(**vars(parser.parse_args())) as contest:
        result = hold(contest)
    print(f"{result.upserts_a_second:.2f} upserts a second, {result.seconds:.1f} s; killed: {result.killed}")
    print("reads:", dict(result.seen.reads))
    print("loud errors:", dict(result.seen.errors))
    print("wrong counts:", result.seen.wrong or "none")
    print("at the end:", result.wrong_at_the_end or "every article once, derived tables in step")
    sys.exit(0 if result.is_right else 1)


if __name__ == "__main__":
    main()
