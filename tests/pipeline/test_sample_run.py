"""The sample newspaper through the whole pipeline, without Prefect: every input accounted for, every row right."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pytest

from flows.sample.expected import Expected, expected
from flows.sample.site import SampleSite
from storage import read
from storage.store import Store
from storage.upkeep import forget
from storage.verify import verify
from tasks.artifacts.mend import undo
from tasks.documents import Action, Artifact, Outcome, Precision
from tasks.fetch.sources import source_from_argument
from tasks.publish import Published
from tests.conftest import ingest_without_prefect, listing_sources, utc_now

LISTED = [each for each in expected() if each.outcome is not None]
STORIES = [each for each in LISTED if each.story is not None and each.outcome is Outcome.NEW]
REJECTED = [each for each in LISTED if each.outcome is Outcome.REJECTED]


def link(each: Expected) -> str:
    return each.link


@pytest.fixture(scope="module")
def outcomes(sample_run: tuple[Path, Published], site: SampleSite) -> dict[str, Counter[str]]:
    """The outcomes of each listed address, below the site's own."""
    found: dict[str, Counter[str]] = {}
    for row in sample_run[1].outcomes.to_pylist():
        found.setdefault(row["input"].removeprefix(site.base_url), Counter())[row["outcome"]] += 1
    return found


@pytest.fixture(scope="module")
def articles(sample_data: Path, site: SampleSite) -> dict[str, dict[str, object]]:
    """The stored articles by the path of their page."""
    return {row["url"].removeprefix(site.base_url): row for row in read.articles(sample_data).to_pylist()}


@pytest.fixture(scope="module")
def rejections(sample_data: Path, site: SampleSite) -> dict[str, dict[str, object]]:
    return {row["input"].removeprefix(site.base_url): row for row in read.rejections(sample_data).to_pylist()}


def test_outcomes_sum_to_inputs(sample_run: tuple[Path, Published]) -> None:
    published = sample_run[1]
    assert sum(published.inputs.values()) == published.outcomes.num_rows
    assert len(set(published.outcomes["number"].to_pylist())) == published.outcomes.num_rows


def test_every_listed_address_has_its_outcome(outcomes: dict[str, Counter[str]]) -> None:
    assert outcomes.keys() == {each.link for each in LISTED}
    assert sum(count.total() for count in outcomes.values()) == sum(len(each.listed) for each in LISTED)


@pytest.mark.parametrize("each", STORIES, ids=link)
def test_a_story_becomes_an_article(each: Expected, articles: dict[str, dict[str, object]]) -> None:
    story = each.story
    assert story is not None
    row = articles[story.path]
    assert row["title"] == story.mended_title
    assert str(row["language"]).split("-")[0] == story.language.split("-")[0]
    if row["published_precision"] == Precision.DAY:  # the page shows a time without a zone, or none
        assert row["published_at"].date() == story.published.date()
    else:
        assert row["published_at"] == story.published
    assert row["authors"] == list(story.authors)


@pytest.mark.parametrize("each", REJECTED, ids=link)
def test_a_page_that_is_no_article_is_set_aside_with_its_reason(
    each: Expected, rejections: dict[str, dict[str, object]]
) -> None:
    row = rejections[each.link]
    assert (row["stage"], row["reason"]) == (each.stage, each.reason)


def test_nothing_private_was_asked_for(site: SampleSite, sample_data: Path) -> None:
    assert sample_data.exists()
    assert not [request for request in site.requests if request.path.startswith("/private/")]


def test_a_third_of_the_stories_is_mended(articles: dict[str, dict[str, object]]) -> None:
    mended = [row for row in articles.values() if any(each["action"] == Action.MENDED for each in row["artifacts"])]
    assert len(mended) * 3 >= sum(bool(each.story and each.story.shows_translation) for each in STORIES) * 2


