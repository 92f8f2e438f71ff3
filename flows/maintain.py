"""Housekeeping, nightly: complete, move, retire, prove, compact."""

from prefect import flow

from flows.jobs import Stopwatch, begin, conclude_upkeep, working
from flows.parameters import MaintainParameters
from flows.places import check_dataset, retention_of
from tasks import stages
from tasks.phrasing import counted


class UnsoundDatasetError(Exception):
    """Something is wrong with the dataset that cannot be made again from what is there."""


@flow(name="maintain", flow_run_name="maintain")
def maintain(parameters: MaintainParameters) -> None:
    """Look after a dataset: finish what was cut short, put in order, drop what is old enough, prove the rest sound."""
    settings = parameters.settings()
    check_dataset(settings)
    job = begin("maintain", settings)
    watch = Stopwatch()
    with working(job):
        with watch.timing("complete"):
            completed = stages.complete(job)
        with watch.timing("move"):
            moved = stages.move_corrected(job)
        with watch.timing("retire"):
            dropped = stages.retire(job, retention_of(settings))
        with watch.timing("verify"):
            findings = stages.prove(job).findings if parameters.prove else ()
        with watch.timing("compact"):
            stages.compact(job)
        conclude_upkeep(job, completed, moved, dropped, findings, watch.seconds)
    if findings:
        raise UnsoundDatasetError(
            f"{job.place.root}: {counted(len(findings), 'fault')}, first {findings[0].path}: {findings[0].detail}. "
            "`copydesk verify` lists them all."
        )
