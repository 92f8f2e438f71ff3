"""One file of a dataset: read, encode, replace."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from storage.errors import DamagedFileError, SchemaVersionError, WrongSchemaError
from storage.files import Files
from storage.manifest import Entry, Known
from storage.merge import keys, ordered
from storage.schema import (
    ARTICLE_ARTIFACTS_DATASET,
    ARTICLE_TOPICS_DATASET,
    ARTICLES_DATASET,
    FINGERPRINTS_DATASET,
    SCHEMA_VERSION,
    VERSION_KEY,
    VERSIONS,
    VERSIONS_KEY,
    Dataset,
    added_since,
)

ROW_GROUP: Final = 4096

_REMEDY: Final = "Restore it from a copy; what follows from the articles, `copydesk verify --repair` makes again."

_GUARDED_BY_ARTICLES: Final = frozenset(
    dataset.name for dataset in (ARTICLE_TOPICS_DATASET, ARTICLE_ARTIFACTS_DATASET, FINGERPRINTS_DATASET)
)


@dataclass(frozen=True, slots=True)
class Partition:
    """The rows of a partition as today's schema has them, and what its file was: no file, no rows.

    `sha256` is that of the file, `version` what the store calls it (to replace that file and no other), `schema` the
    schema version it was written with.
    """

    table: pa.Table
    sha256: str | None
    version: str | None = None
    schema: str = SCHEMA_VERSION


@dataclass(frozen=True, slots=True)
class Press:
    """Publishes partitions for one commit and remembers what it published.

    `known` is what the manifest knows, where a commit goes on that died: then a file that the manifest does not know
    was published by the attempt that died.
    """

    files: Files
    run: str
    entries: list[Entry] = field(default_factory=list)
    known: Known | None = None

    def publish(self, dataset: Dataset, day: date, table: pa.Table, previous: Partition) -> None:
        """Put the rows in place as the partition's file."""
        content = encode(dataset, table)
        self.files.publish(dataset.path(day), content, replacing=previous.version)
        self._note(dataset, day, table, content, previous.sha256)

    def replace(self, dataset: Dataset, day: date, table: pa.Table) -> bool:
        """Make these rows the whole partition, and say whether that was news; equal rows leave the file untouched."""
        stored = read(self.files, dataset, day)
        table = ordered(dataset, table)
        if stored.table.equals(table):
            self.settle(dataset, day)
            return False
        self.publish(dataset, day, table, stored)
        return True

    def settle(self, dataset: Dataset, day: date) -> None:
        """Note a partition that needs no publishing, if it is the work of an attempt that died before noting it."""
        if self.known is None:
            return
        stored = read(self.files, dataset, day)
        if stored.sha256 is not None and not self._knows(dataset, day, stored.sha256):
            self._note(dataset, day, stored.table, self.files.read(dataset.path(day)), stored.sha256, stored.schema)

    def adopt(self, dataset: Dataset, day: date) -> None:
        """Note a partition as it is, whoever published it."""
        stored = read(self.files, dataset, day)
        if stored.sha256 is not None:
            self._note(dataset, day, stored.table, self.files.read(dataset.path(day)), None, stored.schema)

    def published(self, dataset: Dataset) -> tuple[date, ...]:
        """Return the days of a dataset that were published."""
        return tuple(sorted({entry.partition for entry in self.entries if entry.dataset == dataset.name}))

    def _knows(self, dataset: Dataset, day: date, sha256: str) -> bool:
        noted = ((entry.dataset, entry.partition, entry.sha256) for entry in self.entries)
        return (self.known is not None and self.known.has(dataset.name, day, sha256)) or (
            (dataset.name, day, sha256) in noted
        )

    def _linked(self, dataset: Dataset, day: date, previous: str | None) -> str | None:
        """Return what a file replaced as the manifest knows it: an attempt that died left files that it does not."""
        if self.known is None or previous is None or self._knows(dataset, day, previous):
            return previous
        return self.known.head(dataset.name, day)

    def _note(
        self,
        dataset: Dataset,
        day: date,
        table: pa.Table,
        content: bytes | pa.Buffer,
        previous: str | None,
        schema: str = SCHEMA_VERSION,
    ) -> None:
        first, last = (keys(dataset, rows).to_pylist() for rows in (table[:1], table[-1:]))
        entry = Entry(
            dataset=dataset.name,
            partition=day,
            run=self.run,
            rows=table.num_rows,
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            previous=self._linked(dataset, day, previous),
            schema=schema,
            first_key=first[0] if first else None,
            last_key=last[0] if last else None,
        )
        self.entries.append(entry)


def read(files: Files, dataset: Dataset, day: date, columns: Sequence[str] | None = None) -> Partition:
    """Read a partition, all columns or some, and check that this version knows its schema."""
    path = dataset.path(day)
    try:
        content, version = files.read_with_version(path)
    except FileNotFoundError:
        return Partition(_lifted(dataset, dataset.schema.empty_table(), (), columns), None)
    try:
        file = pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
        schema, absent = _lacking(path, dataset, file.schema_arrow)
        table = file.read(columns=None if columns is None else [name for name in columns if name not in absent])
    except (pa.ArrowInvalid, OSError) as error:
        raise _damaged(path, error) from error
    lifted = _lifted(dataset, table, absent, columns)
    return Partition(lifted, hashlib.sha256(content).hexdigest(), version, schema)


