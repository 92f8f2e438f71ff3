"""What a hostile server answers: raw bytes, piece by piece; a client that hangs up is let go at once."""

import gzip
import itertools
import os
import socket
import struct
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import brotli
import zstandard

from tests.fetch.conftest import Asked, Reply

STORY = (
    "The harbour master closed the lower lock on Tuesday, and every barge on the canal waited for the tide to turn. "
)
PAGE = (
    f"<!doctype html><html lang=en><title>The lock</title><article><h1>The lock</h1><p>{STORY * 6}</article>".encode()
)
SHORTER = b"<!doctype html><title>The lock</title><p>Half of the sto"
START = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
ZEROS = 8 * 1024 * 1024


def answer(
    body: bytes = PAGE, status: str = "200 OK", content_type: str | None = "text/html", *headers: str
) -> tuple[bytes, ...]:
    """Return a whole answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    if content_type is not None:
        lines.append(f"Content-Type: {content_type}")
    return ("\r\n".join([*lines, "", ""]).encode("latin-1"), body)


def said(*pieces: bytes) -> Reply:
    """Always answer this."""
    return lambda _: pieces


def page(body: bytes = PAGE, content_type: str | None = "text/html", *headers: str) -> Reply:
    """Always answer with this page."""
    return said(*answer(body, "200 OK", content_type, *headers))


def status(line: str, *headers: str) -> Reply:
    """Always answer with this status."""
    return said(*answer(b"", line, "text/html", *headers))


def redirect(location: str, line: str = "302 Found", *headers: str) -> Reply:
    """Always send readers on."""
    return status(line, f"Location: {location}", *headers)


def encoded(encode: Callable[[bytes], bytes], name: str, body: bytes = PAGE) -> Reply:
    """Always answer with an encoded page."""
    return page(encode(body), "text/html", f"Content-Encoding: {name}")


def broken_off(*pieces: bytes) -> Reply:
    """Send this and close the connection."""
    return said(START + b"Connection: close\r\n", *pieces)


def first(count: int, before: Reply, after: Reply) -> Reply:
    """Answer the first requests of each host in one way, all later ones in another."""
    asked_before: Counter[str] = Counter()
    lock = threading.Lock()

    def reply(asked: Asked) -> Iterable[bytes]:
        with lock:
            asked_before[asked.host] += 1
            is_early = asked_before[asked.host] <= count
        return before(asked) if is_early else after(asked)

    return reply


def in_turn(*replies: Reply) -> Reply:
    """Give one answer after the other, round and round."""
    turns = itertools.cycle(replies)
    return lambda asked: next(turns)(asked)


# Time


def silence(asked: Asked) -> Iterator[bytes]:
    """Take the request and say nothing."""
    asked.wait(60)
    yield b""


def late(seconds: float) -> Reply:
    """Answer after a while."""

    def reply(asked: Asked) -> Iterator[bytes]:
        asked.wait(seconds)
        yield from answer()

    return reply


def dripping(start: bytes, drop: bytes) -> Reply:
    """Answer for ever, a little at a time: no read ever waits for long."""

    def reply(asked: Asked) -> Iterator[bytes]:
        yield start
        while True:
            yield drop
            asked.wait(0.05)

    return reply


# Size


def endless(start: bytes, piece: bytes) -> Reply:
    """Answer for ever, as fast as can be."""

    def reply(_: Asked) -> Iterator[bytes]:
        yield start
        while True:
            yield piece

    return reply


def bomb(encode: Callable[[bytes], bytes], name: str) -> Reply:
    """Answer with zeros that take no room on the wire."""
    payload = encode(bytes(ZEROS))
    return page(payload, "text/html", f"Content-Encoding: {name}")


BOMBS = {
    "gzip": lambda body: gzip.compress(body, 6),
    "deflate": lambda body: zlib.compress(body, 6),
    "br": lambda body: brotli.compress(body, quality=1),
    "zstd": zstandard.compress,
}


# Connections


def reset(*before: bytes) -> Reply:
    """Send this, then let the connection die without a goodbye."""

    def reply(asked: Asked) -> Iterator[bytes]:
        yield from before
        asked.wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(asked.wire.detach())

    return reply


# What a request says


def unless(header: str, wanted: Callable[[str], bool], otherwise: Reply, reply: Reply) -> Reply:
    """Answer by what a header of the request says."""
    return lambda asked: (reply if wanted(asked.headers.get(header, "")) else otherwise)(asked)


def retry_in(seconds: float) -> Reply:
    """Ask to come back at an instant."""
    return lambda _: answer(
        b"",
        "429 Slow Down",
        "text/html",
        f"Retry-After: {format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)}",
    )
