"""Edits of a text: made, composed over several passes, found again from the other side, taken back."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from tasks.documents import Action, Artifact


@dataclass(frozen=True, slots=True)
class Edit:
    """A stretch of a text and what stands there afterwards; `rule` is the id of the rule that asked for it.

    A list of edits is sorted and never overlaps.
    """

    start: int
    end: int
    after: str
    rule: str


@dataclass(frozen=True, slots=True)
class Placed:
    """An edit with the place where its outcome stands in the text it made."""

    edit: Edit
    start: int
    end: int


def apply(text: str, edits: Iterable[Edit]) -> str:
    """Return the text with the edits made.

    >>> apply("a ,b", [Edit(1, 3, ", ", "space-before-mark")])
    'a, b'
    """
    parts: list[str] = []
    position = 0
    for edit in edits:
        parts += text[position : edit.start], edit.after
        position = edit.end
    parts.append(text[position:])
    return "".join(parts)


def place(edits: Iterable[Edit]) -> list[Placed]:
    """Return the edits with the places of their outcomes.

    >>> [(placed.start, placed.end) for placed in place([Edit(1, 3, "", "x"), Edit(5, 6, "ab", "y")])]
    [(1, 1), (3, 5)]
    """
    placed: list[Placed] = []
    shift = 0
    for edit in edits:
        start = edit.start + shift
        placed.append(Placed(edit, start, start + len(edit.after)))
        shift += len(edit.after) - (edit.end - edit.start)
    return placed


def compose(between: str, first: Sequence[Edit], second: Sequence[Edit]) -> list[Edit]:
    """Return one list of edits that does what `first` and then `second` do; `between` is the text after `first`.

    Edits of the second pass that touch what the first one wrote melt into it, under the rule of the first.

    >>> compose("a&nbsp;b", [Edit(1, 6, "&", "entity")], [Edit(1, 7, " ", "entity")])
    [Edit(start=1, end=11, after=' ', rule='entity')]
    """
    composed: list[Edit] = []
    shift = 0
    for earlier, later in _clusters(place(first), second):
        touched: list[Placed | Edit] = [*earlier, *later]
        start, end = min(each.start for each in touched), max(each.end for each in touched)
        grown = sum(len(placed.edit.after) - (placed.edit.end - placed.edit.start) for placed in earlier)
        moved = [replace(edit, start=edit.start - start, end=edit.end - start) for edit in later]
        rule = earlier[0].edit.rule if earlier else later[0].rule
        composed.append(Edit(start - shift, end - shift - grown, apply(between[start:end], moved), rule))
        shift += grown
    return composed


def _clusters(first: Iterable[Placed], second: Iterable[Edit]) -> Iterator[tuple[list[Placed], list[Edit]]]:
    """Group what the two passes wrote where they touch each other, by its place in the text between them."""
    earlier: list[Placed] = []
    later: list[Edit] = []
    reach = -1
    previous: type[Placed | Edit] | None = None
    both: list[Placed | Edit] = [*first, *second]
    for item in sorted(both, key=lambda item: (item.start, item.end)):
        apart = item.start > reach or (item.start == reach and type(item) is previous)
        if apart and previous:
            yield earlier, later
            earlier, later = [], []
        if isinstance(item, Placed):
            earlier.append(item)
        else:
            later.append(item)
        reach, previous = max(reach, item.end), type(item)
    if previous:
        yield earlier, later


def origin(edits: Sequence[Placed], start: int, end: int) -> tuple[int, int]:
    """Return the stretch of the text before mending that a stretch of the mended text came from.

    >>> origin(place([Edit(1, 3, "", "x")]), 4, 6)
    (6, 8)
    """
    first = next((placed for placed in reversed(edits) if placed.start <= start), None)
    if first:
        start = first.edit.start if start < first.end else start + first.edit.end - first.end
    last = next((placed for placed in reversed(edits) if placed.start < end), None)
    if last:
        end = last.edit.end if end <= last.end else end + last.edit.end - last.end
    return start, end


def follow(
    spans: Sequence[tuple[int, int]], artifacts: Iterable[Artifact], field: str = "text"
) -> list[tuple[int, int]]:
    """Return where stretches of a field before mending stand in the field as stored.

    The stretches are sorted and never overlap, and neither do those returned: what an edit wrote over the border of two
    belongs to the first. One that was taken out whole is empty.

    >>> comma = Artifact(field="text", rule="space-before-mark", category="punctuation", action=Action.MENDED,
    ...                  start=2, before=" ,", start_in_text=2, after=",", confidence=0.9)
    >>> follow([(0, 6), (8, 12)], [comma])
    [(0, 5), (7, 11)]
    """
    mended = sorted(
        (artifact.start, artifact.start + len(artifact.before), artifact.start_in_text, len(artifact.after or ""))
        for artifact in artifacts
        if artifact.field == field and artifact.action is Action.MENDED
    )
    starts = [edit[0] for edit in mended]

    def moved(offset: int, *, is_end: bool) -> int:
        # At the end of a stretch, an insertion is still a part of it; what replaces the characters behind it is not.
        last = bisect_right(starts, offset) - 1
        while last >= 0 and mended[last][0] == offset and not (is_end and mended[last][1] == offset):
            last -= 1
        if last < 0:
            return offset
        _, end, start_in_text, length = mended[last]
        return start_in_text + length + max(0, offset - end)

    return [(moved(start, is_end=False), moved(end, is_end=True)) for start, end in spans]


def undo(stored: str, artifacts: Iterable[Artifact], field: str = "text") -> str:
    """Return a field as it was before mending, to the character.

    >>> space = Artifact(field="text", rule="space-before-mark", category="punctuation", action=Action.MENDED,
    ...                  start=9, before=" ,", start_in_text=9, after=",", confidence=0.9)
    >>> undo("“It rain”, she said.", [space])
    '“It rain” , she said.'
    """
    mended = [artifact for artifact in artifacts if artifact.field == field and artifact.action is Action.MENDED]
    back = [
        Edit(artifact.start_in_text, artifact.start_in_text + len(artifact.after or ""), artifact.before, artifact.rule)
        for artifact in sorted(mended, key=lambda artifact: artifact.start)
    ]
    return apply(stored, back)
