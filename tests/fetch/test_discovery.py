"""From feeds, sitemaps, pages and lists to candidates."""

import asyncio
import gzip
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.documents import Candidate, Precision, Reason, Rejection
from tasks.fetch.discover import discover
from tasks.fetch.feeds import Entry, FeedReader, Listing, UnreadableListing, language_tag, plain_text
from tasks.fetch.freshness import Answer
from tasks.fetch.memory import NoMemory, Remembered
from tasks.fetch.results import Fetched, NotModified, Tally, Validator, Visit
from tasks.fetch.sitemaps import read_sitemap
from tasks.fetch.sources import Source, SourceKind

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
NEWS = "http://www.google.com/schemas/sitemap-news/0.9"
SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"


class KnownFeed(NoMemory):
    """Knows one feed, as it was."""

    def __init__(self, url: str, etag: str, known: Remembered | None) -> None:
        self.url, self.etag, self.known = url, etag, known

    def validator(self, url: str) -> Validator | None:
        return Validator(etag=self.etag) if url == self.url else None

    def recall(self, url: str) -> Remembered | None:
        return self.known if url == self.url else None


class KnownParts(NoMemory):
    """Knows every sitemap of an index, and believes its dates."""

    def recall(self, url: str) -> Remembered:
        return Remembered(listing=Listing(entries=(Entry(link="/known"),)), kind=SourceKind.SITEMAP, base=url)

    def passes_over(self, _url: str, modified_at: datetime | None) -> bool:
        return modified_at is not None and modified_at < NOW


def rss(*items: str, language: str = "en-gb") -> bytes:
    channel = f"<title>Dam Daily</title><language>{language}</language>" + "".join(items)
    return f"<?xml version='1.0'?><rss version='2.0'><channel>{channel}</channel></rss>".encode()


def item(link: str, title: str = "The dam holds", more: str = "") -> str:
    return f"<item><title>{title}</title><link>{link}</link>{more}</item>"


def urlset(*urls: str) -> bytes:
    inside = "".join(f"<url><loc>{url}</loc></url>" for url in urls)
    return f"<?xml version='1.0'?><urlset xmlns='{SITEMAP}'>{inside}</urlset>".encode()


def feed(body: bytes) -> Listing:
    async def read() -> Listing:
        async with FeedReader() as reader:
            return await reader.read(body, NOW)

    return asyncio.run(read())


