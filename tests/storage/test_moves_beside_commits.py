"""Housekeeping in one process beside commits in others: no row lost, none twice, and the store is sound."""

import multiprocessing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from storage import read
from storage.commit import commit
from storage.schema import STAGED_ARTICLES
from storage.store import Store
from storage.upkeep import mark_gone, move_corrected
from storage.verify import verify

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
COMMITS, ARTICLES, DAYS = 6, 8, 3


def write(root: Path, writer: int, rows: list[list[dict[str, Any]]]) -> None:
    """Commit batches of rows, each as a run of its own."""
    with Store.open(root) as store:
        for number, batch in enumerate(rows):
            run = f"writer-{writer}-{number}"
            staged = [store.staging.write(run, "batch", "articles", pa.Table.from_pylist(batch, STAGED_ARTICLES))]
            commit(store, staged, run=run, now=NOON + timedelta(seconds=number))
            store.staging.remove(staged)


def keep_house(root: Path, done: Any) -> None:
    """Move what was redated, again and again."""
    with Store.open(root) as store:
        turn = 0
        while not done.is_set():
            now = NOON + timedelta(hours=1, seconds=turn)
            move_corrected(store, now)
            mark_gone(store, {f"{turn % ARTICLES}": now}, now)
            turn += 1


def test_moves_beside_commits_lose_and_double_nothing(tmp_path: Path, article: Any) -> None:
    root = tmp_path / "data"
    Store.open(root).close()
    spawning = multiprocessing.get_context("spawn")
    batches = [
        [
            [
                article(
                    str(number), page=None, number=number, fetched_at=NOON + timedelta(minutes=turn),
                    published_at=NOON - timedelta(days=(number + turn + writer) % DAYS),
                )
                for number in range(ARTICLES)
            ]
            for turn in range(COMMITS)
        ]
        for writer in range(2)
    ]  # fmt: skip
    done = spawning.Event()
    keeper = spawning.Process(target=keep_house, args=(root, done))
    writers = [spawning.Process(target=write, args=(root, number, batch)) for number, batch in enumerate(batches)]
    for process in (keeper, *writers):
        process.start()
    for process in writers:
        process.join()
    done.set()
    keeper.join()
    assert [process.exitcode for process in (keeper, *writers)] == [0, 0, 0]
    ids = read.articles(root, columns=["article_id"])["article_id"].to_pylist()
    assert sorted(ids) == [str(number) for number in range(ARTICLES)]
    with Store.open(root) as store:
        move_corrected(store, NOON + timedelta(days=1))
        assert verify(store).findings == ()
    rows = read.articles(root, columns=["published_at", "published_date", "fetched_at"]).to_pylist()
    assert {row["fetched_at"] for row in rows} == {NOON + timedelta(minutes=COMMITS - 1)}
    assert all(row["published_at"].date() == row["published_date"] for row in rows)
