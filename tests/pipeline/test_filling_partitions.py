"""A backfill over days that were lost, have grown old or cannot be read: each comes back, or says why not."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from storage import read
from storage.store import Place, Store
from tasks.batch import Workers
from tasks.documents import Reason
from tasks.edit import Desk, versions
from tasks.fetch.sources import Source, SourceError, SourceKind, source_from_argument
from tasks.fetch.window import Window
from tasks.filling import break_off, fill
from tasks.partitions import BROKEN_OFF, Plan, State
from tasks.planning import Request, make_plan
from tasks.publish import Published
from tasks.survey import untold
from tests.conftest import ingest_without_prefect, job_of, listing_sources, utc_now
from tests.pipeline.bygone import damage, days, page, write_days
from tests.pipeline.listings_site import Listings, serving
from tests.pipeline.spoiling import damage_archived, make_stale, remove_day

COUNT = 10
DAYS = days(COUNT)
WINDOW = Window(first=DAYS[0], last=DAYS[-1])


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten days, ingested from a folder. Read only."""
    home = tmp_path_factory.mktemp("bygone")
    write_days(home / "courier", DAYS)
    ingest_without_prefect(home / "data", [source_from_argument(str(home / "courier"))], run="first")
    return home


@pytest.fixture
def home(kept: Path, tmp_path: Path) -> Path:
    """A copy of these, to spoil."""
    return shutil.copytree(kept, tmp_path / "home")


def folder(home: Path) -> Source:
    return source_from_argument(str(home / "courier"))


def request(home: Path, **changes: object) -> Request:
    known = Request(window=WINDOW, today=utc_now().date(), versions=versions(Desk()), sources=(folder(home),))
    return replace(known, **changes)  # type: ignore[arg-type]


def planned(home: Path, **changes: object) -> Plan:
    return make_plan(Place(root=str(home / "data")), request(home, **changes))


def backfill(home: Path, name: str = "b", **changes: object) -> list[Published | None]:
    """Do what the `backfill` flow does with a plan, as plain function calls."""
    return [
        fill(job_of(home / "data", f"{name}-{number}"), unit, request(home, **changes), Workers(1))
        for number, unit in enumerate(planned(home, **changes).units)
    ]


def states(home: Path) -> dict[date, State]:
    return {each.day: each.state for each in planned(home).partitions}


def rows(home: Path) -> list[dict[str, object]]:
    """The articles without what is of one run."""
    apart = {"fetched_at", "first_seen_at", "updated_at", "page"}
    table = read.articles(home / "data")
    found = ({name: value for name, value in row.items() if name not in apart} for row in table.to_pylist())
    return sorted(found, key=lambda row: str(row["article_id"]))


def spoiled(home: Path, *what: tuple[Callable[[Store, date], None], date]) -> None:
    with Store.open(home / "data") as store:
        for spoil, day in what:
            spoil(store, day)


def test_an_ingested_folder_is_fresh(home: Path) -> None:
    assert set(states(home).values()) == {State.FRESH}
    assert planned(home).units == ()


def test_plan_names_just_the_days_that_were_spoiled(home: Path) -> None:
    spoiled(home, (remove_day, DAYS[1]), (remove_day, DAYS[2]), (make_stale, DAYS[5]))
    found = states(home)
    assert {day for day, state in found.items() if state is State.MISSING} == {DAYS[1], DAYS[2]}
    assert {day for day, state in found.items() if state is State.STALE} == {DAYS[5]}
    assert [each.day for unit in planned(home).units for each in unit.partitions] == [DAYS[5], DAYS[2], DAYS[1]]


def test_lost_and_old_days_come_back_from_the_archive_alone(home: Path) -> None:
    before = rows(home)
    spoiled(home, (remove_day, DAYS[1]), (make_stale, DAYS[5]))
    shutil.rmtree(home / "courier")
    write_days(home / "courier", DAYS[:1])  # the folder could not help
    backfill(home)
    assert rows(home) == before
    assert set(states(home).values()) == {State.FRESH}


