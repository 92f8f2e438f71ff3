"""Today's desk over archived pages: the rows of a dataset made anew, without network, from what the archive keeps."""

import shutil
from collections import Counter
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from flows.sample.site import SampleSite
from storage import read
from storage.store import Place, Store
from storage.verify import verify
from tasks.archived import Cause, Selection, collect_archived, find_archived, plan
from tasks.batch import Workers
from tasks.collect import collect_pages
from tasks.documents import Outcome
from tasks.edit import Desk, versions
from tasks.fetch.sources import source_from_argument
from tasks.publish import Published, finish_runs, publish_run, tell_stories
from tasks.rows import archived_pages
from tests.conftest import ingest_without_prefect, job_of, listing_sources, utc_now
from tests.storage.conftest import of_version

DAY = date(2026, 2, 5)


def reprocess(root: Path, selection: Selection, *, run: str = "again") -> Published:
    at_work = job_of(root, run)
    with Workers(1) as workers:
        for batch in collect_archived(at_work, selection):
            workers.edit(at_work, batch)
    published = publish_run(at_work)
    tell_stories(at_work.place, published.days, run=run, now=at_work.started_at)
    return published


def causes(root: Path, selection: Selection | None = None) -> Counter[Cause]:
    with Store.open(root) as store:
        return Counter(found.cause for found in find_archived(store, selection or Selection(), versions(Desk())))


def rows(root: Path) -> list[dict[str, object]]:
    return read.articles(root).sort_by("article_id").to_pylist()


def without(rows: list[dict[str, object]], *names: str) -> list[dict[str, object]]:
    return [{name: value for name, value in row.items() if name not in names} for row in rows]


@pytest.fixture(scope="module")
def old_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample newspaper's dataset as an older copydesk made it; the newspaper itself is closed."""
    root = tmp_path_factory.mktemp("old") / "data"
    with pytest.MonkeyPatch.context() as patch, SampleSite() as site:
        patch.setattr("tasks.edit.PIPELINE_VERSION", "0.0.1")
        ingest_without_prefect(root, listing_sources(site), run="old")
    return root


@pytest.fixture
def root(old_data: Path, tmp_path: Path) -> Path:
    shutil.copytree(old_data, tmp_path / "data")
    return tmp_path / "data"


def test_stale_rows_are_made_anew_and_say_the_same(root: Path) -> None:
    before, set_aside = rows(root), read.rejections(root)
    published = reprocess(root, Selection())
    after = rows(root)
    assert without(after, "versions") == without(before, "versions")
    assert {row["versions"]["pipeline"] for row in after} == {versions(Desk()).pipeline}  # type: ignore[index]
    assert set(published.outcomes["outcome"].to_pylist()) == {Outcome.UNCHANGED, Outcome.REJECTED}
    assert sum(published.inputs.values()) == published.outcomes.num_rows > len(after)
    judged = [row for row in read.rejections(root).to_pylist() if row["page"] is not None]
    assert {row["versions"]["pipeline"] for row in judged} == {versions(Desk()).pipeline}
    assert read.rejections(root).num_rows == set_aside.num_rows
    with Store.open(root) as store:
        assert verify(store).clean


def test_columns_that_older_rows_lack_are_filled_from_the_archive(root: Path) -> None:
    before = rows(root)
    for path in (root / "articles").rglob("*.parquet"):
        pq.write_table(of_version("1", pq.ParquetFile(path).read()), path)
    (root / "state" / "ledger.sqlite").unlink()
    shutil.rmtree(root / "state" / "manifest")
    assert {row["blocks"] for row in rows(root)} == {None}
    published = reprocess(root, Selection())
    assert without(rows(root), "versions") == without(before, "versions")
    assert set(published.outcomes["outcome"].to_pylist()) == {Outcome.UNCHANGED, Outcome.REJECTED}
    assert any(row["live_entries"] for row in before)


def test_what_was_made_anew_is_not_stale_any_more(root: Path) -> None:
    assert causes(root)[Cause.STALE] == len(rows(root))
    reprocess(root, Selection())
    assert causes(root) == {}
    files = {path: path.stat().st_mtime_ns for path in (root / "articles").rglob("*.parquet")}
    published = reprocess(root, Selection(stale_only=False), run="all")
    assert published.days == ()
    assert {path: path.stat().st_mtime_ns for path in (root / "articles").rglob("*.parquet")} == files


