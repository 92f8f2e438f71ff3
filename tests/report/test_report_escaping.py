"""Whatever a page on the web says, the report shows it as text."""

from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup, Tag
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tasks.report.glyphs import legible

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "</title></style></script><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "<!--",
    "&lt;b&gt;&#60;i&#62;",
    "\u202ereversed\x00\x1b[31m",
]
text = st.sampled_from(HOSTILE) | st.text(min_size=1, max_size=200)


def report(paper: SimpleNamespace, title: str, before: str, after: str) -> BeautifulSoup:
    """Draw a report in which the given texts stand wherever a stranger's text can stand."""
    mended = {
        "field": "text", "rule": before, "category": after, "action": "mended",
        "start": 0, "before": before, "start_in_text": 0, "after": after, "confidence": 1.0,
    }  # fmt: skip
    evidence = {"kinds": [{"kind": before, "count": 1}], "service": after, "source_language": title}
    topic = {"id": "medtop:1", "label": title, "score": 1.0, "evidence": []}
    strange = paper.article(
        article_id=before, source=after, url=title, title=title, text=after + title, language=before,
        artifacts=[mended, mended | {"action": "reported", "after": None}], mt_evidence=evidence, topics=[topic],
    )  # fmt: skip
    rejection = dict.fromkeys(("source", "input", "url", "stage", "reason", "detail"), title)
    stories = [
        {"article_id": before, "story_id": "s", "duplicate_of": None, "similarity": None},
        {"article_id": "other", "story_id": "s", "duplicate_of": before, "similarity": 0.9},
    ]
    html = paper.draw(
        strange,
        paper.article(article_id="other"),
        rejections=[rejection],
        stories=stories if before != "other" else None,
        run=paper.run(run_name=title, run_id=before, data_folder=after),
        warnings=(title,),
        seconds_by_stage={before: 1.0},
    )
    return BeautifulSoup(html, "html.parser")


def characters(tag: Tag) -> str:
    """Return the text of a tag, glyphs taken back to what they stand for."""
    return "".join(
        chr(int(str(part.parent["data-code"]), 16)) if part.parent and part.parent.name == "abbr" else part
        for part in tag.find_all(string=True)
    )


@pytest.fixture(scope="module")
def tags(paper: SimpleNamespace) -> set[str]:
    """The elements of a report in which every text is harmless, and has something invisible."""
    return {tag.name for tag in report(paper, "A\u00ad title", "be\u00a0fore", "af\u00a0ter").find_all(True)}


@settings(max_examples=40)
@given(text, text, text)
@example(HOSTILE[0], HOSTILE[1], HOSTILE[3])
@example(HOSTILE[1], HOSTILE[0], HOSTILE[2])
@example(HOSTILE[4], HOSTILE[5], HOSTILE[6])
@example("javascript:alert(1)", HOSTILE[7], HOSTILE[7])
def test_any_text_stays_text(paper: SimpleNamespace, tags: set[str], title: str, before: str, after: str) -> None:
    soup = report(paper, title, before, after)
    assert {tag.name for tag in soup.find_all(True)} <= tags
    assert len(soup.find_all("script")) == len(soup.find_all("style")) == 1
    for tag in soup.find_all(True):
        assert not [name for name in tag.attrs if name.startswith("on") or name in ("src", "style")]
        assert str(tag.get("href", "#")).startswith(("#", "https://", "http://", "data:,"))
    shown = next(article for article in soup.select("article.corrected") if article["data-source"] != "harbour-post")
    mended, reported = shown.select("li")
    assert characters_of(mended, "del", "same") == before
    assert characters_of(mended, "ins", "same") == after
    assert reported.mark is not None
    assert characters(reported.mark) == before
    assert shown.h3 is not None
    assert shown.h3.get_text() == BeautifulSoup(legible(title.strip() or "Untitled"), "html.parser").get_text()


def characters_of(item: Tag, *kinds: str) -> str:
    """Return one side of a diff: what was struck out, or put in, with what stayed."""
    pieces = item.select(".edit > *")
    return "".join(
        characters(piece) for piece in pieces if piece.name in kinds or set(piece.get("class") or ()) & set(kinds)
    )


@pytest.mark.parametrize("title", HOSTILE[:3])
def test_hostile_title_is_readable(paper: SimpleNamespace, title: str) -> None:
    soup = report(paper, title, "a", "b")
    assert [heading.get_text() for heading in soup.select("article.corrected h3")] == [title]


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//host/x", "https://[", "", None]
)
def test_only_web_addresses_are_links(paper: SimpleNamespace, url: str | None) -> None:
    row = paper.article(url=url, artifacts=[paper.artifact("The ferry docked", "ferry", None)])
    soup = BeautifulSoup(paper.draw(row), "html.parser")
    assert not soup.select("article.corrected a")
