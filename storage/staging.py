"""Batches on their way to the dataset: edited, on disk, not yet published.

A batch is an Arrow file in `state/staging/`, whole or not there, whose name says which run it is of. A killed run finds
its batches again.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.ipc

from storage.errors import DamagedFileError, StoreError, explained
from storage.files import Files
from storage.schema import DATASET_KEY

FOLDER: Final = "state/staging"
_SUFFIX: Final = ".arrow"
_ROWS_AT_A_TIME: Final = 4000
_SAFE_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Staging:
    """The staged batches of a store."""

    files: Files

    def write(self, run: str, key: str, name: str, table: pa.Table) -> str:
        """Stage a table and return its path, relative to the store's root.

        `key` names the batch, `name` what the table holds; the same three names again replace what stood there.
        """
        path = f"{FOLDER}/{'~'.join(map(checked_name, (run, key, name)))}{_SUFFIX}"
        self.files.publish(path, to_ipc(table))
        return path

    def read(self, path: str, columns: Collection[str] | None = None) -> pa.Table:
        """Read a staged table back: all columns, or those of some that it has."""
        try:
            content = pa.BufferReader(self.files.read(path))
            reader = pa.ipc.open_file(content)
            if columns is not None:
                places = [place for place, name in enumerate(reader.schema.names) if name in columns]
                reader = pa.ipc.open_file(content, options=pa.ipc.IpcReadOptions(included_fields=places))
            return reader.read_all()
        except FileNotFoundError:
            raise StoreError(f"{path}: this staged batch is gone. Run its batch again.") from None
        except pa.ArrowInvalid as error:
            raise DamagedFileError(
                f"{path}: this staged batch is damaged ({error}). Delete it and run its batch again."
            ) from error

    def take(
        self, paths: Sequence[str], batches: np.ndarray, rows: np.ndarray, columns: Collection[str] | None = None
    ) -> pa.Table:
        """Read some rows of staged tables, in the order asked for: each is named by its table's place, and its own."""
        places, parts = zip(*self._found(paths, batches, rows, columns), strict=True)
        return _in_order(places, parts)

    def take_in_turn(
        self, paths: Sequence[str], batches: np.ndarray, rows: np.ndarray, sizes: Sequence[int]
    ) -> Iterator[pa.Table]:
        """Read rows as `take` does, and yield so many of them, then so many; memory holds no more than these.

        Each batch may have rows for every turn. It is read once, and its rows are dealt out to a file for each turn: to
        read all batches again for each turn would cost 8 µs a row and turn, and to deal them out costs 4.
        """
        if len(sizes) == 1:
            yield self.take(paths, batches, rows)
            return
        places: list[list[np.ndarray]] = [[] for _ in sizes]
        with _temporary(self.files, len(sizes)) as dealt:
            with ExitStack() as stack:
                writers: list[pa.RecordBatchStreamWriter] = []
                for found, table in self._found(paths, batches, rows, None):
                    writers = writers or [stack.enter_context(_writer(path, table.schema)) for path in dealt]
                    cuts = [0, *np.searchsorted(found, np.cumsum(sizes))]
                    for turn, (start, end) in enumerate(pairwise(cuts)):
                        writers[turn].write_table(table.slice(start, end - start))
                        places[turn].append(found[start:end])
            for path, taken in zip(dealt, places, strict=True):
                with pa.memory_map(str(path)) as file:
                    yield _in_order(taken, [pa.ipc.open_stream(file).read_all()])

    def _found(
        self, paths: Sequence[str], batches: np.ndarray, rows: np.ndarray, columns: Collection[str] | None
    ) -> Iterator[tuple[np.ndarray, pa.Table]]:
        """Yield rows as they are found, with their places in the order asked for, which ascend within a table."""
        for some, tables in self._several(paths, np.unique(batches), columns):
            starts = np.cumsum([0, *(table.num_rows for table in tables)])
            here = np.flatnonzero(np.isin(batches, some))
            whole = pa.concat_tables(tables).combine_chunks()
            yield here, whole.take(starts[np.searchsorted(some, batches[here])] + rows[here])

    def _several(
        self, paths: Sequence[str], wanted: np.ndarray, columns: Collection[str] | None
    ) -> Iterator[tuple[list[int], list[pa.Table]]]:
        """Yield tables with their places, some thousand rows at once.

        To take rows from each of many costs ten times as much: it is paid for every buffer of every nested column.
        """
        places: list[int] = []
        tables: list[pa.Table] = []
        for place in wanted.tolist():
            places.append(place)
            tables.append(self.read(paths[place], columns))
            if sum(table.num_rows for table in tables) >= _ROWS_AT_A_TIME:
                yield places, tables
                places, tables = [], []
        if tables:
            yield places, tables

    def replace(self, path: str, table: pa.Table) -> None:
        """Put another table in the place of a staged one."""
        self.files.publish(path, to_ipc(table))

    def runs(self) -> dict[str, tuple[str, ...]]:
        """Return the batches that are staged and not removed, by run: what a killed run had done."""
        found: dict[str, list[str]] = {}
        for path in self.files.list(FOLDER):
            if path.endswith(_SUFFIX):
                found.setdefault(path.removeprefix(f"{FOLDER}/").split("~")[0], []).append(path)
        return {run: tuple(sorted(paths)) for run, paths in sorted(found.items())}

    def remove(self, paths: Iterable[str]) -> None:
        """Remove staged batches; those already gone are no trouble."""
        for path in paths:
            self.files.remove(path)


def _in_order(places: Sequence[np.ndarray], parts: Sequence[pa.Table]) -> pa.Table:
    return pa.concat_tables(parts).combine_chunks().take(np.argsort(np.concatenate(places)))


@contextmanager
def _temporary(files: Files, count: int) -> Iterator[list[Path]]:
    """Name files on the local disk that are gone afterwards."""
    paths = [files.temporary(f"dealt-{uuid4().hex}") for _ in range(count)]
    try:
        yield paths
    finally:
        for path in paths:
            path.unlink(missing_ok=True)


@contextmanager
def _writer(path: Path, schema: pa.Schema) -> Iterator[pa.RecordBatchStreamWriter]:
    with explained(path), pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, schema) as writer:
        yield writer


def to_ipc(table: pa.Table) -> pa.Buffer:
    """Return a table as the bytes of an Arrow file."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_table(table)
    return sink.getvalue()


def holds(table: pa.Table) -> str:
    """Return the name of the schema that a staged table was written with, such as `staged_articles`."""
    name: bytes = (table.schema.metadata or {}).get(DATASET_KEY, b"")
    return name.decode()


def checked_name(name: str) -> str:
    """Return a name that is safe in a path, or say that it is not."""
    if not _SAFE_NAME.fullmatch(name):
        raise StoreError(f"{name!r} cannot name a staged batch: use letters, digits, `.`, `_` and `-`.")
    return name
