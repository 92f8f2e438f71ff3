"""Prefect for a machine that has no server of its own: one that lives as long as the command."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from tempfile import gettempdir
from typing import Final, NoReturn
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

UI_PORT: Final = 4200  # where people look for Prefect
LONGEST_START: Final = 180.0  # seconds; 5 to 20 are usual, and a busy machine needs more

# What Prefect is told unless the environment already says otherwise.
_DEFAULTS: Final = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_LEVEL": "INFO",
    "PREFECT_CLI_PROMPT": "false",
    # A server that died is asked for half a minute at the end of a run, not for five.
    "PREFECT_CLIENT_MAX_RETRIES": "3",
}
_CHOSEN_BY_USER: Final = ("PREFECT_API_URL", "PREFECT_HOME", "PREFECT_PROFILE", "PREFECT_PROFILES_PATH")


class PrefectUnreachableError(Exception):
    """The Prefect server does not answer: the one that the environment names, or the one started here."""


def uses_a_server() -> bool:
    """Whether `PREFECT_API_URL` names a server that is already there."""
    return bool(os.environ.get("PREFECT_API_URL"))


def prepare_prefect(home: Path | None, *, console_level: str) -> None:
    """Settle Prefect's settings; to be called before Prefect is imported.

    Its database is kept in `home`, unless that is None or the user has chosen another Prefect home. Log lines from
    `console_level` on are printed; the whole log of a run is kept in Prefect all the same. Raises
    `PrefectUnreachableError` where the environment names a server that does not answer.
    """
    if uses_a_server():
        _check_server(os.environ["PREFECT_API_URL"])
    if home is not None and not any(os.environ.get(name) for name in _CHOSEN_BY_USER):
        home.mkdir(parents=True, exist_ok=True)
        os.environ["PREFECT_HOME"] = str(home.resolve())
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", console_level)
    os.environ.setdefault("PREFECT_LOGGING_INTERNAL_LEVEL", "CRITICAL" if console_level == "CRITICAL" else "ERROR")
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)


@contextmanager
def local_server(log: Path) -> Iterator[str]:
    """Run a Prefect server on loopback while the block lasts, and name it in the environment; yield its address.

    Not Prefect's own ephemeral server: that one starts no scheduled runs, and a Ctrl-C in the terminal ends it too, so
    that the flow waits minutes for an answer that cannot come.
    """
    with free_port() as port:
        url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as sink:
            server = subprocess.Popen(  # noqa: S603 - our own words
                [sys.executable, "-m", "flows.keeper", *command],
                stdin=subprocess.PIPE,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            _wait_until_up(server, f"{url}/api", log)
            os.environ["PREFECT_API_URL"] = f"{url}/api"
            yield url
        finally:
            os.environ.pop("PREFECT_API_URL", None)
            assert server.stdin is not None
            server.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                server.wait(20)
            server.kill()


def leave_at_once(code: int) -> NoReturn:
    """End this process: what Prefect still has to say would be offered to a dead server for half a minute."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


@contextmanager
def free_port() -> Iterator[int]:
    """Yield the port where people look for Prefect, or any other where that one is taken.

    It is claimed by a lock too: of two commands that start at once, both would find it free, and one would take the
    other's server for its own.
    """
    with Path(gettempdir(), f"copydesk-{os.getuid()}-{UI_PORT}.lock").open("a") as claim:
        ports = [0]
        with suppress(BlockingIOError):
            flock(claim, LOCK_EX | LOCK_NB)
            ports.insert(0, UI_PORT)
        port = next(filter(None, map(_port_if_free, ports)), None)
        if port is None:
            raise PrefectUnreachableError("No port is free on 127.0.0.1 for a Prefect server.")
        yield port


def _port_if_free(port: int) -> int | None:
    with closing(socket.socket()) as probe, suppress(OSError):
        probe.bind(("127.0.0.1", port))
        return int(probe.getsockname()[1])
    return None


def _wait_until_up(server: "subprocess.Popen[bytes]", api: str, log: Path) -> None:
    deadline = time.monotonic() + LONGEST_START
    while _trouble(api) is not None:
        if server.poll() is not None or time.monotonic() > deadline:
            raise PrefectUnreachableError(f"A Prefect server could not be started on this machine; {log} says why.")
        time.sleep(0.3)


def _check_server(api: str) -> None:
    if (trouble := _trouble(api)) is not None:
        raise PrefectUnreachableError(
            f"PREFECT_API_URL is {api}, which {trouble}. Start that server with `prefect server start`, "
            "or unset PREFECT_API_URL and let copydesk start one."
        )


def _trouble(api: str) -> str | None:
    """Return what is wrong with a server, or None."""
    try:
        with urlopen(f"{api.rstrip('/')}/health", timeout=10):  # noqa: S310 - the operator's own setting
            return None
    except HTTPError as error:
        return f"answers {error.code}"
    except (URLError, OSError, ValueError) as error:
        return f"does not answer ({getattr(error, 'reason', error)})"
