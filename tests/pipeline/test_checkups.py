"""A look at a source says what the next run brings, or why nothing, and leaves the dataset as it was."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import app
from storage.store import Place, Store
from tasks.checkup import Checkup, check_up
from tasks.edit import Desk
from tasks.fetch.exchange import Limits
from tasks.fetch.glance import MOST_PARTS
from tasks.fetch.sources import Source, source_from_argument
from tests.conftest import ingest_without_prefect, utc_now
from tests.pipeline.listings_site import Listings, serving

WALL = b"<title>Courier</title><h1>Before you continue</h1><p>We and our partners store cookies.</p>"


@pytest.fixture
def server() -> Iterator[Listings]:
    with serving() as server:
        yield server


def look(source: Source, store: Store | None = None) -> Checkup:
    looks = check_up(
        [source],
        store=store,
        contact="desk@example.org",
        clock=utc_now,
        seed=0,
        desk=Desk(),
        limits=Limits(attempts=1, backoff_seconds=0.01),
    )
    return asyncio.run(looks)[0]


def test_new_entries_are_promised_and_one_is_tried(server: Listings) -> None:
    server.feed(1, 2, published=utc_now())
    found = look(server.source("/feed"))
    assert (found.delivers, found.why) == (True, "The next run brings 2 new entries.")
    assert (found.kind, found.answer, found.entries, found.new) == ("feed", "200 OK", 2, 2)
    assert found.robots == "there is none, so that everything is allowed"
    assert found.page == server.url("/story/1")
    assert found.page_verdict.startswith("an article of ")
    assert [path for path in server.asked if path.startswith("/story")] == ["/story/1"]


def test_pages_that_are_walls_are_the_reason(server: Listings) -> None:
    server.feed(1, 2)
    server.bodies["/story/1"] = WALL
    found = look(server.source("/feed"))
    assert not found.delivers
    assert found.why.startswith("The first of 2 new entries was set aside: consent-wall, Before you continue")


def test_robots_txt_is_the_reason_and_its_line_is_named(server: Listings) -> None:
    server.bodies["/robots.txt"] = b"User-agent: *\nAllow: /news/\nDisallow: /fe\nCrawl-delay: 2\n"
    server.feed(1)
    found = look(server.source("/feed"))
    assert (found.delivers, found.crawl_delay) == (False, 2)
    assert found.robots == "disallowed, line 3: Disallow: /fe"
    assert found.why == "Nothing can be had: robots-disallowed, robots.txt disallows /feed."
    assert "/feed" not in server.asked


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (None, "Nothing can be had: not-found, 404 Not Found."),
        (b"<rss version='2.0'><channel><title>T</title></channel></rss>", "There is no entry in it."),
        (
            b"<urlset><url><loc>https://other.example/1</loc></url></urlset>",
            "None of its entries can be had: 1 other-site.",
        ),
        (b"<urlset><url><loc>", "Nothing can be had: bad-sitemap, damaged: "),
    ],
)
def test_why_nothing_comes_of_it(server: Listings, body: bytes | None, why: str) -> None:
    if body is not None:
        server.bodies["/listing"] = body
    found = look(server.source("/listing"))
    assert not found.delivers
    assert found.why.startswith(why)


def test_what_is_known_is_told_with_what_became_of_it(server: Listings, tmp_path: Path) -> None:
    place = Place(root=str(tmp_path / "data"))
    source = server.source("/feed")
    server.feed(1, 2, 3, published=utc_now())
    server.bodies["/story/3"] = WALL
    ingest_without_prefect(place, [source], run="first")
    with place.open() as store:
        before = store.ledger.feed_visits([source.location])
        found = look(source, store)
        assert store.ledger.feed_visits([source.location]) == before
    assert (found.new, dict(found.known)) == (0, {"stored": 2, "consent-wall": 1})
    assert (found.delivers, found.why) == (
        True,
        "Nothing new: all that it offers is known (2 stored, 1 set aside).",
    )
    assert found.visit == before[source.location]
    server.feed(1, published=datetime(2020, 1, 1, tzinfo=UTC))
    server.bodies["/feed"] = server.bodies["/feed"].replace(b"/story/1", server.url("/story/1#again").encode())
    with place.open() as store:
        silent = look(source, store)
        wanted = look(replace(source, attention=replace(source.attention, silent_after=timedelta(days=9000))), store)
    assert silent.why == "Silent: all that it offers is known (1 stored), and the newest is of 2020-01-01."
    assert (silent.delivers, wanted.delivers) == (False, True)


def test_of_a_long_index_only_the_beginning_and_what_is_recent_is_read(server: Listings) -> None:
    parts = {f"part{number:02}": utc_now() for number in range(MOST_PARTS + 3)}
    server.index(old=utc_now() - timedelta(days=90), **parts)
    for number, name in enumerate(parts):
        server.sitemap(name, number)
    found = look(server.source("/index.xml"))
    assert (found.listings, found.passed_over, found.new) == (MOST_PARTS + 1, 4, MOST_PARTS)
    assert "/old.xml" not in server.asked


def test_a_folder_is_read_where_it_lies(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "note.txt").write_text("The crane sings\n\n" + "It was tested again. " * 9, encoding="utf-8")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    place, source = Place(root=str(tmp_path / "data")), source_from_argument(str(folder))
    found = look(source)
    assert (found.delivers, found.why) == (True, "The next run brings 1 new document.")
    assert (found.entries, dict(found.known), found.page) == (2, {"unknown-file-type": 1}, "note.txt")
    ingest_without_prefect(place, [source], run="first")
    with place.open() as store:
        assert look(source, store).why == "Nothing new: all that it offers is known (1 stored, 1 set aside)."


@pytest.fixture
def desk(server: Listings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with three sources: one that delivers, one that is gone, one that never was."""
    server.feed(1)
    sources = {"good": server.url("/feed"), "gone": server.url("/nothing"), "lost": "nowhere"}
    tables = [f'[sources.{name}]\nlocation = "{at}"\nallow_private = true\n' for name, at in sources.items()]
    (tmp_path / "copydesk.toml").write_text("delay = 0\nbackoff = 0\n" + "".join(tables), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_lists_sources_and_makes_no_dataset(desk: Path) -> None:
    done = CliRunner().invoke(app, ["sources", "--json"])
    rows = json.loads(done.stdout)
    assert [(row["source"], row["state"]) for row in rows] == [
        ("good", "never visited"),
        ("gone", "never visited"),
        ("lost", "failing"),
    ]
    assert "no such file or folder" in rows[2]["detail"]
    assert done.exit_code == 1
    assert not (desk / "data").exists()


@pytest.mark.parametrize(("names", "code"), [(["good"], 0), (["good", "gone"], 1), ([], 1)])
def test_the_command_checks_sources_and_makes_no_dataset(desk: Path, names: list[str], code: int) -> None:
    done = CliRunner().invoke(app, ["sources", "check", *names, "--json"])
    rows = json.loads(done.stdout)
    assert [row["source"] for row in rows] == (names or ["good", "gone", "lost"])
    assert [row["delivers"] for row in rows] == [row["source"] == "good" for row in rows]
    assert done.exit_code == code
    assert not (desk / "data").exists()


def test_the_tables_name_every_source(desk: Path) -> None:
    listed = CliRunner().invoke(app, ["sources"], env={"COLUMNS": "80"}).stdout
    checked = CliRunner().invoke(app, ["sources", "check"], env={"COLUMNS": "80"}).stdout
    for shown in (listed, checked):
        assert all(name in shown for name in ("good", "gone", "lost"))
    assert "never visited" in listed
    assert "The next run brings 1 new entry." in checked
