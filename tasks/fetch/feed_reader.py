"""Read feeds with the libraries that know all dialects; imports nothing of ours, so that it runs alone.

As a program it takes feeds from standard input and gives a `RawFeed` as JSON for each, with little memory and a few
seconds of processor time for one: some feeds are made to keep a parser busy. Where one is too much, the program dies
of it. Feed and answer are preceded by their length, in eight bytes.
"""

import json
import re
import sys
from typing import Any, BinaryIO, TypedDict


class RawEntry(TypedDict):
    """An entry as it stands in the feed; dates are ISO 8601."""

    link: str
    guid: str
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
    rb"""(<(?:\w+:)?(?:pubdate|published|updated|modified|issued|created|date)\b[^<>]*>(?:\s*<!\[CDATA\[)?
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
_REFERENCE = re.compile(rb"&#(?:x([0-9a-f]{1,9})|([0-9]{1,9}));", re.IGNORECASE)
_LONGEST_DATE = 100
_MEMORY = 256 * 1024 * 1024
_SECONDS = 3


def read(body: bytes) -> RawFeed:
    """Return the entries of a feed: the fast parser's, or where it finds none those of the patient one."""
    body = _REFERENCE.sub(_only_characters, body)
    try:
        raw = read_fast(body)
    except ValueError:
        raw = None
    return raw if raw is not None and raw["entries"] else read_patiently(body)


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
    """Read a feed with feedparser, which mends much of what is broken."""
    import feedparser

    feed = feedparser.parse(body, sanitize_html=False, resolve_relative_uris=False)
    for entry in feed["entries"]:
        for name in ("published", "updated"):
            moment = entry.get(f"{name}_parsed")
            entry[name] = "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}+00:00".format(*moment[:6]) if moment else ""
    return _raw(str(feed.get("version") or ""), feed, "published", "updated")


def _only_characters(match: re.Match[bytes]) -> bytes:
    """Keep a reference to a character; one to what is none (NUL, half of a surrogate pair) makes both parsers raise."""
    number = int(match[1], 16) if match[1] else int(match[2])
    is_character = 0 < number < 0xD800 or 0xDFFF < number < 0x110000
    return match[0] if is_character else b""


def _only_days(match: re.Match[bytes]) -> bytes:
    is_date = len(match[2]) <= _LONGEST_DATE and _NAMES_A_DAY.search(match[2])
    return match[0] if is_date else match[1]


def _raw(dialect: str, feed: Any, *dates: str) -> RawFeed:
    return RawFeed(
        dialect=dialect,
        language=str(feed["feed"].get("language") or ""),
        entries=[_entry(entry, dates) for entry in feed["entries"]],
    )


def _entry(entry: Any, dates: tuple[str, ...]) -> RawEntry:
    guid = str(entry.get("id") or "")[:2000]
    return RawEntry(
        link=str(entry.get("link") or guid)[:20000],
        guid=guid,
        title=str(entry.get("title") or "")[:4000],
        summary=str(entry.get("summary") or entry.get("description") or "")[:20000],
        published=next((str(entry[name])[:_LONGEST_DATE] for name in dates if entry.get(name)), ""),
        language=str(entry.get("language") or "")[:100],
        authors=[str(author.get("name") or "")[:400] for author in (entry.get("authors") or [])[:20]],
    )


def _main(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until nothing more is asked."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    while len(length := requests.read(8)) == 8:
        _allow_seconds(_SECONDS)
        answer = json.dumps(read(requests.read(int.from_bytes(length, "big")))).encode()
        answers.write(len(answer).to_bytes(8, "big") + answer)
        answers.flush()


def _allow_seconds(seconds: int) -> None:
    """Let this process run for a few more seconds of processor time, and no longer."""
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    end = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (end, resource.getrlimit(resource.RLIMIT_CPU)[1]))


if __name__ == "__main__":
    _main(sys.stdin.buffer, sys.stdout.buffer)
