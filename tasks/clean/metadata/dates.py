"""Moments in time as web pages write them: ISO 8601, RFC 2822, epochs, and days in many languages."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

from tasks.clean.data import vocabulary
from tasks.documents import Precision

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
LATEST_AHEAD = timedelta(days=1)

_MONTHS = {word: number for number, words in enumerate(vocabulary("dates")["months"], 1) for word in words.split()}

_ISO = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d\d?)-(?P<day>\d\d?)"
    r"(?:(?:T|\s+|\s*-\s*)(?P<hour>\d\d?):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d+)?)?"
    r"\s*(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d|[+-]\d\d\b)?)?",
    re.IGNORECASE,
)
_COMPACT = re.compile(
    r"(?P<year>(?:19|20)\d\d)(?P<month>\d\d)(?P<day>\d\d)"
    r"(?:T?(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)?\s*(?P<zone>Z|[+-]\d\d:?\d\d)?)?$"
)
_EPOCH = re.compile(r"\d{10}(?:\d{3})?$")
_WEEKDAY = re.compile(r"[A-Za-z]{3},? \d")

_YEAR, _WORD = r"(?:19|20)\d\d", r"[^\W\d_]{3,14}"
_DAY_WRITTEN = re.compile(
    r"(?<![\d.,:/-])(?:"
    # 2024-02-26, 2024年2月26日
    r"(?P<year_first>\d{4})\s?[-/.年년]\s?(?P<month_second>\d{1,2})\s?[-/.月월]\s?(?P<day_third>\d{1,2})(?!\d)"
    # 26.02.2024, 2/26/2024
    rf"|(?P<first>\d{{1,2}})(?P<mark>[./-])\s?(?P<second>\d{{1,2}})(?P=mark)\s?(?P<year_last>{_YEAR})(?!\d)"
    # 26 février 2024, 26. Februar 2024, 26 de febrero de 2024
    rf"|(?P<day_before>\d{{1,2}})(?:\.|st|nd|rd|th|er|º|°)?[\s\-]*(?:de |of |d[’'])?\s*(?P<word_after>{_WORD})"
    rf"[.,]?[\s\-]*(?:de |del |of )?\s*(?P<year_after>{_YEAR})(?!\d)"
    # February 26th, 2024
    rf"|(?P<word_before>{_WORD})\.?\s*(?P<day_after>\d{{1,2}})(?:st|nd|rd|th)?\s*,?\s+(?P<year_final>{_YEAR})(?!\d)"
    r")",
    re.IGNORECASE,
)
_DAY_IN_URL = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d\d)(?P<mark>[/_-]?)(?P<month>0?[1-9]|1[0-2]|[a-z]{3})(?P=mark)(?P<day>0[1-9]|[12]\d|3[01])(?!\d)"
)


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant in UTC, and how exactly it is known."""

    instant: datetime
    precision: Precision


def parse_moment(written: str, *, month_first: bool = False) -> Moment | None:
    """Read a date as it stands in metadata. An instant without a zone is taken as UTC.

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
        return Moment(datetime.fromtimestamp(seconds, UTC), Precision.INSTANT)
    if _WEEKDAY.match(written) and (moment := _from_mail(written)):
        return moment
    return next(days_in(written[:200], month_first=month_first), None)


def days_in(text: str, *, month_first: bool = False) -> Iterator[Moment]:
    """Yield the days written in running text, in their order.

    >>> [f"{day.instant:%F}" for day in days_in("Am 3. März 2021, updated Apr 5, 2021, 2021年6月1日, 24/12/2020")]
    ['2021-03-03', '2021-04-05', '2021-06-01', '2020-12-24']
    """
    for matched in _DAY_WRITTEN.finditer(text):
        if moment := _from_words(matched, month_first):
            yield moment


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
        return Moment(clock.replace(tzinfo=_zone(fields["zone"])).astimezone(UTC), Precision.INSTANT)
    except (ValueError, OverflowError):
        return day


def _zone(written: str | None) -> timezone:
    if written is None or written[0] not in "+-":
        return UTC
    sign = -1 if written[0] == "-" else 1
    digits = written[1:].replace(":", "").ljust(4, "0")
    return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))


def _from_mail(written: str) -> Moment | None:
    try:
        parsed = parsedate_to_datetime(written)
        instant = parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return Moment(instant, Precision.INSTANT)


def _from_words(matched: re.Match[str], month_first: bool) -> Moment | None:
    if matched["year_first"]:
        return _day(int(matched["year_first"]), int(matched["month_second"]), int(matched["day_third"]))
    if matched["year_last"]:
        first, second, year = int(matched["first"]), int(matched["second"]), int(matched["year_last"])
        orders = [(second, first), (first, second)]
        if month_first and matched["mark"] != ".":
            orders.reverse()
        return next((moment for month, day in orders if (moment := _day(year, month, day))), None)
    word = (matched["word_after"] or matched["word_before"]).lower()
    year = int(matched["year_after"] or matched["year_final"])
    return _day(year, _MONTHS.get(word, 0), int(matched["day_before"] or matched["day_after"]))


def _day(year: int, month: int, day: int) -> Moment | None:
    try:
        return Moment(datetime(year, month, day, tzinfo=UTC), Precision.DAY)
    except ValueError:
        return None
