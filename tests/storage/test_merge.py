"""What is the same, what is newer, what has changed: checked against a model that a reader can hold in mind."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.merge import merge, same_rows
from storage.schema import ARTICLES, ARTICLES_DATASET, STAGED_ARTICLES, added_since

Row = dict[str, Any]
Make = Callable[..., Row]

NESTED = pa.struct(
    [
        ("n", pa.float64()),
        ("s", pa.string()),
        ("l", pa.list_(pa.struct([("a", pa.int32()), ("b", pa.list_(pa.string()))]))),
    ]
)

nested_values = st.none() | st.fixed_dictionaries(
    {
        "n": st.none() | st.sampled_from([0.0, 1.5, float("nan")]),
        "s": st.none() | st.sampled_from(["", "x"]),
        "l": st.none()
        | st.lists(
            st.none()
            | st.fixed_dictionaries(
                {
                    "a": st.none() | st.integers(0, 1),
                    "b": st.none() | st.lists(st.none() | st.sampled_from(["", "y"]), max_size=2),
                }
            ),
            max_size=3,
        ),
    }
)


@given(st.lists(st.tuples(nested_values, nested_values), max_size=8))
def test_same_rows_agrees_with_python(pairs: list[tuple[Any, Any]]) -> None:
    left, right = (pa.array([pair[side] for pair in pairs], NESTED) for side in (0, 1))
    assert same_rows(left, right).to_pylist() == said_alike(left, right)


@given(st.lists(st.tuples(nested_values, nested_values), min_size=2, max_size=8), st.integers(0, 2))
def test_same_rows_reads_slices(pairs: list[tuple[Any, Any]], start: int) -> None:
    left, right = (pa.array([pair[side] for pair in pairs], NESTED)[start:] for side in (0, 1))
    assert same_rows(left, right).to_pylist() == said_alike(left, right)


def said_alike(left: pa.Array, right: pa.Array) -> list[bool]:
    """Compare rows as Python writes them, because there NaN differs from itself."""
    return [repr(one) == repr(other) for one, other in zip(left.to_pylist(), right.to_pylist(), strict=True)]


def test_new_row_starts_at_revision_one(article: Make, noon: Any) -> None:
    merged = merge(ARTICLES_DATASET, ARTICLES.empty_table(), staged(article("a")), now=noon)
    (row,) = merged.table.to_pylist()
    assert merged.outcomes.to_pylist() == ["new"]
    assert (row["revision"], row["first_seen_at"], row["updated_at"]) == (1, noon, noon)


def test_equal_row_stays_as_it_was(article: Make, noon: Any) -> None:
    stored = merge(ARTICLES_DATASET, ARTICLES.empty_table(), staged(article("a")), now=noon).table
    later = article("a", fetched_at=noon + timedelta(days=1), page=None, input="https://elsewhere.example/a")
    merged = merge(ARTICLES_DATASET, stored, staged(later), now=noon + timedelta(days=1))
    assert merged.outcomes.to_pylist() == ["unchanged"]
    assert not merged.differs
    assert merged.table.equals(stored)


def without_later_columns(table: pa.Table) -> pa.Table:
    """Return rows as they are read from a file of the first schema version."""
    later = added_since(ARTICLES_DATASET, "1")
    return pa.table(
        [
            pa.nulls(len(table), column.type) if name in later else column
            for name, column in zip(table.column_names, table.columns, strict=True)
        ],
        schema=table.schema,
    )


def test_columns_that_older_rows_lack_are_filled_and_nothing_has_changed(article: Make, noon: Any) -> None:
    today = merge(ARTICLES_DATASET, ARTICLES.empty_table(), staged(article("a")), now=noon).table
    merged = merge(ARTICLES_DATASET, without_later_columns(today), staged(article("a")), now=noon + timedelta(days=1))
    assert merged.outcomes.to_pylist() == ["unchanged"]
    assert merged.differs
    assert merged.table.equals(today)


def test_change_beside_columns_that_older_rows_lack_is_an_update(article: Make, noon: Any) -> None:
    stored = merge(ARTICLES_DATASET, ARTICLES.empty_table(), staged(article("a")), now=noon).table
    changed = staged(article("a", title="Another title", captions=[]))
    merged = merge(ARTICLES_DATASET, without_later_columns(stored), changed, now=noon + timedelta(days=1))
    (row,) = merged.table.to_pylist()
    assert (merged.outcomes.to_pylist(), row["revision"], row["captions"]) == (["updated"], 2, [])


def test_changed_caption_is_an_update_like_any_other(article: Make, noon: Any) -> None:
    stored = merge(ARTICLES_DATASET, ARTICLES.empty_table(), staged(article("a")), now=noon).table
    for changes in ({"captions": ["A new picture."]}, {"standfirst": None}, {"tables": []}, {"live_entries": []}):
        merged = merge(ARTICLES_DATASET, stored, staged(article("a", **changes)), now=noon + timedelta(days=1))
        assert merged.outcomes.to_pylist() == ["updated"]


def test_article_keeps_the_source_and_input_that_brought_it_first(article: Make, noon: Any) -> None:
    stored = merge(ARTICLES_DATASET, ARTICLES.empty_table(), staged(article("a")), now=noon).table
    other = {"source": "other", "input": "https://other.example/a", "fetched_at": noon + timedelta(days=1)}
    again = merge(ARTICLES_DATASET, stored, staged(article("a", **other)), now=noon)
    assert (again.outcomes.to_pylist(), again.differs) == (["unchanged"], False)
    changed = merge(ARTICLES_DATASET, stored, staged(article("a", title="Another", **other)), now=noon)
    (row,) = changed.table.to_pylist()
    assert (row["source"], row["input"], row["title"]) == ("example", "https://news.example/a", "Another")


def test_changed_row_raises_its_revision_and_keeps_its_first_day(article: Make, noon: Any) -> None:
    stored = merge(ARTICLES_DATASET, ARTICLES.empty_table(), staged(article("a")), now=noon).table
    later = noon + timedelta(days=1)
    merged = merge(ARTICLES_DATASET, stored, staged(article("a", title="Another title", fetched_at=later)), now=later)
    (row,) = merged.table.to_pylist()
    assert merged.outcomes.to_pylist() == ["updated"]
    assert (row["title"], row["revision"], row["first_seen_at"], row["updated_at"]) == ("Another title", 2, noon, later)


def test_new_versions_alone_are_published_without_a_revision(article: Make, noon: Any) -> None:
    stored = merge(ARTICLES_DATASET, ARTICLES.empty_table(), staged(article("a")), now=noon).table
    today = article("a", versions=article("a")["versions"] | {"rules": "r2"})
    merged = merge(ARTICLES_DATASET, stored, staged(today), now=noon + timedelta(days=1))
    (row,) = merged.table.to_pylist()
    assert merged.outcomes.to_pylist() == ["unchanged"]
    assert merged.differs
    assert (row["versions"]["rules"], row["revision"], row["updated_at"]) == ("r2", 1, noon)
    assert not merge(ARTICLES_DATASET, merged.table, staged(today), now=noon + timedelta(days=2)).differs


def test_older_fetch_loses(article: Make, noon: Any) -> None:
    stored = merge(ARTICLES_DATASET, ARTICLES.empty_table(), staged(article("a")), now=noon).table
    older = article("a", title="An older title", fetched_at=noon - timedelta(hours=1))
    merged = merge(ARTICLES_DATASET, stored, staged(older), now=noon)
    assert merged.outcomes.to_pylist() == ["unchanged"]
    assert not merged.differs
    assert merged.accepted.num_rows == 0


def test_another_look_at_the_same_page_wins(article: Make, noon: Any) -> None:
    stored = merge(ARTICLES_DATASET, ARTICLES.empty_table(), staged(article("a")), now=noon).table
    merged = merge(ARTICLES_DATASET, stored, staged(article("a", text="Mended better.")), now=noon)
    assert merged.outcomes.to_pylist() == ["updated"]


def test_date_of_an_undated_article_stays_that_of_its_first_fetch(article: Make, noon: Any) -> None:
    undated = article("a", published_at=noon, published_precision="fetched")
    stored = merge(ARTICLES_DATASET, ARTICLES.empty_table(), staged(undated), now=noon).table
    later = noon + timedelta(days=3)
    again = article("a", published_at=later, published_precision="fetched", fetched_at=later)
    assert merge(ARTICLES_DATASET, stored, staged(again), now=later).outcomes.to_pylist() == ["unchanged"]
    dated = article("a", published_at=later, published_precision="instant", fetched_at=later)
    (row,) = merge(ARTICLES_DATASET, stored, staged(dated), now=later).table.to_pylist()
    assert row["published_at"] == later


@pytest.mark.parametrize(
    "change",
    [
        {"artifacts": []},
        {"topics": []},
        {"authors": ["B. Writer", "A. Writer"]},
        {"translated_score": 0.5},
        {"summary": ""},
        {"languages": [{"language": "en", "share": 1.0}]},
        {"extraction": {"strategy": "container", "confidence": 0.8}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_kind_of_column_counts(article: Make, noon: Any, change: Row) -> None:
    stored = merge(ARTICLES_DATASET, ARTICLES.empty_table(), staged(article("a")), now=noon).table
    assert merge(ARTICLES_DATASET, stored, staged(article("a", **change)), now=noon).outcomes.to_pylist() == ["updated"]


ids = st.sampled_from("abcde")
batches = st.lists(
    st.dictionaries(ids, st.tuples(st.sampled_from(["one", "two"]), st.integers(0, 3), st.sampled_from(["r1", "r2"]))),
    max_size=6,
)


@settings(max_examples=40)
@given(batches=batches)
def test_any_sequence_of_merges_ends_like_the_model(
    batches: list[dict[str, tuple[str, int, str]]], article: Make, noon: Any
) -> None:
    table, model = ARTICLES.empty_table(), {}
    for turn, batch in enumerate(batches):
        now = noon + timedelta(days=turn)
        rows = [
            article(
                name,
                text=text,
                fetched_at=noon + timedelta(hours=hour),
                versions=article(name)["versions"] | {"rules": rules},
            )
            for name, (text, hour, rules) in batch.items()
        ]
        merged = merge(ARTICLES_DATASET, table, staged(*rows), now=now)
        expected = {name: take(model, name, *said, now) for name, said in batch.items()}
        assert dict(zip(batch, merged.outcomes.to_pylist(), strict=True)) == expected
        assert merged.differs == (not merged.table.equals(table))
        table = merged.table
    stored = {row["article_id"]: told(row, noon) for row in table.to_pylist()}
    assert stored == model
    assert list(stored) == sorted(stored)


def take(model: dict[str, tuple[Any, ...]], name: str, text: str, hour: int, rules: str, now: Any) -> str:
    """Do in a dict what `merge` does in a table."""
    if name not in model:
        model[name] = (text, hour, rules, 1, now, now)
        return "new"
    old_text, old_hour, old_rules, revision, first, updated = model[name]
    if hour < old_hour or (text, rules) == (old_text, old_rules):
        return "unchanged"
    if text == old_text:
        model[name] = (text, hour, rules, revision, first, updated)
        return "unchanged"
    model[name] = (text, hour, rules, revision + 1, first, now)
    return "updated"


def told(row: Row, noon: Any) -> tuple[Any, ...]:
    """Return what the model keeps of a row."""
    hour = (row["fetched_at"] - noon) // timedelta(hours=1)
    said = (row["text"], hour, row["versions"]["rules"])
    return (*said, row["revision"], row["first_seen_at"], row["updated_at"])


def staged(*rows: Row) -> pa.Table:
    """Return rows as a staged table."""
    return pa.Table.from_pylist(list(rows), schema=STAGED_ARTICLES)
