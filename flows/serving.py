"""Every deployment of copydesk, served by one process: sources on their schedules, and what events trigger."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from prefect import Flow
from prefect import serve as serve_deployments
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule, RRuleSchedule
from prefect.deployments.runner import RunnerDeployment
from prefect.events import DeploymentEventTrigger
from prefect.events.schemas.events import ResourceSpecification
from prefect.types.entrypoint import EntrypointType
from pydantic import BaseModel

from flows.alert import alert
from flows.backfill import backfill
from flows.deploying import bury_zombies
from flows.events import INBOX_LANDED, SOURCE_SILENT, VERSIONS_CHANGED
from flows.ingest import ingest
from flows.maintain import maintain
from flows.parameters import (
    AlertParameters,
    IngestParameters,
    MaintainParameters,
    ReprocessParameters,
    WatchParameters,
)
from flows.reprocess import reprocess
from flows.settings import FILE_NAME, Schedule, Settings
from flows.watch import watch

PrefectSchedule = CronSchedule | IntervalSchedule | RRuleSchedule

TAG: Final = "copydesk"  # of runs whose trouble is told
FROM_INBOX: Final = "from inbox"  # with a blank, as no source's name has one

# A run that comes while the last is still at work is left out: runs that were missed would else follow in a row.
ONE_AT_A_TIME = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
IN_TURN = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE)


def serve(settings: Settings, config: Path | None) -> None:
    """Run everything at its times and on its events; returns when the process is told to stop."""
    with get_client(sync_client=True) as client:
        bury_zombies(client)
    serve_deployments(*deployments(settings, config), pause_on_shutdown=False, print_starting_message=False)


def deployments(settings: Settings, config: Path | None) -> list[RunnerDeployment]:
    """Return all deployments: `ingest/<source>` for each source that has a schedule, and those that work beside."""
    file = config or Path(FILE_NAME)
    path = str(file.absolute()) if config is not None or file.exists() else None
    return [*_of_sources(settings, path), *_beside(settings, path)]


def _of_sources(settings: Settings, config: str | None) -> Iterator[RunnerDeployment]:
    for name, source in settings.sources.items():
        if source.is_scheduled:
            parameters = IngestParameters(sources=(name,), config=config, due_only=True)
            yield deployment(
                ingest, name, parameters, f"Ingest {source.location}", schedule=source, at_a_time=ONE_AT_A_TIME
            )


def _beside(settings: Settings, config: str | None) -> Iterator[RunnerDeployment]:
    inbox, stale = IngestParameters(sources=(settings.inbox,), config=config), ReprocessParameters(config=config)
    yield deployment(
        watch,
        "watch",
        WatchParameters(config=config),
        "Look for what changed outside",
        schedule=settings.watch,
        at_a_time=ONE_AT_A_TIME,
    )
    yield deployment(
        ingest,
        FROM_INBOX,
        inbox,
        f"Ingest what has landed in {settings.inbox}",
        triggers=[on(INBOX_LANDED, inbox, sources="{{ event.payload.paths }}")],
    )
    yield deployment(
        reprocess,
        "reprocess",
        stale,
        "Today's desk over archived pages",
        triggers=[on(VERSIONS_CHANGED, stale)],
        at_a_time=IN_TURN,
    )
    yield deployment(
        backfill,
        "backfill",
        {"config": config},  # of which days, whoever starts it says
        "Bring past days up to date",
        at_a_time=IN_TURN,
    )
    yield deployment(
        maintain,
        "maintain",
        MaintainParameters(config=config),
        "Put the dataset in order",
        schedule=settings.maintain,
        at_a_time=IN_TURN,
    )
    yield deployment(
        alert,
        "alert",
        AlertParameters(subject="A test", config=config),
        "Tell somebody",
        tags=(),
        triggers=[on_silence(config), on_trouble(config)],
    )


def deployment(
    flow: Flow[..., Any],
    name: str,
    parameters: BaseModel | dict[str, str | None],
    description: str,
    *,
    schedule: Schedule | None = None,
    triggers: Sequence[DeploymentEventTrigger] = (),
    at_a_time: ConcurrencyLimitConfig | None = None,
    tags: Sequence[str] = (TAG,),
) -> RunnerDeployment:
    """Return a deployment of one of our flows, found by its module on whatever machine runs it."""
    given = parameters if isinstance(parameters, dict) else as_given(parameters)
    return RunnerDeployment.from_flow(
        flow,
        name=name,
        entrypoint_type=EntrypointType.MODULE_PATH,
        parameters={"parameters": given},
        description=description,
        schedules=[prefect_schedule(schedule)] if schedule is not None and schedule.is_scheduled else [],
        triggers=list(triggers),
        concurrency_limit=at_a_time,
        tags=list(tags),
    )


def as_given(parameters: BaseModel) -> dict[str, Any]:
    """Return parameters as Prefect keeps them: what was given, not what is so by default."""
    return parameters.model_dump(mode="json", exclude_unset=True)


def on(event: str, parameters: BaseModel, **filled: str) -> DeploymentEventTrigger:
    """Return the trigger that starts a run on an event, with some of its parameters filled from that event."""
    return DeploymentEventTrigger(expect={event}, parameters={"parameters": {**as_given(parameters), **filled}})


def on_silence(config: str | None) -> DeploymentEventTrigger:
    """Return the trigger that tells somebody that a source has fallen silent."""
    parameters = AlertParameters(subject="{{ event.resource.name }} is silent", text="{{ event.payload.text }}")
    return on(SOURCE_SILENT, parameters.model_copy(update={"config": config}))


def on_trouble(config: str | None) -> DeploymentEventTrigger:
    """Return the trigger that tells somebody when a run of ours has failed or crashed."""
    parameters = AlertParameters(
        subject="{{ event.resource.name }}: {{ event.resource['prefect.state-name'] }}",
        text="{{ event.resource['prefect.state-message'] }}",
        config=config,
    )
    return DeploymentEventTrigger(
        expect={"prefect.flow-run.Failed", "prefect.flow-run.Crashed"},
        match_related=ResourceSpecification({"prefect.resource.id": f"prefect.tag.{TAG}"}),
        parameters={"parameters": as_given(parameters)},
    )


def prefect_schedule(schedule: Schedule) -> PrefectSchedule:
    """Return a schedule as Prefect writes it."""
    if schedule.cron is not None:
        return CronSchedule(cron=schedule.cron, timezone=schedule.timezone)
    if schedule.rrule is not None:
        return RRuleSchedule(rrule=schedule.rrule, timezone=schedule.timezone)
    assert schedule.every is not None
    return IntervalSchedule(interval=timedelta(seconds=schedule.every), timezone=schedule.timezone)
