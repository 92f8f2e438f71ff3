"""The tables that follow from `articles`: its nested lists laid flat."""

from collections.abc import Callable
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from storage.schema import (
    ARTICLE_ARTIFACTS_DATASET,
    ARTICLE_TOPICS_DATASET,
    FINGERPRINTS,
    Dataset,
)


def topics(articles: pa.Table) -> pa.Table:
    """Return the articles' topics, one row each."""
    return _flat(articles, "topics", ARTICLE_TOPICS_DATASET, {"topic_id": "id"})


def artifacts(articles: pa.Table) -> pa.Table:
    """Return the articles' artifacts, one row each."""
    return _flat(articles, "artifacts", ARTICLE_ARTIFACTS_DATASET, {})


def fingerprints(staged: pa.Table) -> pa.Table:
    """Return the fingerprints of staged articles."""
    return pa.Table.from_arrays([staged[name] for name in FINGERPRINTS.names], schema=FINGERPRINTS)


DERIVED: Final[tuple[tuple[Dataset, Callable[[pa.Table], pa.Table]], ...]] = (
    (ARTICLE_TOPICS_DATASET, topics),
    (ARTICLE_ARTIFACTS_DATASET, artifacts),
)


def _flat(articles: pa.Table, name: str, dataset: Dataset, renamed: dict[str, str]) -> pa.Table:
    lists = articles[name].combine_chunks()
    owners = pc.list_parent_indices(lists)
    entries = lists.flatten()

    def column(field: pa.Field) -> pa.Array | pa.ChunkedArray:
        if field.name == "position":
            return pa.array(_positions(owners.to_numpy()), field.type)
        if field.name in articles.column_names:
            return articles[field.name].take(owners)
        return pc.struct_field(entries, renamed.get(field.name, field.name))

    return pa.Table.from_arrays([column(field) for field in dataset.schema], schema=dataset.schema)


def _positions(owners: np.ndarray) -> np.ndarray:
    """Count from 0 within each run of equal owners.

    >>> _positions(np.array([3, 3, 5, 9, 9, 9])).tolist()
    [0, 1, 0, 0, 1, 2]
    """
    places = np.arange(len(owners))
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    return places - np.repeat(starts, np.diff(starts, append=len(owners)))
