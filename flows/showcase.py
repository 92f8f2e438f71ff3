"""One sentence before and after its mending: the shortest way to say what copydesk does."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Final

import pyarrow as pa

from tasks.documents import Action

LONGEST: Final = 240  # characters that fit three lines of a terminal
_SENTENCE_END: Final = re.compile(r"(?<=[.!?])[”’»\"']?\s+(?=[\w“‘«\"'])|\n+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A mended place in a sentence as stored."""

    start: int
    before: str
    after: str
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MendedSentence:
    """A sentence as stored, and what was mended in it."""

    text: str
    changes: tuple[Change, ...]
    title: str

    @property
    def before(self) -> str:
        """The sentence as it was."""
        parts, position = [], 0
        for change in self.changes:
            parts += [self.text[position : change.start], change.before]
            position = change.start + len(change.after)
        return "".join([*parts, self.text[position:]])


def telling_sentence(articles: pa.Table) -> MendedSentence | None:
    """Return the sentence in which most kinds of residue, then most characters, were mended; an English one if any."""
    rows = articles.select(["title", "language", "text", "artifacts"]).to_pylist()
    english = [row for row in rows if row["language"] == "en"]
    return _most_telling(english) or _most_telling(rows)


def _most_telling(rows: Iterable[dict[str, Any]]) -> MendedSentence | None:
    sentences = (sentence for row in rows for sentence in _sentences(row["title"], row["text"], row["artifacts"]))
    return max(sentences, key=_rank, default=None)


def _rank(sentence: MendedSentence) -> tuple[int, int, int, str]:
    mended = sum(len(change.before) for change in sentence.changes)
    return len({change.rule for change in sentence.changes}), mended, -len(sentence.text), sentence.text


def _sentences(title: str, text: str, artifacts: Iterable[dict[str, object]]) -> Iterator[MendedSentence]:
    changes = [
        Change(start=each["start_in_text"], before=each["before"], after=each["after"], rule=each["rule"])  # type: ignore[arg-type]
        for each in artifacts
        if each["field"] == "text" and each["action"] == Action.MENDED
    ]
    if not changes:
        return
    starts = [0, *(match.end() for match in _SENTENCE_END.finditer(text))]
    for number, inside in groupby(changes, key=lambda change: bisect_right(starts, change.start) - 1):
        start = starts[number]
        sentence = text[start : starts[number + 1] if number + 1 < len(starts) else None].rstrip()
        kept = tuple(
            replace(change, start=change.start - start)
            for change in inside
            if change.start + len(change.after) <= start + len(sentence)
        )
        if kept and len(sentence) <= LONGEST and not any("\n" in change.before for change in kept):
            yield MendedSentence(text=sentence, changes=kept, title=title)
