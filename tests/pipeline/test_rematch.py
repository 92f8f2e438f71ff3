"""Watchlists change: the rows that are stale for it are matched again from their stored text, and nothing else."""

from dataclasses import replace
from pathlib import Path
from shutil import copytree

import pytest

from flows.sample.site import SampleSite
from storage import read
from storage.schema import ARTICLES_DATASET
from storage.store import Place
from tasks.archived import Cause, Selection, collect_archived, find_archived, plan
from tasks.batch import Workers
from tasks.collect import collect_pages
from tasks.documents import Outcome
from tasks.edit import Desk, versions
from tasks.fetch.window import Window
from tasks.publish import Published, finish_interrupted, publish_run
from tasks.survey import look
from tasks.topics.watchlists import read_watchlists
from tests.conftest import job_of, listing_sources

TOPICS_ONLY = frozenset({"topics", "versions", "updated_at", "revision"})
DREDGING = Desk(
    watchlists=read_watchlists('[watch.dredging]\nlabel = "Dredging"\nphrases = ["dredg*", "ausbagger*"]', "one.toml")
)
HARBOURS = Desk(
    watchlists=read_watchlists('[watch.harbours]\nlabel = "Harbours"\nphrases = ["harbour*"]', "other.toml")
)


def ingest(root: Path, site: SampleSite, run: str, desk: Desk) -> Published:
    at_work = job_of(root, run, desk=desk)
    with Workers(1) as workers:
        for batch in collect_pages(at_work, listing_sources(site)):
            workers.edit(at_work, batch)
    return publish_run(at_work)


def reprocess(root: Path, run: str, desk: Desk) -> tuple[Published, int]:
    """Return what was published, and how many pages had to be edited for it."""
    at_work, edited = job_of(root, run, desk=desk), 0
    with Workers(1) as workers:
        for batch in collect_archived(at_work, Selection()):
            workers.edit(at_work, batch)
            edited += batch.count
    return publish_run(at_work), edited


def rows(root: Path) -> dict[str, dict[str, object]]:
    return {row["article_id"]: row for row in read.articles(root).to_pylist()}


def without(row: dict[str, object], columns: frozenset[str]) -> dict[str, object]:
    return {name: value for name, value in row.items() if name not in columns}


def watches(root: Path) -> dict[str, list[object]]:
    """Return the articles on each watchlist, from the derived table."""
    found: dict[str, list[object]] = {}
    for row in read.article_topics(root).to_pylist():
        if row["topic_id"].startswith("watch:"):
            found.setdefault(row["topic_id"], []).append(row["article_id"])
    return found


@pytest.fixture(scope="module")
def ingested(site: SampleSite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("watched") / "data"
    ingest(root, site, "first", DREDGING)
    return root


@pytest.fixture
def root(ingested: Path, tmp_path: Path) -> Path:
    return Path(copytree(ingested, tmp_path / "data"))


def test_rows_are_stale_for_their_watchlists_alone(root: Path) -> None:
    known = read.articles(root, columns=["published_date"])["published_date"].to_pylist()
    window = Window(first=min(known), last=max(known))
    with Place(root=str(root)).open() as store:
        causes = {found.cause for found in find_archived(store, Selection(), versions(HARBOURS))}
        fresh = list(find_archived(store, Selection(), versions(DREDGING)))
        seen = look(store, window, versions(HARBOURS)).rows
    assert (causes, fresh) == ({Cause.WATCHLISTS}, [])
    assert len({key for made_by in seen.values() for key in made_by}) == 1
    assert sum(line.pages for line in plan(Place(root=str(root)), Selection(), versions(HARBOURS))) == len(known)


def test_the_stored_text_does_for_new_watchlists(root: Path) -> None:
    before = rows(root)
    published, edited = reprocess(root, "second", HARBOURS)
    after = rows(root)
    assert edited == 0
    assert published.outcomes.num_rows == sum(published.inputs.values()) == len(before)
    assert {id_: without(row, TOPICS_ONLY) for id_, row in after.items()} == {
        id_: without(row, TOPICS_ONLY) for id_, row in before.items()
    }
    assert {row["versions"]["watchlists"] for row in after.values()} == {HARBOURS.watchlists.digest}  # type: ignore
    assert set(watches(root)) == {"watch:harbours"}
    assert reprocess(root, "third", HARBOURS)[0].outcomes.num_rows == 0


def test_matching_again_gives_what_the_desk_would_have_given(root: Path, site: SampleSite, tmp_path: Path) -> None:
    reprocess(root, "second", HARBOURS)
    ingest(tmp_path / "other", site, "first", HARBOURS)
    uncounted = ARTICLES_DATASET.uncounted
    assert {id_: without(row, uncounted) for id_, row in rows(root).items()} == {
        id_: without(row, uncounted) for id_, row in rows(tmp_path / "other").items()
    }


def test_only_articles_whose_lists_changed_get_a_revision(root: Path) -> None:
    was_on = {id_ for ids in watches(root).values() for id_ in ids}
    reprocess(root, "second", Desk())
    changed = {id_ for id_, row in rows(root).items() if row["revision"] == 2}
    assert changed == was_on
    assert watches(root) == {}


def test_a_run_that_died_while_matching_is_finished_by_the_next(root: Path) -> None:
    dead = job_of(root, "dead", desk=HARBOURS)
    assert list(collect_archived(dead, Selection())) == []
    assert set(watches(root)) == {"watch:dredging"}
    assert finish_interrupted(job_of(root, "next", desk=HARBOURS)) == 1
    assert set(watches(root)) == {"watch:harbours"}


def test_pages_that_are_unchanged_stay_unchanged_after_matching_again(root: Path, site: SampleSite) -> None:
    reprocess(root, "second", HARBOURS)
    published = ingest(root, site, "third", HARBOURS)
    assert set(published.outcomes["outcome"].to_pylist()) <= {
        str(each) for each in (Outcome.UNCHANGED, Outcome.REPEATED, Outcome.REJECTED, Outcome.SKIPPED)
    }


def test_an_older_rule_book_needs_the_desk(root: Path) -> None:
    old = replace(versions(HARBOURS), rules="of tomorrow")
    with Place(root=str(root)).open() as store:
        assert Cause.WATCHLISTS not in {found.cause for found in find_archived(store, Selection(), old)}
