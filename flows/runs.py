"""`copydesk runs`: what ran, what came of it, and what is running now, from the ledger alone."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from flows.console import out
from flows.endings import DONE
from flows.places import check_dataset, place_of
from flows.settings import Settings, SettingsError
from storage.records import Run
from storage.store import Store
from tasks.documents import Outcome
from tasks.report.words import duration


class RunState(StrEnum):
    """How a run stands: at work (its lock is held), cut short (it is not, and no end was noted), stopped, or done."""

    RUNNING = "running"
    INTERRUPTED = "interrupted"
    STOPPED = "stopped"
    DONE = "done"


STYLES: Final[Mapping[RunState, str]] = {
    RunState.RUNNING: "cyan",
    RunState.INTERRUPTED: "yellow",
    RunState.STOPPED: "red",
    RunState.DONE: "green",
}


def show_runs(settings: Settings, *, run: str | None, limit: int, flow: str | None, as_json: bool) -> int:
    """Print the latest runs, or one in full; a run is named by its id, or by as much of it as tells it apart."""
    check_dataset(settings)
    with place_of(settings).open() as store:
        found = store.ledger.runs(limit, flow=flow) if run is None else [_named(store, run)]
        states = {each.run: state_of(store, each) for each in found}
    if as_json:
        told = [_as_json(each, states[each.run]) for each in found]
        out.print_json(json.dumps(told if run is None else told[0]))
    elif run is not None:
        out.print(in_full(found[0], states[found[0].run]))
    elif not found:
        out.print(f"No run{f' of {flow}' if flow else ''} is known to the ledger of {settings.data}.", soft_wrap=True)
    else:
        out.print(run_list(found, states))
    return DONE


def _named(store: Store, run: str) -> Run:
    found = store.ledger.runs_named(run)
    if len(found) != 1 and run not in {each.run for each in found}:
        what = f"begin {len(found):,} runs" if found else "begins no run"
        raise SettingsError(f"{run!r} {what} of this dataset's ledger. See them with: copydesk runs")
    return next((each for each in found if each.run == run), found[0])


def state_of(store: Store, run: Run) -> RunState:
    """Return how a run stands; one that noted no end is alive as long as its lock is held."""
    if run.finished_at is not None:
        return RunState.DONE if run.trouble is None else RunState.STOPPED
    if run.trouble is None:
        with store.files.try_lock(f"run-{run.run}") as is_free:
            if not is_free:
                return RunState.RUNNING
    return RunState.INTERRUPTED


def run_list(runs: Sequence[Run], states: Mapping[str, RunState]) -> Group:
    """Return runs for the terminal, the latest first: a line each with what came of it below."""
    return Group(*(part for run in runs for part in _entry(run, states[run.run])))


def _entry(run: Run, state: RunState) -> Iterator[RenderableType]:
    head = Table.grid(padding=(0, 2, 0, 0), expand=False)
    for _ in range(4):
        head.add_column(no_wrap=True)
    head.add_row(
        Text(run.run, style="bold"),
        Text(f"{run.started_at:%Y-%m-%d %H:%M}", style="dim"),
        Text(_took(run).rjust(12), style="dim"),
        Text(state, style=STYLES[state]),
    )
    yield head
    came = _outcomes(run.counts) or ("nothing came in" if state is RunState.DONE else "")
    yield _below(Text(": ".join(part for part in (run.name or run.flow, came) if part)))
    if run.seconds:
        yield _below(Text(_stages(run.seconds), style="dim"))
    for told in _troubles(run, state):
        yield _below(told)


def _below(text: Text) -> Padding:
    return Padding(text, (0, 0, 0, 2))


def _troubles(run: Run, state: RunState) -> list[Text]:
    """Return what is to be looked at: broken gates, and why it did not end well."""
    broken = [Text(sentence, style="yellow") for sentence in run.broken]
    return broken if run.trouble is None else [*broken, Text(run.trouble, style=STYLES[state])]


def _outcomes(counts: Mapping[str, int]) -> str:
    known: Iterable[str] = [outcome for outcome in Outcome if counts.get(outcome)]
    return ", ".join(f"{counts[each]:,} {each}" for each in known or [each for each in counts if counts[each]])


def _stages(seconds: Mapping[str, float]) -> str:
    return " · ".join(f"{stage} {duration(took)}" for stage, took in seconds.items())


def _took(run: Run) -> str:
    return "" if run.finished_at is None else duration(run.finished_at - run.started_at)


def in_full(run: Run, state: RunState) -> Group:
    """Return all that the ledger knows of a run."""
    facts = Table.grid(padding=(0, 2, 0, 0))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    facts.add_row("run", Text(run.run, style="bold"))
    facts.add_row("name", Text(run.name or ""))
    facts.add_row("flow", run.flow)
    facts.add_row("state", Text(state, style=STYLES[state]))
    facts.add_row("started", _moment(run.started_at))
    if run.finished_at is not None:
        facts.add_row("ended", f"{_moment(run.finished_at)}, after {_took(run)}")
    if run.seconds:
        facts.add_row("stages", _stages(run.seconds))
    for told in _troubles(run, state):
        facts.add_row("look at", told)
    parts: list[RenderableType] = [facts]
    if run.sources:
        parts += [Text(), _source_table(run)]
    if run.corrections:
        parts += [Text(), _correction_table(run)]
    return Group(*parts)


def _source_table(run: Run) -> Table:
    seen = [outcome for outcome in Outcome if any(counts.get(outcome) for counts in run.sources.values())]
    table = Table(box=None, pad_edge=False, header_style="dim", show_footer=len(run.sources) > 1)
    table.add_column("source", footer="all", overflow="fold")
    for outcome in seen:
        table.add_column(str(outcome), justify="right", footer=f"{run.counts.get(outcome, 0):,}")
    for source, counts in run.sources.items():
        table.add_row(Text(source), *(f"{counts.get(outcome, 0):,}" for outcome in seen))
    return table


def _correction_table(run: Run) -> Table:
    """Return the places that each rule mended, the busiest first, with their sources."""
    rules: dict[str, dict[str, int]] = {}
    for source, counts in run.corrections.items():
        for rule, count in counts.items():
            rules.setdefault(rule, {})[source] = count
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("mended by", no_wrap=True)
    table.add_column("places", justify="right", no_wrap=True)
    table.add_column("in", overflow="fold")
    for rule, there in sorted(rules.items(), key=lambda entry: (-sum(entry[1].values()), entry[0])):
        table.add_row(rule, f"{sum(there.values()):,}", Text(", ".join(f"{name} {n:,}" for name, n in there.items())))
    return table


def _moment(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"


def _as_json(run: Run, state: RunState) -> dict[str, object]:
    """Return a run as JSON has it: the fields of the ledger's record, instants as ISO 8601, and its state."""
    told = asdict(run) | {"state": state}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in told.items()}
