"""Look at a dataset for what the states of its partitions are made from; nothing is changed by it."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date
from typing import Final, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from storage import read
from storage.records import Attempt, FileVisit, Run, Visit
from storage.schema import ARTICLES_DATASET, VERSIONS
from storage.store import Store
from tasks.documents import Outcome, Reason, Versions
from tasks.fetch.window import Window
from tasks.intake import ARRIVED
from tasks.partitions import Evidence, Key
from tasks.rows import versions_key

Rows: TypeAlias = "dict[Key, Counter[str]]"

_RUNS: Final = 20  # whose pace an estimate goes by


def look(store: Store, window: Window, today: Versions, sources: Collection[str] | None = None) -> Evidence:
    """Return what is known of the partitions in a window: of all sources, or of some.

    `today` are the versions of the desk as it is.
    """
    rows = rows_of(store, window, today)
    attempts = store.ledger.attempts(sources, window.first, window.last)
    kept = _lost(store, window, rows) + _waiting(store, window)
    return Evidence(
        rows={key: made_by for key, made_by in rows.items() if sources is None or key[0] in sources},
        kept={key: pages for key, pages in kept.items() if sources is None or key[0] in sources},
        attempts={(attempt.source, attempt.day): attempt for attempt in attempts},
        alive=_alive(store, attempts),
    )


def days_known(store: Store) -> Window | None:
    """Return the days from the first to the last that had articles; None where none ever had."""
    placed = store.ledger.placed_by_day(ARTICLES_DATASET.name)
    return Window(first=min(placed), last=max(placed)) if placed else None


def untold(store: Store, window: Window) -> tuple[date, ...]:
    """Return the days of a window with articles of which no story is told yet: a run died before it could."""
    columns = ["article_id", "published_date"]
    articles, stories = (
        one(str(store.root), columns=columns, filter=_inside(window)) for one in (read.articles, read.article_stories)
    )
    is_told = pc.is_in(articles["article_id"], value_set=stories["article_id"])
    return tuple(sorted(pc.unique(articles.filter(pc.invert(is_told))["published_date"]).to_pylist()))


def seconds_a_page(store: Store) -> float | None:
    """Return the seconds that the latest runs took for a page, not counting those spent on hosts; None before any."""
    runs = [run for run in store.ledger.runs(_RUNS) if run.seconds and _edited(run)]
    pages = sum(map(_edited, runs))
    working = sum(seconds for run in runs for stage, seconds in run.seconds.items() if stage != "collect")
    return working / pages if pages else None


def _edited(run: Run) -> int:
    """Return how many pages a run took to the desk; housekeeping counts other things."""
    return sum(run.counts.get(outcome, 0) for outcome in (Outcome.NEW, Outcome.UPDATED, Outcome.UNCHANGED))


def rows_of(store: Store, window: Window, today: Versions) -> Rows:
    """Count the rows of each source and day by the versions that made them.

    A row counts as made today, too, where today's desk has set its page aside: to edit it anew would change nothing.
    """
    table = read.articles(str(store.root), columns=["source", "versions", "published_date"], filter=_inside(window))
    parts = pa.Table.from_struct_array(pa.chunked_array(table["versions"].chunks, VERSIONS))
    names = parts.column_names
    parts = parts.append_column("source", table["source"]).append_column("day", table["published_date"])
    counted: Rows = {}
    for row in parts.group_by(parts.column_names).aggregate([([], "count_all")]).to_pylist():
        made_by = versions_key(Versions(**{name: row[name] for name in names}))
        counted.setdefault((row["source"], row["day"]), Counter())[made_by] += row["count_all"]
    current = versions_key(today)
    old = {key for key, made_by in counted.items() if set(made_by) - {current}}
    for key, made_by in _judged_today(store, window, old, today):
        counted[key][made_by] -= 1
        counted[key][current] += 1
    return counted


def _judged_today(store: Store, window: Window, old: Collection[Key], today: Versions) -> list[tuple[Key, str]]:
    """Return the partition and versions of each older row whose page today's desk has set aside."""
    if not old:
        return []
    judged = {
        (row["source"], row["input"])
        for row in read.rejections(
            str(store.root),
            columns=["source", "input", "reason", "versions"],
            filter=pc.field("page").is_valid()
            & pc.field("versions").is_valid()
            & (pc.field("reason") != str(Reason.DAMAGED_ARCHIVE)),
        ).to_pylist()
        if replace(Versions(**row["versions"]), watchlists=today.watchlists) == today
    }
    if not judged:
        return []
    rows = read.articles(
        str(store.root), columns=["source", "input", "versions", "published_date"], filter=_inside(window)
    )
    inputs = pa.array(sorted({input_ for _, input_ in judged}), pa.string())
    found = []
    for row in rows.filter(pc.is_in(rows["input"], value_set=inputs)).to_pylist():
        key, made_by = (row["source"], row["published_date"]), versions_key(Versions(**row["versions"]))
        if key in old and made_by != versions_key(today) and (row["source"], row["input"]) in judged:
            found.append((key, made_by))
    return found


def _inside(window: Window) -> pc.Expression:
    day = pc.field("published_date")
    return (day >= window.first) & (day <= window.last)


def _lost(store: Store, window: Window, rows: Rows) -> Counter[Key]:
    """Count the articles that a day had, and has no more, by the source of their last visit; where pages are kept."""
    there = Counter[date]()
    for (_, day), made_by in rows.items():
        there[day] += sum(made_by.values())
    lost = Counter[Key]()
    for day, placed in store.ledger.placed_by_day(ARTICLES_DATASET.name).items():
        if window.first <= day <= window.last and placed > there[day]:
            lost.update((source, day) for source in _sources_of(store, _absent(store, day)))
    return lost


def _absent(store: Store, day: date) -> set[str]:
    here = read.articles(str(store.root), columns=["article_id"], filter=pc.field("published_date") == day)
    return store.ledger.placed_on(ARTICLES_DATASET.name, day).difference(here["article_id"].to_pylist())


def _sources_of(store: Store, article_ids: Collection[str]) -> list[str]:
    """Return the source of each article whose page is kept."""
    ids, kept = sorted(article_ids), frozenset(store.pages.list())
    last: dict[str | None, Visit | FileVisit] = {visit.article_id: visit for visit in store.ledger.file_visits_of(ids)}
    fetched = sorted(store.ledger.visits_of(ids), key=lambda visit: visit.fetched_at)
    last |= {visit.article_id: visit for visit in fetched}
    return [visit.source for visit in last.values() if visit.page_file in kept]


def _waiting(store: Store, window: Window) -> Counter[Key]:
    """Count the pages that were archived by a run that died before they came to the desk."""
    days = ((visit.source, visit.fetched_at.date()) for visit in store.ledger.arrived(ARRIVED, None))
    return Counter(key for key in days if window.first <= key[1] <= window.last)


def _alive(store: Store, attempts: Iterable[Attempt]) -> frozenset[str]:
    """Return the runs that are at work on unfinished attempts: those whose lock is held."""
    alive = set()
    for run in {attempt.run for attempt in attempts if attempt.finished_at is None}:
        with store.files.try_lock(f"run-{run}") as is_dead:
            if not is_dead:
                alive.add(run)
    return frozenset(alive)
