"""Deployments of `ingest`, one for each scheduled source of copydesk.toml, served by one process."""

from datetime import timedelta
from pathlib import Path

from prefect import serve as serve_deployments
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule, RRuleSchedule
from prefect.deployments.runner import RunnerDeployment
from prefect.types.entrypoint import EntrypointType

from flows.ingest import ingest
from flows.parameters import IngestParameters
from flows.settings import FILE_NAME, Settings, SourceSettings

Schedule = CronSchedule | IntervalSchedule | RRuleSchedule


def serve(settings: Settings, config: Path | None) -> None:
    """Run every scheduled source at its times; returns when the process is told to stop."""
    serve_deployments(*deployments(settings, config), pause_on_shutdown=False, print_starting_message=False)


def deployments(settings: Settings, config: Path | None) -> list[RunnerDeployment]:
    """Return a deployment `ingest/<source>` for each source that has a schedule."""
    path = (config or Path(FILE_NAME)).absolute()
    return [
        RunnerDeployment.from_flow(
            ingest,
            name=name,
            entrypoint_type=EntrypointType.MODULE_PATH,
            schedules=[schedule(source)],
            parameters={"parameters": IngestParameters(sources=(name,), config=str(path), due_only=True).model_dump()},
            description=f"Ingest {source.location}",
            tags=["copydesk"],
        )
        for name, source in settings.sources.items()
        if source.is_scheduled
    ]


def schedule(source: SourceSettings) -> Schedule:
    """Return a source's schedule as Prefect writes it."""
    if source.cron is not None:
        return CronSchedule(cron=source.cron, timezone=source.timezone)
    if source.rrule is not None:
        return RRuleSchedule(rrule=source.rrule, timezone=source.timezone)
    assert source.every is not None
    return IntervalSchedule(interval=timedelta(seconds=source.every), timezone=source.timezone)
