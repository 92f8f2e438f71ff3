"""`copydesk serve` with a Prefect server of its own: scheduled runs come by themselves, and so do triggered ones."""

import os
from pathlib import Path

import pytest

from flows.sample.site import SampleSite
from storage import read
from tests.flows.processes import COPYDESK, clean_environment, running, wait_until

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("server"), pytest.mark.timeout(600)]

SETTINGS = """
workers = 1
delay = 0
[watch]
every = 10
[sources.courier]
location = "{base}/feed.xml"
allow_private = true
every = 20
"""
NOTE = """date: 2026-02-03

The crane sings again

It was tested in front of a hundred people, who had come to see it lift the bell of the old church.
"""


def test_a_schedule_and_an_event_start_runs(tmp_path: Path) -> None:
    """One command, no server anywhere: copydesk starts one, visits the feed, and takes in what lands in the inbox."""
    log = tmp_path / "serve.log"
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "note.txt").write_text(NOTE, encoding="utf-8")
    os.utime(tmp_path / "inbox" / "note.txt", (1_770_000_000, 1_770_000_000))  # nobody is writing to it any more
    with SampleSite() as site:
        (tmp_path / "copydesk.toml").write_text(SETTINGS.format(base=site.base_url), encoding="utf-8")
        with running([*COPYDESK, "serve"], clean_environment(PREFECT_RUNNER_POLL_FREQUENCY="2"), log, tmp_path):
            wait_until(lambda: {"courier", "inbox"} <= sources_of(tmp_path / "data"), 400, log)
        assert {request.path for request in site.requests} >= {"/robots.txt", "/feed.xml"}


def sources_of(data: Path) -> set[str]:
    if not data.exists():
        return set()
    return set(read.articles(data, columns=["source"])["source"].to_pylist())
