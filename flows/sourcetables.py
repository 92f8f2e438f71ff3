"""Sources as a terminal shows them: a table of how each stands, and what a look at one has told."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tasks.checkup import Checkup
from tasks.fetch.freshness import Condition
from tasks.phrasing import counted, listed
from tasks.standing import Standing

_STYLES: Final = {
    Condition.FRESH: "green",
    Condition.SILENT: "yellow",
    Condition.FAILING: "red",
    Condition.NEVER_VISITED: "dim",
}
_UNITS: Final = ((timedelta(days=2), timedelta(days=1), "d"), (timedelta(hours=2), timedelta(hours=1), "h"))


def source_table(found: Sequence[Standing], schedules: Mapping[str, str | None], now: datetime) -> Table:
    """Return two lines a source: its name, what it is, when it was visited and brought something, how it stands."""
    table = Table(box=None, pad_edge=False, header_style="dim", expand=True)
    table.add_column("source", ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column("kind", no_wrap=True, overflow="ellipsis", max_width=14)
    for name in ("visited", "last new", "state"):
        table.add_column(name, no_wrap=True)
    for standing in found:
        table.add_row(*_cells(standing, schedules.get(standing.source.name), now))
    return table


def _cells(standing: Standing, schedule: str | None, now: datetime) -> tuple[Text, ...]:
    visit, condition = standing.visit, standing.condition
    following = ""
    if schedule and standing.next_visit is not None:
        following = f"next {told(standing.next_visit, now)}" if standing.next_visit > now else "next is due"
    detail = "" if visit is None or not visit.failures else counted(visit.failures, "failure")
    return (
        _lines(standing.source.name, standing.source.location),
        _lines(standing.kind, schedule or "by hand"),
        _lines(told(visit.fetched_at, now) if visit else "–", following),
        _lines(
            told(visit.changed_at, now) if visit and visit.changed_at else "–",
            counted(visit.entries, "entry", "entries") if visit and visit.kind else "",
        ),
        Text(condition, style=_STYLES[condition]).append(f"\n{detail}", style="dim"),
    )


def _lines(first: str, second: str) -> Text:
    return Text(first).append(f"\n{second}", style="dim")


def checkup_panel(checkup: Checkup, now: datetime) -> Group:
    """Return what a look at a source has told, a line a fact, the conclusion last."""
    facts = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    for label, fact in _facts(checkup, now):
        if fact:
            facts.add_row(label, Text(fact))
    style = "green" if checkup.delivers else "red"
    name = Text(checkup.source.name, style="bold")
    return Group(name, Padding(facts, (0, 0, 0, 2)), Padding(Text(checkup.why, style=style), (0, 0, 1, 2)))


def _facts(checkup: Checkup, now: datetime) -> Iterator[tuple[str, str]]:
    visit = checkup.visit
    yield "location", checkup.source.location
    yield "answer", checkup.answer
    if checkup.redirects:
        yield "", f"after {counted(len(checkup.redirects), 'redirect')}, at {checkup.address}"
    slow = f", crawl-delay {checkup.crawl_delay:g} s" if checkup.crawl_delay else ""
    yield "robots.txt", checkup.robots and checkup.robots + slow
    newest = f", the newest of {_instant(checkup.newest, now)}" if checkup.newest else ""
    yield "kind", f"{checkup.kind}{_parts(checkup)}"
    yield "offers", counted(checkup.entries, "entry", "entries") + newest if checkup.entries else ""
    yield "left out", listed(checkup.left_out)
    yield "new", f"{checkup.new:,}" if checkup.entries else ""
    yield "known", listed(checkup.known)
    if visit is not None:
        changed = f", something new {told(visit.changed_at, now)}" if visit.changed_at else ""
        yield "visited", f"{_instant(visit.fetched_at, now)}{changed}"
    for trouble in checkup.troubles:
        if trouble != checkup.answer:
            yield "trouble", trouble
    yield "tried", checkup.page or ""
    yield "", checkup.page_verdict


def _parts(checkup: Checkup) -> str:
    if checkup.listings <= 1 and not checkup.passed_over:
        return ""
    more = f", {checkup.passed_over:,} not looked into" if checkup.passed_over else ""
    return f", {counted(checkup.listings, 'listing')} read{more}"


def _instant(when: datetime, now: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC ({told(when, now)})"


def told(when: datetime, now: datetime) -> str:
    """Say how far away an instant is, as roughly as people do.

    >>> now = datetime(2024, 2, 26, 12)
    >>> told(now - timedelta(minutes=12), now), told(now + timedelta(hours=30), now), told(now - timedelta(days=9), now)
    ('12 min ago', 'in 30 h', '9 d ago')
    """
    away = abs(when - now)
    unit, name = next(((unit, name) for least, unit, name in _UNITS if away >= least), (timedelta(minutes=1), "min"))
    far = f"{away // unit} {name}"
    if away < timedelta(minutes=1):
        return "now"
    return f"in {far}" if when > now else f"{far} ago"
