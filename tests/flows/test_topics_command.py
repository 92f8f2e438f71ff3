import json
from pathlib import Path

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner

from flows.cli import app
from flows.console import out
from flows.topics import INDENT, TopicsError
from storage import read
from tasks.publish import Published
from tasks.topics.taxonomy import taxonomy
from tasks.topics.watchlists import read_watchlists

Sample = tuple[Path, Published]


def told(*arguments: str, columns: int = 80) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(out, "width", columns)
        result = CliRunner().invoke(app, ["topics", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_tree_begins_with_the_top_topics() -> None:
    assert len(json.loads(told("--json"))) == 17
    assert "economy, business and finance" in told()


def test_a_search_finds_labels_in_any_language() -> None:
    assert "central bank" in told("banque centrale")
    assert [topic["id"] for topic in json.loads(told("Zentralbank", "--json"))] == ["medtop:20000350"]


@pytest.mark.parametrize("name", ["20000346", "medtop:20000346"])
def test_an_id_shows_what_is_below_it(name: str) -> None:
    shown = told(name)
    assert "economy, business and finance › economy › macro economics" in shown
    assert "cryptocurrency" in shown


def test_lines_keep_to_80_columns() -> None:
    assert max(map(len, (told("bank") + told() + told("20000346")).splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [(["99999999"], "IPTC retired it before or added it since"), (["qwxzzyq"], "No topic is called")],
)
def test_what_is_not_there_is_said(arguments: list[str], complaint: str) -> None:
    with pytest.raises(TopicsError, match=complaint):
        CliRunner().invoke(app, ["topics", *arguments], catch_exceptions=False)


def test_words_need_no_quotes() -> None:
    assert told("central", "bank") == told("central bank")


@pytest.mark.parametrize("columns", [50, 80])
def test_each_phrase_has_a_line_of_the_terminal_s_width(sample_run: Sample, columns: int) -> None:
    root, _ = sample_run
    for row in {row["language"]: row for row in read.articles(root).to_pylist()}.values():
        shown = told("--article", row["article_id"], "--data", str(root), columns=columns).splitlines()
        assert max(map(cell_len, shown)) <= columns
        for phrase in (evidence["phrase"] for topic in row["topics"] for evidence in topic["evidence"]):
            assert any(line.startswith(" " * INDENT) and f"«{phrase}»" in line for line in shown), phrase


def test_labels_can_be_had_in_other_languages(sample_run: Sample) -> None:
    root, _ = sample_run
    assert "Wirtschaft und Finanzen" in told("--counts", "--data", str(root), "--language", "de")
    row = next(row for row in read.articles(root).to_pylist() if row["topics"][:1])
    label = taxonomy()[row["topics"][0]["id"]].label("fr")
    assert label in told("--article", row["article_id"], "--data", str(root), "--language", "fr", columns=200)


def test_one_question_at_a_time() -> None:
    assert CliRunner().invoke(app, ["topics", "bank", "--counts"]).exit_code == 2


def test_an_article_s_topics_are_shown_with_their_evidence(sample_run: Sample) -> None:
    root, _ = sample_run
    row = next(row for row in read.articles(root).to_pylist() if row["topics"] and row["topics"][0]["evidence"])
    shown = told("--article", row["article_id"], "--data", str(root))
    assert row["topics"][0]["label"] in shown
    assert f"«{row['topics'][0]['evidence'][0]['phrase']}»" in shown
    facts = json.loads(told("--article", row["url"] or row["article_id"], "--data", str(root), "--json"))
    assert facts["topics"] == row["topics"]


def test_an_article_that_is_not_there_is_said(sample_run: Sample) -> None:
    with pytest.raises(TopicsError, match="there is no such article"):
        CliRunner().invoke(app, ["topics", "--article", "none", "--data", str(sample_run[0])], catch_exceptions=False)


def test_counts_are_those_of_the_dataset(sample_run: Sample) -> None:
    root, _ = sample_run
    counted = {each["id"]: each for each in json.loads(told("--counts", "--data", str(root), "--json"))}
    rows = read.article_topics(root).to_pylist()
    assert sum(each["articles"] for each in counted.values()) == len(rows)
    assert sum(each["first"] for each in counted.values()) == sum(row["position"] == 0 for row in rows)
    assert "first" in told("--counts", "--data", str(root))


def test_the_example_is_a_file_to_start_from() -> None:
    assert read_watchlists(told("--example"), "example.toml").lists
