"""What several runs of one installation share through the ledger: turns at hosts, parked hosts, robots.txt."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from threading import Thread

import pytest

from storage.database import sqlite_url
from storage.ledger import Ledger
from tasks.documents import Reason, Rejection
from tasks.fetch.client import Fetcher
from tasks.fetch.results import Deferred, Fetched
from tests.fetch.conftest import Client, LoopbackServer

FETCHING = """
import sys
from storage.ledger import Ledger
from tests.fetch.conftest import Client
from dataclasses import replace

ledger, delay, *urls = sys.argv[1:]
client = replace(Client(), leases=Ledger.open(ledger)).with_source(delay=float(delay)).within(longest_wait=60)
print([type(result).__name__ for result in client.fetch_all(urls)])
"""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger.open(sqlite_url(tmp_path / "ledger.sqlite"))
    yield opened
    opened.close()


def run_apart(ledger: Ledger, delay: float, urls: list[str]) -> "subprocess.Popen[str]":
    """Fetch in a process of its own."""
    arguments = [ledger.engine.url.render_as_string(), str(delay), *urls]
    return subprocess.Popen(
        [sys.executable, "-c", FETCHING, *arguments],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )


class Spans:
    """When requests began and ended at a server whose answers take their time."""

    def __init__(self, server: LoopbackServer, seconds: float) -> None:
        self.server, self.seconds = server, seconds

    def url(self, path: str) -> str:
        def slow(asked: object) -> Iterator[bytes]:
            self.server.stopping.wait(self.seconds)
            yield b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\n<p>"

        return self.server.route(path, slow)

    def gaps(self) -> list[float]:
        """The seconds between starts as the server sees them: on a busy machine, a request may reach it late."""
        starts = sorted(asked.time for asked in self.server.asked)
        return [later - earlier for earlier, later in pairwise(starts)]


@pytest.mark.parametrize(("delay", "seconds"), [(0.3, 0.0), (0.6, 1.0)], ids=["quick answers", "slow answers"])
def test_two_processes_ask_a_host_in_turn(server: LoopbackServer, ledger: Ledger, delay: float, seconds: float) -> None:
    spans = Spans(server, seconds)
    processes = [run_apart(ledger, delay, [spans.url(f"/{name}/{number}") for number in range(2)]) for name in "ab"]
    said = [process.communicate(timeout=60)[0].strip() for process in processes]
    assert said == ["['Fetched', 'Fetched']"] * 2
    assert len(spans.gaps()) == 5
    assert min(spans.gaps()) > 0.6 * delay
    assert server.most_open == {"127.0.0.1": 1}


def test_a_process_that_dies_with_a_request_in_flight_blocks_its_host_for_seconds_only(
    server: LoopbackServer, ledger: Ledger, client: Client
) -> None:
    url = Spans(server, 60).url("/slow")
    process = run_apart(ledger, 0.2, [url])
    while url not in [server.url(asked.path) for asked in server.asked] or not is_held(ledger):
        server.stopping.wait(0.02)
    process.kill()
    process.wait()
    result = (
        replace(client, leases=ledger).with_source(delay=0.2).within(longest_wait=10).fetch(server.answer("/quick"))
    )
    assert isinstance(result, Fetched)


def is_held(ledger: Ledger) -> bool:
    return ledger.hosts(["127.0.0.1"])["127.0.0.1"].next_allowed > datetime.now(UTC) + timedelta(seconds=1)


def test_failures_add_up_over_runs_and_one_success_clears_them(
    server: LoopbackServer, ledger: Ledger, client: Client
) -> None:
    def fetch(path: str) -> object:
        return replace(client, leases=ledger, robots=ledger).within(attempts=1).fetch(server.url(path))

    server.answer("/bad", b"", "500 Oops")
    server.answer("/good")
    assert [getattr(fetch("/bad"), "reason", None) for _ in range(4)] == [Reason.HTTP_ERROR] * 4
    assert isinstance(fetch("/good"), Fetched)
    assert ledger.hosts(["127.0.0.1"])["127.0.0.1"].failures == 0
    assert [type(fetch("/bad")) for _ in range(5)] == [Rejection] * 5
    parked = fetch("/good")
    assert isinstance(parked, Deferred)
    assert "127.0.0.1: parked after 5 failures in a row, the last one: 500 Oops" in parked.detail
    assert timedelta(minutes=59) < parked.until - datetime.now(UTC) <= timedelta(hours=1)


def test_a_long_retry_after_holds_for_the_next_run(server: LoopbackServer, ledger: Ledger, client: Client) -> None:
    for url in (server.answer("/busy", b"", "429 Slow Down", Retry_After="7200"), server.answer("/other")):
        result = replace(client, leases=ledger).fetch(url)
        assert isinstance(result, Deferred)
        assert "429 Slow Down" in result.detail
        assert result.until - datetime.now(UTC) > timedelta(minutes=119)
    assert server.paths() == ["/busy"]


class Later:
    """A clock that is ahead."""

    def __init__(self, **ahead: float) -> None:
        self.ahead = timedelta(**ahead)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def fetch_later(client: Client, ledger: Ledger, url: str, **ahead: float) -> object:
    fetcher = Fetcher(
        contact="https://example.org/bot", clock=Later(**ahead), random=Random(7), robots=ledger, limits=client.limits
    )
    return client.fetch(url, fetcher=fetcher)


@pytest.mark.parametrize(
    ("status", "still", "again"),
    [
        ("200 OK", {"hours": 23}, {"hours": 25}),
        ("404 Not Found", {"hours": 23}, {"hours": 25}),
        ("500 Oops", {"minutes": 59}, {"minutes": 61}),
    ],
)
def test_an_answer_for_robots_is_used_by_later_runs_until_it_is_old(
    server: LoopbackServer,
    ledger: Ledger,
    client: Client,
    status: str,
    still: dict[str, float],
    again: dict[str, float],
) -> None:
    hasty = client.within(attempts=1)
    server.answer("/robots.txt", b"User-agent: *\nDisallow: /private\0", status, content_type="text/plain")
    urls = [server.answer("/dam"), server.answer("/private\0".replace("\0", "%EF%BF%BD"))]
    first = [fetch_later(hasty, ledger, url) for url in urls]
    second = [fetch_later(hasty, ledger, url, **still) for url in urls]
    assert [type(result) for result in first] == [type(result) for result in second]
    assert [getattr(result, "reason", None) for result in first] == [
        getattr(result, "reason", None) for result in second
    ]
    assert robots_asked(server) == 1
    fetch_later(hasty, ledger, urls[0], **again)
    assert robots_asked(server) == 2


def robots_asked(server: LoopbackServer) -> int:
    return sum(asked.path == "/robots.txt" for asked in server.asked)


def test_that_a_host_could_not_be_reached_is_not_held_against_it_by_the_next_run(
    server: LoopbackServer, ledger: Ledger, client: Client
) -> None:
    """It may have been the network here that was down, and the operator has mended it."""
    url = server.url("/dam")
    server.server_close()
    result = fetch_later(client.within(attempts=1), ledger, url)
    assert isinstance(result, Rejection)
    assert result.reason is Reason.UNREACHABLE
    assert ledger.robots([url.removesuffix("/dam")]) == {}


def test_robots_are_looked_up_for_all_hosts_at_once(server: LoopbackServer, ledger: Ledger, client: Client) -> None:
    class Counting:
        def robots(self, origins: object) -> object:
            asked.append(sorted(origins))  # type: ignore[call-overload]
            return ledger.robots(asked[-1])

        def record_robots(self, *answer: object, **more: object) -> None:
            ledger.record_robots(*answer, **more)  # type: ignore[arg-type]

    asked: list[list[str]] = []
    server.answer("/dam")
    hosts = [f"127.0.0.{number}" for number in range(1, 5)]
    urls = [server.url("/dam", host) for host in hosts]
    results = replace(client, robots=Counting()).with_source(location=urls[0]).fetch_all(urls)
    assert [type(result) for result in results] == [Fetched] * 4
    assert asked == [sorted(url.removesuffix("/dam") for url in urls)]


def test_threads_of_one_process_share_hosts_as_processes_do(
    server: LoopbackServer, ledger: Ledger, client: Client
) -> None:
    spans = Spans(server, 0.0)
    urls = [spans.url(f"/{number}") for number in range(2)]
    shared = replace(client, leases=ledger).with_source(delay=0.3)
    threads = [Thread(target=shared.fetch_all, args=(urls,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(spans.gaps()) == 5
    assert min(spans.gaps()) > 0.18
