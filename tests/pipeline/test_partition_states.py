"""What state a partition is in, and what a plan does about it: evidence in, states and units out."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.records import Attempt
from tasks.documents import Reason
from tasks.fetch.window import Window
from tasks.partitions import (
    BROKEN_OFF,
    CUT_SHORT,
    LASTING,
    MENDABLE,
    NOT_KEPT,
    Evidence,
    Expected,
    Partition,
    Plan,
    Reach,
    State,
    plan,
    survey,
)

DAY = date(2024, 2, 5)
TODAY = date(2024, 3, 1)
NOW = datetime(2024, 2, 20, 9, 30, tzinfo=UTC)
KEY = "harbour", DAY
NEW, OLD = "rules 2", "rules 1"


def attempt(**changes: object) -> Attempt:
    known = {"source": "harbour", "day": DAY, "run": "r1", "started_at": NOW, "finished_at": NOW, "articles": 4}
    return Attempt(**{**known, **changes})  # type: ignore[arg-type]


def evidence(
    *, fresh: int = 0, old: int = 0, kept: int = 0, last: Attempt | None = None, alive: tuple[str, ...] = ()
) -> Evidence:
    made_by = {name: count for name, count in ((NEW, fresh), (OLD, old)) if count}
    return Evidence(
        rows={KEY: made_by} if made_by else {},
        kept={KEY: kept} if kept else {},
        attempts={KEY: last} if last else {},
        alive=alive,
    )


def planned(found: Evidence, reach: Reach = Reach.PRESENT, day: date = DAY, **changes: object) -> Plan:
    source = Expected(source="harbour", reach=reach, read_at=NOW if reach is Reach.WHOLE else None)
    window = Window(first=day, last=day)
    return plan(window, [source], found, versions=NEW, today=TODAY, **changes)  # type: ignore[arg-type]


def judged(found: Evidence, reach: Reach = Reach.PRESENT) -> Partition:
    return planned(found, reach).partitions[0]


TIMEOUT = {"failed": 2, "reason": Reason.TIMEOUT}
DAMAGE = {"failed": 2, "reason": Reason.DAMAGED_ARCHIVE}


@pytest.mark.parametrize(
    ("found", "reach", "state"),
    [
        # all there
        (evidence(fresh=4, last=attempt()), Reach.PRESENT, State.FRESH),
        (evidence(fresh=5, last=attempt()), Reach.PAST, State.FRESH),
        (evidence(fresh=4), Reach.PRESENT, State.FRESH),
        (evidence(fresh=4), Reach.NOTHING, State.FRESH),
        (evidence(fresh=4), Reach.WHOLE, State.FRESH),
        # asked for, and there was nothing
        (evidence(last=attempt(articles=0)), Reach.PAST, State.EMPTY),
        (evidence(), Reach.WHOLE, State.EMPTY),
        # not there
        (evidence(), Reach.PAST, State.MISSING),
        (evidence(fresh=4), Reach.PAST, State.MISSING),
        (evidence(last=attempt()), Reach.WHOLE, State.MISSING),
        (evidence(fresh=3, last=attempt()), Reach.PRESENT, State.MISSING),
        (evidence(fresh=4, kept=1, last=attempt()), Reach.PRESENT, State.MISSING),
        (evidence(kept=3), Reach.PRESENT, State.MISSING),
        (evidence(old=3, last=attempt()), Reach.PRESENT, State.MISSING),
        # there, and old
        (evidence(fresh=3, old=1, last=attempt()), Reach.PRESENT, State.STALE),
        (evidence(old=4), Reach.NOTHING, State.STALE),
        (evidence(old=4, last=attempt(**TIMEOUT)), Reach.PRESENT, State.STALE),
        (evidence(old=4, last=attempt(**DAMAGE)), Reach.PRESENT, State.STALE),
        # something went wrong
        (evidence(fresh=4, last=attempt(**TIMEOUT)), Reach.PAST, State.PARTIAL),
        (evidence(fresh=4, last=attempt(finished_at=None)), Reach.PAST, State.PARTIAL),
        (evidence(last=attempt(articles=0, **TIMEOUT)), Reach.PAST, State.FAILED),
        (evidence(fresh=4, last=attempt(**DAMAGE)), Reach.WHOLE, State.FAILED),
        (evidence(fresh=2, old=2, last=attempt(**DAMAGE)), Reach.WHOLE, State.FAILED),
        (evidence(kept=2, last=attempt(articles=0, failed=2, reason=NOT_KEPT)), Reach.PRESENT, State.FAILED),
        # out of reach
        (evidence(), Reach.PRESENT, State.UNREACHABLE),
    ],
)
def test_state_follows_from_what_is_found(found: Evidence, reach: Reach, state: State) -> None:
    assert judged(found, reach).state is state


def test_attempt_whose_run_is_alive_is_running_and_left_alone() -> None:
    found = evidence(last=attempt(finished_at=None), alive=("r1",))
    assert judged(found, Reach.PAST).state is State.RUNNING
    assert planned(found, Reach.PAST).units == ()


def test_day_that_was_asked_for_before_it_was_over_is_partial_where_it_can_be_asked_for_again() -> None:
    early = attempt(started_at=datetime(2024, 2, 5, 9, 12, tzinfo=UTC))
    asked = judged(evidence(fresh=4, last=early), Reach.PAST)
    assert (asked.state, asked.detail) == (State.PARTIAL, "asked for until 09:12 UTC only")
    assert judged(evidence(fresh=4, last=early), Reach.PRESENT).state is State.FRESH


def test_today_can_be_asked_of_a_feed() -> None:
    assert planned(Evidence(), day=TODAY).partitions[0].state is State.MISSING
    assert len(planned(Evidence(), day=TODAY).units) == 1


def test_days_to_come_are_no_partitions() -> None:
    window = Window(first=TODAY, last=TODAY + timedelta(days=3))
    assert len(survey(window, [Expected(source="a", reach=Reach.PAST)], Evidence(), versions=NEW, today=TODAY)) == 1


def test_of_a_source_that_only_the_dataset_knows_no_day_is_expected() -> None:
    assert planned(Evidence(), Reach.NOTHING).partitions == ()


def test_day_before_a_source_was_ever_asked_is_not_expected_unless_something_is_known_of_it() -> None:
    source = Expected(source="harbour", reach=Reach.PAST, since=DAY + timedelta(days=1))
    window = Window(first=DAY, last=DAY + timedelta(days=2))

    def days_told(found: Evidence) -> list[date]:
        return [each.day for each in survey(window, [source], found, versions=NEW, today=TODAY)]

    assert days_told(Evidence()) == [DAY + timedelta(days=1), DAY + timedelta(days=2)]
    assert days_told(evidence(fresh=1)) == list(window.days())


@pytest.mark.parametrize(
    ("found", "reach", "asks"),
    [
        (evidence(old=4, last=attempt()), Reach.PAST, False),  # the archive has the pages
        (evidence(kept=4, last=attempt()), Reach.PAST, False),
        (evidence(kept=3, last=attempt()), Reach.PAST, True),  # it lacks one
        (evidence(kept=3, last=attempt()), Reach.PRESENT, False),  # and there is no one to ask
        (evidence(), Reach.PAST, True),
        (evidence(fresh=4, last=attempt(**TIMEOUT)), Reach.PAST, True),
        (evidence(fresh=4, last=attempt()), Reach.PAST, False),
    ],
)
def test_source_is_asked_only_where_the_archive_will_not_do(found: Evidence, reach: Reach, asks: bool) -> None:
    assert judged(found, reach).asks is asks


@pytest.mark.parametrize(
    ("found", "reach", "is_chosen"),
    [
        (evidence(fresh=4, last=attempt(**TIMEOUT)), Reach.PAST, True),
        (evidence(fresh=4, last=attempt(**TIMEOUT)), Reach.PRESENT, False),  # the feed has forgotten it
        (evidence(fresh=4, last=attempt(finished_at=None)), Reach.PRESENT, True),
        (evidence(last=attempt(articles=0, failed=1, reason=BROKEN_OFF)), Reach.PRESENT, True),
        (evidence(), Reach.PRESENT, False),
        (evidence(last=attempt(articles=0, **DAMAGE)), Reach.WHOLE, False),
        (evidence(last=attempt(articles=0, failed=2, reason=NOT_KEPT)), Reach.PRESENT, False),
        (evidence(last=attempt(articles=0, failed=2, reason=NOT_KEPT)), Reach.WHOLE, True),  # the folder may have it
    ],
)
def test_what_would_fail_again_is_left_alone(found: Evidence, reach: Reach, is_chosen: bool) -> None:
    assert bool(planned(found, reach).chosen) is is_chosen


def test_what_would_fail_again_is_tried_on_demand() -> None:
    found = evidence(last=attempt(articles=0, **DAMAGE))
    assert [each.day for each in planned(found, Reach.WHOLE, again=True).chosen] == [DAY]
    assert [each.day for each in planned(found, Reach.WHOLE).left] == [DAY]


def test_only_the_states_that_are_asked_for_are_chosen() -> None:
    assert planned(evidence(old=4), only={State.MISSING}).chosen == ()
    assert planned(evidence(old=4), only={State.STALE}).chosen != ()


def test_units_are_days_the_newest_first_after_what_is_read_as_a_whole() -> None:
    window = Window(first=DAY, last=DAY + timedelta(days=2))
    sources = [
        Expected(source="archive", reach=Reach.PAST),
        Expected(source="folder", reach=Reach.WHOLE),
        Expected(source="gazette", reach=Reach.PAST),
    ]
    units = plan(window, sources, Evidence(), versions=NEW, today=TODAY).units
    assert [str(unit) for unit in units] == ["folder 2024-02-05…2024-02-07", "2024-02-07", "2024-02-06", "2024-02-05"]
    assert [each.source for each in units[1].partitions] == ["archive", "gazette"]


def test_estimate_counts_what_is_known_and_takes_the_usual_for_the_rest() -> None:
    window = Window(first=DAY, last=DAY + timedelta(days=1))
    source = Expected(source="harbour", reach=Reach.PAST, delay=5)
    found = plan(window, [source], evidence(old=4), versions=NEW, today=TODAY, seconds_a_page=0.5)
    assert (found.pages, found.seconds) == (8, 4 * 0.5 + 4 * 5.5)


COUNTS = st.integers(min_value=0, max_value=5)
ATTEMPTS = st.none() | st.builds(
    attempt,
    finished_at=st.sampled_from([None, NOW]),
    started_at=st.sampled_from([NOW, datetime(2024, 2, 5, 9, 12, tzinfo=UTC)]),
    articles=COUNTS,
    failed=COUNTS,
    reason=st.sampled_from([None, Reason.TIMEOUT, Reason.DAMAGED_ARCHIVE, NOT_KEPT, BROKEN_OFF]),
)


@given(st.builds(evidence, fresh=COUNTS, old=COUNTS, kept=COUNTS, last=ATTEMPTS), st.sampled_from(Reach))
def test_plan_holds_together_whatever_is_found(found: Evidence, reach: Reach) -> None:
    whole = planned(found, reach)
    for each in whole.chosen:
        assert each.state in MENDABLE
        assert not each.is_lasting
    assert {each for unit in whole.units for each in unit.partitions} == set(whole.chosen)
    for each in whole.partitions:
        assert (each.state in (State.FRESH, State.STALE)) <= (each.rows > 0)
        assert (each.state in (State.EMPTY, State.UNREACHABLE)) <= (each.rows == 0)
        assert each.is_lasting <= (each.reason in LASTING)
        assert (each.reason == CUT_SHORT) <= (each.state is State.PARTIAL)


@given(COUNTS, st.sampled_from(Reach))
def test_what_an_attempt_has_just_had_is_as_it_should_be(rows: int, reach: Reach) -> None:
    done = attempt(articles=rows, inputs=rows)
    assert planned(evidence(fresh=rows, last=done), reach).chosen == ()