def test_the_next_ingest_edits_no_page_of_a_row_again(tmp_path: Path) -> None:
    root = tmp_path / "data"
    with SampleSite() as site:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tasks.edit.PIPELINE_VERSION", "0.0.1")
            ingest_without_prefect(root, listing_sources(site), run="old")
        reprocess(root, Selection())
        batches = list(collect_pages(job_of(root, "next"), listing_sources(site)))
    with Store.open(root) as store:
        edited = {page.input for batch in batches for page in archived_pages(store.staging.read(batch.path))}
    assert edited.isdisjoint(row["input"] for row in rows(root))


def test_a_lost_ledger_costs_no_row_its_hints(root: Path) -> None:
    before = rows(root)
    shutil.rmtree(root / "state")
    assert causes(root)[Cause.STALE] == len(before)
    reprocess(root, Selection())
    assert without(rows(root), "versions") == without(before, "versions")


def test_what_a_dead_run_had_made_anew_is_not_made_again(root: Path) -> None:
    dead = job_of(root, "dead")
    with Workers(1) as workers:
        done = next(collect_archived(dead, Selection()))
        workers.edit(dead, done)
    before = causes(root).total()
    assert finish_runs(dead.place, utc_now()) == 1
    assert causes(root).total() == before - done.count
    reprocess(root, Selection())
    assert causes(root) == {}


def test_the_plan_counts_by_source_and_cause(root: Path) -> None:
    planned = plan(Place(root=str(root)), Selection(), versions(Desk()))
    assert sum(line.pages for line in planned) == causes(root).total()
    assert {line.cause for line in planned} == {Cause.STALE, Cause.SET_ASIDE}
    assert min(line.first_day for line in planned) == min(row["published_date"] for row in rows(root))  # type: ignore[type-var]


def test_a_day_and_a_source_can_be_chosen(root: Path) -> None:
    chosen = Selection(partitions=frozenset({("harbour-0", DAY)}))
    reprocess(root, chosen)
    for row in rows(root):
        is_new = row["versions"]["pipeline"] == versions(Desk()).pipeline  # type: ignore[index]
        assert is_new == (row["source"] == "harbour-0" and row["published_date"] == DAY)


def test_lost_rows_come_back_under_their_ids(root: Path) -> None:
    reprocess(root, Selection())
    before = rows(root)
    shutil.rmtree(root / "articles" / f"published_date={DAY}")
    lost = len(before) - len(rows(root))
    assert causes(root) == {Cause.LOST: lost}
    published = reprocess(root, Selection(first_day=DAY, last_day=DAY), run="back")
    assert Counter(published.outcomes["outcome"].to_pylist()) == {Outcome.NEW: lost}
    apart = ("first_seen_at", "updated_at", "revision")
    assert without(rows(root), *apart) == without(before, *apart)


def test_documents_from_disk_come_back_too(tmp_path: Path) -> None:
    folder, root = tmp_path / "in", tmp_path / "data"
    folder.mkdir()
    for name in ("one", "two"):
        text = f"date: 2026-02-05\n\nThe {name} crane sings\n\n" + f"The {name} crane was tested again. " * 9
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    ingest_without_prefect(root, [source_from_argument(str(folder))], run="first")
    before = rows(root)
    shutil.rmtree(folder)
    shutil.rmtree(root / "articles")
    assert causes(root) == {Cause.LOST: 2}
    reprocess(root, Selection())
    apart = ("first_seen_at", "updated_at", "revision")
    assert without(rows(root), *apart) == without(before, *apart)


def test_a_page_that_is_gone_stays_marked(tmp_path: Path) -> None:
    root = tmp_path / "data"
    with pytest.MonkeyPatch.context() as patch, SampleSite() as site:
        patch.setattr("tasks.edit.PIPELINE_VERSION", "0.0.1")
        ingest_without_prefect(root, listing_sources(site), run="first")
        victim = next(row for row in rows(root) if row["source"] == "harbour-0")
        site.withdraw(str(victim["url"]).removeprefix(site.base_url))
        ingest_without_prefect(root, listing_sources(site), run="second")
    reprocess(root, Selection())
    row = next(row for row in rows(root) if row["article_id"] == victim["article_id"])
    assert row["gone_at"] is not None
    assert row["versions"]["pipeline"] == versions(Desk()).pipeline  # type: ignore[index]
    assert victim["input"] in read.rejections(root)["input"].to_pylist()


def test_a_page_that_is_not_kept_any_more_leaves_its_row_alone(root: Path) -> None:
    before, wanted = rows(root), causes(root).total()
    shutil.rmtree(root / "pages")
    published = reprocess(root, Selection())
    assert rows(root) == before
    assert (sum(published.inputs.values()), sum(published.left_out.values())) == (0, wanted)
