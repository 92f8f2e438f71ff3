"""Quality gates at their borders: what holds, what breaks, and when nothing can be said."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.documents import Outcome
from tasks.gates import Figures, Gates, GateStatus, Limits, OnBreak, judge, surges

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def figures(age: timedelta = timedelta(), source: str = "courier", undated: int = 0, **outcomes: int) -> Figures:
    return Figures(started_at=NOW - age, outcomes={source: outcomes}, undated={source: undated})


def week(new: int = 100, source: str = "courier") -> list[Figures]:
    return [figures(age * DAY, source, new=new) for age in range(1, 8)]


def status(run: Figures, past: list[Figures], name: str, **limits: float) -> GateStatus | None:
    gates = Gates(limits=Limits(**({"volume": 0, "rejections": 1, "undated": 1} | limits)))  # type: ignore[arg-type]
    found = {gate.name: gate.status for gate in judge(gates, run, past)}
    assert found.keys() <= {name}
    return found.get(name)


@pytest.mark.parametrize(("new", "expected"), [(50, GateStatus.PASSED), (49, GateStatus.WARNED)])
def test_volume_breaks_below_its_share(new: int, expected: GateStatus) -> None:
    assert status(figures(new=new), week(), "volume", volume=0.5) is expected


def test_volume_is_that_of_the_whole_last_day() -> None:
    hourly = [figures(timedelta(hours=hour), new=4) for hour in range(1, 23)]
    assert status(figures(new=0), [*hourly, *week()], "volume", volume=0.5) is GateStatus.PASSED
    assert status(figures(new=0), [*hourly[:10], *week()], "volume", volume=0.5) is GateStatus.WARNED


def test_daily_run_that_starts_a_minute_early_is_of_another_day() -> None:
    assert status(figures(timedelta(minutes=1), new=0), week(), "volume", volume=0.5) is GateStatus.WARNED


def test_first_run_of_a_source_does_not_make_the_usual() -> None:
    past = [figures(age * DAY, new=20) for age in range(1, 4)] + [figures(4 * DAY, new=3000)]
    assert status(figures(new=20), past, "volume", volume=0.5) is GateStatus.PASSED


@pytest.mark.parametrize(
    ("past", "expected"),
    [
        (week()[:3], GateStatus.WARNED),
        (week()[:2], None),
        (week(new=10), GateStatus.WARNED),
        (week(new=9), None),
        (week(source="gazette"), None),
        ([figures((8 + age) * DAY, new=100) for age in range(3)], None),
    ],
    ids=["three days", "two days", "ten a day", "nine a day", "of another source", "of long ago"],
)
def test_volume_is_judged_with_enough_history(past: list[Figures], expected: GateStatus | None) -> None:
    assert status(figures(new=0), past, "volume", volume=0.5) is expected


def test_days_on_which_a_source_was_not_asked_do_not_count() -> None:
    others = [figures(age * DAY, "gazette", new=5) for age in range(1, 8)]
    assert status(figures(new=50), [*others, *week()[:3]], "volume", volume=0.5) is GateStatus.PASSED


@pytest.mark.parametrize(
    ("rejected", "new", "expected"),
    [(10, 10, GateStatus.PASSED), (11, 10, GateStatus.WARNED), (19, 0, None), (20, 0, GateStatus.WARNED)],
)
def test_rejections_break_above_their_share(rejected: int, new: int, expected: GateStatus | None) -> None:
    assert status(figures(rejected=rejected, new=new), [], "rejections", rejections=0.5) is expected


def test_inputs_that_were_not_looked_at_are_no_part_of_the_rejections() -> None:
    run = figures(rejected=11, unchanged=9, skipped=500, deferred=500, repeated=500)
    assert status(run, [], "rejections", rejections=0.5) is GateStatus.WARNED


@pytest.mark.parametrize(
    ("undated", "new", "expected"),
    [(5, 10, GateStatus.PASSED), (6, 10, GateStatus.WARNED), (9, 9, None)],
)
def test_undated_breaks_above_its_share(undated: int, new: int, expected: GateStatus | None) -> None:
    assert status(figures(new=new, undated=undated), [], "undated", undated=0.5) is expected


def test_limits_that_ask_nothing_are_not_judged() -> None:
    assert judge(Gates(limits=Limits(volume=0, rejections=1, undated=1)), figures(rejected=99), week()) == ()


def test_a_source_with_limits_of_its_own_is_judged_alone() -> None:
    run = Figures(started_at=NOW, outcomes={"courier": {"rejected": 30, "new": 10}, "gazette": {"new": 40}})
    gates = Gates(limits=Limits(undated=1), of_source={"courier": Limits(rejections=0.2, on_break=OnBreak.FAIL)})
    found = {gate.name: gate for gate in judge(gates, run, [])}
    assert found["rejections of courier"].status is GateStatus.FAILED
    assert found["rejections"].status is GateStatus.PASSED
    assert found["rejections of courier"].detail == ("30 of 40 inputs set aside: 75 %, and at most 20 % is expected.")


counts = st.fixed_dictionaries({str(outcome): st.integers(0, 1000) for outcome in Outcome})


@given(counts, st.lists(counts, max_size=8), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_gates_say_something_of_any_figures(
    now: dict[str, int], past: list[dict[str, int]], volume: float, rejections: float, undated: float
) -> None:
    limits = Limits(volume=volume, rejections=rejections, undated=undated)
    before = [figures((age + 1) * DAY, **outcomes) for age, outcomes in enumerate(past)]
    for gate in judge(Gates(limits=limits), figures(undated=now["new"] // 2, **now), before):
        assert gate.detail.endswith(".")
        assert ("expected" in gate.detail) is (gate.status is not GateStatus.PASSED)


def mended(places: int, articles: int = 100, source: str = "courier", rule: str = "space-before-comma") -> Figures:
    return Figures(
        started_at=NOW, outcomes={source: {"new": articles}}, corrections={source: {rule: places}} if places else {}
    )


@pytest.mark.parametrize(
    ("places", "before", "flagged"),
    [
        (100, [mended(10)], True),
        (99, [mended(10)], False),
        (20, [mended(0)], True),
        (19, [mended(0)], False),
        (100, [mended(0, articles=49)], False),
        (100, [mended(0, articles=50)], True),
        (200, [mended(5), mended(15)], True),
        (199, [mended(0, source="gazette"), mended(20)], False),
    ],
    ids=[
        "ten times", "not quite", "never before", "too few places", "too few articles", "just enough",
        "against the mean", "another source is no help",
    ],
)  # fmt: skip
def test_surge_of_a_rule(places: int, before: list[Figures], flagged: bool) -> None:
    assert bool(surges(mended(places), before)) is flagged


def test_a_rule_that_is_busy_in_one_source_is_no_surge_when_only_that_source_runs() -> None:
    before = [
        Figures(
            started_at=NOW,
            outcomes={"courier": {"new": 100}, "gazette": {"new": 900}},
            corrections={"courier": {"decimal-comma": 100}},
        )
    ]
    assert surges(mended(100, rule="decimal-comma"), before) == ()


def test_a_surge_names_rule_source_and_factor() -> None:
    [told] = surges(mended(1500), [mended(100)])
    assert told.startswith("Rule space-before-comma mended 1,500 places, most of them in courier: 15 times as many")
