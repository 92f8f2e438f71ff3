"""Processes that a test starts, and that end with it."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
PREFECT = [sys.executable, "-m", "prefect"]
COPYDESK = [sys.executable, "-m", "flows.cli"]


def clean_environment(**more: str) -> dict[str, str]:
    """Return the environment without what it says of Prefect and copydesk, and with the code under test."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "COPYDESK_"))}
    paths = os.pathsep.join(filter(None, (str(ROOT), kept.get("PYTHONPATH"))))
    return {**kept, "PYTHONPATH": paths, "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1", **more}


@contextmanager
def running(
    arguments: Sequence[str], environment: Mapping[str, str], log: Path, cwd: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process and all it starts in a group of their own, which ends with the block."""
    with log.open("wb") as sink:
        process = subprocess.Popen(
            arguments, cwd=cwd, env=environment, stdout=sink, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def prefect_server(folder: Path, **settings: str) -> Iterator[str]:
    """Run a Prefect server that keeps what it has in a folder, and yield the address of its API."""
    port, log = free_port(), folder / "server.log"
    api = f"http://127.0.0.1:{port}/api"
    command = [*PREFECT, "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    environment = clean_environment(PREFECT_HOME=str(folder / "prefect"), **settings)
    with running(command, environment, log, folder):
        wait_until(lambda: answers(f"{api}/health"), 180, log)
        yield api


def answers(url: str) -> bool:
    """Whether a server answers well."""
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


def wait_until(happened: Callable[[], object], seconds: float, *logs: Path) -> None:
    """Wait for something, and fail with what the processes last said."""
    deadline = time.monotonic() + seconds
    while not happened():
        said = (log.read_text(encoding="utf-8", errors="replace")[-4000:] for log in logs)
        assert time.monotonic() < deadline, "\n".join(said)
        time.sleep(0.3)


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
