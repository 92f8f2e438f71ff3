"""What a run is told at its start, and hands from task to task."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime

from storage.store import Place
from tasks.edit import Desk
from tasks.fetch.exchange import Limits
from tasks.fetch.window import Window
from tasks.gates import Gates


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedDay:
    """A day of articles that a run has published: how many of its rows are new, and how many have changed."""

    run: str
    root: str
    day: date
    new: int = 0
    updated: int = 0


Announce = Callable[[PublishedDay], None]


def tell_no_one(published: PublishedDay) -> None:
    """Keep it to ourselves that a day was published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run: where it writes, when it began, how it works. `clock` tells the present in UTC.

    `announce` is told of each day that was published, once it is; after a crash perhaps again.
    With a `window`, only what its sources published in those days is asked for.
    """

    run: str
    name: str
    flow: str
    place: Place
    started_at: datetime
    clock: Callable[[], datetime]
    seed: int
    desk: Desk
    contact: str = ""
    batch_size: int = 200
    workers: int = 1
    limits: Limits = field(default_factory=Limits)
    window: Window | None = None
    announce: Announce = tell_no_one
    gates: Gates = field(default_factory=Gates)
