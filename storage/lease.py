"""Locks on an object store: leases, held by renewing them, that anyone may take over once they have run out.

A lock is an object that only one can create (`If-None-Match: *`). While it is held, a thread renews it in time; each
renewal and each takeover names the version it replaces (`If-Match`), so of several only one succeeds. No clock of
any machine is compared with another's: see docs/decisions/0005-locks-on-an-object-store.md.
"""

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Self
from uuid import uuid4

from storage.bucket import Bucket, Object, TakenError
from storage.errors import LockLostError, StoreError

SECONDS: Final = 30.0
"""How long a lease lasts that is not renewed: so long others wait for a holder that died."""

MARGIN: Final = 2.0
"""Seconds that a lease must have run out before another takes it: the store's clock counts in whole seconds."""

_PAUSES: Final = (0.01, 0.02, 0.05, 0.1, 0.2)
_LOOKED_AT: Final = 1.0
"""Seconds for which a lock must not have changed before the store is asked for its time."""
_STRAY: Final = timedelta(hours=1)


def seconds_gone() -> float:
    """Count seconds that no one sets; those that the machine slept through count too, where the system tells."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclass(frozen=True, slots=True)
class Claim:
    """What a lock object says: who holds it, and for how long after each renewal."""

    token: str
    holder: str
    seconds: float
    renewals: int = 0

    @classmethod
    def new(cls, seconds: float) -> Self:
        """Return a claim that no one else has made."""
        return cls(uuid4().hex, f"{socket.gethostname()}, process {os.getpid()}", seconds)

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Read a claim; what is none is taken for one of nobody's, with the usual duration."""
        try:
            known = json.loads(content)
            return cls(str(known["token"]), str(known["holder"]), float(known["seconds"]), int(known["renewals"]))
        except (ValueError, TypeError, KeyError):
            return cls("", "unknown", SECONDS)

    def written(self) -> bytes:
        """Return the claim as `read` reads it; no two renewals are the same bytes, so that each has its own ETag."""
        known = {"token": self.token, "holder": self.holder, "seconds": self.seconds, "renewals": self.renewals}
        return json.dumps(known).encode()


class Lease:
    """A lock that is held, and renewed by a thread until it is given back.

    `elapsed` counts seconds; what matters is measured from before a renewal was sent, so that the holder believes in
    its lease no longer than anyone else does.
    """

    def __init__(
        self, bucket: Bucket, path: str, claim: Claim, version: str, since: float, elapsed: Callable[[], float]
    ) -> None:
        self.lost_to: str | None = None
        self._bucket = bucket
        self._path = path
        self._claim = claim
        self._version = version
        self._since = since
        self._elapsed = elapsed
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"lease of {path}", daemon=True)
        self._thread.start()

    def give_back(self) -> None:
        """Stop renewing and remove the lock, if it is still held."""
        self._done.set()
        self._thread.join()
        # An answer of the store is not waited for: a lock that cannot be removed runs out by itself.
        with suppress(StoreError):
            if self._elapsed() - self._since > self._claim.seconds / 2:
                self._renew()
            if self.lost_to is None:
                self._bucket.remove(self._path)

    def _keep(self) -> None:
        while self.lost_to is None and not self._done.wait(self._claim.seconds / 3):
            with suppress(StoreError):  # tried again in time: as long as no one took the lock, it can be renewed
                self._renew()

    def _renew(self) -> None:
        since = self._elapsed()
        self._claim = replace(self._claim, renewals=self._claim.renewals + 1)
        try:
            self._version = self._bucket.put(self._path, self._claim.written(), replacing=self._version)
            self._since = since
        except TakenError:
            self._look()

    def _look(self) -> None:
        """See whether another has the lock, or the answer to a renewal of ours was lost on its way."""
        try:
            content, found = self._bucket.read(self._path)
        except FileNotFoundError:
            self.lost_to = "someone who is done"
            return
        claim = Claim.read(content)
        if claim.token == self._claim.token:
            self._version = found.version
        else:
            self.lost_to = claim.holder


