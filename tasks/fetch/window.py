"""A range of days: what a run may be asked to keep to."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

FIRST_DAY, LAST_DAY = date(1990, 1, 1), date(2199, 12, 31)  # what is dated earlier is taken for undated


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The UTC days from `first` to `last`, both included.

    >>> window = Window(first=date(2024, 2, 26), last=date(2024, 2, 27))
    >>> window.covers(datetime(2024, 2, 27, 23, 59, tzinfo=UTC)), window.covers(datetime(2024, 2, 28, tzinfo=UTC))
    (True, False)
    """

    first: date
    last: date

    def covers(self, moment: datetime) -> bool:
        """Tell whether an instant lies in one of the days."""
        return self.has(moment.astimezone(UTC).date())

    def has(self, day: date) -> bool:
        """Tell whether a day is one of them."""
        return self.first <= day <= self.last

    def overlaps(self, first: date, last: date) -> bool:
        """Tell whether one of the days is among those from `first` to `last`."""
        return first <= self.last and self.first <= last

    def widened(self) -> "Window":
        """Return the window with a day more on either side: what is a day elsewhere can begin and end in another."""
        return Window(first=self.first - timedelta(days=1), last=self.last + timedelta(days=1))

    def days(self) -> Iterator[date]:
        """Yield the days, the earliest first."""
        for number in range((self.last - self.first).days + 1):
            yield self.first + timedelta(days=number)
