"""Undo a Content-Encoding within bounds: the end of the stream must be seen, and no bomb goes off."""

import zlib
from collections.abc import Callable, Iterator
from io import BytesIO

import brotli
import zstandard

from tasks.documents import Reason

ACCEPT_ENCODING = "gzip, deflate, br, zstd"

_STEP = 256 * 1024  # how much is decoded at a time
_GZIP_MAGIC = b"\x1f\x8b\x08"
_ZSTD_WINDOW = 8 * 1024 * 1024  # RFC 9659: larger windows are not for HTTP
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_RATIO_CAP = 200
_RATIO_FLOOR = 1024 * 1024  # below this size a high ratio harms nobody: short templates compress very well


class DecodingError(ValueError):
    """A payload that cannot be decoded; `reason` is INCOMPLETE, TOO_LARGE or BAD_CONTENT_ENCODING."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def decode_body(payload: bytes, content_encoding: str, max_bytes: int) -> bytes:
    """Return `payload` with its one encoding undone (gzip, deflate, br, zstd; "" and identity are left alone).

    Raise `DecodingError` where the stream does not come to its end (INCOMPLETE), where it grows beyond `max_bytes` or
    200-fold beyond 1 MiB (TOO_LARGE), and where it is broken, of an unknown encoding or encoded twice
    (BAD_CONTENT_ENCODING).

    >>> decode_body(zlib.compress(b"The dam holds."), "deflate", 1000)
    b'The dam holds.'
    """
    name = _encoding_name(content_encoding)
    if not payload or name == "identity":
        _check_size(len(payload), max_bytes)
        return payload
    limit = min(max_bytes, max(len(payload) * _RATIO_CAP, _RATIO_FLOOR))
    return _gather(_DECODERS[name](payload), limit)


def gunzip(payload: bytes, max_bytes: int) -> Iterator[bytes]:
    """Yield what a gzip file holds, piece by piece; raise `DecodingError` at its damage or beyond `max_bytes`."""
    size = 0
    for piece in _gzip(payload):
        size += len(piece)
        _check_size(size, max_bytes)
        yield piece


def _encoding_name(content_encoding: str) -> str:
    names = [name.strip().lower() for name in content_encoding.split(",") if name.strip()]
    if len(names) > 1:
        raise DecodingError(Reason.BAD_CONTENT_ENCODING, f"{len(names)} encodings on top of each other")
    name = names[0].removeprefix("x-") if names else "identity"
    if name not in _DECODERS and name != "identity":
        raise DecodingError(Reason.BAD_CONTENT_ENCODING, f"unknown encoding {name[:40]!r}")
    return name


def _gather(pieces: Iterator[bytes], limit: int) -> bytes:
    gathered, size = [], 0
    for piece in pieces:
        gathered.append(piece)
        size += len(piece)
        _check_size(size, limit)
    return b"".join(gathered)  # which does not copy a single piece


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise DecodingError(Reason.TOO_LARGE, f"more than {limit} bytes when decoded")


def _gzip(payload: bytes) -> Iterator[bytes]:
    """Decode one or more gzip members; what follows the last one is padding, as gzip itself treats it."""
    rest = payload
    while rest[:3] == _GZIP_MAGIC or rest is payload:
        decoder = zlib.decompressobj(wbits=31)
        yield from _inflate(decoder, rest, "gzip")
        rest = decoder.unused_data


def _deflate(payload: bytes) -> Iterator[bytes]:
    """Decode deflate as the standard has it (zlib), or raw as some servers send it."""
    is_zlib = payload[0] & 0x0F == 8 and int.from_bytes(payload[:2], "big") % 31 == 0
    return _inflate(zlib.decompressobj(wbits=15 if is_zlib else -15), payload, "deflate")


def _inflate(decoder: "zlib._Decompress", payload: bytes, name: str) -> Iterator[bytes]:
    try:
        yield decoder.decompress(payload, _STEP)
        while decoder.unconsumed_tail and not decoder.eof:
            yield decoder.decompress(decoder.unconsumed_tail, _STEP)
    except zlib.error as error:
        raise DecodingError(_reason_of(error), f"not {name}: {error}") from error
    if not decoder.eof:
        raise DecodingError(Reason.INCOMPLETE, f"{name} stream ends before its end")


def _reason_of(error: zlib.error) -> Reason:
    """A checksum that does not match is damage on the way, anything else was never what it claims to be."""
    return Reason.INCOMPLETE if "check" in str(error) and "header" not in str(error) else Reason.BAD_CONTENT_ENCODING


def _brotli(payload: bytes) -> Iterator[bytes]:
    decoder = brotli.Decompressor()
    try:
        yield decoder.process(payload, output_buffer_limit=_STEP)
        while not decoder.is_finished() and not decoder.can_accept_more_data():
            yield decoder.process(b"", output_buffer_limit=_STEP)
    except brotli.error as error:
        raise DecodingError(Reason.BAD_CONTENT_ENCODING, "not brotli") from error
    if not decoder.is_finished():
        raise DecodingError(Reason.INCOMPLETE, "brotli stream ends before its end")


def _zstd(payload: bytes) -> Iterator[bytes]:
    """Decode one or more frames.

    The reader bounds what it gives but cannot tell a cut frame from a whole one; the other interface of the library
    can, but gives everything at once. So the pieces come from the first, and the end is looked for in the second,
    whose work is then known to be bounded.
    """
    decoder = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    try:
        with decoder.stream_reader(BytesIO(payload), read_across_frames=True) as reader:
            while piece := reader.read(_STEP):
                yield piece
        rest = payload
        while rest[:4] == _ZSTD_MAGIC or rest is payload:
            frame = decoder.decompressobj()
            frame.decompress(rest)
            if not frame.eof:
                raise DecodingError(Reason.INCOMPLETE, "zstd stream ends before its end")
            rest = frame.unused_data
    except zstandard.ZstdError as error:
        raise DecodingError(Reason.BAD_CONTENT_ENCODING, f"not zstd: {error}") from error


_DECODERS: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
