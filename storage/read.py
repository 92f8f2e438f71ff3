"""Reading the datasets: Arrow tables, a DuckDB connection, and the retry that a replacement under way calls for.

Reading needs no open store and writes nothing, so it works on a read-only copy, and while a flow writes. A store on S3
(`s3://bucket/prefix`) is read as a folder is; `storage_options` say how to reach it, before the `AWS_…` variables.
"""

import errno
import glob
import os
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeAlias, TypeVar

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset

from storage.bucket import Bucket, Object, ObjectFile, is_on_s3
from storage.errors import StoreError
from storage.files import opened
from storage.objects import S3Files
from storage.objects import opened as opened_object
from storage.pages import StoredPage, read_page
from storage.schema import (
    ADDED,
    ARTICLE_ARTIFACTS_DATASET,
    ARTICLE_STORIES_DATASET,
    ARTICLE_TOPICS_DATASET,
    ARTICLES_DATASET,
    FINGERPRINTS_DATASET,
    PART,
    PRODUCT,
    REJECTIONS_DATASET,
    Dataset,
)

if TYPE_CHECKING:
    from storage.store import Store

T = TypeVar("T")
Options: TypeAlias = "Mapping[str, str] | None"

_PAUSES: Final = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds between one attempt and the next."""

_TORN: Final = (OSError, pa.ArrowInvalid, duckdb.IOException, duckdb.InvalidInputException)
_TORN_BY_NAME: Final = frozenset({"PanicException", "ComputeError"})
"""Polars answers a file replaced under it with these; the first is not even an `Exception`."""


def articles(
    root: str | Path,
    columns: Sequence[str] | None = None,
    filter: pyarrow.dataset.Expression | None = None,  # noqa: A002
    *,
    storage_options: Options = None,
) -> pa.Table:
    """Read the articles of a store, all columns or some, and all rows or those that pass a filter.

    The partition's date, `published_date`, is the last column; a filter on it skips whole files.
    """
    return table(ARTICLES_DATASET, root, columns, filter, storage_options=storage_options)


def rejections(
    root: str | Path,
    columns: Sequence[str] | None = None,
    filter: pyarrow.dataset.Expression | None = None,  # noqa: A002
    *,
    storage_options: Options = None,
) -> pa.Table:
    """Read what was set aside; the partition's date is `rejected_date`."""
    return table(REJECTIONS_DATASET, root, columns, filter, storage_options=storage_options)


def article_topics(
    root: str | Path,
    columns: Sequence[str] | None = None,
    filter: pyarrow.dataset.Expression | None = None,  # noqa: A002
    *,
    storage_options: Options = None,
) -> pa.Table:
    """Read the articles' topics, one row each."""
    return table(ARTICLE_TOPICS_DATASET, root, columns, filter, storage_options=storage_options)


def article_artifacts(
    root: str | Path,
    columns: Sequence[str] | None = None,
    filter: pyarrow.dataset.Expression | None = None,  # noqa: A002
    *,
    storage_options: Options = None,
) -> pa.Table:
    """Read the articles' artifacts, one row each."""
    return table(ARTICLE_ARTIFACTS_DATASET, root, columns, filter, storage_options=storage_options)


def article_stories(
    root: str | Path,
    columns: Sequence[str] | None = None,
    filter: pyarrow.dataset.Expression | None = None,  # noqa: A002
    *,
    storage_options: Options = None,
) -> pa.Table:
    """Read which articles tell the same story."""
    return table(ARTICLE_STORIES_DATASET, root, columns, filter, storage_options=storage_options)


def fingerprints(
    root: str | Path,
    columns: Sequence[str] | None = None,
    filter: pyarrow.dataset.Expression | None = None,  # noqa: A002
    *,
    storage_options: Options = None,
) -> pa.Table:
    """Read the articles' fingerprints, for matching near-duplicates."""
    return table(FINGERPRINTS_DATASET, root, columns, filter, storage_options=storage_options)


def table(
    dataset: Dataset,
    root: str | Path,
    columns: Sequence[str] | None = None,
    filter: pyarrow.dataset.Expression | None = None,  # noqa: A002
    *,
    storage_options: Options = None,
) -> pa.Table:
    """Read a dataset of a store; one without files has no rows."""
    source = _source(root, storage_options)
    return _table(dataset, source, columns, filter)


def page(root: "str | Path | Store", article_id: str, *, storage_options: Options = None) -> StoredPage:
    """Return the page that an article was made from, as it was fetched; `root` may be an open store."""
    source = _source(root, storage_options) if isinstance(root, str | Path) else _source_of(root)
    where = _table(ARTICLES_DATASET, source, ["page"], pc.field("article_id") == article_id)["page"].to_pylist()
    if not where:
        raise StoreError(f"{article_id}: there is no such article here. Look it up in the `articles` of this --data.")
    if where[0] is None:
        raise StoreError(f"{article_id}: this article has no page in the archive.")
    return read_page(partial(_open, source), where[0]["file"], where[0]["offset"])


