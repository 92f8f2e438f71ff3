"""`copydesk serve` with a real Prefect server: a scheduled run fires by itself."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from flows.sample.site import SampleSite
from storage import read

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.server, pytest.mark.xdist_group("server"), pytest.mark.timeout(600)]


@contextmanager
def running(
    arguments: list[str], environment: dict[str, str], log: Path, cwd: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process and all it starts in a group of their own, which ends with the block."""
    with log.open("wb") as sink:
        process = subprocess.Popen(
            arguments, cwd=cwd, env=environment, stdout=sink, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield process
    finally:
        with_group = os.getpgid(process.pid)
        os.killpg(with_group, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        with suppress(ProcessLookupError):
            os.killpg(with_group, signal.SIGKILL)


def wait_until(happened: Callable[[], bool], seconds: float, log: Path) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, log.read_text(encoding="utf-8", errors="replace")[-4000:]
        time.sleep(0.5)


def test_a_scheduled_run_fires(tmp_path: Path) -> None:
    """One command, no server anywhere: copydesk starts one, and the run comes by itself."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    log = tmp_path / "serve.log"
    with SampleSite() as site:
        (tmp_path / "copydesk.toml").write_text(
            "workers = 1\ndelay = 0\n[sources.courier]\n"
            f'location = "{site.base_url}/feed.xml"\nallow_private = true\nevery = 5\n',
            encoding="utf-8",
        )
        serve = [sys.executable, "-m", "flows.cli", "serve"]
        with running(serve, {**environment, "PYTHONPATH": str(ROOT)}, log, tmp_path):
            wait_until(lambda: (tmp_path / "data" / "report" / "index.html").exists(), 400, log)
        assert read.articles(tmp_path / "data").num_rows > 10
        assert {request.path for request in site.requests} >= {"/robots.txt", "/feed.xml"}