@pytest.mark.parametrize("each", STORIES, ids=link)
def test_what_was_printed_can_be_had_back(each: Expected, articles: dict[str, dict[str, object]]) -> None:
    """Text and artifacts give back every word as printed (spaces apart, which the page's markup may fold)."""
    story = each.story
    assert story is not None
    row = articles[story.path]
    artifacts = [
        Artifact(**{**artifact, "action": Action(artifact["action"])})
        for artifact in row["artifacts"]
        if artifact["field"] == "text"
    ]
    printed = undo(str(row["text"]), artifacts)
    for paragraph in story.paragraphs:
        if not story.cut_after:
            assert "".join(paragraph.split()) in "".join(printed.split())


def test_engines_agree_on_rows_and_types(sample_data: Path) -> None:
    folder = sample_data / "articles"
    partitioning = pa.dataset.partitioning(pa.schema([("published_date", pa.date32())]), flavor="hive")
    arrow = pa.dataset.dataset(folder, format="parquet", partitioning=partitioning).to_table()
    frame = pd.read_parquet(folder)
    polars = pl.read_parquet(folder / "**/*.parquet", hive_partitioning=True)
    duck = duckdb.execute(
        f"SELECT * FROM read_parquet('{folder}/**/*.parquet', hive_partitioning = true)"
    ).to_arrow_table()
    assert arrow.num_rows == len(frame) == polars.height == duck.num_rows
    assert set(arrow.column_names) == set(frame.columns) == set(polars.columns) == set(duck.column_names)
    ids = sorted(arrow["article_id"].to_pylist())
    assert ids == sorted(frame["article_id"]) == sorted(polars["article_id"]) == sorted(duck["article_id"].to_pylist())
    assert len(set(ids)) == len(ids)
    assert arrow.schema.field("published_at").type == pa.timestamp("us", tz="UTC")
    # DuckDB hands instants out in the machine's own time zone.
    assert duck.schema.field("published_at").type.unit == "us"
    assert duck["published_at"].cast(pa.int64()).to_pylist() == duck_order(arrow, duck)
    assert polars.schema["published_at"] == pl.Datetime("us", "UTC")
    assert str(frame["published_at"].dtype) == "datetime64[us, UTC]"
    assert polars.schema["published_date"] == pl.Date
    assert duck.schema.field("published_date").type == pa.date32()


def duck_order(arrow: pa.Table, duck: pa.Table) -> list[int]:
    """Arrow's instants in the order of DuckDB's rows."""
    instants = dict(
        zip(arrow["article_id"].to_pylist(), arrow["published_at"].cast(pa.int64()).to_pylist(), strict=True)
    )
    return [instants[id_] for id_ in duck["article_id"].to_pylist()]


@pytest.fixture
def own_site() -> Iterator[SampleSite]:
    with SampleSite() as site:
        yield site


