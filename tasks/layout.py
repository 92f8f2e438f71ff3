"""Where an article's blocks and live entries stand once its text is mended."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tasks.artifacts.edits import follow
from tasks.artifacts.mend import Mended
from tasks.clean.blocks import BETWEEN
from tasks.documents import BlockKind, Draft, LiveEntry, TextBlock


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The parts of a text as stored, and the standfirst among them."""

    blocks: tuple[TextBlock, ...]
    live_entries: tuple[LiveEntry, ...]
    standfirst: str | None


def lay_out(draft: Draft, mended: Mended) -> Layout:
    """Find the parts of a draft's text in the mended text; what mending took out whole is left out."""
    places = _places([(block.start, block.end) for block in draft.blocks], mended)
    blocks = tuple(
        TextBlock(kind=block.kind, start=place[0], end=place[1])
        for block, place in zip(draft.blocks, places, strict=True)
        if place is not None
    )
    places = _places([(entry.start, entry.end) for entry in draft.live_entries], mended)
    entries = tuple(
        LiveEntry(published_at=entry.published_at, start=place[0], end=place[1])
        for entry, place in zip(draft.live_entries, places, strict=True)
        if place is not None
    )
    standfirst = BETWEEN.join(
        mended.text[block.start : block.end] for block in blocks if block.kind is BlockKind.STANDFIRST
    )
    return Layout(blocks=blocks, live_entries=entries, standfirst=standfirst or None)


def _places(spans: Sequence[tuple[int, int]], mended: Mended) -> Iterator[tuple[int, int] | None]:
    """Yield where stretches of the draft stand now, without white space around them; None where nothing is left."""
    for start, end in follow(spans, mended.artifacts):
        shown = mended.text[start:end]
        lead = len(shown) - len(shown.lstrip())
        yield (start + lead, start + len(shown.rstrip())) if shown.strip() else None
