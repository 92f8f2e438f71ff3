"""What a partition becomes when rows arrive: the rules of "same", "newer" and "changed", without files."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from storage.schema import ADDED, Dataset

NEW: Final = "new"
UPDATED: Final = "updated"
UNCHANGED: Final = "unchanged"

_SEPARATOR: Final = "\x1f"

_LOOKED_BACK_AT: Final = frozenset(
    {
        "source",
        "input",
        "published_at",
        "published_precision",
        "fetched_at",
        "first_seen_at",
        "updated_at",
        "revision",
        "gone_at",
        "run",
    }
)
"""The columns of a stored row that say what becomes of it; all others are only compared, where there is such a row."""


@dataclass(frozen=True, slots=True)
class Merged:
    """A partition after a merge.

    `table` is what the file should hold, and `differs` says whether that is news. `outcomes` has a word for each
    incoming row. `accepted` are the incoming rows that were not older than what was stored, as they were taken in.
    """

    table: pa.Table
    differs: bool
    outcomes: pa.Array
    accepted: pa.Table


def merge(
    dataset: Dataset,
    stored: pa.Table,
    incoming: pa.Table,
    *,
    now: datetime,
    run: str = "",
    resumed: bool = False,
) -> Merged:
    """Take rows with distinct keys into a partition.

    The newer fetch wins. A row that is equal stays as it was; one that differs only in `versions`, that fills columns
    which older rows do not have, or whose page was gone and answers again, is replaced, but keeps its revision. An
    article keeps the source and the input that brought it first, so that one which two sources offer does not go to and
    fro between them. A resumed commit finds its own rows stored already, and calls them what they were then.
    """
    places = pc.index_in(keys(dataset, incoming), value_set=keys(dataset, stored))
    before = stored.select([name for name in stored.column_names if name in _LOOKED_BACK_AT]).take(places)
    incoming = _keep_first_bringer(dataset, _keep_first_estimate(incoming, before), before)
    is_new = places.is_null()
    is_older = _is_older(incoming, before)
    is_same, is_current = _compared(dataset, incoming, stored, places)
    has_changed = pc.or_(is_new, pc.and_not(pc.invert(is_same), is_older))
    is_back = _answers_again(incoming, before)
    is_restamped = pc.and_not(pc.or_(pc.invert(is_current), is_back), is_older)
    is_replaced = pc.or_(has_changed, is_restamped)

    taken = _chosen(_filled(dataset, incoming, before, has_changed, is_back, now, run), is_replaced)
    return Merged(
        table=_replaced(dataset, stored, taken) if taken.num_rows else ordered(dataset, stored),
        differs=taken.num_rows > 0,
        outcomes=_outcomes(before, is_new, has_changed, now if resumed else None),
        accepted=_chosen(incoming, pc.invert(is_older)),
    )


def without(dataset: Dataset, table: pa.Table, removed: Sequence[str]) -> pa.Table:
    """Return a partition without the rows of these keys (see `keys`)."""
    return table.filter(pc.invert(pc.is_in(keys(dataset, table), value_set=pa.array(removed, pa.string()))))


def ordered(dataset: Dataset, table: pa.Table) -> pa.Table:
    """Return the rows in the order of a file: by key."""
    return table.take(order) if _is_disordered(order := _order(dataset, table)) else table


def keys(dataset: Dataset, table: pa.Table) -> pa.Array:
    """Return each row's key as one string."""
    parts = [pc.cast(table[name].combine_chunks(), pa.string()) for name in dataset.key]
    return parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, _SEPARATOR)


def key(*parts: str) -> str:
    """Return the key of a row with these key columns, as `keys` writes it."""
    return _SEPARATOR.join(parts)


