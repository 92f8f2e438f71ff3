"""Every engine reads the same rows straight from the folder, with the same types."""

import errno
import json
import math
import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from storage import read
from storage.errors import StoreError
from storage.schema import ARTICLES_DATASET, DATASETS, PRODUCT, SCHEMA_VERSION
from tests.storage.conftest import Desk, of_version

Make = Callable[..., dict[str, Any]]
FEBRUARY = datetime(2026, 2, 7, 12, tzinfo=UTC)
NOTHING_TYPED: dict[str, Any] = {
    "standfirst": None,
    "live_entries": [],
    "captions": [],
    "tables": [{"caption": "Tides", "header_rows": 0, "rows": [["", "高"], ["low", ""]]}],
    "next_page": None,
    "amp_url": "https://news.example/c/amp",
}


@pytest.fixture
def filled(desk: Any, article: Make, rejection: Make) -> Path:
    desk.commit(
        [
            article("a", summary="It’s \N{NO-BREAK SPACE}fine.", translated_score=0.25),
            article("b", published_at=FEBRUARY, authors=[], artifacts=[], topics=[], url=None, page=None),
            article("c", title="标题", language="zh-Hans", languages=[], **NOTHING_TYPED),
        ],
        [rejection("x")],
    )
    root: Path = desk.root
    return root


def plain(value: Any) -> Any:
    """Return a value as Python writes it, whatever engine it came from."""
    if value is pd.NaT or value is pd.NA:
        return None
    match value:
        case dict():
            return {name: plain(inner) for name, inner in value.items()}
        case str() | bytes() | bool() | int() | None:
            return value
        case float():
            return None if math.isnan(value) else value
        case pd.Timestamp():
            return value.to_pydatetime().astimezone(UTC)
        case datetime():
            return value.astimezone(UTC)
        case date():
            return value
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        return plain(value.item())
    return [plain(inner) for inner in value]


def by_pyarrow(root: Path) -> list[dict[str, Any]]:
    return read.articles(root).to_pylist()


def by_pyarrow_alone(root: Path) -> list[dict[str, Any]]:
    rows = ds.dataset(root / "articles", partitioning="hive").to_table().to_pylist()
    return [row | {"published_date": date.fromisoformat(row["published_date"])} for row in rows]


def by_duckdb(root: Path) -> list[dict[str, Any]]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        result = connection.execute(f"SELECT * FROM read_parquet('{root}/articles/**/*.parquet')")
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def by_copydesk_query(root: Path) -> list[dict[str, Any]]:
    return read.connect(root).sql("SELECT * FROM articles").to_arrow_table().to_pylist()


def by_polars(root: Path) -> list[dict[str, Any]]:
    return pl.read_parquet(root / "articles/**/*.parquet", hive_partitioning=True).to_dicts()


def by_pandas(root: Path) -> list[dict[str, Any]]:
    rows = pd.read_parquet(root / "articles").to_dict("records")
    return [row | {"published_date": date.fromisoformat(str(row["published_date"]))} for row in rows]


@pytest.mark.parametrize(
    "engine", [by_pyarrow_alone, by_duckdb, by_copydesk_query, by_polars, by_pandas], ids=lambda engine: engine.__name__
)
def test_engines_agree_on_rows(filled: Path, engine: Callable[[Path], list[dict[str, Any]]]) -> None:
    rows = {row["article_id"]: plain(row) for row in engine(filled)}
    assert rows == {row["article_id"]: plain(row) for row in by_pyarrow(filled)}
    assert list(rows) == ["b", "a", "c"]


def test_engines_agree_on_types(filled: Path) -> None:
    ours = read.articles(filled).schema
    assert ours == ARTICLES_DATASET.partitioned
    theirs = pl.read_parquet(filled / "articles/**/*.parquet", hive_partitioning=True)
    assert theirs.schema == pl.from_arrow(read.articles(filled)).schema  # type: ignore[union-attr]
    with duckdb.connect() as connection:
        files = f"read_parquet('{filled}/articles/**/*.parquet')"
        found = connection.execute(f"DESCRIBE SELECT * FROM {files}").fetchall()
        connection.register("ours", read.articles(filled))
        assert found == connection.execute("DESCRIBE SELECT * FROM ours").fetchall()


def test_files_of_older_schema_versions_are_read_alike(filled: Path) -> None:
    """A column that a file lacks is null, in every engine that is told to bear it."""
    paths = sorted((filled / "articles").rglob("*.parquet"))
    pq.write_table(of_version("1", pq.ParquetFile(paths[0]).read()), paths[0])
    ours = {row["article_id"]: plain(row) for row in by_pyarrow(filled)}
    assert ours["b"]["blocks"] is None
    assert ours["a"]["blocks"] == [
        {"kind": "paragraph", "start": 0, "end": 25},
        {"kind": "paragraph", "start": 27, "end": 38},
    ]
    # Polars takes the columns of the first file, which is the older one, unless it is told others.
    schema = pl.from_arrow(read.articles(filled)).schema  # type: ignore[union-attr]
    lazy = pl.scan_parquet(paths, hive_partitioning=True, missing_columns="insert", schema=schema)
    for rows in (by_copydesk_query(filled), lazy.collect().to_dicts()):
        assert {row["article_id"]: plain(row) for row in rows} == ours


