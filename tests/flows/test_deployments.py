"""deploy/prefect.yaml on a real Prefect server with PostgreSQL and a worker: schedules, events, and runs that die."""

import json
import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from flows.deploying import zombie_automation
from storage import read
from tests.flows.processes import COPYDESK, PREFECT, ROOT, clean_environment, prefect_server, running, wait_until
from tests.storage import postgres

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("server"), pytest.mark.timeout(900)]

NOTE = """date: 2026-02-03

The crane sings again

It was tested in front of a hundred people, who had come to see it lift the bell of the old church.
"""
DIES = """
import time
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.flow_engine import run_flow

@flow
def dies():
    time.sleep(600)

with get_client(sync_client=True) as client:
    run = client.create_flow_run(dies, tags=["copydesk"])
print(run.id, flush=True)
input()
run_flow(dies, flow_run=run)
"""


@dataclass(frozen=True, slots=True)
class Installation:
    """A folder with a server and a worker that works there, and what a webhook was told."""

    folder: Path
    environment: dict[str, str]
    logs: tuple[Path, ...]
    alerts: list[dict[str, str]]

    def ask(self, path: str, body: object = None) -> Any:
        """Return what the server's API answers; with a body, to a POST."""
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.environment["PREFECT_API_URL"] + path, content, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def completed(self, flow: str) -> list[dict[str, Any]]:
        """Return the runs of a flow that ended well."""
        wanted = {"flows": {"name": {"any_": [flow]}}, "flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}}
        runs: list[dict[str, Any]] = self.ask("/flow_runs/filter", wanted)
        return runs


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The recipe of deploy/README.md: a server, a worker, and one command for the deployments of each prefect.yaml."""
    folder = tmp_path_factory.mktemp("installation")
    log, alerts = folder / "worker.log", list[dict[str, str]]()
    with ExitStack() as stack:
        settings = {
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": stack.enter_context(database_for_prefect()),
            "PREFECT_SERVER_EVENTS_PROACTIVE_GRANULARITY": "PT1S",
        }
        environment = clean_environment(
            PREFECT_API_URL=stack.enter_context(prefect_server(folder, **settings)),
            PREFECT_HOME=str(folder / "prefect"),
            PREFECT_WORKER_QUERY_SECONDS="2",
            COPYDESK_WORKERS="1",
            COPYDESK_ALERT_WEBHOOK=stack.enter_context(webhook(alerts)),
        )
        stack.enter_context(running([*COPYDESK, "worker"], environment, log, folder))
        wait_until(lambda: b"started" in log.read_bytes(), 120, log)
        often = (ROOT / "deploy" / "prefect.yaml").read_text(encoding="utf-8").replace("interval: 300", "interval: 20")
        (folder / "prefect.yaml").write_text(often, encoding="utf-8")
        for place in (folder, ROOT / "deploy" / "downstream"):
            deploy(place, environment)
        yield Installation(folder, environment, (log, folder / "server.log"), alerts)


@contextmanager
def database_for_prefect() -> Iterator[str]:
    with postgres.serve() as url:
        engine = sa.create_engine(url.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql("CREATE DATABASE prefect")
        engine.dispose()
        yield url.set(drivername="postgresql+asyncpg", database="prefect").render_as_string(hide_password=False)


@contextmanager
def webhook(told: list[dict[str, str]]) -> Iterator[str]:
    """Listen for alerts on loopback."""

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def deploy(folder: Path, environment: dict[str, str]) -> None:
    command = [*PREFECT, "--no-prompt", "deploy", "--prefect-file", "prefect.yaml", "--all"]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_lands_in_the_inbox_is_ingested_and_followed(installation: Installation) -> None:
    """A schedule starts the watch, its event an ingest, and the day that this publishes a flow of somebody else."""
    data, inbox = installation.folder / "data", installation.folder / "inbox"
    inbox.mkdir()
    (inbox / "half.txt").write_text("", encoding="utf-8")
    (inbox / "note.txt").write_text(NOTE, encoding="utf-8")
    os.utime(inbox / "note.txt", (1_770_000_000, 1_770_000_000))  # nobody is writing to it any more
    wait_until(lambda: bool(installation.completed("count-topics")), 300, *installation.logs)
    assert read.articles(data, columns=["source", "title"]).to_pylist() == [
        {"source": "inbox", "title": "The crane sings again"}
    ]
    counts = (data / "topic_counts" / "2026-02-03.csv").read_text(encoding="utf-8").splitlines()
    assert counts[0] == "topic,articles"
    assert any(run["auto_scheduled"] for run in installation.completed("watch"))
    ingested = installation.completed("ingest")
    assert [run["parameters"]["parameters"]["sources"] for run in ingested] == [[str(inbox / "note.txt")]]


def test_the_schedule_is_never_starved(installation: Installation) -> None:
    queues = {queue["name"]: queue for queue in installation.ask("/work_pools/copydesk/queues/filter", {})}
    assert queues["schedule"]["priority"] < queues["backfill"]["priority"]
    assert (queues["schedule"]["concurrency_limit"], queues["backfill"]["concurrency_limit"]) == (None, 1)
    deployed = {each["name"]: each["work_queue_name"] for each in installation.ask("/deployments/filter", {})}
    assert {deployed["ingest"], deployed["watch"], deployed["from inbox"]} == {"schedule"}
    assert {deployed["reprocess"], deployed["backfill"]} == {"backfill"}


def test_a_run_that_dies_without_a_word_has_crashed_and_somebody_is_told(installation: Installation) -> None:
    """Nobody is left to speak for a run whose process is killed; its heartbeat stops, and that is an event too."""
    known = {each["name"] for each in installation.ask("/automations/filter", {})}
    assert zombie_automation().name in known
    command = [sys.executable, "-c", DIES]
    with subprocess.Popen(
        command, env=installation.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as dying:
        assert dying.stdin is not None
        assert dying.stdout is not None
        run = dying.stdout.readline().strip()
        installation.ask("/automations/", zombie_automation(timedelta(seconds=10), run).model_dump(mode="json"))
        dying.stdin.write("go\n")
        dying.stdin.flush()
        heartbeat = {"event": {"name": ["prefect.flow-run.heartbeat"]}, "resource": {"id": [f"prefect.flow-run.{run}"]}}
        wait_until(lambda: installation.ask("/events/filter", {"filter": heartbeat})["total"], 120, *installation.logs)
        dying.kill()
    wait_until(lambda: bool(installation.alerts), 300, *installation.logs)
    assert installation.ask(f"/flow_runs/{run}")["state"]["type"] == "CRASHED"
    assert "Crashed" in installation.alerts[0]["subject"]
    assert "No sign of life" in installation.alerts[0]["text"]
