"""When a source is asked again: bounds always hold, a rhythm is found, and neither bursts nor nights upset it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.fetch.freshness import (
    USUAL,
    Attention,
    Rhythm,
    after_answer,
    after_deferral,
    after_failure,
    is_silent,
)

START = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
waits = st.timedeltas(min_value=timedelta(seconds=1), max_value=400 * DAY)


@st.composite
def attentions(draw: st.DrawFn) -> Attention:
    least = draw(st.timedeltas(min_value=timedelta(0), max_value=2 * DAY))
    return Attention(least=least, most=least + draw(st.timedeltas(min_value=timedelta(0), max_value=60 * DAY)))


def visits(news: Callable[[datetime, datetime], bool], until: timedelta, attention: Attention = USUAL) -> list[Rhythm]:
    """Visit a source whenever it is due; `news` tells whether something appeared between two instants."""
    rhythms = [after_answer(None, START, brought=True, attention=attention)]
    while (now := rhythms[-1].next_visit) < START + until:
        brought = news(rhythms[-1].visited_at, now)
        rhythms.append(after_answer(rhythms[-1], now, brought=brought, attention=attention))
    return rhythms


def every(period: timedelta) -> Callable[[datetime, datetime], bool]:
    return lambda before, now: (before - START) // period < (now - START) // period


@given(attentions(), st.lists(st.tuples(st.sampled_from(["news", "nothing", "failure"]), waits), min_size=1))
def test_the_next_visit_is_always_within_bounds(attention: Attention, steps: list[tuple[str, timedelta]]) -> None:
    rhythm, now = None, START
    for what, wait in steps:
        if what == "failure":
            rhythm = after_failure(rhythm, now, attention)
        else:
            rhythm = after_answer(rhythm, now, brought=what == "news", attention=attention)
        assert attention.least <= rhythm.next_visit - now <= attention.most
        now += wait


@pytest.mark.parametrize("period", [45 * MINUTE, 3 * HOUR, 13 * HOUR])
def test_the_rhythm_of_a_periodic_source_is_found(period: timedelta) -> None:
    rhythms = visits(every(period), 60 * period)
    seen = rhythms[-1]
    assert seen.gap is not None
    assert 0.8 * period < seen.gap < 1.3 * period
    assert len(rhythms) < 3 * 60
    assert sum(each.changed_at == each.visited_at for each in rhythms) >= 55


def test_a_source_without_news_is_asked_ever_more_rarely() -> None:
    rhythms = visits(lambda _before, _now: False, 10 * DAY)
    assert rhythms[-1].next_visit - rhythms[-1].visited_at == DAY
    assert len(rhythms) < 30


def test_an_empty_source_is_asked_ever_more_rarely() -> None:
    rhythm = after_answer(None, START, brought=False, attention=USUAL)
    for _ in range(20):
        rhythm = after_answer(rhythm, rhythm.next_visit, brought=False, attention=USUAL)
    assert rhythm.next_visit - rhythm.visited_at == DAY


def test_a_burst_does_not_starve_a_source() -> None:
    """A quiet source, a month of silence, then news every twenty minutes: it is followed within the day."""
    quiet, busy = 30 * DAY, every(20 * MINUTE)
    rhythms = visits(lambda before, now: now - START > quiet and busy(before, now), quiet + 2 * DAY)
    last_day = [each for each in rhythms if each.visited_at > START + quiet + DAY]
    assert last_day[-1].next_visit - last_day[-1].visited_at < HOUR
    assert len(last_day) > 20


def test_a_night_does_not_slow_down_the_day() -> None:
    def by_day(before: datetime, now: datetime) -> bool:
        return now.hour >= 8 and every(30 * MINUTE)(before, now)

    rhythms = visits(by_day, 10 * DAY)
    at_noon = [each for each in rhythms if each.visited_at.hour in (12, 13, 14)]
    assert max(each.next_visit - each.visited_at for each in at_noon[10:]) < 2 * HOUR


def test_failures_are_followed_ever_later_up_to_a_day_and_forgotten_after_an_answer() -> None:
    rhythm, waited = after_answer(None, START, brought=True, attention=Attention(most=30 * DAY)), []
    for _ in range(12):
        rhythm = after_failure(rhythm, rhythm.next_visit, Attention(most=30 * DAY))
        waited.append(rhythm.next_visit - rhythm.visited_at)
    assert waited == sorted(waited)
    assert (waited[0], waited[1], waited[-1]) == (10 * MINUTE, 20 * MINUTE, DAY)
    assert after_answer(rhythm, rhythm.next_visit, brought=False, attention=USUAL).failures == 0
    assert rhythm.changed_at == START


def test_a_deferral_teaches_nothing_but_when_to_come() -> None:
    known = after_failure(after_answer(None, START, brought=True, attention=USUAL), START + HOUR, USUAL)
    put_off = after_deferral(known, START + 2 * HOUR, START + 5 * HOUR)
    assert (put_off.next_visit, put_off.failures, put_off.changed_at) == (START + 5 * HOUR, 1, START)


def test_a_daily_schedule_that_strikes_a_little_early_is_not_put_off_by_a_day() -> None:
    rhythm = Rhythm(visited_at=START + timedelta(seconds=40), next_visit=START + DAY + timedelta(seconds=40))
    assert rhythm.is_due(START + DAY)
    assert not rhythm.is_due(START + DAY / 2)


@pytest.mark.parametrize(
    ("gap", "quiet", "silent_after", "expected"),
    [
        (HOUR, 47 * HOUR, None, False),
        (HOUR, 49 * HOUR, None, True),
        (DAY, 5 * DAY, None, False),
        (DAY, 7 * DAY, None, True),
        (DAY, 7 * DAY, 30 * DAY, False),
        (DAY, 2 * DAY, DAY, True),
    ],
)
def test_silence_is_measured_by_what_is_usual(
    gap: timedelta, quiet: timedelta, silent_after: timedelta | None, expected: bool
) -> None:
    rhythm = Rhythm(visited_at=START + quiet, next_visit=START + quiet, changed_at=START, gap=gap)
    assert is_silent(rhythm, None, Attention(silent_after=silent_after)) is expected


def test_a_feed_that_lists_only_old_entries_is_silent_as_soon_as_they_are_known() -> None:
    first = after_answer(None, START, brought=True, attention=USUAL)
    second = after_answer(first, START + HOUR, brought=False, attention=USUAL)
    assert not is_silent(first, START - 300 * DAY, USUAL)
    assert is_silent(second, START - 300 * DAY, USUAL)
    assert not is_silent(second, START - HOUR, USUAL)
    assert not is_silent(second, None, USUAL)
