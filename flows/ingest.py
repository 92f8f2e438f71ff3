"""New pages: discover, fetch, archive, edit, commit, report."""

from prefect import State, flow

from flows.clock import utc_now
from flows.jobs import (
    THREADS,
    Stopwatch,
    begin,
    choose_due,
    conclude,
    editors,
    ended,
    ingest_run_name,
    told_silent,
    working,
)
from flows.parameters import IngestParameters
from tasks import stages
from tasks.progress import tell
from tasks.report.summary import RunSummary


@flow(name="ingest", flow_run_name=ingest_run_name, task_runner=THREADS)
def ingest(parameters: IngestParameters) -> RunSummary | State[RunSummary]:
    """Ingest what the sources have that is new or has changed, and report what became of every input."""
    settings = parameters.settings()
    sources = parameters.chosen_sources(settings)
    job = begin("ingest", settings, parameters.window(utc_now().date()))
    watch = Stopwatch()
    with working(job), editors(settings) as at_work:
        stages.finish(job)
        due, told = choose_due(job, sources) if parameters.due_only else (sources, [])
        with watch.timing("collect"):
            edits = [stages.edit.submit(job, batch, at_work) for batch in stages.collect(job, due)]
        with watch.timing("edit"):
            for number, edited in enumerate(edits, 1):
                edited.result()
                tell("edit", number, len(edits))
        with watch.timing("commit"):
            published = stages.commit(job)
        stages.attempts(job, due, published)
        with watch.timing("stories"):
            near_duplicates = stages.stories(job, published.days)
        told += told_silent(job, due)
        summary = conclude(job, published, near_duplicates, watch.seconds, told)
        if due:  # else the last report says more than one of a run that asked nothing
            stages.report(job, summary, published.days, sources)
        return ended(summary)
