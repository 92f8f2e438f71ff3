"""`copydesk.toml` and `COPYDESK_*` become one frozen `Settings`, checked when loaded."""

import difflib
import json
import os
import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from tasks.gates import Limits, OnBreak

FILE_NAME = "copydesk.toml"
PREFIX = "COPYDESK_"
TABLES = frozenset({"sources", "gates", "watch", "maintain"})  # of a settings file; they have no variable
_DASK_SCHEMES = ("tcp", "tls", "ucx", "ws", "wss")
_LIMITS = Limits()

Seconds = Annotated[float, Field(ge=0, le=3600)]
Share = Annotated[float, Field(ge=0, le=1)]
Interval = Annotated[float, Field(ge=0, le=90 * 86_400)]
# A source's name stands in rows, file names and deployment names.
SourceName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]


class SettingsError(Exception):
    """The settings cannot be used: the message says where, what, and what would be right."""

    exit_code = 2


class Closed(BaseModel):
    """A model that refuses unknown keys and does not change."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LogFormat(StrEnum):
    """How log lines are written to standard error."""

    TEXT = "text"
    JSON = "json"


class GateSettings(Closed):
    """Quality gates: how far from the usual a run may be, in shares, before it warns or fails."""

    volume: Share = Field(
        _LIMITS.volume, description="Least share of a usual day's new articles (median of seven days); 0 asks nothing."
    )
    rejections: Share = Field(_LIMITS.rejections, description="Largest share of inputs set aside; 1 asks nothing.")
    undated: Share = Field(
        _LIMITS.undated, description="Largest share of new articles without a date of their own; 1 asks nothing."
    )
    on_break: OnBreak = Field(_LIMITS.on_break, description="What a broken gate does to the run: warn or fail.")

    def limits(self, own: "GateSettings | None" = None) -> Limits:
        """Return the limits; what a source's own table sets wins."""
        return Limits(**(self.model_dump() | (own.model_dump(exclude_unset=True) if own else {})))


class Schedule(Closed):
    """When something happens by itself: by a cron expression, every so many seconds, or by an iCalendar rule."""

    cron: str | None = Field(None, description="Schedule as a cron expression, for example `*/30 * * * *`.")
    every: float | None = Field(None, ge=1, description="Schedule as seconds between two runs.")
    rrule: str | None = Field(None, description="Schedule as an iCalendar RRULE.")
    timezone: str = Field("UTC", description="Time zone of `cron` and `rrule`.")

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("is not a time zone of the tz database; write for example Europe/Paris")
        return value

    @field_validator("cron")
    @classmethod
    def _cron_expression(cls, value: str | None) -> str | None:
        from cronsim import CronSim, CronSimError  # what Prefect reads them with

        try:
            if value is not None:
                CronSim(value, datetime.now(UTC))
        except CronSimError as error:
            raise ValueError(f"is not a cron expression ({error}); write for example `*/30 * * * *`") from None
        return value

    @field_validator("rrule")
    @classmethod
    def _recurrence_rule(cls, value: str | None) -> str | None:
        from dateutil.rrule import rrulestr

        try:
            if value is not None:
                rrulestr(value)
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"is not an RRULE ({error}); write for example `FREQ=HOURLY;INTERVAL=2`") from None
        return value

    @model_validator(mode="after")
    def _one_schedule(self) -> Self:
        if sum(value is not None for value in (self.cron, self.every, self.rrule)) > 1:
            raise ValueError("has more than one of cron, every and rrule")
        return self

    @property
    def is_scheduled(self) -> bool:
        """Whether `copydesk serve` runs this by itself."""
        return any(value is not None for value in (self.cron, self.every, self.rrule))


class SourceSettings(Schedule):
    """One `[sources.<name>]` table: where news comes from, how politely, and when."""

    location: str = Field(description="Feed, sitemap or page URL; or a folder or file, relative to this file or on S3.")
    kind: Literal["web", "home", "page", "feed", "sitemap"] | None = Field(
        None,
        description="What a URL is: web (it is seen when fetched), home (its feeds are read), page, feed, sitemap.",
    )
    archive: str | None = Field(
        None, description="URL of a past day's listing: https://news.example/sitemap-{day:%Y-%m-%d}.xml."
    )
    root: str | None = Field(None, description="Where the paths in a list of WARC files begin: a folder, or on S3.")
    delay: Seconds | None = Field(None, description="Seconds between two requests to one host.")
    allow_private: bool = Field(False, description="Allow loopback and other private addresses.")
    language: str | None = Field(None, description="The language most pages are in (BCP 47).")
    adaptive: bool = Field(True, description="Let scheduled runs pass it over until it is likely to have news.")
    silent_after: float | None = Field(
        None,
        gt=0,
        le=3650,
        description="Days without news after which it counts as silent; by default as it was before.",
    )
    gates: GateSettings | None = Field(None, description="Quality gates of its own, as in [gates]; it is judged alone.")

    @field_validator("archive")
    @classmethod
    def _names_a_day(cls, value: str | None) -> str | None:
        from tasks.fetch.sources import listing_of_day

        if value is not None:
            listing_of_day(value, date(2024, 2, 26))
        return value

    @model_validator(mode="after")
    def _fits_its_location(self) -> Self:
        is_url = self.location.lower().startswith(("http://", "https://"))
        for name in ("kind", "archive") if not is_url else ("root",):
            if getattr(self, name) is not None:
                raise ValueError(f"has {name}, which is for {'paths' if is_url else 'http(s) addresses'} only")
        return self


