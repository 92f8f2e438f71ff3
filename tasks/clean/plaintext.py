"""A plain-text document in, a draft out: header lines, the title, paragraphs."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from tasks.clean.blocks import Block, placed, text_of_blocks
from tasks.clean.metadata.dates import Moment, is_plausible, parse_moment
from tasks.clean.metadata.names import people
from tasks.clean.whitespace import tidy
from tasks.documents import BlockKind, Draft, Extraction, Page, Reason, Rejection, Stage

_HEADER = re.compile(
    r"(?P<key>date|title|author|source|url|language)(?P<mark>\s*:\s*|\s+)(?P<value>\S.*)", re.IGNORECASE
)
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")
_NAME = re.compile(r"[^\W\d_][\w.'’-]*(?:\s+[\w.'’-]+){0,6}(?:\s*(?:,|;|&|and)\s*[^\W\d_][\w.'’ -]*)*")
_SENTENCE_END = re.compile(r"[.!?…。！？]$")
_LONGEST_NAME, _LONGEST_TITLE = 80, 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Headers:
    """What stood above a document's text."""

    date: Moment | None = None
    title: str = ""
    author: str = ""
    source: str = ""
    url: str = ""
    language: str = ""


def read_document(page: Page, text: str) -> Draft | Rejection:
    """Read a text document: header lines (`date 2024-02-26`, `url: https://…`), the title, then paragraphs.

    Without a title header the first line of text is the title. A line that opens with a header's word but not with a
    credible value ("Date palms are thirsty.") is text.
    """
    headers, lines = _split_headers(text)
    paragraphs = list(_paragraphs(lines))
    if not paragraphs and not headers.title:
        return page.reject(Stage.CLEAN, Reason.EMPTY)
    title = headers.title or page.hints.title or ""
    if not title:
        title, paragraphs = paragraphs[0], paragraphs[1:]
    if not paragraphs:
        return page.reject(Stage.CLEAN, Reason.NO_ARTICLE_TEXT, "a title and no text")
    return _draft(page, headers, title, [Block(BlockKind.PARAGRAPH, paragraph) for paragraph in paragraphs])


def _split_headers(text: str) -> tuple[Headers, list[str]]:
    """Return the headers on top of a text, and the lines below them."""
    lines = text.splitlines()
    found: dict[str, str] = {}
    below = 0
    for number, line in enumerate(map(tidy, lines)):
        if not line:
            continue
        header = _header(line)
        if header is None or header[0] in found:
            break
        key, value = header
        found[key] = value
        below = number + 1
    date = parse_moment(found["date"]) if "date" in found else None
    return Headers(date=date, **{key: value for key, value in found.items() if key != "date"}), lines[below:]


def _header(line: str) -> tuple[str, str] | None:
    """Return a header's key and value, if the line is one and its value is what the key promises.

    >>> _header("date 2024-02-26"), _header("Date palms are thirsty.")
    (('date', '2024-02-26'), None)
    >>> _header("source: Reuters"), _header("Source protection is a right, says the court.")
    (('source', 'Reuters'), None)
    >>> _header("title The dam holds"), _header("Title fights are rare")
    (('title', 'The dam holds'), None)
    """
    matched = _HEADER.fullmatch(line)
    if matched is None:
        return None
    key, value = matched["key"].lower(), matched["value"]
    # A line of text begins with a capital: "title The dam holds" is a header, "Title fights are rare" is not.
    is_marked = ":" in matched["mark"] or (key == "title" and matched["key"].islower() and value[:1].isupper())
    return (key, value) if _IS_CREDIBLE[key](value, is_marked) else None


def _is_date(value: str, is_marked: bool) -> bool:
    # "May 5, 2024 was a Sunday" begins like a date; a header's date is all there is on the line.
    return (
        parse_moment(value) is not None and len(value) <= (60 if is_marked else 32) and not _SENTENCE_END.search(value)
    )


def _is_title(value: str, is_marked: bool) -> bool:
    return is_marked and len(value) <= _LONGEST_TITLE


def _is_name(value: str, is_marked: bool) -> bool:
    """Tell whether a value can name people or a publisher: short, no sentence, capitals where nothing marks it."""
    if len(value) > _LONGEST_NAME or (_SENTENCE_END.search(value) and not is_marked):
        return False
    return is_marked or (_NAME.fullmatch(value) is not None and all(word[:1].isupper() for word in value.split()))


def _is_url(value: str, _: bool) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in value
    except ValueError:
        return False


def _is_language(value: str, _: bool) -> bool:
    return _LANGUAGE_TAG.fullmatch(value) is not None


_IS_CREDIBLE: dict[str, Callable[[str, bool], bool]] = {
    "date": _is_date,
    "title": _is_title,
    "author": _is_name,
    "source": _is_name,
    "url": _is_url,
    "language": _is_language,
}


def _paragraphs(lines: list[str]) -> Iterator[str]:
    """Yield paragraphs: lines, or, where lines are wrapped, what stands between blank lines.

    >>> list(_paragraphs(["One.", "Two.", "", "Three."])), list(_paragraphs(["A line that is", "wrapped."]))
    (['One.', 'Two.', 'Three.'], ['A line that is wrapped.'])
    """
    gathered: list[str] = []
    for line in map(tidy, [*lines, ""]):
        if gathered and (not line or not _goes_on(gathered[-1], line)):
            yield " ".join(gathered)
            gathered = []
        if line:
            gathered.append(line)


def _goes_on(line: str, following: str) -> bool:
    """Tell whether a sentence was broken at the end of a line."""
    return not _SENTENCE_END.search(line.rstrip("\"'”’»)")) and following[:1].islower()


def _draft(page: Page, headers: Headers, title: str, blocks: list[Block]) -> Draft:
    hints, date = page.hints, headers.date
    if date is not None and not is_plausible(date, page.fetched_at):
        date = None
    source = "text" if date is not None else "hint" if hints.published_at is not None else None
    return Draft(
        title=title,
        text=text_of_blocks(blocks),
        summary=hints.summary,
        authors=people([headers.author], [headers.source]) or hints.authors,
        published_at=date.instant if date is not None else hints.published_at,
        published_precision=date.precision if date is not None else (hints.published_precision if source else None),
        published_source=source,
        canonical_url=headers.url or None,
        language_declared=headers.language.replace("_", "-") or hints.language,
        site_name=headers.source or None,
        blocks=placed(blocks),
        extraction=Extraction(strategy="text-document", confidence=1.0),
    )
