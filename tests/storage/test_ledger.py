"""The ledger remembers, and gives every claim to the first who makes it."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage.errors import LedgerError, SchemaVersionError, StoreNotWritableError
from storage.ledger import Ledger
from storage.records import (
    LEDGER_VERSION,
    TABLES,
    Archive,
    Attempt,
    FeedVisit,
    FileVisit,
    Host,
    RobotsVisit,
    Run,
    Visit,
)

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.xdist_group("postgresql"))])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database of its own, of each kind that a ledger is kept in."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    made: str = request.getfixturevalue("postgresql_url")
    return made


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    opened = Ledger.open(url)
    yield opened
    opened.close()


def visit(url: str, **changes: object) -> Visit:
    return Visit(**{"url": url, "source": "example", "input": url, "fetched_at": NOW, "outcome": "new"} | changes)  # type: ignore[arg-type]


def test_visits_are_remembered(ledger: Ledger) -> None:
    first = visit("https://news.example/a", etag='"1"', next_visit=NOW + timedelta(hours=6), page_offset=2**40)
    ledger.record_visits([first, visit("https://news.example/b", failures=3)])
    found = ledger.visits(["https://news.example/a", "https://news.example/none"])
    assert found == {"https://news.example/a": first}


def test_later_visit_takes_the_place_of_the_earlier(ledger: Ledger) -> None:
    ledger.record_visits([visit("https://news.example/a", outcome="rejected", reason="timeout")])
    ledger.record_visits([visit("https://news.example/a", outcome="unchanged")])
    assert ledger.visits(["https://news.example/a"])["https://news.example/a"] == visit(
        "https://news.example/a", outcome="unchanged"
    )


def test_thousands_at_a_time(ledger: Ledger) -> None:
    urls = [f"https://news.example/{number}" for number in range(3000)]
    ledger.record_visits(map(visit, urls))
    assert ledger.visits(urls) == {url: visit(url) for url in urls}


def test_instants_come_back_in_utc(ledger: Ledger) -> None:
    local = datetime.fromisoformat("2026-03-04T07:00:00.123456-05:00")
    ledger.record_feed_visits([FeedVisit(url="https://news.example/feed", fetched_at=local)])
    found = ledger.feed_visits(["https://news.example/feed"])["https://news.example/feed"].fetched_at
    assert (found, found.tzinfo) == (local, UTC)


def test_documents_are_known_by_source_and_path(ledger: Ledger) -> None:
    here, there = (FileVisit(source=name, input="a.html", sha256=name, outcome="new") for name in ("here", "there"))
    ledger.record_file_visits([here, there])
    assert ledger.file_visits("here", ["a.html", "b.html"]) == {"a.html": here}


# Hosts


def test_turns_at_a_host_keep_their_distance(ledger: Ledger) -> None:
    assert ledger.take("news.example", 5, NOW) == (
        True,
        Host(host="news.example", next_allowed=NOW + timedelta(seconds=5)),
    )
    is_taken, state = ledger.take("news.example", 5, NOW + timedelta(seconds=4))
    assert (is_taken, state.next_allowed) == (False, NOW + timedelta(seconds=5))
    assert ledger.take("news.example", 5, NOW + timedelta(seconds=5))[0]
    assert ledger.take("other.example", 5, NOW)[0]


def test_a_turn_that_lasts_is_held_until_it_is_released(ledger: Ledger) -> None:
    held, over = NOW + timedelta(seconds=4), NOW + timedelta(seconds=3)
    ledger.take("news.example", 1, NOW)
    ledger.hold("news.example", held)
    ledger.hold("news.example", NOW + timedelta(seconds=2))
    assert not ledger.take("news.example", 1, over)[0]
    ledger.release("news.example", NOW, NOW)
    assert not ledger.take("news.example", 1, over)[0]
    ledger.release("news.example", held, over)
    assert ledger.take("news.example", 1, over)[0]


def test_a_parked_host_is_left_alone_until_it_answers(ledger: Ledger) -> None:
    assert [ledger.count_failure("news.example", NOW) for _ in range(3)] == [1, 2, 3]
    ledger.park("news.example", NOW + timedelta(minutes=2), "429 Slow Down")
    ledger.park("news.example", NOW + timedelta(minutes=1), "reset")
    parked = Host(
        host="news.example",
        next_allowed=NOW,
        failures=3,
        parked_until=NOW + timedelta(minutes=2),
        parked_because="429 Slow Down",
    )
    assert ledger.take("news.example", 5, NOW) == (False, parked)
    assert ledger.hosts(["news.example", "other.example"]) == {"news.example": parked}
    assert ledger.take("news.example", 5, NOW + timedelta(minutes=2))[0]
    ledger.forgive("news.example")
    assert ledger.hosts(["news.example"])["news.example"] == Host(
        host="news.example", next_allowed=NOW + timedelta(minutes=2, seconds=5)
    )


def test_all_runs_share_a_host(url: str, ledger: Ledger) -> None:
    def ask() -> None:
        mine = Ledger.open(url)
        seconds = (second for second in range(30) if mine.take("news.example", 1, NOW + timedelta(seconds=second))[0])
        taken.extend(seconds)
        mine.close()

    taken: list[int] = []
    runs = [threading.Thread(target=ask) for _ in range(4)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert len(taken) == len(set(taken))
    assert 29 in taken


def test_answers_for_robots_are_kept(ledger: Ledger) -> None:
    ledger.record_robots("https://b.example", NOW - timedelta(days=1), text="")
    ledger.record_robots("https://b.example", NOW, trouble="503", reason="robots-unreachable")
    ledger.record_robots("https://a.example", NOW, text="User-agent: *\nDisallow: /x")
    assert ledger.robots(["https://a.example", "https://b.example", "https://c.example"]) == {
        "https://a.example": RobotsVisit(
            origin="https://a.example", fetched_at=NOW, text="User-agent: *\nDisallow: /x"
        ),
        "https://b.example": RobotsVisit(
            origin="https://b.example", fetched_at=NOW, trouble="503", reason="robots-unreachable"
        ),
    }


# What was attempted, and what was told


def test_attempts_are_known_by_source_and_day(ledger: Ledger) -> None:
    days = [date(2026, 3, day) for day in (1, 2, 3)]
    made = [Attempt(source="courier", day=day, run="r", started_at=NOW, inputs=day.day) for day in days]
    ledger.record_attempts([*made, replace(made[1], source="other")])
    ledger.record_attempts([replace(made[1], finished_at=NOW, articles=2)])
    assert ledger.attempts(["courier"], days[1], days[2]) == [replace(made[1], finished_at=NOW, articles=2), made[2]]


def test_first_attempts_are_told_by_source(ledger: Ledger) -> None:
    assert ledger.first_attempts() == {}
    for source, days_ago in (("courier", 2), ("courier", 9), ("gazette", 1)):
        made = Attempt(source=source, day=NOW.date(), run="r", started_at=NOW - timedelta(days=days_ago))
        ledger.record_attempts([replace(made, day=made.started_at.date())])
    assert ledger.first_attempts() == {
        "courier": NOW.date() - timedelta(days=9),
        "gazette": NOW.date() - timedelta(days=1),
    }


def test_note_tells_who_changed_it(ledger: Ledger) -> None:
    assert ledger.note("rules") is None
    assert [ledger.put_note("rules", value) for value in ("1", "1", "2")] == [True, False, True]
    assert ledger.note("rules") == "2"


# Runs and archives


def test_run_is_noted_from_start_to_finish(ledger: Ledger) -> None:
    ledger.start_run(Run(run="first", flow="ingest", started_at=NOW))
    ledger.start_run(Run(run="second", flow="ingest", started_at=NOW + timedelta(hours=1)))
    ledger.finish_run("first", NOW + timedelta(minutes=1), {"new": 3}, {"fetch": 1.5})
    assert ledger.runs() == [
        Run(run="second", flow="ingest", started_at=NOW + timedelta(hours=1)),
        Run(
            run="first",
            flow="ingest",
            started_at=NOW,
            finished_at=NOW + timedelta(minutes=1),
            counts={"new": 3},
            seconds={"fetch": 1.5},
        ),
    ]
    assert [run.run for run in ledger.runs(limit=1)] == ["second"]
    assert [run.run for run in ledger.runs_named("fir")] == ["first"]
    assert [run.run for run in ledger.unfinished_runs()] == ["second"]


def test_run_is_noted_with_what_its_sources_brought(ledger: Ledger) -> None:
    ledger.start_run(Run(run="first", flow="ingest", started_at=NOW, name="ingest a"))
    sources, corrections = {"a": {"new": 2}, "b": {"new": 1}}, {"a": {"space-before-comma": 7}}
    told = {"sources": sources, "corrections": corrections, "broken": ["volume: too little."]}
    ledger.finish_run("first", NOW, {"new": 3}, {}, **told)
    [run] = ledger.runs(flow="ingest")
    assert (run.name, run.sources, run.corrections, run.broken) == (
        "ingest a",
        sources,
        corrections,
        ("volume: too little.",),
    )
    assert ledger.runs(flow="backfill") == []


def test_run_that_failed_is_noted_with_its_cause(ledger: Ledger) -> None:
    for name in ("failed", "killed"):
        ledger.start_run(Run(run=name, flow="ingest", started_at=NOW))
    ledger.fail_run("failed", "The disk is full.", NOW + timedelta(minutes=1))
    ledger.fail_run("killed", "It was cut short.")
    killed, failed = ledger.runs()
    assert (failed.trouble, failed.finished_at) == ("The disk is full.", NOW + timedelta(minutes=1))
    assert (killed.trouble, killed.finished_at) == ("It was cut short.", None)
    assert ledger.unfinished_runs() == []


@pytest.mark.parametrize("others", [0, 30], ids=["few", "many"])
def test_runs_of_sources_are_found_whatever_they_are_called(ledger: Ledger, others: int) -> None:
    names = ["plain", "with%per_cent", 'a"quote', "back\\slash", "zeitung-\u00fc"]
    for number, name in enumerate(names):
        ledger.start_run(Run(run=name, flow="ingest", started_at=NOW + timedelta(hours=number)))
        ledger.finish_run(name, NOW, {}, {}, sources={name: {"new": 1}})
    wanted = [f"other-{number}" for number in range(others)]
    for name in names:
        assert [run.run for run in ledger.runs_of([name, *wanted], "ingest", NOW)] == [name]
    assert [run.run for run in ledger.runs_of(names, "ingest", NOW + timedelta(hours=3))] == names[:2:-1]
    assert ledger.runs_of(["plai"], "ingest", NOW) == ledger.runs_of([], "ingest", NOW) == []
    assert ledger.runs_of(names, "backfill", NOW) == []


def test_archives_are_listed_by_run(ledger: Ledger) -> None:
    archives = [Archive(file=f"{run}.warc.gz", run=run, records=1, size=100) for run in ("a", "b")]
    ledger.record_archives(archives)
    assert ledger.archives() == archives
    assert ledger.archives(run="b") == archives[1:]


# Claims


def test_first_claim_holds(ledger: Ledger) -> None:
    first, second = date(2026, 3, 1), date(2026, 3, 2)
    assert ledger.place("articles", {"a": first}) == {"a": first}
    assert ledger.place("articles", {"a": second, "b": second}) == {"a": first, "b": second}
    assert ledger.place("rejections", {"a": second}) == {"a": second}
    assert ledger.places("articles", ["a", "none"]) == {"a": first}
    ledger.displace("articles", ["a"])
    assert ledger.places("articles", ["a", "b"]) == {"b": second}


def test_url_keeps_its_identity(ledger: Ledger) -> None:
    assert ledger.identify({"https://news.example/a": "one"}) == {"https://news.example/a": "one"}
    assert ledger.identify({"https://news.example/a": "two"}) == {"https://news.example/a": "one"}


def test_keys_that_were_shifted_lie_elsewhere(ledger: Ledger) -> None:
    first, second = date(2026, 3, 1), date(2026, 3, 2)
    ledger.place("articles", {"a": first, "b": first})
    before = ledger.shifts()
    ledger.shift("articles", second, ["a"])
    assert ledger.placed("articles") == {"a": second, "b": first}
    assert ledger.shifts() > before


def test_claims_in_opposite_orders_do_not_block_each_other(url: str, ledger: Ledger) -> None:
    def claim(names: list[str]) -> None:
        mine = Ledger.open(url)
        for start in range(0, 300, 100):
            mine.place("articles", dict.fromkeys(names[start : start + 100], NOW.date()))
            mine.record_visits(map(visit, names))
            done.append(start)
        mine.close()

    done: list[int] = []
    names = [f"https://news.example/{number}" for number in range(300)]
    runs = [threading.Thread(target=claim, args=(each,)) for each in (names, names[::-1])]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert len(done) == 6
    assert set(ledger.placed("articles")) == set(names)


# What runs that were cut short left


def test_pages_that_nothing_has_become_of_are_found(ledger: Ledger) -> None:
    waiting = [visit(f"https://news.example/{name}", outcome="archived") for name in "ba"]
    ledger.record_visits(
        [
            *waiting,
            visit("https://news.example/c"),
            visit("https://other.example/a", source="other", outcome="archived"),
        ]
    )
    assert ledger.arrived("archived", ["example"]) == waiting[::-1]
    assert ledger.arrived("archived", []) == []


def test_article_is_forgotten_by_every_table(ledger: Ledger) -> None:
    kept, gone = "https://news.example/kept", "https://news.example/gone"
    ledger.identify({kept: "kept", gone: "gone"})
    ledger.record_visits([visit(kept, article_id="kept"), visit(gone, article_id="gone")])
    ledger.record_file_visits([FileVisit(source="disk", input="gone", sha256="0", outcome="new", article_id="gone")])
    assert [found.url for found in ledger.visits_of(["gone"])] == ledger.urls_of(["gone"]) == [gone]
    ledger.forget_articles(["gone"])
    assert (ledger.visits([kept, gone]).keys(), ledger.identified()) == ({kept}, {kept: "kept"})
    assert ledger.file_visits("disk", ["gone"]) == {}
    ledger.drop_visits([kept])
    ledger.drop_identities([kept])
    assert (ledger.visits([kept]), ledger.identified()) == ({}, {})


def test_readings_of_documents_are_found_by_their_articles(ledger: Ledger) -> None:
    read = FileVisit(
        source="disk", input="a.txt", sha256="0", outcome="new", article_id="a", page_file="x", page_offset=2**40
    )
    ledger.record_file_visits([read, replace(read, input="b.txt", article_id="b", hints='{"title": "B"}')])
    assert ledger.file_visits_of(["a", "c"]) == [read]


def test_places_are_counted_by_day(ledger: Ledger) -> None:
    first, second = date(2026, 3, 1), date(2026, 3, 2)
    ledger.place("articles", {"a": first, "b": first, "c": second})
    ledger.place("rejections", {"d": first})
    assert ledger.placed_by_day("articles") == {first: 2, second: 1}
    assert ledger.placed_on("articles", first) == {"a", "b"}


def test_a_compacted_ledger_holds_what_it_held(ledger: Ledger) -> None:
    seen = visit("https://news.example/a")
    ledger.record_visits([seen])
    assert ledger.compact()
    assert ledger.visits([seen.url]) == {seen.url: seen}


def test_a_ledger_in_use_is_not_compacted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.database._PATIENCE", 50)
    first, second = (Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}") for _ in range(2))
    with first._writing():
        assert not second.compact()
    assert second.compact()
    first.close()
    second.close()


# Versions


_AS_IN_VERSION_2 = (
    *(f"DROP TABLE {name}" for name in ("robots", "attempts", "notes")),
    *(
        f"ALTER TABLE feeds DROP COLUMN {name}"
        for name in ("source", "entries", "newest", "changed_at", "gap_seconds", "kind", "answer", "detail")
    ),
    "DROP INDEX ix_files_article_id",
    "ALTER TABLE urls DROP COLUMN hints",
    *(f"ALTER TABLE files DROP COLUMN {name}" for name in ("page_file", "page_offset", "hints")),
    *(f"ALTER TABLE hosts DROP COLUMN {name}" for name in ("failures", "parked_until", "parked_because")),
    *(f"ALTER TABLE runs DROP COLUMN {name}" for name in ("name", "corrections", "broken", "sources", "trouble")),
)


def test_ledger_of_an_older_version_is_lifted(url: str) -> None:
    made = Ledger.open(url)
    made.record_visits([visit("https://news.example/a", outcome="archived")])
    made.close()
    execute(
        url, "DROP INDEX ix_urls_outcome", *_AS_IN_VERSION_2, "UPDATE ledger SET value = '1' WHERE name = 'version'"
    )
    for _ in range(2):
        lifted = Ledger.open(url)
        assert [found.url for found in lifted.arrived("archived", ["example"])] == ["https://news.example/a"]
        assert {"ix_urls_outcome", "ix_urls_article_id"} <= {
            index["name"] for index in sa.inspect(lifted.engine).get_indexes("urls")
        }
        for table in TABLES.sorted_tables:
            columns = {column["name"] for column in sa.inspect(lifted.engine).get_columns(table.name)}
            assert columns == set(table.columns.keys()), table.name
        lifted.close()
    assert execute(url, "SELECT value FROM ledger WHERE name = 'version'") == [(str(LEDGER_VERSION),)]


def test_ledger_that_many_open_at_once_is_made_once(url: str) -> None:
    def open_and_close() -> None:
        opened = Ledger.open(url)
        versions.extend(execute(url, "SELECT value FROM ledger WHERE name = 'version'"))
        opened.close()

    versions: list[object] = []
    runs = [threading.Thread(target=open_and_close) for _ in range(4)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert versions == [(str(LEDGER_VERSION),)] * 4


@pytest.mark.parametrize("version", ["0", "99"])
def test_ledger_of_an_unknown_version_is_refused(url: str, version: str) -> None:
    Ledger.open(url).close()
    execute(url, f"UPDATE ledger SET value = '{version}' WHERE name = 'version'")
    with pytest.raises(SchemaVersionError, match=f"schema version {version}, and this copydesk knows {LEDGER_VERSION}"):
        Ledger.open(url)
    assert execute(url, "SELECT value FROM ledger WHERE name = 'version'") == [(version,)]


def execute(url: str, *statements: str) -> list[object]:
    """Execute statements behind the ledger's back, and return the rows of the last."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        results = [connection.exec_driver_sql(statement) for statement in statements]
        rows = [tuple(row) for row in results[-1]] if results[-1].returns_rows else []
    engine.dispose()
    return [*rows]


@pytest.mark.xdist_group("postgresql")
def test_plain_address_of_a_database_finds_its_driver(postgresql_url: str) -> None:
    opened = Ledger.open(postgresql_url.replace("postgresql+psycopg:", "postgresql:"))
    assert opened.engine.driver == "psycopg"
    opened.close()


# Trouble


def test_database_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="the ledger's database answers: connection"):
        Ledger.open(f"postgresql+psycopg://desk@/ledger?host={tmp_path}")


def test_ledger_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreNotWritableError, match=r"none/ledger\.sqlite: the ledger cannot be opened"):
        Ledger.open(f"sqlite:///{tmp_path / 'none' / 'ledger.sqlite'}")


def test_file_that_is_no_ledger_is_named(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"This is not a database." * 100)
    with pytest.raises(LedgerError, match=r"ledger\.sqlite: the ledger's database answers: file is not a database"):
        Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}")


def test_password_of_a_database_is_not_told() -> None:
    with pytest.raises(LedgerError, match=r"nodriver://desk:\*\*\*@") as caught:
        Ledger.open("postgresql+nodriver://desk:secret@127.0.0.1/ledger")
    assert "secret" not in str(caught.value)
