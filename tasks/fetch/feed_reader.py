"""Read a feed's entries with the libraries that know all dialects; imports nothing of ours, so it also runs alone.

As a program it reads a feed from standard input and writes a `RawFeed` as JSON, within its own limits of memory and
processor time: some feeds are made to keep a parser busy.
"""

import json
import re
import sys
from typing import Any, TypedDict


class RawEntry(TypedDict):
    """An entry as it stands in the feed; dates are ISO 8601."""

    link: str
    title: str
    summary: str
    published: str
    language: str
    authors: list[str]


class RawFeed(TypedDict):
    """A feed as it stands; `dialect` is empty where it is none."""

    dialect: str
    language: str
    entries: list[RawEntry]


# Where a date stands: an element of RSS, Atom or Dublin Core, or a member of a JSON feed.
_DATE = re.compile(
    rb"""(<(?:\w+:)?(?:pubdate|published|updated|modified|issued|created|date)\b[^>]*>(?:\s*<!\[CDATA\[)?
    |"date_(?:published|modified)"\s*:\s*")([^<\]"]*)""",
    re.IGNORECASE | re.VERBOSE,
)
# What names a day of its own accord: 2024-02-26, 26 Feb 2024, February 26, 2024, or as C's ctime has it.
_NAMES_A_DAY = re.compile(
    rb"""\d{4}[-/.]?\d\d?[-/.]?\d\d?
    |\d{1,2}[\s.-]+[^\d\s.,-]{3,}[\s.,-]+\d{2,4}
    |[^\d\s.,-]{3,}\.?\s+\d{1,2},?\s+(?:[\d:]+\s+)?\d{4}""",
    re.VERBOSE,
)
_MEMORY = 512 * 1024 * 1024
_SECONDS = 5


def read_fast(body: bytes) -> RawFeed:
    """Read a feed with fastfeedparser; raise `ValueError` where that finds none.

    Dates that name no day are blotted out first: the parser would take "yesterday" or "Monday" for a date, counted
    from now.
    """
    import fastfeedparser

    feed = fastfeedparser.parse(
        _DATE.sub(_only_days, body),
        include_content=False,
        include_tags=False,
        include_media=False,
        include_enclosures=False,
    )
    return _raw("feed", feed, "published", "updated")


def read_patiently(body: bytes) -> RawFeed:
    """Read a feed with feedparser, which mends much of what is broken and never raises."""
    import feedparser

    feed = feedparser.parse(body, sanitize_html=False, resolve_relative_uris=False)
    for entry in feed["entries"]:
        for name in ("published", "updated"):
            moment = entry.get(f"{name}_parsed")
            entry[name] = "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}+00:00".format(*moment[:6]) if moment else ""
    return _raw(str(feed.get("version") or ""), feed, "published", "updated")


def _only_days(match: re.Match[bytes]) -> bytes:
    return match[0] if _NAMES_A_DAY.search(match[2]) else match[1]


def _raw(dialect: str, feed: Any, *dates: str) -> RawFeed:
    return RawFeed(
        dialect=dialect,
        language=str(feed["feed"].get("language") or ""),
        entries=[_entry(entry, dates) for entry in feed["entries"]],
    )


def _entry(entry: Any, dates: tuple[str, ...]) -> RawEntry:
    return RawEntry(
        link=str(entry.get("link") or entry.get("id") or ""),
        title=str(entry.get("title") or "")[:4000],
        summary=str(entry.get("summary") or entry.get("description") or "")[:20000],
        published=next((str(entry[name]) for name in dates if entry.get(name)), ""),
        language=str(entry.get("language") or ""),
        authors=[str(author.get("name") or "")[:400] for author in (entry.get("authors") or [])[:20]],
    )


def _main() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    body = sys.stdin.buffer.read()
    json.dump(read_patiently(body), sys.stdout)


if __name__ == "__main__":
    _main()
