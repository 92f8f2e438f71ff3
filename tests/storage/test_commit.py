"""A commit's promises, with real files."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from storage import read
from storage.commit import commit, publish_derived
from storage.errors import DamagedFileError, SchemaVersionError, StoreError
from storage.schema import ARTICLE_STORIES, ARTICLES, ARTICLES_DATASET, DATASETS

Make = Callable[..., dict[str, Any]]

MARCH_1 = date(2026, 3, 1)
FEBRUARY = datetime(2026, 2, 7, 23, 59, tzinfo=UTC)


def outcomes(committed: Any) -> dict[str, str]:
    return {row["input"].rpartition("/")[2]: row["outcome"] for row in committed.outcomes.to_pylist()}


def test_outcomes_sum_to_the_inputs(desk: Any, article: Make, rejection: Make) -> None:
    committed = desk.commit([article("a"), article("b"), article("a")], [rejection("x")])
    assert committed.counts == {"new": 2, "repeated": 1, "rejected": 1}
    assert committed.outcomes["number"].to_pylist() == [0, 1, 2, 3]
    assert committed.partitions == (MARCH_1,)


def test_second_run_over_the_same_input_touches_no_file(desk: Any, article: Make, rejection: Make) -> None:
    rows = [article("a"), article("b", published_at=FEBRUARY)]
    desk.commit(rows, [rejection("x")])
    before = desk.snapshot()
    committed = desk.commit(rows, [rejection("x")])
    assert committed.counts == {"unchanged": 2, "rejected": 1}
    assert committed.partitions == ()
    assert desk.snapshot() == before


def test_only_the_touched_partition_is_published(desk: Any, article: Make) -> None:
    desk.commit([article("a"), article("b", published_at=FEBRUARY)])
    before = desk.snapshot()
    committed = desk.commit([article("a", title="Another"), article("b", published_at=FEBRUARY)])
    assert outcomes(committed) == {"a": "updated", "b": "unchanged"}
    assert committed.partitions == (MARCH_1,)
    changed = {path for path, file in desk.snapshot().items() if before[path] != file}
    assert changed == {"articles/published_date=2026-03-01/part-000.parquet"}


def test_same_rows_make_the_same_bytes(desk: Any, article: Make, tmp_path: Path) -> None:
    desk.commit([article("b"), article("a")])
    other = type(desk)(tmp_path / "other")
    other.commit([article("a"), article("b")])
    other.store.close()
    assert {path: file[0] for path, file in desk.snapshot().items()} == {
        path: file[0] for path, file in other.snapshot().items()
    }


def test_article_keeps_its_partition_when_its_date_changes(desk: Any, article: Make) -> None:
    desk.commit([article("a")])
    committed = desk.commit([article("a", published_at=FEBRUARY)])
    (row,) = read.articles(desk.root).to_pylist()
    assert outcomes(committed) == {"a": "updated"}
    assert (row["published_date"], row["published_at"]) == (MARCH_1, FEBRUARY)


def test_partition_is_the_utc_day(desk: Any, article: Make) -> None:
    eastern = datetime.fromisoformat("2026-02-07T22:30:00-05:00")
    desk.commit([article("a", published_at=eastern)])
    assert read.articles(desk.root)["published_date"].to_pylist() == [date(2026, 2, 8)]


# Identity


def test_address_claimed_by_two_texts_belongs_to_neither(desk: Any, article: Make) -> None:
    claims = {"article_id": "home", "canonical_url": "https://news.example/home"}
    rows = [article(name, fallback_id=name, **claims) for name in ("a", "b")]
    committed = desk.commit(rows)
    stored = read.articles(desk.root, columns=["article_id", "canonical_url"]).to_pylist()
    assert stored == [{"article_id": "a", "canonical_url": None}, {"article_id": "b", "canonical_url": None}]
    assert committed.refused_canonicals == 2
    again = desk.commit(rows)
    assert (again.counts, again.refused_canonicals) == ({"unchanged": 2}, 2)


def test_address_stays_with_the_page_that_lives_there(desk: Any, article: Make) -> None:
    claim = {"article_id": "a", "canonical_url": "https://news.example/a"}
    committed = desk.commit([article("b", fallback_id="b", **claim), article("a", fallback_id="a", **claim)])
    stored = read.articles(desk.root, columns=["article_id", "url", "canonical_url"]).to_pylist()
    assert stored == [
        {"article_id": "a", "url": "https://news.example/a", "canonical_url": "https://news.example/a"},
        {"article_id": "b", "url": "https://news.example/b", "canonical_url": None},
    ]
    assert committed.refused_canonicals == 1


def test_same_text_at_two_addresses_is_one_article(desk: Any, article: Make) -> None:
    claim = {"article_id": "a", "canonical_url": "https://news.example/a", "text": "The same."}
    committed = desk.commit([article("amp", fallback_id="amp", **claim), article("a", fallback_id="a", **claim)])
    assert outcomes(committed) == {"amp": "new", "a": "repeated"}
    assert committed.refused_canonicals == 0


def test_first_in_the_run_stands_whatever_the_order_of_batches(desk: Any, article: Make) -> None:
    late = desk.stage("run", [article("a", title="Late", number=7)], key="batch-1")
    early = desk.stage("run", [article("a", title="Early", number=3)], key="batch-2")
    committed = commit(desk.store, [*late, *early], run="run", now=datetime(2026, 3, 5, tzinfo=UTC))
    assert committed.outcomes["outcome"].to_pylist() == ["new", "repeated"]
    assert read.articles(desk.root)["title"].to_pylist() == ["Early"]


def test_url_keeps_its_first_identity(desk: Any, article: Make) -> None:
    desk.commit([article("a")])
    moved = article("a", article_id="elsewhere", fallback_id="a", canonical_url="https://news.example/elsewhere")
    committed = desk.commit([moved])
    assert committed.outcomes["article_id"].to_pylist() == ["a"]
    assert outcomes(committed) == {"a": "unchanged"}
    assert read.articles(desk.root).num_rows == 1


# What follows from the articles


def test_derived_tables_follow_the_articles(desk: Any, article: Make) -> None:
    desk.commit([article("a"), article("b", topics=[])])
    topics = read.article_topics(desk.root, columns=["article_id", "position", "topic_id", "score"]).to_pylist()
    assert topics == [
        {"article_id": "a", "position": 0, "topic_id": "medtop:20000002", "score": 0.8},
        {"article_id": "a", "position": 1, "topic_id": "medtop:15000000", "score": 0.6},
    ]
    artifacts = read.article_artifacts(desk.root, columns=["article_id", "rule", "before", "after"]).to_pylist()
    assert artifacts == [
        {"article_id": name, "rule": "space-before-comma", "before": " ,", "after": ","} for name in ("a", "b")
    ]
    desk.commit([article("a", topics=[], artifacts=[]), article("b", topics=[], artifacts=[])])
    assert read.article_topics(desk.root).num_rows == 0
    assert read.article_artifacts(desk.root).num_rows == 0


def test_fingerprints_are_kept_beside_the_articles(desk: Any, article: Make) -> None:
    desk.commit([article("a"), article("b")])
    desk.commit([article("b", text="New text.", fingerprint=b"new")])
    stored = read.fingerprints(desk.root).select(["article_id", "fingerprint", "published_date"]).to_pylist()
    assert stored == [
        {"article_id": "a", "fingerprint": b"a", "published_date": MARCH_1},
        {"article_id": "b", "fingerprint": b"new", "published_date": MARCH_1},
    ]


def test_stories_are_replaced_by_partition(desk: Any) -> None:
    rows = [
        {"article_id": "b", "story_id": "a", "is_original": False, "duplicate_of": "a", "similarity": 0.9},
        {"article_id": "a", "story_id": "a", "is_original": True, "duplicate_of": None, "similarity": None},
    ]
    stories = {MARCH_1: pa.Table.from_pylist(rows, schema=ARTICLE_STORIES)}
    now = datetime(2026, 3, 5, tzinfo=UTC)
    assert publish_derived(desk.store, "article_stories", stories, run="run", now=now) == (MARCH_1,)
    before = desk.snapshot()
    assert publish_derived(desk.store, "article_stories", stories, run="run", now=now) == ()
    assert desk.snapshot() == before
    assert read.article_stories(desk.root)["article_id"].to_pylist() == ["a", "b"]


# Rejections


def test_rejection_keeps_its_first_day(desk: Any, rejection: Make) -> None:
    desk.commit([], [rejection("x")])
    desk.commit([], [rejection("x", reason="gone", detail="410 Gone")], now=datetime(2026, 3, 9, tzinfo=UTC))
    (row,) = read.rejections(desk.root).to_pylist()
    assert (row["reason"], row["rejected_date"], row["run"]) == ("gone", date(2026, 3, 4), "run-2")
    assert row["first_seen_at"] < row["updated_at"]


def test_rejection_goes_when_its_input_succeeds(desk: Any, article: Make, rejection: Make) -> None:
    desk.commit([], [rejection("a"), rejection("b"), rejection("a", source="other")])
    desk.commit([article("a")])
    left = read.rejections(desk.root, columns=["source", "input"]).to_pylist()
    assert left == [
        {"source": "example", "input": "https://news.example/b"},
        {"source": "other", "input": "https://news.example/a"},
    ]


def test_input_that_failed_and_succeeded_in_one_run_is_not_kept_as_rejected(
    desk: Any, article: Make, rejection: Make
) -> None:
    committed = desk.commit([article("a")], [rejection("a")])
    assert committed.counts == {"new": 1, "rejected": 1}
    assert read.rejections(desk.root).num_rows == 0


# The files


def test_files_are_as_the_contract_says(desk: Any, article: Make) -> None:
    desk.commit([article(f"a{number:05}") for number in range(5000)])
    file = pq.ParquetFile(desk.root / ARTICLES_DATASET.path(MARCH_1))
    assert file.schema_arrow.with_metadata(ARTICLES.metadata).equals(ARTICLES, check_metadata=True)
    assert ARTICLES.metadata.items() <= file.schema_arrow.metadata.items()
    assert [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)] == [4096, 904]
    column = file.metadata.row_group(0).column(0)
    assert (column.compression, column.has_column_index, column.has_offset_index) == ("ZSTD", True, True)
    ids = file.read(["article_id"])["article_id"].to_pylist()
    assert ids == sorted(ids)


def test_nothing_but_data_files_lies_in_a_dataset(desk: Any, article: Make, rejection: Make) -> None:
    desk.commit([article("a")], [rejection("x")])
    for dataset in DATASETS.values():
        for path in (desk.root / dataset.folder).rglob("*"):
            assert path.is_dir() or path.name == "part-000.parquet"
    assert list((desk.root / "state" / "tmp").iterdir()) == []
    assert desk.store.staging.runs() == {}


def test_damaged_partition_is_refused_and_named(desk: Any, article: Make) -> None:
    desk.commit([article("a")])
    path = desk.root / ARTICLES_DATASET.path(MARCH_1)
    content = bytearray(path.read_bytes())
    content[200] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(DamagedFileError, match=r"articles/published_date=2026-03-01/part-000\.parquet"):
        desk.commit([article("b")])
    assert path.read_bytes() == content


def test_file_of_another_schema_version_is_refused(desk: Any, article: Make) -> None:
    desk.commit([article("a")])
    path = desk.root / ARTICLES_DATASET.path(MARCH_1)
    table = pq.ParquetFile(path).read()
    pq.write_table(table.replace_schema_metadata({b"copydesk.schema": b"99"}), path)
    with pytest.raises(SchemaVersionError, match="schema version 99"):
        desk.commit([article("b")])


def test_manifest_tells_what_was_published(desk: Any, article: Make) -> None:
    desk.commit([article("b"), article("a")])
    desk.commit([article("c")])
    first, second = (
        entry for entry in desk.store.manifest.entries(desk.store.manifest.names()) if entry.dataset == "articles"
    )
    assert (first.rows, first.first_key, first.last_key, first.previous) == (2, "a", "b", None)
    assert (second.rows, second.last_key, second.previous) == (3, "c", first.sha256)
    assert second.size == (desk.root / ARTICLES_DATASET.path(MARCH_1)).stat().st_size


# The index


@pytest.mark.parametrize("lost", ["ledger", "state"])
def test_lost_ledger_is_made_again_from_the_dataset(desk: Any, article: Make, rejection: Make, lost: str) -> None:
    desk.commit([article("a"), article("b")], [rejection("x")])
    desk.store.close()
    state = desk.root / "state"
    files = [*state.glob("ledger.sqlite*")] + ([*state.glob("manifest/*")] if lost == "state" else [])
    for file in files:
        file.unlink()
    desk.store = type(desk.store).open(desk.root)
    committed = desk.commit(
        [article("a", published_at=FEBRUARY), article("b", article_id="z", fallback_id="b")],
        [rejection("x", reason="gone")],
    )
    assert outcomes(committed) == {"a": "updated", "b": "unchanged", "x": "rejected"}
    assert read.articles(desk.root)["published_date"].to_pylist() == [MARCH_1, MARCH_1]
    assert read.rejections(desk.root)["reason"].to_pylist() == ["gone"]


def test_ledger_older_than_the_dataset_catches_up(desk: Any, article: Make) -> None:
    desk.commit([article("a")])
    desk.store.close()
    ledger = desk.root / "state" / "ledger.sqlite"
    backup = ledger.read_bytes()
    desk.store = type(desk.store).open(desk.root)
    desk.commit([article("b")])
    desk.store.close()
    for file in ledger.parent.glob("ledger.sqlite*"):
        file.unlink()
    ledger.write_bytes(backup)
    desk.store = type(desk.store).open(desk.root)
    assert outcomes(desk.commit([article("b", published_at=FEBRUARY)])) == {"b": "updated"}
    assert read.articles(desk.root)["published_date"].to_pylist() == [MARCH_1, MARCH_1]


def test_staged_batch_that_is_gone_is_named(desk: Any) -> None:
    with pytest.raises(StoreError, match=r"state/staging/run~batch~articles\.arrow"):
        commit(desk.store, ["state/staging/run~batch~articles.arrow"], run="run", now=datetime(2026, 3, 5, tzinfo=UTC))


def test_large_commit_reads_its_batches_in_groups_of_days(
    desk: Any, article: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.commit._ROWS_AT_A_TIME", 3)
    days = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number % 4) for number in range(12)]
    rows = [article(f"a{number}", published_at=day, number=number + 1) for number, day in enumerate(days)]
    staged = [path for start in (0, 5, 10) for path in desk.stage("run", rows[start : start + 5], key=f"batch-{start}")]
    committed = commit(desk.store, staged, run="run", now=datetime(2026, 3, 5, tzinfo=UTC))
    assert committed.counts == {"new": 12}
    stored = read.articles(desk.root, columns=["article_id", "published_date"]).to_pylist()
    assert {row["article_id"]: row["published_date"] for row in stored} == {
        f"a{number}": day.date() for number, day in enumerate(days)
    }
