"""When an article was published: declared, in the URL, or shown on the page."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.clean.metadata.dates import clocks_in
from tasks.clean.metadata.gather import Metadata, gather_metadata
from tasks.clean.nodes import Tree
from tasks.documents import Precision

URL = "https://courier.example/news/bridge"
FETCHED_AT = datetime(2024, 6, 1, tzinfo=UTC)
TEXT = "<p>The river rose by two metres in nine hours, more than anybody had measured since 1974.</p>" * 3


def metadata_of(html: str, url: str = URL) -> Metadata:
    return gather_metadata(Tree(html), url, FETCHED_AT)


def published(html: str, url: str = URL) -> tuple[str, str] | None:
    """Return the day or instant, as its page's clock shows it, and where it was read."""
    found = metadata_of(html, url).publication
    if found is None:
        return None
    if found.moment.precision is Precision.DAY:
        return f"{found.moment.instant:%F}", found.source
    return f"{found.moment.instant + (found.moment.offset or timedelta()):%F %H:%M}", found.source


@pytest.mark.parametrize(
    ("shown", "day"),
    [
        ("<h1>Bridge holds</h1><p>26.02.2024</p>", "2024-02-26"),
        ("<h1>Bridge holds</h1><table><tr><td>26 | 02 | 2024</td><td>Rivers</td></tr></table>", "2024-02-26"),
        ("<p class=date>26 February 2024</p><h1>Bridge holds</h1>", "2024-02-26"),
        ("<h1>Bridge holds</h1><span>26</span> <span>Feb</span> <span>2024</span>", "2024-02-26"),
        ("<h1>Bridge holds</h1><h4>Courier</h4>Feb 26, 2024, 04:11 AM IST", "2024-02-26"),
        # Words beside a date tell two apart, whatever their order.
        ("<h1>Bridge holds</h1><p>Updated: 3 March 2024 | Published: 26 February 2024</p>", "2024-02-26"),
        ("<h1>Bridge holds</h1><p>Aktualisiert am 3. März 2024<p>Veröffentlicht am 26. Februar 2024", "2024-02-26"),
        ("<h1>Bridge holds</h1><p>26.02.2024 (güncelleme 03.03.2024)</p>", "2024-02-26"),
        # Today's date in the page's header is nobody's; nor is one of another article, or of a comment.
        ("<div>Saturday, 1 June 2024</div><h1>Bridge holds</h1><p>26 February 2024</p>", "2024-02-26"),
        ("<h1>Bridge holds</h1><ul><li>Storm <i>20.02.2024</i></ul><p>26 February 2024</p>", "2024-02-26"),
        ("<h1>Bridge holds</h1><div class=comments><p>Ana, 28.02.2024</div><p class=date>26.02.2024", "2024-02-26"),
        # Below the text, where no other date is marked.
        (f"<h1>Bridge holds</h1>{TEXT * 20}<div class=postmeta>By Ana on 26/02/2024</div>", "2024-02-26"),
    ],
)  # fmt: skip
def test_shown_day(shown: str, day: str) -> None:
    assert published(f"<body>{shown}{TEXT}") == (day, "text")


def test_running_text_dates_no_article() -> None:
    history = "<p>On 3 May 1998 the old bridge fell into the river, and for nine years there was none, " * 3
    assert published(f"<h1>Bridge holds</h1>{history}</p><p class=byline>26 February 2024</p>") == (
        "2024-02-26",
        "text",
    )


def test_copyright_is_no_date() -> None:
    assert published(f"<h1>Bridge holds</h1>{TEXT}<p>© 1 January 2024 Courier</p>") is None


def test_time_element_near_the_headline_before_those_of_other_articles() -> None:
    other = '<li><time datetime="2024-02-20 11:05">20.02.2024</time><a href=/b>Storm</a></li>'
    page = f'<time datetime="2024-02-26 12:22">26.02.2024</time><h1>Bridge holds</h1>{TEXT}<ul>{other}</ul>'
    assert published(page) == ("2024-02-26 12:22", "time")


