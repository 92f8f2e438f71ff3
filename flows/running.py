"""`copydesk run`, `demo`, `serve` and `report`: flows run from a terminal."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from shutil import which
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from flows.clock import utc_now
from flows.console import (
    commands,
    mended_sentence,
    notice,
    out,
    outcome_table,
    plan_table,
    progress_bars,
    rejection_table,
)
from flows.desks import desk_of
from flows.embedded import PrefectUnreachableError, leave_at_once, local_server, prepare_prefect, uses_a_server
from flows.endings import DONE, NOT_DONE
from flows.logs import PREFECT_HANDLERS, quieten_prefect, speak_json
from flows.parameters import IngestParameters, Only, ReprocessParameters, configured_sources
from flows.places import check_dataset, check_reach, inside, place_of
from flows.settings import LogFormat, Settings, SettingsError
from flows.showcase import telling_sentence
from storage import read
from storage.store import Store
from tasks.archived import plan
from tasks.documents import Outcome, Stage
from tasks.edit import versions
from tasks.gates import GateStatus
from tasks.publish import write_report
from tasks.report.summary import RunSummary

if TYPE_CHECKING:  # Prefect is loaded once its settings are settled
    from prefect import State


def run_ingest(parameters: IngestParameters, *, as_json: bool = False) -> int:
    """Run the `ingest` flow here and show what came of it; return the exit code."""
    settings = parameters.settings()
    parameters.chosen_sources(settings)  # what is wrong with these is said before Prefect starts
    parameters.window(utc_now().date())
    return _run_and_show(lambda: _ingest(parameters), settings, as_json=as_json)


def _ingest(parameters: IngestParameters) -> "State[RunSummary | State[RunSummary]]":
    from flows.ingest import ingest

    return ingest(parameters, return_state=True)


def run_reprocess(parameters: ReprocessParameters, *, as_json: bool = False) -> int:
    """Show what the `reprocess` flow would do, and run it here unless there is nothing to do; return the exit code."""
    settings = parameters.settings()
    check_dataset(settings)
    _check_names(parameters.sources, settings)
    if parameters.dry_run or parameters.only is not Only.FINGERPRINTS:
        planned = plan(place_of(settings), parameters.selection(), versions(desk_of(settings)))
        if parameters.dry_run and as_json:
            out.print_json(json.dumps([asdict(line) for line in planned], default=date.isoformat))
            return DONE
        if not as_json:
            out.print(plan_table(planned))
        if parameters.dry_run or not sum(line.pages for line in planned):
            return DONE
    return _run_and_show(lambda: _reprocess(parameters), settings, as_json=as_json)


def _check_names(names: Sequence[str], settings: Settings) -> None:
    """Refuse a source of which neither copydesk.toml nor the dataset knows anything."""
    root, known = place_of(settings).root, set(settings.sources)
    for stored in (read.articles(root, columns=["source"]), read.rejections(root, columns=["source"])):
        known |= set(pc.unique(stored["source"]).to_pylist())
    for name in names:
        if name not in known:
            close = get_close_matches(name, sorted(known), n=1)
            hint = f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(sorted(known)) or 'none'}."
            raise SettingsError(f"{name}: neither copydesk.toml nor the dataset has a source of this name. {hint}")


def _reprocess(parameters: ReprocessParameters) -> "State[RunSummary | State[RunSummary]]":
    from flows.reprocess import reprocess

    return reprocess(parameters, return_state=True)


def _run_and_show(run: "Callable[[], State[Any]]", settings: Settings, *, as_json: bool) -> int:
    """Run a flow here and show what came of it; return the exit code."""
    summary, is_known = run_flow(run, settings)
    if as_json:
        out.print_json(summary.to_json())
    else:
        _show(summary, settings)
    return end(_exit_code(summary), is_known=is_known)


def end(code: int, *, is_known: bool) -> int:
    """Return the exit code of a run; where its Prefect server is gone, say so and leave with it."""
    if not is_known:
        notice("The run is done, but the Prefect server stopped answering, and does not know.", style="yellow")
        leave_at_once(code)
    return code


def _exit_code(summary: RunSummary) -> int:
    if _reached_nothing(summary):
        notice("copydesk: nothing could be read from these sources.", style="red")
        return NOT_DONE
    return NOT_DONE if summary.broken_gates else DONE


def run_flow(run: "Callable[[], State[Any]]", settings: Settings) -> tuple[RunSummary, bool]:
    """Run a flow with a Prefect server at hand, its progress shown; return its summary, and whether Prefect has it."""
    check_reach(settings)
    place = place_of(settings)
    with place.open():  # a folder that cannot be written to is named before Prefect starts
        pass
    # The console is ours in a run, and says what went wrong itself.
    quieten_prefect()
    with _prefect(settings, console_level="CRITICAL"):
        from flows.calling import call

        with progress_bars():
            return call(run, place)


@contextmanager
def _prefect(settings: Settings, *, console_level: str) -> Iterator[str | None]:
    """Have a Prefect server while the block lasts; yield the address of one that was started for it."""
    home = _prefect_home(settings)
    if settings.log_format is LogFormat.JSON:
        os.environ.update(PREFECT_HANDLERS)
        speak_json()
        console_level = "INFO"
    prepare_prefect(home, console_level=console_level)
    if uses_a_server():
        yield None
        return
    notice("Starting Prefect (about 15 s) …", style="dim")
    with local_server((home or Path(gettempdir(), "copydesk")) / "server.log") as url:
        try:
            yield url
        finally:
            _send_what_is_queued()


def _send_what_is_queued() -> None:
    """Let Prefect's workers send their logs and events while their server is there: they would look for it long."""
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    for worker in (APILogWorker, EventsWorker):
        worker.drain_all(timeout=5.0, at_exit=False)


