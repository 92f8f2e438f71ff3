"""Ctrl-C in a terminal: the whole process group hears it, and the run ends at once, with a sentence and no one left."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from storage.store import Store
from storage.verify import verify

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.server, pytest.mark.xdist_group("server"), pytest.mark.timeout(600)]


class SlowPage(BaseHTTPRequestHandler):
    """Answers every page after half a second."""

    def do_GET(self) -> None:
        time.sleep(0.5)
        body = b"<h1>A crane</h1><p>" + b"It was tested in front of people. " * 9
        self.send_response(404 if self.path == "/robots.txt" else 200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Keep quiet."""


@pytest.fixture
def slow_site() -> Iterator[tuple[str, threading.Event]]:
    asked = threading.Event()

    class Telling(SlowPage):
        def do_GET(self) -> None:
            if self.path != "/robots.txt":
                asked.set()
            super().do_GET()

    with ThreadingHTTPServer(("127.0.0.1", 0), Telling) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def processes_of(session: int) -> list[str]:
    listed = subprocess.run(["ps", "-eo", "sid=,pid="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if line.split()[0] == str(session)]


def test_ctrl_c_ends_a_run_at_once(slow_site: tuple[str, threading.Event], tmp_path: Path) -> None:
    base, asked = slow_site
    (tmp_path / "urls.txt").write_text("\n".join(f"{base}/{number}" for number in range(400)), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "COPYDESK_"))}
    command = [sys.executable, "-m", "flows.cli", "run", "urls.txt", "--allow-private", "--delay", "0"]
    run = subprocess.Popen(
        command,
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert asked.wait(240)
    os.killpg(run.pid, signal.SIGINT)
    began = time.monotonic()
    _, said = run.communicate(timeout=120)
    assert run.returncode == 130, said
    assert "the next run goes on from there" in said
    assert "Traceback" not in said
    assert time.monotonic() - began < 60  # it takes two seconds; a run that waits for a dead server takes minutes
    assert processes_of(run.pid) == []
    with Store.open(tmp_path / "data") as store:
        assert [each for each in verify(store).findings if each.kind != "unfinished"] == []