def same_rows(left: pa.Array, right: pa.Array) -> pa.BooleanArray:
    """Say row by row whether two arrays of one type are equal; null equals null, and NaN equals NaN.

    >>> same_rows(pa.array([[1], [2, None], None]), pa.array([[1], [2, 3], None])).to_pylist()
    [True, False, True]
    """
    if left.equals(right):
        return pa.array(np.ones(len(left), dtype=bool))
    if pa.types.is_list(left.type):
        return _same_lists(left, right)
    both_null = pc.and_(left.is_null(), right.is_null())
    if pa.types.is_struct(left.type):
        same = pc.equal(left.is_valid(), right.is_valid())
        for place in range(left.type.num_fields):
            same = pc.and_(same, same_rows(pc.struct_field(left, [place]), pc.struct_field(right, [place])))
        return same
    if pa.types.is_floating(left.type):
        both_null = pc.or_(both_null, pc.fill_null(pc.and_(pc.is_nan(left), pc.is_nan(right)), False))
    return pc.or_(pc.fill_null(pc.equal(left, right), False), both_null)


def _same_lists(left: pa.ListArray, right: pa.ListArray) -> pa.BooleanArray:
    sizes = pc.fill_null(pc.list_value_length(left), -1)
    as_long = pc.equal(sizes, pc.fill_null(pc.list_value_length(right), -1))
    filled = pc.and_(as_long, pc.greater(sizes, 0))
    left, right = left.filter(filled), right.filter(filled)
    differing = pc.invert(same_rows(left.flatten(), right.flatten()))
    owners = pc.indices_nonzero(filled).take(pc.list_parent_indices(left).filter(differing))
    same = as_long.to_numpy(zero_copy_only=False).copy()
    same[owners.to_numpy()] = False
    return pa.array(same)


def _replaced(dataset: Dataset, stored: pa.Table, taken: pa.Table) -> pa.Table:
    """Return stored rows and those taken in, which replace stored ones of their keys, in the order of a file."""
    stays = pc.invert(pc.is_in(keys(dataset, stored), value_set=keys(dataset, taken)))
    together = pa.concat_tables([stored, taken])
    is_kept = pa.concat_arrays([stays, pa.repeat(True, taken.num_rows)])
    order = _order(dataset, together)
    order = order.filter(is_kept.take(order))
    return together.take(order) if len(order) < together.num_rows or _is_disordered(order) else together


def _order(dataset: Dataset, table: pa.Table) -> pa.UInt64Array:
    return pc.sort_indices(table, [(name, "ascending") for name in dataset.key])


def _is_disordered(order: pa.UInt64Array) -> bool:
    """Say whether rows have to move: mostly they come in order, and to copy them costs more than to look."""
    return bool((order.to_numpy() != np.arange(len(order))).any())


def _chosen(table: pa.Table, mask: pa.BooleanArray) -> pa.Table:
    return table if pc.all(mask, min_count=0).as_py() else table.filter(mask)


def _compared(
    dataset: Dataset, incoming: pa.Table, stored: pa.Table, places: pa.Array
) -> tuple[pa.BooleanArray, pa.BooleanArray]:
    """Say of each row whether it equals what is stored in its place, and whether that is current: a new one, neither.

    What is stored is current where its versions are the same, and it has all columns that the incoming row has: those
    that its version did not have are filled, which is no change of content. Only rows that have a place are compared:
    to a load, which has none, it would cost more than all else but encoding.
    """
    known = pc.indices_nonzero(places.is_valid())
    incoming, before = incoming.take(known), stored.take(places.drop_null())
    brought = _brought_later(dataset)
    counted = [name for name in dataset.schema.names if name not in dataset.uncounted.union(*brought)]
    is_same = _same_columns(incoming, before, counted)
    is_current = _same_columns(incoming, before, [name for name in ("versions",) if name in incoming.column_names])
    for names in brought:
        is_unknown = _are_null(before, names)
        is_same = pc.and_(is_same, pc.or_(is_unknown, _same_columns(incoming, before, names)))
        is_current = pc.and_not(is_current, pc.and_not(is_unknown, _are_null(incoming, names)))
    return _spread(is_same, known, len(places)), _spread(is_current, known, len(places))


def _brought_later(dataset: Dataset) -> list[list[str]]:
    """Return the compared columns that each version after the first brought."""
    brought = ({*added.get(dataset.name, ())} - dataset.uncounted for added in ADDED.values())
    return [sorted(names) for names in brought if names]


def _are_null(table: pa.Table, names: Sequence[str]) -> pa.BooleanArray:
    """Say of each row whether it has nothing in all of these columns: so it is in a row of a version without them."""
    return reduce(pc.and_, (table[name].combine_chunks().is_null() for name in names))