def test_columns_and_rows_can_be_chosen(filled: Path) -> None:
    day = pc.field("published_date") == date(2026, 2, 7)
    assert read.articles(filled, columns=["article_id", "published_date"], filter=day).to_pylist() == [
        {"article_id": "b", "published_date": date(2026, 2, 7)}
    ]


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=list(DATASETS))
def test_dataset_without_files_has_no_rows_and_all_columns(tmp_path: Path, dataset: Any) -> None:
    assert read.table(dataset, tmp_path).equals(dataset.partitioned.empty_table())


def test_views_of_an_empty_store_look_like_those_of_a_full_one(tmp_path: Path, filled: Path) -> None:
    empty, full = read.connect(tmp_path), read.connect(filled)
    for dataset in PRODUCT:
        described = [each.execute(f"DESCRIBE {dataset.name}").fetchall() for each in (empty, full)]
        assert described[0] == described[1]
        assert empty.execute(f"SELECT count(*) FROM {dataset.name}").fetchall() == [(0,)]


def test_folder_with_special_characters_is_read(tmp_path: Path, article: Make) -> None:
    odd = Desk(tmp_path / "it's [a] *folder* 100%?")
    odd.commit([article("a")])
    odd.store.close()
    assert (odd.root / "state" / "ledger.sqlite").is_file()
    assert [path.name for path in tmp_path.iterdir()] == [odd.root.name]
    assert read.articles(odd.root).num_rows == 1
    assert read.connect(odd.root).execute("SELECT count(*) FROM articles").fetchall() == [(1,)]


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="none: there is no such folder"):
        read.articles(tmp_path / "none")


def test_page_is_read_by_its_article(desk: Any, article: Make, noon: datetime) -> None:
    with desk.store.pages.writer("batch", noon.date()) as pages:
        places = [pages.write_response(f"https://news.example/{name}", noon, 200, "OK", [], name) for name in PAGES]
    file, again = pages.file, desk.store.pages.original(*places[0])
    with desk.store.pages.writer("later", noon.date()) as later:
        revisit = later.write_revisit("https://news.example/c", noon, 304, "Not Modified", [], again)
    rows = [
        article(name, page={"file": where, "offset": offset, "sha256": "00"}, published_at=moment)
        for name, (where, offset), moment in zip("abc", [*places, revisit], (noon, FEBRUARY, noon), strict=True)
    ]
    desk.commit([*rows, article("d", page=None)])
    before = sorted(path for path in desk.root.rglob("*"))
    for root in (desk.root, str(desk.root), desk.store):
        assert [read.page(root, name).payload for name in "abc"] == [*PAGES, PAGES[0]]
        assert read.page(root, "b") == desk.store.pages.read(*places[1])
        with pytest.raises(StoreError, match="none: there is no such article here"):
            read.page(root, "none")
        with pytest.raises(StoreError, match="d: this article has no page in the archive"):
            read.page(root, "d")
    assert sorted(path for path in desk.root.rglob("*")) == before
    (desk.root / "pages" / file).unlink()
    with pytest.raises(StoreError, match="this archive file is gone"):
        read.page(desk.root, "a")


PAGES = [b"first", b"second"]


def test_file_that_may_not_be_read_is_named_at_once(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(*_: Any) -> Any:
        looks.append(1)
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    looks: list[int] = []
    monkeypatch.setattr(read, "_dataset", deny)
    with pytest.raises(
        StoreError, match=r"/articles: cannot be read \(.*Permission denied\)\. Make its files readable"
    ):
        read.articles(filled)
    assert len(looks) == 1
    monkeypatch.setattr(Path, "iterdir", deny)
    with pytest.raises(StoreError, match=r"/articles: cannot be read"):
        read.connect(filled)


class PanicException(BaseException):
    """What Polars raises, which is no `Exception`."""


@pytest.mark.parametrize(
    "error",
    [FileNotFoundError("gone"), pa.ArrowInvalid("Page was smaller"), duckdb.IOException("torn"), PanicException()],
)
def test_reading_is_tried_again_when_a_file_was_replaced(error: BaseException) -> None:
    def look() -> int:
        looks.append(1)
        if len(looks) < 3:
            raise error
        return len(looks)

    looks: list[int] = []
    assert read.retrying(look) == 3


def test_wrong_query_is_not_tried_again(filled: Path) -> None:
    def look() -> Any:
        looks.append(1)
        return read.connect(filled).execute("SELECT none FROM articles")

    looks: list[int] = []
    with pytest.raises(duckdb.BinderException):
        read.retrying(look)
    assert len(looks) == 1


def test_files_name_the_versions_that_made_their_rows(filled: Path) -> None:
    for path in (filled / "articles").rglob("*.parquet"):
        schema = pq.read_schema(path)
        made_by = {str(sorted(row["versions"].items(), key=str)) for row in pq.read_table(path).to_pylist()}
        named = json.loads(schema.metadata[b"copydesk.versions"])
        assert {str(sorted(each.items(), key=str)) for each in named} == made_by
        assert schema.metadata[b"copydesk.schema"].decode() == SCHEMA_VERSION
        assert all(field.metadata[b"description"] for field in schema)