class Settings(Closed):
    """All that an installation sets. Each top-level value can be given as `COPYDESK_<NAME>` too, which wins."""

    data: str = Field("data", description="The dataset: a folder relative to this file, or s3://bucket/prefix.")
    ledger: str | None = Field(
        None,
        description="SQLAlchemy URL of the ledger; by default an SQLite file in the dataset's folder.",
        examples=["postgresql+psycopg://desk@db.example/copydesk"],
    )
    single_machine: bool = Field(False, description="Only this machine writes to a dataset on S3.")
    contact: str = Field("", description="Mail or web address that the user agent names; hosts like to know.")
    delay: Seconds = Field(5.0, description="Seconds between two requests to one host, unless a source says otherwise.")
    backoff: Seconds = Field(1.0, description="Seconds before a failed request is tried again; doubled each time.")
    least_interval: Interval = Field(
        600, description="Seconds after which a feed that often brings news is asked again by a schedule, at the least."
    )
    most_interval: Interval = Field(
        86_400, description="Seconds after which a feed that brings no news is asked again by a schedule, at the most."
    )
    languages: tuple[str, ...] = Field((), description="Languages that are expected (BCP 47); none: all are equal.")
    mode: str = Field("standard", pattern="^(strict|standard|all)$", description="How boldly text is mended.")
    watchlists: str | None = Field(
        None,
        description="Your own topics: a TOML file, relative to this one (docs/topics.md tells how it is written).",
        examples=["watchlists.toml"],
    )
    batch_size: int = Field(200, ge=1, le=10_000, description="Pages in a batch.")
    workers: int = Field(0, ge=0, le=256, description="Processes that edit pages; 0: one for each core.")
    log_format: LogFormat = Field(LogFormat.TEXT, description="How log lines are written: text, or json for machines.")
    gates: GateSettings = Field(
        GateSettings(), description="Quality gates: a run that breaks one warns, or fails; its rows are kept."
    )
    dask: str | None = Field(
        None,
        description="Scheduler of a Dask cluster that edits pages, such as tcp://scheduler:8786; or `local`, to start "
        "one of `workers` processes here.",
    )
    keep_pages_days: int = Field(
        0, ge=0, description="Days after which `maintain` drops archived pages that no row points to; 0: never."
    )
    keep_pages_of_rows: bool = Field(
        True, description="Keep pages that rows point to for longer; without them, reprocess leaves these rows alone."
    )
    keep_rejections_days: int = Field(
        0, ge=0, description="Days after which `maintain` drops rejections whose cause did not change; 0: never."
    )
    inbox: str = Field("inbox", description="Folder relative to this file: a document put there is taken in.")
    alert_webhook: SecretStr | None = Field(
        None, description="Address that alerts are posted to; a secret, better given in the environment."
    )
    watch: Schedule = Field(Schedule(every=300), description="How often the inbox, the versions and silence are seen.")
    maintain: Schedule = Field(Schedule(cron="15 3 * * *"), description="When the dataset is put in order.")
    sources: dict[SourceName, SourceSettings] = Field(default_factory=dict)

    @field_validator("most_interval")
    @classmethod
    def _least_is_less(cls, value: float, others: ValidationInfo) -> float:
        if value < others.data.get("least_interval", 0):
            raise ValueError(f"is less than `least_interval`, {others.data['least_interval']:g}")
        return value

    @field_validator("sources")
    @classmethod
    def _locations_differ(cls, value: dict[str, SourceSettings]) -> dict[str, SourceSettings]:
        names: dict[str, str] = {}
        for name, source in value.items():
            if (other := names.setdefault(source.location, name)) != name:
                raise ValueError(f"name one location twice, as {other} and {name}: {source.location}")
        return value

    @field_validator("dask")
    @classmethod
    def _scheduler(cls, value: str | None) -> str | None:
        if not value:
            return None
        parts = urlsplit(value)
        if value != "local" and not (parts.scheme in _DASK_SCHEMES and parts.hostname):
            raise ValueError("names no Dask scheduler; write `local`, or its address, such as tcp://scheduler:8786")
        return value

    @field_validator("ledger", "alert_webhook", mode="before")
    @classmethod
    def _blank_is_none(cls, value: object) -> object:
        return None if value == "" else value  # as an empty variable of the environment means

    @field_validator("languages", mode="before")
    @classmethod
    def _parted(cls, value: object) -> object:
        return [tag.strip() for tag in value.split(",")] if isinstance(value, str) else value

    @classmethod
    def load(cls, path: Path | None = None, environment: Mapping[str, str] | None = None) -> Self:
        """Read `path` (by default `copydesk.toml` here, if there is one) and the environment.

        Raises `SettingsError` where the file is missing, is not TOML, or holds what does not fit.
        """
        environment = os.environ if environment is None else environment
        place = Path(FILE_NAME) if path is None else path
        written = _read_toml(place) if path is not None or place.exists() else {}
        given = _from_environment(environment, set(cls.model_fields) - TABLES)
        try:
            cls.model_validate(written)
            settings = cls.model_validate({**written, **given})
        except ValidationError as error:
            from_file = all(str(fault["loc"][0]) not in given for fault in error.errors())
            raise SettingsError(_explain(str(place) if from_file else "The environment (COPYDESK_…)", error)) from None
        if not place.exists():
            return settings
        sources = {
            name: source.model_copy(
                update={
                    "location": _path_in(place.parent, source.location),
                    "root": source.root and _path_in(place.parent, source.root),
                }
            )
            for name, source in settings.sources.items()
        }
        beside = {
            name: _path_in(place.parent, location)
            for name in ("data", "inbox", "watchlists")
            if name not in given and (location := getattr(settings, name)) is not None
        }
        return settings.model_copy(update={**beside, "sources": sources})


