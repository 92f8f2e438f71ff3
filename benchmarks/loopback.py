"""A news site on many loopback addresses that answers as fast as it can, to be fetched from by benchmarks.

Its pages are of our own making: 33 kB each, seven eighths of it markup, as news pages are. They come plain or, where
the site compresses and the client takes it, as gzip. A robots.txt of some length stands at each address.
"""

import asyncio
import gzip
import itertools
import json
import multiprocessing
import os
import random
import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Final

PAGE_BYTES: Final = 33_000
DIFFERENT_PAGES: Final = 128
_SPAWNING: Final = multiprocessing.get_context("spawn")
_NUMBER: Final = re.compile(rb"GET /news/\S*?-(\d+)\.html ")
_END: Final = b"\r\n\r\n"
_ROBOTS: Final = "".join(
    [
        *(f"User-agent: {name}\nDisallow: /\n\n" for name in ("examplebot", "otherbot/2.1", "trainingbot")),
        "User-agent: *\n",
        *(f"Disallow: /{path}\n" for path in ("account/", "search?", "*/print$", "*?page=", "api/", "live/*/embed")),
        *(f"Disallow: /section-{number}/archive/\n" for number in range(20)),
        "Allow: /news/\n",
    ]
).encode()


@dataclass(frozen=True, slots=True)
class Site:
    """Where the site is: one port on many hosts."""

    hosts: tuple[str, ...]
    port: int

    def urls(self, count: int) -> list[str]:
        """Return so many addresses of pages, host by host in turn."""
        hosts = itertools.cycle(self.hosts)
        return [
            f"http://{next(hosts)}:{self.port}/news/2026/03/harbour-dredging-{place:07}.html" for place in range(count)
        ]


@contextmanager
def serving(hosts: int, *, compressed: bool) -> Iterator[Site]:
    """Serve the site in a process of its own while the block runs."""
    here, there = _SPAWNING.Pipe()
    addresses = tuple(f"127.0.{place // 250}.{place % 250 + 1}" for place in range(hosts))
    process = _SPAWNING.Process(target=_serve, args=(there, addresses, compressed), daemon=True)
    process.start()
    try:
        yield Site(addresses, here.recv())
    finally:
        process.kill()
        process.join()


def _serve(told: Connection, hosts: Sequence[str], compressed: bool) -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    asyncio.run(_listen(told, hosts, _Answers.made(compressed)))


async def _listen(told: Connection, hosts: Sequence[str], answers: "_Answers") -> None:
    loop, port = asyncio.get_running_loop(), 0
    for host in hosts:
        listening = socket.create_server((host, port), backlog=512)
        port = listening.getsockname()[1]
        await loop.create_server(lambda: _Conversation(answers), sock=listening)
    told.send(port)
    await asyncio.Event().wait()


@dataclass(frozen=True, slots=True)
class _Answers:
    """Everything the site can say, ready to be sent."""

    robots: bytes
    plain: tuple[bytes, ...]
    compressed: tuple[bytes, ...] | None

    @classmethod
    def made(cls, compressed: bool) -> "_Answers":
        chance = random.Random(1)
        words = _vocabulary(chance)
        pages = [_page(chance, words, place) for place in range(DIFFERENT_PAGES)]
        return cls(
            robots=_answer(_ROBOTS, "text/plain", ""),
            plain=tuple(_answer(page, "text/html; charset=utf-8", "") for page in pages),
            compressed=tuple(
                _answer(gzip.compress(page, 6), "text/html; charset=utf-8", "Content-Encoding: gzip\r\n")
                for page in pages
            )
            if compressed
            else None,
        )

    def to(self, question: bytes) -> bytes:
        """Return the answer to the head of a request."""
        match = _NUMBER.match(question)
        if match is None:
            return self.robots
        pages = self.compressed if self.compressed and b"gzip" in question else self.plain
        return pages[int(match[1]) % len(pages)]


class _Conversation(asyncio.Protocol):
    """One connection: question by question, answer by answer."""

    def __init__(self, answers: _Answers) -> None:
        self._answers = answers
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *questions, self._unread = (self._unread + data).split(_END)
        for question in questions:
            self._transport.write(self._answers.to(question))
            if b"connection: close" in question.lower():
                self._transport.close()


def _answer(body: bytes, content_type: str, encoding: str) -> bytes:
    head = (
        "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Wed, 04 Mar 2026 12:00:00 GMT\r\n"
        f"Content-Type: {content_type}\r\n{encoding}Content-Length: {len(body)}\r\n"
        'Cache-Control: public, max-age=60\r\nVary: Accept-Encoding\r\nETag: "harbour-7431"\r\n'
        "Last-Modified: Wed, 04 Mar 2026 11:30:00 GMT\r\nX-Content-Type-Options: nosniff\r\n"
        "Strict-Transport-Security: max-age=31536000\r\nVia: 1.1 cache-07\r\nAge: 12\r\n\r\n"
    )
    return head.encode() + body


# Pages


def _vocabulary(chance: random.Random) -> list[str]:
    syllables = [consonant + vowel for consonant in "bdfghklmnprstv" for vowel in "aeiou"]
    return ["".join(chance.choices(syllables, k=chance.randint(1, 4))) for _ in range(5000)]


def _page(chance: random.Random, words: Sequence[str], place: int) -> bytes:
    """Make a page: an article of 400 words, with navigation before it and teasers after it up to the size wanted."""

    def text(count: int) -> str:
        return " ".join(words[int(len(words) * chance.random() ** 3)] for _ in range(count)).capitalize() + "."

    title = text(8)
    about = {"@context": "https://schema.org", "@type": "NewsArticle", "headline": title, "identifier": place}
    head = (
        f"<!DOCTYPE html><html lang=en><head><meta charset=utf-8><title>{title}</title>"
        f'<script type="application/ld+json">{json.dumps(about)}</script>'
        "<style>.teaser{display:grid;gap:1rem}.teaser__title{font:600 1.1rem/1.3 serif}</style></head>"
    )
    parts = [
        head,
        "<body><nav><ul>",
        *(
            f'<li class="nav__item"><a class="nav__link" href="/section-{number}/">{text(1)}</a>'
            for number in range(24)
        ),
        f'</ul></nav><main><article class="story"><h1>{title}</h1>',
        *(f'<p class="story__paragraph">{text(50)}</p>' for _ in range(8)),
        '</article><aside class="more">',
    ]
    size = sum(map(len, parts))
    for number in itertools.count():
        teaser = (
            f'<div class="teaser" data-tracking=\'{{"slot":{number},"id":{chance.randrange(10**8)}}}\'>'
            f'<a class="teaser__link" href="/news/2026/03/{text(4).replace(" ", "-")}-{chance.randrange(10**7)}.html">'
            f'<img class="teaser__image" loading="lazy" width="320" height="180" src="/images/{chance.randrange(10**9)}'
            f'.jpg" alt=""><h3 class="teaser__title">{text(9)}</h3></a></div>'
        )
        size += len(teaser)
        if size > PAGE_BYTES:
            break
        parts.append(teaser)
    return ("".join(parts) + "</aside></main></body></html>").encode()
