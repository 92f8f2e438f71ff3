"""Housekeeping: older files are lifted, redated rows move, gone pages are marked, what is forgotten leaves no trace."""

import gzip
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from storage import read
from storage.blocklist import Blocklist
from storage.commit import publish_derived
from storage.errors import SchemaVersionError
from storage.partition import schema_of
from storage.records import FileVisit, Visit
from storage.repair import repair
from storage.schema import (
    ADDED,
    ARTICLE_STORIES,
    ARTICLES,
    ARTICLES_DATASET,
    DATASETS,
    SCHEMA_VERSION,
    VERSION_KEY,
    added_since,
)
from storage.upkeep import finish, forget, mark_gone, migrate, move_corrected
from storage.verify import Kind, verify
from tests.storage.conftest import of_version
from tests.storage.dying import DiedError, die_at

Make = Callable[..., dict[str, Any]]

MARCH_1 = date(2026, 3, 1)
FEBRUARY = datetime(2026, 2, 7, 12, tzinfo=UTC)
FEBRUARY_7 = FEBRUARY.date()
LATER = datetime(2026, 3, 9, tzinfo=UTC)


def days(desk: Any) -> dict[str, date]:
    """Return where each article lies, as a reader sees it."""
    table = read.articles(desk.root, columns=["article_id", "published_date"])
    assert table.num_rows == len(pc.unique(table["article_id"]))
    return dict(zip(*(column.to_pylist() for column in table.columns), strict=True))


def troubles(desk: Any) -> set[str]:
    """Return what is wrong with a store, besides that its articles point to pages nobody archived."""
    return {finding.kind for finding in verify(desk.store).findings} - {Kind.MISSING_PAGE}


# Schema versions


def grow_old(desk: Any, *partitions: date) -> None:
    """Make files what an earlier version would have written, and have the manifest know them so."""
    for day in partitions:
        path = desk.root / ARTICLES_DATASET.path(day)
        pq.write_table(of_version("1", pq.ParquetFile(path).read()), path)
    for path in (desk.root / "state" / "manifest").iterdir():
        path.unlink()


@pytest.fixture
def aged(desk: Any, article: Make) -> Any:
    """A store with a partition of today and an older one."""
    desk.commit([article("a"), article("b", published_at=FEBRUARY)])
    grow_old(desk, FEBRUARY_7)
    return desk


def test_every_added_column_may_be_null() -> None:
    for added in ADDED.values():
        for name, columns in added.items():
            assert all(DATASETS[name].schema.field(column).nullable for column in columns)


def test_older_and_newer_partitions_are_read_together(aged: Any) -> None:
    table = read.articles(aged.root)
    assert table.schema.equals(ARTICLES_DATASET.partitioned)
    assert table["gone_at"].to_pylist() == [None, None]
    rows = read.connect(aged.root).execute("SELECT article_id, gone_at FROM articles ORDER BY ALL").fetchall()
    assert rows == [("a", None), ("b", None)]


def test_commit_goes_on_over_older_partitions(aged: Any, article: Make) -> None:
    aged.commit([article("c", published_at=FEBRUARY)])
    assert schema_of(aged.store.files, ARTICLES_DATASET, FEBRUARY_7) == SCHEMA_VERSION
    assert sorted(days(aged)) == ["a", "b", "c"]
    assert read.articles(aged.root, columns=["captions"], filter=pc.field("article_id") == "b").to_pylist() == [
        {"captions": None}
    ]


def test_article_that_comes_again_fills_what_its_older_row_lacks(aged: Any, article: Make) -> None:
    wanted = pc.field("article_id") == "b"
    (before,) = read.articles(aged.root, filter=wanted).to_pylist()
    again = aged.commit([article("b", published_at=FEBRUARY)])
    (after,) = read.articles(aged.root, filter=wanted).to_pylist()
    assert again.counts == {"unchanged": 1}
    assert before["blocks"] is None
    assert len(after["blocks"]) == 2
    assert (after["revision"], after["updated_at"]) == (before["revision"], before["updated_at"])
    snapshot = aged.snapshot()
    assert aged.commit([article("b", published_at=FEBRUARY)]).counts == {"unchanged": 1}
    assert aged.snapshot()[ARTICLES_DATASET.path(FEBRUARY_7)] == snapshot[ARTICLES_DATASET.path(FEBRUARY_7)]


def test_migration_lifts_older_partitions_once(aged: Any) -> None:
    before = aged.snapshot()
    rows = read.articles(aged.root)
    assert Kind.OLD_VERSION in troubles(aged)
    assert migrate(aged.store, LATER).partitions == (("articles", FEBRUARY_7),)
    file = pq.ParquetFile(aged.root / ARTICLES_DATASET.path(FEBRUARY_7))
    schema = file.schema_arrow
    assert schema.with_metadata(ARTICLES.metadata).equals(ARTICLES, check_metadata=True)
    assert ARTICLES.metadata.items() <= schema.metadata.items()
    assert read.articles(aged.root).equals(rows)
    changed = {path for path, seen in aged.snapshot().items() if seen != before[path]}
    assert changed == {ARTICLES_DATASET.path(FEBRUARY_7)}
    assert migrate(aged.store, LATER).partitions == ()


