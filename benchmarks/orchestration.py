"""Measure what orchestration costs: the same pages as plain function calls, as flows, on processes and on Dask.

    python -m benchmarks.orchestration [--pages 2000] [--data FOLDER] [--batch-sizes N…] [--only NAME…]
                                       [--repeat N] [--json FILE]

The pages are those of the sample newspaper, each many times under names of its own, or all of a folder of yours. They
are archived once, by plain calls; each contender then gets a copy of that dataset without its articles, and makes them
from the archive: find, edit, commit, tell stories. The rows of all are compared.

`plain` calls the functions; `flow` is `reprocess` against a real Prefect server that this benchmark starts, and its
`threads` edits in the process of the flow, `processes` in two. `dask` is one cluster of a scheduler and two workers,
started before: plain calls and the flow send it slices; `dask, a task run a batch` hands each batch to a worker as a
task run of Prefect's DaskTaskRunner, and is left out where prefect-dask, which is no dependency of copydesk, is not
installed.

A contender is a process of its own, whose imports are not counted, nor those that Prefect does in its first flow run.
What counts is CPU time, of that process, its children, and the workers: other work on the machine disturbs it less than
the clock. The server's share is what it uses until it is idle again, long after the flow has ended, less what it uses
when nobody asks anything of it. Overhead is against plain calls in one process, and for two processes, which have to
start, against plain calls in two.
"""

import argparse
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from flows.embedded import local_server, prepare_prefect
from flows.sample.pages import build_pages
from flows.settings import Settings
from storage import read
from storage.store import Place
from tasks.archived import Selection, collect_archived, plan
from tasks.batch import Edited, Editors, Workers, edit_slice, slices
from tasks.cluster import Cluster
from tasks.collect import collect_pages
from tasks.documents import Page, PageKind
from tasks.edit import Desk, edit, versions
from tasks.fetch.sources import source_from_argument
from tasks.intake import BatchRef
from tasks.job import Job
from tasks.publish import Published, finish_interrupted, publish_run, tell_stories, write_report
from tasks.report.summary import Run, summarise

