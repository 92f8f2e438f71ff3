"""`copydesk sources` and `copydesk sources check`: what is known of each source, and what a look at it now tells."""

import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from secrets import randbits

from flows.clock import utc_now
from flows.console import err, out
from flows.desks import desk_of
from flows.endings import DONE, NOT_DONE
from flows.parameters import IngestParameters, configured_source
from flows.places import place_of
from flows.settings import FILE_NAME, Settings, SettingsError, SourceSettings
from flows.sourcetables import checkup_panel, source_table
from storage.store import Store
from tasks.checkup import Checkup, check_up
from tasks.fetch.exchange import Limits
from tasks.fetch.freshness import Condition
from tasks.fetch.sources import Source, SourceError, SourceKind
from tasks.standing import Standing, standings


def list_sources(settings: Settings, *, as_json: bool) -> int:
    """Show every source of copydesk.toml and how it stands; return 1 where one is silent or failing."""
    if not settings.sources:
        raise SettingsError(f"{FILE_NAME} holds no source. Add one below [sources.<name>]; `copydesk init` shows how.")
    usable, unusable = _configured(settings)
    with _open_if_there(settings) as store:
        found = (
            [Standing(source=source, condition=Condition.NEVER_VISITED) for source in usable]
            if store is None
            else standings(store.ledger, usable)
        )
    found += [Standing(source=source, condition=Condition.FAILING) for source in unusable]
    now, schedules = utc_now(), {name: _schedule(source) for name, source in settings.sources.items()}
    if as_json:
        _print_json([_standing_facts(standing, schedules, unusable) for standing in found])
    else:
        out.print(source_table(found, schedules, now))
        for why in unusable.values():
            out.print(why, style="red", markup=False)
    is_well = all(each.condition in (Condition.FRESH, Condition.NEVER_VISITED) for each in found)
    return DONE if is_well else NOT_DONE


def check_sources(settings: Settings, parameters: IngestParameters, *, as_json: bool) -> int:
    """Look at sources now and say what each brings, or why nothing; return 1 where one does not deliver."""
    if parameters.sources:
        usable, unusable = list(parameters.chosen_sources(settings)), dict[Source, str]()
    else:
        usable, unusable = _configured(settings, parameters)
    if not usable and not unusable:
        raise SettingsError(f"No source was given, and {FILE_NAME} holds none: there is nothing to check.")
    with _open_if_there(settings) as store, err.status("Asking the sources …"):
        checkups = asyncio.run(
            check_up(
                usable,
                store=store,
                contact=settings.contact,
                clock=utc_now,
                seed=randbits(32),
                desk=desk_of(settings),
                limits=Limits(backoff_seconds=settings.backoff),
            )
        )
    checkups += [Checkup(source=source, delivers=False, why=why, kind="none") for source, why in unusable.items()]
    if as_json:
        _print_json([_checkup_facts(checkup) for checkup in checkups])
    else:
        now = utc_now()
        for checkup in checkups:
            out.print(checkup_panel(checkup, now))
    return DONE if all(checkup.delivers for checkup in checkups) else NOT_DONE


def _configured(
    settings: Settings, parameters: IngestParameters | None = None
) -> tuple[list[Source], dict[Source, str]]:
    """Return the sources of copydesk.toml, and those that cannot be used (a folder that is not there), with why."""
    usable: list[Source] = []
    unusable: dict[Source, str] = {}
    given = parameters or IngestParameters()
    for name, written in settings.sources.items():
        try:
            usable.append(configured_source(name, settings, delay=given.delay, allow_private=given.allow_private))
        except SourceError as error:
            unusable[Source(name=name, kind=SourceKind.FILE, location=written.location)] = str(error)
    return usable, unusable


@contextmanager
def _open_if_there(settings: Settings) -> Iterator[Store | None]:
    """Open the dataset, if there is one: to look at sources makes none."""
    place = place_of(settings)
    if not place.is_remote and not Path(settings.data, "state").is_dir():
        yield None
        return
    with place.open() as store:
        yield store


def _schedule(source: SourceSettings) -> str | None:
    """Return a source's schedule as its settings write it."""
    return source.cron or source.rrule or (None if source.every is None else f"every {source.every:g} s")


def _standing_facts(
    standing: Standing, schedules: dict[str, str | None], unusable: dict[Source, str]
) -> dict[str, object]:
    visit = standing.visit
    return {
        "source": standing.source.name,
        "location": standing.source.location,
        "kind": standing.kind,
        "schedule": schedules[standing.source.name],
        "state": standing.condition,
        "detail": unusable.get(standing.source) or (visit and visit.detail),
        "last_visit": visit and visit.fetched_at,
        "last_new": visit and visit.changed_at,
        "newest_entry": visit and visit.newest,
        "entries": visit and visit.entries,
        "next_visit": standing.next_visit,
        "failures": visit.failures if visit else 0,
    }


def _checkup_facts(checkup: Checkup) -> dict[str, object]:
    facts = {name: value for name, value in asdict(checkup).items() if name not in ("source", "visit")}
    visit = checkup.visit
    return {
        "source": checkup.source.name,
        "location": checkup.source.location,
        **facts,
        "last_visit": visit and visit.fetched_at,
        "last_new": visit and visit.changed_at,
        "next_visit": visit and visit.next_visit,
    }


def _print_json(rows: Sequence[dict[str, object]]) -> None:
    sys.stdout.write(json.dumps(rows, default=_plain, ensure_ascii=False, indent=2) + "\n")


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else str(value)
