"""How fast a host is asked: one request at a time, a delay between starts, and patience when it is in trouble."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from random import Random
from types import TracebackType

from tasks.fetch.leases import HostLeases, HostState, LeasesInMemory

_LATENCY_WEIGHT = 0.3  # of the newest measurement in the running mean
_LONGEST_ADAPTIVE_DELAY = 60.0
_HOLD_SECONDS = 4.0  # by which a turn is prolonged at a time: a killed process blocks its host no longer than that
_FAILURES_BEFORE_PARKING = 5
_PARKED_FOR = timedelta(hours=1)  # and twice as long with each further failure
_LONGEST_PARKED_FOR = timedelta(days=1)
_LONGEST_RETRY_AFTER = timedelta(days=7)


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

    def learn(self, state: HostState) -> None:
        """Take over what all that fetch here know of the host."""
        self.failures = state.failures
        self.closed_until, self.closed_because = state.parked_until, state.parked_because or ""

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

    def learn(self, names: Iterable[str]) -> None:
        """Find out how hosts stand before they are asked for the first time: all at once, and each only once."""
        new = {name: Host(name) for name in names if name not in self._hosts}
        for name, state in self._leases.hosts(new).items() if new else ():
            new[name].learn(state)
        self._hosts |= new

    def host(self, name: str) -> Host:
        """Return what is known of a host."""
        if name not in self._hosts:
            self.learn([name])
        return self._hosts[name]

    @asynccontextmanager
    async def turn(self, name: str, least_delay: float) -> AsyncIterator[Host]:
        """Wait for the turn at a host and keep everyone else away from it while the block runs, or raise `NotNow`.

        Without a delay, other processes do not count: the host needs no sparing.
        """
        host = self.host(name)
        async with host.busy:
            host.check_open(self._clock())
            delay = host.delay(least_delay)
            if delay > 0:
                await self._take(host, delay)
            host.last_start = self._clock()
            with self._holding(host, delay) if delay > 0 else nullcontext():
                yield host

    def answered(self, host: Host, seconds: float) -> None:
        """Learn from an answer how long the host takes; it forgives the failures before it, in all processes."""
        host.latency = seconds if not host.latency else host.latency + _LATENCY_WEIGHT * (seconds - host.latency)
        if host.failures:
            host.failures = 0
            self._leases.forgive(host.name)

    def failed(self, name: str, why: str) -> None:
        """Count a failure; after several in a row the host is parked, longer each time."""
        now, host = self._clock(), self.host(name)
        host.failures = self._leases.count_failure(name, now)
        too_many = host.failures - _FAILURES_BEFORE_PARKING
        if too_many >= 0:
            until = now + min(_PARKED_FOR * 2 ** min(too_many, 10), _LONGEST_PARKED_FOR)
            self.postpone(name, until, f"parked after {host.failures} failures in a row, the last one: {why}")

    def postpone(self, name: str, until: datetime, because: str) -> None:
        """Leave a host alone until then, in this process and in all others."""
        self.host(name).close(until, because)
        self._leases.park(name, until, because)

    def _holding(self, host: Host, delay: float) -> "_Hold":
        return _Hold(self._leases, self._clock, host.name, self._clock() + timedelta(seconds=delay))

    async def _take(self, host: Host, delay: float) -> None:
        """Wait until the host is free, and take the turn in the moment it is used: nobody sleeps on a turn taken."""
        while True:
            now = self._clock()
            free_at = now if host.last_start is None else host.last_start + timedelta(seconds=delay)
            if free_at <= now:
                is_taken, state = self._leases.take(host.name, delay, now)
                if is_taken:
                    host.failures = state.failures
                    return
                host.learn(state)
                host.check_open(now)
                free_at = state.next_allowed
            seconds = (free_at - now).total_seconds()
            if seconds > self._longest_wait:
                raise NotNow(free_at, f"{host.name} is taken until then")
            await asyncio.sleep(seconds)


class _Hold:
    """Keeps other processes away from a host while an answer takes longer than the delay; a quick one costs nothing."""

    def __init__(self, leases: HostLeases, clock: Callable[[], datetime], name: str, free_at: datetime) -> None:
        self._leases, self._clock, self._name, self._free_at = leases, clock, name, free_at
        self._held_until: datetime | None = None

    def __enter__(self) -> None:
        """Prolong the turn shortly before the delay has passed."""
        left = (self._free_at - self._clock()).total_seconds()
        self._prolong_in(max(left / 2, left - _HOLD_SECONDS / 2))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the others have their turn, once the delay has passed."""
        self._timer.cancel()
        if self._held_until is not None:
            self._leases.release(self._name, self._held_until, max(self._free_at, self._clock()))

    def _prolong_in(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._prolong)

    def _prolong(self) -> None:
        self._held_until = self._clock() + timedelta(seconds=_HOLD_SECONDS)
        self._leases.hold(self._name, self._held_until)
        self._prolong_in(_HOLD_SECONDS / 2)


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
    return now + min(wait, _LONGEST_RETRY_AFTER) if wait >= timedelta(0) else None


def backoff(attempt: int, base: float, random: Random) -> float:
    """Return the seconds before a retry: anything up to a bound that doubles each time ("full jitter")."""
    return random.uniform(0, base * 2**attempt)
