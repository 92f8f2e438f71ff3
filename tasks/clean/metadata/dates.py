"""Moments in time as web pages write them: ISO 8601, RFC 2822, epochs, and days in many languages."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

from tasks.clean.data import vocabulary
from tasks.documents import Precision

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
LATEST_AHEAD = timedelta(days=1)

_MONTHS = {word: number for number, words in enumerate(vocabulary("dates")["months"], 1) for word in words.split()}
# Thailand counts from the Buddha.
_BUDDHIST = 543
_FIRST_BUDDHIST_YEAR = 2400

_ISO = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d\d?)-(?P<day>\d\d?)"
    r"(?:(?:T|\s+|\s*-\s*)(?P<hour>\d\d?):(?P<minute>\d\d)(?::(?P<second>\d\d?)(?:[.,]\d+)?)?"
    r"\s*(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d|[+-]\d\d\b)?)?",
    re.IGNORECASE,
)
_COMPACT = re.compile(
    r"(?P<year>(?:19|20)\d\d)(?P<month>\d\d)(?P<day>\d\d)"
    r"(?:T?(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)?\s*(?P<zone>Z|[+-]\d\d:?\d\d)?)?$"
)
_EPOCH = re.compile(r"\d{10}(?:\d{3})?$")
_WEEKDAY = re.compile(r"[A-Za-z]{3},? \d")

_YEAR = r"(?:(?:19|20|25)\d\d|(?![0-9])\d{4})"
# Marks above and below letters are no letters to a regular expression.
_WORD = r"[^\W\d_][^\s\d.,()|/-]{1,13}"
_DAY_WRITTEN = re.compile(
    r"(?<![\d.,:/-])(?:"
    # 2024-02-26, 2024年2月26日
    r"(?P<year_first>\d{4})\s?[-/.年년]\s?(?P<month_second>\d{1,2})\s?[-/.月월]\s?(?P<day_third>\d{1,2})(?!\d)"
    # 26.02.2024, 2/26/2024, 26 | 02 | 2024, 26.02.24
    rf"|(?P<first>\d{{1,2}})(?P<mark>\s?[./|-])\s?(?P<second>\d{{1,2}})(?P=mark)\s?(?P<year_last>{_YEAR})(?!\d)"
    r"|(?P<first_of_short>\d\d)(?P<short_mark>[./])(?P<second_of_short>\d\d)(?P=short_mark)(?P<short_year>\d\d)(?![\d./:])"
    # 26 tháng 2, 2024
    rf"|(?P<day_viet>\d{{1,2}})\s+tháng\s+(?P<month_viet>\d{{1,2}})\s*(?:,|năm|/)?\s*(?P<year_viet>{_YEAR})(?!\d)"
    # 26 février 2024, 26. Februar 2024, 26 de febrero de 2024
    rf"|(?P<day_before>\d{{1,2}})(?:\.|\s?(?:st|nd|rd|th|er)\b|º|°)?[\s\-]*(?:de |of |d[’'])?\s*(?P<word_after>{_WORD})"
    rf"[.,]?[\s\-]*(?:de |del |of )?\s*(?P<year_after>{_YEAR})(?!\d)"
    # February 26th, 2024
    rf"|(?P<word_before>{_WORD})\.?\s*(?P<day_after>\d{{1,2}})\s?(?:st|nd|rd|th)?\s*,?\s+(?P<year_final>{_YEAR})(?!\d)"
    # 2024. február 26., 2024 m. vasario 26 d.
    rf"|(?P<year_ahead>{_YEAR})\.?,?\s+(?:m\.\s+)?(?P<word_between>{_WORD})\.?\s+(?P<day_behind>\d{{1,2}})(?![\d:])"
    r")",
    re.IGNORECASE,
)
# What follows a day and holds no digit, then a time: 21:25, 9.25pm, 9h25.
_CLOCK = re.compile(
    r"\D{0,15}(?P<hour>\d{1,2})\s?[:.hH]\s?(?P<minute>\d\d)(?!\d)(?:\s?(?P<half>[ap])\.?m\b)?", re.IGNORECASE
)
_NOON = 12
_DAY_IN_URL = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d\d)(?P<mark>[/_-]?)(?P<month>0?[1-9]|1[0-2]|[a-z]{3})(?P=mark)(?P<day>0[1-9]|[12]\d|3[01])(?!\d)"
)


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant in UTC, how exactly it is known, and how far east of UTC the clock stood that it was written by."""

    instant: datetime
    precision: Precision
    offset: timedelta | None = None  # None where no zone was written


def parse_moment(written: str, *, month_first: bool = False) -> Moment | None:
    """Read a date as it stands in metadata. An instant without a zone is taken as UTC, one at midnight as a day.

    >>> parse_moment("2024-02-26T10:00:00+01:00").instant.isoformat()
    '2024-02-26T09:00:00+00:00'
    >>> parse_moment("26 février 2024").precision
    <Precision.DAY: 'day'>
    >>> parse_moment("soon")
    """
    written = written.strip()
    if matched := _ISO.match(written) or _COMPACT.match(written):
        return _from_fields(matched)
    if _EPOCH.match(written):
        seconds = int(written[:10])
        return Moment(datetime.fromtimestamp(seconds, UTC), Precision.INSTANT, timedelta())
    if _WEEKDAY.match(written) and (moment := _from_mail(written)):
        return moment
    return next(days_in(written[:200], month_first=month_first), None)


