"""The page archive: what was fetched, byte for byte, as gzipped WARC files that any WARC tool reads.

Each record is a gzip member of its own, so that one page is read with one seek. The records are put together here,
and compressed by FastWARC: warcio compresses at level 9 and cannot be told otherwise, which costs many times as much.
"""

import base64
import hashlib
import io
import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self
from urllib.parse import quote

import fastwarc
import warcio.archiveiterator
from warcio.exceptions import ArchiveLoadFailed

from storage.errors import DamagedFileError, StoreError, explained
from storage.files import Files
from storage.staging import checked_name

FOLDER: Final = "pages"

_LEVEL: Final = 1
"""Level for what came plain: level 2 saves a fifth of the size and costs half as much time again."""

_STORED: Final = 0
"""Level for payloads that came compressed: a second time gains nothing."""

_LINE_BREAKS: Final = re.compile(r"[\r\n]+\s*")
_URI_CHARACTERS: Final = "".join(map(chr, range(0x21, 0x7F)))
_SOFTWARE: Final = b"software: copydesk\r\nformat: WARC File Format 1.1\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPage:
    """A page as the archive keeps it; `payload` may still be content-encoded, as `headers` say.

    `status` and `reason` are None for a document that came from disk.
    """

    url: str
    fetched_at: datetime
    status: int | None
    reason: str | None
    headers: tuple[tuple[str, str], ...]
    payload: bytes = field(repr=False)


class PageWriter:
    """Writes one WARC file, which appears in the archive when the writer is closed, whole.

    After an exception, too, what was written until then is kept; `discard` throws it away. Not for use by several
    threads at once.
    """

    def __init__(self, files: Files, file: str, temporary: Path, stream: BinaryIO) -> None:
        self.file = file
        self.records = 0
        self.size = 0
        self._files = files
        self._temporary = temporary
        self._stream = stream

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write_response(
        self,
        url: str,
        fetched_at: datetime,
        status: int,
        reason: str,
        headers: Sequence[tuple[str, str]],
        payload: bytes,
    ) -> tuple[str, int]:
        """Keep an HTTP response and return its file and offset; `payload` as received, without transfer encoding."""
        kept = [(name, value) for name, value in headers if name.lower() != "transfer-encoding"]
        head = _head(f"HTTP/1.1 {status} {_one_line(reason)}".rstrip(), kept)
        is_compressed = any(name.lower() == "content-encoding" for name, _ in kept)
        fields = [
            ("WARC-Type", "response"),
            ("WARC-Target-URI", quote(url, safe=_URI_CHARACTERS)),
            ("Content-Type", "application/http; msgtype=response"),
            ("WARC-Payload-Digest", _digest(payload)),
        ]
        return self._write(fields, fetched_at, head + payload, _STORED if is_compressed else _LEVEL)

    def write_resource(self, uri: str, fetched_at: datetime, content_type: str, payload: bytes) -> tuple[str, int]:
        """Keep a document that came from disk and return its file and offset."""
        fields = [
            ("WARC-Type", "resource"),
            ("WARC-Target-URI", quote(uri, safe=_URI_CHARACTERS)),
            ("Content-Type", _one_line(content_type)),
            ("WARC-Payload-Digest", _digest(payload)),
        ]
        return self._write(fields, fetched_at, payload, _LEVEL)

    def close(self) -> None:
        """Publish what was written; a file without records is not published."""
        if self._stream.closed:
            return
        if not self.records:
            self.discard()
            return
        with explained(self._temporary):
            self._stream.truncate(self.size)  # a record that the disk had no room for is cut off
            self._stream.close()
        self._files.adopt(self._temporary, f"{FOLDER}/{self.file}", replacing=None)

    def discard(self) -> None:
        """Throw away what was written."""
        self._stream.close()
        self._temporary.unlink(missing_ok=True)

    def _write(self, fields: list[tuple[str, str]], moment: datetime, block: bytes, level: int) -> tuple[str, int]:
        if not self.records:
            about = [("WARC-Type", "warcinfo"), ("Content-Type", "application/warc-fields")]
            about.append(("WARC-Filename", self.file.rpartition("/")[2]))
            self._append(_record(about, moment, _SOFTWARE), _LEVEL)
        offset = self.size
        self._append(_record(fields, moment, block), level)
        self.records += 1
        return self.file, offset

    def _append(self, record: bytes, level: int) -> None:
        member = io.BytesIO()
        with fastwarc.GzipWriter(member, compression_level=level) as gzip:
            gzip.write(record)
        with explained(self._temporary):
            self._stream.seek(self.size)
            self._stream.write(member.getbuffer())
            self._stream.flush()
        self.size += len(member.getbuffer())


