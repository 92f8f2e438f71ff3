"""`make run` as its user meets it: a real Prefect flow over a real site, twice."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from storage import read

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.server, pytest.mark.xdist_group("server"), pytest.mark.timeout(600)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def demo(folder: Path, port: int) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "COPYDESK_"))}
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", "demo", "--port", str(port)],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT), "COLUMNS": "140"},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


def state_of(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in (folder / "data").rglob("*.parquet")}


def test_the_demo_makes_a_dataset_and_a_second_one_leaves_it_alone(tmp_path: Path) -> None:
    port = free_port()
    first = demo(tmp_path, port)
    assert first.returncode == 0, first.stderr
    for shown in (
        "new",
        "rejected",
        "data/articles",
        "data/report/index.html",
        "before",
        "after",
        "Try next",
        "mend -",
    ):
        assert shown in first.stdout
    assert "Traceback" not in first.stderr
    assert (tmp_path / "data" / "report" / "index.html").stat().st_size > 10_000
    summary = json.loads((tmp_path / "data" / "report" / "summary.json").read_bytes())
    for source in summary["sources"]:
        assert sum(source["outcomes"].values()) == source["inputs"] > 0
    assert read.articles(tmp_path / "data").num_rows >= 44
    before = state_of(tmp_path)
    second = demo(tmp_path, port)
    assert second.returncode == 0, second.stderr
    assert "unchanged" in second.stdout
    assert state_of(tmp_path) == before
    dry = subprocess.run(
        [sys.executable, "-m", "flows.cli", "backfill", "--dry-run", "--json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    # To a newcomer without any settings, what the demo made is as it should be.
    assert {state for states in json.loads(dry.stdout)["states"].values() for state in states} == {"fresh"}
