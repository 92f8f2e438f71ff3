"""The few things a store does with files, so that an object store can stand beside the local disk.

Paths are relative to the store's root, with `/` between their parts.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Protocol, Self, TypeAlias
from uuid import uuid4

import pyarrow as pa

from storage.errors import explained

Content: TypeAlias = "bytes | pa.Buffer"

ANY: Final = "*"
"""The version that `publish` replaces unless told otherwise: whatever is there, or nothing."""

_TEMPORARY: Final = "state/tmp"
_GROWING: Final = "state/growing"
_LOCKS: Final = "state/locks"


class Files(Protocol):
    """Where a store keeps its files. A file is seen whole, as it was or as it is, or not at all."""

    def read(self, path: str) -> bytes:
        """Return a file's bytes; FileNotFoundError where there is none."""

    def read_with_version(self, path: str) -> tuple[bytes, str]:
        """Return a file's bytes and their version, by which `publish` replaces these and no others."""

    def open(self, path: str) -> pa.NativeFile:
        """Open a file to read parts of it; FileNotFoundError where there is none."""

    def exists(self, path: str) -> bool:
        """Say whether there is such a file."""

    def list(self, folder: str) -> list[str]:
        """Return the paths of all files below a folder, in order; none where there is no such folder."""

    def publish(self, path: str, content: Content, *, replacing: str | None = ANY) -> None:
        """Put a file in place, or replace it, in one step that survives a power cut.

        `replacing` is the version that is to be replaced, or None where there was no file. Where locks can be lost, a
        file of another version is left alone, with a LockLostError.
        """

    def temporary(self, name: str) -> Path:
        """Return where on the local disk a file of this name is written bit by bit, to be adopted when whole."""

    def growing(self) -> Path:
        """Return the folder of the local disk for files that grow for hours.

        What a killed writer leaves there is not swept: whoever comes next on this machine goes on with it.
        """

    def adopt(self, local: Path, path: str, *, replacing: str | None = ANY) -> None:
        """Move a finished local file into place, as `publish` does."""

    def remove(self, path: str) -> None:
        """Remove a file; one already gone is no trouble."""

    def lock(self, name: str) -> AbstractContextManager[None]:
        """Hold the lock of this name; one whose holder died is free."""

    def try_lock(self, name: str) -> AbstractContextManager[bool]:
        """Hold the lock of this name if it is free, and say whether it was."""

    def close(self) -> None:
        """Let go of the store."""


@dataclass(frozen=True, slots=True)
class LocalFiles:
    """Files in a folder of a local disk.

    Locks are `flock`s, which the system takes back from a dead process; network file systems may not honour them.
    They cannot be lost, so a file that is read and replaced under one needs no version.
    """

    root: Path
    _in_use: BinaryIO

    @classmethod
    def at(cls, root: Path) -> Self:
        """Make the folder ready for use, and sweep what killed writers left where no other process is at work."""
        with explained(root):
            for folder in (_TEMPORARY, _LOCKS):
                (root / folder).mkdir(parents=True, exist_ok=True)
            in_use = (root / _LOCKS / "in-use.lock").open("ab")
            with suppress(BlockingIOError):
                fcntl.flock(in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _empty(root / _TEMPORARY)
            fcntl.flock(in_use, fcntl.LOCK_SH)
        return cls(root, in_use)

    def read(self, path: str) -> bytes:
        with explained(self.root / path, besides=FileNotFoundError, reading=True):
            return (self.root / path).read_bytes()

    def read_with_version(self, path: str) -> tuple[bytes, str]:
        return self.read(path), ANY

    def open(self, path: str) -> pa.NativeFile:
        return opened(self.root / path)

    def exists(self, path: str) -> bool:
        return (self.root / path).is_file()

    def list(self, folder: str) -> list[str]:
        with explained(self.root / folder, reading=True):
            walked = os.walk(self.root / folder, onerror=_refuse)
            found = [Path(where, name) for where, _, names in walked for name in names]
            return sorted(file.relative_to(self.root).as_posix() for file in found if file.is_file())

    def publish(self, path: str, content: Content, *, replacing: str | None = ANY) -> None:  # noqa: ARG002
        temporary = self.temporary(uuid4().hex)
        with explained(self.root / path):
            try:
                with temporary.open("xb") as file:
                    file.write(content)
                self.adopt(temporary, path)
            finally:
                temporary.unlink(missing_ok=True)

    def temporary(self, name: str) -> Path:
        return self.root / _TEMPORARY / f"{name}.tmp"

    def growing(self) -> Path:
        folder = self.root / _GROWING
        folder.mkdir(exist_ok=True)
        return folder

    def adopt(self, local: Path, path: str, *, replacing: str | None = ANY) -> None:  # noqa: ARG002
        target = self.root / path
        with explained(target):
            _sync(local)
            _make_folder(target.parent)
            local.replace(target)
            _sync(target.parent)

    def remove(self, path: str) -> None:
        with explained(self.root / path):
            (self.root / path).unlink(missing_ok=True)

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        with _holding(self._lock_file(name), fcntl.LOCK_EX):
            yield

    @contextmanager
    def try_lock(self, name: str) -> Iterator[bool]:
        with ExitStack() as stack:
            try:
                stack.enter_context(_holding(self._lock_file(name), fcntl.LOCK_EX | fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
            else:
                yield True

    def close(self) -> None:
        self._in_use.close()

    def _lock_file(self, name: str) -> Path:
        return self.root / _LOCKS / f"{name}.lock"


def _refuse(error: OSError) -> None:
    """Let a folder be gone, and no other trouble pass: what may not be looked at is not empty."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error


def opened(path: Path) -> pa.NativeFile:
    """Open a file of the local disk to read parts of it; FileNotFoundError where there is none."""
    with explained(path, besides=FileNotFoundError, reading=True):
        return pa.OSFile(str(path), mode="rb")


@contextmanager
def _holding(path: Path, how: int) -> Iterator[None]:
    with explained(path, besides=BlockingIOError):
        held = _locked(path, how)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        held.close()


def _locked(path: Path, how: int) -> BinaryIO:
    """Open and lock a lock file: the one that is there now, not one that its last holder has unlinked meanwhile."""
    while True:
        held = path.open("ab")
        try:
            fcntl.flock(held, how)
            if os.path.samestat(os.fstat(held.fileno()), path.stat()):
                return held
        except FileNotFoundError:
            pass
        except BaseException:
            held.close()
            raise
        held.close()


def _make_folder(folder: Path) -> None:
    """Make a folder and its parents so that they, too, survive a power cut."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync(folder.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _empty(folder: Path) -> None:
    for stray in folder.iterdir():
        stray.unlink(missing_ok=True)
