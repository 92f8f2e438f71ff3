"""Staged batches: whole, named, and found again."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from storage.errors import DamagedFileError, StoreError
from storage.schema import STAGED_ARTICLES
from storage.staging import holds

TABLE = pa.table({"a": [1, 2, 3]})


def test_staged_table_comes_back_with_its_schema(desk: Any) -> None:
    table = STAGED_ARTICLES.empty_table()
    path = desk.store.staging.write("run", "batch", "articles", table)
    back = desk.store.staging.read(path)
    assert back.schema.equals(STAGED_ARTICLES, check_metadata=True)
    assert holds(back) == "staged_articles"
    assert holds(TABLE) == ""


def test_same_batch_again_replaces_itself(desk: Any) -> None:
    paths = {desk.store.staging.write("run", "batch", "articles", TABLE.slice(start)) for start in (0, 1)}
    assert [desk.store.staging.read(path).num_rows for path in paths] == [2]


def test_batches_of_a_killed_run_are_found(desk: Any) -> None:
    paths = [desk.store.staging.write(run, key, "articles", TABLE) for run in ("one", "two") for key in ("b", "a")]
    assert desk.store.staging.runs() == {"one": (paths[1], paths[0]), "two": (paths[3], paths[2])}
    desk.store.staging.remove(paths[:2])
    desk.store.staging.remove(paths[:1])
    assert list(desk.store.staging.runs()) == ["two"]


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "a~b", "a b"])
def test_name_that_is_unsafe_in_a_path_is_refused(desk: Any, name: str) -> None:
    with pytest.raises(StoreError, match="cannot name a staged batch"):
        desk.store.staging.write("run", name, "articles", TABLE)


def test_damaged_batch_is_named(desk: Any) -> None:
    path = desk.store.staging.write("run", "batch", "articles", TABLE)
    file = Path(desk.root / path)
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(DamagedFileError, match=r"run~batch~articles\.arrow: this staged batch is damaged"):
        desk.store.staging.read(path)
