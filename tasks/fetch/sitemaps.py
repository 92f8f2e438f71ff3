"""Sitemaps: URL sets, indexes, the news extension, plain lists of addresses; what precedes damage is kept."""

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import chain, islice

from lxml import etree

from tasks.documents import Hints
from tasks.fetch.dates import stated_instant, stated_precision
from tasks.fetch.decoding import DecodingError, gunzip
from tasks.fetch.feeds import MOST_ENTRIES, Entry, Listing, UnreadableListing, language_tag, plain_text

LARGEST_SITEMAP = 50 * 1024 * 1024
_PIECE = 64 * 1024
_GZIP_MAGIC = b"\x1f\x8b"
_LONGEST_TITLE = 500
_ROOTS = frozenset({"urlset", "sitemapindex"})
_MOST_ELEMENTS = 1_000_000
_LONGEST_SILENCE = 1024 * 1024
_LINE = re.compile(rb"[^\r\n]+")


def read_sitemap(body: bytes, now: datetime) -> Listing:
    """Return the pages and further sitemaps that a sitemap names; raise `UnreadableListing` for what is none.

    >>> read_sitemap(b"https://example.com/dam\\nhttps://example.com/town\\n", datetime(2024, 2, 26)).entries[0].link
    'https://example.com/dam'
    """
    pieces = gunzip(body, LARGEST_SITEMAP) if body.startswith(_GZIP_MAGIC) else iter([body])
    try:
        first = next(pieces, b"").lstrip(b"\xef\xbb\xbf \t\r\n")
    except DecodingError as error:
        raise UnreadableListing(str(error)) from error
    read = _read_lines if first[:4].lower() == b"http" else _read_xml
    return read(chain([first], pieces), now)


def _read_lines(pieces: Iterator[bytes], _now: datetime) -> Listing:
    text, trouble = bytearray(), ""
    try:
        for piece in pieces:
            text += piece
    except DecodingError as error:
        trouble = str(error)
    lines = (match[0].decode("utf-8", "replace").strip() for match in _LINE.finditer(text))
    links = list(islice(filter(None, lines), MOST_ENTRIES + 1))
    entries = tuple(Entry(link=link) for link in links[:MOST_ENTRIES])
    return Listing(entries=entries, trouble=trouble or _too_many(len(links)))


def _read_xml(pieces: Iterator[bytes], now: datetime) -> Listing:
    entries: list[Entry] = []
    sitemaps: list[Entry] = []
    trouble = ""
    try:
        for kind, fields in _elements(pieces):
            if kind == "sitemap":
                sitemaps.append(Entry(link=fields["loc"], modified_at=stated_instant(fields.get("lastmod"), now)))
            else:
                entries.append(_entry(fields, now))
            if trouble := _too_many(max(len(entries), len(sitemaps))):
                break
    except etree.XMLSyntaxError as error:
        trouble = f"damaged: {error.msg}"
    except (DecodingError, _Overgrown) as error:
        trouble = f"damaged: {error}"
    if trouble and not entries and not sitemaps:
        raise UnreadableListing(trouble)
    return Listing(entries=tuple(entries[:MOST_ENTRIES]), sitemaps=tuple(sitemaps[:MOST_ENTRIES]), trouble=trouble)


def _elements(pieces: Iterator[bytes]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each `url` and `sitemap` that has an address, with the texts inside it, whatever namespace they are in.

    No entity is resolved, nothing is loaded, and libxml2's own bounds on depth and text length stay on.
    """
    parser = etree.XMLPullParser(
        events=("end",), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    fields: dict[str, str] = {}
    for number, (_, element) in enumerate(_events(parser, pieces)):
        name, parent = _local_name(element), element.getparent()
        if number == 0 and (root := _local_name(element.getroottree().getroot())) not in _ROOTS:
            raise UnreadableListing(f"the root element is {root[:40]!r}")
        if number == _MOST_ELEMENTS:
            raise _Overgrown(f"more than {_MOST_ELEMENTS} elements")
        if name in {"url", "sitemap"}:
            if fields.get("loc"):
                yield name, fields
            fields = {}
        elif element.text and _local_name(parent) not in {"image", "video"}:
            fields.setdefault(name, element.text.strip())
        if parent is not None:
            _forget(element)


class _Overgrown(Exception):  # noqa: N818 - named after the situation
    """More in a sitemap than its URLs need."""


def _events(parser: etree.XMLPullParser, pieces: Iterator[bytes]) -> Iterator[tuple[str, etree.Element]]:
    """Yield what the parser sees, also what it saw before it broke off; the damage is raised last."""
    damage: Exception | None = None
    silent = 0
    for piece in chain(_small(pieces), [None]):
        try:
            if piece is None:
                parser.close()
            else:
                parser.feed(piece)
        except etree.XMLSyntaxError as error:
            damage = error
        silent += _PIECE
        for event in parser.read_events():
            silent = 0
            yield event
        if silent > _LONGEST_SILENCE:  # a tag, comment or text without end, for which the parser's memory grows
            damage = damage or _Overgrown(f"{_LONGEST_SILENCE} bytes without the end of an element")
        if damage is not None:
            raise damage


def _small(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield pieces small enough that the tree is taken down as fast as it grows."""
    for piece in pieces:
        for start in range(0, len(piece), _PIECE):
            yield piece[start : start + _PIECE]


def _forget(element: etree.Element) -> None:
    """Drop an element that has been read, and whatever precedes it."""
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]


def _local_name(element: etree.Element | None) -> str:
    tag = element.tag if element is not None else ""
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def _entry(fields: dict[str, str], now: datetime) -> Entry:
    """Make an entry of a URL; only the news extension states when a page was published."""
    stated = fields.get("publication_date")
    published = stated_instant(stated, now)
    return Entry(
        link=fields["loc"],
        modified_at=stated_instant(fields.get("lastmod"), now),
        hints=Hints(
            title=plain_text(fields.get("title", ""), _LONGEST_TITLE),
            published_at=published,
            published_precision=stated_precision(stated, published),
            language=language_tag(fields.get("language", "")),
        ),
    )


def _too_many(count: int) -> str:
    return f"more than {MOST_ENTRIES} entries, of which the first {MOST_ENTRIES} count" if count > MOST_ENTRIES else ""
