"""Turns at hosts."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.fetch.leases import LeasesInMemory
from tasks.fetch.pace import NotNow, Pace, backoff, retry_after

MOMENT = datetime(2024, 2, 26, 8, 0, tzinfo=UTC)


def test_a_turn_is_taken_once_and_the_past_is_forgotten():
    leases = LeasesInMemory()
    assert leases.take("example.com", 5.0, MOMENT)[0]
    is_taken, state = leases.take("example.com", 5.0, MOMENT + timedelta(seconds=4))
    assert (is_taken, state.next_allowed) == (False, MOMENT + timedelta(seconds=5))
    assert leases.take("example.org", 5.0, MOMENT)[0]
    assert leases.take("example.com", 5.0, MOMENT + timedelta(seconds=5))[0]


def test_a_hold_ends_when_it_is_released_and_not_for_anyone_else():
    leases = LeasesInMemory()
    leases.take("example.com", 1.0, MOMENT)
    held, later = MOMENT + timedelta(seconds=4), MOMENT + timedelta(seconds=2)
    leases.hold("example.com", held)
    assert not leases.take("example.com", 1.0, later)[0]
    leases.release("example.com", later, MOMENT)
    assert not leases.take("example.com", 1.0, later)[0]
    leases.release("example.com", held, later)
    assert leases.take("example.com", 1.0, later)[0]


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
    leases.hold("example.com", MOMENT + timedelta(hours=1))
    pace = Pace(lambda: MOMENT, leases, longest_wait=60)

    async def ask() -> None:
        async with pace.turn("example.com", 1.0):
            pytest.fail("the host was to be left alone")

    with pytest.raises(NotNow) as caught:
        asyncio.run(ask())
    assert caught.value.until == MOMENT + timedelta(hours=1)


def test_a_slow_host_is_asked_less_often():
    pace = Pace(lambda: MOMENT, None, longest_wait=60)
    host = pace.host("example.com")
    assert host.delay(5.0) == 5.0
    for _ in range(20):
        pace.answered(host, 10.0)
    assert host.delay(5.0) == pytest.approx(20.0)
    for _ in range(20):
        pace.answered(host, 600.0)
    assert host.delay(5.0) == 60.0
    assert host.delay(0.0) == 0.0


class Moment:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = MOMENT

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time)


def fail(pace: Pace, times: int) -> None:
    for _ in range(times):
        pace.failed("example.com", "reset")


def test_an_answer_forgives_earlier_failures():
    pace = Pace(Moment(), None, longest_wait=60)
    for _ in range(3):
        fail(pace, 4)
        pace.answered(pace.host("example.com"), 0.1)
    pace.host("example.com").check_open(MOMENT)


def test_a_host_is_parked_longer_each_time_it_fails_again():
    clock = Moment()
    pace = Pace(clock, None, longest_wait=60)
    fail(pace, 5)
    with pytest.raises(NotNow, match="parked after 5 failures in a row, the last one: reset") as caught:
        pace.host("example.com").check_open(clock())
    assert caught.value.until == clock() + timedelta(hours=1)
    clock.pass_(hours=1)
    pace.host("example.com").check_open(clock())
    fail(pace, 1)
    with pytest.raises(NotNow) as caught:
        pace.host("example.com").check_open(clock())
    assert caught.value.until == clock() + timedelta(hours=2)
    fail(pace, 2000)
    with pytest.raises(NotNow) as caught:
        pace.host("example.com").check_open(clock())
    assert caught.value.until == clock() + timedelta(days=1)


def test_what_failed_in_one_flow_and_the_next_adds_up():
    leases, clock = LeasesInMemory(), Moment()
    fail(Pace(clock, leases, longest_wait=60), 3)
    later = Pace(clock, leases, longest_wait=60)
    fail(later, 2)
    for pace in (later, Pace(clock, leases, longest_wait=60)):
        with pytest.raises(NotNow, match="5 failures"):
            pace.host("example.com").check_open(clock())


def test_hosts_in_good_health_cost_their_turn_and_nothing_else():
    class Counting(LeasesInMemory):
        def __getattribute__(self, name: str) -> object:
            if not name.startswith("_"):
                calls.append(name)
            return super().__getattribute__(name)

    async def ask(delay: float) -> None:
        async with pace.turn("example.com", delay) as host:
            pace.answered(host, 0.1)

    calls: list[str] = []
    clock = Moment()
    pace = Pace(clock, Counting(), longest_wait=60)
    for _ in range(3):
        asyncio.run(ask(5.0))
        clock.pass_(seconds=5)
    assert calls == ["hosts", "take", "take", "take"]
    calls.clear()
    asyncio.run(ask(0.0))
    assert calls == []


@given(st.text(max_size=40))
def test_no_retry_after_makes_it_fail(header):
    moment = retry_after(header, MOMENT)
    assert moment is None or MOMENT <= moment <= MOMENT + timedelta(days=7)


@given(st.integers(0, 8), st.integers())
def test_backoff_stays_below_its_bound(attempt, seed):
    assert 0 <= backoff(attempt, 1.0, Random(seed)) <= 2**attempt
