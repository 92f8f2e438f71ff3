"""WARC archives: their pages, one at a time, up to the first damage."""

import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from io import BytesIO
from typing import BinaryIO

from fastwarc.warc import ArchiveIterator
from warcio.archiveiterator import ArchiveIterator as PatientIterator
from warcio.bufferedreaders import ChunkedDataReader
from warcio.exceptions import ArchiveLoadFailed
from warcio.statusandheaders import StatusAndHeaders, StatusAndHeadersParser, StatusAndHeadersParserException

from tasks.documents import Reason
from tasks.fetch.content import accepted_type
from tasks.fetch.dating import OUTSIDE
from tasks.fetch.decoding import DecodingError, decode_body
from tasks.urls import BadUrl, fetchable_url

_HEAD_BYTES = 64 * 1024
_HTTP = StatusAndHeadersParser(["HTTP/1.0", "HTTP/1.1", "HTTP/2", "HTTP/2.0", "HTTP/3"])
_DAMAGE = (OSError, ValueError, EOFError)
_DAMAGE_TO_THE_PATIENT = (*_DAMAGE, AttributeError, zlib.error, ArchiveLoadFailed)  # AttributeError: a cut head


@dataclass(frozen=True, slots=True, kw_only=True)
class WarcPage:
    """A page out of an archive: where it lies, when it was fetched, and its decoded body."""

    offset: int
    url: str
    fetched_at: datetime
    content_type: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WarcTrouble:
    """A record that should be a page and cannot be one, or (`offset` None) the damage that ends the archive."""

    reason: Reason
    detail: str
    offset: int | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """A record as it lies in the file; `block` is read only where it can be a page."""

    offset: int
    kind: str
    url: str
    date: str
    length: int
    truncated: str
    block: bytes = field(repr=False)


def pages_in_warc(
    open_file: Callable[[], BinaryIO], most_bytes: int, since: date | None = None
) -> Iterator[WarcPage | WarcTrouble | str]:
    """Yield the pages of an archive; a record that is no page gives the reason why it is skipped, for counting.

    Pages are response records with HTML and status 200, none fetched before the day `since`. What precedes damage is
    kept. The file is opened again where the fast reader gives up, for the patient one, which goes on from there.
    """
    for record in _records(open_file, most_bytes + _HEAD_BYTES):
        if isinstance(record, WarcTrouble):
            yield record
        elif record.kind != "response":
            yield f"warc-{record.kind}"
        elif since is not None and record.date < since.isoformat():
            yield OUTSIDE
        else:
            yield _page(record, most_bytes)


def _page(record: _Record, most_bytes: int) -> WarcPage | WarcTrouble | str:
    """Read the HTTP response in a record."""
    try:
        stream = BytesIO(record.block)
        head = _HTTP.parse(stream)
    except (StatusAndHeadersParserException, EOFError):
        return "warc-not-http"
    if head.get_statuscode() != "200":
        return f"status-{head.get_statuscode()}"
    if record.length > len(record.block):
        return _trouble(record, Reason.TOO_LARGE, f"{record.length} bytes")
    if record.truncated:
        return _trouble(record, Reason.INCOMPLETE, f"cut off by the crawler ({record.truncated})")
    try:
        body = decode_body(_payload(head, stream), head.get_header("Content-Encoding") or "", most_bytes)
        content_type = accepted_type(head.get_header("Content-Type") or "", body)
        if content_type is None:
            return "not-html"
        return WarcPage(
            offset=record.offset,
            url=fetchable_url(record.url.strip("<>")),
            fetched_at=_instant(record.date),
            content_type=content_type,
            body=body,
        )
    except DecodingError as error:
        return _trouble(record, error.reason, str(error))
    except BadUrl as error:
        return _trouble(record, Reason.BAD_URL, str(error))
    except ValueError:
        return _trouble(record, Reason.DAMAGED_ARCHIVE, f"WARC-Date {record.date[:40]!r} is no instant")


def _payload(head: StatusAndHeaders, stream: BytesIO) -> bytes:
    """Return the payload with chunking undone, where the crawler has kept it."""
    if (head.get_header("Transfer-Encoding") or "").lower() != "chunked":
        return stream.read()
    chunks = ChunkedDataReader(stream)
    payload = bytearray()
    while piece := chunks.read(1024 * 1024):
        payload += piece
    return bytes(payload)


def _instant(date: str) -> datetime:
    """Return a WARC-Date: "2024-02-26T08:30:00Z", with or without fractions of up to nine digits."""
    text = re.sub(r"(\.\d{6})\d+", r"\1", date.strip())
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _trouble(record: _Record, reason: Reason, detail: str) -> WarcTrouble:
    return WarcTrouble(reason=reason, detail=detail, offset=record.offset, url=record.url or None)


# two readers: the fast one, and the patient one that goes on where the fast one gives up


def _records(open_file: Callable[[], BinaryIO], most_bytes: int) -> Iterator[_Record | WarcTrouble]:
    last, count = -1, 0
    with open_file() as file:
        try:
            for record in _fast(file, most_bytes):
                yield record
                last, count = record.offset, count + 1
            return
        except _DAMAGE as error:
            damage = str(error)
    with open_file() as file:
        try:
            file.seek(max(last, 0))  # what lies before is known, and may be far away
            for record in _patient(file, most_bytes):
                if record.offset > last:
                    yield record
                    last, count = record.offset, count + 1
        except _DAMAGE_TO_THE_PATIENT:
            yield WarcTrouble(reason=Reason.DAMAGED_ARCHIVE, detail=f"after {count} records: {damage[:200]}")


def _fast(file: BinaryIO, most_bytes: int) -> Iterator[_Record]:
    for record in ArchiveIterator(file, parse_http=False):
        headers = {name.lower(): value for name, value in record.headers}
        is_page = _is_whole(headers) and headers["warc-type"] == "response"
        block = record.reader.read(most_bytes) if is_page else b""
        yield _record(record.stream_pos, headers, record.content_length, block, most_bytes)


def _patient(file: BinaryIO, most_bytes: int) -> Iterator[_Record]:
    records = PatientIterator(file, no_record_parse=True)
    for record in records:
        headers = {name.lower(): value for name, value in record.rec_headers.headers}
        length = int(headers.get("content-length", "0"))
        is_page = _is_whole(headers) and headers["warc-type"] == "response"
        block = record.raw_stream.read(most_bytes) if is_page else b""
        yield _record(records.get_record_offset(), headers, length, block, most_bytes)


def _is_whole(headers: dict[str, str]) -> bool:
    """Tell whether a record's head was read to its end; raise `EOFError` where the file stops within it."""
    if "warc-type" in headers and "content-length" in headers:
        return True
    raise EOFError("the file ends within a record")


def _record(offset: int, headers: dict[str, str], length: int, block: bytes, most_bytes: int) -> _Record:
    if headers["warc-type"] == "response" and len(block) < min(length, most_bytes):
        raise EOFError("the file ends within a record")
    return _Record(
        offset=offset,
        kind=headers["warc-type"],
        url=headers.get("warc-target-uri", ""),
        date=headers.get("warc-date", ""),
        length=length,
        truncated=headers.get("warc-truncated", ""),
        block=block,
    )
