"""Dates that a page shows: the nearest to the headline is its article's, unless words beside it say otherwise."""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import dropwhile, pairwise

from tasks.clean.data import vocabulary
from tasks.clean.datelines import is_dateline
from tasks.clean.labels import traits_of
from tasks.clean.metadata.dates import Moment, clocks_in, days_with_places, parse_moment
from tasks.clean.metadata.headline import Headline
from tasks.clean.metadata.lines import Line, Lines, headline_test
from tasks.clean.nodes import ancestors, label_of

_WORDS = vocabulary("dates")
_PUBLISHED, _UPDATED, _OTHER = (
    re.compile("|".join(map(re.escape, _WORDS[name])), re.IGNORECASE) for name in ("published", "updated", "other")
)
_SIGNED = re.compile(rf"(?:{'|'.join(map(re.escape, vocabulary('names')['before']))})(?!\w)", re.IGNORECASE)
_DATE_LABEL = re.compile(r"date|time|publi|posted|byline|meta|datum|fecha|stamp|tarih|info")
_UPDATE_LABEL = re.compile(r"modif|updat|aktualis|edited")
_FOREIGN_TAGS = frozenset({"a", "li", "aside", "footer", "nav"})
_YEAR_LIKE = re.compile(r"\d\d[./]?\d\d")
# A long line tells what happened when; a short one, or the beginning of a long one, when it was written.
_LONGEST_LINE, _LONGEST_SENTENCE, _BEGINNING = 160, 70, 80
_SENTENCE_ENDS = (".", ",", "!", "?", ":", "。")
_WORDS_BEFORE = 60
# Characters after a headline in which its byline and dates stand.
_BESIDE = 240
# A mark beside a date brings it nearer to the headline, or takes it away, by so many characters of text.
_SAID, _LABELLED, _RUNNING_TEXT, _FOREIGN = -400, -150, 800, 1_200
_UPDATE = 150
# What stands before a headline belongs to it less often than what follows.
_BEFORE = 1.5
_MOST_DATED = 400
# What is farther away is another text's date.
_FARTHEST = 3_000


@dataclass(frozen=True, slots=True)
class Sighting:
    """A date that a page shows: how far from the headline, in characters of text, once marks are counted in."""

    moment: Moment
    distance: float
    is_marked: bool  # its element is called what elements with dates are called, and stands in no list or link
    is_element: bool  # a `time` element says it, not the text
    is_update: bool


@dataclass(frozen=True, slots=True)
class _Dated:
    """A date in a line, with the words between the date before and it."""

    moment: Moment
    words: str
    label: str = ""
    is_element: bool = False

    @property
    def is_update(self) -> bool:
        if _PUBLISHED.search(self.words) or "publi" in self.label:
            return False
        return bool(_UPDATED.search(self.words) or _UPDATE_LABEL.search(self.label))


def sightings(lines: Lines, headline: Headline, *, month_first: bool) -> list[Sighting]:
    """Return the dates that a page shows near its headline, the likeliest to be its article's first."""
    above, found = deque[tuple[Line, int]](maxlen=_MOST_DATED), list[Sighting]()
    is_headline = headline_test(headline.node, headline.text)
    start, end = 0, -1
    for line in lines:
        size = sum(len(piece.strip()) + 1 for piece in line.pieces)
        if end < 0 and is_headline(line):
            end = start + size
        elif line.times or any(map(_YEAR_LIKE.search, line.pieces)):
            if end < 0:
                above.append((line, start + size))
            else:
                found += _sighted(line, start - end, month_first)
        start += size
        if 0 <= end < start - _FARTHEST and (
            len(found) >= _MOST_DATED or any(each.distance < _FARTHEST for each in found)
        ):
            break
    for line, stop in above:
        found += _sighted(line, (end - stop) * _BEFORE if end >= 0 else stop, month_first)
    near = [each for each in found if each.distance < _FARTHEST]
    return sorted(near or _below(found), key=lambda each: each.distance)


