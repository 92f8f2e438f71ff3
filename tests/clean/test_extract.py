"""An HTML page in, a draft or a rejection out, whatever the page."""

import re
import unicodedata
from cProfile import Profile
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.clean.decoding import decode
from tasks.clean.extract import clean
from tasks.clean.nodes import Tree
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


NOTICE = "We and our partners keep small files on your device to measure how these pages are used and by whom. "
# Less than two fifths of the text: what holds more is believed to be part of it.
BOXES = st.lists(
    st.sampled_from(
        [
            "<aside><p>More from the sea: a baker, a diver and a keeper of the light tell their stories.</p></aside>",
            "<div><h3>Related stories</h3><p>What the harbour costs, and who pays for it in the end.</p></div>",
            "<div class='newsletter'><p>All that happens at sea, each Friday in your letter box.</p></div>",
            "<p hidden>Nobody can see this paragraph, however long it is.</p>",
            "<div class='share-bar'><a href='#'>Share this with a friend</a></div>",
        ]
    ),
    max_size=4,
)
SENTENCES = st.lists(st.integers(1, 9), min_size=6, max_size=9, unique=True).map(
    lambda days: [
        f"On day {day} the ferry crossed four times, with {day + 20} on board and the sea calm." for day in days
    ]
)


def with_boxes(sentences: list[str], boxes: list[str]) -> str:
    """Return paragraphs with a box after each of the first."""
    paired = zip(sentences, [*boxes, *[""] * len(sentences)], strict=False)
    return "".join(f"<p>{sentence}</p>{box}" for sentence, box in paired)


@given(SENTENCES, BOXES)
def test_boxes_between_paragraphs_change_nothing(sentences: list[str], boxes: list[str]) -> None:
    html = f"<h1>The ferry crossed</h1><div class='x'>{with_boxes(sentences, boxes)}</div>"
    assert draft_of(html).text == "\n\n".join(sentences)


@pytest.mark.parametrize("name", [path.stem for path in sorted(FOLDER.glob("*.html"))])
def test_writing_the_tree_anew_changes_nothing(name: str) -> None:
    body = (FOLDER / f"{name}.html").read_bytes()
    html = decode(body, "text/html").text
    first, again = clean(page_of(body), html), clean(page_of(body), Tree(html).html or "")
    if isinstance(first, Draft):
        assert isinstance(again, Draft)
        assert (again.title, again.text, again.extraction) == (first.title, first.text, first.extraction)
    else:
        assert isinstance(again, Rejection)
        assert again.reason is first.reason


@pytest.mark.parametrize(
    "wrap",
    [
        "<form>{}</form>",
        "<table><tr><td>{}</td></tr></table>",
        "<div><div><div>{}</div></div></div>",
        "<article>{}</article>",
        "<div class='comments-enabled widget-area'>{}</div>",
        "<div style='display: none'>{}</div>",
        "<nav>{}</nav>",
        "<noscript>{}</noscript>",
        "<template shadowrootmode='open'>{}</template>",
        "<div>" * 300 + "{}" + "</div>" * 300,
    ],
    ids=lambda wrap: wrap[:24],
)
def test_a_wrapper_around_the_page_changes_nothing(wrap: str) -> None:
    paragraphs = "".join(f"<p>{number}. {PARAGRAPH}</p>" for number in range(5))
    body = f"<h1>Ferry keeps its timetable</h1><div>{paragraphs}</div>"
    assert draft_of(wrap.format(body)).text == draft_of(body).text


@pytest.mark.parametrize("before", [True, False], ids=["above", "below"])
def test_a_longer_text_on_another_subject_is_not_taken(before: bool) -> None:
    notice = f"<div><div>{''.join(f'<p>{NOTICE} Purpose {number}.</p>' for number in range(12))}</div></div>"
    story = f"<div><h1>Ferry keeps its timetable</h1><div><p>{PARAGRAPH * 3}</p><p>The timetable stays.</p></div></div>"
    draft = draft_of(notice + story if before else story + notice)
    assert "The timetable stays." in draft.text
    assert "partners" not in draft.text


def test_a_link_keeps_its_place_in_a_sentence_whatever_it_is_called() -> None:
    sentence = f"{PARAGRAPH}<a class='tag related-link' href='/tag/x'>Ines Dahl</a> steered it home."
    assert "Ines Dahl steered it home." in draft_of(f"<article><h1>Ferry</h1><p>{sentence}</p></article>").text


@pytest.mark.parametrize("tag", ["div", "section", "blockquote", "li", "ul", "b"])
def test_tags_that_are_never_closed_lose_no_paragraph(tag: str) -> None:
    opened = "".join(f"<{tag}><p>{number}. {PARAGRAPH}</p>" for number in range(150 if tag == "b" else 900))
    assert f"{149 if tag == 'b' else 899}. The ferry" in draft_of(f"<h1>Ferry</h1>{opened}").text


def test_work_grows_with_the_page_and_no_faster() -> None:
    def calls(paragraphs: int) -> int:
        """Count the functions called while a page of so many paragraphs, each deep in its own wrappers, is cleaned."""
        wrapped = "".join("<div>" * 8 + f"<p>{number}. {PARAGRAPH}</p>" + "</div>" * 8 for number in range(paragraphs))
        html = f"<h1>Ferry keeps its timetable</h1><main>{wrapped}</main>"
        profile = Profile()
        profile.runcall(clean, page_of(b""), html)
        return sum(entry.callcount for entry in profile.getstats())

    clean(page_of(b""), ARTICLE)
    assert calls(400) < 2.5 * calls(200)


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
