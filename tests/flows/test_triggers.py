"""What the watch tells, and who listens: each thing once, and the same wherever copydesk is deployed."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.logging import disable_run_logger

from flows import watch
from flows.inbox import Inbox, Look, look
from flows.parameters import IngestParameters
from flows.serving import deployments
from flows.settings import Settings
from storage.records import FeedVisit
from storage.store import Store
from tasks.fetch.sources import SourceKind, source_from_argument
from tasks.job import PublishedDay
from tests.conftest import ingest_without_prefect
from tests.flows.processes import ROOT, clean_environment

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
Told = list[tuple[str, str, dict[str, Any]]]


def put(path: Path, text: str, *, age: timedelta = timedelta(hours=1)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    written = (NOW - age).timestamp()
    os.utime(path, (written, written))
    return path


def looks(inbox: Inbox, *between: Callable[[], object]) -> Iterator[list[str]]:
    """Look once, and again after each of these; yield the names of what has landed."""
    found = Look((), "")
    for happens in (lambda: None, *between):
        happens()
        found = look(inbox, found.note or None, NOW)
        yield [Path(path).relative_to(inbox.folder).as_posix() for path in found.landed]


def test_a_document_is_told_once(tmp_path: Path) -> None:
    put(tmp_path / "b.txt", "one")
    put(tmp_path / "a" / "c.html", "two")
    assert list(looks(Inbox(tmp_path), lambda: None)) == [["a/c.html", "b.txt"], []]


def test_a_document_that_is_being_written_is_waited_for(tmp_path: Path) -> None:
    fresh = timedelta(seconds=3)
    put(tmp_path / "a.txt", "one", age=fresh)
    seen = looks(Inbox(tmp_path), lambda: put(tmp_path / "a.txt", "one two", age=fresh), lambda: None, lambda: None)
    assert list(seen) == [[], [], ["a.txt"], []]


def test_a_document_that_is_replaced_has_landed_again(tmp_path: Path) -> None:
    put(tmp_path / "a.txt", "one")
    assert list(looks(Inbox(tmp_path), lambda: put(tmp_path / "a.txt", "another"))) == [["a.txt"], ["a.txt"]]


def test_hidden_and_empty_files_are_left_alone(tmp_path: Path) -> None:
    put(tmp_path / ".a.txt.part", "one")
    put(tmp_path / "b.txt", "")
    assert list(looks(Inbox(tmp_path))) == [[]]


def test_an_inbox_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert list(looks(Inbox(tmp_path / "nowhere"))) == [[]]


def test_documents_of_the_inbox_are_one_source_and_lists_are_their_own(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    paths = [
        put(inbox / "sub" / "a.txt", "A line."),
        put(inbox / "b.html", "<p>A line."),
        put(inbox / "urls.txt", "https://courier.example/one\n"),
    ]
    chosen = IngestParameters(sources=tuple(map(str, paths))).chosen_sources(Settings(inbox=str(inbox)))
    assert [(source.name, source.kind, source.only) for source in chosen] == [
        ("urls.txt", SourceKind.URL_LIST, ()),
        ("inbox", SourceKind.FOLDER, ("b.html", "sub/a.txt")),
    ]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    """What `watch` tells, as (event, about, payload), in the place of Prefect."""
    events: Told = []

    def tell(event: str, about: str, _: str, payload: dict[str, Any]) -> None:
        events.append((event, about, payload))

    monkeypatch.setattr(watch, "tell", tell)
    with disable_run_logger():
        yield events


def test_many_documents_are_told_together(tmp_path: Path, told: Told) -> None:
    for number in range(watch.TOLD_TOGETHER + 1):
        put(tmp_path / "inbox" / f"{number:04}.txt", "A line.")
    with Store.open(tmp_path / "data") as store:
        for _ in range(2):
            watch.look_at_inbox(store, Settings(inbox=str(tmp_path / "inbox")))
    assert [len(payload["paths"]) for _, _, payload in told] == [watch.TOLD_TOGETHER, 1]


def test_new_versions_are_told_once(tmp_path: Path, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data=str(tmp_path / "data"))
    with Store.open(tmp_path / "data") as store:
        watch.look_at_versions(store, settings)
        assert told == []  # there are no rows that could be stale
        monkeypatch.setattr("tasks.edit.RULES_VERSION", "another")
        for _ in range(2):
            watch.look_at_versions(store, settings)
    assert [(event, payload["changed"]) for event, _, payload in told] == [("copydesk.versions.changed", ["rules"])]


def test_rows_that_nobody_knows_the_makers_of_count_as_stale(tmp_path: Path, told: Told) -> None:
    with Store.open(tmp_path / "data") as store:
        store.files.publish("articles/published_date=2026-02-03/part-000.parquet", b"")
        watch.look_at_versions(store, Settings(data=str(tmp_path / "data")))
    assert len(told) == 1


def test_a_silence_is_told_once_and_again_after_the_source_spoke(tmp_path: Path, told: Told) -> None:
    feed = "https://courier.example/feed.xml"
    settings = Settings.model_validate({"sources": {"courier": {"location": feed, "silent_after": 2}}})

    def visited(store: Store, *, days_ago: int) -> None:
        newest = NOW - timedelta(days=days_ago)
        visit = FeedVisit(url=feed, fetched_at=NOW, entries=3, newest=newest, changed_at=newest, kind="feed")
        store.ledger.record_feed_visits([visit])
        watch.look_at_sources(store, settings)

    with Store.open(tmp_path / "data") as store:
        for days_ago in (5, 5, 0, 3):
            visited(store, days_ago=days_ago)
    assert [about for _, about, _ in told] == ["source.courier", "source.courier"]
    assert told[0][2]["text"].startswith("courier: silent, nothing new since 2026-02-24")


def test_a_run_announces_each_day_it_published_and_no_other(tmp_path: Path) -> None:
    announced: list[PublishedDay] = []
    documents = tmp_path / "documents"
    for day in (3, 4):
        put(
            documents / f"{day}.txt", f"date: 2026-02-0{day}\n\nThe crane of day {day}\n\nIt was tested in public. " * 2
        )
    source = source_from_argument(str(documents))
    ingest_without_prefect(tmp_path / "data", [source], run="first", announce=announced.append)
    assert [(str(each.day), each.new, each.updated) for each in announced] == [
        ("2026-02-03", 1, 0),
        ("2026-02-04", 1, 0),
    ]
    ingest_without_prefect(tmp_path / "data", [source], run="second", announce=announced.append)
    assert {each.run for each in announced} == {"first"}


def test_an_event_that_cannot_be_sent_hurts_nobody() -> None:
    tells = "from flows.events import announce; from tasks.job import PublishedDay; from datetime import date; "
    tells += "announce(PublishedDay(run='r', root='data', day=date(2026, 2, 3))); print('went on')"
    done = subprocess.run(
        [sys.executable, "-c", tells],
        env=clean_environment(PREFECT_API_URL="http://127.0.0.1:9/api"),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "went on\n"), done.stderr


def test_both_ways_to_deploy_deploy_the_same(tmp_path: Path) -> None:
    settings = Settings.model_validate({"sources": {"ingest": {"location": "https://a.example/", "cron": "0 * * * *"}}})
    served = {each.name: each for each in deployments(settings, tmp_path / "copydesk.toml")}
    written = {each["name"]: each for each in written_deployments()}
    assert served.keys() == written.keys()
    for name, declared in written.items():
        deployment = served[name]
        assert deployment.entrypoint == declared["entrypoint"]
        assert {event for trigger in deployment.triggers for event in trigger.expect} == {
            event for trigger in declared.get("triggers", []) for event in trigger["expect"]
        }
        assert bool(deployment.schedules) == ("schedules" in declared)
        assert set(deployment.tags) == set(declared.get("tags", ()))
        limit = declared.get("concurrency_limit", {})
        assert deployment.concurrency_limit == limit.get("limit")


def written_deployments() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((ROOT / "deploy" / "prefect.yaml").read_text("utf-8"))["deployments"]
    return found