def _show(summary: RunSummary, settings: Settings) -> None:
    out.print()
    out.print(outcome_table(summary))
    took = (summary.run.finished_at - summary.run.started_at).total_seconds()
    pages = summary.inputs - summary.count(Outcome.SKIPPED) - summary.count(Outcome.DEFERRED)
    working = sum(summary.seconds_by_stage.values()) or took
    inputs = f"{summary.inputs:,} {'input' if summary.inputs == 1 else 'inputs'}"
    out.print(
        f"\n{inputs} in {took:,.1f} s ({pages / working:,.1f} a second); "
        f"{summary.near_duplicates:,} near-duplicates among the days that changed.",
        style="dim",
    )
    if summary.rejected:
        out.print()
        out.print(rejection_table(summary.rejected))
    for gate in summary.gates:
        if gate.status is not GateStatus.PASSED:
            style = "bold red" if gate.status is GateStatus.FAILED else "yellow"
            out.print(f"{gate.name}: {gate.detail}", style=style, markup=False)
    for warning in summary.warnings:
        out.print(warning, style="yellow", markup=False)
    out.print(f"\nDataset  {inside(settings.data, 'articles')}", soft_wrap=True, markup=False)
    out.print(f"Report   {inside(settings.data, 'report', 'index.html')}", soft_wrap=True)


def _reached_nothing(summary: RunSummary) -> bool:
    """Whether every input was set aside before the desk could see it: then the job was not done."""
    early = sum(each.count for each in summary.rejected if each.stage in (Stage.DISCOVER, Stage.FETCH))
    return 0 < summary.inputs == early


def _prefect_home(settings: Settings) -> Path | None:
    """Return where Prefect's own database goes: beside a dataset in a folder; to Prefect's choice for one on S3."""
    return None if place_of(settings).is_remote else Path(settings.data, "state", "prefect")


DEMO_SETTINGS = """\
# Written by `copydesk demo`: the sample newspaper's three listings, served on loopback. It prints no second issue.
data = ".."
delay = 0.02
backoff = 0.1

[sources.harbour-feed]
location = "{base}/feed.xml"
allow_private = true
silent_after = 3650

[sources.harbour-atom]
location = "{base}/atom.xml"
allow_private = true
silent_after = 3650

[sources.harbour-sitemap]
location = "{base}/sitemap-news.xml"
allow_private = true
silent_after = 3650
"""


def run_demo(data: Path, port: int) -> int:
    """Serve the sample newspaper, ingest it, and show one sentence mended and where to look next."""
    from flows.sample.site import SampleSite

    with SampleSite(port) as site:
        out.print(f"The sample newspaper is served at [link]{site.base_url}/[/link] while this runs.")
        with Store.open(data) as store:
            store.files.publish("state/demo.toml", DEMO_SETTINGS.format(base=site.base_url).encode())
        config = data / "state" / "demo.toml"
        code = run_ingest(IngestParameters(config=str(config), data=str(data)))
    _show_showcase(data)
    return code


def _show_showcase(data: Path) -> None:
    sentence = telling_sentence(read.articles(data, columns=["title", "language", "text", "artifacts"]))
    if sentence is not None:
        out.print("\nOne sentence, mended:\n")
        out.print(mended_sentence(sentence))
    where = "" if data == Path("data") else f" --data {data}"
    copydesk = "copydesk" if which("copydesk") else os.path.relpath(sys.argv[0])
    out.print("\nTry next:\n")
    out.print(
        commands(
            (
                f'{copydesk} query "FROM articles SELECT language, count(*) AS n GROUP BY ALL ORDER BY n DESC"{where}',
                "SQL over the dataset",
            ),
            (f"echo '“It will hold” , did he declare.' | {copydesk} mend - --diff", "mend a text of your own"),
            (f"{copydesk} run https://… --data news", "a feed, sitemap, page or folder of your own"),
        ),
        soft_wrap=True,
    )


def rewrite_report(settings: Settings) -> None:
    """Draw the last run's report again, from the dataset as it is now."""
    place, data = place_of(settings), settings.data
    check_dataset(settings)
    with place.open() as store:
        if not store.files.exists("report/summary.json"):
            raise SettingsError(f"{data}: no run has left a report here. Run one: copydesk run SOURCE --data {data}")
        summary = RunSummary.from_json(store.files.read("report/summary.json"))
    write_report(place, summary, (), versions(desk_of(settings)), configured_sources(settings))
    out.print(f"Report  {inside(data, 'report', 'index.html')}", soft_wrap=True, markup=False)


def start_worker(pool: str, limit: int) -> None:
    """Become a worker of a Prefect server, once it is known to answer: Prefect's own would try for a minute."""
    if not uses_a_server():
        raise PrefectUnreachableError(
            "PREFECT_API_URL names no server for a worker to work for. Start one with `prefect server start`, and "
            "export PREFECT_API_URL=http://127.0.0.1:4200/api; or have all in one process with `copydesk serve`."
        )
    prepare_prefect(None, console_level="INFO")
    command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", pool, "--type", "process"]
    os.execv(sys.executable, [*command, "--limit", str(limit)])  # noqa: S606 - our own words


def serve_schedules(config: Path | None) -> None:
    """Serve every deployment until stopped: scheduled sources, the watch over the inbox, and what events trigger."""
    settings = Settings.load(config)
    with place_of(settings).open():
        pass
    if not any(source.is_scheduled for source in settings.sources.values()):
        notice("No source in copydesk.toml has a schedule (`cron`, `every` or `rrule`).", style="yellow")
    with _prefect(settings, console_level="INFO") as url:
        if url is not None:
            out.print(f"Runs are shown at {url}/runs")
        from flows.serving import serve

        serve(settings, config)
