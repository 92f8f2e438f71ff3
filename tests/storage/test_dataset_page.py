"""docs/dataset.md is what the schema says, and the schema says something about everything."""

from pathlib import Path

import pyarrow as pa
import pytest

from storage.describe import dataset_markdown
from storage.schema import DATASETS, SCHEMA_VERSION, VERSION_KEY, Dataset

PAGE = Path(__file__).parents[2] / "docs" / "dataset.md"

datasets = pytest.mark.parametrize("dataset", DATASETS.values(), ids=list(DATASETS))


def test_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == dataset_markdown(), "run: python -m storage.describe > docs/dataset.md"


@datasets
def test_every_column_is_described(dataset: Dataset) -> None:
    def undescribed(field: pa.Field, path: str) -> list[str]:
        inner = field.type.value_type if pa.types.is_list(field.type) else field.type
        below = inner.fields if pa.types.is_struct(inner) else []
        missing = [] if (field.metadata or {}).get(b"description") else [path]
        return missing + [name for each in below for name in undescribed(each, f"{path}.{each.name}")]

    assert [name for field in dataset.schema for name in undescribed(field, field.name)] == []


@datasets
def test_schema_names_its_version_and_keys(dataset: Dataset) -> None:
    assert dataset.schema.metadata[VERSION_KEY] == SCHEMA_VERSION.encode()
    assert {*dataset.key} <= {*dataset.schema.names}
    assert dataset.partition_key not in dataset.schema.names
