"""Walk the hostile server: every endpoint has its outcome, and no host was asked more than it bears."""

import asyncio
import socket
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import cycle, pairwise
from threading import Thread

import pytest

from tasks.clean.decoding import decode
from tasks.documents import Rejection
from tasks.edit import Desk, edit
from tasks.fetch.exchange import Limits
from tasks.fetch.results import Deferred, Fetched, NotModified, Request, Result
from tests.fetch.conftest import Client, LoopbackServer
from tests.fetch.hostile import ENDPOINTS, NAMES, RULES, STEPS, TOMORROW, Endpoint
from tests.fetch.hostile_answers import page

pytestmark = pytest.mark.xdist_group("hostile server")

CRAWL_DELAY = 0.1
PATIENT = Limits(page_bytes=300_000, listing_bytes=500_000, backoff_seconds=0.02, longest_wait=60, hosts_at_once=500)
HASTY = replace(PATIENT, total_seconds=5.0, read_seconds=2.0)


@dataclass(frozen=True)
class Walk:
    """What became of each endpoint, and what the server saw."""

    server: LoopbackServer
    results: dict[str, Result]
    hosts: dict[str, str]  # by path

    def asks(self, path: str) -> int:
        return sum(asked.path == path and asked.host == self.hosts[path] for asked in self.server.asked)


@pytest.fixture(scope="module")
def walk() -> Iterator[Walk]:
    with LoopbackServer() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        hosts = dict(_shared_out())
        _set_up(server, hosts)
        requests = {each.path: _request(each, server, hosts[each.path]) for each in ENDPOINTS}
        yield Walk(server, asyncio.run(_walk(requests)), hosts)
        server.stopping.set()
        server.shutdown()
        thread.join()


def _shared_out() -> Iterator[tuple[str, str]]:
    """Give each endpoint a host: one of its own where it takes time or spoils the host for others."""
    own = (f"127.0.2.{number}" for number in range(1, 255))
    shared = cycle(f"127.0.1.{number}" for number in range(1, 41))
    for each in ENDPOINTS:
        is_alone = each.is_slow or each.robots is not RULES or each in TOMORROW or each.right.asks == 3
        yield each.path, next(own if is_alone else shared)


def _set_up(server: LoopbackServer, hosts: dict[str, str]) -> None:
    robots = {hosts[each.path]: each.robots for each in ENDPOINTS}
    server.route("/robots.txt", lambda asked: robots[asked.host](asked))
    server.route("/rules.txt", RULES)
    server.route("/trap", page())
    for path, reply in STEPS.items():
        server.route(path, reply)
    for each in ENDPOINTS:
        server.route(each.path, each.reply)


def _request(endpoint: Endpoint, server: LoopbackServer, host: str) -> Request:
    url = endpoint.elsewhere or server.url(endpoint.path, host)
    source = replace(Client().source, location=url if endpoint.elsewhere is None else "http://127.0.0.1/")
    allow_private = endpoint.elsewhere is None
    client = Client(source=replace(source, allow_private=allow_private))
    return replace(client.request(url, endpoint.validator), wanted=endpoint.wanted)


async def _walk(requests: dict[str, Request]) -> dict[str, Result]:
    """Fetch all, the slow ones with less patience."""
    slow = {each.path for each in ENDPOINTS if each.is_slow}
    results: dict[str, Result] = {}
    inputs = {request.candidate.input: path for path, request in requests.items()}

    async def fetch(limits: Limits, paths: set[str]) -> None:
        async with Client(limits=limits, lookup=_lookup).fetcher() as fetcher:
            async for result in fetcher.fetch_all(requests[path] for path in requests if path in paths):
                found = result.input if isinstance(result, Rejection) else result.candidate.input
                results[inputs[found]] = result

    await asyncio.gather(fetch(PATIENT, requests.keys() - slow), fetch(HASTY, slow))
    return results


async def _lookup(host: str, port: int) -> list[str]:
    if host not in NAMES:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return NAMES[host]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda each: each.path)
def test_every_endpoint_has_its_outcome(walk: Walk, endpoint: Endpoint) -> None:
    result, right = walk.results[endpoint.path], endpoint.right
    if right.reason is not None:
        assert isinstance(result, Rejection), result
        assert (result.reason, right.says in result.detail) == (right.reason, True), result.detail
        assert "secret" not in result.detail
    elif right.is_deferred:
        assert isinstance(result, Deferred), result
        assert right.says in result.detail
    elif right.is_unchanged:
        assert isinstance(result, NotModified), result
    else:
        assert isinstance(result, Fetched), result
        assert result.url.endswith(right.lands or endpoint.path)
        assert right.reads in decode(result.body, result.content_type).text


@pytest.mark.parametrize("endpoint", [each for each in ENDPOINTS if each.right.desk], ids=lambda each: each.path)
def test_what_is_no_article_is_named_by_the_desk(walk: Walk, endpoint: Endpoint) -> None:
    result = walk.results[endpoint.path]
    assert isinstance(result, Fetched)
    edited = edit(result.page(), Desk())
    assert isinstance(edited, Rejection)
    assert edited.reason is endpoint.right.desk


def test_no_endpoint_is_asked_more_often_than_it_takes(walk: Walk) -> None:
    counted = [each for each in ENDPOINTS if not each.is_slow]
    assert {each.path: walk.asks(each.path) for each in counted} == {each.path: each.right.asks for each in counted}


def test_one_request_a_host_at_a_time(walk: Walk) -> None:
    assert set(walk.server.most_open.values()) == {1}


def test_the_crawl_delay_lies_between_requests(walk: Walk) -> None:
    """The first one asks for the delay; a busy machine may bring a request late, so that the next seems early."""
    starts: dict[str, list[float]] = defaultdict(list)
    for asked in walk.server.asked:
        starts[asked.host].append(asked.time)
    of_rules = {walk.hosts[each.path] for each in ENDPOINTS if each.robots is RULES and each.elsewhere is None}
    gaps = [later - earlier for host in of_rules for earlier, later in pairwise(starts[host][1:])]
    assert len(gaps) > 100
    assert sum(gap < 0.9 * CRAWL_DELAY for gap in gaps) < 0.05 * len(gaps)


def test_robots_is_asked_for_once_a_host(walk: Walk) -> None:
    asks = Counter(asked.host for asked in walk.server.asked if asked.path == "/robots.txt")
    of_rules = {walk.hosts[each.path] for each in ENDPOINTS if each.robots is RULES and each.elsewhere is None}
    assert {asks[host] for host in of_rules} == {1}


def test_nothing_private_is_fetched(walk: Walk) -> None:
    paths = {asked.path for asked in walk.server.asked}
    assert {path for path in paths if path.startswith("/private/")} == {"/private/open"}
    assert "/trap" not in paths


def test_everyone_is_told_who_asks(walk: Walk) -> None:
    assert {asked.headers.get("user-agent") for asked in walk.server.asked} == {Client().fetcher()._wire.agent}


def test_nothing_is_sent_that_was_not_asked_for(walk: Walk) -> None:
    """No credentials and no Referer; a cookie only to the host that set it, on the way of its redirect."""
    assert not any({"authorization", "referer"} & asked.headers.keys() for asked in walk.server.asked)
    assert {asked.path for asked in walk.server.asked if "cookie" in asked.headers} == {"/redirect/cookie-wall"}
