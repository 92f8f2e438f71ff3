"""Taking an article out everywhere, so that no file of the store tells of it any more.

The plan is a note that names the article until the work is done. What remains is its id, which is a hash, in the
history of the manifest, and hashes of its id and addresses on the block list, so that no later run brings it back.
Copies made elsewhere (backups, the report of an earlier run, logs) are not within reach.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from storage import intent
from storage.blocklist import block
from storage.chore import Steps, Work
from storage.derived import DERIVED
from storage.merge import keys, without
from storage.pages import FOLDER as PAGES
from storage.pages import target_uri
from storage.partition import days, guard, read
from storage.schema import (
    ARTICLE_STORIES_DATASET,
    ARTICLES_DATASET,
    FINGERPRINTS_DATASET,
    REJECTIONS_DATASET,
    Dataset,
)
from storage.store import Store
from storage.warc import ERASED

_STAGED_NAMES: Final = ("article_id", "fallback_id", "url", "canonical_url", "input")
"""Columns by which a row of a staged batch, of whatever kind, is known to be about an article."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was taken out. `stories` are days whose stories should be told again: some referred to the article."""

    articles: int
    rejections: int
    pages: int
    stories: tuple[date, ...]

    def __bool__(self) -> bool:
        """Whether anything was found."""
        return bool(self.articles or self.rejections or self.pages)


@dataclass(frozen=True, slots=True)
class _Row:
    """A row that tells of an article: its key and day, the addresses in it, and the page it points to."""

    key: str
    day: date
    urls: frozenset[str]
    page: tuple[str, int] | None


def traces(store: Store, *, url: str | None, article_id: str | None) -> Steps:
    """Return every place that tells of an article, as steps: its ids, addresses, rows and archived pages."""
    ids, urls = _known_as(store, url, article_id)
    articles = list(_rows(store, ARTICLES_DATASET, ids, urls))
    ids.update(row.key for row in articles)
    urls.update(*(row.urls for row in articles), store.ledger.urls_of(ids))
    visits = [*store.ledger.visits_of(ids), *store.ledger.visits(urls).values()]
    urls.update(visit.url for visit in visits)
    rejections = list(_rows(store, REJECTIONS_DATASET, (), urls))
    pages = {row.page for row in (*articles, *rejections) if row.page is not None}
    pages.update((visit.page_file, visit.page_offset or 0) for visit in visits if visit.page_file is not None)
    pages.update(_records(store, {target_uri(each) for each in urls}))
    return (
        *(("id", each) for each in sorted(ids)),
        *(("url", each) for each in sorted(urls)),
        *sorted(("articles", row.key, row.day.isoformat()) for row in articles),
        *sorted(("rejections", row.key, row.day.isoformat()) for row in rejections),
        *(("stories", day.isoformat()) for day in _telling(store, ids)),
        *(("page", file, str(offset)) for file, offset in sorted(pages) if store.files.exists(f"{PAGES}/{file}")),
    )


def forget(work: Work) -> Forgotten:
    """Take out what the steps name; the block list comes first, so that a run under way does not bring it back."""
    found: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for kind, *names in work.chore.steps:
        found[kind].append(tuple(names))
    ids, urls = ([name for (name,) in found[kind]] for kind in ("id", "url"))
    store = work.store
    block(store.files, [*ids, *urls])
    for day, gone in _by_day(found["articles"]).items():
        _drop_articles(work, day, gone)
    for day, gone in _by_day(found["rejections"]).items():
        with store.files.lock(guard(REJECTIONS_DATASET, day)):
            stored = read(store.files, REJECTIONS_DATASET, day).table
            work.press.replace(REJECTIONS_DATASET, day, without(REJECTIONS_DATASET, stored, gone))
    stories = tuple(date.fromisoformat(day) for (day,) in found["stories"])
    for day in stories:
        _drop_stories(work, day, ids)
    _drop_staged(store, {*ids, *urls})
    for file, offsets in _by_file(found["page"]).items():
        store.pages.erase(file, offsets, work.chore.now)
    _drop_from_manifest(store, {key for key, _ in found["rejections"]})
    store.ledger.displace(ARTICLES_DATASET.name, ids)
    store.ledger.displace(REJECTIONS_DATASET.name, [key for key, _ in found["rejections"]])
    store.ledger.forget_articles(ids)
    store.ledger.drop_visits(urls)
    store.ledger.drop_identities(urls)
    return Forgotten(len(found["articles"]), len(found["rejections"]), len(found["page"]), stories)


# Finding


def _known_as(store: Store, url: str | None, article_id: str | None) -> tuple[set[str], set[str]]:
    """Return the ids and addresses that the ledger ties to what was asked for."""
    ids = {article_id} if article_id is not None else set()
    urls = {url} if url is not None else set()
    ids.update(store.ledger.identities(urls).values())
    ids.update(visit.article_id for visit in store.ledger.visits(urls).values() if visit.article_id is not None)
    return ids, urls