def test_a_second_backfill_finds_nothing_to_do(home: Path) -> None:
    spoiled(home, (remove_day, DAYS[1]), (make_stale, DAYS[5]))
    assert len(backfill(home)) == 2
    files = {path: path.stat().st_mtime_ns for path in (home / "data" / "articles").rglob("*.parquet")}
    assert backfill(home, "again") == []
    assert {path: path.stat().st_mtime_ns for path in (home / "data" / "articles").rglob("*.parquet")} == files


def test_a_unit_that_another_has_done_meanwhile_is_left_alone(home: Path) -> None:
    spoiled(home, (remove_day, DAYS[1]))
    (unit,) = planned(home).units
    assert fill(job_of(home / "data", "one"), unit, request(home), Workers(1)) is not None
    assert fill(job_of(home / "data", "two"), unit, request(home), Workers(1)) is None


def test_what_the_archive_has_lost_its_source_brings_again(home: Path) -> None:
    before = rows(home)
    spoiled(home, (remove_day, DAYS[1]), (damage_archived, DAYS[1]), (make_stale, DAYS[5]), (damage_archived, DAYS[5]))
    backfill(home)
    assert rows(home) == before
    assert set(states(home).values()) == {State.FRESH}


def test_a_day_that_cannot_be_read_anywhere_fails_with_its_reason_and_is_not_tried_for_ever(home: Path) -> None:
    spoiled(home, (remove_day, DAYS[1]), (damage_archived, DAYS[1]), (make_stale, DAYS[5]))
    damage(home / "courier" / f"{DAYS[1]}.warc.gz")
    backfill(home)
    found = {each.day: each for each in planned(home).partitions}
    assert {day for day, each in found.items() if each.state is not State.FRESH} == {DAYS[1]}
    assert (found[DAYS[1]].state, found[DAYS[1]].reason) == (State.FAILED, Reason.DAMAGED_ARCHIVE)
    assert f"{DAYS[1]}.warc.gz" in str(found[DAYS[1]].detail)
    assert planned(home).units == ()


def test_a_day_that_failed_is_mended_on_demand_once_its_source_is(home: Path) -> None:
    before = rows(home)
    spoiled(home, (remove_day, DAYS[1]), (damage_archived, DAYS[1]))
    whole = (home / "courier" / f"{DAYS[1]}.warc.gz").read_bytes()
    damage(home / "courier" / f"{DAYS[1]}.warc.gz")
    backfill(home)
    (home / "courier" / f"{DAYS[1]}.warc.gz").write_bytes(whole)
    backfill(home, "again", again=True)
    assert rows(home) == before
    assert set(states(home).values()) == {State.FRESH}


def test_one_page_that_cannot_be_read_leaves_its_row_as_it_was(home: Path) -> None:
    before = {row["url"]: row["text"] for row in rows(home)}
    with Store.open(home / "data") as store:
        make_stale(store, DAYS[5])
        damage_archived(store, DAYS[5], pages=1)
    damage(home / "courier" / f"{DAYS[5]}.warc.gz")
    backfill(home)
    (failed,) = [each for each in planned(home).partitions if each.state is not State.FRESH]
    assert (failed.day, failed.state, failed.rows, failed.stale) == (DAYS[5], State.FAILED, 3, 1)
    assert {row["url"]: row["text"] for row in rows(home)} == before
    assert planned(home).units == ()


def test_days_that_a_damaged_folder_never_gave_are_missing_until_it_is_mended(tmp_path: Path) -> None:
    files = write_days(tmp_path / "courier", DAYS[:3])
    whole = files[1].read_bytes()
    damage(files[1])
    ingest_without_prefect(tmp_path / "data", [folder(tmp_path)], run="first")
    window = Window(first=DAYS[0], last=DAYS[2])
    known = {each.day: each.state for each in planned(tmp_path, window=window).partitions}
    assert known == {DAYS[0]: State.FRESH, DAYS[1]: State.MISSING, DAYS[2]: State.FRESH}
    files[1].write_bytes(whole)
    backfill(tmp_path, window=window)
    assert {each.state for each in planned(tmp_path, window=window).partitions} == {State.FRESH}


