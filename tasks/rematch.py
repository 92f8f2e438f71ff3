"""Stored articles and today's watchlists: where these are all that has changed, the stored text will do.

Neither page nor desk is asked: what the watchlists find now takes the place of what they found, and the rows go the way
of all edited rows, so that a run which is cut short here is finished like any other.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from storage.partition import read
from storage.schema import ARTICLES_DATASET
from storage.store import Store
from tasks.documents import Topic, Versions
from tasks.edit import Desk, versions
from tasks.rows import ARTICLES, restaged_table, versions_key
from tasks.topics.watching import watched

FIRST_NUMBER: Final = 1 << 33  # beside what the same run fetches, or takes from the archive


def differ_in_watchlists_only(made_by: Versions, today: Versions) -> bool:
    """Tell whether a row is stale, and `rematch` can bring it up to date.

    >>> old = Versions(pipeline="1", rules="2", taxonomy="3", tagger="4")
    >>> differ_in_watchlists_only(old, replace(old, watchlists="5")), differ_in_watchlists_only(old, old)
    (True, False)
    """
    return made_by != today and replace(made_by, watchlists=today.watchlists) == today


def rematch(store: Store, run: str, chosen: Mapping[date, Collection[str]], desk: Desk) -> None:
    """Match stored articles, named by their day, with a desk's watchlists, and stage them for the run's commit."""
    number = FIRST_NUMBER
    for day, ids in sorted(chosen.items()):
        rows = read(store.files, ARTICLES_DATASET, day).table
        rows = rows.filter(pc.is_in(rows["article_id"], value_set=pa.array(sorted(ids), pa.string())))
        table = restaged_table(rows, list(_matched(rows, desk)), versions(desk).watchlists, number)
        store.staging.write(run, f"rematch-{day}", ARTICLES, table)
        _remember(store, rows, desk)
        number += rows.num_rows


def _matched(rows: pa.Table, desk: Desk) -> Iterator[tuple[Topic, ...]]:
    """Yield the watchlists that each article is on now."""
    for row in rows.select(["title", "text", "language"]).to_pylist():
        yield () if desk.watchlists is None else watched(row["title"], row["text"], row["language"], desk.watchlists)


def _remember(store: Store, rows: pa.Table, desk: Desk) -> None:
    """Note in the ledger that the pages of these articles need no editing for the watchlists' sake."""
    key = versions_key(versions(desk))
    made_by = {
        row["article_id"]: versions_key(Versions(**row["versions"]))
        for row in rows.select(["article_id", "versions"]).to_pylist()
    }
    ids, ledger = sorted(made_by), store.ledger
    ledger.record_visits(
        replace(each, versions=key) for each in ledger.visits_of(ids) if each.versions == made_by[each.article_id or ""]
    )
    ledger.record_file_visits(
        replace(each, versions=key)
        for each in ledger.file_visits_of(ids)
        if each.versions == made_by[each.article_id or ""]
    )
