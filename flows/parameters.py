"""What a flow is given: one pydantic model each, which is also its form in the Prefect UI."""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from flows.desks import desk_of
from flows.inbox import Inbox
from flows.places import check_dataset, place_of
from flows.settings import Seconds, Settings, SettingsError, SourceSettings
from tasks.edit import versions
from tasks.fetch.freshness import Attention
from tasks.fetch.sources import Source, SourceError, SourceKind, source_from_argument
from tasks.fetch.window import FIRST_DAY, LAST_DAY, Window
from tasks.partitions import State
from tasks.planning import Request, days_to_show

if TYPE_CHECKING:  # heavy, and not needed by the commands that only look
    from tasks.archived import Selection

MOST_DAYS: Final = 3_660  # of a backfill: ten years
MOST_AT_ONCE: Final = 16
Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]


class IngestParameters(BaseModel):
    """Which sources to ingest, and where to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sources: tuple[str, ...] = Field(
        (),
        title="Sources",
        description="Names of sources in copydesk.toml, or addresses and paths. None: every source in copydesk.toml.",
        examples=[["harbour-courier"], ["https://news.example/feed.xml"]],
    )
    data: str | None = Field(None, title="Dataset folder", description="By default the one that copydesk.toml names.")
    delay: Seconds | None = Field(
        None, title="Delay (s)", description="Seconds between two requests to one host; by default each source's own."
    )
    allow_private: bool = Field(
        False, title="Allow private addresses", description="Let sources lie on loopback or a private network."
    )
    due_only: bool = Field(
        False,
        title="Only what is due",
        description="Leave a feed or sitemap alone until its next visit is due: schedules do, a run by hand asks.",
    )
    first_day: Day | None = Field(
        None,
        title="First day",
        description="Ask only for what was published on this UTC day or later; by default for all there is.",
    )
    last_day: Day | None = Field(
        None, title="Last day", description="The last UTC day to ask for, together with a first one; by default today."
    )
    config: str | None = Field(
        None, title="Settings file", description="Path of copydesk.toml; by default the one in the working folder."
    )

    def settings(self) -> Settings:
        """Read the settings file these parameters name."""
        return _settings(self.config, self.data)

    def chosen_sources(self, settings: Settings) -> tuple[Source, ...]:
        """Return the sources to ingest. Raises `SettingsError` or `SourceError` where there is none to be had."""
        names = self.sources or tuple(settings.sources)
        if not names:
            raise SettingsError("No source was given, and copydesk.toml holds none: there is nothing to ingest.")
        inbox = Inbox(Path(settings.inbox))
        landed = [name for name in names if name not in settings.sources and inbox.holds(name)]
        others = [self._source(name, settings) for name in names if name not in landed]
        return _distinct([*others, *inbox.sources(landed, delay=settings.delay if self.delay is None else self.delay)])

    def window(self, today: date) -> Window | None:
        """Return the days to keep to, if any were given. Raises `SettingsError` where they are no range of days."""
        if self.first_day is None and self.last_day is None:
            return None
        last = self.last_day or today
        if self.first_day is None:
            raise SettingsError(f"A last day ({last}) was given without a first one. Say from which day on.")
        if last < self.first_day:
            raise SettingsError(f"The last day ({last}) lies before the first ({self.first_day}).")
        return Window(first=self.first_day, last=last)

    def _source(self, name: str, settings: Settings) -> Source:
        known = settings.sources.get(name)
        if known is None:
            delay = settings.delay if self.delay is None else self.delay
            source = source_from_argument(name, delay=delay, allow_private=self.allow_private)
            return replace(source, attention=_attention(settings))
        return configured_source(name, settings, delay=self.delay, allow_private=self.allow_private)


class BackfillParameters(BaseModel):
    """Which days of which sources to bring up to date, and what to do about them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: Day | None = Field(
        None, title="First day", description="Of publication (UTC); none: the first that has articles."
    )
    last: Day | None = Field(
        None, title="Last day", description="Of publication, included; none: today, or the last that has articles."
    )
    sources: tuple[str, ...] = Field(
        (),
        title="Sources",
        description="Names of sources in copydesk.toml or in the dataset, or paths. None: all of them.",
        examples=[["harbour-courier"]],
    )
    only: tuple[Literal["missing", "stale", "failed", "partial"], ...] = Field(
        ("missing", "stale", "failed", "partial"),
        title="States",
        description="Which partitions to bring up to date, by their state.",
        min_length=1,
    )
    again: bool = Field(
        False,
        title="Try hopeless ones again",
        description="Also what failed for a reason that does not pass by itself, such as a damaged archive.",
    )
    concurrency: int = Field(
        2, ge=1, le=MOST_AT_ONCE, title="Days at once", description="How many days are worked on side by side."
    )
    data: str | None = Field(None, title="Dataset folder", description="By default the one that copydesk.toml names.")
    config: str | None = Field(
        None, title="Settings file", description="Path of copydesk.toml; by default the one in the working folder."
    )

    @model_validator(mode="after")
    def _days_in_order(self) -> Self:
        if self.first is None or self.last is None:
            return self
        if self.last < self.first:
            raise ValueError(f"the last day, {self.last}, lies before the first, {self.first}")
        if (self.last - self.first).days >= MOST_DAYS:
            raise ValueError(too_many_days(self.first, self.last))
        return self

    def settings(self) -> Settings:
        """Read the settings file these parameters name."""
        return _settings(self.config, self.data)

    def request(self, settings: Settings, today: date) -> Request:
        """Return what is asked for, with the sources that can be asked themselves."""
        window = window_for(self.first, self.last, known_days(settings, today))
        if (window.last - window.first).days >= MOST_DAYS:
            raise SettingsError(too_many_days(window.first, window.last))
        return replace(
            request_for(window, self.sources, settings, today),
            only=frozenset(State(each) for each in self.only),
            again=self.again,
        )


