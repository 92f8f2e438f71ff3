"""Turns at hosts."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.fetch.pace import Host, LeasesInMemory, NotNow, Pace, backoff, retry_after

MOMENT = datetime(2024, 2, 26, 8, 0, tzinfo=UTC)


def test_leases_keep_their_distance_and_forget_the_past():
    leases = LeasesInMemory()
    taken = [leases.reserve("example.com", 5.0, MOMENT) for _ in range(3)]
    assert taken == [MOMENT + timedelta(seconds=5 * turn) for turn in range(3)]
    assert leases.reserve("example.org", 5.0, MOMENT) == MOMENT
    later = MOMENT + timedelta(hours=1)
    assert leases.reserve("example.com", 5.0, later) == later


def test_two_flows_share_a_host_through_its_leases(server, client):
    from dataclasses import replace

    shared = replace(client, leases=LeasesInMemory()).with_source(delay=0.2)
    server.answer("/robots.txt", b"", content_type="text/plain")
    urls = [server.answer(f"/{number}") for number in range(2)]

    async def flow() -> list[object]:
        async with shared.fetcher() as fetcher:
            return [result async for result in fetcher.fetch_all([shared.request(url) for url in urls])]

    async def both() -> None:
        await asyncio.gather(flow(), flow())

    asyncio.run(both())
    starts = sorted(asked.time for asked in server.asked)
    assert len(starts) == 6
    assert all(later - earlier >= 0.15 for earlier, later in pairwise(starts))


def test_a_turn_that_is_too_far_away_is_not_waited_for():
    leases = LeasesInMemory()
    leases.postpone("example.com", MOMENT + timedelta(hours=1))
    pace = Pace(lambda: MOMENT, leases, longest_wait=60)

    async def ask() -> None:
        async with pace.turn("example.com", 1.0):
            pytest.fail("the host was to be left alone")

    with pytest.raises(NotNow) as caught:
        asyncio.run(ask())
    assert caught.value.until == MOMENT + timedelta(hours=1)


def test_a_slow_host_is_asked_less_often():
    host = Host("example.com")
    assert host.delay(5.0) == 5.0
    for _ in range(20):
        host.answered(10.0)
    assert host.delay(5.0) == pytest.approx(20.0)
    for _ in range(20):
        host.answered(600.0)
    assert host.delay(5.0) == 60.0
    assert host.delay(0.0) == 0.0


def test_an_answer_forgives_earlier_failures():
    host = Host("example.com")
    for _ in range(3):
        for _ in range(4):
            host.failed(MOMENT, "reset")
        host.answered(0.1)
    host.check_open(MOMENT)
    for _ in range(5):
        host.failed(MOMENT, "reset")
    with pytest.raises(NotNow, match="parked"):
        host.check_open(MOMENT)
    host.check_open(MOMENT + timedelta(hours=2))


@given(st.text(max_size=40))
def test_no_retry_after_makes_it_fail(header):
    moment = retry_after(header, MOMENT)
    assert moment is None or MOMENT <= moment <= MOMENT + timedelta(days=7)


@given(st.integers(0, 8), st.integers())
def test_backoff_stays_below_its_bound(attempt, seed):
    assert 0 <= backoff(attempt, 1.0, Random(seed)) <= 2**attempt
