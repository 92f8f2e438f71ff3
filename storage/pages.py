"""The page archive: what was fetched, byte for byte, as gzipped WARC files that any WARC tool reads.

Each record is a gzip member of its own, so that one page is read with one seek. The records are put together here,
and compressed by FastWARC: warcio compresses at level 9 and cannot be told otherwise, which costs many times as much.
What came compressed is only wrapped, which zlib does best.
"""

import base64
import hashlib
import io
import re
import uuid
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import count, takewhile
from types import TracebackType
from typing import BinaryIO, Final, Self
from urllib.parse import quote

import fastwarc
import warcio.archiveiterator
from warcio.exceptions import ArchiveLoadFailed

from storage.errors import DamagedFileError, PageGoneError, StoreError, explained
from storage.files import Files
from storage.growing import GrowingFile
from storage.staging import checked_name
from storage.warc import ERASED, Record, blanked, records

FOLDER: Final = "pages"

_LEVEL: Final = 1
"""Level for what came plain: level 2 saves a fifth of the size and costs half as much time again."""

_GZIP: Final = 31  # zlib's number for "gzip, any window"
_NOT_MODIFIED: Final = 304

_UNREADABLE: Final = (
    OSError,
    ArchiveLoadFailed,
    StopIteration,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
)
"""What the two readers raise where a record is none, or breaks off: often what they stumble over, not what is wrong."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A page in the archive that a later answer repeats, and what a revisit record says of it."""

    file: str
    offset: int
    url: str
    record_id: str
    date: str
    digest: str


class PageWriter:
    """Writes one WARC file, which appears in the archive when the writer is closed, whole.

    After an exception, too, what was written until then is kept; `discard` throws it away. After a death,
    `Pages.abandoned` goes on with it. Not for use by several threads at once.
    """

    def __init__(self, files: Files, file: str, growing: GrowingFile) -> None:
        self.file = file
        self.records = 0
        self.size = 0
        self._growing = growing
        self._files = files
        self._temporary = growing.path
        self._stream = growing.stream
        self._press = _Press()

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
        head = _http_head(status, reason, headers)
        is_compressed = any(name.lower() == "content-encoding" for name, _ in headers)
        fields = [
            ("WARC-Type", "response"),
            ("WARC-Target-URI", target_uri(url)),
            ("Content-Type", "application/http; msgtype=response"),
            ("WARC-Payload-Digest", _digest(payload)),
        ]
        return self._write(fields, fetched_at, head + payload, _wrapped if is_compressed else self._press)

    def write_resource(self, uri: str, fetched_at: datetime, content_type: str, payload: bytes) -> tuple[str, int]:
        """Keep a document that came from disk and return its file and offset."""
        fields = [
            ("WARC-Type", "resource"),
            ("WARC-Target-URI", target_uri(uri)),
            ("Content-Type", content_type),
            ("WARC-Payload-Digest", _digest(payload)),
        ]
        return self._write(fields, fetched_at, payload, self._press)

    def write_revisit(
        self,
        url: str,
        fetched_at: datetime,
        status: int,
        reason: str,
        headers: Sequence[tuple[str, str]],
        original: Original,
    ) -> tuple[str, int]:
        """Keep an answer whose page lies in the archive already (`Pages.original`), and return its file and offset.

        The server said so with 304 Not Modified, or it sent the same bytes again.
        """
        profile = "server-not-modified" if status == _NOT_MODIFIED else "identical-payload-digest"
        fields = [
            ("WARC-Type", "revisit"),
            ("WARC-Target-URI", target_uri(url)),
            ("Content-Type", "application/http; msgtype=response"),
            ("WARC-Profile", f"http://netpreserve.org/warc/1.1/revisit/{profile}"),
            ("WARC-Refers-To", original.record_id),
            ("WARC-Refers-To-Target-URI", original.url),
            ("WARC-Refers-To-Date", original.date),
            ("WARC-Refers-To-Filename", original.file),
            ("WARC-Refers-To-File-Offset", str(original.offset)),
            ("WARC-Payload-Digest", original.digest),
        ]
        return self._write(fields, fetched_at, _http_head(status, reason, headers), self._press)

    def close(self) -> None:
        """Publish what was written; a file without records is not published."""
        if self._stream.closed:
            return
        if not self.records:
            self.discard()
            return
        with explained(self._temporary):
            self._stream.truncate(self.size)  # a record that the disk had no room for is cut off
            self._stream.flush()
        self._files.adopt(self._temporary, f"{FOLDER}/{self.file}", replacing=None)
        self._stream.close()

    def discard(self) -> None:
        """Throw away what was written."""
        self._growing.end()

    def tell(self, line: bytes) -> None:
        """Keep a line about what was written until `forget`, for whoever goes on after this process's death."""
        with explained(self._temporary):
            self._growing.tell(line)

    def forget(self) -> None:
        """Drop the lines about what was written: it is known otherwise."""
        self._growing.end()

    def _write(
        self, fields: list[tuple[str, str]], moment: datetime, block: bytes, gzip: Callable[[bytes], bytes]
    ) -> tuple[str, int]:
        if not self.records:
            about = [("WARC-Type", "warcinfo"), ("Content-Type", "application/warc-fields")]
            about.append(("WARC-Filename", self.file.rpartition("/")[2]))
            self._append(self._press(_record(about, moment, _SOFTWARE)))
        offset = self.size
        self._append(gzip(_record(fields, moment, block)))
        self.records += 1
        return self.file, offset

    def _append(self, member: bytes) -> None:
        with explained(self._temporary):
            self._stream.seek(self.size)  # a record that the disk had no room for is written over
            self._stream.write(member)
            self._stream.flush()
        self.size += len(member)


