"""What tests share: the sample newspaper, and the dataset that a run makes of it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from flows.sample.site import SampleSite
from storage import read
from storage.store import Place
from tasks.attempts import remember_attempts
from tasks.batch import Workers
from tasks.collect import collect_pages
from tasks.edit import Desk
from tasks.fetch.exchange import Limits
from tasks.fetch.sources import Source, SourceKind
from tasks.fetch.window import Window
from tasks.job import Announce, Job, tell_no_one
from tasks.publish import Published, finish_interrupted, publish_run, tell_stories

# The first example of a test pays for what is loaded late, and a busy machine for everything: nothing is timed here.
settings.register_profile("copydesk", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("copydesk")

Ingest = Callable[..., Published]


def utc_now() -> datetime:
    return datetime.now(UTC)


def listing_sources(site: SampleSite) -> list[Source]:
    return [
        Source(name=f"harbour-{number}", kind=SourceKind.WEB, location=url, delay=0.0, allow_private=True)
        for number, url in enumerate(site.listings)
    ]


def job_of(where: Path | Place, run: str, **changes: Any) -> Job:
    """Return a job on a dataset, as a flow would begin it; what is not named is small and quick."""
    usual: dict[str, Any] = {
        "name": run,
        "flow": "test",
        "place": where if isinstance(where, Place) else Place(root=str(where)),
        "started_at": utc_now(),
        "clock": utc_now,
        "seed": 0,
        "desk": Desk(),
        "batch_size": 20,
        "limits": Limits(backoff_seconds=0.02),
    }
    return Job(run=run, **(usual | changes))


def ingest_without_prefect(
    where: Path | Place,
    sources: list[Source],
    *,
    run: str,
    workers: int = 1,
    window: Window | None = None,
    announce: Announce = tell_no_one,
) -> Published:
    """Do what the `ingest` flow does, as plain function calls."""
    job = job_of(where, run, workers=workers, window=window, announce=announce)
    place = job.place
    with place.open() as store, store.files.lock(f"run-{run}"), Workers(workers) as at_work:
        finish_interrupted(job)
        for batch in collect_pages(job, sources):
            at_work.edit(job, batch)
        published = publish_run(job)
        remember_attempts(job, sources, published)
        tell_stories(place, published.days, run=run, now=job.started_at)
    return published


def rows(root: Path) -> list[dict[str, object]]:
    """The articles without what belongs to one run or one server."""
    apart = {"fetched_at", "first_seen_at", "updated_at", "page", "url", "canonical_url", "input", "article_id"}
    table = read.articles(root)
    return sorted(
        ({name: value for name, value in row.items() if name not in apart} for row in table.to_pylist()), key=str
    )


@pytest.fixture(scope="session")
def site() -> Iterator[SampleSite]:
    with SampleSite() as site:
        yield site


@pytest.fixture(scope="session")
def sample_run(site: SampleSite, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Published]:
    """The dataset of one run over the sample newspaper, and what the run said of it. Read only."""
    root = tmp_path_factory.mktemp("sample") / "data"
    return root, ingest_without_prefect(root, listing_sources(site), run="sample")


@pytest.fixture(scope="session")
def sample_data(sample_run: tuple[Path, Published]) -> Path:
    return sample_run[0]
