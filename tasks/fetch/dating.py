"""To which day an input belongs before anyone has read it: what a window of days is held against.

Each input belongs to exactly one day, told by the best evidence at hand, so that runs over adjoining windows together
ask for everything once, whatever the evidence is worth.
"""

import re
from datetime import date, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from tasks.clean.metadata.dates import day_in_url, is_plausible, parse_moment
from tasks.documents import Page, PageKind
from tasks.fetch.feeds import Entry
from tasks.fetch.window import Window

OUTSIDE: Final = "outside-window"  # why an entry or document is left out
UNDATED: Final = "undated"

_MONTH_IN_PATH = re.compile(r"(?<!\d)((?:19|20)\d\d)([/_-]?)(0[1-9]|1[0-2])(?!\d)(?![/_-]?\d)")
_DATE_OF_CC_NEWS = re.compile(r"(?:^|/)CC-NEWS-(\d{4})(\d\d)(\d\d)\d{6}-[^/]*$")
_DATE_OF_TEXT = re.compile(rb"^date\b[ \t]*:?[ \t]*([^\r\n]{4,60})", re.IGNORECASE | re.MULTILINE)
_DATE_OF_PAGE = re.compile(
    rb"""datePublished["']?\s{0,9}[:=]\s{0,9}["']([^"']{8,40})["']
    |datePublished["'][^<>]{0,99}\bcontent\s?=\s?["']([^"']{8,40})["']
    |published_time["'][^<>]{0,99}\bcontent\s?=\s?["']([^"']{8,40})["']""",
    re.VERBOSE,
)
_HEADER_BYTES = 2048


def left_out(entry: Entry, url: str, window: Window, day: date | None) -> str:
    """Return why a listing's entry is not of these days, or "" where it is; `day` is the one the listing is for.

    What counts is the date of publication that the listing states, then the day in the URL, the day of the listing,
    and last the date of the last change: most pages are not touched any more after their first day.
    """
    told = _day(entry.hints.published_at) or day_in_path(url) or day or _day(entry.modified_at)
    if told is None:
        return UNDATED
    # A site's day is that of its own time zone: what it lists under it may be of the UTC day before or after.
    is_of_the_listing = day is not None and window.has(day) and abs(told - day) <= timedelta(days=1)
    return "" if window.has(told) or is_of_the_listing else OUTSIDE


def listing_left_out(entry: Entry, window: Window) -> bool:
    """Tell whether a sitemap in an index holds nothing of these days: by the day or month in its name, or its age."""
    wide = window.widened()
    if entry.modified_at is not None and entry.modified_at.date() < wide.first:
        return True
    if day := day_in_path(entry.link):
        return not wide.has(day)
    if month := _month_in_path(entry.link):
        return not wide.overlaps(*month)
    return False


def archive_left_out(name: str, window: Window) -> bool:
    """Tell whether a WARC file need not be opened, by the date in its name.

    Only Common Crawl's news archives are known to be closed within a day. What was published late in a day is fetched
    early on the next.

    >>> week = Window(first=date(2024, 2, 20), last=date(2024, 2, 26))
    >>> [archive_left_out(f"CC-NEWS-202402{day}005853-01234.warc.gz", week) for day in (18, 19, 27, 28)]
    [True, False, False, True]
    """
    named = _DATE_OF_CC_NEWS.search(name)
    try:
        return named is not None and not window.widened().has(date(int(named[1]), int(named[2]), int(named[3])))
    except ValueError:
        return False


def day_of_page(page: Page, path: str) -> date:
    """Return the day of a document that is here already: as its address says, or itself, or when it was fetched.

    `path` is where a document without an address lies.
    """
    named = day_in_path(page.url or path)
    if named is not None and named <= page.fetched_at.date() + timedelta(days=1):
        return named
    pattern = _DATE_OF_PAGE if page.kind is PageKind.HTML else _DATE_OF_TEXT
    body = page.body if page.kind is PageKind.HTML else page.body[:_HEADER_BYTES]
    for match in pattern.finditer(body):
        written = next(filter(None, match.groups()))
        moment = parse_moment(written.decode("utf-8", "replace"))
        if moment is not None and is_plausible(moment, page.fetched_at):
            return moment.instant.date()
    return page.fetched_at.date()


def day_in_path(url: str) -> date | None:
    """Return the day that stands in the path of a URL or file, not in its host or query.

    >>> day_in_path("https://example.com/world/2024/feb/26/dam"), day_in_path("https://example.com/dam?on=2024-02-26")
    (datetime.date(2024, 2, 26), None)
    """
    moment = day_in_url(_path(url))
    return moment.instant.date() if moment else None


def _month_in_path(url: str) -> tuple[date, date] | None:
    """Return the first and the last day of the month that stands in a path.

    >>> _month_in_path("https://example.com/sitemap-2024-02.xml.gz")
    (datetime.date(2024, 2, 1), datetime.date(2024, 2, 29))
    """
    found = _MONTH_IN_PATH.search(_path(url))
    if found is None:
        return None
    first = date(int(found[1]), int(found[3]), 1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""
