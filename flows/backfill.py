"""Past days: plan what is missing, stale or failed, and bring it up to date, the newest day first."""

from collections.abc import Iterator
from dataclasses import replace

from prefect import State, flow
from prefect.task_runners import ThreadPoolTaskRunner

from flows.clock import utc_now
from flows.jobs import Stopwatch, begin, conclude, editors, ended, working
from flows.parameters import BackfillParameters
from flows.plans import backfill_run_name, keep_plan, keep_shortfall, name_of
from tasks import stages
from tasks.batch import Editors
from tasks.job import Job
from tasks.partitions import Plan
from tasks.planning import Request
from tasks.progress import tell
from tasks.publish import Published, together
from tasks.report.summary import RunSummary


@flow(name="backfill", flow_run_name=backfill_run_name)
def backfill(parameters: BackfillParameters) -> RunSummary | State[RunSummary]:
    """Bring the partitions of a range of days up to date; what fails costs its own day only, and is told with reasons.

    Cut short, it is started again: what is done by then is not done twice.
    """
    settings = parameters.settings()
    request = parameters.request(settings, utc_now().date())
    days = request.window
    job = replace(begin("backfill", settings), name=name_of(days.first, days.last, parameters.sources))
    watch = Stopwatch()
    with working(job), editors(settings) as at_work:
        stages.finish(job)
        plan = stages.plan_days(job.place, request)
        keep_plan(job.name, plan)
        with watch.timing("fill"):
            published = together(list(_filled(job, plan, request, at_work, parameters.concurrency)))
        with watch.timing("stories"):
            changed = {*published.days, *stages.untold(job.place, days)}
            near_duplicates = stages.stories(job, sorted(changed))
        summary = conclude(job, published, near_duplicates, watch.seconds)
        summary = keep_shortfall(summary, plan, stages.plan_days(job.place, request))
        if plan.units:
            stages.report(job, summary, published.days, request.sources)
        return ended(summary)


def _filled(job: Job, plan: Plan, request: Request, at_work: Editors, concurrency: int) -> Iterator[Published]:
    """Yield what each unit of the plan brought, some side by side; one that broke off is recorded, and others go on."""
    side_by_side: ThreadPoolTaskRunner[Published | None] = ThreadPoolTaskRunner(max_workers=concurrency)
    with side_by_side:
        runs = [replace(job, run=f"{job.run}-{number:04d}") for number in range(1, len(plan.units) + 1)]
        futures = [
            side_by_side.submit(stages.fill, {"job": run, "unit": unit, "request": request, "editors": at_work})
            for run, unit in zip(runs, plan.units, strict=True)
        ]
        for done, (run, unit, future) in enumerate(zip(runs, plan.units, futures, strict=True), 1):
            brought: object = future.result(raise_on_failure=False)
            if isinstance(brought, Published):
                yield brought
            elif isinstance(brought, BaseException):
                stages.break_off(run, unit, f"{type(brought).__name__}: {brought}")
            tell("backfill", done, len(futures))
