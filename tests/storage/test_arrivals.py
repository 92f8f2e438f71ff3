"""A page in the archive is known to the ledger, whatever dies in between."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storage.arrivals import FOLDER, adopt, keep
from storage.records import Visit
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
    keep(desk.store, writer, [visit])
    return visit


def test_arrival_is_recorded_and_leaves_no_note(desk: Any) -> None:
    visit = arrive(desk)
    assert desk.store.ledger.visits([URL]) == {URL: visit}
    assert desk.store.files.list(FOLDER) == []
    assert adopt(desk.store) == 0


@pytest.mark.parametrize("step", range(4))
def test_page_is_known_wherever_the_process_died(desk: Any, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        die_at(step, patched.setattr)
        with pytest.raises(DiedError):
            arrive(desk)
    adopt(desk.store)
    archived = [(file, offset) for _, file, offset in desk.store.ledger.archived()]
    assert [file for file, _ in archived] == desk.store.pages.list()
    assert [desk.store.pages.read(*place).payload for place in archived] == [b"A page."] * len(archived)
    assert desk.store.files.list(FOLDER) == []


def test_newer_visit_stands(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        die_at(2, patched.setattr)
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