ROOT: Final = Path(__file__).parents[1]
PROCESSES: Final = 2
EMPTY: Final = 200  # batches, to see what one costs
BATCH: Final = Settings().batch_size
TICKS: Final = os.sysconf("SC_CLK_TCK")
_OF_A_RUN: Final = ("fetched_at", "first_seen_at", "updated_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A way to have pages edited; overhead is counted against another one."""

    name: str
    is_flow: bool
    workers: int = 1
    on_dask: bool = False
    in_task_runs: bool = False
    against: str = "plain, 1 process"


CONTENDERS: Final = (
    Contender(name="plain, 1 process", is_flow=False),
    Contender(name="flow, threads", is_flow=True),
    Contender(name="plain, 2 processes", is_flow=False, workers=PROCESSES),
    Contender(name="flow, 2 processes", is_flow=True, workers=PROCESSES, against="plain, 2 processes"),
    Contender(name="plain, dask", is_flow=False, on_dask=True),
    Contender(name="flow, dask", is_flow=True, on_dask=True),
    Contender(name="flow, dask, a task run a batch", is_flow=True, on_dask=True, in_task_runs=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a contender took, in seconds: by the clock, and of CPU with that of workers and server apart."""

    contender: str
    batch_size: int
    wall: float
    cpu: float
    server_cpu: float
    articles: int
    rows: str  # a digest


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print a table; return 1 where rows differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=2000, help="how many sample pages (2000)")
    parser.add_argument("--data", type=Path, help="a folder of pages instead")
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[BATCH], metavar="N", help=f"({BATCH})")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="the least CPU time of N runs counts (1)")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="contenders whose name begins so")
    parser.add_argument("--json", type=Path, help="write what was measured here, too")
    parser.add_argument("--contend", nargs=4, help=argparse.SUPPRESS)
    parser.add_argument("--empty", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.empty is not None:
        _run_empty(asked.empty)
        return 0
    if asked.contend:
        _contend(*asked.contend)
        return 0
    measured: list[Measured] = []
    head = f"{'':<32}{'batch':>6}{'wall':>9}{'CPU':>9}{'server':>9}{'wall +':>9}{'CPU +':>9}{'of all':>9}  rows"
    with tempfile.TemporaryDirectory(prefix="orchestration-") as scratch:
        for each in _measure(Path(scratch), asked):
            if not measured:
                print(head)
            measured.append(each)
            print(_line(each, measured), flush=True)
    if asked.json:
        asked.json.write_text(json.dumps([asdict(each) for each in measured], indent=2), encoding="utf-8")
    return 0 if len({each.rows for each in measured}) == 1 else 1


def _measure(scratch: Path, asked: argparse.Namespace) -> Iterator[Measured]:
    archive = scratch / "archive"
    _archive_pages(archive, asked.data or _sample_pages(scratch / "pages", asked.pages))
    chosen = [each for each in CONTENDERS if not asked.only or each.name.startswith(tuple(asked.only))]
    prepare_prefect(scratch / "prefect", console_level="CRITICAL")
    with local_server(scratch / "server.log"), _cluster(scratch / "dask") as (address, workers):
        server = _prefect_server()
        idle = _idle_rate(server)
        _say_what_prefect_costs(server, idle)
        for size in asked.batch_sizes:
            for contender in chosen:
                if contender.in_task_runs and find_spec("prefect_dask") is None:
                    continue
                runs = []
                for _ in range(asked.repeat):
                    where = scratch / "data"
                    shutil.rmtree(where, ignore_errors=True)
                    shutil.copytree(archive, where)
                    runs.append(_measure_one(contender, size, where, address, server, idle, workers))
                yield min(runs, key=lambda run: run.cpu + run.server_cpu)


def _say_what_prefect_costs(server: int, idle: float) -> None:
    """Print what a flow run costs, and each batch in it, where there is nothing to edit: here, and at the server."""
    (here, there), (here_too, there_too) = (_empty_run(count, server, idle) for count in (0, EMPTY))
    batch = (here_too - here) / EMPTY, (there_too - there) / EMPTY
    print(
        f"CPU of a flow run: {here:.2f} s, and {there:.2f} s of the server; of a batch in it: "
        f"{1000 * batch[0]:.1f} ms, and {1000 * batch[1]:.1f} ms of the server.\n",
        flush=True,
    )


def _empty_run(count: int, server: int, idle: float) -> tuple[float, float]:
    start, before = time.perf_counter(), _cpu(server)
    command = [sys.executable, "-m", "benchmarks.orchestration", "--empty", str(count)]
    used = float(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout.splitlines()[-1])
    _wait_until_idle(server)
    return used, max(0.0, _cpu(server) - before - idle * (time.perf_counter() - start))


def _measure_one(
    contender: Contender, size: int, where: Path, address: str, server: int, idle: float, workers: Sequence[int]
) -> Measured:
    _wait_until_idle(server)
    before = _cpu(server), sum(map(_cpu, workers)) + time.process_time()  # the scheduler is in this process
    start = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.orchestration", "--contend", contender.name, str(size), str(where)]
    process = subprocess.Popen([*command, address], cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{contender.name} failed after {time.perf_counter() - start:.0f} s")
    here = time.process_time()
    wall, imports = map(float, said.splitlines()[-1].split())
    _wait_until_idle(server)
    server_cpu = max(0.0, _cpu(server) - before[0] - idle * (time.perf_counter() - start))
    table = read.articles(where).drop_columns(_OF_A_RUN).sort_by("article_id")
    return Measured(
        contender=contender.name,
        batch_size=size,
        wall=wall,
        cpu=usage.ru_utime + usage.ru_stime - imports + sum(map(_cpu, workers)) + here - before[1],
        server_cpu=server_cpu,
        articles=table.num_rows,
        rows=sha256(json.dumps(table.to_pylist(), default=str, sort_keys=True).encode()).hexdigest()[:12],
    )


# What the contenders do


def _contend(name: str, size: str, where: str, address: str) -> None:
    """Do the work once, and print the seconds it took, and those of CPU that imports had taken before."""
    contender = next(each for each in CONTENDERS if each.name == name)
    if contender.is_flow:
        work = _flow(contender, int(size), where, address)
        _run_empty(1)  # Prefect imports much of itself with the first flow run
    else:
        editors = Cluster(address) if contender.on_dask else Workers(contender.workers)
        work = partial(_plainly, _job(where, int(size)), editors)
    load_desk()
    start, before = time.perf_counter(), time.process_time()
    work()
    print(time.perf_counter() - start, before)


def load_desk() -> None:
    """Load what the desk loads with its first page: profiles, rules, taxonomy."""
    page = Page(
        input="warm",
        source="warm",
        url=None,
        fetched_at=_now(),
        status=200,
        content_type="text/html",
        kind=PageKind.HTML,
        body=next(iter(_sample()))[1],
        sha256="",
    )
    edit(page, Desk())


def _plainly(job: Job, editors: Editors) -> None:
    """Do what `reprocess` does, as plain function calls; some threads have batches edited side by side, as there."""
    with job.place.open() as store, store.files.lock(f"run-{job.run}"), editors, ThreadPoolExecutor(16) as threads:
        finish_interrupted(job)
        plan(job.place, Selection(), versions(job.desk))
        edits = [threads.submit(editors.edit, job, batch) for batch in collect_archived(job, Selection())]
        for edit in edits:
            edit.result()
        _report(job, publish_run(job))


def _report(job: Job, published: Published) -> None:
    near_duplicates = tell_stories(job.place, published.days, run=job.run, now=job.started_at)
    made_by = versions(job.desk)
    run = Run(
        run_id=job.run,
        run_name=job.name,
        flow=job.flow,
        started_at=job.started_at,
        finished_at=_now(),
        copydesk_version=made_by.pipeline,
        rules_version=made_by.rules,
        taxonomy_version=made_by.taxonomy,
        data_folder=job.place.root,
    )
    summary = summarise(run, published.outcomes, inputs=published.inputs, near_duplicates=near_duplicates)
    write_report(job.place, summary, published.days, made_by)


def _flow(contender: Contender, size: int, where: str, address: str) -> Callable[[], object]:
    from flows.parameters import ReprocessParameters
    from flows.reprocess import reprocess

    os.environ["COPYDESK_BATCH_SIZE"] = str(size)
    os.environ["COPYDESK_WORKERS"] = str(contender.workers)
    if contender.in_task_runs:
        return _in_task_runs(size, where, address)
    if contender.on_dask:
        os.environ["COPYDESK_DASK"] = address
    return lambda: reprocess(ReprocessParameters(data=where))


def _in_task_runs(size: int, where: str, address: str) -> Callable[[], object]:
    """Return a flow whose batches are task runs on the cluster, each edited by the worker that it went to."""
    from prefect import flow
    from prefect_dask import DaskTaskRunner

    from tasks import stages

    @flow(name="reprocess-in-task-runs", task_runner=DaskTaskRunner(address=address))
    def reprocess_in_task_runs() -> None:
        job = _job(where, size)
        with job.place.open() as store, store.files.lock(f"run-{job.run}"):
            stages.finish(job)
            stages.plan(job, Selection())
            edits = [stages.edit.submit(job, batch, _OnTheSpot()) for batch in stages.collect_kept(job, Selection())]
            for edit in edits:
                edit.result()
            _report(job, stages.commit(job))

    return reprocess_in_task_runs


class _Nobody:
    """Edits nothing."""

    def edit(self, _job: Job, _batch: BatchRef) -> Edited:
        return Edited()


def _run_empty(count: int) -> None:
    """Run a flow with so many batches that hold nothing, and print the seconds of CPU that it took."""
    from prefect import flow

    from flows.jobs import THREADS
    from tasks import stages

    @flow(name="empty", task_runner=THREADS)
    def empty() -> None:
        job, batch = _job("nowhere", BATCH), BatchRef(key="empty", path="nowhere", count=0)
        for edited in [stages.edit.submit(job, batch, _Nobody()) for _ in range(count)]:
            edited.result()

    before = time.process_time()
    empty()
    print(time.process_time() - before)


class _OnTheSpot:
    """Edits a batch where it is asked to."""

    def edit(self, job: Job, batch: BatchRef) -> Edited:
        return sum((edit_slice(job.place, job.run, part, job.desk) for part in slices(batch)), Edited())


def _now() -> datetime:
    return datetime.now(UTC)


def _job(where: str, size: int) -> Job:
    now = _now()
    return Job(
        run=f"{now:%Y%m%dT%H%M%S}-measured",
        name="measured",
        flow="benchmark",
        place=Place(root=where),
        started_at=now,
        clock=_now,
        seed=0,
        desk=Desk(),
        batch_size=size,
    )


# What they do it with


def _sample() -> list[tuple[str, bytes]]:
    """Return the sample newspaper's pages, the stories first."""
    pages = build_pages("http://news.example").items()
    html = [(path, page) for path, page in pages if page.content_type.startswith("text/html") and page.status == 200]
    return [(path, page.body) for path, page in sorted(html, key=lambda pair: not pair[0].startswith("/2026"))]


def _sample_pages(folder: Path, count: int) -> Path:
    """Write the sample newspaper's pages into a folder, again and again under other names, until there are enough."""
    pages = _sample()
    folder.mkdir(parents=True)
    for number in range(count):
        round_, place = divmod(number, len(pages))
        body = pages[place][1].replace(b"news.example", f"news-{round_}.example".encode())
        (folder / f"{number:06d}.html").write_bytes(body + f"<!-- {number} -->".encode())
    return folder


def _archive_pages(root: Path, folder: Path) -> None:
    """Ingest a folder by plain calls, and take the articles away again: what is left is archive, ledger and places."""
    job = _job(str(root), 500)
    with Workers(PROCESSES) as workers:
        for batch in collect_pages(job, [source_from_argument(str(folder))]):
            workers.edit(job, batch)
    publish_run(job)
    for name in ("articles", "article_topics", "article_artifacts", "fingerprints", "state/fingerprints"):
        shutil.rmtree(root / name, ignore_errors=True)


@contextmanager
def _cluster(folder: Path) -> Iterator[tuple[str, list[int]]]:
    """Run a Dask scheduler and two workers on loopback; yield its address and the processes of the workers."""
    from distributed import Client, LocalCluster

    with LocalCluster(
        n_workers=PROCESSES,
        threads_per_worker=1,
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
        local_directory=str(folder),
    ) as cluster:
        with Client(cluster) as client:
            client.run(load_desk)
        yield cluster.scheduler_address, [nanny.pid for nanny in cluster.workers.values()]


def _prefect_server() -> int:
    """Return the process of the server that answers at PREFECT_API_URL, which its keeper has started."""
    listed = subprocess.run(["ps", "-eo", "pid=,args="], capture_output=True, text=True, check=True).stdout
    port = os.environ["PREFECT_API_URL"].rsplit(":", 1)[1].split("/")[0]
    named = [line for line in listed.splitlines() if f"--port {port}" in line and "flows.keeper" not in line]
    return int(named[0].split()[0])


def _cpu(pid: int) -> float:
    """Return the CPU seconds that a process and its children that ended have used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS


def _wait_until_idle(pid: int, *, quiet: float = 3.0) -> None:
    """Wait until a process uses less than a tenth of a core."""
    used = _cpu(pid)
    while True:
        time.sleep(quiet)
        now = _cpu(pid)
        if now - used < quiet / 10:
            return
        used = now


def _idle_rate(pid: int, *, seconds: float = 15.0) -> float:
    """Return how many CPU seconds a process uses in a second when it has nothing to do."""
    _wait_until_idle(pid)
    used = _cpu(pid)
    time.sleep(seconds)
    return (_cpu(pid) - used) / seconds


def _line(each: Measured, measured: Sequence[Measured]) -> str:
    contender = next(one for one in CONTENDERS if one.name == each.contender)
    plain = {(one.contender, one.batch_size): one for one in measured}
    against = plain.get((contender.against, each.batch_size), each)
    overheads = (
        each.wall / against.wall - 1,
        each.cpu / against.cpu - 1,
        (each.cpu + each.server_cpu) / against.cpu - 1,
    )
    return (
        f"{each.contender:<32}{each.batch_size:>6}{each.wall:>9.1f}{each.cpu:>9.1f}{each.server_cpu:>9.1f}"
        + "".join(f"{overhead:>9.1%}" for overhead in overheads)
        + f"  {each.articles:,} {each.rows}"
    )


if __name__ == "__main__":
    sys.exit(main())