def _spread(answers: pa.BooleanArray, known: pa.Array, rows: int) -> pa.BooleanArray:
    """Return the answers for rows that have a place among all rows; for the others, no."""
    spread = np.zeros(rows, dtype=bool)
    spread[known.to_numpy()] = answers.to_numpy(zero_copy_only=False)
    return pa.array(spread)


def _same_columns(incoming: pa.Table, before: pa.Table, names: Sequence[str]) -> pa.BooleanArray:
    same = pa.array(np.ones(incoming.num_rows, dtype=bool))
    for name in names:
        same = pc.and_(same, same_rows(incoming[name].combine_chunks(), before[name].combine_chunks()))
    return same


def _is_older(incoming: pa.Table, before: pa.Table) -> pa.BooleanArray:
    if "fetched_at" not in incoming.column_names:
        return pa.array(np.zeros(incoming.num_rows, dtype=bool))
    older = pc.less(incoming["fetched_at"], before["fetched_at"])
    return pc.fill_null(older, False).combine_chunks()


def _keep_first_estimate(incoming: pa.Table, before: pa.Table) -> pa.Table:
    """Where a date is only the day of the fetch, the first fetch keeps it: else each visit would change the row."""
    if "published_precision" not in incoming.column_names:
        return incoming
    guessed = [pc.equal(table["published_precision"], "fetched") for table in (incoming, before)]
    is_estimate = pc.fill_null(pc.and_(*guessed), False)
    settled = pc.if_else(is_estimate, before["published_at"], incoming["published_at"])
    place = incoming.schema.get_field_index("published_at")
    return incoming.set_column(place, incoming.schema.field(place), settled)


def _keep_first_bringer(dataset: Dataset, incoming: pa.Table, before: pa.Table) -> pa.Table:
    for name in ("source", "input"):
        if name in dataset.uncounted:
            place = incoming.schema.get_field_index(name)
            kept = pc.coalesce(before[name], incoming[name])
            incoming = incoming.set_column(place, incoming.schema.field(place), kept)
    return incoming


def _answers_again(incoming: pa.Table, before: pa.Table) -> pa.BooleanArray:
    """Say which pages were found gone, and have been fetched since."""
    if "gone_at" not in before.column_names:
        return pa.array(np.zeros(incoming.num_rows, dtype=bool))
    return pc.fill_null(pc.greater(incoming["fetched_at"], before["gone_at"]), False).combine_chunks()


def _filled(
    dataset: Dataset,
    incoming: pa.Table,
    before: pa.Table,
    has_changed: pa.BooleanArray,
    is_back: pa.BooleanArray,
    now: datetime,
    run: str,
) -> pa.Table:
    """Return the incoming rows with every column of the dataset, those that only a merge knows included."""

    def column(name: str) -> pa.ChunkedArray:
        match name:
            case "first_seen_at":
                return pc.coalesce(before[name], pa.scalar(now, before[name].type))
            case "updated_at":
                return pc.if_else(has_changed, pa.scalar(now, before[name].type), before[name])
            case "revision":
                return pc.add(pc.fill_null(before[name], 0), has_changed.cast(before[name].type))
            case "gone_at":
                return pc.if_else(is_back, None, before[name])
            case "run":
                return pc.if_else(has_changed, run, before[name])
            case _:
                return incoming[name]

    return pa.Table.from_arrays([column(name) for name in dataset.schema.names], schema=dataset.schema)


def _outcomes(
    before: pa.Table, is_new: pa.BooleanArray, has_changed: pa.BooleanArray, resumed_at: datetime | None
) -> pa.Array:
    if resumed_at is not None and "first_seen_at" in before.column_names:
        is_new = pc.or_(is_new, pc.fill_null(pc.equal(before["first_seen_at"], resumed_at), False)).combine_chunks()
        updated = pc.fill_null(pc.equal(before["updated_at"], resumed_at), False)
        has_changed = pc.or_(has_changed, updated).combine_chunks()
    return pc.if_else(is_new, NEW, pc.if_else(has_changed, UPDATED, UNCHANGED))
