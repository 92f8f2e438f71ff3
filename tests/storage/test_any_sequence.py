"""Whatever is done to a store, in any order, killed anywhere: it ends as a model that fits in a dict says."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage import read
from storage.commit import commit
from storage.manifest import Entry
from storage.schema import ARTICLES_DATASET
from storage.upkeep import forget, mark_gone, migrate, move_corrected
from storage.verify import verify
from tests.storage.conftest import NOON, Desk, article, of_version
from tests.storage.dying import DiedError, die_at

DAYS = [datetime(2026, 2, day, 12, tzinfo=UTC) for day in (1, 2, 3)]

names = st.sampled_from("abcd")
deaths = st.none() | st.integers(0, 40)
rows = st.dictionaries(
    names, st.tuples(st.sampled_from(["one", "two"]), st.sampled_from(DAYS), st.sampled_from(["left", "right"])),
    min_size=1,
)  # fmt: skip
deeds = st.one_of(
    st.tuples(st.just("commit"), rows),
    st.tuples(st.just("commit"), rows),
    st.tuples(st.just("move"), st.none()),
    st.tuples(st.just("gone"), st.dictionaries(names, st.booleans(), min_size=1)),
    st.tuples(st.just("age"), st.sampled_from(DAYS)),
    st.tuples(st.just("migrate"), st.none()),
    st.tuples(st.just("forget"), names),
)


@dataclass(frozen=True)
class Told:
    """What the model knows of an article."""

    text: str
    published: datetime
    source: str
    day: date
    revision: int
    gone_at: datetime | None


class Model:
    """Articles in a dict, and what each deed makes of them."""

    def __init__(self) -> None:
        self.articles: dict[str, Told] = {}
        self.forgotten: set[str] = set()

    def commit(self, said: dict[str, tuple[str, datetime, str]]) -> dict[str, int]:
        counts: dict[str, int] = {}
        for name, (text, published, source) in said.items():
            outcome = self._take(name, text, published, source)
            counts[outcome] = counts.get(outcome, 0) + 1
        return counts

    def _take(self, name: str, text: str, published: datetime, source: str) -> str:
        if name in self.forgotten:
            return "skipped"
        known = self.articles.get(name)
        if known is None:
            self.articles[name] = Told(text, published, source, published.date(), 1, None)
            return "new"
        if (known.text, known.published) == (text, published):
            self.articles[name] = replace(known, gone_at=None)
            return "unchanged"
        self.articles[name] = replace(known, text=text, published=published, revision=known.revision + 1, gone_at=None)
        return "updated"

    def move(self) -> None:
        self.articles = {name: replace(told, day=told.published.date()) for name, told in self.articles.items()}

    def gone(self, said: dict[str, bool], now: datetime) -> None:
        for name, is_gone in said.items():
            if name in self.articles:
                known = self.articles[name]
                self.articles[name] = replace(known, gone_at=(known.gone_at or now) if is_gone else None)

    def forget(self, name: str) -> None:
        self.articles.pop(name, None)
        self.forgotten.add(name)


@settings(max_examples=25)
@given(plan=st.lists(st.tuples(deeds, deaths), min_size=2, max_size=9))
def test_any_sequence_ends_like_the_model(plan: list[tuple[tuple[str, Any], int | None]]) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        patched.setattr("os.fsync", lambda _: None)
        desk, model = Desk(Path(folder) / "data"), Model()
        for turn, ((deed, said), death) in enumerate(plan):
            now = NOON + timedelta(hours=turn)
            with pytest.MonkeyPatch.context() as dying:
                if death is not None and deed != "age":
                    die_at(death, dying.setattr)
                try:
                    do(desk, model, deed, said, now)
                except DiedError:
                    dying.undo()
                    do(desk, model, deed, said, now)
            assert seen(desk) == model.articles, (turn, deed)
        migrate(desk.store, NOON + timedelta(days=1))
        verdict = verify(desk.store)
        assert verdict.findings == ()
        assert seen(desk) == model.articles
        assert verdict.articles == len(model.articles)
        desk.store.close()


def do(desk: Desk, model: Model, deed: str, said: Any, now: datetime) -> None:
    """Do it to the store, and once that is done, to the model."""
    match deed:
        case "commit":
            run = f"run-{now:%d-%H}"
            staged = desk.stage(run, [row(name, *words, now) for name, words in said.items()])
            committed = commit(desk.store, staged, run=run, now=now)
            desk.store.staging.remove(staged)
            assert committed.counts == model.commit(said)
        case "move":
            move_corrected(desk.store, now)
            model.move()
        case "gone":
            mark_gone(desk.store, {name: now if is_gone else None for name, is_gone in said.items()}, now)
            model.gone(said, now)
        case "age":
            grow_old(desk, said.date(), now)
        case "migrate":
            migrate(desk.store, now)
        case "forget":
            forget(desk.store, article_id=said, now=now)
            model.forget(said)


def row(name: str, text: str, published: datetime, source: str, now: datetime) -> dict[str, Any]:
    return article(name, text=text, published_at=published, source=source, fetched_at=now, page=None)


def grow_old(desk: Desk, day: date, now: datetime) -> None:
    """Put a file of version 1 in a partition's place, as if that version had published it."""
    path = desk.root / ARTICLES_DATASET.path(day)
    if not path.exists():
        return
    table = pq.ParquetFile(path).read()
    if "gone_at" not in table.column_names or table["gone_at"].null_count < table.num_rows:
        return
    head = desk.store.manifest.known().head("articles", day)
    assert head is not None
    pq.write_table(of_version("1", table), path)
    entry = Entry(
        dataset="articles", partition=day, run="older", rows=table.num_rows, size=path.stat().st_size,
        sha256=sha256(path.read_bytes()).hexdigest(), previous=head, schema="1", first_key=None, last_key=None,
    )  # fmt: skip
    desk.store.manifest.record(f"{now:%Y%m%dT%H%M%S}-older-{day}", [entry])


def seen(desk: Desk) -> dict[str, Told]:
    """Return what a reader sees, as the model keeps it."""
    table = read.articles(desk.root).to_pylist()
    found = {
        each["article_id"]: Told(
            each["text"], each["published_at"], each["source"], each["published_date"], each["revision"],
            each["gone_at"],
        )
        for each in table
    }  # fmt: skip
    assert len(found) == len(table)
    return found
