"""A page in the archive is known to the ledger, whatever dies in between."""

import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from storage.arrivals import adopt, jot, keep
from storage.records import Visit
from storage.store import Store
from tests.storage.dying import DiedError, die_at

NOW = datetime(2026, 3, 4, 12, 0, 0, 5, tzinfo=UTC)
URL = "https://news.example/a"


def arrive(desk: Any) -> Visit:
    writer = desk.store.pages.writer("batch", NOW.date())
    file, offset = writer.write_response(URL, NOW, 200, "OK", [], b"A page.")
    visit = Visit(
        url=URL, source="example", input=URL, fetched_at=NOW, outcome="archived", page_file=file, page_offset=offset,
        next_visit=NOW + timedelta(hours=1),
    )  # fmt: skip
    jot(writer, visit)
    keep(desk.store, writer, [visit])
    return visit


def test_arrival_is_recorded_and_leaves_no_note(desk: Any) -> None:
    visit = arrive(desk)
    assert desk.store.ledger.visits([URL]) == {URL: visit}
    assert desk.store.files.list("state/growing") == []
    assert adopt(desk.store) == 0


@pytest.mark.parametrize("step", range(2))
def test_page_is_known_wherever_the_process_died(desk: Any, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        die_at(step, patched.setattr)
        with pytest.raises(DiedError):
            arrive(desk)
    adopt(desk.store)
    archived = [(file, offset) for _, file, offset in desk.store.ledger.archived()]
    assert [file for file, _ in archived] == desk.store.pages.list()
    assert [desk.store.pages.read(*place).payload for place in archived] == [b"A page."] * len(archived)
    assert desk.store.files.list("state/growing") == []


def test_page_that_the_disk_has_lost_is_not_known(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        die_at(1, patched.setattr)
        with pytest.raises(DiedError):
            arrive(desk)
    (file,) = desk.store.pages.list()
    desk.root.joinpath("pages", file).write_bytes(b"")
    assert adopt(desk.store) == 0
    assert desk.store.ledger.visits([URL]) == {}
    assert desk.store.files.list("state/growing") == []


def test_newer_visit_stands(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        die_at(1, patched.setattr)
        with pytest.raises(DiedError):
            arrive(desk)
    newer = Visit(url=URL, source="example", input=URL, fetched_at=NOW + timedelta(hours=2), outcome="new")
    desk.store.ledger.record_visits([newer])
    assert adopt(desk.store) == 0
    assert desk.store.ledger.visits([URL]) == {URL: newer}


def test_visits_without_a_page_are_recorded(desk: Any) -> None:
    visit = Visit(url=URL, source="example", input=URL, fetched_at=NOW, outcome="rejected")
    keep(desk.store, None, [visit])
    keep(desk.store, desk.store.pages.writer("empty", NOW.date()), [visit])
    assert desk.store.ledger.visits([URL]) == {URL: visit}
    assert desk.store.pages.list() == []


DYING = """
import os, signal, sys
from datetime import UTC, datetime
from storage.arrivals import jot
from storage.records import Visit
from storage.store import Store

NOW = datetime(2026, 3, 4, 12, 0, 0, 5, tzinfo=UTC)
with Store.open(sys.argv[1]) as store:
    writer = store.pages.writer("batch", NOW.date())
    for name in "abc":
        url = f"https://news.example/{name}"
        file, offset = writer.write_response(url, NOW, 200, "OK", [], b"A page.")
        if name != "c":
            jot(writer, Visit(
                url=url, source="example", input=url, fetched_at=NOW, outcome="archived",
                page_file=file, page_offset=offset,
            ))
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def left_behind(tmp_path: Path) -> Path:
    """A store whose writer was killed after three pages, before it had noted the third."""
    dead = subprocess.run([sys.executable, "-c", DYING, tmp_path / "data"], cwd=Path(__file__).parents[2], check=False)
    assert dead.returncode == -signal.SIGKILL
    return tmp_path / "data"


def damage(folder: Path, ending: str, change: Callable[[bytes], bytes]) -> None:
    (file,) = folder.joinpath("state", "growing").glob(f"*{ending}")
    file.write_bytes(change(file.read_bytes()))


def archived(store: Store) -> list[str]:
    """The last letter of each address whose page is known and can be read."""
    assert all(store.pages.read(file, offset).payload == b"A page." for _, file, offset in store.ledger.archived())
    return [url[-1] for url, _, _ in store.ledger.archived()]


def test_pages_of_a_killed_writer_are_known_to_the_next(left_behind: Path) -> None:
    with Store.open(left_behind) as store:
        assert adopt(store) == 2
        assert archived(store) == ["a", "b"]
        assert [record.kind for file in store.pages.list() for record in store.pages.records(file)] == [
            *("warcinfo", "response", "response", "response")
        ]
        assert store.files.list("state/growing") == []
        assert adopt(store) == 0


@pytest.mark.parametrize(
    ("ending", "change", "known"),
    [
        pytest.param(".growing", lambda content: content[: len(content) * 5 // 8], ["a"], id="end of the file"),
        pytest.param(
            ".growing", lambda content: content[: len(content) * 5 // 8] + bytes(900), ["a"], id="its end is zeros"
        ),
        pytest.param(".growing", lambda _: b"", [], id="the file"),
        pytest.param(".lines", lambda content: content[:-10], ["a"], id="end of the last line"),
        pytest.param(".lines", lambda content: bytes(len(content)), [], id="the lines"),
        pytest.param(".lines", lambda content: b"{}\n[1]\nno\n" + content, ["a", "b"], id="odd lines"),
    ],
)
def test_what_a_power_cut_took_is_fetched_again(
    left_behind: Path, ending: str, change: Callable[[bytes], bytes], known: list[str]
) -> None:
    damage(left_behind, ending, change)
    with Store.open(left_behind) as store:
        assert adopt(store) == len(known)
        assert archived(store) == known
        assert len(store.pages.list()) == bool(known)
        assert store.files.list("state/growing") == []


def test_a_file_that_is_being_written_is_left_to_its_writer(desk: Any) -> None:
    writer = desk.store.pages.writer("batch", NOW.date())
    file, offset = writer.write_response(URL, NOW, 200, "OK", [], b"A page.")
    visit = Visit(
        url=URL, source="example", input=URL, fetched_at=NOW, outcome="archived", page_file=file, page_offset=offset
    )
    jot(writer, visit)
    assert adopt(desk.store) == 0
    keep(desk.store, writer, [visit])
    assert desk.store.ledger.visits([URL]) == {URL: visit}
    assert desk.store.files.list("state/growing") == []
