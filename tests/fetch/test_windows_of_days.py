"""Windows of days: what is of other days is left out before it is asked for, and counted."""

import asyncio
import gzip
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.documents import Candidate, Hints, Page, PageKind, Precision, Reason, Rejection
from tasks.fetch.dating import OUTSIDE, UNDATED, archive_left_out, day_of_page, left_out, listing_left_out
from tasks.fetch.discover import discover
from tasks.fetch.feeds import Entry, Listing
from tasks.fetch.local import read_local
from tasks.fetch.memory import Memory, NoMemory, Remembered
from tasks.fetch.results import Tally, Validator
from tasks.fetch.sources import Source, SourceKind
from tasks.fetch.window import Window

DAY = date(2024, 2, 26)
ONE_DAY = Window(first=DAY, last=DAY)
NOTHING = NoMemory()
NOON = datetime(2024, 2, 26, 12, tzinfo=UTC)
LATER = datetime(2024, 3, 9, 12, tzinfo=UTC)


def entry(published: datetime | None = None, modified: datetime | None = None) -> Entry:
    return Entry(link="", hints=Hints(published_at=published), modified_at=modified)


class TestADay:
    @pytest.mark.parametrize(
        ("offered", "url", "why"),
        [
            (entry(NOON), "/dam", ""),
            (entry(NOON), "/2024/03/09/dam", ""),
            (entry(LATER), "/2024/02/26/dam", OUTSIDE),
            (entry(modified=LATER), "/2024/02/26/dam", ""),
            (entry(), "/2024-02-26/dam", ""),
            (entry(), "/20240226-dam.html", ""),
            (entry(), "/world/2024/feb/26/dam", ""),
            (entry(), "/2024/02/27/dam", OUTSIDE),
            (entry(modified=NOON), "/dam", ""),
            (entry(modified=LATER), "/dam", OUTSIDE),
            (entry(), "/dam", UNDATED),
            (entry(), "/dam?on=2024-02-26", UNDATED),
            (entry(), "/2024/02/dam", UNDATED),
        ],
    )
    def test_is_told_by_the_best_evidence(self, offered, url, why):
        assert left_out(offered, f"https://example.com{url}", ONE_DAY, None) == why

    @pytest.mark.parametrize(
        ("offered", "listing", "why"),
        [
            (entry(), DAY, ""),
            (entry(modified=LATER), DAY, ""),
            (entry(NOON - timedelta(days=1)), DAY, ""),
            (entry(NOON + timedelta(days=1)), DAY, ""),
            (entry(NOON - timedelta(days=2)), DAY, OUTSIDE),
            (entry(), DAY + timedelta(days=1), OUTSIDE),
            (entry(NOON), DAY + timedelta(days=1), ""),
        ],
    )
    def test_can_be_that_of_the_listing(self, offered, listing, why):
        assert left_out(offered, "https://example.com/dam", ONE_DAY, listing) == why

    @given(st.dates(date(1995, 1, 1), date(2030, 1, 1)), st.booleans(), st.booleans(), st.booleans())
    def test_is_one_only_so_that_adjoining_windows_bring_everything_once(self, day, in_hints, in_path, in_lastmod):
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        offered = entry(noon if in_hints else None, noon if in_lastmod else None)
        url = f"https://example.com/{day:%Y/%m/%d}/dam" if in_path else "https://example.com/dam"
        windows = [Window(first=day + timedelta(days=shift), last=day + timedelta(days=shift)) for shift in (-1, 0, 1)]
        taken = [window for window in windows if not left_out(offered, url, window, None)]
        assert taken == (windows[1:2] if in_hints or in_path or in_lastmod else [])

    @pytest.mark.parametrize(
        ("name", "modified", "is_left_out"),
        [
            ("/sitemap-2024-02-26.xml", None, False),
            ("/sitemap-2024-02-25.xml", None, False),
            ("/sitemap-2024-02-24.xml", None, True),
            ("/sitemap-2024-02.xml.gz", None, False),
            ("/2024/04/sitemap.xml", None, True),
            ("/sitemap-202312.xml", None, True),
            ("/sitemap-7.xml", None, False),
            ("/sitemap-2019.xml", None, False),
            ("/sitemap-7.xml", NOON, False),
            ("/sitemap-7.xml", LATER, False),
            ("/sitemap-7.xml", NOON - timedelta(days=3), True),
        ],
    )
    def test_of_a_whole_sitemap(self, name, modified, is_left_out):
        listing = Entry(link=f"https://example.com{name}", modified_at=modified)
        assert listing_left_out(listing, ONE_DAY) is is_left_out

    @pytest.mark.parametrize(
        ("name", "is_left_out"),
        [
            ("crawl-data/CC-NEWS/2024/02/CC-NEWS-20240224235959-01234.warc.gz", True),
            ("CC-NEWS-20240225000000-01234.warc.gz", False),
            ("CC-NEWS-20240227235959-01234.warc.gz", False),
            ("CC-NEWS-20240228000000-01234.warc.gz", True),
            ("CC-NEWS-20249999000000-01234.warc.gz", False),
            ("crawl-20200101000000-00001.warc.gz", False),
        ],
    )
    def test_of_a_whole_archive(self, name, is_left_out):
        assert archive_left_out(name, ONE_DAY) is is_left_out