def test_days_on_which_a_folder_has_nothing_are_empty(home: Path) -> None:
    later = Window(first=WINDOW.first, last=WINDOW.last + timedelta(days=2))
    assert [each.state for each in planned(home, window=later).partitions][-2:] == [State.MISSING, State.MISSING]
    ingest_without_prefect(home / "data", [folder(home)], run="read")  # this copy of the folder was never read before
    assert [each.state for each in planned(home, window=later).partitions][-2:] == [State.EMPTY, State.EMPTY]


def test_a_part_of_a_folder_says_nothing_of_any_day(tmp_path: Path) -> None:
    write_days(tmp_path / "courier", DAYS[:3])
    part = replace(folder(tmp_path), only=(f"{DAYS[0]}.warc.gz",))
    ingest_without_prefect(tmp_path / "data", [part], run="part")
    window = Window(first=DAYS[0], last=DAYS[2])
    assert [each.state for each in planned(tmp_path, window=window).partitions] == [State.MISSING] * 3
    backfill(tmp_path, window=window)
    assert [each.state for each in planned(tmp_path, window=window).partitions] == [State.FRESH] * 3


def test_days_that_are_asked_for_are_read_and_no_others(tmp_path: Path) -> None:
    write_days(tmp_path / "courier", DAYS[:4])
    window = Window(first=DAYS[1], last=DAYS[2])
    backfill(tmp_path, window=window)
    assert set(read.articles(tmp_path / "data")["published_date"].to_pylist()) == {DAYS[1], DAYS[2]}
    assert [each.state for each in planned(tmp_path, window=window).partitions] == [State.FRESH] * 2
    whole = Window(first=DAYS[0], last=DAYS[3])
    assert [each.state for each in planned(tmp_path, window=whole).partitions][::3] == [State.MISSING] * 2


def test_a_source_without_a_folder_any_more_is_filled_by_its_name(home: Path) -> None:
    spoiled(home, (remove_day, DAYS[1]))
    by_name = {"sources": (), "others": ("courier",)}
    assert [str(unit) for unit in planned(home, **by_name).units] == [str(DAYS[1])]
    backfill(home, **by_name)
    assert set(states(home).values()) == {State.FRESH}


def test_a_name_that_nobody_knows_is_refused_with_the_nearest(home: Path) -> None:
    with pytest.raises(SourceError, match="Did you mean 'courier'"):
        planned(home, sources=(), others=("courrier",))


def test_a_unit_that_broke_off_is_told_and_tried_again(home: Path) -> None:
    spoiled(home, (remove_day, DAYS[1]))
    (unit,) = planned(home).units
    break_off(job_of(home / "data", "broken"), unit, "the disk is on fire")
    (chosen,) = planned(home).chosen
    assert (chosen.state, chosen.reason, chosen.detail) == (State.MISSING, BROKEN_OFF, "the disk is on fire")
    backfill(home)
    assert set(states(home).values()) == {State.FRESH}


def test_what_a_unit_had_edited_when_it_was_killed_is_not_lost(home: Path) -> None:
    before = rows(home)
    spoiled(home, (remove_day, DAYS[1]), (remove_day, DAYS[2]))
    second, first = planned(home).units

    class Dying(Workers):
        def edit(self, *arguments: object) -> None:  # type: ignore[override]
            super().edit(*arguments)  # type: ignore[arg-type]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill(job_of(home / "data", "dying"), second, request(home), Dying(1))
    assert states(home)[DAYS[2]] is State.MISSING
    fill(job_of(home / "data", "next"), first, request(home), Workers(1))
    backfill(home)
    assert rows(home) == before


