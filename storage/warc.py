"""A gzipped WARC file as bytes: every record proved or called wrong, and single ones blanked out in place.

A blanked record becomes one of the same length that says only that something was taken out. So no other record moves,
and every row, visit and revisit that points into the file stays right.
"""

import base64
import hashlib
import re
import struct
import uuid
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from storage.errors import DamagedFileError

ERASED: Final = "urn:copydesk:erased"
"""Target of the record that stands where another was taken out."""

_GZIP: Final = 31  # zlib's number for "gzip, any window"
_RAW_DEFLATE: Final = -15
_HAS_COMMENT: Final = 0x10
_BLANK_LINE: Final = b"\r\n\r\n"
_FIELD: Final = re.compile(rb"^([^:\r\n]+):[ \t]*([^\r\n]*)", re.MULTILINE)
_DIGESTS: Final = frozenset({"sha1", "sha256", "md5"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record of a WARC file: its place and size in the file, what it says of itself, and what is wrong with it."""

    offset: int
    size: int
    kind: str = ""
    url: str | None = None
    trouble: str | None = None


def records(content: bytes) -> Iterator[Record]:
    """Yield every record of a file, each a gzip member of its own, up to the first that cannot be read."""
    offset = 0
    while offset < len(content):
        member = zlib.decompressobj(wbits=_GZIP)
        try:
            raw = member.decompress(memoryview(content)[offset:])
        except zlib.error as error:
            yield Record(offset=offset, size=len(content) - offset, trouble=f"cannot be read: {error}")
            return
        if not member.eof:
            yield Record(offset=offset, size=len(content) - offset, trouble="breaks off")
            return
        size = len(content) - offset - len(member.unused_data)
        yield _record(raw, offset, size)
        offset += size


def blanked(content: bytes, offsets: Collection[int], now: datetime) -> bytes:
    """Return a file with the records at these offsets blanked out; nothing else moves."""
    changed = bytearray(content)
    for record in records(content):
        if record.offset in offsets and record.url != ERASED:
            changed[record.offset : record.offset + record.size] = _blank(record, now)
    return bytes(changed)


def _record(raw: bytes, offset: int, size: int) -> Record:
    head, _, rest = raw.partition(_BLANK_LINE)
    fields = {name.strip().lower(): value.strip() for name, value in _FIELD.findall(head)}
    return Record(
        offset=offset,
        size=size,
        kind=fields.get(b"warc-type", b"").decode("ascii", "replace"),
        url=fields[b"warc-target-uri"].decode("utf-8", "replace") if b"warc-target-uri" in fields else None,
        trouble=_trouble(fields, rest),
    )


def _trouble(fields: dict[bytes, bytes], rest: bytes) -> str | None:
    length = fields.get(b"content-length", b"")
    if not length.isdigit():
        return "has no length"
    if len(rest) != int(length) + len(_BLANK_LINE):
        return "is not as long as it says"
    algorithm, _, said = fields.get(b"warc-block-digest", b"").decode("ascii", "replace").partition(":")
    if algorithm in _DIGESTS and not _is_digest(algorithm, said, rest[: int(length)]):
        return "does not match its digest"
    return None


def _is_digest(algorithm: str, said: str, block: bytes) -> bool:
    """Compare with a digest in hex or in base 32: both are written."""
    made = hashlib.new(algorithm, block, usedforsecurity=False)
    return said.rstrip("=").lower() in (made.hexdigest(), base64.b32encode(made.digest()).decode().rstrip("=").lower())


def _blank(record: Record, now: datetime) -> bytes:
    """Return a member that fills the record's place to the byte; gzip's own comment field takes up the slack."""
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"{record.offset} {record.size} {now.isoformat()}")
    head = (
        f"WARC/1.1\r\nWARC-Type: metadata\r\nWARC-Record-ID: <urn:uuid:{name}>\r\n"
        f"WARC-Date: {now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}\r\nWARC-Target-URI: {ERASED}\r\nContent-Length: 0"
    )
    raw = head.encode() + _BLANK_LINE + _BLANK_LINE
    press = zlib.compressobj(9, zlib.DEFLATED, _RAW_DEFLATE)
    body = press.compress(raw) + press.flush() + struct.pack("<II", zlib.crc32(raw), len(raw))
    slack = record.size - len(body) - 10  # bytes of gzip's own head
    if slack < 0:
        raise DamagedFileError(
            f"The record at byte {record.offset} is too small to be one of a page. Look at its file."
        )
    flags = _HAS_COMMENT if slack else 0
    comment = b" " * (slack - 1) + b"\0" if slack else b""
    return b"\x1f\x8b\x08" + bytes([flags]) + b"\0\0\0\0\0\xff" + comment + body
