"""Feeds and sitemaps that are made to keep a parser busy, to fill its memory, or to read what is not theirs."""

import asyncio
import gzip
import os
import resource
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.documents import Hints
from tasks.fetch import feed_reader, feeds
from tasks.fetch.feeds import Entry, FeedReader, Listing, UnreadableListing
from tasks.fetch.links import Links, Place
from tasks.fetch.sitemaps import read_sitemap
from tasks.fetch.sources import Source, SourceKind

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
FINE = b"<rss version='2.0'><channel><item><title>Dam</title><link>https://example.com/1</link></item></channel></rss>"
SOURCE = Source(name="dam", kind=SourceKind.WEB, location="https://example.com/")


def read_all(*bodies: bytes) -> list[Listing | UnreadableListing]:
    """Read feeds one after the other with one reader."""

    async def read() -> list[Listing | UnreadableListing]:
        found: list[Listing | UnreadableListing] = []
        async with FeedReader() as reader:
            for body in bodies:
                try:
                    found.append(await reader.read(body, NOW))
                except UnreadableListing as trouble:
                    found.append(trouble)
        return found

    return asyncio.run(read())


def rss(title: str = "Dam", link: str = "https://example.com/1", more: str = "") -> bytes:
    item = f"<item><title>{title}</title><link>{link}</link>{more}</item>"
    return f"<rss version='2.0'><channel>{item}</channel></rss>".encode()


def laughs(depth: int = 10) -> bytes:
    entities = "".join(f'<!ENTITY a{number} "{f"&a{number - 1};" * 10}">' for number in range(1, depth))
    item = f"<item><title>&a{depth - 1};</title><link>https://example.com/1</link></item>"
    return f'<!DOCTYPE x [<!ENTITY a0 "lol">{entities}]><rss version="2.0"><channel>{item}</channel></rss>'.encode()


HOSTILE = {
    "laughs": laughs(),
    "quadratic": f'<!DOCTYPE x [<!ENTITY a "{"x" * 50_000}">]><rss><channel>{"&a;" * 2000}</channel></rss>'.encode(),
    "deep": b"<a>" * 50_000,
    "titles": rss("x" * 10_000_000),
    "tags in a title": rss("a &amp;lt;b" * 500_000),
    "dates without end": b"<rss version='2.0'><channel><item>" + b"<pubDate " * 1_000_000,
    "a date of letters": rss(more=f"<pubDate>{'a' * 3_000_000}</pubDate>"),
    "brackets": b"<" * 3_000_000,
    "json": b'{"version":"https://jsonfeed.org/version/1.1","items":' + b"[" * 1_000_000,
    "comments": b"<!---->" * 1000 + b"<rss>",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_feed_is_too_much_and_the_next_one_is_read(name: str) -> None:
    hostile, fine = read_all(HOSTILE[name], FINE)
    assert isinstance(hostile, UnreadableListing) or all(
        len(entry.hints.title or "") <= 500 for entry in hostile.entries
    )
    assert isinstance(fine, Listing)
    assert [entry.link for entry in fine.entries] == ["https://example.com/1"]


def test_a_feed_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "asleep.py"
    program.write_text("import time; time.sleep(600)")
    monkeypatch.setattr(feeds, "_PROGRAM", program)
    monkeypatch.setattr(feeds, "_PATIENCE_SECONDS", 0.2)
    (trouble,) = read_all(FINE)
    assert "not read within" in str(trouble)


def test_the_reader_has_little_memory_and_time() -> None:
    """The bounds that the program puts on itself; a feed that needs more ends it."""
    script = f"""
import io, resource, sys
sys.path.insert(0, {str(Path(feed_reader.__file__).parent)!r})
import feed_reader
def greedy(body):
    if body == b"memory":
        bytearray(feed_reader._MEMORY)
    while True:
        pass
feed_reader._SECONDS = 0
feed_reader.read = greedy
feed_reader._main(io.BytesIO((6).to_bytes(8, "big") + sys.argv[1].encode()), io.BytesIO())
"""

    async def ends(what: str) -> int:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, what, stderr=asyncio.subprocess.DEVNULL
        )
        return await child.wait()

    assert asyncio.run(ends("memory")) == 1  # of a MemoryError
    assert asyncio.run(ends("endless")) == -24  # of SIGXCPU


def test_a_reader_that_is_cut_short_gives_no_feed_the_answer_of_another() -> None:
    async def read() -> Listing:
        async with FeedReader() as reader:
            slow = asyncio.create_task(reader.read(HOSTILE["deep"], NOW))
            await asyncio.sleep(0.05)
            slow.cancel()
            await asyncio.gather(slow, return_exceptions=True)
            return await reader.read(FINE, NOW)

    assert [entry.link for entry in asyncio.run(read()).entries] == ["https://example.com/1"]