class Only(StrEnum):
    """What `reprocess` does anew."""

    STALE = "stale"
    ALL = "all"
    FINGERPRINTS = "fingerprints"


class ReprocessParameters(BaseModel):
    """Which archived pages to put through today's desk."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sources: tuple[str, ...] = Field(
        (),
        title="Sources",
        description="Names of sources, as rows have them. None: every source.",
        examples=[["harbour-courier"]],
    )
    first_day: Day | None = Field(None, title="First day", description="Of publication; none: from the beginning.")
    last_day: Day | None = Field(None, title="Last day", description="Of publication, included; none: to the end.")
    only: Only = Field(
        Only.STALE,
        title="Only",
        description="stale: what an older desk made or set aside, and what was lost. all: every archived page. "
        "fingerprints: near-duplicates anew, from the stored texts.",
    )
    dry_run: bool = Field(False, title="Dry run", description="Show the plan, and do nothing.")
    data: str | None = Field(None, title="Dataset folder", description="By default the one that copydesk.toml names.")
    config: str | None = Field(
        None, title="Settings file", description="Path of copydesk.toml; by default the one in the working folder."
    )

    @model_validator(mode="after")
    def _days_in_order(self) -> Self:
        if self.first_day and self.last_day and self.first_day > self.last_day:
            raise ValueError(f"the first day, {self.first_day}, comes after the last, {self.last_day}")
        return self

    def settings(self) -> Settings:
        """Read the settings file these parameters name."""
        return _settings(self.config, self.data)

    def selection(self) -> "Selection":
        """Return which archived pages are wanted. Raises `SettingsError` where that is no question of pages."""
        from tasks.archived import Selection

        if self.only is Only.FINGERPRINTS:
            raise SettingsError("Fingerprints are made again for every day asked for: there is no plan to show.")
        return Selection(
            sources=frozenset(self.sources),
            first_day=self.first_day,
            last_day=self.last_day,
            stale_only=self.only is Only.STALE,
        )


class MaintainParameters(BaseModel):
    """Which dataset to look after."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prove: bool = Field(
        True,
        title="Verify",
        description="Prove the dataset sound (without reading the archive), and fail where it is not.",
    )
    data: str | None = Field(None, title="Dataset folder", description="By default the one that copydesk.toml names.")
    config: str | None = Field(
        None, title="Settings file", description="Path of copydesk.toml; by default the one in the working folder."
    )

    def settings(self) -> Settings:
        """Read the settings file these parameters name."""
        return _settings(self.config, self.data)