@dataclass(frozen=True, slots=True)
class Pages:
    """The archive of a store: `store.pages`."""

    files: Files

    def writer(self, name: str, day: date) -> PageWriter:
        """Return a writer for `pages/YYYY/MM/DD/<name>.warc.gz`; a name that is taken gets a number."""
        folder = self.files.growing()
        for file in _names(checked_name(name), day):
            if self.files.exists(f"{FOLDER}/{file}"):
                continue
            with explained(folder):
                growing = GrowingFile.begin(folder, file.replace("/", "~"))
            if growing is None:
                continue
            # Whoever wrote a file of this name before may have published it in this moment.
            if self.files.exists(f"{FOLDER}/{file}"):
                growing.end()
                continue
            return PageWriter(self.files, file, growing)
        raise AssertionError("names do not run out")

    def abandoned(self) -> Iterator[tuple[PageWriter, list[bytes]]]:
        """Yield a writer for each file whose own has died on this machine, after its last whole record, and its lines.

        A disk that lost power may have lost the end of the file, and kept lines that tell of it.
        """
        for growing in GrowingFile.abandoned(self.files.growing()):
            writer = PageWriter(self.files, growing.name.replace("~", "/"), growing)
            for record in takewhile(lambda record: record.trouble is None, records(growing.path.read_bytes())):
                writer.records += record.kind != "warcinfo"
                writer.size = record.offset + record.size
            yield writer, growing.told()

    def unforgotten(self) -> Iterator[tuple[str, list[bytes]]]:
        """Yield the files that were to be published, and the lines about them that nobody has dropped yet."""
        for name, lines in GrowingFile.outlived(self.files.growing()):
            yield name.replace("~", "/"), lines

    def forget(self, file: str) -> None:
        """Drop the lines about a file."""
        GrowingFile.drop_lines(self.files.growing(), file.replace("/", "~"))

    def read(self, file: str, offset: int) -> StoredPage:
        """Read one page back, with one seek; that of a revisit with two, as it was sent when it was sent whole."""
        return read_page(self.files.open, file, offset)

    def original(self, file: str, offset: int) -> Original:
        """Return what a revisit record says of the page that is kept here; for a revisit, of the page it repeats."""
        page, fields = _read_record(self.files.open, file, offset)
        if fields.get("warc-type") == "revisit":
            return self.original(*_referred(f"{FOLDER}/{file}", offset, fields))
        return Original(
            file=file,
            offset=offset,
            url=fields.get("warc-target-uri", page.url),
            record_id=fields.get("warc-record-id", ""),
            date=fields.get("warc-date", ""),
            digest=fields.get("warc-payload-digest", _digest(page.payload)),
        )

    def records(self, file: str) -> Iterator[Record]:
        """Yield every record of an archive file, with what is wrong with it, if anything."""
        yield from records(self.files.read(f"{FOLDER}/{file}"))

    def erase(self, file: str, offsets: Collection[int], now: datetime) -> None:
        """Take the records at these offsets out of an archive file for ever; those beside them stay where they are."""
        path = f"{FOLDER}/{file}"
        self.files.publish(path, blanked(self.files.read(path), offsets, now))

    def list(self) -> list[str]:
        """Return the files of the archive, in order."""
        return [path.removeprefix(f"{FOLDER}/") for path in self.files.list(FOLDER) if path.endswith(".warc.gz")]


