"""Dates that feeds, sitemaps and archives state: believed when they can be true, else unknown; never "now"."""

import re
from datetime import UTC, datetime, timedelta

from tasks.documents import Precision

_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_MOST_AHEAD = timedelta(days=1)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_LONG_FRACTION = re.compile(r"(\.\d{6})\d+")


def stated_instant(text: str | None, now: datetime) -> datetime | None:
    """Return the UTC instant of an ISO 8601 or W3C date, or None where there is none between 1990 and tomorrow.

    >>> today = datetime(2024, 2, 27, tzinfo=UTC)
    >>> stated_instant("2024-02-26T09:30:00+01:00", today)
    datetime.datetime(2024, 2, 26, 8, 30, tzinfo=datetime.timezone.utc)
    >>> stated_instant("2024-02-30", today), stated_instant("9999-12-31", today), stated_instant("soon", today)
    (None, None, None)
    """
    try:
        moment = datetime.fromisoformat(_LONG_FRACTION.sub(r"\1", (text or "").strip()))
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return moment if _EARLIEST <= moment <= now + _MOST_AHEAD else None


def stated_precision(text: str | None, moment: datetime | None) -> Precision:
    """Return how exactly a date is known: a day without a time, or one that a reader turned into midnight UTC.

    >>> midnight = datetime(2024, 2, 26, tzinfo=UTC)
    >>> stated_precision("2024-02-26", midnight).value, stated_precision("2024-02-26T08:30:00Z", None).value
    ('day', 'instant')
    """
    is_midnight = moment is not None and moment.time() == datetime.min.time()
    return Precision.DAY if is_midnight or _DAY.fullmatch((text or "").strip()) else Precision.INSTANT
