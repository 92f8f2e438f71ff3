"""Pages that stand where an article should be are recognised in many languages, bare and inside a site's frame."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tasks.clean.extract import clean
from tasks.documents import Draft, Page, PageKind, Reason, Rejection

with Path(__file__).with_name("refused_pages.tsv").open(encoding="utf-8", newline="") as file:
    SAMPLES = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))

NAVIGATION = "".join(f"<li><a href='/{name}'>{name.title()}</a></li>" for name in ("news", "sport", "tides", "weather"))
FRAME = (
    "<!doctype html><html lang='{language}'><head><title>{title}</title></head><body>"
    f"<header><nav><ul>{NAVIGATION}<li><a href='/login'>Log in</a></li></ul></nav></header>"
    "<main>{inside}</main>"
    "<footer><p>We use cookies. <a href='/privacy'>Privacy settings</a></p></footer></body></html>"
)
BARE = "<!doctype html><html lang='{language}'><head><title>{title}</title></head><body>{inside}</body></html>"


def cleaned(frame: str, language: str, title: str, inside: str) -> Draft | Rejection:
    html = frame.format(language=language, title=title, inside=inside)
    page = Page(
        input="https://news.example/2026/03/crane",
        source="test",
        url="https://news.example/2026/03/crane",
        fetched_at=datetime(2026, 3, 1, tzinfo=UTC),
        status=200,
        content_type="text/html",
        kind=PageKind.HTML,
        body=html.encode(),
        sha256="0" * 64,
    )
    return clean(page, html)


def told(sentence: str) -> str:
    """Return a short report; no paragraph of it is like another."""
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
    return "".join(f"<p>{sentence.replace('Monday', day)}.</p>" for day in days)


@pytest.mark.parametrize("frame", [BARE, FRAME], ids=["bare", "framed"])
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda each: f"{each['kind']}-{each['language']}-{each['headline']}")
def test_it_is_named_for_what_it_is(sample: dict[str, str], frame: str) -> None:
    inside = f"<h1>{sample['headline']}</h1><p>{sample['text']}</p>"
    found = cleaned(frame, sample["language"], sample["title"], inside)
    assert isinstance(found, Rejection), found
    assert found.reason == sample["kind"]


@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        ("<div id='app'></div><script>start()</script>", Reason.EMPTY),
        ("<noscript></noscript><div class='spinner' aria-hidden='true'></div>", Reason.EMPTY),
        ("<div id='root'><p>Loading …</p></div>", Reason.NO_ARTICLE_TEXT),
    ],
)
def test_an_empty_shell_is_named(inside: str, reason: Reason) -> None:
    found = cleaned(BARE, "en", "Harbour Gazette", inside)
    assert isinstance(found, Rejection), found
    assert found.reason is reason


@pytest.mark.parametrize("frame", [BARE, FRAME], ids=["bare", "framed"])
@pytest.mark.parametrize(
    "headline",
    ["Regulator fines harbour firm over cookies", "Hundreds of letters found in an attic", "A robot learns to moor"],
)
def test_an_article_about_such_things_stays(headline: str, frame: str) -> None:
    story = told("The company said on Monday that it would appeal, and that nothing had been lost")
    found = cleaned(frame, "en", headline, f"<article><h1>{headline}</h1>{story}</article>")
    assert isinstance(found, Draft), found


ABOUT = "<p>The lamp stands on three legs of ash, and its shade is of linen that was woven on Monday.</p>"


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ('<meta property="og:type" content="product">', Reason.PRODUCT_PAGE),
        ('<script type="application/ld+json">{"@type": "Product", "name": "Lamp"}</script>', Reason.PRODUCT_PAGE),
        ('<meta property="og:type" content="video.other">', Reason.VIDEO_PAGE),
        ('<script type="application/ld+json">[{"@type": "VideoObject", "name": "Lamp"}]</script>', Reason.VIDEO_PAGE),
    ],
)
def test_a_product_or_a_video_with_its_description_is_no_article(declared: str, reason: Reason) -> None:
    found = cleaned(BARE, "en", "Lamp", f"{declared}<h1>Lamp</h1>{ABOUT}")
    assert isinstance(found, Rejection), found
    assert found.reason is reason


@pytest.mark.parametrize(
    "article",
    [
        '<meta property="og:type" content="article">',
        told(f"On Monday {'it rained ' * 20}"),
        f"<p>{'港口委员会周二晚开会讨论一项永久关闭旧渡口的计划，会场内几乎没有人满意。' * 5}</p>",
    ],
)
def test_an_article_with_a_video_stays(article: str) -> None:
    video = '<script type="application/ld+json">{"@type": "VideoObject", "name": "Lamp"}</script>'
    assert isinstance(cleaned(BARE, "en", "Lamp", f"{video}<h1>Lamp</h1>{ABOUT}{article}"), Draft)


def test_a_short_report_that_somebody_was_not_found_stays() -> None:
    said = '{"@type": "NewsArticle", "headline": "Missing sailor not found"}'
    declared = f'<script type="application/ld+json">{said}</script>'
    story = told("The search for the sailor was called off on Monday, after three days of fog and heavy seas")
    inside = f"{declared}<article><h1>Missing sailor not found</h1>{story}</article>"
    assert isinstance(cleaned(BARE, "en", "Missing sailor not found", inside), Draft)
