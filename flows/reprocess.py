"""Archived pages: plan, edit with today's desk, commit, report; nobody is asked for anything."""

from prefect import State, flow

from flows.jobs import THREADS, Stopwatch, begin, conclude, editors, ended, reprocess_run_name, show_plan, working
from flows.parameters import Only, ReprocessParameters
from flows.places import check_dataset
from flows.settings import Settings
from tasks import stages
from tasks.job import Job
from tasks.progress import tell
from tasks.publish import Published
from tasks.report.summary import RunSummary


@flow(name="reprocess", flow_run_name=reprocess_run_name, task_runner=THREADS)
def reprocess(parameters: ReprocessParameters) -> RunSummary | State[RunSummary]:
    """Put archived pages through today's desk; ids, days and revisions stay where the content does."""
    settings = parameters.settings()
    check_dataset(settings)
    job = begin("reprocess", settings)
    watch = Stopwatch()
    with working(job):
        if parameters.dry_run:
            show_plan(job, stages.plan(job, parameters.selection()))
            return conclude(job, Published(), 0, watch.seconds)
        stages.finish(job)
        if parameters.only is Only.FINGERPRINTS:
            published = Published(days=stages.fingerprints(job, parameters.first_day, parameters.last_day))
        else:
            show_plan(job, stages.plan(job, parameters.selection()))
            published = _edit_anew(job, settings, parameters, watch)
        with watch.timing("stories"):
            near_duplicates = stages.stories(job, published.days)
        summary = conclude(job, published, near_duplicates, watch.seconds)
        stages.report(job, summary, published.days)
        return ended(summary)


def _edit_anew(job: Job, settings: Settings, parameters: ReprocessParameters, watch: Stopwatch) -> Published:
    with editors(settings) as at_work:
        with watch.timing("collect"):
            batches = stages.collect_kept(job, parameters.selection())
            edits = [stages.edit.submit(job, batch, at_work) for batch in batches]
        with watch.timing("edit"):
            for number, edited in enumerate(edits, 1):
                edited.result()
                tell("edit", number, len(edits))
    with watch.timing("commit"):
        return stages.commit(job)
