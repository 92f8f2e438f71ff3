"""The page tells the right figures, stays small, loads nothing, and says what it leaves out."""

import base64
import hashlib
import shlex
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from bs4 import BeautifulSoup, Tag

from tasks.documents import Outcome
from tasks.gates import Gate, GateStatus
from tasks.report import page
from tasks.report.summary import Scope, SourceOutcomes

SENTENCE = "“The bridge will hold”, the mayor insisted."
NOT_FOUND = {"source": "lagoon-news", "stage": "fetch", "reason": "not-found", "detail": "404"}


def parsed(html: str) -> BeautifulSoup:
    return BeautifulSoup(html, "html.parser")


def section(soup: BeautifulSoup, name: str) -> Tag:
    found = soup.find("section", id=name)
    assert isinstance(found, Tag)
    return found


def words_of(tag: Tag) -> str:
    return " ".join(tag.get_text(" ").split())


def cells(table: Tag) -> list[list[str]]:
    return [[words_of(cell) for cell in row.find_all(["th", "td"])] for row in table.find_all("tr")]


def bars(tag: Tag, title: str) -> list[tuple[str, str]]:
    drawing = next(svg for svg in tag.find_all("svg") if svg.title and svg.title.string == title)
    texts = [text.get_text() for text in drawing.find_all("text")]
    return list(zip(texts[::2], texts[1::2], strict=True))


@pytest.fixture(scope="module")
def rich(paper: SimpleNamespace) -> BeautifulSoup:
    """A report with something in every section."""
    findings = [
        paper.artifact(SENTENCE, "” ,", "”,"),
        paper.artifact(SENTENCE, "mayor", None, rule="untranslated-name", category="consistency"),
    ]
    evidence = {
        "kinds": [{"kind": "space-before-comma", "count": 4}, {"kind": "lower-case-after-stop", "count": 9}],
        "service": "Google Translate",
        "source_language": "fr",
        "seen_in": "html lang",
        "gate": "page-marker",
    }
    transport = {"id": "medtop:20000001", "label": "transport", "score": 0.9, "evidence": []}
    rows = [
        paper.article(article_id="a1", text=SENTENCE, artifacts=findings, mt_evidence=evidence, translated_score=0.8),
        paper.article(article_id="a2", source="gazette-du-lac", language="fr", title="Le bac", topics=[transport]),
        paper.article(
            article_id="a3", topics=[transport], translated_score=0.1, published_at=paper.morning - timedelta(days=900)
        ),
    ]
    html = paper.draw(
        *rows,
        rejections=[
            NOT_FOUND | {"input": "https://lagoon.example/1", "url": "https://lagoon.example/1"},
            NOT_FOUND | {"input": "https://lagoon.example/2", "url": "https://lagoon.example/2"},
            {"source": "x", "input": "saved/a.html", "url": None, "stage": "clean", "reason": "empty", "detail": None},
        ],
        stories=[
            {"article_id": "a1", "story_id": "s1", "duplicate_of": None, "similarity": None},
            {"article_id": "a2", "story_id": "s1", "duplicate_of": "a1", "similarity": 0.91},
            {"article_id": "a3", "story_id": "s2", "duplicate_of": None, "similarity": None},
        ],
        near_duplicates=1,
        seconds_by_stage={"fetch": 63.0, "edit": 0.5},
        gates=(
            Gate(name="volume", status=GateStatus.PASSED, detail="as usual"),
            Gate(name="rejection share", status=GateStatus.FAILED, detail="17 of 20"),
        ),
        warnings=("gazette-du-lac was silent",),
    )  # fmt: skip
    return parsed(html)


def test_outcomes_by_source_and_in_all(rich: BeautifulSoup) -> None:
    table = section(rich, "outcomes").table
    assert table is not None
    assert cells(table)[1:] == [
        ["harbour-post", "harbour-post: 1,100 new, 90 unchanged, 14 rejected 1,100 new 90 unchanged 14 rejected",
         "1,204", "1,100", "90", "14"],
        ["gazette-du-lac", "gazette-du-lac: 5 new, 3 rejected 5 new 3 rejected", "8", "5", "0", "3"],
        ["All sources", "", "1,212", "1,105", "90", "17"],
    ]  # fmt: skip


