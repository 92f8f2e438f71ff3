"""The files of a source, wherever they lie: in a folder on disk, or below a prefix of an S3 bucket."""

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, BinaryIO, Final, Protocol, Self

from storage.bucket import SCHEME, Bucket, Object, ObjectFile
from storage.errors import StoreError

_READ_AHEAD: Final = 4 * 1024 * 1024
"""Bytes of an object that are asked for at once: an archive of a gigabyte takes 250 requests."""


class ShelfClosed(Exception):  # noqa: N818 - named after the situation
    """A bucket that does not answer, or not to us: what it says. It says nothing about the files in it."""


class ShelvedFile(Protocol):
    """A file of a source. `name` is its path below the source's folder, as text that can be stored."""

    @property
    def name(self) -> str: ...

    @property
    def path(self) -> PurePath:
        """The path, for what its parts and its ending say."""

    def open(self) -> BinaryIO:
        """Open it to be read in order; OSError where it cannot be, `ShelfClosed` where the way to it is barred."""

    def changed_at(self) -> datetime:
        """When it was last written."""


class Shelf(Protocol):
    """A folder with files."""

    def files(self) -> Iterator[ShelvedFile]:
        """Yield the files of the folder and of those below it, in a stable order."""

    def file(self, name: str) -> ShelvedFile:
        """Return the file of that path below the folder, whether it is there or not."""


def shelf_at(location: str) -> Shelf:
    """Return the folder at a path, or at `s3://bucket/prefix`, as the environment says how to reach it."""
    return BucketShelf.at(location) if location.startswith(SCHEME) else DiskShelf(Path(location))


def file_at(location: str) -> ShelvedFile:
    """Return the one file at a path, or at `s3://bucket/path`."""
    if location.startswith(SCHEME):
        folder, _, name = location.rpartition("/")
        return BucketShelf.at(folder).file(name)
    path = Path(location)
    return DiskShelf(path.parent).file(path.name)


@dataclass(frozen=True, slots=True)
class DiskFile:
    """A file on disk."""

    path: Path
    name: str

    def open(self) -> BinaryIO:
        return self.path.open("rb")

    def changed_at(self) -> datetime:
        return datetime.fromtimestamp(self.path.stat().st_mtime, UTC)


@dataclass(frozen=True, slots=True)
class DiskShelf:
    """A folder on disk."""

    root: Path

    def files(self) -> Iterator[DiskFile]:
        for path in _files_below(self.root):
            yield DiskFile(path, _printable(path.relative_to(self.root).as_posix()))

    def file(self, name: str) -> DiskFile:
        return DiskFile(self.root / name, _printable(name))


@dataclass(frozen=True, slots=True)
class BucketFile:
    """An object in a bucket; `found` is what a listing has told of it already."""

    bucket: Bucket
    name: str
    found: Object | None = None

    @property
    def path(self) -> PurePosixPath:
        return PurePosixPath(self.name)

    def open(self) -> BinaryIO:
        return io.BufferedReader(_Stream(self.bucket, self._object()), _READ_AHEAD)

    def changed_at(self) -> datetime:
        return self._object().changed_at

    def _object(self) -> Object:
        try:
            return self.found or self.bucket.find(self.name)
        except StoreError as error:
            raise ShelfClosed(str(error)) from error


@dataclass(frozen=True, slots=True)
class BucketShelf:
    """What lies below a prefix of a bucket."""

    bucket: Bucket

    @classmethod
    def at(cls, url: str) -> Self:
        """Name a prefix; endpoint, keys and whether to do without come from the `AWS_…` variables."""
        try:
            return cls(Bucket.at(url))
        except StoreError as error:
            raise ShelfClosed(str(error)) from error

    def files(self) -> Iterator[BucketFile]:
        try:
            found = self.bucket.list()
        except StoreError as error:
            raise ShelfClosed(str(error)) from error
        for each in found:
            yield BucketFile(self.bucket, each.path, each)

    def file(self, name: str) -> BucketFile:
        return BucketFile(self.bucket, name)


class _Stream(io.RawIOBase):
    """An object read in order; what goes wrong on the way to it is not taken for damage of the file."""

    def __init__(self, bucket: Bucket, this: Object) -> None:
        self._object = ObjectFile(bucket, this)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._object.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._object.seek(offset, whence)

    def readinto(self, buffer: Any) -> int:
        try:
            return self._object.readinto(buffer)
        except (StoreError, OSError) as error:
            raise ShelfClosed(str(error)) from error


def _printable(name: str) -> str:
    r"""Return a file's name as text that can be stored: bytes that are no UTF-8 are spelled out.

    >>> _printable("caf\udce9.html")
    'caf\\xe9.html'
    """
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _files_below(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder and its subfolders in a stable order, without listing the whole tree first."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            yield from _files_below(path)
        elif path.is_file() or path.is_symlink():  # a link that leads nowhere is to be seen, a pipe never ends
            yield path