def test_nothing_is_read_through_a_feed_or_sitemap(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("TOP SECRET")
    doctype = f'<!DOCTYPE x [<!ENTITY s SYSTEM "{(tmp_path / "secret").as_uri()}">]>'.encode()
    assert "SECRET" not in str(read_all(doctype + rss("&s;", "https://example.com/&s;")))
    sitemap = doctype + b"<urlset><url><loc>https://example.com/&s;</loc></url></urlset>"
    assert "SECRET" not in str(read_sitemap(sitemap, NOW))


def grown(work: Iterator[object]) -> int:
    """Return by how many MiB the peak of a fork's memory grows while it does something."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in work:
            pass
        os.write(writing, str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before).encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as answer:
        return int(answer.read()) // 1024


def many_times(piece: bytes, count: int, head: bytes = b"<urlset>") -> bytes:
    file = BytesIO()
    file.write(head)
    file.write(piece * count)
    return file.getvalue()


@pytest.mark.parametrize(
    "body",
    [
        many_times(b"<x>y</x>", 4_000_000),
        many_times(b"<x>y</x>", 4_000_000, b"<urlset><url>"),
        many_times(b"<a>", 4_000_000),
        many_times(b" a='1'", 4_000_000, b"<urlset><url"),
        many_times(b"".join(b" a%d='1'" % number for number in range(500_000)), 1, b"<urlset><url"),
        many_times(b"x", 40_000_000, b"<urlset><url><loc>"),
        many_times(b" ", 40_000_000, b"<urlset><!--"),
        many_times(b"http\n", 4_000_000, b""),
        gzip.compress(bytes(60 * 1024 * 1024), 1),
    ],
    ids=["elements", "elements of a url", "depth", "one attribute", "attributes", "text", "comment", "lines", "zeros"],
)
def test_a_sitemap_takes_little_memory_whatever_it_holds(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.fetch.sitemaps._MOST_ELEMENTS", 100_000)

    def reading() -> Iterator[object]:
        try:
            yield read_sitemap(body, NOW)
        except UnreadableListing as trouble:
            yield trouble

    assert grown(reading()) < 150


def test_a_large_sitemap_is_read_whole() -> None:
    url = "<url><loc>https://example.com/{0}</loc><lastmod>2026-11-24</lastmod></url>"
    body = "<urlset>" + "".join(map(url.format, range(50_000))) + "</urlset>"
    listing = read_sitemap(gzip.compress(body.encode(), 1), NOW)
    assert (len(listing.entries), listing.trouble) == (50_000, "")


def test_what_a_sitemap_holds_before_it_overgrows_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.fetch.sitemaps._MOST_ELEMENTS", 1000)
    body = b"<urlset><url><loc>https://example.com/1</loc></url>" + b"<x/>" * 2000
    listing = read_sitemap(gzip.compress(body, 1), NOW)
    assert [entry.link for entry in listing.entries] == ["https://example.com/1"]
    assert "damaged" in listing.trouble


NAUGHTY = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            *("undefined", "NaN", "0x0", "1/0", "\u0000", "\ufeff", "\u202etest\u202c", "\ud800", "test\x00", "\u200b"),
            *("<script>alert(0)</script>", "'; DROP TABLE articles; --", "=1+1", "../../../../etc/passwd", "${HOME}"),
            *("{{7*7}}", "%s%n", "http://a/%%30%30", "\x1b[31m", "Z\u032e\u031e\u0320\u0359", "//", "[", "http:", "?#"),
        ]
    ),
)


@settings(max_examples=200)
@given(NAUGHTY, NAUGHTY, NAUGHTY)
def test_naughty_links_are_candidates_or_counted(link: str, guid: str, base: str) -> None:
    links = Links(SOURCE)
    entry = Entry(link=link, guid=guid, hints=Hints(title=link or None))
    taken = 0
    for url in ("https://example.com/", f"https://example.com/{base}", base):
        candidate = links.candidate(entry, Place(url=url))
        links.sibling(link, url)
        if candidate is not None:
            taken += 1
            assert (candidate.url or "\u00e9").isascii()
    assert taken + sum(links.dropped.values()) == 3


@pytest.mark.parametrize("title", ["</title>", "&amp;lt;script&amp;gt;", "\u202etest", "=1+1", "&#0;&#xD800;&#x1F600;"])
def test_naughty_titles_are_texts_that_can_be_stored(title: str) -> None:
    (listing,) = read_all(rss(f"Dam {title} dam"))
    assert isinstance(listing, Listing)
    (entry,) = listing.entries
    assert entry.hints.title is not None
    assert entry.hints.title.startswith("Dam")
    assert not {"\0", "\ud800", "<"} & set(entry.hints.title.encode("utf-8", "surrogatepass").decode())


def test_entries_of_one_name_are_one() -> None:
    items = "".join(
        f"<item><title>Dam</title><link>https://example.com/{number}</link><guid>dam-7</guid></item>"
        for number in range(9)
    )
    (listing,) = read_all(f"<rss version='2.0'><channel>{items}</channel></rss>".encode())
    assert isinstance(listing, Listing)
    links = Links(SOURCE)
    place = Place(url="https://example.com/feed")
    assert len([entry for entry in listing.entries if links.candidate(entry, place)]) == 1
    assert links.dropped == {"duplicate": 8}
    other = Place(url="https://example.com/another-feed")
    assert links.candidate(listing.entries[1], other) is not None
