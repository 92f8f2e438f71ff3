"""Edits compose over passes, are found again from the other side, and are taken back."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tasks.artifacts.edits import Edit, apply, compose, origin, place

AFTERS = st.text(alphabet="xyz", max_size=3)


@st.composite
def edits_of(draw: st.DrawFn, length: int) -> list[Edit]:
    """Draw sorted edits that do not overlap, no two at one place."""
    cuts = sorted(draw(st.sets(st.integers(0, length), max_size=8)))
    pairs = zip(cuts[::2], cuts[1::2], strict=False)
    return [Edit(start, end, draw(AFTERS), "rule") for start, end in pairs]


@given(st.data(), st.text(alphabet="abc", max_size=20))
def test_composed_edits_do_what_both_passes_did(data: st.DataObject, text: str) -> None:
    first = data.draw(edits_of(len(text)))
    between = apply(text, first)
    second = data.draw(edits_of(len(between)))
    composed = compose(between, first, second)
    assert apply(text, composed) == apply(between, second)
    assert all(left.end <= right.start for left, right in pairwise(composed))


@given(st.data(), st.text(alphabet="abc", min_size=1, max_size=20))
def test_what_was_not_edited_is_found_in_the_original(data: st.DataObject, text: str) -> None:
    edits = data.draw(edits_of(len(text)))
    mended, placed = apply(text, edits), place(edits)
    for at in range(len(mended)):
        start, end = origin(placed, at, at + 1)
        assert 0 <= start <= end <= len(text)
        if not any(each.start <= at < each.end for each in placed):
            assert text[start:end] == mended[at]