def test_head_says_who_when_and_what(rich: BeautifulSoup) -> None:
    assert rich.h1 is not None
    assert words_of(rich.h1) == "1,212 inputs came in: 1,105 new articles and 17 set aside."
    head = words_of(rich.header) if rich.header else ""
    assert "brisk-heron Tuesday 24 November 2026, 05:36 UTC flow ingest , 1 min 42 s" in head
    assert "In 1 of them the desk found machine-translation residue: 1 passage mended, 1 passage reported" in head
    assert rich.title is not None
    assert rich.title.string == "brisk-heron · ingest · copydesk"


def test_broken_gate_stands_first(rich: BeautifulSoup) -> None:
    notices = [words_of(notice) for notice in rich.select(".notice")]
    assert notices == [
        "Broken rejection share 17 of 20",
        "Held volume as usual",
        "Warning gazette-du-lac was silent",
    ]


def test_rejections_by_reason_with_examples(rich: BeautifulSoup) -> None:
    table = section(rich, "rejections").table
    assert table is not None
    assert cells(table)[1:] == [
        [
            "fetch",
            "not-found",
            "2",
            "https://lagoon.example/1 lagoon-news: 404 https://lagoon.example/2 lagoon-news: 404",
        ],
        ["clean", "empty", "1", "saved/a.html x"],
    ]
    assert "3 inputs set aside" in words_of(section(rich, "rejections"))


def test_languages_topics_and_evidence_as_bars(rich: BeautifulSoup) -> None:
    assert bars(section(rich, "articles"), "Articles by language") == [("English", "2"), ("French", "1")]
    assert bars(section(rich, "articles"), "Articles by topic") == [("transport", "2")]
    translation = section(rich, "translation")
    assert bars(translation, "Evidence by kind") == [("lower-case-after-stop", "9"), ("space-before-comma", "4")]
    assert bars(translation, "Articles by translation service") == [("Google Translate", "1")]
    assert bars(translation, "Articles by source language") == [("French", "1")]
    assert "1 article of 3 carries evidence. Of the 2 that were scored, 1 is more likely" in words_of(translation)


def test_every_drawing_has_words(rich: BeautifulSoup) -> None:
    drawings = [svg for svg in rich.find_all("svg") if svg.get("aria-hidden") != "true"]
    assert len(drawings) >= 8
    for svg in drawings:
        assert svg["role"] == "img"
        assert svg.title is not None
        assert svg.title.string


def test_calendar_shows_days_and_counts_what_it_leaves_out(rich: BeautifulSoup) -> None:
    calendar = rich.select_one("svg.calendar")
    assert calendar is not None
    assert "Tuesday 24 November 2026: 2" in [title.string for title in calendar.find_all("title")]
    assert "1 older article not drawn." in words_of(section(rich, "articles"))


def test_corrections_show_before_after_rule_and_source(rich: BeautifulSoup) -> None:
    mended, reported = rich.select("article.corrected li")
    assert mended.select_one("del .glyph[data-code='0020']")
    assert words_of(mended).startswith("“The bridge will hold ” ␣ ,")
    assert mended["data-rule"] == "space-before-comma"
    assert reported.mark is not None
    assert reported.mark.string == "mayor"
    assert not reported.find_all(["del", "ins"])
    assert "reported only" in words_of(reported)
    link = rich.select_one("article.corrected h3 a")
    assert link is not None
    assert link["href"] == "https://harbour.example/ferry"


def test_rules_are_counted_over_all(rich: BeautifulSoup) -> None:
    table = rich.select_one("table.rules")
    assert table is not None
    assert cells(table)[1:] == [
        ["space-before-comma", "punctuation", "1", "0"],
        ["untranslated-name", "consistency", "0", "1"],
        ["All rules", "", "1", "1"],
    ]


def test_stories_put_the_original_first(rich: BeautifulSoup) -> None:
    stories = section(rich, "stories").select("ol.stories > li")
    assert [words_of(story) for story in stories] == [
        (
            "Ferry returns to the northern pier harbour-post, 24 November 2026 original "
            "Le bac gazette-du-lac, 24 November 2026 91 %"
        )
    ]


