"""An HTML page in, a draft or a rejection out, whatever the page."""

import re
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.clean.decoding import decode
from tasks.clean.extract import clean
from tasks.documents import Draft, Hints, Precision, Reason, Rejection
from tests.pages.redraw import FOLDER, page_of

PARAGRAPH = "The ferry crossed four times on Saturday, twice with nobody on board but the captain and his dog. "
ARTICLE = (
    f"<article><h1>Ferry keeps its timetable</h1><p>{PARAGRAPH * 3}</p><p>{PARAGRAPH * 2}Nobody minded.</p></article>"
)
ODD_JSON_LD = '<script type="application/ld+json">{"@type":"NewsArticle","author":[1,null,{"name":["x"]}]}</script>'
FRAGMENTS = st.sampled_from(
    [
        "<p>",
        "</p>",
        "<div class=comment>",
        "</div>",
        "<article>",
        "<h1>",
        "</h1>",
        "<b>",
        "<i>",
        "</b>",
        "<table><tr><td>",
        "<br>",
        "<br><br>",
        "<ul><li>",
        "<script>",
        "</script>",
        "<!--",
        "-->",
        "<a href='/x'>",
        "</a>",
        "<figure>",
        "<figcaption>",
        "&nbsp;",
        "&#0;",
        "&#xD800;",
        "\x00",
        "\x1b",
        "\ud800",
        "<time datetime='2024-02-30'>",
        "<meta property='og:title' content='Ferry'>",
        PARAGRAPH,
        ODD_JSON_LD,
    ]
)
HTML = st.lists(FRAGMENTS | st.text(max_size=30), max_size=40).map("".join)


def draft_of(html: str, hints: Hints | None = None) -> Draft:
    page = page_of(b"", "https://ferry.example/2024/news")
    answer = clean(replace(page, hints=hints or Hints()), html)
    assert isinstance(answer, Draft), answer
    return answer


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


@given(HTML)
def test_any_page_is_answered(html: str) -> None:
    assert isinstance(clean(page_of(b""), html), Draft | Rejection)


@given(HTML)
def test_text_holds_no_controls_and_no_surrogates(html: str) -> None:
    draft = draft_of(ARTICLE + html + ARTICLE)
    for value in (draft.title, draft.summary or "", *draft.authors, *draft.text.split("\n\n")):
        assert not [character for character in value if unicodedata.category(character) in ("Cc", "Cs")]
        assert value == " ".join(value.split())


@given(
    st.lists(
        st.sampled_from([PARAGRAPH, "<b>Rain</b> fell.", "<i>So</i>le", "<br><br>", "Zürich &amp; Genève"]), max_size=8
    )
)
def test_every_word_stands_in_the_page(parts: list[str]) -> None:
    html = f"<article><h1>Ferry</h1>{''.join(f'<p>{part}</p>' for part in parts)}<p>{PARAGRAPH}</p></article>"
    seen = re.sub(r"<br>|</?(?:p|h1|article)>", " ", html).replace("&amp;", "&")
    assert words(draft_of(html).text) <= words(re.sub(r"<[^>]*>", "", seen))


@pytest.mark.parametrize("name", ["json-ld-graph", "split-by-adverts", "tables-lists-quotes", "japanese"])
def test_cleaning_again_gives_the_same(name: str) -> None:
    html = decode((FOLDER / f"{name}.html").read_bytes(), "text/html").text
    first = draft_of(html)
    paragraphs = "".join(f"<p>{paragraph}</p>" for paragraph in first.text.split("\n\n"))
    again = draft_of(f"<article><h1>{first.title}</h1>{paragraphs}</article>")
    assert again.text == first.text


def test_hints_fill_what_the_page_does_not_say() -> None:
    published_at = datetime(2024, 2, 26, 9, tzinfo=UTC)
    html = f"<div><p>{PARAGRAPH * 4}</p></div>"
    draft = draft_of(html, Hints(title="Ferry", authors=("Ana Ruiz",), published_at=published_at, language="en"))
    assert (draft.title, draft.authors, draft.published_at) == ("Ferry", ("Ana Ruiz",), published_at)
    assert (draft.published_source, draft.published_precision, draft.language_declared) == (
        "feed",
        Precision.INSTANT,
        "en",
    )