def test_time_element_of_an_update_yields() -> None:
    times = (
        '<time class="updated" datetime="2024-03-03T10:00:00+01:00">3 March</time>'
        '<time class="entry-date published" datetime="2024-02-26T07:30:00+01:00">26 February</time>'
    )
    page = f"<h1>Bridge holds</h1><p>{times}</p>{TEXT}"
    assert published(page) == ("2024-02-26 07:30", "time")
    assert metadata_of(page).modified_at == datetime(2024, 3, 3, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("published_at", "changes", "modified_at"),
    [
        # A clock without its zone, then the right one.
        ("2024-02-26T07:30:00Z", ["2024-02-26T02:31:00Z", "2024-02-26T07:31:00Z"], "2024-02-26T07:31"),
        # The last draft of what was published on schedule; the day alone of what was published during it.
        ("2024-02-26T07:30:00Z", ["2024-02-25T18:00:00Z"], None),
        ("2024-02-26T07:30:00Z", ["2024-02-26"], None),
        ("2024-02-26T07:30:00Z", ["2024-02-27"], "2024-02-27T00:00"),
        # Of a day nobody knows where it began.
        ("2024-02-26", ["2024-02-25T20:00:00Z"], "2024-02-25T20:00"),
    ],
)
def test_article_is_not_changed_before_it_is_published(
    published_at: str, changes: list[str], modified_at: str | None
) -> None:
    said = "".join(f'<meta property="article:modified_time" content="{change}">' for change in changes)
    page = f'<meta property="article:published_time" content="{published_at}">{said}<h1>Bridge holds</h1>{TEXT}'
    changed = metadata_of(page).modified_at
    assert (changed and f"{changed:%FT%H:%M}") == modified_at


def test_day_of_the_url_is_given_its_hour_by_the_page() -> None:
    url = "https://courier.example/2024/02/26/bridge"
    assert published(f"<h1>Bridge holds</h1>{TEXT}", url) == ("2024-02-26", "url")
    hour = '<time datetime="2024-02-26T07:30:00+01:00">today</time>'
    assert published(f"<h1>Bridge holds</h1>{hour}{TEXT}", url) == ("2024-02-26 07:30", "time")


@pytest.mark.parametrize(
    ("declared", "shown"),
    [
        # Another declaration knows the zone of the first, or the zone of the house.
        (("published_time", "2024-02-26 23:30:00"), '<meta name="date" content="2024-02-26T23:30:00-04:00">'),
        (("published_time", "2024-02-26 23:30:00"), '<meta name="lastmod" content="2024-02-28T08:00:00-04:00">'),
        # The page shows by its own clock what it declares in UTC.
        (("published_time", "2024-02-27T03:30:10Z"), '<time datetime="2024-02-26T23:30:00-04:00">26 February</time>'),
        (("published_time", "2024-02-27T03:30:10Z"), "<time>26 de febrero de 2024</time> <time>23:30</time>"),
        (("published_time", "2024-02-27T03:30:10Z"), "<time>Feb. 26, 2024 at 11:30 p.m.</time>"),
        (("published_time", "2024-02-27T03:30:10Z"), "<p>By Ana Ruiz | Feb. 26, 2024, 11:30 pm EST</p>"),
    ],
)
def test_clock_of_the_house(declared: tuple[str, str], shown: str) -> None:
    name, written = declared
    page = f'<meta property="article:{name}" content="{written}"><h1>Bridge holds</h1>{shown}{TEXT}'
    found = metadata_of(page).publication
    assert found is not None
    assert (found.moment.instant.replace(second=0), found.moment.offset) == (
        datetime(2024, 2, 27, 3, 30, tzinfo=UTC),
        timedelta(hours=-4),
    )


@pytest.mark.parametrize(
    "told",
    [
        "The bridge opens on 27 February 2024 at 10:15 for all who wait.",
        "Vote on 27 February 2024: what you need to know",
        "Since the fire of 25 February 2024 nobody has crossed it",
    ],
)
def test_a_day_of_which_the_article_tells_says_nothing_about_the_zone(told: str) -> None:
    page = '<meta property="article:published_time" content="2024-02-26T20:15:00Z">'
    found = metadata_of(f"{page}<h1>Bridge holds</h1><p>{told}</p>{TEXT}").publication
    assert found is not None
    assert not found.moment.offset


