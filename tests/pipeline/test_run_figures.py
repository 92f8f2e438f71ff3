"""What a run counts of its own articles, and what the ledger knows of a run that died."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

from flows.sample.site import SampleSite
from storage import read
from storage.records import Run
from storage.store import Store
from tasks.batch import Workers
from tasks.collect import collect_pages
from tasks.documents import Action
from tasks.publish import Published, count_outcomes
from tests.conftest import ingest_without_prefect, job_of, listing_sources, utc_now


def test_corrections_are_those_of_the_rows(sample_run: tuple[Path, Published]) -> None:
    root, published = sample_run
    expected: dict[str, Counter[str]] = {}
    for row in read.articles(root, columns=["source", "artifacts"]).to_pylist():
        mended = (each["rule"] for each in row["artifacts"] if each["action"] == Action.MENDED)
        expected.setdefault(row["source"], Counter()).update(mended)
    assert published.corrections == {source: dict(rules) for source, rules in expected.items() if rules}
    assert sum(rules.total() for rules in expected.values()) > 50


def test_undated_articles_are_those_of_the_rows(sample_run: tuple[Path, Published]) -> None:
    root, published = sample_run
    dated = read.articles(root, columns=["source", "published_precision"]).to_pylist()
    assert published.undated == dict(Counter(row["source"] for row in dated if row["published_precision"] == "fetched"))


def test_what_did_not_change_is_not_counted_again(tmp_path: Path) -> None:
    with SampleSite() as site:
        first = ingest_without_prefect(tmp_path / "data", listing_sources(site), run="first")
        second = ingest_without_prefect(tmp_path / "data", listing_sources(site), run="second")
    assert first.corrections != {}
    assert (second.corrections, second.undated) == ({}, {})


def test_a_dead_run_is_credited_with_what_it_had_brought(tmp_path: Path) -> None:
    root = tmp_path / "data"
    dead = job_of(root, "dead")
    with SampleSite() as site, Store.open(root) as store:
        for name in ("dead", "idle"):
            store.ledger.start_run(Run(run=name, flow="ingest", started_at=utc_now() - timedelta(hours=1)))
        with Workers(1) as workers:
            for batch in collect_pages(dead, listing_sources(site)):
                workers.edit(dead, batch)
        with store.files.lock("run-alive"):
            store.ledger.start_run(Run(run="alive", flow="ingest", started_at=utc_now()))
            ingest_without_prefect(root, listing_sources(site), run="next")
            found = {run.run: run for run in store.ledger.runs()}
    assert found["dead"].trouble == "It was cut short; a later run published what it had edited."
    assert found["dead"].finished_at is None
    assert found["dead"].counts["new"] == read.articles(root).num_rows
    assert sum(counts.get("new", 0) for counts in found["dead"].sources.values()) == found["dead"].counts["new"]
    assert sum(sum(rules.values()) for rules in found["dead"].corrections.values()) > 50
    assert found["idle"].trouble == "It was cut short."
    assert found["alive"].trouble is None


def test_outcomes_are_counted_by_source_too(sample_run: tuple[Path, Published]) -> None:
    _, published = sample_run
    counted: Counter[str] = Counter()
    for counts in published.by_source().values():
        counted.update(counts)
    assert counted == count_outcomes(published.outcomes)
    assert published.by_source().keys() == published.inputs.keys()
