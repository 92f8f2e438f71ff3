"""`copydesk serve` with a real Prefect server: a scheduled run fires by itself."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from flows.sample.site import SampleSite
from storage import read

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.server, pytest.mark.xdist_group("server"), pytest.mark.timeout(600)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2):
            return True
    except (URLError, OSError):
        return False


def test_a_scheduled_run_fires(tmp_path: Path) -> None:
    port = free_port()
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    server_log, serve_log = tmp_path / "server.log", tmp_path / "serve.log"
    server = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with SampleSite() as site, running(server, environment, server_log, tmp_path):
        (tmp_path / "copydesk.toml").write_text(
            "workers = 1\ndelay = 0\n[sources.courier]\n"
            f'location = "{site.base_url}/feed.xml"\nallow_private = true\nevery = 5\n',
            encoding="utf-8",
        )
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/api/health"), 180, server_log)
        serve = [sys.executable, "-m", "flows.cli", "serve"]
        with running(serve, environment, serve_log, tmp_path):
            wait_until(lambda: (tmp_path / "data" / "report" / "index.html").exists(), 240, serve_log)
        assert read.articles(tmp_path / "data").num_rows > 10
        assert {request.path for request in site.requests} >= {"/robots.txt", "/feed.xml"}