def text_below(lines: Lines, headline: Headline) -> str:
    """Return the beginning of what stands below a headline, without the lines that tell when something happened."""
    if headline.node is None:
        return ""
    is_headline = headline_test(headline.node, headline.text)
    said, length = list[str](), 0
    for line in dropwhile(lambda line: not is_headline(line), lines):
        if length >= _BESIDE:
            break
        if (text := line.text) and not is_headline(line):
            length += len(text)
            said += [text] if _may_date_article(text) else []
    return " ".join(said)


def _may_date_article(line: str) -> bool:
    """Tell whether a line holds no date, or that of an article: with its author, or with words that say so.

    >>> [_may_date_article(line) for line in ("3 May 2021", "By Ana, 3 May 2021", "On 3 May 2021 it burned and fell")]
    [True, True, False]
    """
    if not _YEAR_LIKE.search(line) or is_dateline(line, needs_hour=False):
        return True
    return len(line) < _LONGEST_LINE and bool(_SIGNED.match(line) or _PUBLISHED.search(line))


def day_alone(text: str, *, month_first: bool) -> Moment | None:
    """Return the first day that a text shows, if no hour follows, and unless words say that it is none of publication.

    >>> days = (day_alone(text, month_first=False) for text in ("By Ana, 3 May 2024", "3 May 2024, 11:20 am"))
    >>> [day and f"{day.instant:%F}" for day in days]
    ['2024-05-03', None]
    """
    start, _, day = next(days_with_places(text, month_first=month_first), (0, 0, None))
    is_another = _UPDATED.search(text[:start]) or _OTHER.search(text[:start])
    return None if is_another or any(clocks_in(text, month_first=month_first)) else day


def _below(found: list[Sighting]) -> list[Sighting]:
    """Return the date that stands far from the headline, below the text, if it is the only one of its kind."""
    marked = [each for each in found if each.is_marked]
    return marked if len({each.moment.instant.date() for each in marked}) == 1 else []


def _sighted(line: Line, distance: float, month_first: bool) -> Iterator[Sighting]:
    text = line.text
    dated = _in_elements(line, month_first) or list(_in_text(text, month_first))
    if not dated:
        return
    above = (line.block, *ancestors(line.block, 3))
    is_foreign = any(node.tag in _FOREIGN_TAGS or traits_of(label_of(node)).is_comments for node in above)
    is_labelled = bool(_DATE_LABEL.search(" ".join(map(label_of, above))))
    if is_foreign:
        distance += _FOREIGN
    if len(text) > (_LONGEST_SENTENCE if text.endswith(_SENTENCE_ENDS) else _LONGEST_LINE):
        distance += _RUNNING_TEXT
    if is_labelled:
        distance += _LABELLED
    for place, date in enumerate(dated):
        said = _UPDATE if date.is_update else _SAID if _PUBLISHED.search(f"{date.words} {date.label}") else 0
        is_marked = is_labelled and not is_foreign
        yield Sighting(date.moment, distance + said + place, is_marked, date.is_element, date.is_update)


def _in_elements(line: Line, month_first: bool) -> list[_Dated]:
    places = [0, *(element.place for element in line.times)]
    return [
        _Dated(moment, " ".join(line.pieces[before:place])[-_WORDS_BEFORE:], element.label, is_element=True)
        for element, (before, place) in zip(line.times, pairwise(places), strict=True)
        if (moment := parse_moment(element.written, month_first=month_first))
    ]


def _in_text(text: str, month_first: bool) -> Iterator[_Dated]:
    after = 0
    beginning = text if len(text) <= _LONGEST_LINE else text[:_BEGINNING]
    if _OTHER.search(beginning):
        return
    for start, end, moment in days_with_places(beginning, month_first=month_first):
        yield _Dated(moment, text[after:start][-_WORDS_BEFORE:])
        after = end