def test_a_clock_that_shows_another_moment_says_nothing_about_the_zone() -> None:
    page = (
        '<meta property="article:published_time" content="2024-02-27T03:30:10Z">'
        f"<h1>Bridge holds</h1><time>Feb. 26, 2024 at 11:37 p.m.</time>{TEXT}"
    )
    assert published(page) == ("2024-02-27 03:30", "meta")


@pytest.mark.parametrize(
    ("declared", "shown", "hours"),
    [
        ("2024-02-26T23:15:00Z", "27 February 2024", 1),
        ("2024-02-26T15:00:0Z", "By Ana Ruiz, 27 February 2024", 9),
        ("2024-02-27T02:00:00Z", "26 February 2024", -3),
        # The same day; another article's; too far from any clock; when it was changed.
        ("2024-02-26T23:15:00Z", "26 February 2024, 27 February 2024", 0),
        ("2024-02-26T23:15:00Z", "28 February 2024", 0),
        ("2024-02-26T12:00:00Z", "25 February 2024", 0),
        ("2024-02-26T23:15:00Z", "Updated 27 February 2024", 0),
        ("2024-02-26T23:15:00Z", f"{'It rained. ' * 40}27 February 2024", 0),
    ],
)
def test_day_below_the_headline_tells_how_far_the_clock_is_from_utc(declared: str, shown: str, hours: int) -> None:
    page = f'<meta property="article:published_time" content="{declared}"><h1>Bridge holds</h1><p>{shown}</p>{TEXT}'
    found = metadata_of(page).publication
    assert found is not None
    assert found.moment.offset == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("language", "day"), [("en-GB", "2024-04-03"), ("en-US", "2024-03-04"), ("de", "2024-04-03"), ("en", "2024-04-03")]
)
def test_order_of_day_and_month_is_the_languages(language: str, day: str) -> None:
    assert published(f"<html lang={language}><h1>Bridge holds</h1><p>3/4/2024</p>{TEXT}") == (day, "text")


def test_broken_json_tells_what_can_be_read() -> None:
    script = (
        '{"@type": "NewsArticle", "headline": "Bridge holds", "datePublished": "2024-02-26T10:00:00+01:00",'
        ' "author": {"@type": "Person", "name": "Ana Ruiz"}, "description": "The "old" bridge holds."}}'
    )
    found = metadata_of(f'<script type="application/ld+json">{script}</script><h1>Bridge holds</h1>{TEXT}')
    assert (found.title, found.authors, found.summary) == ("Bridge holds", ("Ana Ruiz",), None)
    assert found.publication is not None
    assert (found.publication.source, found.publication.moment.offset) == ("jsonld", timedelta(hours=1))


pieces = st.sampled_from(
    [
        "<h1>Bridge</h1>",
        "</div><div class=date>",
        "<p>",
        "<br>",
        "<li>",
        "<time>",
        "<time datetime='2024-02-26T10:00+99:00'>",
        "<time datetime=2024-02-26>",
        "26 February 2024",
        "٢٦ فبراير ٢٠٢٤",
        "26.02.24",
        "3/4/2021",
        " 11:59 p.m. ",
        "99:99",
        "Updated",
        "veröffentlicht",
        "© 2024",
    ]
)


@given(st.lists(pieces | st.text(max_size=12), max_size=12))
def test_a_date_is_never_invented_and_never_depends_on_chance(parts: list[str]) -> None:
    html = "".join(parts)
    first, again = (metadata_of(html).publication for _ in range(2))
    assert first == again
    digits = {int(run) for part in parts for run in "".join(c if c.isdecimal() else " " for c in part).split()}
    if first is not None:
        day = first.moment.instant + (first.moment.offset or timedelta())
        assert {day.day, day.month} - digits <= {2}  # February is written as a word
        assert {day.year, day.year % 100} & digits


@given(st.text(max_size=80), st.booleans())
def test_clocks_never_raise(text: str, month_first: bool) -> None:
    assert all(clock.tzinfo is None for clock in clocks_in(text, month_first=month_first))
