"""What the terminal shows of a mending: the sentence chosen, before and after, and the diff of a text."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from flows.console import diff, mended_sentence
from flows.showcase import LONGEST, telling_sentence
from tasks.artifacts.mend import Mode, mend
from tasks.artifacts.rulebook import RULEBOOK
from tasks.documents import Action

PRINTED = st.characters(exclude_categories=["Cc", "Cs"])  # rich keeps control characters from the terminal
EXAMPLES = sorted(example for rule in RULEBOOK for example in rule.mends)


def table(*texts: str, language: str = "en") -> pa.Table:
    """Return articles as the dataset holds them, mended as boldly as can be."""
    rows = []
    for number, text in enumerate(texts):
        mended = mend(title="", summary=None, text=text, language="en", mode=Mode.ALL)
        artifacts = [
            {
                "field": each.field,
                "rule": each.rule,
                "action": str(each.action),
                "start": each.start,
                "before": each.before,
                "start_in_text": each.start_in_text,
                "after": each.after,
            }
            for each in mended.artifacts
        ]
        rows.append({"title": f"Article {number}", "language": language, "text": mended.text, "artifacts": artifacts})
    return pa.Table.from_pylist(rows)


def test_the_sentence_with_most_kinds_of_residue_is_chosen() -> None:
    plain = "Nothing is wrong here. “It will hold” , did he declare. The end."
    rich = "All is well. Orders rose by 6,4 % last year and the mayor said “It will hold” , did he declare. The end."
    chosen = telling_sentence(table(plain, rich))
    assert chosen is not None
    assert chosen.title == "Article 1"
    assert "6,4 %" in chosen.before
    assert "6.4%" in chosen.text
    assert "All is well" not in chosen.text


def test_an_english_sentence_is_chosen_where_there_is_one() -> None:
    plain, rich = table("A rise of 3,5 % was seen."), table("“It will hold” , did she declare. The end.", language="fr")
    chosen = telling_sentence(pa.concat_tables([rich, plain]))
    assert chosen is not None
    assert chosen.text == "A rise of 3.5% was seen."
    assert telling_sentence(rich) is not None


def test_nothing_mended_is_nothing_to_show() -> None:
    assert telling_sentence(table("All is well.")) is None


@given(st.lists(st.sampled_from(EXAMPLES), min_size=1, max_size=4))
def test_before_is_what_was_there(examples: list[str]) -> None:
    text = "\n\n".join(examples)
    chosen = telling_sentence(table(text))
    if chosen is not None:
        assert chosen.before in text
        assert len(chosen.text) <= LONGEST
        assert mended_sentence(chosen).row_count == 3


@given(st.lists(st.one_of(st.sampled_from(EXAMPLES), st.text(PRINTED, max_size=40)), max_size=4))
def test_a_diff_shows_every_character_before_and_after(pieces: list[str]) -> None:
    text = " ".join(pieces)
    mended = mend(title="", summary=None, text=text, language="en", mode=Mode.ALL)
    shown = diff(mended.text, mended.artifacts)
    removed = sum(len(each.before) for each in mended.artifacts if each.action is Action.MENDED)
    signs = 4 * len(shown.spans)  # two before and two after each piece, where there is no colour
    assert len(shown.plain) == len(mended.text) + removed + signs


def test_a_diff_without_colour_can_be_read() -> None:
    mended = mend(title="", summary=None, text="A rise of 3,5 % was seen.", language="en", mode=Mode.ALL)
    assert diff(mended.text, mended.artifacts).plain == "A rise of [-3,5 -]{+3.5+}% was seen."