@dataclass(frozen=True, slots=True)
class Pages:
    """The archive of a store: `store.pages`."""

    files: Files

    def writer(self, name: str, day: date) -> PageWriter:
        """Return a writer for `pages/YYYY/MM/DD/<name>.warc.gz`; a name that is taken gets a number."""
        for file in _names(checked_name(name), day):
            temporary = self.files.temporary(file.replace("/", "-"))
            if self.files.exists(f"{FOLDER}/{file}"):
                continue
            with explained(temporary):
                try:
                    stream = temporary.open("xb")
                except FileExistsError:
                    continue
            # Whoever held the temporary file before may have published it in this moment.
            if self.files.exists(f"{FOLDER}/{file}"):
                stream.close()
                temporary.unlink()
                continue
            return PageWriter(self.files, file, temporary, stream)
        raise AssertionError("names do not run out")

    def read(self, file: str, offset: int) -> StoredPage:
        """Read one page back, with one seek."""
        path = f"{FOLDER}/{file}"
        try:
            with self.files.open(path) as stream:
                return _read(stream, offset)
        except FileNotFoundError:
            raise StoreError(f"{path}: this archive file is gone. Fetch its pages again.") from None
        except (OSError, ArchiveLoadFailed, StopIteration, ValueError) as error:
            raise DamagedFileError(
                f"{path}: no page can be read at byte {offset} ({error}). Restore the file from a copy, or fetch again."
            ) from error

    def list(self) -> list[str]:
        """Return the files of the archive, in order."""
        return [path.removeprefix(f"{FOLDER}/") for path in self.files.list(FOLDER) if path.endswith(".warc.gz")]


def _names(name: str, day: date) -> Iterator[str]:
    yield f"{day:%Y/%m/%d}/{name}.warc.gz"
    for number in count(2):
        yield f"{day:%Y/%m/%d}/{name}-{number}.warc.gz"


# Writing


def _record(fields: list[tuple[str, str]], moment: datetime, block: bytes) -> bytes:
    digest = _digest(block)
    date_ = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    # The id follows from the record, so that the same pages make the same file.
    record_id = uuid.uuid5(uuid.NAMESPACE_URL, "\n".join((digest, date_, *(value for _, value in fields))))
    described = [
        *fields[:1],
        ("WARC-Record-ID", f"<urn:uuid:{record_id}>"),
        ("WARC-Date", date_),
        *fields[1:],
        ("WARC-Block-Digest", digest),
        ("Content-Length", str(len(block))),
    ]
    return _head("WARC/1.1", described) + block + b"\r\n\r\n"


def _head(first: str, fields: Sequence[tuple[str, str]]) -> bytes:
    lines = [first, *(f"{_one_line(name)}: {_one_line(value)}" for name, value in fields), "", ""]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape")


def _one_line(value: str) -> str:
    return _LINE_BREAKS.sub(" ", value)


def _digest(content: bytes) -> str:
    # SHA-1 in base 32 is what WARC tools expect; the row's own digest of a page is SHA-256.
    return "sha1:" + base64.b32encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode()


# Reading


def _read(stream: BinaryIO, offset: int) -> StoredPage:
    stream.seek(offset)
    try:
        return _from_fastwarc(next(iter(fastwarc.ArchiveIterator(stream, parse_http=True))))
    except (OSError, StopIteration):
        # warcio reads some files that FastWARC refuses, such as ARC and those that break off.
        stream.seek(offset)
        return _from_warcio(next(iter(warcio.archiveiterator.ArchiveIterator(stream, arc2warc=True))))


def _from_fastwarc(record: fastwarc.WarcRecord) -> StoredPage:
    url, moment = record.headers["WARC-Target-URI"], _moment(record.headers["WARC-Date"])
    if not record.is_http:
        headers = (("Content-Type", record.headers.get("Content-Type") or "application/octet-stream"),)
        return StoredPage(
            url=url, fetched_at=moment, status=None, reason=None, headers=headers, payload=record.reader.read()
        )
    return StoredPage(
        url=url,
        fetched_at=moment,
        status=record.http_headers.status_code,
        reason=record.http_headers.reason_phrase or "",
        headers=tuple((_text(name), _text(value)) for name, value in record.http_headers.items_bytes()),
        payload=record.reader.read(),
    )


def _from_warcio(record: "warcio.recordloader.ArcWarcRecord") -> StoredPage:
    url, moment = record.rec_headers.get_header("WARC-Target-URI"), _moment(record.rec_headers.get_header("WARC-Date"))
    payload = record.raw_stream.read()
    if record.http_headers is None:
        headers = (("Content-Type", record.rec_headers.get_header("Content-Type") or "application/octet-stream"),)
        return StoredPage(url=url, fetched_at=moment, status=None, reason=None, headers=headers, payload=payload)
    status, _, reason = record.http_headers.statusline.partition(" ")
    return StoredPage(
        url=url,
        fetched_at=moment,
        status=int(status),
        reason=reason,
        headers=tuple((name, value) for name, value in record.http_headers.headers),
        payload=payload,
    )


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