def files_of(root: Path) -> dict[str, tuple[int, bytes]]:
    """Every dataset file with its time of change and bytes."""
    return {
        str(path.relative_to(root)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in root.glob("[!s]*/**/*.parquet")
    }


def test_a_second_run_touches_no_file_and_fetches_nothing_again(own_site: SampleSite, tmp_path: Path) -> None:
    root = tmp_path / "data"
    first = ingest_without_prefect(root, listing_sources(own_site), run="first")
    before, asked = files_of(root), len(own_site.requests)
    second = ingest_without_prefect(root, listing_sources(own_site), run="second")
    assert files_of(root) == before
    assert second.days == ()
    assert second.inputs == first.inputs
    assert not {Outcome.NEW, Outcome.UPDATED} & set(second.outcomes["outcome"].to_pylist())
    again = {request.path for request in own_site.requests[asked:] if request.status == 200}
    failed = {each.link for each in REJECTED}
    assert again - failed == set()


def test_a_correction_updates_its_row_alone(own_site: SampleSite, tmp_path: Path) -> None:
    root = tmp_path / "data"
    ingest_without_prefect(root, listing_sources(own_site), run="first")
    story = next(
        each.story for each in STORIES if each.story and each.story.language == "en" and not each.story.residue
    )
    word = story.paragraphs[0].split()[1]
    own_site.correct(story.path, story.paragraphs[0], story.paragraphs[0].replace(word, "CORRECTED", 1))
    second = ingest_without_prefect(root, listing_sources(own_site), run="second")
    counts = Counter(second.outcomes["outcome"].to_pylist())
    assert (counts[Outcome.UPDATED], counts[Outcome.NEW]) == (1, 0)
    row = next(row for row in read.articles(root).to_pylist() if row["url"].endswith(story.path))
    assert row["revision"] == 2
    assert "CORRECTED" in row["text"]
    assert row["first_seen_at"] < row["updated_at"]


def test_a_rejection_goes_when_its_input_succeeds(tmp_path: Path) -> None:
    folder, root = tmp_path / "in", tmp_path / "data"
    folder.mkdir()
    (folder / "note.txt").write_bytes(b"")
    source = source_from_argument(str(folder))
    ingest_without_prefect(root, [source], run="first")
    assert read.rejections(root).num_rows == 1
    (folder / "note.txt").write_text(
        "date: 2026-02-03\n\nThe crane sings again\n\n" + "The crane was tested in front of a hundred people. " * 5,
        encoding="utf-8",
    )
    ingest_without_prefect(root, [source], run="second")
    assert (read.rejections(root).num_rows, read.articles(root).num_rows) == (0, 1)


def test_a_page_that_goes_is_marked_and_cleared_when_it_comes_back(own_site: SampleSite, tmp_path: Path) -> None:
    root = tmp_path / "data"
    story = next(each.story for each in STORIES if each.story and not each.story.residue and "rss" in each.listed)
    ingest_without_prefect(root, listing_sources(own_site), run="first")

    def row() -> dict[str, object]:
        return next(row for row in read.articles(root).to_pylist() if row["url"].endswith(story.path))

    before = row()
    assert before["gone_at"] is None
    own_site.withdraw(story.path)
    ingest_without_prefect(root, listing_sources(own_site), run="second")
    gone = row()
    assert gone["gone_at"] is not None
    assert (gone["text"], gone["revision"]) == (before["text"], 1)
    own_site.put_back(story.path)
    ingest_without_prefect(root, listing_sources(own_site), run="third")
    assert row()["gone_at"] is None
    assert story.path not in str(read.rejections(root)["input"].to_pylist())


def test_what_is_forgotten_stays_away(own_site: SampleSite, tmp_path: Path) -> None:
    root = tmp_path / "data"
    ingest_without_prefect(root, listing_sources(own_site), run="first")
    victim = read.articles(root, columns=["article_id", "url"]).to_pylist()[0]
    with Store.open(root) as store:
        assert forget(store, url=victim["url"], now=utc_now())
    again = ingest_without_prefect(root, listing_sources(own_site), run="second")
    assert victim["article_id"] not in read.articles(root)["article_id"].to_pylist()
    skipped = [row["input"] for row in again.outcomes.to_pylist() if row["outcome"] == Outcome.SKIPPED]
    assert set(skipped) == {victim["url"]}
    with Store.open(root) as store:
        assert verify(store).clean


def test_the_same_folder_again_has_the_same_outcomes(tmp_path: Path) -> None:
    folder, root = tmp_path / "in", tmp_path / "data"
    folder.mkdir()
    for name in ("one", "two"):
        (folder / f"{name}.txt").write_text(
            f"The {name} crane sings\n\n" + "It was tested again. " * 9, encoding="utf-8"
        )
    (folder / "copy.txt").write_bytes((folder / "one.txt").read_bytes())
    (folder / "two.txt").rename(folder / os.fsdecode(b"caf\xe9.txt"))
    source = source_from_argument(str(folder))
    counted = [
        Counter(ingest_without_prefect(root, [source], run=run).outcomes["outcome"].to_pylist())
        for run in ("first", "second", "third")
    ]
    assert counted == [{"new": 2, "repeated": 1}, {"unchanged": 2, "repeated": 1}, {"unchanged": 2, "repeated": 1}]
    assert "caf\\xe9.txt" in read.articles(root)["input"].to_pylist()
