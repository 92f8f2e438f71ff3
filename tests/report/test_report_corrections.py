"""Corrections stand in their sentence, and a diff gives back both versions to the character."""

from types import SimpleNamespace

from bs4 import BeautifulSoup, Tag
from hypothesis import example, given
from hypothesis import strategies as st

from tasks.report.corrections import CONTEXT, Correction, corrected_articles, correction, diff, specimen
from tasks.report.glyphs import is_invisible, legible, reveal

SENTENCE = "“The bridge will hold”, the mayor insisted."
words = st.lists(st.sampled_from(["the", "mayor", " ", ",", "”", "\n", "\u00a0", "l’", "élu", "桥"])).map("".join)


def original_characters(markup: str) -> str:
    """Read markup back to text, glyphs taken back to what they stand for."""
    soup = BeautifulSoup(f"<p>{markup}</p>", "html.parser")
    for glyph in soup.find_all("abbr"):
        assert isinstance(glyph, Tag)
        glyph.replace_with(chr(int(str(glyph["data-code"]), 16)))
    return soup.get_text()


def side(found: Correction, kind: str) -> str:
    return "".join(piece.text for piece in found.pieces if piece.kind in ("same", kind))


@given(words | st.text(), words | st.text())
@example("de elle", "d’elle")
@example("", "")
def test_diff_gives_back_both_versions(before: str, after: str) -> None:
    pieces = diff(before, after)
    assert "".join(piece.text for piece in pieces if piece.kind != "come") == before
    assert "".join(piece.text for piece in pieces if piece.kind != "gone") == after
    assert all(piece.text for piece in pieces)


def test_diff_shows_unlike_versions_whole() -> None:
    assert [piece.kind for piece in diff("a dit le maire", "declared the mayor , le soir")] == ["gone", "come"]


@given(st.text())
@example("\u202e<b>\x00\ufffe\u3164&nbsp;  \r\n")
def test_reveal_keeps_every_character(text: str) -> None:
    assert original_characters(reveal(text)) == text
    assert original_characters(reveal(text, spaces=False)) == text


@given(st.text())
def test_nothing_invisible_is_left_unseen(text: str) -> None:
    soup = BeautifulSoup(reveal(text), "html.parser")
    for glyph in soup.find_all("abbr"):
        glyph.decompose()
    assert not any(is_invisible(character) for character in soup.get_text())


def test_spaces_are_shown_where_they_are_the_point() -> None:
    assert reveal(" ,").count("data-code") == 1
    assert reveal("the mayor").count("data-code") == 0
    assert reveal("the  mayor").count("data-code") == 2


def test_running_text_keeps_its_spaces_and_shows_controls() -> None:
    assert legible("dix\u00a0ans\n plus") == "dix\u00a0ans plus"
    assert 'data-code="202E"' in legible("a\u202eb")


def test_mended_stands_between_the_stored_words(paper: SimpleNamespace) -> None:
    found = correction(paper.artifact(SENTENCE, "” ,", "”,"), SENTENCE)
    assert (found.lead, found.tail) == ("“The bridge will hold", " the mayor insisted.")
    assert (side(found, "gone"), side(found, "come")) == ("” ,", "”,")
    assert found.is_mended
    assert not found.is_lead_cut


def test_reported_is_shown_as_it_stands(paper: SimpleNamespace) -> None:
    found = correction(paper.artifact(SENTENCE, "mayor", None), SENTENCE)
    assert not found.is_mended
    assert [(piece.kind, piece.text) for piece in found.pieces] == [("same", "mayor")]
    assert found.lead + "mayor" + found.tail == SENTENCE


def test_deletion_has_its_place(paper: SimpleNamespace) -> None:
    gone = paper.artifact(SENTENCE, "Yesterday. ", "", start_in_text=0)
    assert correction(gone, SENTENCE).tail == SENTENCE


def test_offsets_count_code_points(paper: SimpleNamespace) -> None:
    text = "\N{MATHEMATICAL BOLD CAPITAL A}\N{COMBINING ACUTE ACCENT} 桥, now."
    assert correction(paper.artifact(text, "桥 ,", "桥,"), text).tail == " now."


def test_stored_words_that_disagree_are_not_shown(paper: SimpleNamespace) -> None:
    found = correction(paper.artifact(SENTENCE, "” ,", "”,", start_in_text=3), SENTENCE)
    assert (found.lead, found.tail) == ("", "")
    assert correction(paper.artifact(SENTENCE, "” ,", "”,"), None).lead == ""


def test_context_is_whole_words_of_the_same_paragraph(paper: SimpleNamespace) -> None:
    text = "Elsewhere.\n\n" + "word " * 40 + "here, " + "word " * 40 + "\n\nElsewhere."
    found = correction(paper.artifact(text, "here ,", "here,"), text)
    assert found.is_lead_cut
    assert found.is_tail_cut
    assert max(len(found.lead), len(found.tail)) <= CONTEXT
    assert set((found.lead + found.tail).split()) == {"word"}


def test_context_without_spaces_is_cut_all_the_same(paper: SimpleNamespace) -> None:
    text = "桥" * 200 + "，" + "桥" * 200
    found = correction(paper.artifact(text, ",", "，"), text)
    assert len(found.tail) == CONTEXT


def test_newest_articles_come_first_and_findings_in_reading_order(paper: SimpleNamespace) -> None:
    late = paper.artifact(SENTENCE, "insisted", None)
    early = paper.artifact(SENTENCE, "” ,", "”,")
    title = paper.artifact("The harbour", "harbour", None, field="title")
    rows = [
        paper.article(
            article_id=name, title="The harbour", text=SENTENCE, artifacts=[late, early, title], published_at=day
        )
        for name, day in [("old", paper.morning.replace(day=1)), ("new", paper.morning), ("newer", paper.morning)]
    ]
    table = paper.articles(*rows, paper.article(article_id="clean"))
    found = list(corrected_articles(table, documents=2, per_document=2, in_all=9))
    assert [article.article_id for article in found] == ["new", "newer"]
    assert [entry.field for entry in found[0].corrections] == ["title", "text"]
    assert found[0].corrections[1].is_mended
    assert found[0].left_out == 1
    assert (
        sum(len(article.corrections) for article in corrected_articles(table, documents=9, per_document=9, in_all=4))
        == 4
    )


def test_specimen_prefers_words_replaced_in_a_sentence(paper: SimpleNamespace) -> None:
    text = SENTENCE + " The works cost little."
    findings = [
        paper.artifact(text, "” ,", "”,"),
        paper.artifact(text, "works costs", "works cost", rule="agreement"),
        paper.artifact(text, "little", None),
    ]
    table = paper.articles(paper.article(text=text, artifacts=findings))
    chosen = specimen(list(corrected_articles(table, documents=9, per_document=9, in_all=9)))
    assert chosen is not None
    assert chosen[1].rule == "agreement"
    assert specimen([]) is None
