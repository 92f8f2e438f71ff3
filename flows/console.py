"""What copydesk shows in a terminal: outcomes, one sentence mended, a document stage by stage, a diff."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import (
    Progress as Bars,
)
from rich.table import Table
from rich.text import Text

from flows.logs import say, speaks_json
from tasks.documents import Action, Artifact, Outcome
from tasks.progress import Progress, listening

if TYPE_CHECKING:  # heavy, and not needed to show a mended text
    from flows.showcase import MendedSentence
    from storage.verify import Verdict
    from tasks.archived import Planned
    from tasks.report.summary import RejectionCount, RunSummary

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

BEFORE, AFTER, REPORTED = "red strike", "bold green", "yellow underline"
MARKS = (("", ""),) * 3
SIGNS = (("[-", "-]"), ("{+", "+}"), ("[?", "?]"))
# Characters that change a text without being seen.
_VISIBLE = str.maketrans(
    {"\N{NO-BREAK SPACE}": "⍽", "\N{NARROW NO-BREAK SPACE}": "⍽", "\N{ZERO WIDTH SPACE}": "∅", "\n": "⏎"}
)


def notice(message: str, *, style: str) -> None:
    """Tell the operator something beside the output; a machine that reads the log gets it as a line of that."""
    if not say(message):
        err.print(message, style=style, markup=False)


def outcome_table(summary: "RunSummary") -> Table:
    """Return what became of the inputs, a line a source, columns that occurred only."""
    seen = [outcome for outcome in Outcome if summary.count(outcome)]
    table = Table(title=None, box=None, pad_edge=False, header_style="dim", show_footer=len(summary.sources) > 1)
    table.add_column("source", footer="all")
    for outcome in seen:
        table.add_column(str(outcome), justify="right", footer=f"{summary.count(outcome):,}")
    table.add_column("inputs", justify="right", footer=f"{summary.inputs:,}")
    for source in summary.sources:
        table.add_row(Text(source.source), *(f"{source.count(outcome):,}" for outcome in seen), f"{source.inputs:,}")
    return table


def rejection_table(rejected: "Sequence[RejectionCount]") -> Table:
    """Return why a run's inputs were set aside: a line a reason, with one example."""
    table = Table(box=None, pad_edge=False, header_style="dim", expand=True)
    table.add_column("set aside", justify="right", no_wrap=True)
    table.add_column("stage", no_wrap=True)
    table.add_column("reason", no_wrap=True)
    table.add_column("for example", no_wrap=True, overflow="ellipsis", ratio=1)
    for each in rejected:
        example = Text(each.example).append(f"  {' '.join(each.detail.split())}", style="dim")
        table.add_row(f"{each.count:,}", each.stage, each.reason, example)
    return table


def plan_table(planned: "Sequence[Planned]") -> Table | str:
    """Return what is to be edited anew: a line a source and cause."""
    if not planned:
        return "Nothing to do: every row is as today's desk makes it."
    table = Table(box=None, pad_edge=False, header_style="dim", show_footer=True)
    table.add_column("source", footer="all")
    table.add_column("cause")
    table.add_column("days")
    table.add_column("pages", justify="right", footer=f"{sum(line.pages for line in planned):,}")
    table.add_column("not kept", justify="right", footer=f"{sum(line.not_kept for line in planned):,}")
    for line in planned:
        days = f"{line.first_day} … {line.last_day}" if line.first_day < line.last_day else str(line.first_day)
        table.add_row(Text(line.source), str(line.cause), days, f"{line.pages:,}", f"{line.not_kept:,}")
    return table


