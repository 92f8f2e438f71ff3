"""Blocks and live entries are found again in the mended text."""

from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tasks.artifacts.edits import Edit, apply, follow, place
from tasks.artifacts.mend import Mode, mend
from tasks.clean.blocks import Block, placed, text_of_blocks
from tasks.documents import Action, Artifact, BlockKind, Draft, Extraction, LiveEntry
from tasks.layout import Layout, lay_out
from tests.artifacts.test_edits import edits_of

RESIDUE = st.sampled_from(
    [
        "It rained , he said .",
        "“The dam will hold” , did she declare.",
        "Prices rose by 3,5% &amp;nbsp;in a year.",
        "He went to the the wall.",
        "Translated from French by DeepL",
        "A sentence like any other.",
        "x",
        " ,",
    ]
)


def draft_of(*parts: tuple[BlockKind, str]) -> Draft:
    blocks = [Block(kind, text) for kind, text in parts]
    return Draft(
        title="",
        text=text_of_blocks(blocks),
        blocks=placed(blocks),
        extraction=Extraction(strategy="test", confidence=1.0),
    )


def laid_out(draft: Draft) -> tuple[Layout, str]:
    mended = mend(title="", summary=None, text=draft.text, language="en", mode=Mode.ALL)
    return lay_out(draft, mended), mended.text


@given(st.lists(st.tuples(st.sampled_from(BlockKind), RESIDUE), max_size=8))
def test_blocks_hold_all_of_the_mended_text_in_order(parts: list[tuple[BlockKind, str]]) -> None:
    layout, text = laid_out(draft_of(*parts))
    shown = [text[block.start : block.end] for block in layout.blocks]
    assert all(part and part == part.strip() for part in shown)
    assert all(left.end <= right.start for left, right in pairwise(layout.blocks))
    assert "".join("".join(shown).split()) == "".join(text.split())


def test_blocks_move_with_what_was_mended_before_them() -> None:
    layout, text = laid_out(
        draft_of(
            (BlockKind.STANDFIRST, "It rained , he said ."),
            (BlockKind.HEADING, "Prices rose by 3,5% in a year."),
            (BlockKind.PARAGRAPH, "He went to the the wall."),
        )
    )
    assert [(block.kind.value, text[block.start : block.end]) for block in layout.blocks] == [
        ("standfirst", "It rained, he said."),
        ("heading", "Prices rose by 3.5% in a year."),
        ("paragraph", "He went to the wall."),
    ]
    assert layout.standfirst == "It rained, he said."


def test_block_that_was_taken_out_is_gone() -> None:
    parts = [(BlockKind.PARAGRAPH, "Translated from French by DeepL"), (BlockKind.QUOTE, "He went to the wall.")]
    layout, text = laid_out(draft_of(*parts))
    assert text == "He went to the wall."
    assert [(block.kind, block.start, block.end) for block in layout.blocks] == [(BlockKind.QUOTE, 0, len(text))]


def test_live_entries_move_too() -> None:
    draft = draft_of(
        (BlockKind.HEADING, "It rained , he said ."), (BlockKind.PARAGRAPH, "Dry ."), (BlockKind.PARAGRAPH, "Wet .")
    )
    posted = datetime(2024, 2, 25, 18, tzinfo=UTC)
    entry = LiveEntry(published_at=posted, start=draft.blocks[1].start, end=draft.blocks[2].end)
    mended = mend(title="", summary=None, text=draft.text, language="en", mode=Mode.ALL)
    assert mended.text != draft.text
    (moved,) = lay_out(
        Draft(title="", text=draft.text, blocks=draft.blocks, live_entries=(entry,), extraction=draft.extraction),
        mended,
    ).live_entries
    assert mended.text[moved.start : moved.end] == "Dry.\n\nWet."
    assert moved.published_at == posted


@given(st.data(), st.text(alphabet="abc", max_size=20))
def test_stretches_that_no_edit_touches_stay_as_they_are(data: st.DataObject, text: str) -> None:
    edits: list[Edit] = data.draw(edits_of(len(text)))
    stored = apply(text, edits)
    artifacts = [
        Artifact(
            field="text",
            rule=each.edit.rule,
            category="test",
            action=Action.MENDED,
            start=each.edit.start,
            before=text[each.edit.start : each.edit.end],
            start_in_text=each.start,
            after=each.edit.after,
            confidence=1.0,
        )
        for each in place(edits)
    ]
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8)))
    spans = list(zip(cuts[::2], cuts[1::2], strict=False))
    moved = follow(spans, artifacts)
    assert all(start <= end for start, end in moved)
    assert all(left[1] <= right[0] for left, right in pairwise(moved))
    for (start, end), (now, then) in zip(spans, moved, strict=True):
        if not any(edit.start <= end and start <= edit.end for edit in edits):
            assert stored[now:then] == text[start:end]