def _rows(store: Store, dataset: Dataset, ids: Iterable[str], urls: Iterable[str]) -> Iterator[_Row]:
    """Yield the rows of these articles, and those with one of these addresses."""
    ids, addresses = pa.array([*ids], pa.string()), pa.array([*urls], pa.string())
    named = [name for name in ("input", "url", "canonical_url") if name in dataset.schema.names]
    for day in days(store.files, dataset):
        table = read(store.files, dataset, day, [*{*dataset.key, *named, "page"}]).table
        table = table.append_column("key", keys(dataset, table))
        wanted = pc.is_in(table["key"], value_set=ids)
        for name in named:
            wanted = pc.or_(wanted, pc.is_in(table[name], value_set=addresses))
        for row in table.filter(wanted).to_pylist():
            found = frozenset(row[name] for name in named if row[name] is not None and "://" in row[name])
            page = row["page"] and (row["page"]["file"], row["page"]["offset"])
            yield _Row(row["key"], day, found, page)


def _telling(store: Store, ids: Iterable[str]) -> Iterator[date]:
    """Yield the days with a story that names one of these articles."""
    names = pa.array([*ids], pa.string())
    for day in days(store.files, ARTICLE_STORIES_DATASET):
        if pc.any(_names(read(store.files, ARTICLE_STORIES_DATASET, day).table, names)).as_py():
            yield day


def _names(stories: pa.Table, names: pa.Array) -> pa.ChunkedArray:
    about, original, repeated = (
        pc.is_in(stories[column], value_set=names) for column in ("article_id", "story_id", "duplicate_of")
    )
    return pc.or_(about, pc.or_(original, repeated))


def _records(store: Store, uris: set[str]) -> Iterator[tuple[str, int]]:
    """Yield every record of these addresses, of earlier visits too."""
    for file in store.pages.list():
        for record in store.pages.records(file):
            if record.url in uris and record.url != ERASED:
                yield file, record.offset


# Taking out


def _drop_articles(work: Work, day: date, gone: list[str]) -> None:
    with work.store.files.lock(guard(ARTICLES_DATASET, day)):
        for dataset in (ARTICLES_DATASET, FINGERPRINTS_DATASET):
            stored = read(work.store.files, dataset, day).table
            work.press.replace(dataset, day, without(dataset, stored, gone))
        articles = read(work.store.files, ARTICLES_DATASET, day).table
        for dataset, derive in DERIVED:
            work.press.replace(dataset, day, derive(articles))


def _drop_stories(work: Work, day: date, ids: list[str]) -> None:
    with work.store.files.lock(guard(ARTICLE_STORIES_DATASET, day)):
        stored = read(work.store.files, ARTICLE_STORIES_DATASET, day).table
        left = stored.filter(pc.invert(_names(stored, pa.array(ids, pa.string()))))
        work.press.replace(ARTICLE_STORIES_DATASET, day, left)


def _drop_staged(store: Store, names: set[str]) -> None:
    """Take rows out of the batches and results that dead runs left; a run that lives skips what is blocked."""
    for run, paths in store.staging.runs().items():
        with store.files.try_lock(f"commit-{run}") as is_free:
            for path in paths if is_free else ():
                table = store.staging.read(path)
                left = table.filter(pc.invert(_about(table, names)))
                if left.num_rows < table.num_rows:
                    store.staging.replace(path, left)
    intent.forget(store.files, ())


def _about(table: pa.Table, names: set[str]) -> pa.Array:
    value_set = pa.array(sorted(names), pa.string())
    about = pa.array([False] * table.num_rows, pa.bool_())
    for column in _STAGED_NAMES:
        if column in table.column_names:
            about = pc.or_(about, pc.is_in(table[column].combine_chunks(), value_set=value_set))
    return about


def _drop_from_manifest(store: Store, gone: set[str]) -> None:
    """Take the keys of rejections, which hold addresses, out of the manifest's history."""
    for name in store.manifest.names():
        entries = store.manifest.of(name)
        cleaned = [
            replace(
                entry,
                first_key=None if entry.first_key in gone else entry.first_key,
                last_key=None if entry.last_key in gone else entry.last_key,
            )
            for entry in entries
        ]
        if cleaned != entries:
            store.manifest.record(name, cleaned)


def _by_day(steps: Iterable[tuple[str, ...]]) -> dict[date, list[str]]:
    found: dict[date, list[str]] = defaultdict(list)
    for key, day in steps:
        found[date.fromisoformat(day)].append(key)
    return dict(sorted(found.items()))


def _by_file(steps: Iterable[tuple[str, ...]]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for file, offset in steps:
        found[file].add(int(offset))
    return found
