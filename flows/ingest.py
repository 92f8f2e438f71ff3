"""New pages: discover, fetch, archive, edit, commit, report."""

from prefect import State, flow

from flows.jobs import Stopwatch, begin, conclude, ended, ingest_run_name, working
from flows.parameters import IngestParameters
from tasks import stages
from tasks.batch import Workers
from tasks.progress import tell
from tasks.report.summary import RunSummary


@flow(name="ingest", flow_run_name=ingest_run_name)
def ingest(parameters: IngestParameters) -> RunSummary | State[RunSummary]:
    """Ingest what the sources have that is new or has changed, and report what became of every input."""
    settings = parameters.settings()
    sources = parameters.chosen_sources(settings)
    job = begin("ingest", settings)
    watch = Stopwatch()
    with working(job), Workers(job.workers) as workers:
        stages.finish(job)
        with watch.timing("collect"):
            edits = [stages.edit.submit(job, batch, workers) for batch in stages.collect(job, sources)]
        with watch.timing("edit"):
            for number, edited in enumerate(edits, 1):
                edited.result()
                tell("edit", number, len(edits))
        with watch.timing("commit"):
            published = stages.commit(job)
        with watch.timing("stories"):
            near_duplicates = stages.stories(job, published.days)
        summary = conclude(job, published, near_duplicates, watch.seconds)
        stages.report(job.place, summary, published.days)
        return ended(summary)
