"""Several processes at once: no row lost, none twice, and readers never see a wrong count."""

import multiprocessing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from storage import read
from storage.commit import commit
from storage.schema import STAGED_ARTICLES
from storage.store import Store

WRITERS, COMMITS, DAYS = 3, 3, 2
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def write(root: Path, writer: int, rows: list[list[dict[str, Any]]]) -> None:
    """Commit batches of rows, each as a run of its own."""
    with Store.open(root) as store:
        for number, batch in enumerate(rows):
            run = f"writer-{writer}-{number}"
            staged = [store.staging.write(run, "batch", "articles", pa.Table.from_pylist(batch, STAGED_ARTICLES))]
            commit(store, staged, run=run, now=NOON + timedelta(seconds=number))
            store.staging.remove(staged)


@pytest.fixture
def rows(article: Any) -> list[list[list[dict[str, Any]]]]:
    """For each writer its batches: some articles of its own, and one that every writer has, with a date of its own."""
    return [
        [
            [
                article(f"{writer}-{number}-{day}", published_at=NOON - timedelta(days=day), number=day)
                for day in range(DAYS)
            ]
            + [article(f"shared-{number}", published_at=NOON - timedelta(days=writer), number=DAYS)]
            for number in range(COMMITS)
        ]
        for writer in range(WRITERS)
    ]


def test_nothing_is_lost_or_doubled(tmp_path: Path, rows: list[Any]) -> None:
    root = tmp_path / "data"
    Store.open(root).close()
    spawning = multiprocessing.get_context("spawn")
    writers = [spawning.Process(target=write, args=(root, number, rows[number])) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    seen = [0]
    while any(writer.is_alive() for writer in writers):
        seen.append(read.articles(root, columns=["article_id"]).num_rows)
        writers[0].join(0.05)
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    ids = read.articles(root, columns=["article_id"])["article_id"].to_pylist()
    own = {f"{writer}-{number}-{day}" for writer in range(WRITERS) for number in range(COMMITS) for day in range(DAYS)}
    assert sorted(ids) == sorted(own | {f"shared-{number}" for number in range(COMMITS)})
    assert read.fingerprints(root).num_rows == len(ids)
    assert read.article_topics(root).num_rows == 2 * len(ids)
    assert max(seen) <= len(ids)
