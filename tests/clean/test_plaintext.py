"""Text documents: headers where they are credible, text everywhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.clean.plaintext import read_document
from tasks.clean.whitespace import tidy
from tasks.documents import Draft, Precision, Reason, Rejection
from tests.pages.redraw import page_of

BODY = "Ferry keeps its timetable\n\nThe ferry crossed four times on Saturday.\n\nNobody minded."
TEXT = "The ferry crossed four times on Saturday.\n\nNobody minded."


def read(text: str) -> Draft:
    answer = read_document(page_of(b"", None), text)
    assert isinstance(answer, Draft), answer
    return answer


@pytest.mark.parametrize(
    "header", [" date 2024-02-26 ", "Date: 2024-02-26", "DATE: 26 February 2024", "date\t2024-02-26"]
)
def test_date_header(header: str) -> None:
    draft = read(f"{header}\n\n\n{BODY}")
    assert (draft.title, draft.text) == ("Ferry keeps its timetable", TEXT)
    assert f"{draft.published_at:%F}" == "2024-02-26"
    assert (draft.published_precision, draft.published_source) == (Precision.DAY, "text")


def test_all_headers() -> None:
    names = "title: Ferry\nauthor: Ana Ruiz and Tom Lee\nsource: The Courier\n"
    draft = read(f"{names}url: https://courier.example/f\nlanguage: pt_BR\n{TEXT}")
    assert (draft.title, draft.text, draft.authors) == ("Ferry", TEXT, ("Ana Ruiz", "Tom Lee"))
    assert (draft.site_name, draft.canonical_url, draft.language_declared) == (
        "The Courier",
        "https://courier.example/f",
        "pt-BR",
    )


@pytest.mark.parametrize(
    "line",
    [
        "Date palms are thirsty.",
        "Date 2024-02-26 was a Monday.",
        "Source protection is a right, says the court",
        "Author dies at ninety",
        "URL shorteners are back",
        "Language matters",
        "Title defence ends in tears",
        "Source: the river rises under a stone, two miles north of the mill, where nobody has ever lived or ever will.",
    ],
)
def test_a_first_line_that_is_text_is_the_title(line: str) -> None:
    assert read(f"{line}\n\n{TEXT}").title == line


def test_a_line_of_the_body_is_no_header() -> None:
    draft = read(f"{BODY}\n\ndate 2024-02-26")
    assert draft.published_at is None
    assert draft.text.endswith("date 2024-02-26")


@pytest.mark.parametrize("written", ["1601-01-01", "2031-01-01"])
def test_absurd_date_is_dropped(written: str) -> None:
    draft = read(f"date {written}\n\n{BODY}")
    assert (draft.title, draft.published_at, draft.published_source) == ("Ferry keeps its timetable", None, None)


@pytest.mark.parametrize("text", ["", " \n\n\t", "\x00\ud800", "date 2024-02-26\n"])
def test_nothing_to_read(text: str) -> None:
    answer = read_document(page_of(b"", None), text)
    assert isinstance(answer, Rejection)
    assert answer.reason is Reason.EMPTY


@given(
    st.lists(
        st.sampled_from(["date 2024-02-26", "title: x", "", "Text.", "url: http://[", "a\x00b", "\ud800"])
        | st.text(max_size=40)
    )
)
def test_any_document_is_answered_in_paragraphs(lines: list[str]) -> None:
    answer = read_document(page_of(b"", None), "\n".join(lines))
    if isinstance(answer, Draft):
        assert all(paragraph == tidy(paragraph) != "" for paragraph in answer.text.split("\n\n"))