def test_newer_version_is_refused_before_anything_is_touched(aged: Any) -> None:
    path = aged.root / ARTICLES_DATASET.path(MARCH_1)
    table = pq.ParquetFile(path).read()
    pq.write_table(table.replace_schema_metadata({VERSION_KEY: b"4"}), path)
    before = aged.snapshot()
    with pytest.raises(SchemaVersionError, match=r"2026-03-01/part-000\.parquet: this file has schema version 4, and"):
        migrate(aged.store, LATER)
    assert aged.snapshot() == before


def test_version_nobody_knows_lacks_nothing_that_can_be_told() -> None:
    with pytest.raises(ValueError, match="not in"):
        added_since(ARTICLES_DATASET, "none")


# Corrected dates


def test_article_moves_to_its_corrected_day_with_all_that_follows(desk: Any, article: Make) -> None:
    desk.commit([article("a"), article("b"), article("c", published_at=FEBRUARY)])
    desk.commit([article("a", published_at=FEBRUARY)])
    tell_stories(desk, {MARCH_1: ["a", "b"], FEBRUARY_7: ["c"]})
    assert days(desk) == {"a": MARCH_1, "b": MARCH_1, "c": FEBRUARY_7}
    moved = move_corrected(desk.store, LATER)
    assert (moved.articles, moved.partitions) == (1, (FEBRUARY_7, MARCH_1))
    assert days(desk) == {"a": FEBRUARY_7, "b": MARCH_1, "c": FEBRUARY_7}
    for name in ("fingerprints", "article_stories", "article_topics", "article_artifacts"):
        table = read.table(DATASETS[name], desk.root, columns=["article_id", "published_date"])
        assert {row["article_id"]: row["published_date"] for row in table.to_pylist()} == days(desk), name
    assert troubles(desk) == set()
    before = desk.snapshot()
    assert move_corrected(desk.store, LATER).articles == 0
    assert desk.snapshot() == before
    assert desk.commit([article("a", published_at=FEBRUARY)]).counts == {"unchanged": 1}


def tell_stories(desk: Any, told: dict[date, list[str]], original: str | None = None) -> None:
    def row(name: str) -> dict[str, Any]:
        repeats = original if original not in (None, name) else None
        return {
            "article_id": name,
            "story_id": repeats or name,
            "is_original": repeats is None,
            "duplicate_of": repeats,
            "similarity": 0.9 if repeats else None,
        }

    tables = {day: pa.Table.from_pylist(list(map(row, names)), ARTICLE_STORIES) for day, names in told.items()}
    publish_derived(desk.store, "article_stories", tables, run="stories", now=LATER)


@pytest.mark.parametrize("damaged", [MARCH_1, FEBRUARY_7])
def test_damaged_day_keeps_its_articles_and_those_of_other_days_move(desk: Any, article: Make, damaged: date) -> None:
    other = {"published_at": datetime(2026, 3, 9, tzinfo=UTC)}
    desk.commit([article("a"), article("c", published_at=FEBRUARY), article("d", **other)])
    desk.commit([article("a", published_at=FEBRUARY), article("d", published_at=datetime(2026, 3, 10, tzinfo=UTC))])
    file = desk.root / f"articles/published_date={damaged}/part-000.parquet"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    assert move_corrected(desk.store, LATER).articles == 1
    assert any(finding.path.endswith(f"{damaged}/part-000.parquet") for finding in verify(desk.store).findings)
    file.write_bytes(whole)
    assert days(desk) == {"a": MARCH_1, "c": FEBRUARY_7, "d": date(2026, 3, 10)}
    assert move_corrected(desk.store, LATER).articles == 1


def test_date_that_is_only_a_guess_moves_nothing(desk: Any, article: Make) -> None:
    desk.commit([article("a")])
    desk.commit([article("a", published_at=FEBRUARY, published_precision="fetched")])
    assert move_corrected(desk.store, LATER).articles == 0


