"""Draw small plots as inline SVG: they follow the page's colours, scale with its width and speak to screen readers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate

from markupsafe import Markup

from tasks.report.words import MONTHS, WEEKDAYS

ROW = 40  # height of a labelled bar, in pixels
CELL, GAP = 12, 3  # a day of the calendar
LEFT, TOP = 34, 22  # room for the names of weekdays and months
MOST_WEEKS = 53
FEWEST_WEEKS = 12
SHADES = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """A labelled amount; `shown` is how the amount reads beside the bar."""

    label: str
    amount: float
    shown: str


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a stacked bar: its name, its amount, and the class that gives it its colour."""

    label: str
    amount: int
    css_class: str


def bars(rows: Sequence[Bar], *, title: str, description: str) -> Markup:
    """Draw horizontal bars, the label above each and the amount at the right; widths are shares of the largest."""
    largest = max((row.amount for row in rows), default=0) or 1
    drawn = Markup("").join(_bar(index, row, largest) for index, row in enumerate(rows))
    return Markup(
        '<svg class="bars" role="img" width="100%" height="{}"><title>{}</title><desc>{}</desc>{}</svg>'
    ).format(ROW * len(rows), title, description, drawn)


def _bar(index: int, row: Bar, largest: float) -> Markup:
    top = index * ROW
    return Markup(
        '<text x="0" y="{}">{}</text><text class="amount" x="100%" y="{}" text-anchor="end">{}</text>'
        '<rect class="rail" x="0" y="{}" width="100%" height="6" rx="1"/>'
        '<rect class="bar" x="0" y="{}" width="{:.2f}%" height="6" rx="1"><title>{}: {}</title></rect>'
    ).format(
        top + 16, row.label, top + 16, row.shown, top + 23, top + 23, 100 * row.amount / largest, row.label, row.shown
    )


def stacked_bar(shares: Sequence[Share], *, total: int, title: str) -> Markup:
    """Draw one bar of parts side by side, as long as its sum is of `total`.

    >>> stacked_bar([Share("new", 0, "new")], total=0, title="harbour-post")
    Markup('<svg class="stack" role="img" width="100%" height="14"><title>harbour-post: nothing</title></svg>')
    """
    present = [share for share in shares if share.amount]
    starts = accumulate((share.amount for share in present), initial=0)
    drawn = Markup("").join(
        Markup('<rect class="{}" x="{:.2f}%" width="{:.2f}%" height="14"><title>{} {}</title></rect>').format(
            share.css_class, 100 * start / total, 100 * share.amount / total, f"{share.amount:,}", share.label
        )
        for share, start in zip(present, starts, strict=False)
    )
    told = ", ".join(f"{share.amount:,} {share.label}" for share in present) or "nothing"
    return Markup('<svg class="stack" role="img" width="100%" height="14"><title>{}: {}</title>{}</svg>').format(
        title, told, drawn
    )


def calendar(days: Mapping[date, int], *, last: date, description: str) -> Markup:
    """Draw a cell a day, a column a week, ending with the week of `last`; the darker, the more."""
    monday = first_monday(days, last)
    most = max((count for day, count in days.items() if monday <= day <= last), default=0)
    span = [monday + timedelta(days=offset) for offset in range((last - monday).days + 1)]
    weeks = (len(span) + 6) // 7
    width, height = LEFT + weeks * (CELL + GAP), TOP + 7 * (CELL + GAP)
    return Markup(
        '<svg class="calendar" role="img" width="{0}" height="{1}" viewBox="0 0 {0} {1}">'
        "<title>Articles per day</title><desc>{2}</desc>{3}{4}{5}</svg>"
    ).format(
        width,
        height,
        description,
        _month_names(monday, weeks),
        _weekday_names(),
        Markup("").join(_cell(index, day, days.get(day, 0), most) for index, day in enumerate(span)),
    )


def first_monday(days: Mapping[date, int], last: date) -> date:
    """Return the Monday a calendar begins with: early enough for all days, within a year and a week.

    >>> first_monday({}, date(2026, 11, 24)).isoformat()
    '2026-09-07'
    """
    end = last - timedelta(days=last.weekday())
    earliest = min((day for day in days if day <= last), default=last)
    weeks = (end - (earliest - timedelta(days=earliest.weekday()))).days // 7 + 1
    return end - timedelta(weeks=min(max(weeks, FEWEST_WEEKS), MOST_WEEKS) - 1)


def _cell(index: int, day: date, count: int, most: int) -> Markup:
    return Markup('<rect class="shade-{}" x="{}" y="{}" width="{}" height="{}" rx="2"><title>{}</title></rect>').format(
        shade(count, most),
        LEFT + index // 7 * (CELL + GAP),
        TOP + index % 7 * (CELL + GAP),
        CELL,
        CELL,
        f"{WEEKDAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]} {day.year}: {count:,}",
    )


def shade(count: int, most: int) -> int:
    """Return 0 for none, else 1 to `SHADES` by the root of the share, so that small days are told apart too.

    >>> [shade(count, 100) for count in (0, 1, 20, 50, 100)]
    [0, 1, 2, 3, 4]
    """
    return 0 if not count else max(1, min(SHADES, round(SHADES * (count / most) ** 0.5)))


def _month_names(monday: date, weeks: int) -> Markup:
    """Name each month above the first week that begins in it, with the year where it changes."""
    names = []
    for week in range(weeks):
        day = monday + timedelta(weeks=week)
        if day.day <= 7 and week < weeks - 1:
            name = MONTHS[day.month - 1][:3] if day.month > 1 else f"Jan {day.year}"
            names.append(Markup('<text x="{}" y="12">{}</text>').format(LEFT + week * (CELL + GAP), name))
    return Markup("").join(names)


def _weekday_names() -> Markup:
    return Markup("").join(
        Markup('<text x="0" y="{}">{}</text>').format(TOP + index * (CELL + GAP) + 10, WEEKDAYS[index][:3])
        for index in (0, 2, 4, 6)
    )