@dataclass(slots=True)
class _Watch:
    """What a waiter knows of a lock that another holds: since when it has not changed."""

    elapsed: Callable[[], float]
    version: str = ""
    first_seen: float = 0.0
    age: float | None = None

    def unchanged_for(self, found: Object) -> float:
        """Return for how long this waiter has seen the lock as it is."""
        if found.version != self.version:
            self.version, self.first_seen, self.age = found.version, self.elapsed(), None
        return self.elapsed() - self.first_seen

    def has_run_out(self, found: Object, claim: Claim, store_clock: Callable[[], datetime]) -> bool:
        """Say whether a lease ran out: by the store's clock when first asked, and by this machine's from then on."""
        unchanged = self.unchanged_for(found)
        if self.age is None:
            self.age = max(0.0, (store_clock() - found.changed_at).total_seconds() - unchanged)
        return self.age + unchanged > claim.seconds + MARGIN


@dataclass(frozen=True, slots=True)
class Leases:
    """The locks below a bucket."""

    bucket: Bucket
    seconds: float = SECONDS
    elapsed: Callable[[], float] = seconds_gone

    @contextmanager
    def hold(self, path: str) -> Iterator[None]:
        """Hold a lock, waiting for it as long as its holder renews it.

        LockLostError at the end where another took it over meanwhile, because this process was stopped or cut off.
        """
        lease = self._acquire(path, waits=True)
        assert lease is not None, "it was waited for"
        with self._given_back(lease, path):
            yield

    @contextmanager
    def try_hold(self, path: str) -> Iterator[bool]:
        """Hold a lock if it is free, or its lease has run out, and say whether it was."""
        lease = self._acquire(path, waits=False)
        if lease is None:
            yield False
            return
        with self._given_back(lease, path):
            yield True

    def sweep(self, folder: str) -> None:
        """Remove locks that ran out long ago: their holders died, and no one asked for them since."""
        found = self.bucket.list(folder)
        if not found:
            return
        old = self.bucket.now() - _STRAY
        for each in found:
            if each.changed_at < old:
                with self.try_hold(each.path):
                    pass

    @contextmanager
    def _given_back(self, lease: Lease, path: str) -> Iterator[None]:
        try:
            yield
        finally:
            lease.give_back()
        if lease.lost_to is not None:
            raise LockLostError(
                f"{self.bucket.url}/{path}: this lock was not renewed for {self.seconds:g} seconds, and was taken over "
                f"by {lease.lost_to}. What both would have written was written by one; run again to finish the rest."
            )

    def _acquire(self, path: str, *, waits: bool) -> Lease | None:
        claim = Claim.new(self.seconds)
        watch = _Watch(self.elapsed)
        for pause in _pauses():
            lease = self._create(path, claim) or self._take_over(path, claim, watch, at_once=not waits)
            if lease is not None or not waits:
                return lease
            time.sleep(pause)
        raise AssertionError("pauses do not run out")

    def _create(self, path: str, claim: Claim) -> Lease | None:
        return self._put(path, claim, replacing=None)

    def _take_over(self, path: str, claim: Claim, watch: _Watch, *, at_once: bool) -> Lease | None:
        """Take the lock if its lease has run out, or if it is ours and the store's answer was lost on its way."""
        since = self.elapsed()
        try:
            content, found = self.bucket.read(path)
        except FileNotFoundError:
            return self._create(path, claim)
        held = Claim.read(content)
        if held.token == claim.token:
            return Lease(self.bucket, path, claim, found.version, since - self.seconds, self.elapsed)
        if not at_once and watch.unchanged_for(found) < _LOOKED_AT:
            return None
        if watch.has_run_out(found, held, self.bucket.now):
            return self._put(path, claim, replacing=found.version)
        return None

    def _put(self, path: str, claim: Claim, *, replacing: str | None) -> Lease | None:
        since = self.elapsed()
        try:
            version = self.bucket.put(path, claim.written(), replacing=replacing)
        except TakenError:
            return None
        return Lease(self.bucket, path, claim, version, since, self.elapsed)


def _pauses() -> Iterator[float]:
    yield from _PAUSES
    while True:
        yield _PAUSES[-1]