class TestADocument:
    @pytest.mark.parametrize(
        ("path", "body", "day"),
        [
            ("dam.txt", b"date 2024-02-26\nThe dam holds\n\nText.", DAY),
            ("dam.txt", b"title: Dam\nDate: 26 February 2024\n\nText.", DAY),
            ("dam.txt", b"Date palms are thirsty.\n\nText.", LATER.date()),
            ("2024-02-26/dam.txt", b"The dam holds\n\nText.", DAY),
            ("2034-02-26/dam.txt", b"The dam holds\n\nText.", LATER.date()),
            ("dam.html", b'<meta property="article:published_time" content="2024-02-26T08:30:00+01:00">', DAY),
            ("dam.html", b'<script>{"datePublished": "2024-02-26"}</script>', DAY),
            ("dam.html", b'<time itemprop="datePublished" class=x content="2024-02-26">', DAY),
            ("dam.html", b'{"datePublished": "2099-02-26", "datePublished": "2024-02-26"}', DAY),
            ("dam.html", b"<p>The dam holds.", LATER.date()),
        ],
    )
    def test_tells_its_day_or_is_of_the_one_it_was_saved_on(self, path, body, day):
        kind = PageKind.TEXT if path.endswith("txt") else PageKind.HTML
        page = Page(
            input=path,
            source="saved",
            url=None,
            fetched_at=LATER,
            status=200,
            content_type="text/html",
            kind=kind,
            body=body,
            sha256="",
        )
        assert day_of_page(page, path) == day

    def test_of_another_day_is_counted(self, tmp_path):
        for name in ("2024-02-25.html", "2024-02-26.html", "saved.html", "dated.txt"):
            (tmp_path / name).write_bytes(b"date 2024-02-26\nThe dam holds\n\nText.")
            os.utime(tmp_path / name, (LATER.timestamp(),) * 2)
        found = list(read_local(Source(name="saved", kind=SourceKind.FOLDER, location=str(tmp_path)), ONE_DAY))
        assert [page.input for page in found if isinstance(page, Page)] == ["2024-02-26.html", "dated.txt"]
        assert [(tally.reason, tally.count) for tally in found if isinstance(tally, Tally)] == [(OUTSIDE, 2)]


@dataclass
class Found:
    """What a source offers for some days."""

    everything: list[object] = field(default_factory=list)

    @property
    def candidates(self) -> list[Candidate]:
        return [each for each in self.everything if isinstance(each, Candidate)]

    @property
    def rejections(self) -> list[Rejection]:
        return [each for each in self.everything if isinstance(each, Rejection)]

    @property
    def dropped(self) -> dict[str, int]:
        return {each.reason: each.count for each in self.everything if isinstance(each, Tally)}


Ask = Callable[..., Found]


class AsBefore(NoMemory):
    """Remembers a sitemap at every address."""

    def __init__(self, *links: str) -> None:
        self.listing = Listing(entries=tuple(Entry(link=link) for link in links))

    def validator(self, _url: str) -> Validator:
        return Validator(etag='"as-before"')

    def recall(self, url: str) -> Remembered:
        return Remembered(listing=self.listing, kind=SourceKind.SITEMAP, base=url)


@pytest.fixture
def ask(client, now: datetime) -> Ask:
    def ask(location: str, window: Window | None = ONE_DAY, memory: Memory = NOTHING, **changes: object) -> Found:
        async def run() -> Found:
            source = client.with_source(**{"location": location, **changes}).source
            async with client.fetcher() as fetcher:
                offered = discover(source, fetcher, now=now, memory=memory, window=window)
                return Found([each async for each in offered])

        return asyncio.run(run())

    return ask


