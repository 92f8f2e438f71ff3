"""One file of a dataset: read, encode, replace."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from storage.errors import DamagedFileError, SchemaVersionError
from storage.files import Files
from storage.manifest import Entry
from storage.merge import keys, ordered
from storage.schema import SCHEMA_VERSION, VERSION_KEY, Dataset

ROW_GROUP: Final = 4096


@dataclass(frozen=True, slots=True)
class Partition:
    """The rows of a partition, and the SHA-256 and version of its file; no file, no rows."""

    table: pa.Table
    sha256: str | None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Press:
    """Publishes partitions for one commit and remembers what it published.

    `recorded` is what the manifest knows, where a commit goes on that died: then a file that the manifest does not
    know was published by the attempt that died.
    """

    files: Files
    run: str
    entries: list[Entry] = field(default_factory=list)
    recorded: frozenset[tuple[str, date, str]] | None = None

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
        if self.recorded is None:
            return
        stored = read(self.files, dataset, day)
        if stored.sha256 is not None and (dataset.name, day, stored.sha256) not in self.recorded:
            self._note(dataset, day, stored.table, self.files.read(dataset.path(day)), None)

    def published(self, dataset: Dataset) -> tuple[date, ...]:
        """Return the days of a dataset that were published."""
        return tuple(sorted({entry.partition for entry in self.entries if entry.dataset == dataset.name}))

    def _note(
        self, dataset: Dataset, day: date, table: pa.Table, content: bytes | pa.Buffer, previous: str | None
    ) -> None:
        names = keys(dataset, table)
        entry = Entry(
            dataset=dataset.name,
            partition=day,
            run=self.run,
            rows=table.num_rows,
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            previous=previous,
            schema=SCHEMA_VERSION,
            first_key=names[0].as_py() if len(names) else None,
            last_key=names[-1].as_py() if len(names) else None,
        )
        self.entries.append(entry)


def read(files: Files, dataset: Dataset, day: date, columns: Sequence[str] | None = None) -> Partition:
    """Read a partition, all columns or some, and check that this version knows its schema."""
    path = dataset.path(day)
    try:
        content, version = files.read_with_version(path)
    except FileNotFoundError:
        return Partition(dataset.schema.empty_table(), None)
    try:
        file = pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
        _check_version(path, file.schema_arrow)
        table = file.read(columns=columns)
    except (pa.ArrowInvalid, OSError) as error:
        raise DamagedFileError(
            f"{path}: this file is damaged ({error}). Restore it from a copy, or delete it and reprocess its day."
        ) from error
    if columns is None:
        table = pa.Table.from_arrays([table[name] for name in dataset.schema.names], schema=dataset.schema)
    return Partition(table, hashlib.sha256(content).hexdigest(), version)


def encode(dataset: Dataset, table: pa.Table) -> pa.Buffer:
    """Return the bytes of a partition's file; the same rows give the same bytes."""
    sink = pa.BufferOutputStream()
    pq.write_table(
        table.combine_chunks(),
        sink,
        row_group_size=ROW_GROUP,
        compression="zstd",
        compression_level=3,
        use_dictionary=list(dataset.dictionary),
        write_page_index=True,
        write_page_checksum=True,
    )
    return sink.getvalue()


def days(files: Files, dataset: Dataset) -> list[date]:
    """Return the days a dataset has files for, in order."""
    found = []
    for path in files.list(dataset.folder):
        folder = path.split("/")[-2]
        day = date.fromisoformat(folder.removeprefix(f"{dataset.partition_key}="))
        if path == dataset.path(day):
            found.append(day)
    return found


def _check_version(path: str, schema: pa.Schema) -> None:
    version = (schema.metadata or {}).get(VERSION_KEY, b"none").decode()
    if version != SCHEMA_VERSION:
        raise SchemaVersionError(
            f"{path}: this file has schema version {version}, and this copydesk knows {SCHEMA_VERSION}. "
            "Use the copydesk that wrote it, or another --data folder."
        )
