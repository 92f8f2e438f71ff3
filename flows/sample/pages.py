"""Make every page of the sample site: stories through their templates, the listings, and what is odd or broken."""

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import format_datetime
from functools import cache

from jinja2 import Environment, FunctionLoader, StrictUndefined

from flows.sample.story import HERE, Listing, Oddity, Story, labels, oddities, stories

NESTED_ELEMENTS = 20_000
RELATED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What the server answers at one address."""

    body: bytes = field(repr=False)
    content_type: str = "text/html; charset=utf-8"
    status: int = 200
    modified: datetime = datetime(2026, 2, 1, tzinfo=UTC)
    location: str = ""
    encoding: str = ""  # the Content-Encoding the body already has
    announced_length: int | None = None  # a Content-Length that promises more than the body holds

    @property
    def charset(self) -> str | None:
        """The charset its Content-Type names."""
        header = Message()
        header["Content-Type"] = self.content_type
        return header.get_content_charset()


NOT_FOUND = Resource(body=b"<!doctype html><title>404</title><h1>Not found</h1>\n", status=404)


def build_pages(base_url: str) -> dict[str, Resource]:
    """Return every page of the site by its path; `base_url` goes into canonical links and listings."""
    pages = {oddity.link: _odd_page(oddity) for oddity in oddities() if oddity.link.startswith("/")}
    pages |= {story.path: _story_page(story, base_url) for story in stories()}
    pages |= {path: _front_page(path, base_url) for path in ("/", "/harbour/")}
    pages |= _listings(base_url)
    return pages | _files(base_url)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(lambda name: HERE.joinpath("templates", name).read_text(encoding="utf-8")),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["iso"] = datetime.isoformat
    environment.filters["utc"] = lambda instant: instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    environment.filters["rfc822"] = format_datetime
    environment.filters["in_words"] = _in_words
    return environment


def _render(template: str, **context: object) -> str:
    return _environment().get_template(template).render(**context)


def _story_page(story: Story, base_url: str) -> Resource:
    html = _render(
        f"{story.template}.html",
        base_url=base_url,
        story=story,
        related=_related(story),
        words=labels(story.language),
        posts=_posts(story),
        declared=story.meta_charset,
    )
    if story.cut_after:
        html = html[: html.rindex(story.cut_after) + len(story.cut_after)]
    return Resource(
        # A character the charset lacks becomes a character reference, as content management systems do it.
        body=html.encode(story.charset, errors="xmlcharrefreplace"),
        content_type=_html_in(story.http_charset),
        modified=(story.modified or story.published).astimezone(UTC),
    )


def _html_in(charset: str) -> str:
    return f"text/html; charset={charset}" if charset else "text/html"


def _related(story: Story) -> tuple[Story, ...]:
    """Return a few other stories in the same language: the links under every article."""
    language = story.language.partition("-")[0]
    others = [each for each in stories() if each.language.partition("-")[0] == language and each is not story]
    start = sum(map(ord, story.slug)) % len(others)
    return tuple((others[start:] + others[:start])[:RELATED])


def _posts(story: Story) -> tuple[tuple[datetime, str], ...]:
    """Return the paragraphs of a live blog, each with the minute it was posted, newest first as they are printed."""
    latest = story.modified or story.published
    return tuple((latest - timedelta(minutes=23 * place), text) for place, text in enumerate(story.paragraphs))


def _in_words(instant: datetime, language: str) -> str:
    """Print a date the way the newspaper does.

    >>> _in_words(datetime(2026, 2, 3, 8, 5, tzinfo=UTC), "de")
    '3. Februar 2026, 08:05 Uhr'
    """
    words = labels(language)
    return str(words["date"]).format(
        day=instant.day, month=words["months"][instant.month - 1], year=instant.year, time=instant.strftime("%H:%M")
    )


def _odd_page(oddity: Oddity) -> Resource:
    body = HERE.joinpath("pages", oddity.file).read_bytes() if oddity.file else b""
    page = Resource(
        body=body,
        content_type=oddity.content_type,
        status=oddity.status,
        location=oddity.location,
        modified=oddity.published.astimezone(UTC),
    )
    return _FAULTS[oddity.fault](page) if oddity.fault else page


def _cut_body(page: Resource) -> Resource:
    return replace(page, body=page.body[: len(page.body) // 2], announced_length=len(page.body))


def _cut_gzip(page: Resource) -> Resource:
    packed = gzip.compress(page.body, mtime=0)
    return replace(page, body=packed[: len(packed) // 2], encoding="gzip")


def _nested(page: Resource) -> Resource:
    return replace(page, body=b"<!doctype html><title>Tender documents</title>" + b"<div><b>" * NESTED_ELEMENTS)


_FAULTS: Mapping[str, Callable[[Resource], Resource]] = {
    "cut-body": _cut_body,
    "cut-gzip": _cut_gzip,
    "nested": _nested,
}


def _front_page(path: str, base_url: str) -> Resource:
    listed = [story for story in stories() if story.listed]
    html = _render("front.html", base_url=base_url, path=path, stories=listed, words=labels("en"))
    return Resource(body=html.encode(), modified=stories()[0].published.astimezone(UTC))


def _listings(base_url: str) -> dict[str, Resource]:
    return {
        "/feed.xml": _listing(base_url, Listing.RSS, "rss.xml", "application/rss+xml"),
        "/atom.xml": _listing(base_url, Listing.ATOM, "atom.xml", "application/atom+xml"),
        "/sitemap-news.xml": _listing(base_url, Listing.SITEMAP, "sitemap-news.xml", "application/xml"),
    }


def _listing(base_url: str, listing: Listing, template: str, content_type: str) -> Resource:
    xml = _render(
        template,
        base_url=base_url,
        stories=[story for story in stories() if listing in story.listed],
        oddities=[oddity for oddity in oddities() if listing in oddity.listed],
        newest=stories()[0].published,
        labels=labels,
    )
    return Resource(
        body=xml.encode(),
        content_type=f"{content_type}; charset=utf-8",
        modified=stories()[0].published.astimezone(UTC),
    )


def _files(base_url: str) -> dict[str, Resource]:
    robots = HERE.joinpath("pages", "robots.txt").read_text(encoding="utf-8").replace("{base_url}", base_url)
    return {
        "/robots.txt": Resource(body=robots.encode(), content_type="text/plain; charset=utf-8"),
        "/style.css": _file("style.css", "text/css"),
        "/harbour.svg": _file("harbour.svg", "image/svg+xml"),
    }


def _file(name: str, content_type: str) -> Resource:
    return Resource(body=HERE.joinpath("pages", name).read_bytes(), content_type=content_type)