def days_in(text: str, *, month_first: bool = False) -> Iterator[Moment]:
    """Yield the days written in running text, in their order.

    >>> [f"{day.instant:%F}" for day in days_in("Am 3. März 2021, updated Apr 5, 2021, 2021年6月1日, 24/12/2020")]
    ['2021-03-03', '2021-04-05', '2021-06-01', '2020-12-24']
    """
    return (moment for _, _, moment in days_with_places(text, month_first=month_first))


def days_with_places(text: str, *, month_first: bool = False) -> Iterator[tuple[int, int, Moment]]:
    """Yield what `days_in` yields, each with where it starts and ends in the text.

    >>> [(start, end) for start, end, _ in days_with_places("On 3 March 2021")]
    [(3, 15)]
    """
    for matched in _DAY_WRITTEN.finditer(text):
        if moment := _from_words(matched, month_first):
            yield matched.start(), matched.end(), moment


def clocks_in(text: str, *, month_first: bool = False) -> Iterator[datetime]:
    """Yield the times, by a clock that is not named, that follow a day in running text.

    >>> [f"{time:%F %H:%M}" for time in clocks_in("Posted May 3, 2021 at 9:25 p.m.")]
    ['2021-05-03 21:25']
    """
    for _, end, moment in days_with_places(text, month_first=month_first):
        if clock := _CLOCK.match(text, end):
            hour, minute, half = int(clock["hour"]), int(clock["minute"]), (clock["half"] or "").lower()
            if half and hour <= _NOON:
                hour = hour % _NOON + (_NOON if half == "p" else 0)
            if hour < 24 and minute < 60:
                yield moment.instant.replace(hour=hour, minute=minute, tzinfo=None)


def day_in_url(url: str) -> Moment | None:
    """Return the day that stands in a URL's path.

    >>> f"{day_in_url('https://news.example/2024/02/26/bridge').instant:%F}"
    '2024-02-26'
    """
    for matched in _DAY_IN_URL.finditer(url.lower()):
        month = matched["month"]
        number = int(month) if month.isdigit() else _MONTHS.get(month, 0)
        if (matched["mark"] or len(month) == 2) and (moment := _day(int(matched["year"]), number, int(matched["day"]))):
            return moment
    return None


def is_plausible(moment: Moment, fetched_at: datetime) -> bool:
    """Tell whether news can be of this moment: not before 1990, not more than a day after it was fetched."""
    return EARLIEST <= moment.instant <= fetched_at + LATEST_AHEAD


def _from_fields(matched: re.Match[str]) -> Moment | None:
    fields = matched.groupdict()
    day = _day(int(fields["year"]), int(fields["month"]), int(fields["day"]))
    if day is None or fields["hour"] is None:
        return day
    try:
        clock = day.instant.replace(
            hour=int(fields["hour"]), minute=int(fields["minute"]), second=int(fields["second"] or 0)
        )
        offset = _offset(fields["zone"])
        return day if clock == day.instant else Moment(clock - (offset or timedelta()), Precision.INSTANT, offset)
    except (ValueError, OverflowError):
        return day


def _offset(written: str | None) -> timedelta | None:
    """Read a zone, such as `Z` or `+01:00`. One beyond a day's length is a ValueError.

    >>> _offset("-0330") == -timedelta(hours=3, minutes=30)
    True
    """
    if written is None:
        return None
    if written[0] not in "+-":
        return timedelta()
    digits = written[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if written[0] == "-" else offset).utcoffset(None)


def _from_mail(written: str) -> Moment | None:
    try:
        parsed = parsedate_to_datetime(written)
        instant = parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return Moment(instant, Precision.INSTANT, parsed.utcoffset())


def _from_words(matched: re.Match[str], month_first: bool) -> Moment | None:
    found = {name: text for name, text in matched.groupdict().items() if text}
    if "year_first" in found:
        return _day(int(found["year_first"]), int(found["month_second"]), int(found["day_third"]))
    if "year_viet" in found:
        return _day(int(found["year_viet"]), int(found["month_viet"]), int(found["day_viet"]))
    if "year_last" in found:
        return _from_numbers(
            found["first"], found["second"], found["year_last"], month_first and "." not in found["mark"]
        )
    if "short_year" in found:
        century = "19" if found["short_year"] > "69" else "20"
        return _from_numbers(
            found["first_of_short"],
            found["second_of_short"],
            century + found["short_year"],
            month_first and found["short_mark"] != ".",
        )
    word, day, year = (
        next(text for name, text in found.items() if name.startswith(part)) for part in ("word", "day", "year")
    )
    return _day(int(year), _MONTHS.get(_plain(word), 0), int(day))


def _from_numbers(first: str, second: str, year: str, month_first: bool) -> Moment | None:
    """Read a day of two numbers and a year; what cannot be in the expected order is read in the other."""
    orders = [(int(second), int(first)), (int(first), int(second))]
    if month_first:
        orders.reverse()
    return next((moment for month, day in orders if (moment := _day(int(year), month, day))), None)


def _plain(word: str) -> str:
    return unicodedata.normalize("NFC", word.lower()).strip(".")


def _day(year: int, month: int, day: int) -> Moment | None:
    if year >= _FIRST_BUDDHIST_YEAR:
        year -= _BUDDHIST
    try:
        return Moment(datetime(year, month, day, tzinfo=UTC), Precision.DAY)
    except ValueError:
        return None