def read_page(open_: Callable[[str], BinaryIO], file: str, offset: int) -> StoredPage:
    """Read one page from an archive whose files `open_` opens, by their paths in the store; see `Pages.read`."""
    page, fields = _read_record(open_, file, offset)
    if fields.get("warc-type") != "revisit":
        return page
    whole, _ = _read_record(open_, *_referred(f"{FOLDER}/{file}", offset, fields))
    return replace(whole, url=page.url, fetched_at=page.fetched_at)


def target_uri(url: str) -> str:
    """Return an address as a record names it.

    >>> target_uri("https://news.example/été")
    'https://news.example/%C3%A9t%C3%A9'
    """
    return quote(url, safe=_URI_CHARACTERS)


def _names(name: str, day: date) -> Iterator[str]:
    yield f"{day:%Y/%m/%d}/{name}.warc.gz"
    for number in count(2):
        yield f"{day:%Y/%m/%d}/{name}-{number}.warc.gz"


# Writing


class _Press:
    """Makes a gzip member of each record; kept for many, since to set a compressor up costs as much as to use it."""

    def __init__(self) -> None:
        self._member = io.BytesIO()
        self._gzip = fastwarc.GzipWriter(self._member, compression_level=_LEVEL)

    def __call__(self, record: bytes) -> bytes:
        self._member.seek(0)
        self._member.truncate()
        self._gzip.write(record)
        self._gzip.finish()
        return self._member.getvalue()


def _wrapped(record: bytes) -> bytes:
    """Return a record as a gzip member, no smaller than it was: its payload is compressed already."""
    return zlib.compress(record, 0, _GZIP)


def _record(fields: list[tuple[str, str]], moment: datetime, block: bytes) -> bytes:
    digest = _digest(block)
    date_ = moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    # The id follows from the record, so that the same pages make the same file.
    record_id = _uuid("\n".join([digest, date_, *[value for _, value in fields]]))
    described = [
        *fields[:1],
        ("WARC-Record-ID", f"<urn:uuid:{record_id}>"),
        ("WARC-Date", date_),
        *fields[1:],
        ("WARC-Block-Digest", digest),
        ("Content-Length", str(len(block))),
    ]
    return _head("WARC/1.1", described) + block + b"\r\n\r\n"


def _http_head(status: int, reason: str, headers: Sequence[tuple[str, str]]) -> bytes:
    """Return the head of a response whose chunks have been put together."""
    kept = [each for each in headers if each[0].lower() != "transfer-encoding"]
    return _head(f"HTTP/1.1 {status} {reason}".rstrip(), kept)


def _uuid(name: str) -> str:
    """Return the UUID (version 5) of a name: what `uuid.uuid5` makes, at half the cost.

    >>> _uuid("a") == str(uuid.uuid5(uuid.NAMESPACE_URL, "a"))
    True
    """
    digest = hashlib.sha1(uuid.NAMESPACE_URL.bytes + name.encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digest[16], 16) & 3]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


def _head(first: str, fields: Sequence[tuple[str, str]]) -> bytes:
    head = "\r\n".join([first, *[": ".join(field) for field in fields], "", ""])
    if head.count("\n") + head.count("\r") > 2 * len(fields) + 4:  # a value has a line break of its own
        lines = [_LINE_BREAKS.sub(" ", line) for line in (first, *map(": ".join, fields))]
        head = "\r\n".join([*lines, "", ""])
    return head.encode("utf-8", "surrogateescape")