def test_every_anchor_leads_somewhere(rich: BeautifulSoup) -> None:
    targets = [str(link["href"])[1:] for link in rich.select("a[href^='#']")]
    assert len(targets) >= 8
    assert all(rich.find(id=target) for target in targets)
    ids = [tag["id"] for tag in rich.find_all(id=True)]
    assert len(ids) == len(set(ids))


def test_loads_nothing_from_anywhere(rich: BeautifulSoup) -> None:
    for tag in rich.find_all(True):
        assert not {"src", "srcset", "poster", "data", "action", "style", "background"} & tag.attrs.keys()
        if str(tag.get("href", "")).startswith("http"):
            assert tag.name == "a"
            assert "noopener" in tag["rel"]
    assert [link["href"] for link in rich.find_all("link")] == ["data:,"]
    style = rich.style.string if rich.style else ""
    assert style
    assert "url(" not in style
    assert "@import" not in style


def test_policy_allows_its_own_script_only(rich: BeautifulSoup) -> None:
    policy = rich.find("meta", attrs={"http-equiv": "Content-Security-Policy"})
    assert isinstance(policy, Tag)
    (script,) = rich.find_all("script")
    digest = base64.b64encode(hashlib.sha256(str(script.string).encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy["content"]
    assert "default-src 'none'" in policy["content"]


def test_empty_dataset_draws_a_sensible_page(paper: SimpleNamespace) -> None:
    soup = parsed(paper.draw(sources=()))
    text = words_of(soup.main) if soup.main else ""
    for sentence in (
        "No source took part in this run.",
        "Nothing was set aside.",
        "There is no article yet.",
        "No article shows a sign of machine translation.",
        "No story is told by more than one article.",
        "There was nothing to correct.",
    ):
        assert sentence in text
    assert soup.h1 is not None
    assert soup.h1.string == "Nothing came in: the sources offered no input."
    assert len(soup.select("#next .command")) == 3


def test_scope_of_the_run_is_said(paper: SimpleNamespace) -> None:
    assert "This run wrote 1 article." in words_of(parsed(paper.draw(paper.article(), scope=Scope.RUN)))
    assert "The dataset holds 1 article." in words_of(parsed(paper.draw(paper.article())))


def test_reads_no_other_columns_than_it_says(paper: SimpleNamespace) -> None:
    table = paper.articles(paper.article(text=SENTENCE, artifacts=[paper.artifact(SENTENCE, "” ,", "”,")]))
    rejections = pa.Table.from_pylist([NOT_FOUND | {"input": "/x", "url": None}])
    assert page.render(paper.summary(), table.select(page.ARTICLE_COLUMNS), rejections)


def test_page_is_the_same_every_time(paper: SimpleNamespace) -> None:
    rows = [
        paper.article(article_id=f"a{index}", artifacts=[paper.artifact(SENTENCE, "” ,", "”,")], text=SENTENCE)
        for index in range(5)
    ]
    assert paper.draw(*rows) == paper.draw(*reversed(rows))


def test_reads_dictionary_and_chunked_columns(paper: SimpleNamespace) -> None:
    table = paper.articles(paper.article(), paper.article(article_id="a2"))
    for name in ("source", "language", "published_precision"):
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, table[name].dictionary_encode())
    halves = pa.concat_tables([table[:1], table[1:]])
    stories = pa.table(
        {"article_id": ["a1", "a2"], "story_id": ["s", "s"], "duplicate_of": [None, "a1"], "similarity": [None, 0.9]}
    )
    rejections = pa.table(
        {name: pa.array([], pa.string()) for name in ("source", "input", "url", "stage", "reason", "detail")}
    )
    soup = parsed(page.render(paper.summary(), halves, rejections, stories))
    assert bars(section(soup, "articles"), "Articles by language") == [("English", "2")]
    assert len(soup.select("ol.stories > li")) == 1


def test_many_sources_share_a_line(paper: SimpleNamespace) -> None:
    sources = tuple(
        SourceOutcomes(source=f"paper-{index:03}", inputs=index + 1, outcomes={Outcome.NEW: index + 1})
        for index in range(page.SOURCES + 5)
    )
    table = section(parsed(paper.draw(sources=sources)), "outcomes").table
    assert table is not None
    rows = cells(table)
    assert rows[-2][0] == "5 more sources"
    assert rows[-2][2] == str(1 + 2 + 3 + 4 + 5)
    assert len(rows) == page.SOURCES + 3


@pytest.fixture(scope="module")
def crowded(paper: SimpleNamespace) -> tuple[str, pa.Table]:
    """A report of far more findings than a page has room for, and its articles."""
    text = " ".join(f"Word {index}, and more." for index in range(page.CORRECTIONS_PER_DOCUMENT + 2))
    few = [paper.artifact(text, " ,", ",")]
    many = [
        paper.artifact(text, f"{index} ,", f"{index},", rule=f"rule-{index}")
        for index in range(page.CORRECTIONS_PER_DOCUMENT + 2)
    ]
    rows = [
        paper.article(
            article_id=f"it's {index:05}",
            text=text,
            artifacts=few if index else many,
            published_at=paper.morning - timedelta(minutes=index),
        )
        for index in range(page.DOCUMENTS + 700)
    ]
    table = paper.articles(*rows)
    rejections = pa.Table.from_pylist([NOT_FOUND | {"input": "/x", "url": None}])
    return page.render(paper.summary(), table, rejections, None), table


def test_a_large_dataset_gives_a_small_page(crowded: tuple[str, pa.Table]) -> None:
    html, _ = crowded
    soup = parsed(html)
    assert len(html) < 1_000_000
    assert len(soup.select("article.corrected")) == page.DOCUMENTS
    assert len(soup.select("article.corrected li")) == page.DOCUMENTS - 1 + page.CORRECTIONS_PER_DOCUMENT
    text = words_of(section(soup, "corrections"))
    assert "1,041 findings in 1,000 articles." in text
    assert "the 300 newest articles with findings. 700 older ones are left out" in text
    assert "And 2 more findings in this article:" in text


def queries(soup: BeautifulSoup) -> list[str]:
    """Read the SQL of every `copydesk query` the page suggests, as a shell would pass it on."""
    lines = [shlex.split(words_of(code)) for code in soup.select(".command code")]
    return [line[-1] for line in lines if line[:2] == ["copydesk", "query"]]


def test_suggested_queries_run_and_show_the_rest(crowded: tuple[str, pa.Table]) -> None:
    html, table = crowded
    database = duckdb.connect()
    database.register("articles", table)
    database.register("rejections", pa.Table.from_pylist([NOT_FOUND | {"input": "/x"}]))
    results: list[tuple[str, list[Any]]] = [(sql, database.execute(sql).fetchall()) for sql in queries(parsed(html))]
    assert len(results) == 5
    assert all(rows for _, rows in results)
    (older,) = [rows for sql, rows in results if "OFFSET" in sql]
    assert len(older) == 700
    (single,) = [rows for sql, rows in results if "WHERE article_id" in sql]
    assert len(single) == page.CORRECTIONS_PER_DOCUMENT + 2


def test_commands_name_the_folder_the_user_gave(paper: SimpleNamespace) -> None:
    soup = parsed(paper.draw(run=paper.run(data_folder="my news/it's")))
    lines = [shlex.split(words_of(code)) for code in soup.select("#next .command code")]
    assert lines[0][:4] == ["copydesk", "query", "--data", "my news/it's"]
    assert "my news/it's" in words_of(section(soup, "next"))


def test_tells_what_each_rule_mended_in_this_run(paper: SimpleNamespace) -> None:
    mended = paper.article(text=SENTENCE, artifacts=[paper.artifact(SENTENCE, " , the", ", the")])
    corrections = {"harbour-post": {"space-before-comma": 2}, "gazette": {"space-before-comma": 1}}
    table = BeautifulSoup(paper.draw(mended, corrections=corrections), "lxml").select_one("table.rules")
    assert isinstance(table, Tag)
    assert [cell.get_text() for cell in table.select("thead th, tbody td:last-child")][-2:] == ["By this run", "3"]
    unchanged = BeautifulSoup(paper.draw(mended), "lxml").select_one("table.rules")
    assert isinstance(unchanged, Tag)
    assert "By this run" not in unchanged.get_text()