def test_row_moved_while_a_commit_waits_is_not_written_to_its_old_place(
    desk: Any, article: Make, monkeypatch: pytest.MonkeyPatch, noon: datetime
) -> None:
    desk.commit([article("a"), article("b")])
    desk.commit([article("a", published_at=FEBRUARY)])
    place = desk.store.ledger.place
    moves: list[Any] = []

    def place_then_move(*said: Any) -> Any:
        places = place(*said)
        if not moves and "a" in places:
            moves.append(move_corrected(desk.store, LATER))
        return places

    monkeypatch.setattr("storage.ledger.Ledger.place", lambda _, *said: place_then_move(*said))
    fresh = article("a", published_at=FEBRUARY, title="Another", fetched_at=noon + timedelta(hours=5))
    committed = desk.commit([fresh, article("b")])
    assert committed.counts == {"updated": 1, "unchanged": 1}
    assert days(desk) == {"a": FEBRUARY_7, "b": MARCH_1}
    assert troubles(desk) == set()


# Gone pages


def test_gone_page_is_marked_and_its_article_stays(desk: Any, article: Make, noon: datetime) -> None:
    desk.commit([article("a"), article("b")])
    gone = noon + timedelta(days=1)
    marked = mark_gone(desk.store, {"a": gone, "nobody": gone}, LATER)
    assert (marked.articles, marked.partitions) == (1, (MARCH_1,))
    a, b = read.articles(desk.root).to_pylist()
    assert (a["gone_at"], a["revision"], a["updated_at"], b["gone_at"]) == (gone, 1, a["first_seen_at"], None)
    assert mark_gone(desk.store, {"a": gone + timedelta(days=1)}, LATER).articles == 0
    assert desk.commit([article("a")]).counts == {"unchanged": 1}
    assert read.articles(desk.root)["gone_at"].to_pylist() == [gone, None]
    assert troubles(desk) == set()


def test_mark_goes_when_the_page_answers_again(desk: Any, article: Make, noon: datetime) -> None:
    desk.commit([article("a"), article("b")])
    gone, back = noon + timedelta(days=1), noon + timedelta(days=2)
    mark_gone(desk.store, dict.fromkeys("ab", gone), LATER)
    assert mark_gone(desk.store, {"a": None}, LATER).articles == 1
    assert desk.commit([article("b", fetched_at=back)]).counts == {"unchanged": 1}
    rows = read.articles(desk.root, columns=["gone_at", "revision", "fetched_at"]).to_pylist()
    assert rows == [
        {"gone_at": None, "revision": 1, "fetched_at": noon},
        {"gone_at": None, "revision": 1, "fetched_at": back},
    ]
    assert mark_gone(desk.store, {"b": gone}, LATER).articles == 0  # it has been fetched since


# Forgetting


@pytest.fixture
def full(desk: Any, article: Make, rejection: Make, noon: datetime) -> Any:
    """A store where the article `secret` has left its trace everywhere."""
    with desk.store.pages.writer("batch", noon.date()) as pages:
        places = {
            name: pages.write_response(
                f"https://news.example/{name}", noon, 200, "OK", [], f"Page of {name}.".encode() * 40
            )
            for name in ("earlier-secret", "secret", "kept", "x")
        }
        places["again"] = pages.write_response("https://news.example/secret", noon, 200, "OK", [], b"secret, again")
    page = {name: {"file": file, "offset": offset, "sha256": "00"} for name, (file, offset) in places.items()}
    desk.commit(
        [article("secret", page=page["secret"]), article("kept", page=page["kept"])],
        [rejection("secret", source="other", page=page["again"]), rejection("x", page=page["x"])],
    )
    desk.store.ledger.record_visits(
        [
            Visit(
                url=url, source="example", input=url, fetched_at=noon, outcome="new",
                article_id=name, page_file=places[name][0], page_offset=places[name][1],
            )
            for name in ("secret", "kept")
            for url in [f"https://news.example/{name}"]
        ]
    )  # fmt: skip
    desk.store.ledger.record_file_visits(
        [FileVisit(source="disk", input="s.html", sha256="0", outcome="new", article_id="secret")]
    )
    tell_stories(desk, {MARCH_1: ["secret", "kept"]}, original="secret")
    return desk


@pytest.mark.parametrize("how", [{"url": "https://news.example/secret"}, {"article_id": "secret"}], ids=["url", "id"])
def test_forgotten_article_leaves_no_trace(full: Any, article: Make, how: dict[str, str]) -> None:
    full.stage("dead", [article("secret", page=None), article("new", page=None)])
    forgotten = forget(full.store, **how, now=LATER)
    assert (forgotten.articles, forgotten.rejections, forgotten.pages, forgotten.stories) == (1, 1, 2, (MARCH_1,))
    assert list(days(full)) == ["kept"]
    assert full.store.staging.read(full.store.staging.runs()["dead"][0])["article_id"].to_pylist() == ["new"]
    assert found_in_files(full.root, b"example/secret") == []
    assert full.store.pages.read(*page_of(full, "kept")).payload == b"Page of kept." * 40
    assert full.store.ledger.identified() == {"https://news.example/kept": "kept"}
    assert troubles(full) == {Kind.UNFINISHED, Kind.OUT_OF_STEP}  # a dead run, and stories to be told again


