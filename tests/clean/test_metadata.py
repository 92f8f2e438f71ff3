"""Dates, names, titles and JSON-LD as pages write them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.clean.metadata.dates import Moment, day_in_url, days_in, is_plausible, parse_moment
from tasks.clean.metadata.gather import gather_metadata
from tasks.clean.metadata.jsonld import load, read_linked_data
from tasks.clean.metadata.names import people
from tasks.clean.metadata.titles import choose_title
from tasks.clean.nodes import Tree
from tasks.documents import Precision

INSTANT = datetime(2024, 2, 26, 9, 30, tzinfo=UTC)
DAY = Moment(datetime(2024, 2, 26, tzinfo=UTC), Precision.DAY)


@pytest.mark.parametrize(
    ("written", "minutes_east"),
    [
        ("2024-02-26T10:30:00+01:00", 60),
        ("2024-02-26T09:30Z", 0),
        ("2024-02-26 09:30:00.123 UTC", 0),
        ("20240226T093000Z", 0),
        ("1708939800", 0),
        ("1708939800000", 0),
        ("Mon, 26 Feb 2024 04:30:00 -0500", -300),
        ("2024-02-26T15:00:00+0530", 330),
        ("2024-02-26 09:30", None),
    ],
)
def test_instants(written: str, minutes_east: int | None) -> None:
    offset = None if minutes_east is None else timedelta(minutes=minutes_east)
    assert parse_moment(written) == Moment(INSTANT, Precision.INSTANT, offset)


@pytest.mark.parametrize(
    "written",
    [
        "2024-02-26",
        "20240226",
        "2024/02/26",
        "26.02.2024",
        "26/02/2024",
        "26. Februar 2024",
        "February 26th, 2024",
        "Feb. 26, 2024",
        "26 février 2024",
        "26 de febrero de 2024",
        "26 lutego 2024",
        "26 февраля 2024",
        "2024年2月26日",
        "2024년 2월 26일",
        "26 Şubat 2024",
        "26.02.24",
        "26 | 02 | 2024",
        "26 กุมภาพันธ์ 2567",
        "26 फ़रवरी 2024",
        "২৬ ফেব্রুয়ারি ২০২৪",
        "26 tháng 2, 2024",
        "2024. február 26.",
        "2024 m. vasario 26 d.",
        "February 26 th, 2024",
        # Nobody publishes at midnight to the second: a field for days was filled in.
        "2024-02-26T00:00:00+01:00",
        "2024-02-26 00:00:00",
    ],
)
def test_days(written: str) -> None:
    assert parse_moment(written) == DAY


def test_month_comes_first_only_where_it_is_said_to() -> None:
    assert parse_moment("3/4/2021") == Moment(datetime(2021, 4, 3, tzinfo=UTC), Precision.DAY)
    assert parse_moment("3/4/2021", month_first=True) == Moment(datetime(2021, 3, 4, tzinfo=UTC), Precision.DAY)


@pytest.mark.parametrize(
    ("url", "day"),
    [
        ("https://a.example/2024/02/26/bridge", "2024-02-26"),
        ("https://a.example/2024/feb/26/bridge", "2024-02-26"),
        ("https://a.example/story-20240226.html", "2024-02-26"),
        ("https://a.example/id/120240226999", None),
        ("https://a.example/2024/13/40/x", None),
    ],
)
def test_day_in_url(url: str, day: str | None) -> None:
    moment = day_in_url(url)
    assert (f"{moment.instant:%F}" if moment else None) == day


def test_plausible_from_1990_to_a_day_ahead() -> None:
    now = datetime(2024, 3, 1, tzinfo=UTC)
    days = {
        day: Moment(datetime.fromisoformat(f"{day}T00:00:00+00:00"), Precision.DAY)
        for day in ("1989-12-31", "1990-01-01", "2024-03-02", "2024-03-03")
    }
    assert [is_plausible(moment, now) for moment in days.values()] == [False, True, True, False]


@given(st.text(max_size=80))
def test_dates_never_raise(text: str) -> None:
    assert all(
        moment.instant.tzinfo is UTC for moment in [*days_in(text), parse_moment(text) or DAY, day_in_url(text) or DAY]
    )


@pytest.mark.parametrize(
    ("byline", "names"),
    [
        ("By Ana Ruiz", ["Ana Ruiz"]),
        ("Von Karl Groß und Lena März", ["Karl Groß", "Lena März"]),
        ("Ana Ruiz, Political Editor", ["Ana Ruiz"]),
        ("Ana Ruiz, Tom Lee & Jo Park", ["Ana Ruiz", "Tom Lee", "Jo Park"]),
        ("Ana Ruiz (Madrid)", ["Ana Ruiz"]),
        ("ana.ruiz@courier.example", []),
        ("https://facebook.example/courier", []),
        ("Staff Writer", []),
        ("The Mill Courier", []),
        ("山田 花子、佐藤 次郎", ["山田 花子", "佐藤 次郎"]),
        ("Miguel de Cervantes y Saavedra", ["Miguel de Cervantes", "Saavedra"]),
    ],
)
def test_people(byline: str, names: list[str]) -> None:
    assert list(people([byline], ["Mill Courier"])) == names


@given(st.lists(st.text(max_size=60), max_size=4))
def test_people_are_named_once_and_tidily(bylines: list[str]) -> None:
    names = people(bylines)
    assert len({name.casefold() for name in names}) == len(names)
    assert all(name == " ".join(name.split()) and any(map(str.isalpha, name)) for name in names)


@pytest.mark.parametrize(
    ("headlines", "declared", "title"),
    [
        (["Courier", "Bridge holds in storm"], [("Bridge holds in storm", 1.0)], "Bridge holds in storm"),
        (["Weather: Bridge holds in storm"], [("Bridge holds in storm", 1.0)] * 3, "Bridge holds in storm"),
        (["Bridge holds, just"], [("Bridge holds", 1.0), ("Bridge holds | Courier", 0.5)], "Bridge holds, just"),
        ([], [("Bridge holds in the storm - Courier", 0.5)], "Bridge holds in the storm"),
        (["Only an h1"], [], "Only an h1"),
        ([], [], ""),
    ],
)
def test_title(headlines: list[str], declared: list[tuple[str, float]], title: str) -> None:
    assert choose_title(headlines, declared, "Courier") == title


@pytest.mark.parametrize(
    "script", ['{"a": [1,],}', '<!-- {"a": [1]} -->', '//<![CDATA[\n{"a": [1]}\n//]]>', '{"a": [1]};']
)
def test_json_that_is_not_quite_json(script: str) -> None:
    assert load(script) == {"a": [1]}


@given(st.text(max_size=60) | st.sampled_from(["[" * 100_000, '{"a":' * 50_000, "NaN", "{}"]))
def test_json_never_raises(script: str) -> None:
    load(script)


def test_the_richest_article_speaks_for_the_page() -> None:
    teaser = '[{"@type": "NewsArticle", "headline": "Teaser"}]'
    article = (
        '{"@graph": [{"@type": ["ReportageNewsArticle"], "headline": "Bridge &amp;amp; storm",'
        ' "datePublished": "2024-02-26", "author": "Ana"}]}'
    )
    html = "".join(f'<script type="application/ld+json">{script}</script>' for script in (teaser, article))
    linked = read_linked_data(Tree(html))
    assert (linked.headline, linked.published, linked.authors) == ("Bridge & storm", ("2024-02-26",), ("Ana",))


@pytest.mark.parametrize(
    "page",
    [
        # A kicker in an element of its own, and one that OpenGraph leaves out.
        '<meta property="og:title" content="Bridge holds in storm"><h1><span>Weather</span> Bridge holds in storm</h1>',
        '<meta property="og:title" content="Bridge holds in storm"><h1>Weather: Bridge holds in storm</h1>',
        # The site's name: as h1 that leads home, before or after the headline, and known from the host alone.
        "<title>Bridge holds in storm | Mill</title><h1><a href='/'>The Mill</a></h1><h2>Bridge holds in storm</h2>",
        "<title>Courier » Archive » Bridge holds in storm</title>",
        '<meta property="og:title" content="Bridge holds in storm | Courier.example">',
        # What is escaped twice, and what two declarations agree on against the h1.
        "<meta property='og:title' content='Bridge &amp;#104;olds in storm'><h1>Bridge holds in storm</h1>",
        """<meta property="og:title" content="Bridge holds in storm"><title>Storm: the bridge held</title>
        <script type="application/ld+json">{"@type": "NewsArticle", "headline": "Bridge holds in storm"}</script>
        <h1>Storm: the bridge held</h1>""",
        # An h1 that is the last step of the way from the front page, and what og:title and a heading say instead.
        """<meta property="og:title" content="Bridge holds in storm"><title>Mill Bridge repairs and weather</title>
        <script type="application/ld+json">{"@type": "NewsArticle", "headline": "Mill Bridge repairs"}</script>
        <ol class="breadcrumb"><li>Rivers<li><h1>Mill Bridge repairs</h1></ol><h2>Bridge holds in storm</h2>""",
        # An h1 in the article's own header, though all declarations were written for search engines.
        """<meta property="og:title" content="Mill repairs: what to know"><title>Mill repairs: what to know</title>
        <article><header><h1>Bridge holds in storm</h1></header></article><aside><h1>More news</h1></aside>""",
    ],
)
def test_title_of_a_page(page: str) -> None:
    found = gather_metadata(Tree(page), "https://courier.example/bridge", datetime(2024, 3, 1, tzinfo=UTC))
    assert found.title == "Bridge holds in storm"


def test_a_step_of_breadcrumbs_is_the_title_where_no_other_heading_is() -> None:
    page = '<meta property="og:title" content="Storm news"><nav class=crumbs><h1>Bridge holds</h1></nav><h2>Why</h2>'
    declared = '<script type="application/ld+json">{"@type": "NewsArticle", "headline": "Bridge holds"}</script>'
    assert gather_metadata(Tree(declared + page), "", datetime(2024, 3, 1, tzinfo=UTC)).title == "Bridge holds"


def test_a_headline_about_the_sites_town_keeps_its_end() -> None:
    title = "Writer dies - why he never left Mill Town after the war"
    site = '<meta property="og:site_name" content="Mill News">'
    page = f'{site}<meta property="og:title" content="{title}"><h1>{title}</h1>'
    assert gather_metadata(Tree(page), "", datetime(2024, 3, 1, tzinfo=UTC)).title == title


def test_section_is_the_first_step_from_the_front_page() -> None:
    crumbs = (
        '{"@type": "BreadcrumbList", "itemListElement": [{"position": 1, "name": "Home"},'
        ' {"position": 2, "item": {"@id": "/rivers", "name": "Rivers"}}, {"position": 3, "name": "Bridge holds"}]}'
    )
    page = f'<script type="application/ld+json">{crumbs}</script><h1>Bridge holds</h1>'
    assert gather_metadata(Tree(page), "", datetime(2024, 3, 1, tzinfo=UTC)).section == "Rivers"


def test_keywords_are_words_and_a_site_has_a_name() -> None:
    page = (
        f'<meta name=keywords content="bridge; storm, {"all that happened " * 6}">'
        '<meta property="og:site_name" content="https://courier.example"><meta name=publisher content="Courier">'
    )
    found = gather_metadata(Tree(page), "", datetime(2024, 3, 1, tzinfo=UTC))
    assert (found.keywords, found.site_name) == (("bridge", "storm"), "Courier")


@pytest.mark.parametrize(
    ("said", "name"),
    [("Copyright 2014", None), ("© 1998-2024 Mill Courier", "Mill Courier"), ("磨坊日报版权所有", "磨坊日报")],
)
def test_notice_of_copyright_is_no_part_of_the_name_of_a_site(said: str, name: str | None) -> None:
    page = f'<meta name=copyright content="{said}"><h1>Bridge holds</h1>'
    assert gather_metadata(Tree(page), "", datetime(2024, 3, 1, tzinfo=UTC)).site_name == name


def test_full_width_bar_parts_the_name_of_the_site_from_the_title() -> None:
    site = '<meta property="og:site_name" content="磨坊新聞"><meta property="og:title" content="橋樑很堅固｜磨坊新聞">'
    assert gather_metadata(Tree(site), "", datetime(2024, 3, 1, tzinfo=UTC)).title == "橋樑很堅固"