def _digest(content: bytes) -> str:
    # SHA-1 in base 32 is what WARC tools expect; the row's own digest of a page is SHA-256.
    return "sha1:" + base64.b32encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode()


# Reading


def _read_record(open_: Callable[[str], BinaryIO], file: str, offset: int) -> tuple[StoredPage, dict[str, str]]:
    """Return what one record holds, and its WARC fields."""
    path = f"{FOLDER}/{file}"
    try:
        with open_(path) as stream:
            page, fields = _read(stream, offset)
    except FileNotFoundError:
        raise PageGoneError(f"{path}: this archive file is gone. Fetch its pages again.") from None
    except _UNREADABLE as error:
        raise DamagedFileError(
            f"{path}: no page can be read at byte {offset} ({_said(error)}). "
            "Restore the file from a copy, or fetch again."
        ) from error
    if page.url == ERASED:
        raise PageGoneError(f"{path}: the page at byte {offset} was taken out of the archive.")
    return page, fields


def _read(stream: BinaryIO, offset: int) -> tuple[StoredPage, dict[str, str]]:
    stream.seek(offset)
    try:
        record = next(iter(fastwarc.ArchiveIterator(stream, parse_http=True)))
        return _from_fastwarc(record), {name.lower(): value for name, value in record.headers.items()}
    except (OSError, StopIteration):
        # warcio reads some files that FastWARC refuses, such as ARC and those that break off.
        stream.seek(offset)
        record = next(iter(warcio.archiveiterator.ArchiveIterator(stream, arc2warc=True)))
        return _from_warcio(record), {name.lower(): value for name, value in record.rec_headers.headers}


def _referred(path: str, offset: int, fields: Mapping[str, str]) -> tuple[str, int]:
    """Return where the page lies that a revisit repeats."""
    file, place = fields.get("warc-refers-to-filename"), fields.get("warc-refers-to-file-offset", "")
    if file is None or not place.isdigit():
        address, moment = (fields.get(f"warc-refers-to-{name}", "unknown") for name in ("target-uri", "date"))
        raise StoreError(
            f"{path}: the record at byte {offset} repeats the page {address} of {moment}, and does not say where it "
            "lies. Find it there by its address and date."
        )
    return file, int(place)


def _said(error: Exception) -> str:
    """Return what an error says; a name that is not there says nothing by itself."""
    return f"it lacks {error}" if isinstance(error, KeyError) else str(error) or type(error).__name__


def _check_head(url: str | None, length: str | None) -> None:
    """Refuse a record whose head breaks off, which the readers make the best of."""
    if url is None or not (length or "").strip().isdigit():
        raise ValueError("the head of the record breaks off")


def _whole(payload: bytes, missing: int) -> bytes:
    """Return what was read of a record, unless the record breaks off."""
    if missing > 0:
        raise ValueError(f"the record breaks off, {missing} bytes short")
    return payload


def _from_fastwarc(record: fastwarc.WarcRecord) -> StoredPage:
    url, moment = record.headers["WARC-Target-URI"], _moment(record.headers["WARC-Date"])
    _check_head(url, record.headers.get("Content-Length"))
    expected = record.content_length  # what is left of it behind the HTTP head
    payload = record.reader.read()
    payload = _whole(payload, expected - len(payload))
    if not record.is_http:
        headers = (("Content-Type", record.headers.get("Content-Type") or "application/octet-stream"),)
        return StoredPage(url=url, fetched_at=moment, status=None, reason=None, headers=headers, payload=payload)
    return StoredPage(
        url=url,
        fetched_at=moment,
        status=record.http_headers.status_code,
        reason=record.http_headers.reason_phrase or "",
        headers=tuple((_text(name), _text(value)) for name, value in record.http_headers.items_bytes()),
        payload=payload,
    )


def _from_warcio(record: "warcio.recordloader.ArcWarcRecord") -> StoredPage:
    url, moment = record.rec_headers.get_header("WARC-Target-URI"), _moment(record.rec_headers.get_header("WARC-Date"))
    _check_head(url, record.rec_headers.get_header("Content-Length"))
    payload = record.raw_stream.read()
    payload = _whole(payload, getattr(record.raw_stream, "limit", 0))
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
