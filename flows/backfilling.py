"""`copydesk backfill` and `status`: how the days of a dataset stand, and bringing them up to date, from a terminal."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from flows.clock import utc_now
from flows.console import out
from flows.endings import DONE, NOT_DONE
from flows.heatmap import calendar, legend, state_table
from flows.parameters import BackfillParameters, known_days, request_for, window_for
from flows.places import place_of
from flows.settings import Settings, SettingsError
from tasks.partitions import MENDABLE, Partition, Plan, State, count_states, newest_first, sentence
from tasks.phrasing import counted
from tasks.planning import Request, latest_weeks, plan_by
from tasks.survey import look

if TYPE_CHECKING:
    from prefect import State as PrefectState

    from tasks.report.summary import RunSummary

SHOWN: Final = 12  # weeks with articles in a calendar, where no first day is given
REASONS: Final = 12  # that are told one by one
SPANS: Final = 8  # of days, of each state


def show_status(
    settings: Settings, *, first: date | None, last: date | None, sources: Sequence[str], as_json: bool
) -> None:
    """Show how each day of each source stands."""
    today = utc_now().date()
    known = known_days(settings, today)
    window = window_for(first, last, known)
    if first is None:
        with place_of(settings).open() as store:
            window = replace(window, first=latest_weeks(store, window, SHOWN))
    request = replace(request_for(window, sources, settings, today), glance=first is None)
    plan = _plan(settings, request)
    if as_json:
        _print_json(plan, plan.partitions)
        return
    if not plan.partitions:
        out.print(f"Nothing is known of any source from {plan.window.first} to {plan.window.last}.")
        return
    out.print(calendar(plan.partitions, out.width), end="")
    out.print(state_table(plan.partitions))
    out.print()
    out.print(legend(plan.partitions))
    _tell_reasons(plan.partitions)
    if first is None and known.first < plan.window.first:
        _say(f"Earlier days are known too: --from {known.first} shows them all.", "dim")
    if plan.chosen:
        days = sorted(each.day for each in plan.chosen)
        _say(f"\ncopydesk backfill --from {days[0]} --to {days[-1]}", "bold cyan")
        _say(f"brings {counted(len(plan.chosen), 'partition')} up to date{_estimate(plan)}.", "dim")


def run_backfill(
    settings: Settings,
    *,
    first: date | None,
    last: date | None,
    sources: Sequence[str],
    only: Sequence[str],
    again: bool,
    concurrency: int,
    config: Path | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Plan, show the plan and carry it out; return 1 where some of it could not be done."""
    parameters = _parameters(
        first=first,
        last=last,
        sources=tuple(sources),
        only=_states(only),
        again=again,
        concurrency=concurrency,
        data=settings.data,
        config=None if config is None else str(config),
    )
    request = parameters.request(settings, utc_now().date())
    plan = _plan(settings, request)
    if not as_json:
        _show_plan(plan)
    if dry_run or not plan.units:
        if as_json:
            _print_json(plan, plan.chosen)
        return DONE
    from flows.running import end, run_flow

    summary, is_known = run_flow(lambda: _backfill(parameters), settings)
    after, chosen = _plan(settings, replace(request, only=MENDABLE)), set(map(_key, plan.chosen))
    short = [each for each in after.partitions if _key(each) in chosen and each.state in MENDABLE]
    if as_json:
        _print_json(after, [each for each in after.partitions if _key(each) in chosen])
    else:
        _show_outcome(plan, short)
    return end(NOT_DONE if short or summary.broken_gates else DONE, is_known=is_known)


def _plan(settings: Settings, request: Request) -> Plan:
    with place_of(settings).open() as store:
        return plan_by(store, request, look(store, request.window, request.versions, request.names))


def _states(names: Sequence[str]) -> tuple[str, ...]:
    """Return the states that are named, or all that can be mended; refuse any other."""
    known = tuple(str(state) for state in MENDABLE)
    for name in filter(None, names):
        if name not in known:
            raise SettingsError(f"--only: {name!r} is no state that can be mended. There are: {', '.join(known)}.")
    return tuple(filter(None, names)) or known


def _parameters(**given: object) -> BackfillParameters:
    try:
        return BackfillParameters.model_validate(given)
    except ValidationError as error:
        raise SettingsError(" ".join(fault["msg"].removeprefix("Value error, ") for fault in error.errors())) from None