def finding_table(verdict: "Verdict") -> Table:
    """Return what is wrong with a dataset: a line a finding."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("what", "where", "how", "repair"):
        table.add_column(name, overflow="fold")
    for finding in verdict.findings:
        table.add_row(
            str(finding.kind),
            Text(finding.path),
            Text(finding.detail),
            "can be" if finding.repairable or finding.by_caller else "",
        )
    return table


def diff(stored: str, artifacts: Sequence[Artifact], *, start: int = 0, end: int | None = None) -> Text:
    """Return `stored[start:end]` with what was mended shown before and after, and what was reported underlined.

    What was reported around a mended place is left plain: the mending is worth more to see. Where there is no colour,
    signs say the same, as in wdiff: `[-before-]{+after+}`, and `[?reported?]`.
    """
    removed, added, doubted = MARKS if out.is_terminal else SIGNS
    shown, position, end = Text(), start, len(stored) if end is None else end
    mended = [artifact for artifact in artifacts if artifact.action is Action.MENDED]
    apart = [artifact for artifact in artifacts if artifact.action is Action.REPORTED and not _meets(artifact, mended)]
    for artifact in sorted([*mended, *apart], key=lambda artifact: artifact.start_in_text):
        length = len(artifact.before if artifact.after is None else artifact.after)
        if artifact.start_in_text < position or artifact.start_in_text + length > end:
            continue
        shown.append(stored[position : artifact.start_in_text])
        if artifact.action is Action.MENDED:
            _append(shown, artifact.before.translate(_VISIBLE), removed, BEFORE)
            _append(shown, (artifact.after or "").translate(_VISIBLE), added, AFTER)
        else:
            _append(shown, artifact.before, doubted, REPORTED)
        position = artifact.start_in_text + length
    return shown.append(stored[position:end])


def _append(shown: Text, words: str, around: tuple[str, str], style: str) -> None:
    if words:
        shown.append(f"{around[0]}{words}{around[1]}", style=style)


def mended_sentence(sentence: "MendedSentence") -> Table:
    """Return a sentence before and after, what changed marked, with the rules that did it."""
    before, after, position = Text(), Text(), 0
    for change in sentence.changes:
        same = sentence.text[position : change.start]
        before.append(same).append(change.before.translate(_VISIBLE), style="red")
        after.append(same).append(change.after, style="bold green")
        position = change.start + len(change.after)
    before.append(sentence.text[position:])
    after.append(sentence.text[position:])
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_row(Text("before", style="dim"), before)
    table.add_row(Text("after", style="dim"), after)
    rules = ", ".join(dict.fromkeys(change.rule for change in sentence.changes))
    table.add_row(Text("rules", style="dim"), Text(rules, style="dim"))
    return table


def _meets(reported: Artifact, mended: Sequence[Artifact]) -> bool:
    """Whether a reported place holds or touches one that was mended; counted in the text before mending."""
    end = reported.start + len(reported.before)
    return any(each.start <= end and each.start + len(each.before) >= reported.start for each in mended)


def artifact_table(artifacts: Sequence[Artifact]) -> Table:
    """Return every finding: where, which rule, what was done."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("field", "at", "rule", "category", "was", "before", "after"):
        table.add_column(name, justify="right" if name == "at" else "left")
    for artifact in artifacts:
        table.add_row(
            artifact.field,
            str(artifact.start),
            artifact.rule,
            artifact.category,
            str(artifact.action),
            Text(artifact.before.translate(_VISIBLE), style=BEFORE if artifact.after is not None else REPORTED),
            Text((artifact.after or "").translate(_VISIBLE), style=AFTER),
        )
    return table


@contextmanager
def progress_bars() -> Iterator[None]:
    """Show a bar for each stage that tells of its progress inside the block; on a terminal only."""
    columns = (
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("{task.description:<9}"),
        BarColumn(bar_width=32),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    if not err.is_terminal or speaks_json():
        yield
        return
    with Bars(*columns, console=err) as bars:
        shown: dict[str, TaskID] = {}

        def show(progress: Progress) -> None:
            if progress.stage not in shown:
                shown[progress.stage] = bars.add_task(progress.stage, total=None)
            bars.update(shown[progress.stage], completed=progress.done, total=progress.total)

        with listening(show):
            yield


def commands(*lines: tuple[str, str]) -> Text:
    """Return commands to try next, each below what it shows; long ones are not cut, so that they can be copied."""
    shown = Text()
    for command, what in lines:
        shown.append(f"  # {what}\n", style="dim").append(f"  {command}\n", style="bold cyan")
    return shown
