"""How fast a host is asked: one request at a time, a delay between starts, and patience when it is in trouble."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from random import Random
from typing import Protocol

_LATENCY_WEIGHT = 0.3  # of the newest measurement in the running mean
_LONGEST_ADAPTIVE_DELAY = 60.0
_FAILURES_BEFORE_PARKING = 5
_PARKED_FOR = timedelta(hours=1)
_LONGEST_RETRY_AFTER = timedelta(days=7)


class HostLeases(Protocol):
    """When each host may be asked, shared by everything that fetches in one installation; the ledger is one."""

    def reserve(self, host: str, delay: float, now: datetime) -> datetime:
        """Reserve the host's next free moment and return it; the one after is `delay` seconds later."""
        ...

    def postpone(self, host: str, until: datetime) -> None:
        """Leave a host alone until then."""
        ...


class LeasesInMemory:
    """Host leases of one process, for use without a ledger."""

    def __init__(self) -> None:
        self._free: dict[str, datetime] = {}

    def reserve(self, host: str, delay: float, now: datetime) -> datetime:
        """Reserve the host's next free moment and return it; the one after is `delay` seconds later."""
        moment = max(now, self._free.get(host, now))
        self._free[host] = moment + timedelta(seconds=delay)
        return moment

    def postpone(self, host: str, until: datetime) -> None:
        """Leave a host alone until then."""
        self._free[host] = max(until, self._free.get(host, until))


class NotNow(Exception):  # noqa: N818 - named after the situation
    """A host is not to be asked before `until`, which is too far away to wait for."""

    def __init__(self, until: datetime, why: str) -> None:
        super().__init__(why)
        self.until = until


@dataclass(slots=True)
class Host:
    """What is known of one host while fetching: whether it is busy, how slow it is, and how often it failed."""

    name: str
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    latency: float = 0.0
    last_start: datetime | None = None
    failures: int = 0
    closed_until: datetime | None = None
    closed_because: str = ""

    def check_open(self, now: datetime) -> None:
        """Raise `NotNow` while the host is to be left alone."""
        if self.closed_until is not None and now < self.closed_until:
            raise NotNow(self.closed_until, f"{self.name}: {self.closed_because}")

    def close(self, until: datetime, because: str) -> None:
        """Leave the host alone until then."""
        if self.closed_until is None or self.closed_until < until:
            self.closed_until, self.closed_because = until, because

    def failed(self, now: datetime, why: str) -> None:
        """Count a failure; after several in a row the host is parked."""
        self.failures += 1
        if self.failures >= _FAILURES_BEFORE_PARKING:
            self.close(now + _PARKED_FOR, f"parked after {self.failures} failures in a row, the last one: {why}")
            self.failures = 0

    def answered(self, seconds: float) -> None:
        """Learn from an answer how long the host takes."""
        self.failures = 0
        self.latency = seconds if not self.latency else self.latency + _LATENCY_WEIGHT * (seconds - self.latency)

    def delay(self, least: float) -> float:
        """Return the seconds between two starts: a slow host is busy at most half of the time.

        A delay of zero is the operator's word that the host needs no sparing.
        """
        return max(least, min(2 * self.latency, _LONGEST_ADAPTIVE_DELAY)) if least > 0 else 0.0


class Pace:
    """The turns at all hosts. Nobody waits for one longer than `longest_wait` seconds."""

    def __init__(self, clock: Callable[[], datetime], leases: HostLeases | None, longest_wait: float) -> None:
        self._clock = clock
        self._longest_wait = longest_wait
        self._leases: HostLeases = leases or LeasesInMemory()
        self._hosts: dict[str, Host] = {}

    def host(self, name: str) -> Host:
        """Return what is known of a host."""
        return self._hosts.setdefault(name, Host(name))

    @asynccontextmanager
    async def turn(self, name: str, least_delay: float) -> AsyncIterator[Host]:
        """Wait for the turn at a host and keep everyone else away from it while the block runs, or raise `NotNow`."""
        host = self.host(name)
        async with host.busy:
            host.check_open(self._clock())
            delay = host.delay(least_delay)
            if delay > 0:
                await self._wait(host, delay)
            host.last_start = self._clock()
            yield host

    def postpone(self, name: str, until: datetime, because: str) -> None:
        """Leave a host alone until then, in this process and in all others."""
        self.host(name).close(until, because)
        self._leases.postpone(name, until)

    async def _wait(self, host: Host, delay: float) -> None:
        now = self._clock()
        moment = self._leases.reserve(host.name, delay, now)
        if host.last_start is not None:
            moment = max(moment, host.last_start + timedelta(seconds=delay))
        seconds = (moment - now).total_seconds()
        if seconds > self._longest_wait:
            raise NotNow(moment, f"{host.name} is taken until then")
        await asyncio.sleep(max(0.0, seconds))


def retry_after(header: str, now: datetime) -> datetime | None:
    """Return when a server wants to be asked again, from either form of `Retry-After`; None for what says nothing.

    >>> moment = datetime(2024, 2, 26, tzinfo=UTC)
    >>> retry_after("120", moment) == retry_after("Mon, 26 Feb 2024 00:02:00 GMT", moment)
    True
    >>> retry_after("soon", moment), retry_after("-5", moment), retry_after("9" * 20, moment)
    (None, None, None)
    """
    text = header.strip()
    try:
        if text.isascii() and text.isdigit():
            wait = timedelta(seconds=int(text))
        else:
            moment = parsedate_to_datetime(text)
            wait = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
    except (ValueError, OverflowError):
        return None
    return now + wait if timedelta(0) <= wait <= _LONGEST_RETRY_AFTER else None


def backoff(attempt: int, base: float, random: Random) -> float:
    """Return the seconds before a retry: anything up to a bound that doubles each time ("full jitter")."""
    return random.uniform(0, base * 2**attempt)