def _backfill(parameters: BackfillParameters) -> "PrefectState[RunSummary | PrefectState[RunSummary]]":
    from flows.backfill import backfill

    return backfill(parameters, return_state=True)


def _show_plan(plan: Plan) -> None:
    if not plan.units:
        _say(f"Nothing to do for {_standing(plan.partitions)}.", "bold")
        _tell_reasons(plan.left)
        if any(each.is_lasting for each in plan.left):
            _say("They are left alone, as trying again will not help by itself; --again tries nevertheless.", "dim")
        return
    out.print(state_table(plan.partitions))
    _say(
        f"\nTo bring up to date: {counted(len(plan.chosen), 'partition')} in {counted(len(plan.units), 'step')}"
        f"{_estimate(plan)}.",
        "bold",
    )
    for state, some in _by_state(plan.chosen).items():
        spans = _spans(each.day for each in some)
        days = ", ".join(spans[:SPANS]) + (", …" if len(spans) > SPANS else "")
        _say(f"  {state:<8} {len(some):>4,}  {days}", "")
    _tell_reasons(plan.left)


def _show_outcome(plan: Plan, short: Sequence[Partition]) -> None:
    done = len(plan.chosen) - len(short)
    _say(f"\n{counted(done, 'partition')} of {len(plan.chosen):,} brought up to date.", "bold")
    _tell_reasons(short)


def _standing(partitions: Sequence[Partition]) -> str:
    """Say how many partitions are in which state.

    >>> _standing([Partition(source="harbour", day=date(2024, 2, 5), state=State.FRESH)])
    '1 partition (1 fresh)'
    """
    states = ", ".join(f"{len(some):,} {state}" for state, some in _by_state(partitions).items())
    return f"{counted(len(partitions), 'partition')} ({states or 'none'})"


def _by_state(partitions: Sequence[Partition]) -> dict[State, list[Partition]]:
    return {state: some for state in State if (some := [each for each in partitions if each.state is state])}


def _spans(days: Iterable[date]) -> list[str]:
    """Return days in order, those that follow each other as one span.

    >>> _spans([date(2024, 2, 5), date(2024, 2, 7), date(2024, 2, 6), date(2024, 2, 9)])
    ['2024-02-05…07', '2024-02-09']
    """
    spans: list[list[date]] = []
    for day in sorted(set(days)):
        if spans and day - spans[-1][-1] == timedelta(days=1):
            spans[-1].append(day)
        else:
            spans.append([day])
    return [_span(some[0], some[-1]) for some in spans]


def _span(first: date, last: date) -> str:
    if first == last:
        return first.isoformat()
    is_one_month = (first.year, first.month) == (last.year, last.month)
    return f"{first}…{last.isoformat()[8:] if is_one_month else last}"


def _tell_reasons(partitions: Sequence[Partition]) -> None:
    """Say of each partition that has a reason to be as it is what that is, the newest first."""
    told = [each for each in newest_first(partitions) if each.reason or each.state is State.RUNNING]
    for each in told[:REASONS]:
        _say(sentence(each), "yellow")
    if len(told) > REASONS:
        _say(f"And {counted(len(told) - REASONS, 'more partition')}: --json tells all.", "yellow")


def _estimate(plan: Plan) -> str:
    if not plan.pages:
        return ""
    if plan.seconds is None:
        return f", about {counted(plan.pages, 'page')}"
    return f", about {counted(plan.pages, 'page')} and {_duration(plan.seconds)}"


def _duration(seconds: float) -> str:
    """Return a length of time as one says it.

    >>> _duration(8), _duration(75), _duration(9000)
    ('8 s', '2 min', '2.5 h')
    """
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    return f"{-(-seconds // 60):.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _key(each: Partition) -> tuple[str, date]:
    return each.source, each.day


def _say(line: str, style: str) -> None:
    out.print(line, style=style or None, markup=False, soft_wrap=True)


def _print_json(plan: Plan, partitions: Sequence[Partition]) -> None:
    told = {
        "first": plan.window.first,
        "last": plan.window.last,
        "states": count_states(plan.partitions),
        "planned": len(plan.chosen),
        "pages": plan.pages,
        "seconds": plan.seconds,
        "partitions": [asdict(each) for each in newest_first(partitions)],
    }
    sys.stdout.write(json.dumps(told, default=date.isoformat, ensure_ascii=False) + "\n")