def test_the_page_has_the_first_word_over_hints() -> None:
    head = '<meta property="article:published_time" content="2024-02-20T08:00:00Z"><meta name=author content="Tom Lee">'
    hints = Hints(title="Feed title", authors=("Feed",), published_at=datetime(2024, 2, 26, tzinfo=UTC))
    draft = draft_of(head + ARTICLE, hints)
    assert (draft.title, draft.authors, draft.published_source) == ("Ferry keeps its timetable", ("Tom Lee",), "meta")


@pytest.mark.parametrize("written", ["1601-01-01", "2024-03-03", "0000-00-00", "+275760-09-13", "32/13/2024"])
def test_absurd_dates_are_nobodys_date(written: str) -> None:
    draft = draft_of(f'<meta property="article:published_time" content="{written}">{ARTICLE}')
    assert (draft.published_at, draft.published_precision, draft.published_source) == (None, None, None)


@pytest.mark.parametrize("reference", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "http://[", ""])
def test_canonical_address_is_an_address(reference: str) -> None:
    assert draft_of(f'<link rel="canonical" href="{reference}">{ARTICLE}').canonical_url is None


def test_no_surrogate_hides_in_an_address() -> None:
    linked = r'{"@type": "Article", "headline": "x", "url": "/a\ud800", "image": "/b\u0000"}'
    draft = draft_of(f'<script type="application/ld+json">{linked}</script>{ARTICLE}')
    assert (draft.canonical_url, draft.lead_image) == ("https://ferry.example/a", "https://ferry.example/b")


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 100_000 + "x",
        "<ul><li>" * 20_000,
        "<p " + " ".join(f"a{number}" for number in range(60_000)) + ">x</p>",
        "<p>a</p>" * 100_000,
        "".join(f"<b a={number}>" for number in range(1_500)) + "<p>x" * 1_500,
        " " * 10_000_000,
        "<" * 1_000_000,
    ],
    ids=["nested", "lists", "attributes", "paragraphs", "formatting", "size", "brackets"],
)
def test_hostile_html_reaches_no_parser(html: str) -> None:
    answer = clean(page_of(b""), "<body>" + html)
    assert isinstance(answer, Rejection)
    assert answer.reason is Reason.HOSTILE_HTML
    assert answer.detail


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 3_000,
        "<h1>Ferry keeps its timetable</h1>" * 5_000,
        "<p>&nbsp;</p>" * 11_000,
        "<script>" + "[" * 100_000,
        '<script type="application/ld+json">' + "[" * 50_000 + "</script>",
        "<title>" + " - " * 100_000 + "</title>",
        "<b><p>1<i>2</b>3</p>4</i>" * 2_000,
        f'<meta name=author content="{"A B, " * 50_000}">',
        "<!--" * 11_000,
    ],
    ids=["nested", "headlines", "blanks", "script", "json-ld", "title", "misnested", "authors", "comments"],
)
def test_strange_but_bounded_html_is_cleaned(html: str) -> None:
    assert "The ferry crossed four times" in draft_of(ARTICLE + html).text


@pytest.mark.parametrize("html", ["", " \n\t", "<!doctype html>", "\x00" * 4_096, "<body><script>x</script></body>"])
def test_a_page_without_text_is_empty(html: str) -> None:
    answer = clean(page_of(b""), html)
    assert isinstance(answer, Rejection)
    assert answer.reason is Reason.EMPTY


@pytest.mark.parametrize("html", ['{"article": "text"}', "%PDF-1.7\n1 0 obj<<>>endobj"])
def test_what_is_not_html_is_said_to_be_so(html: str) -> None:
    answer = clean(page_of(b""), html)
    assert isinstance(answer, Rejection)
    assert answer.reason is Reason.NOT_HTML


def test_an_article_about_errors_is_an_article() -> None:
    title = "Why 404 not found became a joke"
    html = f"<title>{title}</title><article><h1>{title}</h1><p>{PARAGRAPH * 15}</p></article>"
    assert draft_of(html).title == title
