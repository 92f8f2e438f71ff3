"""Proving a store sound, or saying what is not: every file against the manifest, and every part against the others."""

import json
from collections import Counter, defaultdict
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from storage import intent
from storage.chore import LOCK, noted
from storage.derived import DERIVED
from storage.errors import DamagedFileError, SchemaVersionError
from storage.manifest import Entry, Known
from storage.merge import keys, ordered
from storage.pages import FOLDER as PAGES
from storage.partition import Partition, days, guard, read
from storage.schema import (
    ARTICLE_STORIES_DATASET,
    ARTICLES_DATASET,
    DATASETS,
    FINGERPRINTS_DATASET,
    REJECTIONS_DATASET,
    Dataset,
    added_since,
)
from storage.store import Store


class Kind(StrEnum):
    """What is wrong. Programs group by these: add, never rename."""

    CHANGED_BYTES = "changed-bytes"
    DAMAGED_FILE = "damaged-file"
    MISSING_FILE = "missing-file"
    LOST_ROWS = "lost-rows"
    UNRECORDED_FILE = "unrecorded-file"
    UNKNOWN_VERSION = "unknown-version"
    OLD_VERSION = "old-version"
    DUPLICATE_KEY = "duplicate-key"
    TWO_PARTITIONS = "two-partitions"
    OUT_OF_STEP = "out-of-step"
    STRAY_FILE = "stray-file"
    DAMAGED_PAGE = "damaged-page"
    MISSING_PAGE = "missing-page"
    INDEX_BEHIND = "index-behind"
    VISIT_WITHOUT_PAGE = "visit-without-page"
    UNFINISHED = "unfinished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is wrong: where, what, and whether `repair` can put it right."""

    kind: Kind
    path: str
    detail: str
    repairable: bool
    dataset: str | None = None
    partition: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was looked at, and what was found. `under_way` are runs that were publishing meanwhile."""

    findings: tuple[Finding, ...]
    partitions: int
    articles: int
    records: int
    under_way: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """Nothing is wrong."""
        return not self.findings

    def to_json(self) -> str:
        """Return the verdict for a program to read."""
        return json.dumps(asdict(self) | {"clean": self.clean}, default=date.isoformat, indent=2)


@dataclass(frozen=True, slots=True)
class _Part:
    """A partition to say something about. `can_be_made` from others is what a derived one can."""

    dataset: Dataset
    day: date

    @property
    def can_be_made(self) -> bool:
        return self.dataset.name in _FROM_ARTICLES

    def finding(self, kind: Kind, detail: str, *, repairable: bool) -> Finding:
        path, name = self.dataset.path(self.day), self.dataset.name
        return Finding(kind=kind, path=path, detail=detail, repairable=repairable, dataset=name, partition=self.day)


_FROM_ARTICLES: Final = {dataset.name: derive for dataset, derive in DERIVED}


def verify(store: Store, *, pages: bool = True) -> Verdict:
    """Look at everything a store holds; `pages=False` leaves out reading the archive, which is most of the work.

    Commits may go on meanwhile: what they have published and not recorded yet is not held against them. Housekeeping
    waits.
    """
    with store.files.lock(LOCK):
        survey = _Survey(store, pages)
        findings = tuple(survey.findings())
    return Verdict(
        findings=findings,
        partitions=survey.partitions,
        articles=len(survey.places),
        records=survey.records,
        under_way=survey.under_way,
    )


@dataclass(slots=True)
class _Survey:
    """A look at a store: what was seen of one part is kept to compare the others with.

    `is_blind` says that rows may lie where they cannot be seen, or are still to come.
    """

    store: Store
    pages: bool
    partitions: int = 0
    records: int = 0
    under_way: tuple[str, ...] = ()
    places: dict[str, date] = field(default_factory=dict)
    rejected: dict[str, date] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)
    wanted: dict[tuple[str, int], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    is_blind: bool = False

    def findings(self) -> Iterator[Finding]:
        yield from self._unfinished()
        yield from self._strays()
        yield from self._files()
        yield from self._archive()
        yield from self._index()

    # What was begun

    def _unfinished(self) -> Iterator[Finding]:
        for chore in noted(self.store.files):
            path, detail = f"state/chores/{chore.name}.json", f"a {chore.kind} was cut short"
            yield Finding(kind=Kind.UNFINISHED, path=path, detail=detail, repairable=True)
        alive = []
        begun, staged = intent.noted(self.store.files), self.store.staging.runs()
        for run in sorted({*begun, *staged}):
            if not self._is_dead(run):
                alive.append(run)
                continue
            self.is_blind = True
            is_half_way = run in begun and run in staged
            how = "half-way through its commit" if is_half_way else "and its next run completes it"
            detail = f"the run {run} was cut short, {how}: {len(staged.get(run, ()))} batches are staged"
            path = f"state/commits/{run}"
            yield Finding(kind=Kind.UNFINISHED, path=path, detail=detail, repairable=is_half_way)
        self.under_way = tuple(alive)

    def _is_dead(self, run: str) -> bool:
        with ExitStack() as stack:
            return all(stack.enter_context(self.store.files.try_lock(f"{what}-{run}")) for what in ("run", "commit"))

    def _strays(self) -> Iterator[Finding]:
        for dataset in DATASETS.values():
            known = {dataset.path(day) for day in days(self.store.files, dataset)}
            for path in self.store.files.list(dataset.folder):
                if path not in known:
                    detail = "is no file of this dataset, and readers may take it for one"
                    yield Finding(kind=Kind.STRAY_FILE, path=path, detail=detail, repairable=True, dataset=dataset.name)

    # The files of the datasets

    def _files(self) -> Iterator[Finding]:
        known = self.store.manifest.known()
        present = {dataset.name: set(days(self.store.files, dataset)) for dataset in DATASETS.values()}
        recorded: dict[str, set[date]] = defaultdict(set)
        for name, day in known.heads:
            recorded[name].add(day)
        suspects: list[Finding] = []
        of_articles = [*_FROM_ARTICLES, FINGERPRINTS_DATASET.name, ARTICLE_STORIES_DATASET.name]
        following = [ARTICLES_DATASET.name, *of_articles]
        for day in sorted(set().union(*(present[name] | recorded[name] for name in following))):
            with self.store.files.lock(guard(ARTICLES_DATASET, day)):
                yield from self._day(day, known, suspects)
        for day in sorted(present[REJECTIONS_DATASET.name] | recorded[REJECTIONS_DATASET.name]):
            with self.store.files.lock(guard(REJECTIONS_DATASET, day)):
                stored = yield from self._file(REJECTIONS_DATASET, day, known, suspects)
            if stored is not None:
                self._note_pages(REJECTIONS_DATASET.path(day), stored.table)
                self.rejected |= dict.fromkeys(keys(REJECTIONS_DATASET, stored.table).to_pylist(), day)
        yield from self._still_suspect(suspects)

    def _day(self, day: date, known: Known, suspects: list[Finding]) -> Iterator[Finding]:
        """Look at a day of articles and what follows from them, while nobody changes it."""
        articles = yield from self._file(ARTICLES_DATASET, day, known, suspects)
        if articles is not None:
            yield from self._take(day, articles.table)
        for name in (*_FROM_ARTICLES, FINGERPRINTS_DATASET.name, ARTICLE_STORIES_DATASET.name):
            dataset = DATASETS[name]
            stored = yield from self._file(dataset, day, known, suspects)
            if articles is not None and stored is not None:
                detail, repairable = _out_of_step(dataset, articles.table, stored, self._tells_stories())
                if detail:
                    yield _Part(dataset, day).finding(Kind.OUT_OF_STEP, detail, repairable=repairable)

    def _file(
        self, dataset: Dataset, day: date, known: Known, suspects: list[Finding]
    ) -> Generator[Finding, None, Partition | None]:
        """Look at one file, and return its rows if they can be read."""
        part, heads = _Part(dataset, day), known.heads.get((dataset.name, day), {})
        try:
            stored = read(self.store.files, dataset, day)
        except SchemaVersionError as error:
            self.is_blind = True
            yield part.finding(Kind.UNKNOWN_VERSION, str(error), repairable=False)
            return None
        except DamagedFileError as error:
            self.is_blind = True
            yield part.finding(Kind.DAMAGED_FILE, str(error), repairable=part.can_be_made)
            return None
        if stored.sha256 is None:
            if any(entry.rows for entry in heads.values()):
                detail = f"the manifest knows {_rows(heads)} rows here, and there is no file"
                suspects.append(part.finding(Kind.MISSING_FILE, detail, repairable=part.can_be_made))
            return stored
        self.partitions += 1
        if added_since(dataset, stored.schema):
            detail = f"has schema version {stored.schema}, which lacks columns of today"
            yield part.finding(Kind.OLD_VERSION, detail, repairable=True)
        if (double := stored.table.num_rows - len(pc.unique(keys(dataset, stored.table)))) > 0:
            yield part.finding(Kind.DUPLICATE_KEY, f"{double} rows repeat a key", repairable=part.can_be_made)
        if stored.sha256 not in heads:
            suspects.append(_unproved(part, stored, heads))
        return stored

    def _still_suspect(self, suspects: list[Finding]) -> Iterator[Finding]:
        """Yield what the manifest does not explain, unless it does by now or a run is about to record it."""
        known = self.store.manifest.known() if suspects else Known({})
        for finding in suspects:
            assert finding.dataset is not None
            assert finding.partition is not None
            dataset = DATASETS[finding.dataset]
            sha256 = _sha256(self.store, dataset, finding.partition)
            if not self.under_way and not (sha256 and known.has(finding.dataset, finding.partition, sha256)):
                yield finding

    def _take(self, day: date, table: pa.Table) -> Iterator[Finding]:
        """Keep what a day of articles says, and tell of those that another day holds too."""
        ids = table["article_id"].to_pylist()
        for article_id in ids:
            if self.places.setdefault(article_id, day) != day:
                detail = f"{article_id} lies here and in {ARTICLES_DATASET.path(self.places[article_id])}"
                yield _Part(ARTICLES_DATASET, day).finding(Kind.TWO_PARTITIONS, detail, repairable=False)
        self.urls |= {url: id_ for url, id_ in zip(table["url"].to_pylist(), ids, strict=True) if url is not None}
        self._note_pages(ARTICLES_DATASET.path(day), table)

    def _tells_stories(self) -> bool:
        return bool(self.store.files.list(ARTICLE_STORIES_DATASET.folder))

    def _note_pages(self, path: str, table: pa.Table) -> None:
        for page in table["page"].to_pylist():
            if page is not None:
                self.wanted[page["file"], page["offset"]][path] += 1

    # The archive

    def _archive(self) -> Iterator[Finding]:
        kept: dict[str, set[int]] = {}
        for file in self.store.pages.list():
            kept[file] = set()
            for record in self.store.pages.records(file) if self.pages else ():
                self.records += 1
                kept[file].add(record.offset)
                if record.trouble is not None:
                    detail = f"the record at byte {record.offset} {record.trouble}"
                    yield Finding(kind=Kind.DAMAGED_PAGE, path=f"{PAGES}/{file}", detail=detail, repairable=False)

        def is_missing(file: str, offset: int) -> bool:
            return file not in kept or (self.pages and offset not in kept[file])

        missing: Counter[tuple[str, str]] = Counter()
        for (file, offset), paths in self.wanted.items():
            if is_missing(file, offset):
                missing.update({(path, file): count for path, count in paths.items()})
        for (path, file), count in sorted(missing.items()):
            detail = f"{count} rows point to pages of {file} that are not there"
            yield Finding(kind=Kind.MISSING_PAGE, path=path, detail=detail, repairable=False)
        lost = Counter(file for _, file, offset in self.store.ledger.archived() if is_missing(file, offset))
        for file, count in sorted(lost.items()):
            detail = f"{count} visits in the ledger say that their page is here, and it is not"
            yield Finding(kind=Kind.VISIT_WITHOUT_PAGE, path=f"{PAGES}/{file}", detail=detail, repairable=True)

    # The index

    def _index(self) -> Iterator[Finding]:
        for dataset, found in ((ARTICLES_DATASET, self.places), (REJECTIONS_DATASET, self.rejected)):
            placed = self.store.ledger.placed(dataset.name)
            wrong = sum(placed.get(key) != day for key, day in found.items())
            stale = 0 if self.under_way or self.is_blind else len(placed.keys() - found.keys())
            if wrong or stale:
                detail = f"{wrong} rows are not where the index says, and {stale} that it names are not there"
                yield _behind(dataset, detail)
        identified = self.store.ledger.identified()
        wrong = sum(identified.get(url) != article_id for url, article_id in self.urls.items())
        if wrong:
            yield _behind(ARTICLES_DATASET, f"{wrong} addresses are not known as their articles'")


def _behind(dataset: Dataset, detail: str) -> Finding:
    return Finding(kind=Kind.INDEX_BEHIND, path=dataset.folder, detail=detail, repairable=True, dataset=dataset.name)


def _unproved(part: _Part, stored: Partition, heads: Mapping[str, Entry]) -> Finding:
    """Say what it means that the manifest does not know a file."""
    if not heads:
        return part.finding(Kind.UNRECORDED_FILE, "no commit is known to have published it", repairable=True)
    rows = _rows(heads)
    if stored.table.num_rows < rows:
        detail = f"has {stored.table.num_rows} rows of {rows}. Restore it from a copy, or reprocess its day"
        return part.finding(Kind.LOST_ROWS, detail, repairable=part.can_be_made)
    detail = "is not the file that was published last. Restore it from a copy, or reprocess its day"
    return part.finding(Kind.CHANGED_BYTES, detail, repairable=part.can_be_made)


def _rows(heads: Mapping[str, Entry]) -> int:
    return max(entry.rows for entry in heads.values())


def _sha256(store: Store, dataset: Dataset, day: date) -> str | None:
    return read(store.files, dataset, day, [*dataset.key]).sha256


def _out_of_step(dataset: Dataset, articles: pa.Table, stored: Partition, tells: bool) -> tuple[str, bool]:
    """Say how a dataset that follows from the articles differs from them, and whether it can be put right here."""
    if dataset.name in _FROM_ARTICLES:
        should = ordered(dataset, _FROM_ARTICLES[dataset.name](articles))
        return ("" if stored.table.equals(should) else "does not follow from the articles of its day"), True
    ids, known = (set(table["article_id"].to_pylist()) for table in (articles, stored.table))
    if known - ids:
        return f"tells of {len(known - ids)} articles that are not there", True
    if ids - known and (dataset is FINGERPRINTS_DATASET or tells):
        how = "reprocess their day" if dataset is FINGERPRINTS_DATASET else "tell the stories of their day again"
        return f"lacks {len(ids - known)} articles: {how}", False
    return "", True