def connect(root: str | Path, *, storage_options: Options = None) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB connection with a view for each dataset, in UTC; one without files is an empty view.

    Wrap a query in `retrying` where a flow may be writing.
    """
    source = _source(root, storage_options)
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for dataset in PRODUCT:
        if isinstance(source, Bucket):
            connection.register(dataset.name, _Current(dataset, source))
        else:
            _show(connection, dataset, source)
    return connection


def retrying(read: Callable[[], T]) -> T:
    """Call `read`, and again where a partition was replaced between its looking and its reading.

    pyarrow and pandas open a file once and see it whole; DuckDB and Polars come back to it, and say so loudly. On S3
    every reader comes back, and the helpers of this module ask each time for the version that they began with.
    """
    for pause in _PAUSES:
        try:
            return read()
        except PermissionError:
            raise
        except BaseException as error:
            if not (isinstance(error, _TORN) or type(error).__name__ in _TORN_BY_NAME):
                raise
            time.sleep(pause)
    return read()


def _table(
    dataset: Dataset,
    source: Path | Bucket,
    columns: Sequence[str] | None,
    filter: pyarrow.dataset.Expression | None,  # noqa: A002
) -> pa.Table:
    try:
        return retrying(lambda: _dataset(dataset, source).to_table(columns=columns, filter=filter))
    except PermissionError as error:
        raise _denied(dataset, source, error) from error


def _show(connection: duckdb.DuckDBPyConnection, dataset: Dataset, folder: Path) -> None:
    """Make a view of a dataset in a folder; one without files is empty."""
    try:
        if _files(dataset, folder):
            connection.execute(_view(dataset, folder))
        else:
            connection.register(dataset.name, dataset.partitioned.empty_table())
    except (PermissionError, duckdb.IOException) as error:
        if os.strerror(errno.EACCES) not in str(error):
            raise
        raise _denied(dataset, folder, error) from error


def _denied(dataset: Dataset, source: Path | Bucket, error: Exception) -> StoreError:
    where = f"{source.url if isinstance(source, Bucket) else source}/{dataset.folder}"
    return StoreError(f"{where}: cannot be read ({str(error).splitlines()[0]}). Make its files readable for this user.")


def _open(source: Path | Bucket, path: str) -> BinaryIO:
    """Open a file of a store to read parts of it."""
    file: BinaryIO = opened_object(source, path) if isinstance(source, Bucket) else opened(source / path)
    return file


def _source_of(store: "Store") -> Path | Bucket:
    return store.files.bucket if isinstance(store.files, S3Files) else Path(store.root)


def _source(root: str | Path, storage_options: Options) -> Path | Bucket:
    if is_on_s3(root):
        bucket = Bucket.at(str(root), storage_options)
        if bucket.is_empty():
            raise StoreError(f"{root}: there is nothing below this prefix. Name the --data that a run has filled.")
        return bucket
    folder = Path(root).absolute()
    if not folder.is_dir():
        raise StoreError(f"{folder}: there is no such folder. Name the --data folder that a run has filled.")
    return folder


def _files(dataset: Dataset, folder: Path) -> list[Path]:
    """Return a dataset's files, in order; PermissionError where they may not be looked at (`glob` is silent)."""
    try:
        found = sorted((folder / dataset.folder).iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    paths = [each / PART for each in found if each.name.startswith(f"{dataset.partition_key}=")]
    return [path for path in paths if path.is_file()]


def _dataset(dataset: Dataset, source: Path | Bucket) -> pyarrow.dataset.Dataset:
    """Return the dataset over its files; their partition's date has a type, which file names alone do not say."""
    if isinstance(source, Bucket):
        return _dataset_of_objects(dataset, source)
    return pyarrow.dataset.dataset(
        [str(path) for path in _files(dataset, source)],
        schema=dataset.partitioned,
        format="parquet",
        partitioning=_by_date(dataset),
        partition_base_dir=str(source / dataset.folder),
    )


def _by_date(dataset: Dataset) -> pyarrow.dataset.Partitioning:
    return pyarrow.dataset.partitioning(pa.schema([(dataset.partition_key, pa.date32())]), flavor="hive")


def _dataset_of_objects(dataset: Dataset, bucket: Bucket) -> pyarrow.dataset.Dataset:
    """Return the dataset over its objects as they are now: a read fails where one is replaced before it is read."""
    parquet = pyarrow.dataset.ParquetFileFormat()
    by_date = _by_date(dataset)

    def fragment(found: Object) -> pyarrow.dataset.Fragment:
        folder = found.path.removeprefix(f"{dataset.folder}/").removesuffix(PART)
        return parquet.make_fragment(
            pa.PythonFile(ObjectFile(bucket, found), mode="r"), partition_expression=by_date.parse(folder)
        )

    fragments = [fragment(found) for found in bucket.list(dataset.folder) if found.path.endswith(f"/{PART}")]
    return pyarrow.dataset.FileSystemDataset(fragments, dataset.partitioned, parquet)


class _Current(pyarrow.dataset.InMemoryDataset):  # type: ignore[misc]
    """A dataset on S3 as DuckDB sees it: looked up again for each query, as the pattern of a view is."""

    def __init__(self, dataset: Dataset, bucket: Bucket) -> None:
        super().__init__(dataset.partitioned.empty_table())
        self._of, self._in = dataset, bucket

    def scanner(self, **options: Any) -> pyarrow.dataset.Scanner:
        """Answer DuckDB, which asks for the columns and rows that a query needs."""
        return _dataset_of_objects(self._of, self._in).scanner(**options)


def _view(dataset: Dataset, folder: Path) -> str:
    # Where older files may lack columns, DuckDB looks into each for every query: some 0.3 ms a file.
    may_lack = any(dataset.name in added for added in ADDED.values())
    pattern = f"{glob.escape(str(folder))}/{dataset.folder}/{dataset.partition_key}=*/{PART}".replace("'", "''")
    return (
        f"CREATE VIEW {dataset.name} AS SELECT * FROM read_parquet('{pattern}', "  # noqa: S608
        f"union_by_name = {may_lack}, hive_partitioning = true, "
        f"hive_types = {{'{dataset.partition_key}': DATE}})"
    )
