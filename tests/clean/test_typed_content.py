"""What an article holds beside running text: tables, captions, entries of a live blog, its other pages, its wall."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from tasks.clean.blocks import BETWEEN
from tasks.clean.extract import clean
from tasks.clean.metadata.gather import gather_metadata
from tasks.clean.metadata.hours import age_said, clock_said
from tasks.clean.neighbours import find_neighbours
from tasks.clean.nodes import Tree
from tasks.clean.tables import read_table
from tasks.documents import BlockKind, Draft
from tests.pages.redraw import FETCHED_AT, page_of

SENTENCE = "The pilot cutter went out at first light and came back with nobody on board but the cook. "
URL = "https://ferry.example/2024/pilot-cutter"


def draft_of(body: str, head: str = "") -> Draft:
    html = f"<html><head>{head}</head><body><article><h1>Pilot cutter returns</h1>{body}</article></body></html>"
    draft = clean(page_of(b"", URL), html)
    assert isinstance(draft, Draft), draft
    return draft


def entry(posted: str, text: str = SENTENCE) -> str:
    return f'<section><time datetime="{posted}">then</time><p>{text}</p></section>'


# blocks


@given(st.lists(st.sampled_from(["p", "h2", "li", "blockquote", "figcaption", "td", "div"]), min_size=1, max_size=9))
def test_blocks_are_the_text(tags: list[str]) -> None:
    parts = "".join(f"<{tag}>{number}. {SENTENCE * 2}</{tag}>" for number, tag in enumerate(tags))
    draft = draft_of(f"<p>{SENTENCE}</p>{parts}<p>{SENTENCE}Nobody minded.</p>")
    assert BETWEEN.join(draft.text[block.start : block.end] for block in draft.blocks) == draft.text


def test_standfirst_between_headline_and_body_is_the_first_block() -> None:
    sentences = "Nobody minded that the cutter was late, least of all the ducks."
    html = (
        f'<div class="head"><h1>Cutter</h1><p class="standfirst">{sentences}</p></div><div><p>{SENTENCE * 4}</p></div>'
    )
    draft = clean(page_of(b"", URL), f"<body>{html}</body>")
    assert isinstance(draft, Draft)
    assert draft.blocks[0].kind is BlockKind.STANDFIRST
    assert draft.text.startswith(f"{sentences}{BETWEEN}")


@pytest.mark.parametrize(
    "beside",
    [
        '<figcaption><p class="lead">The cutter leaves her berth at dawn, with a pilot on board.</p></figcaption>',
        '<div class="lead-art"><p class="caption">The cutter leaves her berth at dawn, with a pilot.</p></div>',
        '<p class="subhead">Ana Ruiz <time>Feb. 26, 2024</time><time>Updated: Feb. 26, 2024, 1:35 a.m.</time></p>',
    ],
)
def test_caption_or_dateline_above_the_body_is_no_standfirst(beside: str) -> None:
    for html in (
        f'<div class="head"><h1>Cutter</h1>{beside}</div><div><p>{SENTENCE * 4}</p></div>',
        f"<article><h1>Cutter</h1>{beside}<p>{SENTENCE * 4}</p></article>",
    ):
        draft = clean(page_of(b"", URL), f"<body>{html}</body>")
        assert isinstance(draft, Draft)
        assert BlockKind.STANDFIRST not in {block.kind for block in draft.blocks}


def test_standfirst_stays_one_where_headline_and_all_are_called_caption() -> None:
    standfirst = '<p class="standfirst">Nobody minded that the cutter was late, least of all the ducks.</p>'
    html = f'<div class="caption"><h1>Cutter</h1>{standfirst}</div><div><p>{SENTENCE * 4}</p></div>'
    draft = clean(page_of(b"", URL), f"<body>{html}</body>")
    assert isinstance(draft, Draft)
    assert draft.blocks[0].kind is BlockKind.STANDFIRST


def test_caption_is_parted_from_its_credit_and_its_words_are_not() -> None:
    caption = "<figcaption><div>The <b>K</b>ing's cutter at dawn.</div><div>Ana Ruiz</div><i>(AFP)</i></figcaption>"
    draft = draft_of(f"<p>{SENTENCE * 4}</p><figure><img src=a.png>{caption}</figure><p>{SENTENCE}Nobody minded.</p>")
    assert draft.captions == ("The King's cutter at dawn. Ana Ruiz (AFP)",)


def test_article_all_in_an_element_called_summary_has_no_standfirst() -> None:
    draft = draft_of(f'<div class="summary"><p>{SENTENCE}</p><p>{SENTENCE}Nobody minded.</p></div>')
    assert {block.kind for block in draft.blocks} == {BlockKind.PARAGRAPH}


# tables


@given(st.lists(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=5), max_size=6))
def test_grid_is_square_and_holds_each_cell_once(spans: list[list[tuple[int, int]]]) -> None:
    rows = "".join(
        "<tr>" + "".join(f"<td colspan={wide} rowspan={high}>{row}-{at}</td>" for at, (wide, high) in enumerate(cells))
        for row, cells in enumerate(spans)
    )
    tag = BeautifulSoup(f"<table>{rows}</table>", "lxml").table
    assert tag is not None
    table = read_table(tag)
    if table is not None:
        assert len({len(row) for row in table.rows}) == 1
        written = [cell for row in table.rows for cell in row if cell]
        assert len(written) == len(set(written))
        assert set(written) <= {f"{row}-{at}" for row, cells in enumerate(spans) for at, _ in enumerate(cells)}


@pytest.mark.parametrize(
    "table",
    [
        "<table><tr><td>alone</td></tr><tr><td>in a column</td></tr></table>",
        "<table role=presentation><tr><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table>",
        f"<table><tr><td>menu</td><td>{SENTENCE * 6}</td></tr><tr><td>1</td><td>2</td></tr></table>",
        "<table><tr><td>1</td><td><table><tr><td>2</td></tr></table></td></tr><tr><td>3</td><td>4</td></tr></table>",
        "<table><tr><td colspan=999>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table>",
    ],
    ids=["column", "presentation", "layout", "nested", "too-wide"],
)
def test_table_without_facts_is_none(table: str) -> None:
    assert draft_of(f"<p>{SENTENCE * 9}</p>{table}").tables == ()


def test_cells_of_a_row_do_not_run_into_each_other() -> None:
    table = "<table><tr><th>Fish<th>2022<th>2023<tr><td>Plaice<td>310<td>335<tr><td>Eel<td></td><td>7</table>"
    draft = draft_of(f"<p>{SENTENCE * 3}</p>{table}")
    rows = [draft.text[block.start : block.end] for block in draft.blocks if block.kind is BlockKind.ROW]
    assert rows == ["Fish | 2022 | 2023", "Plaice | 310 | 335", "Eel | 7"]
    assert draft.tables[0].rows[2] == ("Eel", "", "7")


def test_a_column_that_is_called_like_a_box_stays_with_its_table() -> None:
    table = "<table><tr><th>Author</th><th>Boat</th></tr><tr><td>Ana Ruiz</td><td>The cutter</td></tr></table>"
    draft = draft_of(f"<p>{SENTENCE * 3}</p>{table}<p>{SENTENCE}Nobody minded.</p>")
    assert draft.tables[0].rows == (("Author", "Boat"), ("Ana Ruiz", "The cutter"))


# datelines


@pytest.mark.parametrize(
    "line",
    ["Monday, 26 February 2024", "Stand: 26.02.2024, 18:05 Uhr", "2024年02月26日23:52 | 来源：新华网", "26/2/2024"],
)
def test_a_date_above_the_text_is_no_part_of_it(line: str) -> None:
    assert draft_of(f"<p>{line}</p><p>{SENTENCE * 4}</p>").text == (SENTENCE * 4).strip()


@pytest.mark.parametrize(
    "line",
    [
        "26 February 2024",
        "Open from 21.10.2024 to 27.10.2024",
        "— Ana Ruiz (@ana) Feb. 26, 2024",
        "It was 26 May 2024.",
    ],
)
def test_a_date_that_heads_a_chronicle_or_says_more_stays(line: str) -> None:
    assert line in draft_of(f"<p>{SENTENCE * 4}</p><p>{line}</p><p>{SENTENCE}Nobody minded.</p>").text


@pytest.mark.parametrize("tag", ["h2", "p"])
@pytest.mark.parametrize(
    "days", [("3 May 2021", "12 June 2021", "1 July 2022"), ("4.5.2021, 7.30", "3.5.2021, 9.15", "2.5.2021, 6.05")]
)
def test_dates_that_head_a_chronicle_stay_from_the_first_on(days: tuple[str, ...], tag: str) -> None:
    body = "".join(f"<{tag}>{day}</{tag}><p>{n}. {SENTENCE * 2}</p>" for n, day in enumerate(days))
    assert [day for day in days if day in draft_of(body).text] == list(days)


def test_a_name_that_comes_again_says_who_speaks() -> None:
    author = '<meta name="author" content="Ana Ruiz">'
    asked = "<p>Ana Ruiz</p><p>Why now?</p><p>Tom Lee</p><p>The cook had the key.</p><p>Ana Ruiz</p><p>And then?</p>"
    assert draft_of(f"{asked}<p>{SENTENCE * 4}</p>", author).text.count("Ana Ruiz") == 2
    assert "Ana Ruiz" not in draft_of(f"<p>Ana Ruiz</p><p>{SENTENCE * 4}</p>", author).text


def test_a_date_with_its_hour_between_paragraphs_is_no_part_of_the_text() -> None:
    body = f"<p>{SENTENCE * 4}</p><p>Ana Ruiz 2024-02-26 14:35</p><p>{SENTENCE}Nobody minded.</p>"
    assert "Ana Ruiz" not in draft_of(body).text


@pytest.mark.parametrize("line", ["Tags:storm", "Source: the harbour office", "编辑：李娜", "©Courier 2024"])
def test_furniture_that_a_mark_parts_from_its_words_is_no_part_of_the_text(line: str) -> None:
    assert line not in draft_of(f"<p>{SENTENCE * 4}</p><p>{line}</p>").text


# captions


def test_captions_of_other_articles_are_left_out() -> None:
    picture = "<figure><figcaption>{}</figcaption></figure>"
    draft = draft_of(
        f"<p>{SENTENCE * 3}</p>{picture.format('The cutter.')}<aside>{picture.format('Another ship.')}</aside>"
        f"<div class=related-stories>{picture.format('A third.')}</div>"
        f"<div class=comments>{picture.format('Me.')}</div>"
        f"<figure><figcaption><a href=/x>More pictures</a></figcaption></figure><p>{SENTENCE * 3}Nobody minded.</p>"
    )
    assert draft.captions == ("The cutter.",)
    assert "The cutter." not in draft.text


@pytest.mark.parametrize(
    "credit", ["Photo: Reuters", "(Foto: Ana Ruiz)", "Getty Images", "ANA RUIZ/AFP via Getty Images", "© 2024 Courier"]
)
def test_a_mere_credit_is_no_caption(credit: str) -> None:
    pictures = "".join(f"<figure><figcaption>{said}</figcaption></figure>" for said in (credit, f"The ferry. {credit}"))
    assert draft_of(f"<p>{SENTENCE * 4}</p>{pictures}").captions == (f"The ferry. {credit}",)


@pytest.mark.parametrize(
    "caption",
    ["Photo finish in the harbour race", "Image: how the ferry looks from below", "Ana Ruiz", "Karl, Reuters"],
)
def test_a_caption_that_looks_like_a_credit_stays(caption: str) -> None:
    assert draft_of(f"<p>{SENTENCE * 4}</p><figure><figcaption>{caption}</figcaption></figure>").captions == (caption,)


def test_a_few_captions_beside_a_text_are_no_gallery() -> None:
    pictures = "".join(f"<figure><figcaption>{number}. {SENTENCE}</figcaption></figure>" for number in range(5))
    draft = draft_of(f"<p>{SENTENCE * 5}</p>{pictures}")
    assert len(draft.captions) == 5
    assert "1. The pilot" not in draft.text


# live blogs


def test_entry_has_the_instant_its_time_names() -> None:
    posted = ("2024-02-25T18:00:00+01:00", "2024-02-25T17:30:00+01:00", "2024-02-25T12:00:00Z")
    draft = draft_of("".join(entry(each, f"{number}. {SENTENCE}") for number, each in enumerate(posted)))
    assert [each.published_at for each in draft.live_entries] == [
        datetime(2024, 2, 25, 17, 0, tzinfo=UTC),
        datetime(2024, 2, 25, 16, 30, tzinfo=UTC),
        datetime(2024, 2, 25, 12, 0, tzinfo=UTC),
    ]
    texts = [draft.text[each.start : each.end] for each in draft.live_entries]
    assert texts == [f"{number}. {SENTENCE.strip()}" for number in range(3)]


@pytest.mark.parametrize(
    "posted",
    [
        ("2024-02-25T18:00Z", "2024-02-25T20:00Z", "2024-02-25T19:00Z"),
        ("2021-02-25T18:00Z", "2022-02-25T18:00Z", "2024-02-25T18:00Z"),
        ("2024-02-25", "2024-02-24", "2024-02-23"),
        ("2024-02-25T18:00Z", "2024-02-25T17:00Z"),
    ],
    ids=["to-and-fro", "years-apart", "days-only", "too-few"],
)
def test_dated_pieces_that_run_otherwise_are_no_live_blog(posted: tuple[str, ...]) -> None:
    body = "".join(entry(each, f"{number}. {SENTENCE}") for number, each in enumerate(posted))
    assert draft_of(body).live_entries == ()


def test_dated_list_below_a_longer_text_is_no_live_blog() -> None:
    posted = ("2024-02-25T18:00Z", "2024-02-25T17:30Z", "2024-02-25T12:00Z")
    body = "".join(entry(each, f"{number}. {SENTENCE}") for number, each in enumerate(posted))
    assert draft_of(f"<div><p>{SENTENCE * 12}</p><div>{body}</div></div>").live_entries == ()


@pytest.mark.parametrize("mark", ["", "7", "x", "-1", "9" * 5_000, "\N{SUPERSCRIPT TWO}"])
def test_mark_of_ours_in_a_page_marks_nothing(mark: str) -> None:
    draft = draft_of(f'<div data-desk-entry="{mark}"><p>{SENTENCE * 3}</p></div>')
    assert draft.live_entries == ()


def test_two_entries_do_where_a_live_blog_is_declared() -> None:
    declared = '{"@type": "LiveBlogPosting", "headline": "x", "liveBlogUpdate": [{"headline": "elsewhere"}]}'
    body = entry("2024-02-25T18:00Z", f"1. {SENTENCE}") + entry("2024-02-25T19:00Z", f"2. {SENTENCE}")
    assert len(draft_of(body, f'<script type="application/ld+json">{declared}</script>').live_entries) == 2


def test_live_blog_that_shows_nothing_is_read_from_json_ld() -> None:
    updates = ", ".join(
        f'{{"datePublished": "2024-02-25T1{number}:00:00+02:00", "articleBody": "{number}. {SENTENCE * 2}"}}'
        for number in range(4)
    )
    declared = f'{{"@type": "LiveBlogPosting", "headline": "x", "liveBlogUpdate": [{updates}]}}'
    draft = draft_of("<p>Loading …</p>", f'<script type="application/ld+json">{declared}</script>')
    assert draft.extraction.strategy == "json-ld"
    assert [each.published_at.hour for each in draft.live_entries] == [8, 9, 10, 11]


DECLARED = (
    '<meta property="og:type" content="article">'
    '<meta property="article:published_time" content="2024-02-26T21:30:00+01:00">'
)


@pytest.mark.parametrize(
    "hours",
    [
        ("00:15", "23:05", "22:40"),
        ("12:15 am", "11:05 pm", "10:40 p.m."),
        ("0.15 Uhr", "23.05 Uhr", "kl. 22.40"),
        ("22h40", "23h05", "0h15"),
    ],
)
def test_hours_in_words_are_those_of_a_live_blog(hours: tuple[str, ...]) -> None:
    body = "".join(f"<section><div>{hour}</div><p>{n}. {SENTENCE * 2}</p></section>" for n, hour in enumerate(hours))
    draft = draft_of(f"<div>{body}</div>", DECLARED)
    assert {each.published_at for each in draft.live_entries} == {
        datetime(2024, 2, 26, 21, 40, tzinfo=UTC),
        datetime(2024, 2, 26, 22, 5, tzinfo=UTC),
        datetime(2024, 2, 26, 23, 15, tzinfo=UTC),
    }
    assert hours[1] not in draft.text


@pytest.mark.parametrize(
    "ages",
    [
        ("5 minutes ago", "1 hour ago", "2 hours ago"),
        ("vor 5 Minuten", "vor 1 Stunde", "vor 2 Stunden"),
        ("hace 5 minutos", "hace 1 hora", "hace 2 horas"),
        ("5分前", "1時間前", "2時間前"),
    ],
)
def test_ages_are_counted_from_when_the_page_was_fetched(ages: tuple[str, ...]) -> None:
    body = "".join(f"<section><span>{age}</span><p>{n}. {SENTENCE * 2}</p></section>" for n, age in enumerate(ages))
    draft = draft_of(f"<div>{body}</div>", DECLARED)
    assert [FETCHED_AT - each.published_at for each in draft.live_entries] == [
        timedelta(minutes=5),
        timedelta(hours=1),
        timedelta(hours=2),
    ]


def test_hours_of_a_timetable_or_of_comments_make_no_live_blog() -> None:
    times = "".join(f"<li>{hour}:40</li>" for hour in range(8, 20))
    comments = "".join(f"<div><span>{hour}:40</span><p>{hour}. {SENTENCE}</p></div>" for hour in range(10, 16))
    body = f"<p>{SENTENCE * 9}</p><ul>{times}</ul><div class=comments>{comments}</div>"
    assert draft_of(body, DECLARED).live_entries == ()


@pytest.mark.parametrize(
    "hours",
    [
        ("7:05", "7:20", "8:00"),  # what happened before it was published
        ("23:55", "3:15", "9:30"),  # what begins two hours after that
        ("19:00", "18:30", "17:15"),  # newest first, and the page was fetched before that
    ],
)
def test_hours_of_an_account_or_a_programme_stay_in_the_text(hours: tuple[str, ...]) -> None:
    body = "".join(f"<div><p>{hour}</p><p>{n}. {SENTENCE * 2}</p></div>" for n, hour in enumerate(hours))
    published = DECLARED.replace("2024-02-26T21:30", "2024-03-01T09:00" if hours[0] == "19:00" else "2024-02-26T21:30")
    draft = draft_of(body, published)
    assert draft.live_entries == ()
    assert all(hour in draft.text for hour in hours)


@given(st.text(max_size=24))
def test_hours_never_raise(text: str) -> None:
    clock, age = clock_said(text), age_said(text)
    assert clock is None or clock < timedelta(days=1)
    assert age is None or age >= timedelta()


# pages of one article


@pytest.mark.parametrize(
    ("here", "link"),
    [
        ("https://ferry.example/a/long-walk", '<a href="?page=2">2</a>'),
        ("https://ferry.example/a/long-walk?id=7", '<a href="/a/long-walk?id=7&amp;seite=2">Weiter</a>'),
        ("https://ferry.example/a/long-walk/", '<link rel="next" href="https://ferry.example/a/long-walk/2/">'),
        ("https://ferry.example/a/long-walk/page/2/", '<a href="/a/long-walk/page/3/">Next »</a>'),
        ("https://ferry.example/a/long-walk.html", '<a href="long-walk-2.html">2</a>'),
        ("https://ferry.example/a/long-walk_2.html", '<a href="long-walk_3.html" aria-label="next page"></a>'),
        ("https://ferry.example/a/long-walk?p=2", '<a href="?p=1">1</a> <a href="?p=3">3</a>'),
    ],
)
def test_next_page_is_this_address_with_a_number_one_higher(here: str, link: str) -> None:
    found = find_neighbours(Tree(f"<body>{link}</body>"), here).next_page
    assert found is not None
    assert re.search(r"[23]", found.removeprefix("https://ferry.example/a/long-walk"))


@pytest.mark.parametrize(
    ("here", "link"),
    [
        ("https://ferry.example/a/long-walk", '<link rel="next" href="/a/another-walk">'),
        ("https://ferry.example/a/long-walk-2", '<a rel="next" href="/a/long-walk-3">A third walk</a>'),
        ("https://ferry.example/a/long-walk", '<a href="/a/long-walk-2">Why 2 walks are better</a>'),
        ("https://ferry.example/a/long-walk", '<a href="?page=2#comments">2</a>'),
        ("https://ferry.example/a/long-walk", '<a href="/a/long-walk/comment-page-2/">2</a>'),
        ("https://ferry.example/a/long-walk?page=2", '<a href="?page=1">1</a> <a href="?page=5">5</a>'),
        ("https://ferry.example/a/long-walk", '<a href="javascript:next(2)">2</a>'),
        ("", '<a href="?page=2">2</a>'),
        ("https://ferry.example/a/long-walk", '<a href="http://[">2</a>'),
    ],
)
def test_link_elsewhere_is_no_next_page(here: str, link: str) -> None:
    assert find_neighbours(Tree(f"<body>{link}</body>"), here).next_page is None


def test_empty_address_names_no_amp_twin() -> None:
    assert find_neighbours(Tree('<link rel=amphtml href="">'), "https://ferry.example/a").amp_url is None


# walls


def linked(**facts: str) -> str:
    said = ", ".join(f'"{name}": {value}' for name, value in facts.items())
    return f'<script type="application/ld+json">{{"@type": "NewsArticle", "headline": "x", {said}}}</script>'


WALLED = '{"isAccessibleForFree": "http://schema.org/False", "cssSelector": ".members, [data-x] > p"}'


@pytest.mark.parametrize(
    ("head", "body", "is_paywalled", "is_truncated"),
    [
        (linked(isAccessibleForFree="false"), f"<p>{SENTENCE * 2}</p>", True, True),
        (linked(isAccessibleForFree="false"), f"<p>{SENTENCE * 40}</p>", True, False),
        (linked(isAccessibleForFree="false", wordCount="36"), f"<p>{SENTENCE * 2}</p>", True, False),
        (linked(hasPart=WALLED), f"<p>{SENTENCE}</p><p class=members>{SENTENCE}All.</p>", True, False),
        (linked(hasPart=WALLED), f"<p>{SENTENCE}</p><p>{SENTENCE}So far.</p>", True, True),
        (linked(isAccessibleForFree="true", hasPart=WALLED), f"<p>{SENTENCE * 2}</p>", False, False),
        (linked(wordCount="900"), f"<p>{SENTENCE * 9}</p>", False, True),
        (linked(wordCount=str(len(SENTENCE) * 9)), f"<p>{SENTENCE * 9}</p>", False, False),
        ("", f"<p>{SENTENCE}And then…</p>", False, True),
        ("", f"<p>{SENTENCE * 40}And so on…</p>", False, False),
    ],
)
def test_wall_is_declared_and_cut_is_measured(head: str, body: str, is_paywalled: bool, is_truncated: bool) -> None:
    draft = draft_of(body, head)
    assert (draft.is_paywalled, draft.is_truncated) == (is_paywalled, is_truncated)


@pytest.mark.parametrize("selector", ["..", "* * * *", "a[", ".\\u0000", ".\\ud800", ".x" * 9_999, "div:has(*)"])
def test_selector_of_a_page_does_no_harm(selector: str) -> None:
    part = f'{{"isAccessibleForFree": false, "cssSelector": "{selector}"}}'
    assert draft_of(f"<p>{SENTENCE * 2}</p>", linked(hasPart=part)).is_paywalled


def test_links_are_read_by_the_base_that_the_page_names() -> None:
    here = "https://ferry.example/a/long-walk"
    page = (
        '<head><base href="/"><link rel=amphtml href="amp/long-walk"><link rel=canonical href="a/long-walk">'
        '<meta property="og:image" content="boat.jpg"></head><a href="a/long-walk/2">2</a>'
    )
    neighbours, metadata = find_neighbours(Tree(page), here), gather_metadata(Tree(page), here, FETCHED_AT)
    assert (neighbours.amp_url, neighbours.next_page, metadata.canonical_url, metadata.lead_image) == (
        "https://ferry.example/amp/long-walk",
        "https://ferry.example/a/long-walk/2",
        here,
        "https://ferry.example/boat.jpg",
    )