class TestFeeds:
    def test_rss(self):
        published = "<pubDate>Mon, 23 Nov 2026 09:30:00 +0100</pubDate>"
        (entry,) = feed(rss(item("https://example.com/1", "The &lt;b&gt;dam&lt;/b&gt; holds", published))).entries
        assert (entry.link, entry.hints.title, entry.hints.language) == (
            "https://example.com/1",
            "The dam holds",
            "en-GB",
        )
        assert entry.hints.published_at == datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
        assert entry.hints.published_precision is Precision.INSTANT

    def test_atom(self):
        body = b"""<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de"><title>T</title><entry>
            <title>Der Damm</title><link rel="alternate" href="/2"/><id>urn:2</id>
            <published>2026-11-23T08:30:00Z</published><author><name>Ada Muster</name></author>
            <summary type="html">&lt;p&gt;Der Damm h\xc3\xa4lt.&lt;/p&gt;</summary></entry></feed>"""
        (entry,) = feed(body).entries
        assert (entry.link, entry.hints.language, entry.hints.authors) == ("/2", "de", ("Ada Muster",))
        assert entry.hints.summary == "Der Damm hält."

    def test_rdf(self):
        body = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
            xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="x"><title>R</title></channel>
            <item rdf:about="https://example.com/1"><title>Dam</title><link>https://example.com/1</link>
            <dc:date>2026-11-23</dc:date></item></rdf:RDF>"""
        (entry,) = feed(body).entries
        assert entry.hints.published_at == datetime(2026, 11, 23, tzinfo=UTC)
        assert entry.hints.published_precision is Precision.DAY

    def test_json_feed(self):
        posts = [{"id": "1", "url": "https://example.com/1", "title": "Dam", "date_published": "2026-11-23T08:30:00Z"}]
        body = {"version": "https://jsonfeed.org/version/1.1", "title": "T", "items": posts}
        (entry,) = feed(json.dumps(body).encode()).entries
        assert entry.hints.published_at == datetime(2026, 11, 23, 8, 30, tzinfo=UTC)

    @pytest.mark.parametrize(
        "date",
        [
            *("", "yesterday", "now", "Monday", "12:30", "5 minutes ago", "2026", "November 2026", "24"),
            *("Mon, 32 Foo 2026 25:61:00 GMT", "2026-02-30", "Thu, 01 Jan 1970 00:00:00 GMT", "<![CDATA[today]]>"),
        ],
    )
    def test_a_date_that_cannot_be_true_is_unknown(self, date):
        (entry,) = feed(rss(item("https://example.com/1", more=f"<pubDate>{date}</pubDate>"))).entries
        assert entry.hints.published_at is None

    @pytest.mark.parametrize(
        "date",
        [
            *("Mon, 23 Nov 2026 00:00:00 GMT", "23 Nov 26", "November 23, 2026", "Mon Nov 23 00:00:00 2026"),
            *("2026-11-23", "2026-11-23T00:00:00Z", "<![CDATA[ 23-Nov-2026 ]]>"),
        ],
    )
    def test_dates_come_in_many_spellings(self, date):
        (entry,) = feed(rss(item("https://example.com/1", more=f"<pubDate>{date}</pubDate>"))).entries
        assert entry.hints.published_at == datetime(2026, 11, 23, tzinfo=UTC)

    @pytest.mark.parametrize(("days", "is_believed"), [(0.5, True), (2, False), (3000, False)])
    def test_only_tomorrow_may_be_ahead(self, days, is_believed):
        date = format_datetime(NOW + timedelta(days=days))
        (entry,) = feed(rss(item("https://example.com/1", more=f"<pubDate>{date}</pubDate>"))).entries
        assert (entry.hints.published_at is not None) is is_believed

    def test_a_feed_that_breaks_off_is_read_as_far_as_it_goes(self):
        body = rss(*(item(f"https://example.com/{number}") for number in range(9)))
        listing = feed(body[: len(body) // 2])
        assert 3 <= len(listing.entries) <= 5
        assert "breaks off" in listing.trouble

    def test_the_patient_parser_reads_what_the_fast_one_cannot(self):
        body = b"<?xml version='1.0'?><rss><channel><item><title>A & B</title><link>https://example.com/1</link>"
        body += b"</item></channel></rss\x00>"
        assert [entry.link for entry in feed(body).entries] == ["https://example.com/1"]

    def test_entities_do_not_grow(self):
        entities = '<!ENTITY a0 "lol">' + "".join(
            f'<!ENTITY a{number} "{f"&a{number - 1};" * 10}">' for number in range(1, 10)
        )
        laughs = f'<?xml version="1.0"?><!DOCTYPE x [{entities}]><rss version="2.0"><channel>'
        laughs += "<item><title>&a9;</title><link>https://example.com/1</link></item></channel></rss>"
        assert all(len(entry.hints.title or "") <= 500 for entry in feed(laughs.encode()).entries)

    def test_no_file_is_read_through_a_feed(self, tmp_path):
        (tmp_path / "secret").write_text("TOP SECRET")
        body = f'<!DOCTYPE x [<!ENTITY s SYSTEM "{(tmp_path / "secret").as_uri()}">]>'
        body += "<rss version='2.0'><channel><item><title>&s;</title><link>https://example.com/1</link></item>"
        listing = feed((body + "</channel></rss>").encode())
        assert "SECRET" not in str(listing)

    def test_a_giant_title_is_cut(self):
        (entry,) = feed(rss(item("https://example.com/1", "x" * 5_000_000))).entries
        assert len(entry.hints.title) == 500

    @pytest.mark.parametrize("body", [b"", b" \n", b"<html><body>Maintenance</body></html>", b"nope", b"<a>" * 5_000])
    def test_what_is_no_feed_is_said(self, body):
        with pytest.raises(UnreadableListing):
            feed(body)

    @given(st.text())
    def test_texts_can_be_written(self, text):
        cleaned = plain_text(text, 50)
        if cleaned is not None:
            assert 0 < len(cleaned.encode().decode()) <= 50
            assert cleaned == cleaned.strip()

    @pytest.mark.parametrize(("text", "tag"), [("EN", "en"), ("zh-hans", "zh-Hans"), ("x", None), ("", None)])
    def test_language_tags(self, text, tag):
        assert language_tag(text) == tag


class TestSitemaps:
    def test_news(self):
        body = f"""<urlset xmlns="{SITEMAP}" xmlns:news="{NEWS}" xmlns:image="http://www.google.com/schemas/i">
            <url><loc> https://example.com/1 </loc><lastmod>2026-11-24</lastmod>
            <image:image><image:loc>https://example.com/1.jpg</image:loc><image:title>Photo</image:title></image:image>
            <news:news><news:publication><news:name>Dam Daily</news:name><news:language>pt-br</news:language>
            </news:publication><news:publication_date>2026-11-23</news:publication_date>
            <news:title>A barragem &amp; a cidade</news:title></news:news></url></urlset>""".encode()
        (entry,) = read_sitemap(body, NOW).entries
        assert (entry.link, entry.hints.title, entry.hints.language) == (
            "https://example.com/1",
            "A barragem & a cidade",
            "pt-BR",
        )
        assert entry.hints.published_at == datetime(2026, 11, 23, tzinfo=UTC)
        assert entry.hints.published_precision is Precision.DAY
        assert entry.modified_at == datetime(2026, 11, 24, tzinfo=UTC)

    def test_a_date_of_change_is_no_date_of_publication(self):
        body = b"<urlset><url><loc>https://example.com/1</loc><lastmod>2026-11-24</lastmod></url></urlset>"
        assert read_sitemap(body, NOW).entries[0].hints.published_at is None

    @pytest.mark.parametrize(
        "body",
        [
            urlset("https://example.com/1"),
            b"\xef\xbb\xbf \n" + urlset("https://example.com/1"),
            urlset("https://example.com/1").decode().replace("<?xml version='1.0'?>", "").encode("utf-16"),
            gzip.compress(urlset("https://example.com/1"), mtime=0),
            b"<urlset xmlns='urn:wrong'><url><loc>https://example.com/1</loc></url></urlset>",
            b"https://example.com/1\r\n\r\n",
            gzip.compress(b"https://example.com/1", mtime=0),
        ],
    )
    def test_many_shapes(self, body):
        assert [entry.link for entry in read_sitemap(body, NOW).entries] == ["https://example.com/1"]

    def test_what_precedes_the_damage_is_kept(self):
        body = urlset(*(f"https://example.com/{number}" for number in range(100)))
        for damaged in (body[: len(body) // 2], gzip.compress(body)[:-20]):
            listing = read_sitemap(damaged, NOW)
            assert listing.entries
            assert "damaged" in listing.trouble

    def test_a_bomb_is_cut_off(self):
        body = urlset("https://example.com/1")[: -len("</urlset>")] + b" " * (60 * 1024 * 1024)
        listing = read_sitemap(gzip.compress(body, 1), NOW)
        assert [entry.link for entry in listing.entries] == ["https://example.com/1"]
        assert listing.trouble

    @pytest.mark.parametrize("body", [urlset(*map(str, range(1100))), b"http\n" * 1100])
    def test_what_goes_beyond_the_bound_is_cut(self, body, monkeypatch):
        monkeypatch.setattr("tasks.fetch.sitemaps.MOST_ENTRIES", 1000)
        listing = read_sitemap(body, NOW)
        assert len(listing.entries) == 1000
        assert "1000" in listing.trouble

    @pytest.mark.parametrize(
        "body",
        [b"", b"<html></html>", b"nope", b"\x1f\x8bnope", b"<!DOCTYPE x [<!ENTITY a 'x'>]><x>&a;</x>", b"<urlset" * 9],
    )
    def test_what_is_no_sitemap_is_said(self, body):
        with pytest.raises(UnreadableListing):
            read_sitemap(body, NOW)


class Discovered:
    """What `discover` yields, sorted."""

    def __init__(self, client, source: Source, memory=None) -> None:
        async def run() -> list[object]:
            async with client.fetcher() as fetcher:
                return [found async for found in discover(source, fetcher, now=NOW, memory=memory or NoMemory())]

        self.all = asyncio.run(run())
        self.urls = [found.url for found in self.of(Candidate)]
        self.dropped = {tally.reason: tally.count for tally in self.of(Tally)}

    def of(self, kind):
        return [found for found in self.all if isinstance(found, kind)]


@pytest.fixture
def look(client):
    def look(url: str, memory=None, kind: SourceKind = SourceKind.WEB, **changes) -> Discovered:
        source = client.with_source(location=url, kind=kind, **changes).source
        return Discovered(client, source, memory)

    return look


class TestDiscovery:
    def test_a_feed_gives_candidates_with_hints(self, server, look):
        body = rss(item("/1?utm_source=rss"), item(server.url("/2")))
        url = server.answer("/feed", body, content_type="text/xml", ETag='"f1"')
        found = look(url)
        assert found.urls == [server.url("/1"), server.url("/2")]
        first = found.of(Candidate)[0]
        assert first.input == server.url("/1?utm_source=rss")
        assert first.hints.title == "The dam holds"
        (visit,) = found.of(Visit)
        assert (visit.entries, visit.validator, visit.is_partial) == (2, Validator(etag='"f1"'), False)

    def test_links_are_dropped_with_a_reason(self, server, look):
        links = [
            *("file:///etc/passwd", "javascript:alert(1)", "http://169.254.169.254/", "http://[::1]/", "http://127.1/"),
            *(
                "http://user:pw@example.com/",
                "https://example.com/" + "x" * 2100,
                "http://a..example/",
                "",
                "/1",
                "/1#x",
            ),
        ]
        found = look(server.answer("/feed", rss(*map(item, links)), content_type="application/rss+xml"))
        assert found.urls == [server.url("/1")]
        assert found.dropped == {
            "credentials": 1,
            "duplicate": 1,
            "no-link": 1,
            "odd-address": 1,
            "other-scheme": 2,
            "private-address": 2,
            "too-long": 1,
            "unparsable": 1,
        }

    def test_an_unchanged_page_offers_nothing(self, server, look):
        url = server.answer("/page", b"", "304 Not Modified")
        found = look(url, memory=KnownFeed(url, '"f1"', None))
        assert [type(thing) for thing in found.all] == [NotModified]
        assert server.asked[-1].headers["if-none-match"] == '"f1"'

    def test_an_unchanged_feed_offers_what_it_did_before(self, server, look):
        url = server.answer("/feed", b"", "304 Not Modified")
        known = Remembered(listing=Listing(entries=(Entry(link="/1"),)), kind=SourceKind.FEED, base=url)
        found = look(url, memory=KnownFeed(url, '"f1"', known))
        assert found.urls == [server.url("/1")]
        assert [(visit.answer, visit.entries, visit.validator) for visit in found.of(Visit)] == [
            (Answer.NOT_MODIFIED, 1, None)
        ]

    def test_a_sitemap_that_its_index_calls_unchanged_is_not_asked(self, server, look):
        dates = {"/old.xml": "2026-11-01T00:00:01Z", "/new.xml": "2026-11-24T13:00:00Z"}
        index = "".join(f"<sitemap><loc>{at}</loc><lastmod>{when}</lastmod></sitemap>" for at, when in dates.items())
        url = server.answer("/index.xml", f"<sitemapindex>{index}</sitemapindex>".encode(), content_type="text/xml")
        server.answer("/new.xml", urlset(server.url("/fresh")), content_type="text/xml")
        found = look(url, memory=KnownParts())
        assert server.paths() == ["/index.xml", "/new.xml"]
        assert found.urls == [server.url("/known"), server.url("/fresh")]
        assert [visit.answer for visit in found.of(Visit)] == [Answer.READ, Answer.PASSED_OVER, Answer.READ]

    @pytest.mark.parametrize("content_type", ["application/rss+xml", "text/html"])
    def test_a_declared_feed_that_is_a_page_is_bad(self, server, look, content_type):
        url = server.answer("/feed", b"<html><body>Maintenance</body></html>", content_type=content_type)
        (rejection,) = look(url, kind=SourceKind.FEED).all
        assert (rejection.input, rejection.reason) == (url, Reason.BAD_FEED)

    def test_an_index_is_followed_once_to_each_sitemap_of_the_site(self, server, look):
        inside = ["/a.xml", "/b.xml.gz", "/index.xml", "/index.xml?again", "https://elsewhere.example/s.xml"]
        index = "".join(f"<sitemap><loc>{location}</loc></sitemap>" for location in inside)
        body = f"<sitemapindex xmlns='{SITEMAP}'>{index}</sitemapindex>".encode()
        server.answer("/index.xml", body, content_type="application/xml")
        server.answer("/index.xml?again", b"<urlset/>", content_type="application/xml")
        server.answer("/a.xml", urlset("/1", "/2", "https://elsewhere.example/3"), content_type="application/xml")
        server.answer("/b.xml.gz", gzip.compress(urlset("/2", "/4")), content_type="application/x-gzip")
        found = look(server.url("/index.xml"))
        assert found.urls == [server.url(path) for path in ("/1", "/2", "/4")]
        assert found.dropped == {"duplicate": 1, "other-site": 1, "sitemap-again": 1, "sitemap-elsewhere": 1}
        assert len(found.of(Visit)) == 4

    def test_an_index_without_end_ends(self, server, look):
        for depth in range(9):
            body = f"<sitemapindex><sitemap><loc>/{depth + 1}</loc></sitemap></sitemapindex>".encode()
            server.answer(f"/{depth}", body, content_type="application/xml")
        found = look(server.url("/0"))
        assert server.paths() == ["/0", "/1", "/2", "/3", "/4"]
        assert found.dropped == {"sitemap-too-many": 1}

    def test_a_missing_sitemap_of_an_index_is_seen(self, server, look):
        body = b"<sitemapindex><sitemap><loc>/gone.xml</loc></sitemap></sitemapindex>"
        found = look(server.answer("/index.xml", body, content_type="application/xml"))
        (rejection,) = found.of(Rejection)
        assert (rejection.input, rejection.reason) == (server.url("/gone.xml"), Reason.NOT_FOUND)

    def test_a_page_is_its_own_document_and_fetched_once(self, server, look):
        url = server.answer("/dam")
        (fetched,) = look(url).all
        assert isinstance(fetched, Fetched)
        assert (fetched.candidate.input, fetched.content_type) == (url, "text/html")
        assert server.paths() == ["/dam"]

    def test_what_is_none_of_them_is_named(self, server, look):
        url = server.answer("/photo", b"\x89PNG", content_type="image/png")
        (rejection,) = look(url).all
        assert (rejection.reason, "neither a feed" in rejection.detail) == (Reason.NOT_HTML, True)

    def test_an_unreachable_source_is_seen(self, server, look):
        server.server_close()
        (rejection,) = look(server.url("/feed")).all
        assert (rejection.input, rejection.reason) == (server.url("/feed"), Reason.UNREACHABLE)

    def test_a_list_of_urls(self, tmp_path, look):
        path = tmp_path / "urls.txt"
        path.write_text("https://example.com/1\n\nhttps://example.com/1#x\nhttps://user:pw@example.com/2\n")
        found = look(str(path), kind=SourceKind.URL_LIST)
        assert found.urls == ["https://example.com/1"]
        assert [(rejection.input, rejection.reason) for rejection in found.of(Rejection)] == [
            ("https://user:pw@example.com/2", Reason.BAD_URL)
        ]
        assert found.dropped == {"duplicate": 1}

    def test_the_language_of_the_source_fills_in(self, server, look):
        found = look(server.answer("/s.xml", urlset("/1"), content_type="text/xml"), language="fr")
        assert found.of(Candidate)[0].hints.language == "fr"
