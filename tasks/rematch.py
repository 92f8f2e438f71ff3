"""Stored articles and today's watchlists: where these are all that has changed, the stored text will do.

Neither page nor desk is asked: what the watchlists find now takes the place of what they found, and the rows go the way
of all edited rows, so that a run which is cut short here is finished like any other.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from storage.partition import days, read
from storage.schema import ARTICLES_DATASET
from storage.store import Store
from tasks.documents import Topic, Versions
from tasks.edit import Desk, versions
from tasks.job import Job
from tasks.rows import ARTICLES, restaged_table, versions_key
from tasks.topics.watching import watched

FIRST_NUMBER: Final = 1 << 33  # beside what the same run fetches or takes from the archive


def rematch(job: Job, chosen: Iterable[date] | None = None) -> int:
    """Stage the articles of some days, or of all, that differ from today's desk in their watchlists alone.

    `publish_run` publishes them. Returns how many there are.
    """
    staged = 0
    with job.place.open() as store:
        known = days(store.files, ARTICLES_DATASET)
        for day in sorted(known if chosen is None else set(known).intersection(chosen)):
            if (rows := _rows(store, day, job.desk)) is not None:
                table = restaged_table(
                    rows, list(_matched(rows, job.desk)), versions(job.desk).watchlists, FIRST_NUMBER + staged
                )
                store.staging.write(job.run, f"rematch-{day}", ARTICLES, table)
                _remember(store, rows, job.desk)
                staged += rows.num_rows
    return staged


def differs_in_watchlists_only(made_by: Versions, today: Versions) -> bool:
    """Tell whether a row is stale, and `rematch` can bring it up to date."""
    return made_by != today and replace(made_by, watchlists=today.watchlists) == today


def _rows(store: Store, day: date, desk: Desk) -> pa.Table | None:
    """Return a day's rows that are to be matched anew; None where there is none."""
    today = versions(desk)
    made_by = read(store.files, ARTICLES_DATASET, day, ["versions"]).table["versions"].to_pylist()
    if not any(differs_in_watchlists_only(Versions(**each), today) for each in made_by):
        return None
    rows = read(store.files, ARTICLES_DATASET, day).table
    stale = [differs_in_watchlists_only(Versions(**each), today) for each in rows["versions"].to_pylist()]
    return rows.filter(pa.array(stale, pa.bool_()))


def _matched(rows: pa.Table, desk: Desk) -> Iterator[tuple[Topic, ...]]:
    """Yield the watchlists that each article is on now."""
    for row in rows.select(["title", "text", "language"]).to_pylist():
        yield () if desk.watchlists is None else watched(row["title"], row["text"], row["language"], desk.watchlists)


def _remember(store: Store, rows: pa.Table, desk: Desk) -> None:
    """Note in the ledger that the pages of these articles need no editing for the watchlists' sake."""
    key = versions_key(versions(desk))
    before = {row["article_id"]: versions_key(Versions(**row["versions"])) for row in _told(rows)}
    visits = store.ledger.visits_of(before)
    store.ledger.record_visits(
        replace(each, versions=key) for each in visits if each.article_id and each.versions == before[each.article_id]
    )
    for source in pc.unique(rows["source"]).to_pylist():
        inputs = rows.filter(pc.equal(rows["source"], source))["input"].to_pylist()
        read_before = store.ledger.file_visits(source, inputs).values()
        store.ledger.record_file_visits(
            replace(each, versions=key) for each in read_before if each.versions == before.get(each.article_id or "")
        )


def _told(rows: pa.Table) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = rows.select(["article_id", "versions"]).to_pylist()
    return found
