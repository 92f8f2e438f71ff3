"""`copydesk mend DIR`: the rule book on a folder of texts, mirrored into another one, with an account of it all."""

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from rich.table import Table

from flows.console import err
from flows.mending import TextError, detected, read_text
from tasks.artifacts.mend import Mended, Mode, mend
from tasks.documents import Action


def mend_folder(folder: Path, out: Path | None, *, language: str | None, mode: str, as_json: bool) -> None:
    """Mend the .txt files below a folder into `out`, each at its own place; with `as_json`, a line for each file."""
    if out is None and not as_json:
        raise TextError(f"{folder} is a folder: say where its mended texts go with --out DIR, or ask for --json.")
    if out is not None and out.resolve().is_relative_to(folder.resolve()):
        raise TextError(f"{out} is inside {folder}, whose texts are kept as they are. Choose a folder beside it.")
    texts = sorted(path for path in folder.rglob("*.txt") if path.is_file())
    if not texts:
        raise TextError(f"{folder}: there are no .txt files in it.")
    summary = _Summary()
    for path, spoken, mended in _mended(texts, language, mode, summary):
        place = path.relative_to(folder)
        if out is not None:
            (out / place).parent.mkdir(parents=True, exist_ok=True)
            (out / place).write_bytes(mended.text.encode("utf-8"))
        if as_json:
            sys.stdout.write(json.dumps(_account(place, spoken, mended), ensure_ascii=False) + "\n")
    summary.show()


class _Summary:
    """How often each rule acted, over all files."""

    def __init__(self) -> None:
        self.files = 0
        self.unreadable: list[str] = []
        self.counts: Counter[tuple[str, Action]] = Counter()
        self.documents: dict[str, int] = defaultdict(int)

    def add(self, mended: Mended) -> None:
        self.files += 1
        self.counts.update((artifact.rule, artifact.action) for artifact in mended.artifacts)
        for rule in {artifact.rule for artifact in mended.artifacts}:
            self.documents[rule] += 1

    def show(self) -> None:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for name in ("rule", "mended", "reported", "files"):
            table.add_column(name, justify="left" if name == "rule" else "right")
        for rule in sorted(self.documents, key=lambda rule: (-self.documents[rule], rule)):
            mended, reported = (self.counts[rule, action] for action in (Action.MENDED, Action.REPORTED))
            table.add_row(rule, f"{mended:,}", f"{reported:,}", f"{self.documents[rule]:,}")
        if self.documents:
            err.print(table)
        total = Counter(action for rule, action in self.counts.elements())
        err.print(f"{self.files:,} files: {total[Action.MENDED]:,} mended, {total[Action.REPORTED]:,} reported.")
        for sentence in self.unreadable:
            err.print(f"left out: {sentence}", style="yellow", soft_wrap=True)


def _mended(
    texts: list[Path], language: str | None, mode: str, summary: _Summary
) -> Iterator[tuple[Path, str, Mended]]:
    """Yield each text mended; one that cannot be read is named in the summary and holds up no other."""
    for path in texts:
        try:
            text = read_text(str(path))
        except TextError as error:
            summary.unreadable.append(str(error))
            continue
        spoken = language or detected(text)
        mended = mend(title="", summary=None, text=text, language=spoken, mode=Mode(mode))
        summary.add(mended)
        yield path, spoken, mended


def _account(place: Path, language: str, mended: Mended) -> dict[str, object]:
    return {
        "file": place.as_posix(),
        "language": language,
        "artifacts": [asdict(artifact) for artifact in mended.artifacts],
        "evidence": asdict(mended.evidence),
    }
