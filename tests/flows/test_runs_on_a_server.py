"""Runs against a real Prefect server: what it shows of them, and that nothing is lost when someone dies or cancels."""

import json
import os
import random
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from flows.sample.site import SampleSite
from storage import read
from storage.store import Store
from storage.verify import verify
from tests.conftest import rows
from tests.flows.processes import COPYDESK, clean_environment, prefect_server

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("server"), pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with prefect_server(tmp_path_factory.mktemp("server")) as api:
        yield api


def asked_of(api: str, path: str, body: dict[str, Any]) -> Any:
    """Ask Prefect's API as its UI does."""
    request = urllib.request.Request(
        f"{api}/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def flow_run_over(folder: Path, api: str) -> Any:
    """Return the first run over a test's dataset, as Prefect knows it."""
    asked = {"flow_runs": {"tags": {"all_": [f"dataset:{folder.name}"]}}, "sort": "START_TIME_ASC"}
    wait_for(lambda: bool(asked_of(api, "flow_runs/filter", asked)))
    return asked_of(api, "flow_runs/filter", asked)[0]


def settings(folder: Path, site: SampleSite, delay: float = 0.0, more: str = "") -> None:
    """Write settings for the sample newspaper; the dataset is called as the test's folder, by which it is known."""
    sources = "".join(
        f'[sources.harbour-{number}]\nlocation = "{url}"\nallow_private = true\n'
        for number, url in enumerate(site.listings)
    )
    text = f'data = "{folder.name}"\nworkers = 2\nbatch_size = 10\nbackoff = 0.02\ndelay = {delay}\n{more}\n{sources}'
    (folder / "copydesk.toml").write_text(text, encoding="utf-8")


@contextmanager
def started(folder: Path, site: SampleSite, **environment: str) -> Iterator["subprocess.Popen[str]"]:
    """Start `copydesk run` in a group of its own, and wait until it asks for articles."""
    asked = len(site.requests)
    process = subprocess.Popen(
        [*COPYDESK, "run"],
        cwd=folder,
        env=clean_environment(**environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        wait_for(lambda: any(each.path.startswith("/2026/") for each in site.requests[asked:]))
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 240
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def run(folder: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COPYDESK, *arguments],
        cwd=folder,
        env=clean_environment(**environment),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def states(folder: Path) -> list[str]:
    """Return how the runs stand, the latest first."""
    return [each["state"] for each in json.loads(run(folder, "runs", "--json").stdout)]


def assert_whole(folder: Path, undisturbed: Path) -> None:
    """Assert that the dataset is sound, and has the rows that a run no one disturbed makes."""
    assert rows(folder / folder.name) == rows(undisturbed)
    with Store.open(folder / folder.name) as store:
        assert verify(store).findings == ()


def test_a_broken_gate_fails_the_run_and_keeps_its_rows(api: str, site: SampleSite, tmp_path: Path) -> None:
    settings(tmp_path, site, more='[gates]\nrejections = 0.05\non_break = "fail"')
    done = run(tmp_path, "run", PREFECT_API_URL=api, COPYDESK_LOG_FORMAT="json")
    assert done.returncode == 1, done.stderr
    assert "at most 5 % is expected" in " ".join(done.stdout.split())
    assert read.articles(tmp_path / tmp_path.name).num_rows > 40

    lines = [json.loads(line) for line in done.stderr.splitlines()]
    named = {(line["flow"], line["run"]) for line in lines if "run" in line}
    assert len(named) == 1
    assert {"collect", "edit", "commit"} <= {line.get("stage") for line in lines}
    [told] = [line for line in lines if line["level"] == "error" and "stage" not in line and "run" in line]
    assert told["message"].startswith("rejections: ")

    flow_run = flow_run_over(tmp_path, api)
    assert flow_run["state"]["type"] == "FAILED"
    assert flow_run["state"]["message"] == told["message"]
    assert flow_run["tags"] == ["copydesk", f"dataset:{tmp_path.name}"]
    found = asked_of(api, "artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [flow_run["id"]]}}})
    shown = {each["key"]: each["data"] for each in found if each["key"]}
    tables = ("outcomes", "rejections", "corrections", "stages", "summary", "report", "progress")
    assert shown.keys() == {f"ingest-{name}" for name in tables}
    assert shown["ingest-progress"] == 100
    assert "**Broken** rejections" in shown["ingest-summary"]
    assert f"{tmp_path}/{tmp_path.name}/report/index.html" in shown["ingest-report"]


def test_a_killed_run_is_finished_by_the_next(api: str, site: SampleSite, sample_data: Path, tmp_path: Path) -> None:
    settings(tmp_path, site, delay=0.02)
    with started(tmp_path, site, PREFECT_API_URL=api) as process:
        assert states(tmp_path) == ["running"]
        time.sleep(random.uniform(0, 2))
        os.killpg(process.pid, signal.SIGKILL)
    assert states(tmp_path)[0] in ("interrupted", "done")
    done = run(tmp_path, "run", PREFECT_API_URL=api)
    assert done.returncode == 0, done.stderr
    assert states(tmp_path)[0] == "done"
    assert_whole(tmp_path, sample_data)


def test_a_run_that_is_cancelled_in_prefect_stops_and_keeps_what_it_has(
    api: str, site: SampleSite, sample_data: Path, tmp_path: Path
) -> None:
    settings(tmp_path, site, delay=0.5)
    with started(tmp_path, site, PREFECT_API_URL=api) as process:
        flow_run = flow_run_over(tmp_path, api)
        cancelling = {"state": {"type": "CANCELLING", "name": "Cancelling"}}
        asked_of(api, f"flow_runs/{flow_run['id']}/set_state", cancelling)
        _, said = process.communicate(timeout=120)
    assert process.returncode == 1, said
    assert said == "copydesk: cancelled in Prefect; what was done is kept, and the next run goes on from there.\n"
    assert flow_run_over(tmp_path, api)["state"]["type"] == "CANCELLED"
    assert states(tmp_path) == ["stopped"]
    settings(tmp_path, site)
    assert run(tmp_path, "run", PREFECT_API_URL=api).returncode == 0
    assert_whole(tmp_path, sample_data)


def test_a_run_outlives_its_server(site: SampleSite, sample_data: Path, tmp_path: Path) -> None:
    settings(tmp_path, site, delay=0.2)
    with started(tmp_path, site) as process:
        [keeper] = children(process.pid, "flows.keeper")
        [server] = children(keeper, "prefect")
        os.kill(server, signal.SIGKILL)
        _, said = process.communicate(timeout=200)
    assert process.returncode == 0, said
    assert "Traceback" not in said
    assert [" ".join(line.split()) for line in said.splitlines()] == [
        "Starting Prefect (about 15 s) …",
        "The Prefect server does not answer; the run goes on without it.",
        "The run is done, but the Prefect server stopped answering, and does not know.",
    ]
    assert states(tmp_path) == ["done"]
    assert_whole(tmp_path, sample_data)


def children(parent: int, words: str) -> list[int]:
    """Return the processes that another has started and whose command line has these words."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    found = (line.split(maxsplit=2) for line in listed.splitlines())
    return [int(pid) for pid, ppid, command in found if int(ppid) == parent and words in command]
