"""A sound store is called sound; every way to spoil one is told, and what can be made again is."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from storage import intent, read, untold
from storage import verify as verifying
from storage.commit import commit, publish_derived
from storage.partition import encode
from storage.records import Visit
from storage.repair import put_fingerprints, repair
from storage.schema import (
    ARTICLE_ARTIFACTS_DATASET,
    ARTICLE_STORIES,
    ARTICLE_STORIES_DATASET,
    ARTICLE_TOPICS_DATASET,
    ARTICLES_DATASET,
    FINGERPRINTS_DATASET,
    REJECTIONS_DATASET,
    SCHEMA_VERSION,
)
from storage.verify import Kind, verify

MARCH_1 = date(2026, 3, 1)
FEBRUARY = datetime(2026, 2, 7, 12, tzinfo=UTC)
LATER = datetime(2026, 3, 9, tzinfo=UTC)
ARTICLES_PATH = ARTICLES_DATASET.path(MARCH_1)


@pytest.fixture
def filled(desk: Any, article: Any, rejection: Any, noon: datetime) -> Any:
    """A store with two days, an archive, stories and a rejection: sound in every part."""
    with desk.store.pages.writer("batch", noon.date()) as pages:
        places = [
            pages.write_response(f"https://news.example/{name}", noon, 200, "OK", [], name.encode()) for name in "abcx"
        ]
    page = [{"file": file, "offset": offset, "sha256": "00"} for file, offset in places]
    desk.commit(
        [article("a", page=page[0]), article("b", page=page[1]), article("c", page=page[2], published_at=FEBRUARY)],
        [rejection("x", page=page[3])],
    )
    desk.commit([article("a", page=page[0], title="Another", fetched_at=noon + timedelta(hours=1))])
    desk.store.ledger.record_visits(
        [
            Visit(
                url=f"https://news.example/{name}", source="example", input=f"https://news.example/{name}",
                fetched_at=noon, outcome="new", article_id=name, page_file=file, page_offset=offset,
            )
            for name, (file, offset) in zip("abc", places, strict=False)
        ]
    )  # fmt: skip
    stories = {
        day: pa.Table.from_pylist([told(name) for name in names], ARTICLE_STORIES)
        for day, names in ((MARCH_1, "ab"), (FEBRUARY.date(), "c"))
    }
    publish_derived(desk.store, "article_stories", stories, run="stories", now=noon)
    return desk


def told(name: str) -> dict[str, Any]:
    return {"article_id": name, "story_id": name, "is_original": True, "duplicate_of": None, "similarity": None}


def kinds(desk: Any) -> list[str]:
    return sorted(finding.kind for finding in verify(desk.store).findings)


def rewrite(desk: Any, path: str, change: Callable[[pa.Table], pa.Table]) -> None:
    """Change a file as another program would: the rows and the bytes, not the manifest."""
    table = pq.ParquetFile(desk.root / path).read()
    pq.write_table(change(table), desk.root / path)


def test_sound_store_is_clean(filled: Any) -> None:
    verdict = verify(filled.store)
    assert verdict.findings == ()
    assert verdict.clean
    assert (verdict.partitions, verdict.articles, verdict.records, verdict.under_way) == (11, 3, 5, ())


def test_empty_store_is_clean(desk: Any) -> None:
    assert verify(desk.store).clean


def test_verdict_is_told_as_json(filled: Any) -> None:
    (filled.root / ARTICLES_PATH).unlink()
    said = json.loads(verify(filled.store).to_json())
    assert said["clean"] is False
    assert {
        "kind": "missing-file",
        "path": ARTICLES_PATH,
        "detail": "the manifest knows 2 rows here, and there is no file",
        "repairable": False,
        "dataset": "articles",
        "partition": "2026-03-01",
        "by_caller": False,
    } in said["findings"]


# What can only be said


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 0xFF
    path.write_bytes(content)


def test_damaged_file_is_told(filled: Any) -> None:
    flip(filled.root / ARTICLES_PATH, 200)
    assert Kind.DAMAGED_FILE in kinds(filled)


def test_changed_bytes_are_told(filled: Any) -> None:
    rewrite(filled, ARTICLES_PATH, lambda table: table)
    assert kinds(filled) == [Kind.CHANGED_BYTES]


def test_older_file_in_the_place_of_the_last_is_told(filled: Any, article: Any, noon: datetime) -> None:
    path = filled.root / ARTICLES_PATH
    before = path.read_bytes()
    filled.commit([article("a", title="A third", fetched_at=noon + timedelta(hours=2))])
    path.write_bytes(before)
    assert kinds(filled) == [Kind.CHANGED_BYTES]


def test_lost_rows_are_told(filled: Any) -> None:
    rewrite(filled, ARTICLES_PATH, lambda table: table.slice(1))
    (found,) = verify(filled.store).findings
    assert (found.kind, found.detail) == (Kind.LOST_ROWS, "has 1 rows of 2. Restore it from a copy")


def test_double_id_is_told(filled: Any) -> None:
    rewrite(filled, ARTICLES_PATH, lambda table: pa.concat_tables([table, table.slice(0, 1)]))
    assert kinds(filled) == [Kind.CHANGED_BYTES, Kind.DUPLICATE_KEY]


def test_id_in_two_partitions_is_told(filled: Any) -> None:
    other = ARTICLES_DATASET.path(FEBRUARY.date())
    taken = pq.ParquetFile(filled.root / ARTICLES_PATH).read().slice(0, 1)
    rewrite(filled, other, lambda table: pa.concat_tables([taken, table]))
    (found,) = (each for each in verify(filled.store).findings if each.kind is Kind.TWO_PARTITIONS)
    assert found.detail == f"a lies here and in {other}"
    assert not found.repairable


def test_key_in_two_partitions_of_rejections_is_told(filled: Any, noon: datetime) -> None:
    rows = pq.ParquetFile(filled.root / REJECTIONS_DATASET.path(noon.date())).read()
    other = date(2026, 3, 7)
    filled.store.files.publish(REJECTIONS_DATASET.path(other), encode(REJECTIONS_DATASET, rows))
    (found,) = (each for each in verify(filled.store).findings if each.kind is Kind.TWO_PARTITIONS)
    assert found.path == REJECTIONS_DATASET.path(other)
    assert found.detail == (f"example https://news.example/x lies here and in {REJECTIONS_DATASET.path(noon.date())}")


def test_unknown_version_is_told(filled: Any) -> None:
    rewrite(filled, ARTICLES_PATH, lambda table: table.replace_schema_metadata({b"copydesk.schema": b"99"}))
    (found,) = (each for each in verify(filled.store).findings if each.kind is Kind.UNKNOWN_VERSION)
    assert "schema version 99" in found.detail


def test_damaged_and_missing_pages_are_told(filled: Any) -> None:
    (file,) = filled.store.pages.list()
    *_, last = filled.store.pages.records(file)
    path = filled.root / "pages" / file
    path.write_bytes(path.read_bytes()[: last.offset + 30])
    assert kinds(filled) == [Kind.DAMAGED_PAGE]
    path.write_bytes(path.read_bytes()[: last.offset])
    (found,) = verify(filled.store).findings
    assert (found.kind, found.path) == (Kind.MISSING_PAGE, REJECTIONS_DATASET.path(date(2026, 3, 4)))
    assert verify(filled.store, pages=False).clean


def test_run_that_was_cut_short_is_told_and_a_living_one_is_not(filled: Any, article: Any) -> None:
    filled.stage("dead", [article("d")])
    with filled.store.files.lock("run-dead"):
        verdict = verify(filled.store)
    assert (verdict.findings, verdict.under_way) == ((), ("dead",))
    (found,) = verify(filled.store).findings
    assert (found.kind, found.repairable) == (Kind.UNFINISHED, False)
    assert "its next run completes it: 1 batches are staged" in found.detail


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda table: table.set_column(
                table.schema.get_field_index("word_count"), "word_count", table["word_count"].cast(pa.string())
            ),
            "has the column word_count as string, not as int32",
        ),
        (lambda table: table.append_column("extra", pa.nulls(len(table))), "has the column extra"),
        (lambda table: table.drop_columns(["title"]), "lacks the column title"),
        (
            lambda table: table.cast(
                pa.schema([each.with_nullable(True) for each in table.schema], table.schema.metadata)
            ),
            "has the column article_id with null allowed",
        ),
    ],
    ids=["type", "extra", "lacking", "nullable"],
)
def test_wrong_schema_is_told_and_not_recorded(filled: Any, change: Callable[[pa.Table], pa.Table], says: str) -> None:
    rewrite(filled, ARTICLES_PATH, change)
    for path in (filled.root / "state" / "manifest").iterdir():
        path.unlink()
    verdict = verify(filled.store)
    (found,) = (each for each in verdict.findings if each.kind is Kind.WRONG_SCHEMA)
    assert (found.path, found.repairable) == (ARTICLES_PATH, False)
    assert f"this file {says}, unlike schema version {SCHEMA_VERSION}." in found.detail
    assert repair(filled.store, verdict, LATER).findings == (found,)


# What a copy restores


def lose(path: Path) -> None:
    path.unlink()


def break_(path: Path) -> None:
    flip(path, 200)


def double(path: Path) -> None:
    table = pq.ParquetFile(path).read()
    pq.write_table(pa.concat_tables([table, table.slice(0, 1)]), path)


def shorten(path: Path) -> None:
    pq.write_table(pq.ParquetFile(path).read().slice(1), path)


def widen(path: Path) -> None:
    table = pq.ParquetFile(path).read()
    pq.write_table(table.append_column("extra", pa.nulls(len(table))), path)


@pytest.mark.parametrize("harm", [lose, break_, double, shorten, widen], ids=lambda each: each.__name__)
def test_repair_leaves_what_a_copy_restores(filled: Any, harm: Callable[[Path], None]) -> None:
    """A day whose articles are spoiled is told of alone: nothing that follows from them is emptied or filled."""
    path = filled.root / ARTICLES_PATH
    copy, before, placed = path.read_bytes(), filled.snapshot(), filled.store.ledger.placed("articles")
    harm(path)
    flip(filled.root / ARTICLE_TOPICS_DATASET.path(FEBRUARY.date()), 30)
    filled.store.ledger.shift("articles", date(2020, 1, 1), ["c", "never-was"])
    verdict = verify(filled.store)
    assert {each.path for each in verdict.findings if each.partition == MARCH_1} == {ARTICLES_PATH}
    assert not any(each.repairable for each in verdict.findings if each.partition == MARCH_1)
    repair(filled.store, verdict, LATER)
    path.write_bytes(copy)
    assert {name: content for name, (content, _) in filled.snapshot().items()} == {
        name: content for name, (content, _) in before.items()
    }
    assert repair(filled.store, verify(filled.store), LATER).clean
    assert filled.store.ledger.placed("articles") == placed


def test_lost_file_is_told_without_a_manifest(filled: Any) -> None:
    for path in (filled.root / "state" / "manifest").iterdir():
        path.unlink()
    (filled.root / ARTICLES_PATH).unlink()
    before = {name: content for name, (content, _) in filled.snapshot().items()}
    left = repair(filled.store, verify(filled.store), LATER)
    assert [(each.kind, each.path) for each in left.findings] == [(Kind.MISSING_FILE, ARTICLES_PATH)]
    assert {name: content for name, (content, _) in filled.snapshot().items()} == before


# What goes on meanwhile


@contextmanager
def publishing(desk: Any, run: str) -> Iterator[None]:
    """Be a commit under way: noted, and alive."""
    with desk.store.files.lock(f"commit-{run}"):
        intent.begin(desk.store.files, run, LATER)
        yield
        intent.end(desk.store.files, run)


def test_crawl_that_only_stages_excuses_nothing(filled: Any, article: Any) -> None:
    filled.stage("crawl", [article("d")])
    rewrite(filled, ARTICLES_PATH, lambda table: table)
    filled.store.ledger.shift("rejections", date(2020, 1, 1), ["never-was"])
    with filled.store.files.lock("run-crawl"):
        verdict = verify(filled.store)
    assert [each.kind for each in verdict.findings] == [Kind.CHANGED_BYTES, Kind.INDEX_BEHIND]
    assert (verdict.under_way, verdict.unjudged) == (("crawl",), ())


def test_what_a_commit_may_be_publishing_is_not_judged_and_said(filled: Any) -> None:
    rewrite(filled, ARTICLES_PATH, lambda table: table)
    (filled.root / ARTICLES_DATASET.path(FEBRUARY.date())).unlink()
    with publishing(filled, "busy"):
        verdict = verify(filled.store)
    assert [each.kind for each in verdict.findings] == [Kind.MISSING_FILE]
    assert verdict.unjudged == (ARTICLES_PATH, "articles", "rejections")
    assert json.loads(verdict.to_json())["unjudged"] == [*verdict.unjudged]
    assert kinds(filled) == [Kind.CHANGED_BYTES, Kind.MISSING_FILE]


def test_day_is_looked_at_again_when_its_commit_is_done(filled: Any, article: Any) -> None:
    """The commit ends while another day is looked at: what it published is known by then, or held against it."""
    path, before = filled.root / ARTICLES_PATH, (filled.root / ARTICLES_PATH).read_bytes()
    commit_ = publishing(filled, "busy")
    commit_.__enter__()
    rewrite(filled, ARTICLES_PATH, lambda table: table)
    filled.store.files.publish("rejections/z/end.parquet", b"")
    looks: list[date] = []
    read_ = verifying.read

    def reading(files: Any, dataset: Any, day: date, *columns: Any) -> Any:
        if dataset is REJECTIONS_DATASET and not looks:
            looks.append(day)
            path.write_bytes(before)
            commit_.__exit__(None, None, None)
        return read_(files, dataset, day, *columns)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verifying, "read", reading)
        verdict = verify(filled.store)
    assert looks
    assert [each.kind for each in verdict.findings] == [Kind.STRAY_FILE]
    assert verdict.articles == 3
    assert ARTICLES_PATH not in verdict.unjudged


# What the caller makes again


@pytest.mark.parametrize("how", ["missing", "damaged", "changed", "emptied", "doubled", "widened"])
def test_fingerprints_are_made_again_by_the_caller(filled: Any, how: str) -> None:
    before = read.fingerprints(filled.root)
    spoil(filled.root / FINGERPRINTS_DATASET.path(MARCH_1), how)
    verdict = verify(filled.store)
    assert (verdict.days_to_fingerprint, verdict.days_to_retell) == ((MARCH_1,), ())
    assert json.loads(verdict.to_json())["days_to_fingerprint"] == ["2026-03-01"]
    assert not any(each.repairable for each in verdict.findings)
    verdict = repair(filled.store, verdict, LATER)
    for day in verdict.days_to_fingerprint:
        put_fingerprints(filled.store, day, before.filter(pc.equal(before["published_date"], day)), LATER)
    assert verify(filled.store).findings == ()
    assert read.fingerprints(filled.root).equals(before)


@pytest.mark.parametrize("how", ["missing", "damaged", "changed", "emptied", "doubled", "widened"])
def test_stories_are_told_again_by_the_caller(filled: Any, how: str) -> None:
    path = filled.root / ARTICLE_STORIES_DATASET.path(MARCH_1)
    before = path.read_bytes()
    spoil(path, how)
    verdict = verify(filled.store)
    assert (verdict.days_to_fingerprint, verdict.days_to_retell) == ((), (MARCH_1,))
    verdict = repair(filled.store, verdict, LATER)
    stories = {day: pa.Table.from_pylist([told("a"), told("b")], ARTICLE_STORIES) for day in verdict.days_to_retell}
    publish_derived(filled.store, "article_stories", stories, run="again", now=LATER)
    assert verify(filled.store).findings == ()
    assert path.read_bytes() == before


def test_days_of_a_dead_run_whose_stories_are_untold_are_named(filled: Any) -> None:
    before = (filled.root / ARTICLE_STORIES_DATASET.path(MARCH_1)).read_bytes()
    untold.note(filled.store.files, "dead", [MARCH_1])
    with filled.store.files.lock("run-dead"):
        assert verify(filled.store).findings == ()
    verdict = verify(filled.store)
    assert (verdict.days_to_retell, [each.kind for each in verdict.findings]) == ((MARCH_1,), [Kind.UNFINISHED])
    assert repair(filled.store, verdict, LATER).days_to_retell == (MARCH_1,)
    assert (filled.root / ARTICLE_STORIES_DATASET.path(MARCH_1)).read_bytes() == before


def test_fingerprints_of_lost_articles_stay(filled: Any) -> None:
    before = (filled.root / FINGERPRINTS_DATASET.path(MARCH_1)).read_bytes()
    (filled.root / ARTICLES_PATH).unlink()
    put_fingerprints(filled.store, MARCH_1, FINGERPRINTS_DATASET.schema.empty_table(), LATER)
    assert (filled.root / FINGERPRINTS_DATASET.path(MARCH_1)).read_bytes() == before


def spoil(path: Path, how: str) -> None:
    match how:
        case "missing":
            path.unlink()
        case "damaged":
            flip(path, 30)
        case "changed":
            pq.write_table(pq.ParquetFile(path).read(), path)
        case "emptied":
            pq.write_table(pq.ParquetFile(path).read().slice(0, 0), path)
        case "doubled":
            double(path)
        case "widened":
            widen(path)


# What can be made again


@pytest.mark.parametrize("dataset", [ARTICLE_TOPICS_DATASET, ARTICLE_ARTIFACTS_DATASET], ids=lambda each: each.name)
@pytest.mark.parametrize("how", ["missing", "damaged", "changed", "emptied", "rewritten"])
def test_derived_table_is_made_again(filled: Any, dataset: Any, how: str) -> None:
    path = filled.root / dataset.path(MARCH_1)
    before = path.read_bytes()
    match how:
        case "missing":
            path.unlink()
        case "damaged":
            flip(path, 30)
        case "changed":
            rewrite(filled, dataset.path(MARCH_1), lambda table: table.slice(1))
        case "emptied":
            path.write_bytes(encode(dataset, dataset.schema.empty_table()))
        case "rewritten":
            rewrite(filled, dataset.path(MARCH_1), lambda table: table)
    verdict = verify(filled.store)
    assert not verdict.clean
    assert repair(filled.store, verdict, LATER).findings == ()
    assert path.read_bytes() == before


def test_rows_that_tell_of_no_article_are_dropped(filled: Any) -> None:
    ours, theirs = (
        pq.ParquetFile(filled.root / FINGERPRINTS_DATASET.path(day)).read() for day in (FEBRUARY.date(), MARCH_1)
    )
    both = {FEBRUARY.date(): pa.concat_tables([ours, theirs])}
    publish_derived(filled.store, "fingerprints", both, run="twice", now=LATER)
    verdict = verify(filled.store)
    assert [(finding.kind, finding.repairable) for finding in verdict.findings] == [(Kind.OUT_OF_STEP, True)]
    assert repair(filled.store, verdict, LATER).clean
    assert sorted(read.fingerprints(filled.root)["article_id"].to_pylist()) == ["a", "b", "c"]


def test_stories_that_are_not_told_are_named(filled: Any, article: Any) -> None:
    filled.commit([article("d", page=None)])
    (found,) = verify(filled.store).findings
    assert (found.kind, found.dataset, found.repairable) == (Kind.OUT_OF_STEP, "article_stories", False)
    assert found.detail == "lacks 1 articles: tell the stories of their day again"
    assert verify(filled.store).days_to_retell == (MARCH_1,)


def test_stray_files_are_put_aside(filled: Any) -> None:
    strays = [
        "articles/published_date=2026-03-01/part-001.parquet",
        "articles/readme.txt",
        "rejections/x/y.parquet",
        "archive/old.parquet",
        "copy.parquet",
    ]
    for path in strays:
        (filled.root / path).parent.mkdir(exist_ok=True)
        (filled.root / path).write_bytes(path.encode())
    verdict = verify(filled.store)
    assert [(each.kind, each.path) for each in verdict.findings] == [(Kind.STRAY_FILE, path) for path in strays]
    assert repair(filled.store, verdict, LATER).clean
    for path in strays:
        assert (filled.root / "state" / "strays" / path).read_bytes() == path.encode()


def test_index_is_made_again(filled: Any) -> None:
    ledger = filled.store.ledger
    ledger.shift("articles", date(2020, 1, 1), ["a", "never-was"])
    ledger.displace("rejections", ledger.placed("rejections"))
    ledger.drop_identities(["https://news.example/b"])
    verdict = verify(filled.store)
    assert [finding.kind for finding in verdict.findings] == [Kind.INDEX_BEHIND] * 3
    assert repair(filled.store, verdict, LATER).clean
    assert ledger.placed("articles") == {"a": MARCH_1, "b": MARCH_1, "c": FEBRUARY.date()}


def test_dataset_without_its_manifest_is_recorded(filled: Any) -> None:
    for path in (filled.root / "state" / "manifest").iterdir():
        path.unlink()
    verdict = verify(filled.store)
    assert {finding.kind for finding in verdict.findings} == {Kind.UNRECORDED_FILE}
    before = filled.snapshot()
    assert repair(filled.store, verdict, LATER).clean
    assert filled.snapshot() == before


def test_visits_whose_page_is_lost_are_dropped(filled: Any) -> None:
    (file,) = filled.store.pages.list()
    (filled.root / "pages" / file).unlink()
    verdict = verify(filled.store)
    assert Kind.VISIT_WITHOUT_PAGE in {finding.kind for finding in verdict.findings}
    left = repair(filled.store, verdict, LATER)
    assert {finding.kind for finding in left.findings} == {Kind.MISSING_PAGE}
    assert list(filled.store.ledger.archived()) == []


def test_what_cannot_be_repaired_is_not_touched(filled: Any) -> None:
    flip(filled.root / ARTICLES_PATH, 200)
    rewrite(filled, ARTICLES_DATASET.path(FEBRUARY.date()), lambda table: table)
    flip(filled.root / FINGERPRINTS_DATASET.path(MARCH_1), 30)
    before = filled.snapshot()
    verdict = verify(filled.store)
    assert repair(filled.store, verdict, LATER).findings == verdict.findings
    assert filled.snapshot() == before


def test_commit_that_died_is_completed(filled: Any, article: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    staged = filled.stage("dead", [article("d", page=None, published_at=FEBRUARY)])
    with monkeypatch.context() as patched:
        patched.setattr("storage.manifest.Manifest.record", die)
        with pytest.raises(KeyboardInterrupt):
            commit(filled.store, staged, run="dead", now=LATER)
    verdict = verify(filled.store)
    assert Kind.UNFINISHED in {finding.kind for finding in verdict.findings if finding.repairable}
    repair(filled.store, verdict, LATER)
    again = commit(filled.store, staged, run="dead", now=LATER + timedelta(hours=1))
    assert again.counts == {"new": 1}
    filled.store.staging.remove(staged)
    assert kinds(filled) == [Kind.OUT_OF_STEP]  # its stories are not told yet


@pytest.mark.parametrize("loss", ["changed", "cut", "removed"])
def test_what_was_changed_before_a_commit_is_told_after_it(
    filled: Any, article: Any, noon: datetime, loss: str
) -> None:
    path = filled.root / ARTICLES_PATH
    table = pq.read_table(path)
    if loss == "removed":
        path.unlink()
    else:
        forged = table.slice(0, 1) if loss == "cut" else pa.concat_tables([table.slice(0, 1), table.slice(1)])
        if loss == "changed":
            place = forged.schema.get_field_index("title")
            forged = forged.set_column(place, forged.schema.field(place), pa.array(["Forged"] * forged.num_rows))
        path.write_bytes(encode(ARTICLES_DATASET, forged))
    filled.commit([article("d", page=None, fetched_at=noon + timedelta(hours=2))])
    assert Kind.BROKEN_HISTORY in kinds(filled)
    repair(filled.store, verify(filled.store), LATER)
    assert Kind.BROKEN_HISTORY not in kinds(filled)
