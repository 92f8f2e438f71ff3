"""Home pages stand for the feeds they advertise, robots.txt for its sitemaps; an article stays an article."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.documents import Candidate, Reason, Rejection
from tasks.fetch.discover import MOST_FEEDS, discover
from tasks.fetch.results import Fetched, Tally, Visit
from tasks.fetch.signposts import advertised_feeds, sitemaps_in_robots
from tasks.fetch.sources import SourceKind

Look = Callable[..., list[object]]


def page(*links: str) -> bytes:
    return f"<!doctype html><html><head>{''.join(links)}</head><body><p>The dam holds.</body></html>".encode()


def link(href: str, kind: str = "application/rss+xml", more: str = "") -> str:
    return f'<link rel="alternate" type="{kind}" href="{href}" {more}>'


def rss(*paths: str) -> bytes:
    items = "".join(f"<item><title>Dam</title><link>{path}</link><guid>{path}</guid></item>" for path in paths)
    return f"<rss version='2.0'><channel>{items}</channel></rss>".encode()


@pytest.fixture
def look(client, now: datetime) -> Look:
    def look(url: str, kind: SourceKind = SourceKind.WEB) -> list[object]:
        async def run() -> list[object]:
            source = client.with_source(location=url, kind=kind).source
            async with client.fetcher() as fetcher:
                return [found async for found in discover(source, fetcher, now=now)]

        return asyncio.run(run())

    return look


def urls(found: list[object]) -> list[str | None]:
    return [each.url for each in found if isinstance(each, Candidate)]


def dropped(found: list[object]) -> dict[str, int]:
    return {each.reason: each.count for each in found if isinstance(each, Tally)}


class TestHomePages:
    def test_its_feeds_are_read_instead_of_it(self, server, look):
        server.answer("/", page(link("/rss"), link("/atom.xml", "application/atom+xml"), link("/comments/feed/")))
        server.answer("/rss", rss("/1", "/2"), content_type="application/rss+xml")
        server.answer("/atom.xml", rss("/2", "/3"), content_type="application/atom+xml")
        found = look(server.url("/"))
        assert urls(found) == [server.url(path) for path in ("/1", "/2", "/3")]
        assert [(visit.url, visit.kind) for visit in found if isinstance(visit, Visit)] == [
            (server.url("/rss"), SourceKind.FEED),
            (server.url("/atom.xml"), SourceKind.FEED),
        ]
        assert dropped(found) == {"duplicate": 1}
        assert server.paths() == ["/", "/rss", "/atom.xml"]

    def test_only_feeds_of_the_site_are_followed_each_once(self, server, look):
        links = [link("/rss"), link("/rss"), link("https://feeds.elsewhere.example/rss"), link("http://10.0.0.1/rss")]
        server.answer("/", page(*links, link("ftp://127.0.0.1/rss")))
        server.answer("/rss", rss("/1"), content_type="application/rss+xml")
        found = look(server.url("/"))
        assert server.paths() == ["/", "/rss"]
        assert dropped(found) == {"feed-again": 1, "feed-elsewhere": 3}

    def test_of_very_many_feeds_some_are_followed(self, server, look):
        server.answer("/", page(*(link(f"/{number}") for number in range(MOST_FEEDS + 3))))
        found = look(server.url("/"))
        assert len(server.paths()) == 1 + MOST_FEEDS
        assert dropped(found) == {"feed-too-many": 3}

    def test_without_feeds_it_is_a_page(self, server, look):
        server.answer("/", page(link("/de", "text/html", 'hreflang="de"')))
        (fetched,) = look(server.url("/"))
        assert isinstance(fetched, Fetched)

    def test_a_feed_that_is_a_page_does_not_lead_further(self, server, look):
        server.answer("/", page(link("/rss")))
        server.answer("/rss", page(link("/rss2")))
        (rejection,) = [found for found in look(server.url("/")) if isinstance(found, Rejection)]
        assert (rejection.input, rejection.reason) == (server.url("/rss"), Reason.BAD_FEED)
        assert server.paths() == ["/", "/rss"]


class TestOtherPages:
    def test_an_article_stays_an_article_whatever_it_advertises(self, server, look):
        server.answer("/world/dam", page(link("/rss")))
        (fetched,) = look(server.url("/world/dam"))
        assert isinstance(fetched, Fetched)
        assert server.paths() == ["/world/dam"]

    @pytest.mark.parametrize("kind", [SourceKind.HOME, SourceKind.FEED])
    def test_a_section_can_be_said_to_stand_for_its_feeds(self, server, look, kind):
        server.answer("/world/", page(link("rss")))
        server.answer("/world/rss", rss("/1"), content_type="text/xml")
        assert urls(look(server.url("/world/"), kind)) == [server.url("/1")]

    @pytest.mark.parametrize("kind", [SourceKind.HOME, SourceKind.FEED])
    def test_one_that_stands_for_feeds_and_has_none_is_said(self, server, look, kind):
        server.answer("/world/", page())
        (rejection,) = look(server.url("/world/"), kind)
        assert (rejection.reason, "no feed" in rejection.detail) == (Reason.BAD_FEED, True)

    def test_a_home_page_can_be_said_to_be_a_document(self, server, look):
        server.answer("/", page(link("/rss")))
        (fetched,) = look(server.url("/"), SourceKind.PAGE)
        assert isinstance(fetched, Fetched)


class TestSitemapsOfASite:
    def test_those_that_robots_txt_names_are_read(self, server, look):
        robots = (
            f"User-agent: *\nDisallow:\nSitemap: {server.url('/s.xml')}\nSitemap: https://elsewhere.example/s.xml\n"
        )
        server.answer("/robots.txt", robots.encode(), content_type="text/plain")
        server.answer("/s.xml", b"<urlset><url><loc>/1</loc></url></urlset>", content_type="text/xml")
        found = look(server.url("/"), SourceKind.SITEMAP)
        assert urls(found) == [server.url("/1")]
        assert dropped(found) == {"sitemap-elsewhere": 1}
        assert server.paths() == ["/s.xml"]

    def test_where_it_names_none_that_is_said(self, server, look):
        server.answer("/robots.txt", b"User-agent: *\nDisallow:\n", content_type="text/plain")
        (rejection,) = look(server.url("/"), SourceKind.SITEMAP)
        assert (rejection.reason, "robots.txt" in rejection.detail) == (Reason.BAD_SITEMAP, True)


@pytest.mark.parametrize(
    "tag",
    [
        "<LINK REL='Alternate Home' TYPE='Application/RSS+XML; charset=utf-8' HREF='/feed'>",
        "<link href=/feed rel=alternate type=application/atom+xml/>",
        '<link\nrel="alternate"\n type = "application/feed+json" title="News &amp; more" href="/feed">',
        '<link rel="alternate" type="application/rss+xml" title="Commentary" href="/feed">',
    ],
)
def test_many_ways_to_advertise_a_feed(tag):
    assert list(advertised_feeds(page(tag))) == ["/feed"]


@pytest.mark.parametrize(
    "tag",
    [
        '<link rel="stylesheet" type="application/rss+xml" href="/feed">',
        '<link rel="alternate" type="application/json" href="/wp-json/wp/v2/pages/7">',
        '<link rel="alternate" type="application/json+oembed" href="/oembed">',
        '<link rel="alternate" type="application/rss+xml">',
        '<link rel="alternate" type="application/rss+xml" href="/dam/comments/feed/">',
        '<link rel="alternate" type="application/atom+xml" href="/feeds/7431/comments/default">',
        '<link rel="alternate" type="application/rss+xml" href="/?feed=comments-rss2">',
        '<link rel="alternate" type="application/rss+xml" title="Flux des commentaires" href="/flux/">',
        '<a rel="alternate" type="application/rss+xml" href="/feed">',
    ],
)
def test_what_is_no_feed_of_articles(tag):
    assert list(advertised_feeds(page(tag))) == []


@given(st.binary(max_size=400))
def test_no_page_and_no_robots_txt_is_too_odd(noise):
    tag = b"<link rel=alternate type=application/rss+xml href=/feed>"
    assert list(advertised_feeds(noise.replace(b"<", b"") + tag))[-1:] == ["/feed"]
    assert "/s.xml" in list(sitemaps_in_robots(noise + b"\nSitemap: /s.xml\n"))
