"""A commit keeps its promises on S3 as it does on disk: the same tests, and what only S3 can do wrong."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pytest

import storage.merge
from storage import read
from storage.bucket import Bucket
from storage.commit import commit
from storage.errors import LockLostError, StoreError
from storage.ledger import Ledger
from storage.objects import S3Files
from storage.schema import ARTICLES_DATASET, DATASETS, PRODUCT
from storage.store import Store
from tests.storage import test_commit, test_pages, test_staging
from tests.storage.conftest import NOON, Desk, article, rejection
from tests.storage.seaweed import Seaweed

pytestmark = pytest.mark.xdist_group("s3")

FEBRUARY = datetime(2026, 2, 7, 12, tzinfo=UTC)
MARCH_1 = NOON.date().replace(day=1)


class S3Desk(Desk):
    """A desk whose store is on S3, with the ledger in a folder."""

    def __init__(self, url: str, ledger: Path) -> None:
        self.root: Any = url
        self.store = Store.open(url, ledger=f"sqlite:///{ledger}", single_machine=True)
        self.runs = 0

    def snapshot(self) -> dict[str, Any]:
        """Return the bytes of every file of the product, and when it was put."""
        files: Any = self.store.files
        found = files.bucket.list()
        return {each.path: (files.read(each.path), each.changed_at) for each in found if each.path.endswith(".parquet")}


@pytest.fixture
def desk(s3: str, tmp_path: Path) -> Iterator[S3Desk]:
    made = S3Desk(s3, tmp_path / "ledger.sqlite")
    yield made
    made.store.close()


# The same tests as on disk

test_outcomes_sum = test_commit.test_outcomes_sum_to_the_inputs
test_second_run = test_commit.test_second_run_over_the_same_input_touches_no_file
test_only_the_touched_partition = test_commit.test_only_the_touched_partition_is_published
test_date_changes = test_commit.test_article_keeps_its_partition_when_its_date_changes
test_first_in_the_run = test_commit.test_first_in_the_run_stands_whatever_the_order_of_batches
test_url_keeps_its_first_identity = test_commit.test_url_keeps_its_first_identity
test_derived_tables = test_commit.test_derived_tables_follow_the_articles
test_fingerprints = test_commit.test_fingerprints_are_kept_beside_the_articles
test_stories = test_commit.test_stories_are_replaced_by_partition
test_rejection_goes = test_commit.test_rejection_goes_when_its_input_succeeds
test_large_commit = test_commit.test_large_commit_reads_its_batches_in_groups_of_days
test_staged_table_comes_back = test_staging.test_staged_table_comes_back_with_its_schema
test_killed_batches_are_found = test_staging.test_batches_of_a_killed_run_are_found
test_page_comes_back = test_pages.test_response_comes_back_as_it_was_received
test_document_comes_back = test_pages.test_document_from_disk_comes_back
test_archive_appears_when_whole = test_pages.test_file_appears_only_when_whole
test_archive_after_an_error = test_pages.test_what_was_written_before_an_error_is_kept


def test_files_are_the_same_bytes_as_on_disk(desk: S3Desk, tmp_path: Path) -> None:
    rows = [article("a"), article("b", published_at=FEBRUARY)]
    local = Desk(tmp_path / "data")
    for each in (desk, local):
        each.commit(rows, [rejection("x")])
    local.store.close()
    assert {path: file[0] for path, file in desk.snapshot().items()} == {
        path: file[0] for path, file in local.snapshot().items()
    }


def test_lost_ledger_is_made_again_from_the_dataset(desk: S3Desk, tmp_path: Path) -> None:
    desk.commit([article("a")])
    desk.store.close()
    desk.store = Store.open(desk.root, ledger=f"sqlite:///{tmp_path}/new.sqlite", single_machine=True)
    assert desk.commit([article("a", published_at=FEBRUARY)]).counts == {"updated": 1}
    assert read.articles(desk.root)["published_date"].to_pylist() == [MARCH_1]


# Deaths


class DiedError(BaseException):
    """The process is gone, as far as a commit can tell."""


def die_at(step: int, patch: pytest.MonkeyPatch) -> None:
    """Let a commit die at its n-th step: before an object changes, or before a transaction is sealed."""
    steps = count()

    def tick() -> None:
        if next(steps) == step:
            raise DiedError

    def around(act: Callable[..., None]) -> Callable[..., None]:
        def stepping(*arguments: Any, **options: Any) -> None:
            tick()
            act(*arguments, **options)

        return stepping

    @contextmanager
    def stepping_transaction(ledger: Ledger) -> Iterator[Any]:
        with writing(ledger) as connection:
            yield connection
            tick()

    writing = Ledger._writing
    patch.setattr(Ledger, "_writing", stepping_transaction)
    patch.setattr(S3Files, "publish", around(S3Files.publish))
    patch.setattr(S3Files, "remove", around(S3Files.remove))


def prepare(desk: S3Desk) -> list[str]:
    """Give a store some history, and stage a run that needs every part of a commit."""
    desk.commit([article("kept"), article("changed"), article("old", published_at=FEBRUARY)], [rejection("healed")])
    rows = [article("kept"), article("changed", topics=[], title="Another", number=1), article("healed", number=2)]
    late = [article("old", text="Another.", number=3), article("changed", number=4)]
    first = desk.stage("killed", rows, [rejection("fails", number=5)], key="batch-1")
    return [*first, *desk.stage("killed", late, key="batch-2")]


def said(desk: S3Desk, staged: list[str]) -> tuple[Any, ...]:
    """Commit, and return the answer and the rows of every dataset."""
    answer = commit(desk.store, staged, run="killed", now=NOON + timedelta(days=1))
    tables = [read.table(dataset, desk.root).to_pylist() for dataset in DATASETS.values()]
    return answer.counts, answer.outcomes.to_pylist(), answer.partitions, tables


def test_commit_that_dies_is_finished_by_the_same_call(
    desk: S3Desk, seaweed: Seaweed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = said(desk, prepare(desk))
    assert expected[0] == {"unchanged": 1, "updated": 2, "new": 1, "repeated": 1, "rejected": 1}
    for step in count(0, 3):
        each = S3Desk(seaweed.new_store(), tmp_path / f"ledger-{step}.sqlite")
        staged = prepare(each)
        with monkeypatch.context() as patch:
            die_at(step, patch)
            died = is_dead(each, staged)
        if died:
            assert said(each, staged) == expected, step
        each.store.close()
        if not died:
            break
    assert step > 20


def is_dead(desk: S3Desk, staged: list[str]) -> bool:
    try:
        commit(desk.store, staged, run="killed", now=NOON + timedelta(days=1))
    except DiedError:
        return True
    return False


def test_holder_that_lost_its_lock_undoes_nothing(
    desk: S3Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*arguments: Any, **options: Any) -> Any:
        """Merge as the one who took the lock over has committed meanwhile."""
        monkeypatch.setattr("storage.commit.merge", merge)
        other = Store.open(desk.root, ledger=f"sqlite:///{tmp_path}/ledger.sqlite", single_machine=True)
        with other:
            rival = S3Desk.__new__(S3Desk)
            rival.root, rival.store, rival.runs = desk.root, other, 100
            rival.commit([article("theirs")])
        return merge(*arguments, **options)

    merge = storage.merge.merge
    desk.commit([article("a")])
    staged = desk.stage("slow", [article("mine")])
    monkeypatch.setattr(S3Files, "lock", lambda *_: nullcontext())
    monkeypatch.setattr("storage.commit.merge", stopped)
    with pytest.raises(LockLostError, match=r"articles/published_date=2026-03-01/part-000\.parquet"):
        commit(desk.store, staged, run="slow", now=NOON)
    assert read.articles(desk.root)["article_id"].to_pylist() == ["a", "theirs"]
    assert commit(desk.store, staged, run="slow", now=NOON).counts == {"new": 1}
    assert read.articles(desk.root)["article_id"].to_pylist() == ["a", "mine", "theirs"]
    assert read.fingerprints(desk.root).num_rows == 3


# Readers


@pytest.fixture
def filled(desk: S3Desk) -> S3Desk:
    desk.commit(
        [
            article("a", summary="It’s \N{NO-BREAK SPACE}fine."),
            article("b", published_at=FEBRUARY, authors=[], artifacts=[], topics=[], url=None, page=None),
        ],
        [rejection("x")],
    )
    return desk


def test_columns_and_rows_can_be_chosen(filled: S3Desk) -> None:
    day = pc.field("published_date") == FEBRUARY.date()
    assert read.articles(filled.root, columns=["article_id", "published_date"], filter=day).to_pylist() == [
        {"article_id": "b", "published_date": FEBRUARY.date()}
    ]


def test_day_that_is_not_asked_for_is_not_read(filled: S3Desk) -> None:
    files: Any = filled.store.files
    files.publish(ARTICLES_DATASET.path(MARCH_1), b"no Parquet")
    day = pc.field("published_date") == FEBRUARY.date()
    assert read.articles(filled.root, filter=day).num_rows == 1


def test_engines_agree_on_rows(filled: S3Desk, seaweed: Seaweed) -> None:
    ours = read.articles(filled.root).sort_by("article_id")
    assert ours.schema == ARTICLES_DATASET.partitioned
    files = ds.dataset(f"{filled.root.removeprefix('s3://')}/articles", filesystem=seaweed.arrow(), partitioning="hive")
    assert (
        files.to_table(columns=["article_id", "text"]).sort_by("article_id").equals(ours.select(["article_id", "text"]))
    )
    options = {**seaweed.options(), "allow_http": "true"}
    polars = pl.read_parquet(f"{filled.root}/articles/**/*.parquet", storage_options=options, hive_partitioning=True)
    assert polars.sort("article_id").equals(pl.DataFrame(pl.from_arrow(ours)))
    with read.connect(filled.root) as connection:
        found = connection.sql("SELECT * FROM articles ORDER BY article_id").to_arrow_table()
    assert found.to_pylist() == ours.to_pylist()


def test_views_look_like_those_of_a_folder(filled: S3Desk, tmp_path: Path) -> None:
    local = Desk(tmp_path / "data")
    local.commit([article("a"), article("b")], [rejection("x")])
    local.store.close()
    with read.connect(local.root) as theirs, read.connect(filled.root) as ours:
        for dataset in PRODUCT:
            described = [each.execute(f"DESCRIBE {dataset.name}").fetchall() for each in (ours, theirs)]
            assert described[0] == described[1]


def test_view_sees_what_was_published_after_it_was_made(filled: S3Desk) -> None:
    with read.connect(filled.root) as connection:
        counted = connection.execute("SELECT count(*) FROM articles").fetchall()
        filled.commit([article("later"), article("b", title="Another", published_at=FEBRUARY)])
        assert counted == [(2,)]
        assert connection.execute("SELECT count(*) FROM articles").fetchall() == [(3,)]
        assert connection.execute(
            "SELECT article_id, count(*) FROM articles JOIN article_topics USING (article_id) GROUP BY 1 ORDER BY 1"
        ).fetchall() == [("a", 2), ("b", 2), ("later", 2)]


def test_store_that_fails_while_it_is_read_is_named(filled: S3Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> bytes:
        asked.append(1)
        raise StoreError("s3://copydesk: the store does not answer")

    asked: list[int] = []
    monkeypatch.setattr(Bucket, "read_part", fail)
    with pytest.raises(StoreError, match="s3://copydesk: the store does not answer"):
        read.articles(filled.root)
    assert len(asked) <= 2, "it was not tried again"


def test_file_replaced_between_looking_and_reading_is_read_again(
    filled: S3Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_and_be_late(*arguments: Any) -> Any:
        found = look(*arguments)
        if late:
            filled.commit([article(late.pop())])
        return found

    look = read._dataset_of_objects
    late = ["c"]
    monkeypatch.setattr(read, "_dataset_of_objects", look_and_be_late)
    assert read.articles(filled.root).num_rows == 3
    with read.connect(filled.root) as connection:

        def count_texts() -> Any:
            return connection.execute("SELECT count(text) FROM articles").fetchall()

        late.append("d")
        with pytest.raises(duckdb.InvalidInputException, match="replaced while it was read"):
            count_texts()
        late.append("e")
        assert read.retrying(count_texts) == [(5,)]
