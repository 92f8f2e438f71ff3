"""Archives and lists of them at web addresses: read in parts, each a request like any other, polite and in bounds."""

import errno
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from tasks.documents import Candidate, Reason, Rejection
from tasks.fetch.results import Deferred, Fetched, Request, Result, Wanted
from tasks.fetch.shelf import ShelfClosed
from tasks.fetch.sources import Source

PART: Final = 8 * 1024 * 1024
"""Bytes that are asked for at once: an archive of a gigabyte takes 128 turns at its host."""

_LARGEST: Final = 100 * 1024**3
"""Bytes that a file may have: those of Common Crawl have one gigabyte, and no server is to send without end."""

_PARTIAL: Final = 206
_CONTENT_RANGE: Final = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", re.ASCII)

Ask = Callable[[Request], Result]
"""Fetches what a request asks for, and waits for it."""


@dataclass(frozen=True, slots=True)
class WebShelf:
    """What lies below a web address, which is not to be listed: a file is had by its name."""

    source: Source
    root: str
    ask: Ask

    def files(self) -> Iterator["WebFile"]:
        """Refuse: what lies below an address is not told."""
        raise ShelfClosed(f"{self.root} cannot be listed. Name a list of paths there.")

    def file(self, name: str) -> "WebFile":
        """Return the file of that path below the address, whether it is there or not."""
        return WebFile(self.source, urljoin(f"{self.root}/", name), name, self.ask)


@dataclass(frozen=True, slots=True)
class WebFile:
    """A file at a web address."""

    source: Source
    url: str
    name: str
    ask: Ask

    @property
    def path(self) -> PurePosixPath:
        """The path in its address."""
        return PurePosixPath(urlsplit(self.url).path)

    def open(self) -> io.BufferedReader:
        """Open it to be read in order; its first part is had at once, so that a file that is not there cannot be."""
        return io.BufferedReader(_Parts(self), PART)

    def changed_at(self) -> datetime:
        """Refuse: records bring dates of their own, and no other documents are read from the web as files."""
        raise OSError(f"{self.url}: only archives and lists of them are read as files from the web")

    def part(self, start: int) -> Fetched:
        """Ask for the part that begins at a byte; OSError where the file is not there, `ShelfClosed` for all else."""
        candidate = Candidate(input=self.url, source=self.source.name, url=self.url)
        request = Request(candidate=candidate, source=self.source, wanted=Wanted.ARCHIVE, part=(start, start + PART))
        match self.ask(request):
            case Fetched() as fetched:
                return fetched
            case Rejection(reason=Reason.NOT_FOUND | Reason.GONE, detail=detail):
                raise FileNotFoundError(errno.ENOENT, f"{self.url}: {detail}")
            case Rejection(reason=reason, detail=detail):
                raise ShelfClosed(f"{self.url}: {detail} ({reason})")
            case Deferred(until=until, detail=detail):
                raise ShelfClosed(f"{self.url}: {detail}, until {until:%Y-%m-%d %H:%M} UTC")
            case _:
                raise AssertionError("nobody asked whether it has changed")


class _Parts(io.RawIOBase):
    """A file read in order, a part at a time.

    What goes wrong on the way to it, a file that is replaced meanwhile included, is not taken for damage of the file.
    """

    def __init__(self, file: WebFile) -> None:
        self._file = file
        self._place = 0
        self._known: tuple[int, str | None] | None = None  # size, and ETag or date
        self._kept = self._ask()  # the part last asked for, and where it begins

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        size = self._known[0] if self._known else 0
        self._place = offset + (0, self._place, size)[whence]
        return self._place

    def readinto(self, buffer: Any) -> int:
        if self._known is None or self._place >= self._known[0]:
            return 0
        begin, part = self._kept
        if not begin <= self._place < begin + len(part):
            begin, part = self._kept = self._ask()
        piece = memoryview(part)[self._place - begin :][: len(buffer)]
        buffer[: len(piece)] = piece
        self._place += len(piece)
        return len(piece)

    def _ask(self) -> tuple[int, bytes]:
        """Return the part at this place and where it begins: a server that knows no parts sends all there is."""
        fetched = self._file.part(self._place)
        begin, size = _extent(fetched, self._place)
        known = size, fetched.etag or fetched.last_modified
        if self._known not in {None, known}:
            raise ShelfClosed(f"{self._file.url}: replaced while it was read; the next run reads the new one")
        self._known = known
        return begin, fetched.body


def _extent(fetched: Fetched, start: int) -> tuple[int, int]:
    """Return where an answer begins in the file, and how long that is; `ShelfClosed` where it is not what it should be.

    A part is as long as was asked for, or ends the file: a server of small ones would be asked without end.
    """
    if fetched.status != _PARTIAL:
        return 0, len(fetched.body)
    told = next((value for name, value in fetched.headers if name.lower() == "content-range"), "none")
    match = _CONTENT_RANGE.fullmatch(told.strip())
    begin, last, size = map(int, match.groups()) if match else (-1, -1, 0)
    whole = min(start + PART, size) - start
    if (begin, last - begin + 1, len(fetched.body)) != (start, whole, whole) or whole <= 0:
        raise ShelfClosed(
            f"{fetched.url}: another part came than was asked for: {len(fetched.body)} bytes, "
            f"Content-Range {told[:100]!r}"
        )
    if size > _LARGEST:
        raise ShelfClosed(f"{fetched.url}: {size} bytes announced")
    return begin, size
