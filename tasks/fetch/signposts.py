"""Where a site says that its listings are: the feeds that a page advertises, the sitemaps that robots.txt names."""

import re
from collections.abc import Iterator
from html import unescape

FEED_TYPES = frozenset({"application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json"})

_HEAD_BYTES = 512 * 1024
_LINK = re.compile(rb"<link\b([^<>]{0,4000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([\w:-]{1,40})\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
# Of readers' comments: in the address as WordPress, Blogger and Drupal have it, in the title as WordPress names it.
_COMMENTS_IN_ADDRESS = re.compile(r"(?:^|[/=?&_-])comments?(?:[/=&_.-]|$)", re.IGNORECASE)
_COMMENTS_IN_TITLE = re.compile(
    r"\b(?:comments|kommentar-feed|kommentare|commentaires|comentarios|comentários|commenti|reacties|kommentarer"
    r"|komentarzy|комментари\w+)\b|コメント|评论|評論|댓글",
    re.IGNORECASE,
)
_SITEMAP = re.compile(r"^[ \t]*sitemap[ \t]*:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)
_ROBOTS_BYTES = 500 * 1024


def advertised_feeds(page: bytes) -> Iterator[str]:
    """Yield the addresses of the feeds that a page advertises, as they stand there; feeds of comments are none.

    >>> list(advertised_feeds(b"<link rel=alternate type='application/rss+xml' href='/feed?a=1&amp;b=2'>"))
    ['/feed?a=1&b=2']
    >>> list(advertised_feeds(b"<link rel=alternate type=application/rss+xml href=/dam-holds/comments/feed/>"))
    []
    """
    for match in _LINK.finditer(page[:_HEAD_BYTES]):
        link = _attributes(match[1].decode("utf-8", "replace"))
        is_feed = link.get("type", "").partition(";")[0].strip(" /").lower() in FEED_TYPES
        address = link.get("href", "").strip()
        if is_feed and address and "alternate" in link.get("rel", "").lower().split() and not _is_of_comments(link):
            yield address


def sitemaps_in_robots(robots: bytes) -> Iterator[str]:
    r"""Yield the addresses of the sitemaps that a robots.txt names.

    >>> list(sitemaps_in_robots(b"User-agent: *\nDisallow:\nSitemap: https://example.com/news.xml\n"))
    ['https://example.com/news.xml']
    """
    for match in _SITEMAP.finditer(robots[:_ROBOTS_BYTES].decode("utf-8-sig", "replace").replace("\r", "\n")):
        yield match[1]


def _attributes(tag: str) -> dict[str, str]:
    """Return the attributes of a tag; of two with one name the first counts, as in browsers."""
    found: dict[str, str] = {}
    for name, *values in _ATTRIBUTE.findall(tag):
        found.setdefault(name.lower(), unescape(next(filter(None, values), "")))
    return found


def _is_of_comments(link: dict[str, str]) -> bool:
    return bool(_COMMENTS_IN_ADDRESS.search(link["href"]) or _COMMENTS_IN_TITLE.search(link.get("title", "")))