def page_of(desk: Any, name: str) -> tuple[str, int]:
    rows = read.articles(desk.root, columns=["article_id", "page"]).to_pylist()
    (page,) = (row["page"] for row in rows if row["article_id"] == name)
    return page["file"], page["offset"]


def found_in_files(root: Path, what: bytes) -> list[str]:
    """Return the files that hold these bytes, unpacked as far as each kind of file can be."""
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return [path.relative_to(root).as_posix() for path in files if what in unpacked(path)]


def unpacked(path: Path) -> bytes:
    match path.suffix:
        case ".parquet":
            return str(pq.ParquetFile(path).read().to_pylist()).encode()
        case ".arrow":
            return str(pa.ipc.open_file(path.read_bytes()).read_all().to_pylist()).encode()
        case ".gz":
            return gzip.decompress(path.read_bytes())
        case ".sqlite" | ".sqlite-wal" | ".sqlite-shm":
            return b""
        case _:
            return path.read_bytes()


def test_forgotten_article_does_not_come_back(full: Any, article: Make, rejection: Make) -> None:
    forget(full.store, url="https://news.example/secret", now=LATER)
    committed = full.commit(
        [article("secret", page=None), article("other", input="https://news.example/secret"), article("c", page=None)],
        [rejection("secret"), rejection("y")],
    )
    assert committed.counts == {"skipped": 3, "new": 1, "rejected": 1}
    assert sorted(days(full)) == ["c", "kept"]
    assert Blocklist.of(full.store.files).covers("https://news.example/secret")
    assert not Blocklist.of(full.store.files).covers("https://news.example/kept", None)
    assert b"news.example" not in (full.root / "state" / "forgotten.txt").read_bytes()


def test_address_that_was_never_seen_is_kept_out(desk: Any, article: Make) -> None:
    assert not forget(desk.store, url="https://news.example/a", now=LATER)
    assert desk.commit([article("a"), article("b")]).counts == {"skipped": 1, "new": 1}


# Killed and completed


CHORES: dict[str, Callable[[Any], object]] = {
    "migrate": lambda desk: migrate(desk.store, LATER),
    "move": lambda desk: move_corrected(desk.store, LATER),
    "gone": lambda desk: mark_gone(desk.store, {"kept": LATER}, LATER),
    "forget": lambda desk: forget(desk.store, article_id="secret", now=LATER),
    "stories": lambda desk: tell_stories(desk, {MARCH_1: ["secret", "kept"]}),
}


def content(desk: Any) -> dict[str, str]:
    return {name: str(read.table(dataset, desk.root).to_pylist()) for name, dataset in DATASETS.items()}


@pytest.mark.parametrize("name", CHORES)
def test_chore_that_dies_at_any_step_is_completed_by_whoever_comes_next(
    full: Any, article: Make, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.fsync", lambda _: None)
    if name == "move":
        full.commit([article("kept", published_at=FEBRUARY, page=None)])
    if name == "migrate":
        grow_old(full, MARCH_1)
        adopt_all(full)
    step, died, deaths = 0, True, 0
    ends: list[dict[str, str]] = []
    while died:
        root = tmp_path / f"step-{step}"
        shutil.copytree(full.root, root)
        desk = type(full)(root)
        with monkeypatch.context() as patched:
            die_at(step, patched.setattr)
            try:
                CHORES[name](desk)
                died = False
            except DiedError:
                deaths += 1
        assert {*read.articles(root)["article_id"].to_pylist()} <= {"secret", "kept"}
        finish(desk.store)
        if name != "stories":
            CHORES[name](desk)
        ends.append(content(desk))
        assert ends[0] == ends[-1] or name == "stories", step
        assert troubles(desk) <= {Kind.OUT_OF_STEP}, step  # stories that are to be told again
        desk.store.close()
        step += 1
    assert deaths >= 4


def adopt_all(desk: Any) -> None:
    """Have the manifest know every file as it is."""
    verdict = verify(desk.store)
    unrecorded = tuple(each for each in verdict.findings if each.kind is Kind.UNRECORDED_FILE)
    repair(desk.store, replace(verdict, findings=unrecorded), LATER)


def test_commit_completes_what_died_before_it(
    full: Any, article: Make, monkeypatch: pytest.MonkeyPatch, noon: datetime
) -> None:
    full.commit([article("kept", published_at=FEBRUARY, page=None)])
    with monkeypatch.context() as patched:
        die_at(3, patched.setattr)
        with pytest.raises(DiedError):
            move_corrected(full.store, LATER)
    fresh = article("kept", published_at=FEBRUARY, title="Another", fetched_at=noon + timedelta(hours=1))
    assert full.commit([fresh]).counts == {"updated": 1}
    assert days(full)["kept"] == FEBRUARY_7
