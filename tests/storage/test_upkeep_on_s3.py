"""Housekeeping and `verify` do on S3 what they do on disk."""

import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from storage import read
from storage.repair import repair
from storage.schema import ARTICLE_TOPICS_DATASET, ARTICLES_DATASET
from storage.upkeep import forget, mark_gone, migrate, move_corrected
from storage.verify import Kind, verify
from tests.storage.conftest import NOON, article, of_version
from tests.storage.test_commit_on_s3 import S3Desk

pytestmark = pytest.mark.xdist_group("s3")

FEBRUARY = datetime(2026, 2, 7, 12, tzinfo=UTC)
MARCH_1 = date(2026, 3, 1)
LATER = NOON + timedelta(days=1)


@pytest.fixture
def desk(s3: str, tmp_path: Path) -> Iterator[S3Desk]:
    """A store on S3 with two days and the pages of their articles."""
    made = S3Desk(s3, tmp_path / "ledger.sqlite")
    with made.store.pages.writer("batch", NOON.date()) as pages:
        places = {
            name: pages.write_response(f"https://news.example/{name}", NOON, 200, "OK", [], name.encode())
            for name in "abc"
        }
    page = {name: {"file": file, "offset": offset, "sha256": "00"} for name, (file, offset) in places.items()}
    made.commit(
        [article(name, page=page[name]) for name in "ab"] + [article("c", page=page["c"], published_at=FEBRUARY)]
    )
    made.commit([article("a", page=page["a"], published_at=FEBRUARY)])
    yield made
    made.store.close()


def test_housekeeping_leaves_a_sound_store(desk: Any) -> None:
    assert move_corrected(desk.store, LATER).articles == 1
    assert mark_gone(desk.store, {"b": LATER}, LATER).articles == 1
    assert verify(desk.store).findings == ()
    forgotten = forget(desk.store, article_id="c", now=LATER)
    assert (forgotten.articles, forgotten.pages) == (1, 1)
    verdict = verify(desk.store)
    assert (verdict.findings, verdict.articles, verdict.records) == ((), 2, 4)
    rows = read.articles(desk.root, columns=["article_id", "published_date", "gone_at"]).to_pylist()
    assert rows == [
        {"article_id": "a", "published_date": FEBRUARY.date(), "gone_at": None},
        {"article_id": "b", "published_date": MARCH_1, "gone_at": LATER},
    ]


def test_older_partitions_are_read_and_lifted(desk: Any) -> None:
    path = ARTICLES_DATASET.path(MARCH_1)
    older = of_version("1", pq.ParquetFile(io.BytesIO(desk.store.files.read(path))).read())
    sink = io.BytesIO()
    pq.write_table(older, sink)
    desk.store.files.publish(path, sink.getvalue())
    assert read.articles(desk.root)["gone_at"].to_pylist() == [None] * 3
    count = "SELECT count(*), count(gone_at) FROM articles"
    assert read.retrying(lambda: read.connect(desk.root).execute(count).fetchall()) == [(3, 0)]
    assert migrate(desk.store, LATER).partitions == (("articles", MARCH_1),)


def test_derived_table_is_made_again(desk: Any) -> None:
    path = ARTICLE_TOPICS_DATASET.path(MARCH_1)
    before = desk.store.files.read(path)
    for spoilt in (before[:-20], None):
        if spoilt is None:
            desk.store.files.remove(path)
        else:
            desk.store.files.publish(path, spoilt)
        verdict = verify(desk.store)
        assert {finding.kind for finding in verdict.findings} <= {
            Kind.DAMAGED_FILE,
            Kind.MISSING_FILE,
            Kind.OUT_OF_STEP,
        }
        assert verdict.findings
        assert repair(desk.store, verdict, LATER).clean
        assert desk.store.files.read(path) == before
