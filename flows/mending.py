"""`copydesk mend` and `copydesk rules`: the rule book on one text, and the book itself."""

import difflib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.table import Table
from rich.text import Text

from flows.console import diff, err, out
from tasks.artifacts.mend import Mode, mend
from tasks.artifacts.rule import Rule
from tasks.artifacts.rulebook import RULEBOOK


class TextError(Exception):
    """The text cannot be read."""


class UnknownRuleError(Exception):
    """No rule has this id."""


def mend_text(file: str, *, language: str | None, mode: str, show_diff: bool, as_json: bool) -> None:
    """Print a text mended; with what was done, as a diff or as JSON, where asked."""
    text = read_text(file)
    spoken = language or detected(text)
    mended = mend(title="", summary=None, text=text, language=spoken, mode=Mode(mode))
    if as_json:
        found = {
            "language": spoken,
            "text": mended.text,
            "artifacts": [asdict(artifact) for artifact in mended.artifacts],
            "evidence": asdict(mended.evidence),
        }
        sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=2) + "\n")
    elif show_diff:
        out.print(diff(mended.text, mended.artifacts), soft_wrap=True, end="" if mended.text.endswith("\n") else "\n")
    else:
        sys.stdout.write(mended.text)
    if show_diff or (not as_json and err.is_terminal):
        count = sum(artifact.after is not None for artifact in mended.artifacts)
        gate = mended.evidence.gate or "shut"
        err.print(f"{spoken}: {count} mended, {len(mended.artifacts) - count} reported; gate {gate}.", style="dim")


def detected(text: str) -> str:
    """Return the tag of a text's language, as the settings here would have it detected."""
    from flows.settings import Settings  # loaded only where the language is not given
    from tasks.language import detect_language

    return detect_language(text, prior=Settings.load().languages).tag


def read_text(file: str) -> str:
    """Return a file's text, or that of standard input for `-`."""
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise TextError(f"{file}: cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise TextError(f"{file}: this is not UTF-8 text. For a saved page use: copydesk inspect {file}") from None


def show_rules(id_: str | None, data: str | None) -> None:
    """Print the rule book, a line a rule, or one rule with the examples that are its tests; how often each acted."""
    acted = _acted(data)
    if id_ is None:
        out.print(_book(acted))
        return
    rule = next((rule for rule in RULEBOOK if rule.id == id_), None)
    if rule is None:
        close = difflib.get_close_matches(id_, [rule.id for rule in RULEBOOK], n=3)
        raise UnknownRuleError(f"No rule is called {id_!r}. {_alternatives(close)}")
    _show_rule(rule)
    if acted is not None:
        mended, reported = acted.get(rule.id, (0, 0))
        out.print(f"\n[dim]in the dataset:[/dim] {mended:,} mended, {reported:,} reported")


def _acted(data: str | None) -> dict[str, tuple[int, int]] | None:
    """Return how often each rule mended and reported in a dataset; None where none is given and ./data is none."""
    folder = data or "data"
    if data is None and not Path(folder, "article_artifacts").is_dir():
        return None
    from storage import read  # DuckDB loads only where there is something to count

    with read.connect(folder) as connection:
        rows = connection.execute(
            "SELECT rule, count(*) FILTER (action = 'mended'), count(*) FILTER (action = 'reported') "
            "FROM article_artifacts GROUP BY rule"
        ).fetchall()
    return {rule: (mended, reported) for rule, mended, reported in rows}


def _book(acted: Mapping[str, tuple[int, int]] | None) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("rule", "acts", "category", "languages", "why"):
        table.add_column(name, overflow="fold")
    if acted is not None:
        table.add_column("mended", justify="right", no_wrap=True)
        table.add_column("reported", justify="right", no_wrap=True)
    for rule in RULEBOOK:
        languages = ", ".join(sorted(rule.languages or ())) or "any"
        counts = () if acted is None else tuple(f"{count:,}" if count else "" for count in acted.get(rule.id, (0, 0)))
        table.add_row(rule.id, str(rule.safety), str(rule.category), languages, rule.why, *counts)
    return table


def _alternatives(close: Sequence[str]) -> str:
    return f"Did you mean {', '.join(close)}?" if close else "`copydesk rules` lists them all."


def _show_rule(rule: Rule) -> None:
    out.print(f"[bold]{rule.id}[/bold]  {rule.safety}, {rule.category}, {rule.mechanism}")
    out.print(f"{rule.why}\n[dim]{rule.reference}[/dim]\n")
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    for before, after in rule.mends.items():
        table.add_row(Text("mends", style="dim"), Text(before, style="red"))
        table.add_row("", Text(after, style="green"))
    for text in rule.finds:
        table.add_row(Text("finds", style="dim"), Text(text, style="yellow"))
    for text in rule.keeps:
        table.add_row(Text("keeps", style="dim"), Text(text))
    out.print(table)
