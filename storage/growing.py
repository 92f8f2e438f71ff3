"""A file that grows for hours, and beside it lines that tell what it holds: both outlive the death of their writer.

The lines may also outlive the file, which is moved into place when it is whole.

The writer holds a lock on the file, which the system takes back from a dead process: whoever can have it goes on.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Self

_LINES: Final = ".lines"
_FILE: Final = ".growing"


@dataclass(slots=True)
class GrowingFile:
    """A file on the local disk that this process writes, and nobody else."""

    path: Path
    stream: BinaryIO
    _lines: BinaryIO | None = None

    @classmethod
    def begin(cls, folder: Path, name: str) -> Self | None:
        """Begin a file, or return None where one of this name grows already."""
        path = folder / f"{name}{_FILE}"
        try:
            stream = path.open("x+b")
        except FileExistsError:
            return None
        fcntl.flock(stream, fcntl.LOCK_EX)
        return cls._held(path, stream)  # somebody may have taken it for abandoned before it was locked

    @classmethod
    def abandoned(cls, folder: Path) -> Iterator[Self]:
        """Yield the files below a folder whose writer is dead, held from now on."""
        for path in sorted(folder.glob(f"*{_FILE}")):
            with suppress(FileNotFoundError, BlockingIOError):
                stream = path.open("r+b")
                try:
                    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    stream.close()
                    raise
                if (held := cls._held(path, stream)) is not None:
                    yield held

    @staticmethod
    def outlived(folder: Path) -> Iterator[tuple[str, list[bytes]]]:
        """Yield the names of files that grow no longer, and the lines beside them that are still there."""
        for path in sorted(folder.glob(f"*{_LINES}")):
            if not path.with_name(path.name.removesuffix(_LINES) + _FILE).exists():
                yield path.name.removesuffix(_LINES), _lines(path)

    @staticmethod
    def drop_lines(folder: Path, name: str) -> None:
        """Remove the lines beside a file of this name; those already gone are no trouble."""
        (folder / f"{name}{_LINES}").unlink(missing_ok=True)

    @classmethod
    def _held(cls, path: Path, stream: BinaryIO) -> Self | None:
        """Return the file that was locked, if it is still the one of its name."""
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(stream.fileno()), path.stat()):
                return cls(path, stream)
        stream.close()
        return None

    @property
    def name(self) -> str:
        """The name it was begun under."""
        return self.path.name.removesuffix(_FILE)

    def tell(self, line: bytes) -> None:
        """Add a line beside the file; it is safe from the death of this process when this returns."""
        if self._lines is None:
            self._lines = self._beside.open("ab", buffering=0)
        self._lines.write(line + b"\n")

    def told(self) -> list[bytes]:
        """Return the lines beside the file; one that breaks off is none."""
        return _lines(self._beside)

    def end(self) -> None:
        """Let go of the file, and remove it with its lines, unless it was moved into place."""
        if self._lines is not None:
            self._lines.close()
        self._beside.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)
        self.stream.close()

    @property
    def _beside(self) -> Path:
        return self.path.with_name(self.name + _LINES)


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return []
