"""What visits to listings leave in the ledger, and what schedules make of it: real runs over a server on loopback."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage.records import FeedVisit
from storage.store import Place
from tasks.collect import collect_pages
from tasks.edit import Desk
from tasks.fetch.exchange import Limits
from tasks.fetch.freshness import Answer, Attention, Condition
from tasks.fetch.sources import Source, SourceKind
from tasks.fetch.window import Window
from tasks.job import Job
from tasks.standing import part_due, silent_sources, standings, told_waiting
from tests.conftest import utc_now
from tests.pipeline.listings_site import Listings, serving

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def server() -> Iterator[Listings]:
    with serving() as server:
        yield server


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(root=str(tmp_path / "data"))


def visit(place: Place, source: Source, now: datetime, window: Window | None = None) -> FeedVisit:
    """Collect what a source has, as a run that begins `now` does, and return what is known of it then."""
    job = Job(
        run=f"{now:%Y%m%dT%H%M%S}",
        name="test",
        flow="test",
        place=place,
        started_at=now,
        clock=utc_now,
        seed=0,
        desk=Desk(),
        limits=Limits(attempts=1, backoff_seconds=0.01),
        window=window,
    )
    for _ in collect_pages(job, [source]):
        pass
    return known(place, source.location)


def known(place: Place, url: str) -> FeedVisit:
    with place.open() as store:
        return store.ledger.feed_visits([url])[url]


def test_news_and_the_lack_of_it_move_the_next_visit(server: Listings, place: Place) -> None:
    source = server.source("/feed")
    server.feed(1, 2)
    first = visit(place, source, NOON)
    assert (first.kind, first.answer, first.entries, first.changed_at) == ("feed", Answer.READ, 2, NOON)
    server.feed(2, 3)
    second = visit(place, source, NOON + 4 * HOUR)
    assert (second.changed_at, second.gap_seconds) == (NOON + 4 * HOUR, 4 * 3600)
    assert second.next_visit == NOON + 6 * HOUR
    third = visit(place, source, NOON + 12 * HOUR)
    assert (third.answer, third.entries) == (Answer.NOT_MODIFIED, 2)
    assert (third.changed_at, third.next_visit) == (NOON + 4 * HOUR, NOON + 16 * HOUR)


def test_an_entry_that_comes_back_is_no_news(server: Listings, place: Place) -> None:
    source = server.source("/feed")
    for number, stories in enumerate([(1, 2), (3, 2), (1, 3)]):
        server.feed(*stories)
        seen = visit(place, source, NOON + number * HOUR)
    assert seen.changed_at == NOON + HOUR


def test_a_feed_in_trouble_is_remembered_with_its_trouble(server: Listings, place: Place) -> None:
    source = server.source("/feed")
    server.feed(1)
    visit(place, source, NOON)
    del server.bodies["/feed"]
    for number in (1, 2):
        seen = visit(place, source, NOON + number * HOUR)
    assert (seen.failures, seen.answer, seen.changed_at) == (2, Answer.FAILED, NOON)
    assert seen.detail is not None
    assert seen.detail.startswith("not-found: 404")
    with place.open() as store:
        (standing,) = standings(store.ledger, [source])
    assert standing.condition is Condition.FAILING


def test_the_parts_of_an_index_are_remembered_and_summed_up(server: Listings, place: Place) -> None:
    source = server.source("/index.xml")
    server.index(march=NOON, lost=NOON)
    server.sitemap("march", 1, 2, 3)
    seen = visit(place, source, NOON + HOUR)
    assert (seen.entries, seen.kind, seen.failures, seen.changed_at) == (3, "sitemap", 0, NOON + HOUR)
    assert seen.detail is not None
    assert seen.detail.startswith("1 of 3 listings could not be read: not-found")
    assert known(place, server.url("/march.xml")).entries == 3
    assert known(place, server.url("/lost.xml")).failures == 1


def test_a_sitemap_is_not_asked_while_its_index_says_that_it_is_as_it_was(server: Listings, place: Place) -> None:
    source = server.source("/index.xml")
    server.sitemap("january", 1)
    server.sitemap("march", 2)
    server.index(january=NOON - 40 * DAY, march=NOON - HOUR)
    visit(place, source, NOON)
    server.sitemap("march", 2, 3)
    server.index(january=NOON - 40 * DAY, march=NOON + timedelta(minutes=3))
    server.asked.clear()
    seen = visit(place, source, NOON + timedelta(minutes=5))
    assert [path for path in server.asked if path.endswith(".xml")] == ["/index.xml", "/march.xml"]
    assert seen.entries == 3
    server.asked.clear()
    visit(place, source, NOON + timedelta(minutes=30))
    assert "/january.xml" in server.asked, "an index that forgets to move its dates is believed only for a while"


def test_a_schedule_asks_only_what_is_due(server: Listings, place: Place) -> None:
    server.feed(1)
    patient, eager = server.source("/feed"), server.source("/feed", Attention(adaptive=False))
    seen = visit(place, patient, NOON)
    with place.open() as store:
        due, waiting = part_due(store.ledger, [patient], NOON + timedelta(minutes=5))
        assert (due, told_waiting(waiting)) == ([], ["courier: not asked, next visit at 2026-03-01 12:10 UTC."])
        assert part_due(store.ledger, [eager], NOON + timedelta(minutes=5))[0] == [eager]
        assert seen.next_visit is not None
        assert part_due(store.ledger, [patient], seen.next_visit)[0] == [patient]


def test_silence_is_told_with_what_is_heard_instead(server: Listings, place: Place) -> None:
    source = server.source("/feed")
    server.feed(1, published=NOON - HOUR)
    visit(place, source, NOON)

    def told(now: datetime) -> list[str]:
        visit(place, source, now)
        with place.open() as store:
            return [str(silence) for silence in silent_sources(store.ledger, [source])]

    assert told(NOON + DAY) == []
    assert told(NOON + 3 * DAY) == [
        'courier: silent, nothing new since 2026-03-01 11:00 UTC; it answers "not modified" (304).'
    ]
    server.bodies["/feed"] += b" "
    assert told(NOON + 4 * DAY)[0].endswith("all that it lists is old.")
    server.feed()
    assert told(NOON + 5 * DAY)[0].endswith("it lists nothing.")
    del server.bodies["/feed"]
    assert "its last visit failed (not-found: 404" in told(NOON + 6 * DAY)[0]
    server.feed(2)
    assert told(NOON + 7 * DAY) == []


def test_a_home_page_is_remembered_as_what_it_leads_to(server: Listings, place: Place) -> None:
    home = b"<!doctype html><link rel=alternate type=application/rss+xml href=/feed><h1>The Courier</h1>"
    server.bodies["/"] = home
    server.feed(1, 2)
    source = server.source("/")
    seen = visit(place, source, NOON)
    assert (seen.kind, seen.entries, seen.changed_at, seen.failures) == ("home", 2, NOON, 0)
    assert known(place, server.url("/feed")).entries == 2
    seen = visit(place, source, NOON + 3 * DAY)
    assert (seen.answer, seen.changed_at) == (Answer.NOT_MODIFIED, NOON)
    with place.open() as store:
        assert [silence.source for silence in silent_sources(store.ledger, [source])] == ["courier"]


def test_a_site_whose_robots_txt_names_no_sitemap_fails(server: Listings, place: Place) -> None:
    server.bodies["/robots.txt"] = b"User-agent: *\nDisallow: /private/\n"
    source = replace(server.source("/"), kind=SourceKind.SITEMAP)
    seen = visit(place, source, NOON)
    assert (seen.failures, seen.answer) == (1, Answer.FAILED)


def test_a_run_over_a_window_of_days_changes_no_rhythm(server: Listings, place: Place) -> None:
    server.feed(1)
    source = server.source("/feed")
    before = visit(place, source, NOON)
    server.feed(1, 2, published=NOON)
    visit(place, source, NOON + HOUR, window=Window(first=NOON.date(), last=NOON.date()))
    assert known(place, source.location) == before


def test_a_page_and_a_folder_are_remembered_and_never_silent(server: Listings, place: Place, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "note.txt").write_text("The crane sings\n\n" + "It was tested again. " * 9, encoding="utf-8")
    page, local = server.source("/story/9"), Source(name="in", kind=SourceKind.FOLDER, location=str(folder))
    for now in (NOON, NOON + 9 * DAY):
        assert (visit(place, page, now).kind, visit(place, page, now).changed_at) == ("page", NOON)
        assert (visit(place, local, now).kind, visit(place, local, now).entries) == ("folder", 1)
    with place.open() as store:
        assert [each.condition for each in standings(store.ledger, [page, local])] == [Condition.FRESH] * 2
        assert part_due(store.ledger, [local], NOON)[0] == [local]
