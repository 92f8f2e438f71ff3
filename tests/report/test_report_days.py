"""The report's calendar of sources and days: it says what the terminal says, and nothing in it is believed."""

import re
from datetime import date, timedelta
from typing import Any

from tasks.partitions import Partition, State
from tasks.report.days import WEEKS, blocks_of_weeks, days_of, strips
from tasks.report.page import render
from tests.report.conftest import REJECTIONS, a_summary, articles_table

MONDAY = date(2024, 1, 1)


def partition(number: int = 0, **changes: Any) -> Partition:
    known = {"source": "courier", "day": MONDAY + timedelta(days=number), "state": State.FRESH, "rows": 4}
    return Partition(**{**known, **changes})


def page(*partitions: Partition) -> str:
    return render(a_summary(), articles_table(), REJECTIONS.empty_table(), None, partitions)


def test_page_without_partitions_has_no_such_part() -> None:
    assert days_of([]) is None
    assert 'id="days"' not in page()


def test_each_day_is_a_cell_and_each_state_has_its_letter() -> None:
    some = [partition(0), partition(1, state=State.MISSING, rows=0), partition(2, state=State.STALE)]
    drawing = strips(some)
    assert drawing.count("<rect") == 3
    assert re.findall(r'class="l-\w+"[^>]*>(\w)<', drawing) == ["M", "S"]
    assert "Tuesday 2 January 2024: missing" in drawing


def test_page_tells_reasons_and_what_to_do() -> None:
    failed = partition(3, state=State.FAILED, rows=0, reason="damaged-archive", detail="crawl.warc.gz: after 3 records")
    shown = page(partition(0), failed)
    assert "2 days of 1 source: 1 fresh, 1 failed." in shown
    assert "courier 2024-01-04 is failed (damaged-archive: crawl.warc.gz: after 3 records)." in shown
    assert "copydesk backfill --from 2024-01-01 --to 2024-01-04" in shown


def test_page_of_days_that_are_all_well_asks_for_nothing() -> None:
    assert "copydesk backfill" not in page(partition(0), partition(1))


def test_names_and_details_are_escaped() -> None:
    shown = page(partition(0, source="<b>x</b>", state=State.FAILED, reason="r", detail="<script>alert(1)</script>"))
    assert "<b>x</b>" not in shown
    assert "<script>alert" not in shown


def test_many_weeks_stand_below_each_other() -> None:
    drawing = strips([partition(number) for number in range(7 * (WEEKS + 2))])
    assert re.findall(r'class="month"[^>]*>(\w+)', drawing) == ["January", "February", "February", "March", "April"]
    assert len(set(re.findall(r'class="monday" x="\d+" y="(\d+)"', drawing))) == 2


def test_weeks_without_a_day_to_tell_take_no_room() -> None:
    apart = [MONDAY, MONDAY + timedelta(weeks=5 * WEEKS)]
    blocks = list(blocks_of_weeks(apart, WEEKS))
    assert [sum(day in block for day in apart) for block in blocks] == [1, 1]