class WatchParameters(BaseModel):
    """Which installation to watch."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    config: str | None = Field(
        None, title="Settings file", description="Path of copydesk.toml; by default the one in the working folder."
    )

    def settings(self) -> Settings:
        """Read the settings file these parameters name."""
        return _settings(self.config, None)


class AlertParameters(WatchParameters):
    """What somebody should know."""

    subject: str = Field(title="Subject", description="What happened, in a few words.")
    text: str = Field("", title="Text", description="What is known of it, and what to do; Markdown.")


def _settings(config: str | None, data: str | None) -> Settings:
    settings = Settings.load(Path(config) if config else None)
    return settings if data is None else settings.model_copy(update={"data": data})


def known_days(settings: Settings, today: date) -> Window:
    """Return the days that the dataset knows of; today where it knows none."""
    check_dataset(settings)
    with place_of(settings).open() as store:
        return days_to_show(store, configured_sources(settings), today) or Window(first=today, last=today)


def window_for(first: date | None, last: date | None, known: Window) -> Window:
    """Return the days that are meant; where none are named, those that are known."""
    last = last or max(known.last, first or known.last)
    first = first or min(known.first, last)
    if last < first:
        raise SettingsError(f"The last day, {last}, lies before the first, {first}.")
    return Window(first=first, last=last)


def request_for(window: Window, names: Sequence[str], settings: Settings, today: date) -> Request:
    """Return a request for the partitions of sources; of all in copydesk.toml and in the dataset where none is named.

    A source that cannot be used any more, such as a folder that is gone, is known from the dataset only.
    """
    sources, others = [], []
    for name in names or settings.sources:
        try:
            sources.append(_named_source(name, settings))
        except SourceError:
            others.append(name)
    return Request(
        window=window,
        today=today,
        versions=versions(desk_of(settings)),
        sources=tuple(sources),
        others=tuple(others) if names else None,
    )


def configured_sources(settings: Settings) -> tuple[Source, ...]:
    """Return the sources of copydesk.toml that can be used now."""
    usable = []
    for name in settings.sources:
        with suppress(SourceError):
            usable.append(configured_source(name, settings))
    return tuple(usable)


def _named_source(name: str, settings: Settings) -> Source:
    return configured_source(name, settings) if name in settings.sources else source_from_argument(name)


def _distinct(sources: Iterable[Source]) -> tuple[Source, ...]:
    """Return each source once, and under a name of its own: rows and rejections are known by it."""
    chosen = list({source.location: source for source in sources}.values())
    names = Counter(source.name for source in chosen)
    named = [replace(source, name=_longer_name(source)) if names[source.name] > 1 else source for source in chosen]
    clash = next((name for name, count in Counter(source.name for source in named).items() if count > 1), None)
    if clash is not None:
        raise SettingsError(
            f"Several sources would be called {clash!r}. Give them names of their own in copydesk.toml."
        )
    return tuple(named)


def too_many_days(first: date, last: date) -> str:
    """Say that a backfill of these days is too long, and what to type instead.

    >>> too_many_days(date(2010, 1, 1), date(2026, 11, 1)).partition(". ")[2]
    'Take a part at a time, the newest first: --from 2016-10-25 --to 2026-11-01'
    """
    newest = last - timedelta(days=MOST_DAYS - 1)
    return (
        f"{first} to {last} is more than {MOST_DAYS:,} days. "
        f"Take a part at a time, the newest first: --from {newest} --to {last}"
    )


def _longer_name(source: Source) -> str:
    """Return a name that tells two folders or files of one name apart: with the folder they lie in."""
    return f"{Path(source.location).resolve().parent.name}/{source.name}" if source.is_local else source.name


def configured_source(
    name: str, settings: Settings, *, delay: float | None = None, allow_private: bool = False
) -> Source:
    """Return the source that `[sources.<name>]` of copydesk.toml describes; what is given here wins."""
    written = settings.sources[name]
    calm = next(value for value in (delay, written.delay, settings.delay) if value is not None)
    source = source_from_argument(written.location, delay=calm, allow_private=allow_private or written.allow_private)
    return replace(
        source,
        name=name,
        kind=source.kind if written.kind is None else SourceKind(written.kind),
        language=written.language,
        archive=written.archive,
        root=written.root,
        attention=_attention(settings, written),
    )


def _attention(settings: Settings, written: SourceSettings | None = None) -> Attention:
    """Return how often a source is to be visited, and how long it may be quiet."""
    days = None if written is None else written.silent_after
    return Attention(
        adaptive=written is None or written.adaptive,
        least=timedelta(seconds=settings.least_interval),
        most=timedelta(seconds=settings.most_interval),
        silent_after=None if days is None else timedelta(days=days),
    )
