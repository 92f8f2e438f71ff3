"""Pages edited on a Dask cluster: a real scheduler with real worker processes, which are killed."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from flows.sample.site import SampleSite
from storage import read
from storage.store import Place
from tasks.batch import Edited, Slice, edit_slice
from tasks.cluster import Cluster, ClusterError
from tasks.collect import collect_pages
from tasks.documents import Reason
from tasks.edit import Desk
from tasks.publish import publish_run
from tests.conftest import ingest_without_prefect, job_of, listing_sources, rows
from tests.pipeline.culprit import CULPRIT, edit_or_die

pytestmark = [pytest.mark.xdist_group("dask"), pytest.mark.timeout(600)]
ROOT = Path(__file__).parents[2]


def edit_slowly(place: Place, run: str, part: Slice, desk: Desk) -> Edited:
    """Edit a slice so slowly that its worker can be killed over it."""
    time.sleep(1.5)
    return edit_slice(place, run, part, desk)


@contextmanager
def started(*arguments: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a part of a cluster, as its operator would, and end it with its children."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",
        "DASK_DISTRIBUTED__ADMIN__LOG_FORMAT": "%(message)s",
    }
    command = [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]]
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command, cwd=log.parent, env=environment, stdout=sink, stderr=sink, start_new_session=True
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):  # a test has killed it already
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def said(log: Path, words: str) -> str:
    """Wait until a part of the cluster has said something, and return it."""
    deadline = time.monotonic() + 120
    while not (found := re.search(words, log.read_text(encoding="utf-8", errors="replace"))):
        assert time.monotonic() < deadline, log.read_text(encoding="utf-8", errors="replace")
        time.sleep(0.1)
    return found[0]


@contextmanager
def scheduler(folder: Path) -> Iterator[str]:
    log = folder / "scheduler.log"
    with started("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show", log=log):
        yield said(log, r"tcp://127\.0\.0\.1:\d+")


@contextmanager
def worker(folder: Path, address: str, name: str, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    log = folder / f"{name}.log"
    command = ("worker", address, "--nthreads", "1", "--no-dashboard", "--name", name, *options)
    with started(*command, log=log) as process:
        said(log, "Registered to")
        yield process


def test_a_cluster_makes_the_rows_that_one_process_makes(tmp_path: Path) -> None:
    with SampleSite() as site:
        ingest_without_prefect(tmp_path / "one", listing_sources(site), run="run")
        at_work = job_of(tmp_path / "dask", "run")
        with scheduler(tmp_path) as address, worker(tmp_path, address, "a"), Cluster(address) as cluster:
            for batch in collect_pages(at_work, listing_sources(site)):
                cluster.edit(at_work, batch)
        publish_run(at_work)
    assert rows(tmp_path / "dask") == rows(tmp_path / "one")


def test_a_worker_killed_over_a_batch_costs_time_only(tmp_path: Path) -> None:
    at_work = replace(job_of(tmp_path / "data", "run"), batch_size=200)
    with SampleSite() as site, scheduler(tmp_path) as address:
        ingest_without_prefect(tmp_path / "one", listing_sources(site), run="run")
        with (
            worker(tmp_path, address, "victim", "--no-nanny") as victim,
            worker(tmp_path, address, "other", "--no-nanny"),
            Cluster(address, edit=edit_slowly) as cluster,
        ):
            (batch,) = collect_pages(at_work, listing_sources(site))
            threading.Timer(0.7, victim.kill).start()
            edited = cluster.edit(at_work, batch)
            assert victim.wait(60) == -signal.SIGKILL
        published = publish_run(at_work)
    assert edited.articles + edited.rejections == batch.count
    assert published.outcomes.num_rows == sum(published.inputs.values())
    assert rows(tmp_path / "data") == rows(tmp_path / "one")


def test_a_page_that_kills_workers_costs_itself_only(tmp_path: Path) -> None:
    at_work = job_of(tmp_path / "data", "fatal")
    with SampleSite() as site, Cluster("local", 2, edit_or_die) as cluster:
        for batch in collect_pages(at_work, listing_sources(site)):
            cluster.edit(at_work, batch)
    published = publish_run(at_work)
    crashed = [row for row in read.rejections(at_work.place.root).to_pylist() if row["reason"] == Reason.CRASHED]
    assert [CULPRIT in row["input"] for row in crashed] == [True]
    assert published.outcomes.num_rows == sum(published.inputs.values())
    assert read.articles(at_work.place.root).num_rows > 40


def test_a_cluster_without_workers_is_given_up(tmp_path: Path) -> None:
    with scheduler(tmp_path) as address, pytest.raises(ClusterError, match=r"no worker .*dask worker"):
        Cluster(address, patience=1.0).__enter__()


def test_a_cluster_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"tcp://127\.0\.0\.1:1: no Dask scheduler answers"):
        Cluster("tcp://127.0.0.1:1", patience=1.0).__enter__()


def test_workers_with_another_copydesk_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_work = job_of(tmp_path / "data", "run")
    with SampleSite() as site, Cluster("local", 1) as cluster:
        batch = next(collect_pages(at_work, listing_sources(site)))
        monkeypatch.setattr("tasks.edit.PIPELINE_VERSION", "9.9.9")
        with pytest.raises(ClusterError, match="another copydesk"):
            cluster.edit(at_work, batch)


def test_a_cluster_without_copydesk_is_told_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "__init__.py").touch()  # in the way of ours, wherever that is installed
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    with (
        scheduler(tmp_path) as address,
        worker(tmp_path, address, "bare"),
        pytest.raises(ClusterError, match=r"cannot import copydesk"),
    ):
        Cluster(address).__enter__()
