"""Turns at hosts, shared by everything that fetches in one installation: what the ledger offers, and a stand-in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol


class HostState(Protocol):
    """How a host stands: when it is free, how often it failed in a row, and until when it is left alone, and why."""

    @property
    def next_allowed(self) -> datetime: ...
    @property
    def failures(self) -> int: ...
    @property
    def parked_until(self) -> datetime | None: ...
    @property
    def parked_because(self) -> str | None: ...


class HostLeases(Protocol):
    """When each host may be asked; the ledger is one."""

    def hosts(self, names: Iterable[str]) -> Mapping[str, HostState]:
        """Return how these hosts stand, of those that were asked at all."""
        ...

    def take(self, host: str, delay: float, now: datetime) -> tuple[bool, HostState]:
        """Take the turn at a host if it is free now, and tell how the host stands; the next turn is `delay` s later."""
        ...

    def hold(self, host: str, until: datetime) -> None:
        """Let nobody else have a turn before then."""
        ...

    def release(self, host: str, held_until: datetime, until: datetime) -> None:
        """Let others have a turn from `until` on, unless somebody else has changed what `hold` noted."""
        ...

    def count_failure(self, host: str, now: datetime) -> int:
        """Count one more failure in a row, and return how many that makes."""
        ...

    def park(self, host: str, until: datetime, because: str) -> None:
        """Leave a host alone until then."""
        ...

    def forgive(self, host: str) -> None:
        """Forget a host's failures: it has answered."""
        ...


@dataclass(frozen=True, slots=True)
class _State:
    next_allowed: datetime
    failures: int = 0
    parked_until: datetime | None = None
    parked_because: str | None = None


class LeasesInMemory:
    """Host leases of one process, for use without a ledger."""

    def __init__(self) -> None:
        self._states: dict[str, _State] = {}

    def hosts(self, names: Iterable[str]) -> Mapping[str, HostState]:
        """Return how these hosts stand, of those that were asked at all."""
        return {name: self._states[name] for name in names if name in self._states}

    def take(self, host: str, delay: float, now: datetime) -> tuple[bool, HostState]:
        """Take the turn at a host if it is free now, and tell how the host stands; the next turn is `delay` s later."""
        state = self._states.get(host, _State(now))
        is_free = state.next_allowed <= now and (state.parked_until is None or state.parked_until <= now)
        if is_free:
            state = self._states[host] = replace(state, next_allowed=now + timedelta(seconds=delay))
        return is_free, state

    def hold(self, host: str, until: datetime) -> None:
        """Let nobody else have a turn before then."""
        state = self._states.get(host, _State(until))
        self._states[host] = replace(state, next_allowed=max(until, state.next_allowed))

    def release(self, host: str, held_until: datetime, until: datetime) -> None:
        """Let others have a turn from `until` on, unless somebody else has changed what `hold` noted."""
        state = self._states.get(host)
        if state is not None and state.next_allowed == held_until:
            self._states[host] = replace(state, next_allowed=until)

    def count_failure(self, host: str, now: datetime) -> int:
        """Count one more failure in a row, and return how many that makes."""
        state = self._states.get(host, _State(now))
        self._states[host] = replace(state, failures=state.failures + 1)
        return state.failures + 1

    def park(self, host: str, until: datetime, because: str) -> None:
        """Leave a host alone until then; an earlier instant changes nothing."""
        state = self._states.get(host, _State(until))
        if state.parked_until is None or state.parked_until < until:
            self._states[host] = replace(state, parked_until=until, parked_because=because)

    def forgive(self, host: str) -> None:
        """Forget a host's failures: it has answered."""
        if host in self._states:
            self._states[host] = _State(self._states[host].next_allowed)
