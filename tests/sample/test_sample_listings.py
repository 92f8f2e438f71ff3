"""Both feed readers and an XML parser read the sample listings, and find in them what `expected()` says."""

from datetime import UTC, datetime

import fastfeedparser
import feedparser
import pytest
from lxml import etree

from flows.sample.expected import expected
from flows.sample.pages import build_pages
from flows.sample.story import Listing, stories

BASE = "http://127.0.0.1:8017"
PAGES = build_pages(BASE)
FEEDS = {Listing.RSS: "/feed.xml", Listing.ATOM: "/atom.xml"}
SITEMAP = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "n": "http://www.google.com/schemas/sitemap-news/0.9"}

either_feed = pytest.mark.parametrize(("listing", "path"), FEEDS.items())


def links(listing: Listing) -> set[str]:
    """Return the absolute addresses a listing should announce."""
    announced = (each.link for each in expected() if listing in each.listed)
    return {BASE + link if link.startswith("/") else link for link in announced}


@either_feed
def test_feedparser_reads_the_feed_without_complaint(listing, path):
    feed = feedparser.parse(PAGES[path].body)
    assert not feed.bozo
    assert {entry.link for entry in feed.entries} == links(listing)


@either_feed
def test_fastfeedparser_reads_the_feed(listing, path):
    feed = fastfeedparser.parse(PAGES[path].body)
    assert {entry.link for entry in feed.entries} == links(listing)


@either_feed
def test_feed_tells_title_author_and_date(listing, path):
    entries = {entry.link: entry for entry in feedparser.parse(PAGES[path].body).entries}
    for story in stories():
        if listing in story.listed:
            entry = entries[BASE + story.path]
            assert [author.name for author in entry.authors] == list(story.authors)
            assert datetime(*entry.published_parsed[:6], tzinfo=UTC) == story.published.astimezone(UTC)
            assert entry.title == story.title


def test_sitemap_announces_what_it_should():
    urls = etree.fromstring(PAGES["/sitemap-news.xml"].body).findall("s:url", SITEMAP)
    assert {url.findtext("s:loc", namespaces=SITEMAP) for url in urls} == links(Listing.SITEMAP)


def test_sitemap_tells_title_language_and_date_of_every_story():
    root = etree.fromstring(PAGES["/sitemap-news.xml"].body)
    urls = {url.findtext("s:loc", namespaces=SITEMAP): url for url in root.findall("s:url", SITEMAP)}
    for story in (each for each in stories() if Listing.SITEMAP in each.listed):
        news = urls[BASE + story.path].find("n:news", SITEMAP)
        assert news.findtext("n:title", namespaces=SITEMAP) == story.title
        assert datetime.fromisoformat(news.findtext("n:publication_date", namespaces=SITEMAP)) == story.published
        assert news.findtext("n:publication/n:language", namespaces=SITEMAP)[:2] == story.language[:2]


@pytest.mark.parametrize("path", ["/", "/harbour/"])
def test_front_pages_link_to_every_listed_story(path):
    html = PAGES[path].body.decode()
    for story in stories():
        if story.listed:
            assert f'href="{story.path.replace("&", "&amp;")}"' in html