def test_days_whose_stories_were_never_told_are_found(home: Path) -> None:
    with Store.open(home / "data") as store:
        assert untold(store, WINDOW) == ()
        store.files.remove(f"article_stories/published_date={DAYS[3]}/part-000.parquet")
        assert untold(store, WINDOW) == (DAYS[3],)


# What a run may claim


def claimed(root: Path) -> dict[tuple[str, date], State]:
    with Store.open(root) as store:
        attempts = store.ledger.attempts(None, date(2000, 1, 1), date(2100, 1, 1))
    return {(attempt.source, attempt.day): State.PARTIAL if attempt.failed else State.FRESH for attempt in attempts}


def test_a_feed_claims_what_it_shows_and_a_sitemap_its_own_day(sample_site: list[Source], tmp_path: Path) -> None:
    feed, sitemap = sample_site
    today = utc_now().date()
    for source in (feed, sitemap):
        ingest_without_prefect(tmp_path / source.name, [source], run="first")
    shown = {day for _, day in claimed(tmp_path / "feed")}
    assert today in shown
    assert len(shown) > 3
    assert {day for _, day in claimed(tmp_path / "sitemap")} == {today}


@pytest.fixture
def sample_site(site: object) -> list[Source]:
    location = listing_sources(site)[0].location  # type: ignore[arg-type]
    return [
        Source(name="feed", kind=SourceKind.FEED, location=location, delay=0.0, allow_private=True),
        Source(
            name="sitemap",
            kind=SourceKind.SITEMAP,
            location=location.replace("feed.xml", "sitemap-news.xml"),
            delay=0.0,
            allow_private=True,
        ),
    ]


def test_a_feed_that_does_not_answer_makes_its_day_one_to_try_again(tmp_path: Path) -> None:
    dead = Source(name="dead", kind=SourceKind.FEED, location="http://127.0.0.1:9/feed", delay=0.0, allow_private=True)
    ingest_without_prefect(tmp_path / "data", [dead], run="first")
    today = utc_now().date()
    asked = Request(window=Window(first=today, last=today), today=today, versions=versions(Desk()), sources=(dead,))
    (day,) = make_plan(Place(root=str(tmp_path / "data")), asked).partitions
    assert (day.state, day.asks, day.reason is not None) == (State.FAILED, True, True)


def past_of(server: Listings) -> Source:
    """A site with a feed of the present, and a sitemap for each day gone by."""
    return replace(server.source("/feed"), archive=server.url("/{day:%Y-%m-%d}.xml"))


def test_days_of_a_site_are_had_from_its_archive_by_date_once(tmp_path: Path) -> None:
    first, second = DAYS[:2]
    place, window = Place(root=str(tmp_path / "data")), Window(first=first, last=second)
    with serving() as server:
        for number in range(2):
            server.bodies[f"/story/{first}/{number}"] = page(first, number).encode()
        listed = "".join(f"<url><loc>{server.url(f'/story/{first}/{number}')}</loc></url>" for number in range(2))
        server.bodies[f"/{first}.xml"] = f"<urlset>{listed}</urlset>".encode()
        server.bodies[f"/{second}.xml"] = b"<urlset></urlset>"
        asked = Request(window=window, today=utc_now().date(), versions=versions(Desk()), sources=(past_of(server),))

        def run(name: str) -> dict[date, State]:
            for number, unit in enumerate(make_plan(place, asked).units):
                fill(job_of(tmp_path / "data", f"{name}-{number}"), unit, asked, Workers(1))
            return {each.day: each.state for each in make_plan(place, asked).partitions}

        assert {each.state for each in make_plan(place, asked).partitions} == {State.MISSING}
        assert run("first") == {first: State.FRESH, second: State.EMPTY}
        requests = len(server.asked)
        spoiled(tmp_path, (remove_day, first))
        assert run("second") == {first: State.FRESH, second: State.EMPTY}
        assert len(server.asked) == requests, "what the archive keeps is not asked for again"
    assert read.articles(place.root).num_rows == 2