def are_sound(files: Files, datasets: Iterable[Dataset], day: date) -> bool:
    """Say whether the files of a day can be read whole, or are not there: a damaged one is `verify`'s to tell of."""
    try:
        for dataset in datasets:
            read(files, dataset, day)
    except DamagedFileError:
        return False
    return True


def _damaged(path: str, error: Exception) -> DamagedFileError:
    return DamagedFileError(f"{path}: this file is damaged ({' '.join(str(error).split())}). {_REMEDY}")


def is_trusted(dataset: Dataset, day: date, stored: Partition, known: Known) -> bool:
    """Say whether a partition may be believed: it is the file that was published last, and no key of it repeats.

    A file of which the manifest knows nothing is believed; that there is none, only where it held nothing.
    """
    heads = known.heads.get((dataset.name, day), {})
    if stored.sha256 is None:
        return bool(heads) and not any(entry.rows for entry in heads.values())
    return (not heads or stored.sha256 in heads) and not repeated(dataset, stored.table)


def repeated(dataset: Dataset, table: pa.Table) -> int:
    """Return how many rows repeat the key of another."""
    return len(table) - len(set(keys(dataset, table).to_pylist()))


def schema_of(files: Files, dataset: Dataset, day: date) -> str:
    """Return the schema version of a partition's file, from the end of the file alone."""
    path = dataset.path(day)
    with files.open(path) as stream:
        try:
            return _lacking(path, dataset, pq.read_schema(stream))[0]
        except pa.ArrowInvalid as error:
            raise DamagedFileError(
                f"{path}: this file is damaged ({' '.join(str(error).split())}). {_REMEDY}"
            ) from error


def guard(dataset: Dataset, day: date) -> str:
    """Return the name of the lock to hold while a partition is changed: what follows from articles has theirs."""
    return f"{ARTICLES_DATASET.name if dataset.name in _GUARDED_BY_ARTICLES else dataset.name}-{day}"


def encode(dataset: Dataset, table: pa.Table) -> pa.Buffer:
    """Return the bytes of a partition's file; the same rows give the same bytes.

    The file's metadata say its schema version and, under `copydesk.versions`, all that made its rows, as JSON.
    """
    sink = pa.BufferOutputStream()
    pq.write_table(
        _signed(table.combine_chunks()),
        sink,
        row_group_size=ROW_GROUP,
        compression="zstd",
        compression_level=3,
        use_dictionary=list(dataset.dictionary),
        write_page_index=True,
        write_page_checksum=True,
    )
    return sink.getvalue()


def _signed(table: pa.Table) -> pa.Table:
    """Return a table whose metadata name the versions that made its rows, each combination once."""
    if "versions" not in table.schema.names:
        return table
    parts = pa.Table.from_struct_array(pa.chunked_array(table["versions"].chunks, VERSIONS))
    made_by = sorted(parts.group_by(parts.column_names).aggregate([]).to_pylist(), key=str)
    return table.replace_schema_metadata({**(table.schema.metadata or {}), VERSIONS_KEY: json.dumps(made_by).encode()})


def days(files: Files, dataset: Dataset) -> list[date]:
    """Return the days a dataset has files for, in order."""
    found = []
    for path in files.list(dataset.folder):
        with suppress(ValueError):
            day = date.fromisoformat(path.split("/")[-2].removeprefix(f"{dataset.partition_key}="))
            if path == dataset.path(day):
                found.append(day)
    return found


def _lacking(path: str, dataset: Dataset, schema: pa.Schema) -> tuple[str, tuple[str, ...]]:
    """Return a file's schema version, and the columns of today that it lacks because it is older."""
    version = (schema.metadata or {}).get(VERSION_KEY, b"none").decode()
    try:
        absent = added_since(dataset, version)
    except ValueError:
        raise SchemaVersionError(
            f"{path}: this file has schema version {version}, and this copydesk knows {SCHEMA_VERSION}. "
            "Use the copydesk that wrote it, or another --data folder."
        ) from None
    if wrong := _difference(schema, [field for field in dataset.schema if field.name not in absent]):
        raise WrongSchemaError(f"{path}: this file {wrong}, unlike schema version {version}. {_REMEDY}")
    return version, absent


def _difference(schema: pa.Schema, fields: Sequence[pa.Field]) -> str:
    """Say how a file's columns differ from those that it should have; in which order they stand is all one."""
    expected = {field.name: field for field in fields}
    for name in schema.names:
        if name not in expected or schema.names.count(name) > 1:
            return f"has the column {name}" if name not in expected else f"has the column {name} twice"
    for name, wanted in expected.items():
        if name not in schema.names:
            return f"lacks the column {name}"
        found = schema.field(name)
        if found.type != wanted.type:
            return f"has the column {name} as {found.type}, not as {wanted.type}"
        if found.nullable != wanted.nullable:
            return f"has the column {name} with {'' if found.nullable else 'no '}null allowed"
    return ""


def _lifted(dataset: Dataset, table: pa.Table, absent: Sequence[str], columns: Sequence[str] | None) -> pa.Table:
    """Return the rows of a file, all columns or some, with null in those that its version did not have."""
    wanted = dataset.schema if columns is None else pa.schema([dataset.schema.field(name) for name in columns])
    return pa.Table.from_arrays(
        [
            pa.chunked_array([pa.nulls(table.num_rows, field.type)]) if field.name in absent else table[field.name]
            for field in wanted
        ],
        schema=wanted,
    )
