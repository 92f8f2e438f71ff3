"""What is old enough is dropped, and no more than that; what points to it is told."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from storage import read
from storage.records import FileVisit, Visit
from storage.upkeep import drop_pages, drop_rejections, finish
from storage.verify import Kind, verify
from tests.storage.dying import DiedError, die_at

Make = Callable[..., dict[str, Any]]

OLD, NEW = date(2026, 1, 2), date(2026, 3, 3)
BEFORE = date(2026, 2, 1)
BEGINNING = datetime(2026, 1, 2, tzinfo=UTC)


def keep_page(store: Any, name: str, day: date) -> dict[str, Any]:
    """Archive a page, and return where it lies as a row says it."""
    with store.pages.writer(name, day) as writer:
        moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
        file, offset = writer.write_response(f"https://news.example/{name}", moment, 200, "OK", [], b"<p>A crane</p>")
    return {"file": file, "offset": offset, "sha256": "0" * 64}


@pytest.fixture
def pages(desk: Any, article: Make) -> dict[str, dict[str, Any]]:
    """Three pages: an old one that a row points to, an old one that nobody does, and a new one."""
    kept = {name: keep_page(desk.store, name, day) for name, day in (("told", OLD), ("untold", OLD), ("new", NEW))}
    desk.commit([article("told", page=kept["told"])])
    return kept


def files(store: Any) -> set[str]:
    return {file.rpartition("/")[2].removesuffix(".warc.gz") for file in store.pages.list()}


def test_pages_that_rows_point_to_stay(desk: Any, pages: dict[str, dict[str, Any]]) -> None:
    assert drop_pages(desk.store, BEFORE, of_rows=False, needed=()) == 1
    assert files(desk.store) == {"told", "new"}
    assert verify(desk.store).clean


def test_pages_of_rows_go_where_their_time_is_up_too(desk: Any, pages: dict[str, dict[str, Any]]) -> None:
    assert drop_pages(desk.store, BEFORE, of_rows=True, needed=()) == 2
    assert files(desk.store) == {"new"}
    assert verify(desk.store).clean
    assert drop_pages(desk.store, BEFORE, of_rows=True, needed=()) == 0


def test_a_page_that_is_lost_otherwise_is_still_missed(
    desk: Any, article: Make, pages: dict[str, dict[str, Any]]
) -> None:
    desk.commit([article("new", page=pages["new"])])
    drop_pages(desk.store, BEFORE, of_rows=True, needed=())
    desk.store.files.remove(f"pages/{pages['new']['file']}")
    assert [finding.kind for finding in verify(desk.store).findings] == [Kind.MISSING_PAGE]


def test_no_page_is_dropped_while_nobody_knows_what_a_damaged_file_points_to(
    desk: Any, pages: dict[str, dict[str, Any]]
) -> None:
    file = next((desk.root / "articles").rglob("*.parquet"))
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    assert drop_pages(desk.store, BEFORE, of_rows=False, needed=()) == 0
    assert files(desk.store) == set(pages)
    file.write_bytes(whole)
    assert drop_pages(desk.store, BEFORE, of_rows=False, needed=()) == 1


def test_pages_that_wait_for_the_desk_stay(desk: Any, pages: dict[str, dict[str, Any]]) -> None:
    assert drop_pages(desk.store, BEFORE, of_rows=True, needed={pages["untold"]["file"]}) == 1
    assert files(desk.store) == {"untold", "new"}


def test_a_visit_forgets_the_page_that_was_dropped(desk: Any, pages: dict[str, dict[str, Any]]) -> None:
    told = {"page_file": pages["untold"]["file"], "page_offset": pages["untold"]["offset"]}
    seen = Visit(url="u", source="s", input="u", fetched_at=BEGINNING, outcome="new", etag='"1"', **told)
    had = FileVisit(source="s", input="f.html", sha256="0", outcome="new", **told)
    desk.store.ledger.record_visits([seen])
    desk.store.ledger.record_file_visits([had])
    drop_pages(desk.store, BEFORE, of_rows=False, needed=())
    assert desk.store.ledger.visits(["u"]) == {"u": replace(seen, page_file=None, page_offset=None)}
    assert desk.store.ledger.file_visits("s", ["f.html"]) == {"f.html": replace(had, page_file=None, page_offset=None)}


def test_old_rejections_go_and_others_stay(desk: Any, rejection: Make, noon: datetime) -> None:
    desk.commit([], [rejection("old"), rejection("asked-again")], now=noon)
    desk.commit([], [rejection("new")], now=noon + timedelta(days=40))
    url = "https://news.example/asked-again"
    asked = Visit(url=url, source="example", input=url, fetched_at=noon + timedelta(days=39), outcome="rejected")
    desk.store.ledger.record_visits([asked])
    now = noon + timedelta(days=41)
    assert drop_rejections(desk.store, now - timedelta(days=30), now) == 1
    left = {Path(each).name for each in read.rejections(desk.root)["input"].to_pylist()}
    assert left == {"asked-again", "new"}
    assert verify(desk.store).clean
    assert drop_rejections(desk.store, now - timedelta(days=30), now) == 0


def expire_all(desk: Any, now: datetime) -> None:
    drop_rejections(desk.store, now - timedelta(days=30), now)


def drop_all(desk: Any, now: datetime) -> None:
    drop_pages(desk.store, BEFORE, of_rows=True, needed=())


@pytest.mark.parametrize("act", [expire_all, drop_all])
def test_whoever_comes_next_completes_what_was_cut_short_at_any_step(
    desk: Any,
    pages: dict[str, dict[str, Any]],
    rejection: Make,
    noon: datetime,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    act: Callable[[Any, datetime], None],
) -> None:
    desk.commit([], [rejection("old"), rejection("older")], now=noon)
    url = "https://news.example/untold"
    page = {"page_file": pages["untold"]["file"], "page_offset": pages["untold"]["offset"]}
    desk.store.ledger.record_visits([Visit(url=url, source="s", input=url, fetched_at=noon, outcome="new", **page)])
    now, died, step = noon + timedelta(days=41), True, 0
    while died:
        root = tmp_path / f"step-{step}"
        shutil.copytree(desk.root, root)
        copy = type(desk)(root)
        with monkeypatch.context() as patched:
            die_at(step, patched.setattr)
            try:
                act(copy, now)
                died = False
            except DiedError:
                step += 1
        finish(copy.store)
        act(copy, now)
        left = read.rejections(root).num_rows if act is expire_all else len(copy.store.pages.list()) - 1
        assert left == 0
        assert verify(copy.store).clean, verify(copy.store).findings
        copy.store.close()
    assert step > 2
