"""Which article a staged row is: the claims of one run against each other, then against what is known.

Claims and identities are tables, a row for each staged row: a run may have a hundred thousand.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from storage.ledger import Ledger

CLAIMING: Final = ("number", "source", "input", "url", "article_id", "fallback_id", "published_at")
"""The columns of a staged row that say which article it is, and where it belongs."""

CLAIMS: Final = pa.schema(
    [
        ("number", pa.int64()),
        ("source", pa.string()),
        ("input", pa.string()),
        ("url", pa.string()),
        ("claimed_id", pa.string()),
        ("fallback_id", pa.string()),
        ("day", pa.date32()),
        ("batch", pa.int32()),
        ("row", pa.int64()),
    ]
)
"""What staged rows say of their identity, and where the rows are: the number of a batch, and a place in it."""


def claims_of(batch: int, rows: pa.Table) -> pa.Table:
    """Return the claims of a staged table."""
    columns = {
        **{name: rows[name] for name in ("number", "source", "input", "url", "fallback_id")},
        "claimed_id": rows["article_id"],
        "day": pc.cast(rows["published_at"], pa.date32()),
        "batch": np.full(rows.num_rows, batch),
        "row": np.arange(rows.num_rows),
    }
    return pa.table({field.name: columns[field.name] for field in CLAIMS}, schema=CLAIMS)


def resolve(ledger: Ledger, claims: pa.Table, texts: Callable[[pa.Table], pa.ChunkedArray]) -> pa.Table:
    """Say which article each claim is, in the order of the run; `texts` reads the texts of some claims.

    Three columns more: `article_id`; `is_first`, which says that the row stands, and is not a repetition in the run;
    and `is_refused`, which says that the page claims another page's address, and is not believed.

    An address that two different texts claim belongs to neither, unless it is a claimant's own. A URL keeps the id it
    was first given. Of several rows of one article the first stands.
    """
    claims = claims.sort_by("number")
    contested = _contested(claims, texts)
    wanted = pc.if_else(pc.is_in(claims["claimed_id"], contested), claims["fallback_id"], claims["claimed_id"])
    urls, wishes = claims["url"].to_pylist(), wanted.to_pylist()
    given = ledger.identify({url: wish for url, wish in zip(reversed(urls), reversed(wishes), strict=True) if url})
    held = pa.array([given.get(url or "", wish) for url, wish in zip(urls, wishes, strict=True)], pa.string())
    refused = pc.and_(pc.equal(held, claims["fallback_id"]), pc.not_equal(held, claims["claimed_id"]))
    columns = {"article_id": held, "is_first": _are_first(held), "is_refused": refused}
    for name, column in columns.items():
        claims = claims.append_column(name, column)
    return claims


def _contested(claims: pa.Table, texts: Callable[[pa.Table], pa.ChunkedArray]) -> pa.Array:
    """Return the ids that claims of different pages and different texts share."""
    by_pages = _of_several(claims["claimed_id"], claims["fallback_id"])
    sharing = claims.filter(pc.is_in(claims["claimed_id"], by_pages))
    # Texts are most of a batch: those of the few that share an id are all that is read.
    return _of_several(sharing["claimed_id"], texts(sharing)) if sharing.num_rows else by_pages


def _of_several(ids: pa.ChunkedArray, values: pa.ChunkedArray) -> pa.Array:
    """Return the ids that have more than one value."""
    counted = pa.table({"id": ids, "value": values}).group_by("id").aggregate([("value", "count_distinct")])
    return counted["id"].filter(pc.greater(counted["value_count_distinct"], 1)).combine_chunks()


def _are_first(values: pa.Array) -> pa.BooleanArray:
    """Say of each value whether it has not come before.

    >>> _are_first(pa.array(["a", "b", "a"])).to_pylist()
    [True, True, False]
    """
    places = pa.table({"value": values, "place": np.arange(len(values))})
    first = np.zeros(len(values), dtype=bool)
    first[places.group_by("value").aggregate([("place", "min")])["place_min"].to_numpy()] = True
    return pa.array(first)
