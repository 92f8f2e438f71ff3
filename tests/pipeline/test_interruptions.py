"""Runs that are cut short, pages that kill their worker: the next run finishes the work, and nothing is lost."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from flows.sample.site import SampleSite
from storage import read
from storage.store import Store
from tasks.batch import Workers
from tasks.collect import collect_pages
from tasks.documents import Outcome, Reason
from tasks.publish import publish_run
from tests.conftest import ingest_without_prefect, job_of, listing_sources, rows
from tests.pipeline.culprit import CULPRIT, edit_or_die


def test_a_page_that_kills_its_worker_costs_itself_only(tmp_path: Path) -> None:
    at_work = job_of(tmp_path / "data", "fatal", workers=2)
    with SampleSite() as site, Workers(2, edit_or_die) as workers:
        for batch in collect_pages(at_work, listing_sources(site)):
            workers.edit(at_work, batch)
        published = publish_run(at_work)
    crashed = [row for row in read.rejections(at_work.place.root).to_pylist() if row["reason"] == Reason.CRASHED]
    assert [CULPRIT in row["input"] for row in crashed] == [True]
    assert published.outcomes.num_rows == sum(published.inputs.values())
    assert read.articles(at_work.place.root).num_rows > 40


def test_processes_make_the_rows_that_one_process_makes(tmp_path: Path) -> None:
    with SampleSite() as site:
        ingest_without_prefect(tmp_path / "one", listing_sources(site), run="run", workers=1)
        ingest_without_prefect(tmp_path / "two", listing_sources(site), run="run", workers=2)
    assert rows(tmp_path / "one") == rows(tmp_path / "two")


def test_what_a_dead_run_had_edited_is_published_by_the_next(tmp_path: Path) -> None:
    root = tmp_path / "data"
    with SampleSite() as site:
        dead = job_of(root, "dead")
        with Workers(1) as workers:
            for batch in collect_pages(dead, listing_sources(site)):
                workers.edit(dead, batch)
        asked = len(site.requests)
        published = ingest_without_prefect(root, listing_sources(site), run="next")
        fetched = Counter(request.status for request in site.requests[asked:])
    assert read.articles(root).num_rows > 40
    assert Counter(published.outcomes["outcome"].to_pylist())[Outcome.NEW] == 0
    assert fetched[304] > 40
    with Store.open(root) as store:
        assert store.staging.runs() == {}


def test_archived_pages_of_a_dead_run_are_not_asked_for_again(tmp_path: Path) -> None:
    root = tmp_path / "data"
    with SampleSite() as site:
        list(collect_pages(job_of(root, "dead"), listing_sources(site)))
        asked = len(site.requests)
        ingest_without_prefect(root, listing_sources(site), run="next")
        again = [request for request in site.requests[asked:] if request.path.startswith("/2026/")]
    assert read.articles(root).num_rows > 40
    assert {request.status for request in again} <= {404, 410, 500, 503, 200}
    assert len({request.path for request in again}) < 10


INGEST = """
import sys
from pathlib import Path
from tests.conftest import ingest_without_prefect
from tasks.fetch.sources import Source, SourceKind
base, root = sys.argv[1:]
paths = ("/feed.xml", "/atom.xml", "/sitemap-news.xml")
sources = [
    Source(name=f"harbour-{n}", kind=SourceKind.WEB, location=base + path, delay=0.0, allow_private=True)
    for n, path in enumerate(paths)
]
ingest_without_prefect(Path(root), sources, run="killed")
"""


@pytest.mark.parametrize("seconds", [1.0, 2.0, 3.5])
def test_killed_at_any_moment_the_next_run_ends_in_the_same_rows(tmp_path: Path, seconds: float) -> None:
    root = tmp_path / "data"
    with SampleSite() as site:
        process = subprocess.Popen(
            [sys.executable, "-c", INGEST, site.base_url, str(root)],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()
        ingest_without_prefect(root, listing_sources(site), run="next")
        ingest_without_prefect(tmp_path / "whole", listing_sources(site), run="whole")
    assert rows(root) == rows(tmp_path / "whole")
