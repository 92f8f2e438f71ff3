"""Who wrote an article: names cut from bylines, and the bylines that a page shows."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.clean.metadata.authors import find_authors
from tasks.clean.metadata.headline import find_headline
from tasks.clean.metadata.names import people, people_shown
from tasks.clean.metadata.sources import read_sources
from tasks.clean.nodes import Tree
from tasks.clean.whitespace import flat

URL = "https://courier.example/news/bridge"
TEXT = "<p>The river rose by two metres in nine hours, more than anybody had measured since 1974.</p>" * 3


def authors(html: str) -> list[str]:
    sources = read_sources(Tree(html), URL)
    return list(find_authors(sources, find_headline(sources)))


@pytest.mark.parametrize(
    ("byline", "names"),
    [
        ("VON KARL GROß UND LENA MÄRZ", ["KARL GROß", "LENA MÄRZ"]),
        ("Por Ana Ruiz y Tomás Lee", ["Ana Ruiz", "Tomás Lee"]),
        ("Text & Fotos: Ana Ruiz", ["Ana Ruiz"]),
        ("Text: Ana Ruiz, Fotos: Tom Lee", ["Ana Ruiz"]),
        ("Interview: Ana Ruiz", ["Ana Ruiz"]),
        ("Reporting by Ana Ruiz; Editing by Tom Lee", ["Ana Ruiz"]),
        ("Photos by Tom Lee", []),
        ("Ana Ruiz - Staff Writer", ["Ana Ruiz"]),
        ("Ana Ruiz in Madrid", ["Ana Ruiz"]),
        ("Alle Beiträge von Ana Ruiz", ["Ana Ruiz"]),
        ("Ana Ruiz @anaruiz ana@courier.example", ["Ana Ruiz"]),
        ("Ana Ruiz, AFP", ["Ana Ruiz"]),
        ("Analysis by Ana Ruiz, Courier Editor-at-large", ["Ana Ruiz"]),
        ("Ana Ruiz C.", ["Ana Ruiz C."]),
        ("Ana Ruiz.", ["Ana Ruiz"]),
        ("Ana Ruiz)", ["Ana Ruiz"]),
        ("ライトハウス ／", ["ライトハウス"]),
        ("Wednesday", []),
        ("Uppdaterad", []),
        ("AFP", ["AFP"]),
        ("Ursula von der Mühle", ["Ursula von der Mühle"]),
        ("Agenturen", []),
        ("wpadmin", []),
    ],
)
def test_byline(byline: str, names: list[str]) -> None:
    assert list(people([byline])) == names


def test_one_person_in_three_spellings_is_one() -> None:
    assert people(["José Ruiz", "Jose Ruiz", "JOSÉ RUIZ"]) == ("José Ruiz",)


def test_what_a_page_shows_must_read_like_a_name() -> None:
    shown = ["Bridge closes after storm", "Sports Desk Reporter", "Karl Groß", "dpa"]
    assert people_shown(shown) == ("Karl Groß", "dpa")


@pytest.mark.parametrize(
    "shown",
    [
        '<p><a rel=author href="/a/7">Ana Ruiz</a></p>',
        "<span itemprop=author>Ana Ruiz</span>",
        "<div class=article-byline><span>By</span> <a href='/ana'>Ana Ruiz</a></div>",
        "<dl><dt>von</dt><a href='/autoren/77/ana-ruiz'><dd>Ana Ruiz</dd></a></dl>",
        "<p>By Ana Ruiz</p>",
        # A day beside the name.
        "<h3 class=byline>by Ana Ruiz<br><span>Monday, November 18, 2019</span></h3>",
        "<p class=byline><a href='/author/ana-ruiz'>Ana Ruiz <span>Monday</span></a></p>",
        "<p>Von Ana Ruiz, Mo., 18. November 2019</p>",
        "<p>11.12.2023 - von Ana Ruiz</p>",
        f"{TEXT}<p><strong>Text:</strong> Ana Ruiz</p>",
        # The maker of the picture, the writer of another article and a reader come first, and do not count.
        "<figure><span class=author>Tom Lee</span></figure><p class=author>Ana Ruiz</p>",
        "<div class=photo-credit><a rel=author>Tom Lee</a></div><p class=byline>Ana Ruiz</p>",
        "<p class=author>Bridge closes after storm</p><p class=author-name>Ana Ruiz</p>",
        "<div class=comments><a rel=author>Tom Lee</a></div><p class=byline>Ana Ruiz</p>",
        "<a href='/author/archive'>All articles</a><p class=byline>Ana Ruiz</p>",
    ],
)
def test_shown_author(shown: str) -> None:
    assert authors(f"<article><h1>Bridge holds</h1>{shown}{TEXT}</article>") == ["Ana Ruiz"]


def test_names_side_by_side() -> None:
    shown = "<div class=byline><span>Ana Ruiz</span><span>Tom Lee</span></div>"
    assert authors(f"<h1>Bridge holds</h1>{shown}{TEXT}") == ["Ana Ruiz", "Tom Lee"]
    assert authors(f"<h1>Bridge holds</h1><div class=byline><div>{shown}</div></div>{TEXT}") == ["Ana Ruiz", "Tom Lee"]


def test_the_house_of_a_person_is_no_second_author() -> None:
    assert people(["Ana Ruiz, Courier Islands"], ["Courier"]) == ("Ana Ruiz",)
    assert people(["Courier Islands"], ["Courier"]) == ("Courier Islands",)


def test_byline_below_a_headline_in_bold() -> None:
    headline = "<title>Courier - Bridge holds</title><table><tr><td><font><b>Bridge holds</b></font>"
    assert authors(f"{headline}<br>26 May 2024 By Ana Ruiz<br>{TEXT}") == ["Ana Ruiz"]


def test_licence_by_attribution_is_no_author() -> None:
    page = f'<h1>Bridge</h1>{TEXT}<a rel="license" href="https://commons.example/by/3.0/">Open Commons</a>'
    assert authors(page) == []
    assert authors(page.replace("license", "bookmark")) == ["Open Commons"]


def test_what_stands_side_by_side_is_not_one_word() -> None:
    link = '<a href="/author/ana-ruiz"><b>Ana Ruiz</b><i>Courier</i></a>'
    assert authors(f'<h1>Bridge</h1><p class="byline">{link}</p>{TEXT}') == ["Ana Ruiz Courier"]


def test_imprint_is_no_byline() -> None:
    assert authors(f"<h1>Bridge holds</h1>{TEXT}<footer><p>By Mill Media Ltd</p></footer>") == []
    assert authors(f"<h1>Bridge holds</h1>{TEXT}<p>Copyright 2021 by Mill Media Ltd</p>") == []


SIGNED = (
    '<meta property="og:site_name" content="Mill Courier"><script type="application/ld+json">'
    '{"@type": "NewsArticle", "headline": "Bridge holds", "author": {"name": "Mill Courier"}}</script>'
)


def test_a_site_signs_only_where_nobody_else_does() -> None:
    assert authors(f"{SIGNED}<h1>Bridge holds</h1>{TEXT}") == ["Mill Courier"]
    assert authors(f"{SIGNED}<h1>Bridge holds</h1><p class=byline>Ana Ruiz</p>{TEXT}") == ["Ana Ruiz"]
    assert authors(f'{SIGNED}<meta name=author content="Ana Ruiz"><h1>Bridge holds</h1>{TEXT}') == ["Ana Ruiz"]


def test_the_longer_of_two_declared_lists_counts() -> None:
    script = '{"@type": "NewsArticle", "headline": "Bridge holds", "author": "Ana Ruiz"}'
    page = f'<meta name=author content="Ana Ruiz, Tom Lee"><script type="application/ld+json">{script}</script>'
    assert authors(f"{page}<h1>Bridge holds</h1>{TEXT}") == ["Ana Ruiz", "Tom Lee"]


@pytest.mark.parametrize(
    "byline",
    [
        "By Jo March, 18 November 2019",
        "By <i>Jo March</i> <i>18 de noviembre de 2019</i>",
        "By Jo March March 18, 2019",
    ],
)
def test_a_surname_that_is_a_month_is_no_part_of_the_date(byline: str) -> None:
    assert authors(f"<h1>Bridge holds</h1><p class=byline>{byline}</p>{TEXT}") == ["Jo March"]


def test_an_account_of_a_network_is_no_author() -> None:
    page = '<meta property="article:author" content="https://www.facebook.example/courier">'
    assert authors(f"{page}<h1>Bridge holds</h1>{TEXT}") == []


pieces = st.sampled_from(
    [
        "By ",
        "Ana Ruiz",
        " and ",
        "Tom Lee",
        ", ",
        "Text: ",
        "Foto: ",
        "Von ",
        " | ",
        "Staff Writer",
        "@ana",
        " in Madrid",
        "José",
        "AFP",
        "/",
    ]
)


@given(st.lists(st.lists(pieces | st.text(max_size=8), max_size=6).map("".join), max_size=3))
def test_no_word_of_a_name_is_invented(bylines: list[str]) -> None:
    for names in (people(bylines), people_shown(bylines)):
        assert names == tuple(dict.fromkeys(names))
        assert {word for name in names for word in re.findall(r"\w+", name)} <= {
            word for byline in bylines for word in re.findall(r"\w+", flat(byline))
        }