def urlset(*urls: str) -> bytes:
    return b"<urlset>" + "".join(f"<url><loc>{url}</loc></url>" for url in urls).encode() + b"</urlset>"


class TestListings:
    def test_entries_of_other_days_are_counted_and_not_offered(self, server, ask):
        body = urlset("/2024/02/26/a", "/2024/02/25/b", "/2024/02/27/c", "/about")
        found = ask(server.answer("/s.xml", body, content_type="text/xml"))
        assert [each.url for each in found.candidates] == [server.url("/2024/02/26/a")]
        assert found.dropped == {OUTSIDE: 2, UNDATED: 1}

    def test_an_unchanged_listing_brings_what_it_did_before_of_these_days(self, server, ask):
        url = server.answer("/sitemap.xml", b"", "304 Not Modified")
        found = ask(url, memory=AsBefore(server.url("/2024-02-26/dam"), server.url("/2024-02-27/dam")))
        assert [each.input for each in found.candidates] == [server.url("/2024-02-26/dam")]
        assert server.asked[-1].headers["if-none-match"] == '"as-before"'

    def test_sitemaps_of_other_days_are_not_even_opened(self, server, ask):
        days = [DAY + timedelta(days=shift) for shift in range(-300, 300)]
        inside = "".join(f"<sitemap><loc>/s-{day}.xml</loc></sitemap>" for day in days)
        for day in days:
            server.answer(f"/s-{day}.xml", urlset(f"/of-{day}"), content_type="text/xml")
        found = ask(server.answer("/i.xml", f"<sitemapindex>{inside}</sitemapindex>".encode(), content_type="text/xml"))
        assert server.paths() == ["/i.xml", "/s-2024-02-25.xml", "/s-2024-02-26.xml", "/s-2024-02-27.xml"]
        assert [each.url for each in found.candidates] == [server.url("/of-2024-02-26")]
        assert found.dropped == {OUTSIDE: 2, "sitemap-outside-window": 597}

    def test_a_list_of_urls_is_looked_through_too(self, tmp_path, ask):
        path = tmp_path / "urls.txt"
        path.write_text("https://example.com/2024/02/26/a\nhttps://example.com/2024/02/25/b\nhttps://example.com/c\n")
        found = ask(str(path), kind=SourceKind.URL_LIST)
        assert [each.url for each in found.candidates] == ["https://example.com/2024/02/26/a"]
        assert found.dropped == {OUTSIDE: 1, UNDATED: 1}


class TestArchivesByDate:
    def test_each_day_is_read_from_its_own_listing(self, server, ask):
        days = Window(first=DAY, last=DAY + timedelta(days=1))
        server.answer("/a/2024-02-26.xml.gz", gzip.compress(urlset("/1", "/2020/01/01/most-read")))
        server.answer("/a/2024-02-27.xml.gz", gzip.compress(urlset("/2")))
        found = ask(server.url("/feed"), days, archive=server.url("/a/{day}.xml.gz"))
        assert server.paths() == ["/a/2024-02-26.xml.gz", "/a/2024-02-27.xml.gz"]
        assert [each.url for each in found.candidates] == [server.url("/1"), server.url("/2")]
        hints = found.candidates[0].hints
        assert (hints.published_at, hints.published_precision) == (datetime(2024, 2, 26, tzinfo=UTC), Precision.DAY)
        assert found.dropped == {OUTSIDE: 1}

    def test_without_a_window_the_source_is_read_as_ever(self, server, ask):
        feed = b"<rss version='2.0'><channel><item><title>Dam</title><link>/1</link></item></channel></rss>"
        url = server.answer("/feed", feed, content_type="text/xml")
        found = ask(url, None, archive=server.url("/a/{day}.xml"))
        assert [each.url for each in found.candidates] == [server.url("/1")]
        assert found.candidates[0].hints.published_at is None

    def test_a_day_without_a_listing_or_with_a_page_is_named(self, server, ask):
        server.answer("/a/2024-02-26.xml")
        days = Window(first=DAY, last=DAY + timedelta(days=1))
        found = ask(server.url("/feed"), days, archive=server.url("/a/{day}.xml"))
        assert [(each.input, each.reason) for each in found.rejections] == [
            (server.url("/a/2024-02-26.xml"), Reason.BAD_SITEMAP),
            (server.url("/a/2024-02-27.xml"), Reason.NOT_FOUND),
        ]
