"""RSS, Atom, RDF and JSON feeds: their entries as links with hints."""

import asyncio
import json
import re
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from html import unescape
from pathlib import Path
from types import TracebackType
from typing import Self

from tasks.documents import Hints
from tasks.fetch.content import looks_like_html
from tasks.fetch.dates import stated_instant, stated_precision
from tasks.fetch.feed_reader import RawEntry, RawFeed

MOST_ENTRIES = 50_000
_LARGEST_FEED = 20 * 1024 * 1024
_PROGRAM = Path(__file__).with_name("feed_reader.py")
_PATIENCE_SECONDS = 15.0  # on a busy machine; the reader bounds its own processor time far below that
_LONGEST_TITLE = 500
_LONGEST_SUMMARY = 2000
_LANGUAGE_OF_FEED = re.compile(rb"<(?:dc:)?language>\s*(?:<!\[CDATA\[)?\s*([A-Za-z-]{2,20})", re.IGNORECASE)
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8})*")
_TAG = re.compile(r"<[^<>]*>")
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_ENDINGS = (b"</rss>", b"</feed>", b"rdf>", b"}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A link that a feed or sitemap offers, as it stands there, with what is said about it."""

    link: str
    guid: str = ""  # what a feed calls it: two entries of one name are one
    hints: Hints = field(default_factory=Hints)
    modified_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a feed or sitemap offers. `trouble` says what is wrong with one that is read only in part."""

    entries: tuple[Entry, ...] = ()
    sitemaps: tuple[Entry, ...] = ()
    trouble: str = ""

    @property
    def newest(self) -> datetime | None:
        """The newest date that an entry states."""
        dates = (entry.hints.published_at or entry.modified_at for entry in self.entries)
        return max((date for date in dates if date is not None), default=None)


class UnreadableListing(Exception):  # noqa: N818 - named after the situation
    """A body that is no feed or sitemap at all, with what it is instead."""


class FeedReader:
    """Reads feeds, one at a time, in a process of its own: `async with FeedReader() as reader`.

    The process starts with the first feed, and anew after one that was too much for it. It ends with the block, and
    with this process whatever happens.
    """

    def __init__(self) -> None:
        self._child: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    async def read(self, body: bytes, now: datetime) -> Listing:
        """Return what a feed offers; raise `UnreadableListing` for what is no feed, or takes too long to be one."""
        if len(body) > _LARGEST_FEED:
            raise UnreadableListing(f"{len(body)} bytes, more than {_LARGEST_FEED}")
        if not body.strip():
            raise UnreadableListing("empty")
        if looks_like_html(body):
            raise UnreadableListing("an HTML page")
        async with self._turn:
            raw = await self._ask(body)
        if not raw["dialect"] and not raw["entries"]:
            raise UnreadableListing("neither RSS nor Atom nor a JSON feed")
        return _listing(raw, body, now)

    async def _ask(self, body: bytes) -> RawFeed:
        """Have a feed parsed, within bounds of time and memory."""
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                raw: RawFeed = json.loads(await self._exchange(body))
        except (asyncio.IncompleteReadError, ConnectionError) as error:  # the process has died of it
            await self._end()
            raise UnreadableListing("more than the parsers can bear, in time, memory or oddity") from error
        except BaseException as error:  # also where this task is cancelled: the answer would be taken for another's
            await self._end(kill=True)
            if isinstance(error, TimeoutError):
                raise UnreadableListing(f"not read within {_PATIENCE_SECONDS:.0f} seconds") from error
            raise
        return raw

    async def _exchange(self, body: bytes) -> bytes:
        if self._child is None:
            self._child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", str(_PROGRAM)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
        requests, answers = self._child.stdin, self._child.stdout
        assert requests is not None
        assert answers is not None
        requests.write(len(body).to_bytes(8, "big"))
        requests.write(body)
        await requests.drain()
        return await answers.readexactly(int.from_bytes(await answers.readexactly(8), "big"))

    async def _end(self, *, kill: bool = False) -> None:
        """See the process off; with nothing more to read it ends by itself."""
        child, self._child = self._child, None
        if child is None:
            return
        if kill:
            with suppress(ProcessLookupError):
                child.kill()
        if child.stdin is not None:
            child.stdin.close()
        await child.wait()


def _listing(raw: RawFeed, body: bytes, now: datetime) -> Listing:
    found = _LANGUAGE_OF_FEED.search(body[:8192])
    language = raw["language"] or (found[1].decode() if found else "")
    entries = tuple(_entry(entry, language, now) for entry in raw["entries"][:MOST_ENTRIES])
    return Listing(entries=entries, trouble=_trouble(raw, body))


def _trouble(raw: RawFeed, body: bytes) -> str:
    if len(raw["entries"]) > MOST_ENTRIES:
        return f"{len(raw['entries'])} entries, of which the first {MOST_ENTRIES} count"
    if not body[-1024:].rstrip().lower().endswith(_ENDINGS) and b"\x00" not in body[:64]:
        return "the feed breaks off before its end"
    return ""


def _entry(raw: RawEntry, feed_language: str, now: datetime) -> Entry:
    published = stated_instant(raw["published"], now)
    authors = (plain_text(author, _LONGEST_TITLE) for author in raw["authors"])
    return Entry(
        link=raw["link"],
        guid=raw["guid"],
        hints=Hints(
            title=plain_text(raw["title"], _LONGEST_TITLE),
            authors=tuple(author for author in authors if author),
            published_at=published,
            published_precision=stated_precision(raw["published"], published),
            language=language_tag(raw["language"] or feed_language),
            summary=plain_text(raw["summary"], _LONGEST_SUMMARY),
        ),
    )


def plain_text(text: str, longest: int) -> str | None:
    """Return a title or summary without markup and invisible rubbish, cut at `longest`; None where nothing is left.

    >>> plain_text("<b>The dam</b> &amp;\\n the town", 100)
    'The dam & the town'
    """
    text = unescape(_TAG.sub(" ", unescape(text[: 8 * longest])))
    text = " ".join(_UNWRITABLE.sub("", text).split())
    return text[:longest].rstrip() or None


def language_tag(text: str) -> str | None:
    """Return a language tag in the usual spelling, or None for what is none.

    >>> language_tag("pt_br"), language_tag("English language")
    ('pt-BR', None)
    """
    tag = text.strip().replace("_", "-")
    if not _LANGUAGE_TAG.fullmatch(tag):
        return None
    first, *rest = tag.split("-")
    return "-".join([first.lower(), *(part.upper() if len(part) == 2 else part.title() for part in rest)])
