"""The data dictionary, printed from the schema: `python -m storage.describe > docs/dataset.md`."""

import sys
from collections.abc import Iterator
from typing import Final

import pyarrow as pa

from storage.merge import UNCHANGED, UPDATED
from storage.schema import PRODUCT, SCHEMA_VERSION, Dataset

_OPENING: Final = f"""\
# The dataset

Printed from `storage/schema.py`, schema version {SCHEMA_VERSION}. The same descriptions stand in every file, as
metadata of its fields. A file's own metadata name its schema version (`copydesk.schema`) and the versions of copydesk,
rule book, taxonomy, tagger and models that made its rows (`copydesk.versions`).

Each dataset is a folder of plain Parquet, one file a day: `articles/published_date=2026-03-01/part-000.parquet`. The
date is in the folder's name and not in the file. A file is replaced in one step: a reader sees it as it was or as it
is. pyarrow and pandas open a file once; DuckDB and Polars may answer with an error when a file is replaced between
two of their looks, and then the query is simply asked again (`storage.read.retrying`).

Two rows of a dataset are equal when all columns but those marked *not compared* are. An article that comes again
equal is `{UNCHANGED}`, and its file is not touched; one that differs is `{UPDATED}`, and its `revision` goes up. The
newer fetch wins.

An article whose date was corrected stays in its partition until `copydesk maintain` moves it: into the new file first,
out of the old one a moment later. Whoever reads both files in that moment sees it twice; whoever needs longer than
that from the one file to the other may miss it once.

Instants are UTC, in microseconds. Places in a text count code points, as `text[start:end]` in Python and
`substr(text, start + 1, end - start)` in SQL do.

Columns are added, never renamed. Files of an older version lack the newer columns until `copydesk migrate` lifts them,
with null in every row: not known, where an empty list means none. `copydesk reprocess` fills them from the archived
pages. Until then `storage.read` shows null for what a file lacks, and so does `copydesk query` where another file has
it; DuckDB by itself asks for `union_by_name = true`, Polars for a `schema` and `missing_columns="insert"`.
"""


def dataset_markdown() -> str:
    """Return docs/dataset.md."""
    return "\n".join([_OPENING, *(line for dataset in PRODUCT for line in _section(dataset))])


def _section(dataset: Dataset) -> Iterator[str]:
    yield f"## {dataset.name}"
    yield ""
    yield f"{dataset.meaning} Unique by {_code(dataset.key)}, in whose order the rows stand."
    yield ""
    yield "| column | type | meaning |"
    yield "|---|---|---|"
    for field in dataset.schema:
        yield _line(field, " *Not compared.*" if field.name in dataset.uncounted else "")
        for path, inner in _inside(field):
            yield _line(inner.with_name(path), "")
    yield _line(dataset.partitioned.field(dataset.partition_key), " *In the folder's name.*")
    yield ""


def _line(field: pa.Field, remark: str) -> str:
    described = field.metadata[b"description"].decode()
    null = "" if not field.nullable or "." in field.name else ", or null"
    return f"| `{field.name}` | {_type(field.type)}{null} | {described}{remark} |"


def _inside(field: pa.Field) -> Iterator[tuple[str, pa.Field]]:
    """Yield the fields of a struct, or of a list's structs, with the path that names them."""
    struct = field.type.value_type if pa.types.is_list(field.type) else field.type
    if not pa.types.is_struct(struct):
        return
    for inner in struct.fields:
        path = f"{field.name}.{inner.name}"
        yield path, inner
        yield from _inside(inner.with_name(path))


def _type(type_: pa.DataType) -> str:
    if pa.types.is_list(type_):
        return f"list of {_type(type_.value_type)}"
    if pa.types.is_struct(type_):
        return "struct"
    if pa.types.is_timestamp(type_):
        return "instant"
    return str(type_)


def _code(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    sys.stdout.write(dataset_markdown())
