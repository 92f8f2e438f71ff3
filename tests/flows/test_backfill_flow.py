"""The backfill flow with a real Prefect server: killed in the middle, started again, and asked once more."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from flows.embedded import local_server
from storage.store import Store
from tasks.fetch.sources import source_from_argument
from tests.conftest import ingest_without_prefect
from tests.pipeline.bygone import damage, days, write_days
from tests.pipeline.spoiling import damage_archived, make_stale, remove_day

ROOT = Path(__file__).parents[2]
DAYS = days(12)
LOST, OLD, DAMAGED = DAYS[2:6], DAYS[7:10], DAYS[0]
pytestmark = [pytest.mark.server, pytest.mark.xdist_group("server"), pytest.mark.timeout(900)]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Twelve days of a folder: four are lost, three have grown old, one can be read nowhere."""
    write_days(tmp_path / "courier", DAYS)
    ingest_without_prefect(tmp_path / "data", [source_from_argument(str(tmp_path / "courier"))], run="first")
    with Store.open(tmp_path / "data") as store:
        for day in (*LOST, DAMAGED):
            remove_day(store, day)
        for day in OLD:
            make_stale(store, day)
        damage_archived(store, DAMAGED)
    damage(tmp_path / "courier" / f"{DAMAGED}.warc.gz")
    (tmp_path / "copydesk.toml").write_text('workers = 1\n[sources.courier]\nlocation = "courier"\n', encoding="utf-8")
    return tmp_path


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A Prefect server of its own."""
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    with local_server(tmp_path / "server.log") as url:
        yield f"{url}/api"


def start(home: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "flows.cli", *arguments],
        cwd=home,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(home: Path) -> dict[date, str]:
    """The days of which an attempt by a backfill has come to an end, each with its run."""
    with Store.open(home / "data") as store:
        attempts = store.ledger.attempts(["courier"], DAYS[0], DAYS[-1])
    return {each.day: each.run for each in attempts if each.run != "first" and each.finished_at is not None}


def told(api: str, what: str) -> list[dict[str, str]]:
    asked = Request(f"{api}/{what}/filter", b"{}", {"Content-Type": "application/json"})
    with urlopen(asked, timeout=30) as answer:
        found: list[dict[str, str]] = json.loads(answer.read())
    return found


def test_killed_and_started_again_no_finished_day_is_done_twice(home: Path, api: str) -> None:
    killed = start(home, "backfill", "--concurrency", "1")
    deadline = time.monotonic() + 300
    while len(finished(home)) < 2 and killed.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    done = finished(home)
    assert len(done) >= 2
    assert DAYS[9] in done, "the newest days come first"

    resumed = start(home, "backfill")
    shown, said = resumed.communicate(timeout=600)
    assert resumed.returncode == 1, said
    assert f"courier {DAMAGED} is failed (damaged-archive: {DAMAGED}.warc.gz" in shown
    after = finished(home)
    assert {day: after[day] for day in done} == done
    assert set(after) == {*LOST, *OLD, DAMAGED}

    names = [run["name"] for run in told(api, "flow_runs")]
    assert f"backfill {DAYS[0]}…{DAYS[-1]} (8 partitions)" in names
    keys = {artifact["key"] for artifact in told(api, "artifacts")}
    assert {"backfill-states", "backfill-plan", "backfill-left"} <= keys
    assert "Day by day" in (home / "data" / "report" / "index.html").read_text(encoding="utf-8")

    again = start(home, "backfill")
    shown, said = again.communicate(timeout=120)
    assert (again.returncode, said) == (0, "")
    assert "Nothing to do for 12 partitions (11 fresh, 1 failed)." in shown
    assert "--again tries nevertheless" in shown
    assert finished(home) == after
