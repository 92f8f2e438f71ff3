"""`copydesk runs`: each run with how it stands, from the ledger alone."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows.runs import show_runs
from flows.settings import Settings, SettingsError
from storage.records import Run
from storage.store import Store

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A dataset with a run of each kind; the one at work holds its lock."""
    monkeypatch.setenv("COLUMNS", "80")
    folder = tmp_path / "data"
    names = ("done-1", "failed-2", "killed-3", "working-4")
    with Store.open(folder) as store, store.files.lock("run-working-4"):
        for number, name in enumerate(names):
            flow = "backfill" if name == "failed-2" else "ingest"
            started = NOW + timedelta(hours=number)
            store.ledger.start_run(Run(run=name, flow=flow, started_at=started, name=f"{flow} courier"))
        store.ledger.finish_run(
            "done-1",
            NOW + timedelta(seconds=102),
            {"new": 1204, "rejected": 3},
            {"collect": 61.0, "edit": 38.5},
            sources={"courier": {"new": 1204, "rejected": 3}, "gazette": {}},
            corrections={"courier": {"space-before-comma": 7, "decimal-comma": 30}},
            broken=[
                "volume: 12 new articles in the last day, where 100 are usual: 12 %, and at least 20 % is expected."
            ],
        )
        store.ledger.fail_run("failed-2", "The disk is full.", NOW + timedelta(hours=1, minutes=2))
        yield folder


def shown(
    capsys: pytest.CaptureFixture[str], data: Path, run: str | None = None, flow: str | None = None, limit: int = 20
) -> str:
    assert show_runs(Settings(data=str(data)), run=run, limit=limit, flow=flow, as_json=False) == 0
    return capsys.readouterr().out


def test_runs_are_listed_with_how_they_stand(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = shown(capsys, data)
    heads = [line.split() for line in told.splitlines() if line and not line.startswith(" ")]
    assert [(head[0], head[-1]) for head in heads] == [
        ("working-4", "running"),
        ("killed-3", "interrupted"),
        ("failed-2", "stopped"),
        ("done-1", "done"),
    ]
    assert max(map(len, told.splitlines())) <= 80
    for words in ("ingest courier: 1,204 new, 3 rejected", "1 min 42 s", "collect 1 min 1 s", "The disk is full."):
        assert words in told
    assert "at least 20 % is expected" in " ".join(told.split())


def test_runs_are_listed_by_flow_and_number(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "failed-2" in shown(capsys, data, flow="backfill")
    told = shown(capsys, data, flow="ingest", limit=1)
    assert ("working-4" in told, "killed-3" in told, "failed-2" in told) == (True, False, False)
    assert "No run of reprocess is known" in shown(capsys, data, flow="reprocess")


def test_a_run_is_shown_in_full_by_the_beginning_of_its_id(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = shown(capsys, data, run="don")
    lines = [line.split() for line in told.splitlines()]
    assert ["courier", "1,204", "3"] in lines
    assert ["gazette", "0", "0"] in lines
    assert lines.index(["decimal-comma", "30", "courier", "30"]) < lines.index(
        ["space-before-comma", "7", "courier", "7"]
    )
    assert max(map(len, told.splitlines())) <= 80


@pytest.mark.parametrize(("run", "said"), [("nowhere", "begins no run"), ("", "begin 4 runs")])
def test_a_run_that_is_not_told_apart_is_refused(data: Path, run: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        show_runs(Settings(data=str(data)), run=run, limit=20, flow=None, as_json=False)


def test_runs_as_json(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show_runs(Settings(data=str(data)), run=None, limit=20, flow=None, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert [run["state"] for run in told] == ["running", "interrupted", "stopped", "done"]
    assert told[-1]["corrections"] == {"courier": {"space-before-comma": 7, "decimal-comma": 30}}
    assert told[-1]["started_at"] == "2026-11-24T06:00:00+00:00"
    show_runs(Settings(data=str(data)), run="done-1", limit=20, flow=None, as_json=True)
    assert json.loads(capsys.readouterr().out) == told[-1]