def _from_environment(environment: Mapping[str, str], known: set[str]) -> dict[str, str]:
    """Return what `COPYDESK_*` variables set; one that sets nothing is refused."""
    given = {name.removeprefix(PREFIX).lower(): value for name, value in environment.items() if name.startswith(PREFIX)}
    for name in sorted(given.keys() - known):
        close = difflib.get_close_matches(name, sorted(known), n=1)
        hint = f"Did you mean {PREFIX}{close[0].upper()}?" if close else f"Known: {', '.join(sorted(known))}."
        raise SettingsError(f"{PREFIX}{name.upper()} in the environment sets nothing. {hint}")
    return given


def _path_in(folder: Path, location: str) -> str:
    return location if "://" in location else str(folder / location)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"{path}: there is no such file. `copydesk init` writes one to start from.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path}: this is not UTF-8 text, so it cannot be TOML.") from None
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}).") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: this is not valid TOML: {error}.") from None


def _explain(place: str, error: ValidationError) -> str:
    """Return one sentence for each thing that is wrong."""
    lines = []
    for fault in error.errors():
        key = ".".join(str(part) for part in fault["loc"] if part != "[key]")
        if fault["type"] == "extra_forbidden":
            lines.append(f"unknown key `{key}`.{_nearest(fault['loc'])}")
        elif fault["type"] == "missing":
            lines.append(f"`{key}` is missing.")
        else:
            what = fault["msg"].removeprefix("Value error, ")
            what = what[0].lower() + what[1:]
            lines.append(
                f"`{key}` {what}." if fault["type"] == "value_error" else f"`{key}` = {fault['input']!r}: {what}."
            )
    return f"{place}: " + " ".join(lines)


def _nearest(place: tuple[int | str, ...]) -> str:
    """Return ` Did you mean …?` for an unknown key, or what may stand there."""
    tables: dict[int | str, type[BaseModel]] = {
        "sources": SourceSettings,
        "gates": GateSettings,
        "watch": Schedule,
        "maintain": Schedule,
    }
    model = tables.get(place[0], Settings) if len(place) > 1 else Settings
    if "gates" in place[2:-1]:  # a source's own
        model = GateSettings
    known = list(model.model_fields)
    close = difflib.get_close_matches(str(place[-1]), known, n=1)
    return f" Did you mean `{close[0]}`?" if close else f" Known here: {', '.join(known)}."


def template() -> str:
    """Return a commented `copydesk.toml` to start from, written from the models above."""
    lines = [
        "# Settings of copydesk. Each top-level value can also be given as COPYDESK_<NAME> in the environment.",
        "",
    ]
    lines += [
        line for name, field in Settings.model_fields.items() if name not in TABLES for line in _entry(name, field)
    ]
    lines += ["", f"# {Settings.model_fields['gates'].description}", "# [gates]"]
    lines += [line for name, field in GateSettings.model_fields.items() for line in _entry(name, field)]
    lines += [line for name in ("watch", "maintain") for line in _table(name, Settings.model_fields[name])]
    lines += ["", "# A source: the name is yours; it stands in every row.", "# [sources.harbour-courier]"]
    lines += ['# location = "https://news.example/feed.xml"', '# cron = "*/30 * * * *"']
    described = (name for name in SourceSettings.model_fields if name not in ("location", "cron", "gates"))
    lines += [f"# {name} = …  # {SourceSettings.model_fields[name].description}" for name in described]
    return "\n".join(lines) + "\n"


def _entry(name: str, field: Any) -> list[str]:
    value = "…" if field.default is None else field.default
    value = field.examples[0] if field.examples else value
    return [f"# {field.description}", f"# {name} = {_as_toml(value)}"]


def _table(name: str, field: Any) -> list[str]:
    values = field.default.model_dump(exclude_defaults=True)
    written = [f"# {key} = {_as_toml(value)}" for key, value in values.items()]
    return ["", f"# {field.description}", f"# [{name}]", *written]


def _as_toml(value: object) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
