"""Proving a store sound, or saying what is not: every file against the manifest, and every part against the others."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Final

import pyarrow as pa

from storage import intent, untold
from storage.chore import LOCK, noted
from storage.derived import DERIVED
from storage.errors import DamagedFileError, SchemaVersionError, WrongSchemaError
from storage.manifest import Entry, Known
from storage.merge import keys, ordered
from storage.pages import FOLDER as PAGES
from storage.partition import Partition, days, guard, is_trusted, read, repeated
from storage.retention import kept_since, was_dropped
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
    WRONG_SCHEMA = "wrong-schema"
    DUPLICATE_KEY = "duplicate-key"
    TWO_PARTITIONS = "two-partitions"
    OUT_OF_STEP = "out-of-step"
    STRAY_FILE = "stray-file"
    DAMAGED_PAGE = "damaged-page"
    MISSING_PAGE = "missing-page"
    INDEX_BEHIND = "index-behind"
    VISIT_WITHOUT_PAGE = "visit-without-page"
    UNFINISHED = "unfinished"
    BROKEN_HISTORY = "broken-history"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is wrong: where, what, and whether `repair` can put it right.

    `by_caller` says that the caller can: what is wrong follows from the stored articles by a way that is not the
    store's (see `Verdict.days_to_fingerprint` and `Verdict.days_to_retell`).
    """

    kind: Kind
    path: str
    detail: str
    repairable: bool
    dataset: str | None = None
    partition: date | None = None
    by_caller: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was looked at, and what was found.

    `under_way` are runs that were at work meanwhile. `unjudged` are the files and folders of which nothing can be said
    until the commits end that were publishing: look again then.
    """

    findings: tuple[Finding, ...]
    partitions: int
    articles: int
    records: int
    under_way: tuple[str, ...]
    unjudged: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Nothing is wrong with what was judged."""
        return not self.findings

    @property
    def days_to_fingerprint(self) -> tuple[date, ...]:
        """The days whose articles need their fingerprints made again, for `storage.repair.put_fingerprints`."""
        return self._days_by_caller(FINGERPRINTS_DATASET)

    @property
    def days_to_retell(self) -> tuple[date, ...]:
        """The days whose stories need to be told again, for `storage.commit.publish_derived`."""
        return self._days_by_caller(ARTICLE_STORIES_DATASET)

    def to_json(self) -> str:
        """Return the verdict for a program to read."""
        days_ = {"days_to_fingerprint": self.days_to_fingerprint, "days_to_retell": self.days_to_retell}
        return json.dumps(asdict(self) | days_ | {"clean": self.clean}, default=date.isoformat, indent=2)

    def _days_by_caller(self, dataset: Dataset) -> tuple[date, ...]:
        found = (each for each in self.findings if each.by_caller and each.dataset == dataset.name)
        return tuple(sorted({each.partition for each in found if each.partition is not None}))


@dataclass(frozen=True, slots=True)
class _Part:
    """A partition to say something about; `can_be_made` says whether what it is made from can be believed."""

    dataset: Dataset
    day: date
    can_be_made: bool = False

    def finding(self, kind: Kind, detail: str, *, repairable: bool) -> Finding:
        """Say what is wrong, which may be repaired otherwise than by making the file again."""
        path, name = self.dataset.path(self.day), self.dataset.name
        return Finding(kind=kind, path=path, detail=detail, repairable=repairable, dataset=name, partition=self.day)

    def spoiled(self, kind: Kind, detail: str) -> Finding:
        """Say what is wrong, for which there is no help but to make the file again."""
        is_ours = self.dataset.name in _FROM_ARTICLES
        found = self.finding(kind, detail, repairable=self.can_be_made and is_ours)
        return replace(found, by_caller=self.can_be_made and self.dataset.name in _BY_CALLER)


@dataclass(slots=True)
class _Look:
    """A look at a day of articles and what follows from them, or at a day of rejections.

    `is_open` says that a commit was publishing, so that another look may find it sound.
    """

    day: date
    findings: list[Finding] = field(default_factory=list)
    stored: dict[str, Partition] = field(default_factory=dict)
    unexplained: list[str] = field(default_factory=list)
    is_believed: bool = False
    is_open: bool = False


_FROM_ARTICLES: Final = {dataset.name: derive for dataset, derive in DERIVED}
_BY_CALLER: Final = (FINGERPRINTS_DATASET.name, ARTICLE_STORIES_DATASET.name)
_FOLLOWING: Final = tuple(DATASETS[name] for name in (*_FROM_ARTICLES, *_BY_CALLER))
_INDEXED: Final = (ARTICLES_DATASET, REJECTIONS_DATASET)
_RESTORE: Final = "Restore it from a copy"


def verify(store: Store, *, pages: bool = True) -> Verdict:
    """Look at everything a store holds; `pages=False` leaves out reading the archive, which is most of the work.

    Commits may go on meanwhile: what one of them has published and not recorded yet is not held against it, and is
    named as not judged. Housekeeping waits.
    """
    with store.files.lock(LOCK):
        survey = _Survey(store, pages, store.manifest.known(), store.manifest.names())
        findings = tuple(survey.findings())
    return Verdict(
        findings=findings,
        partitions=survey.partitions,
        articles=len(survey.places),
        records=survey.records,
        under_way=survey.under_way,
        unjudged=tuple(survey.unjudged),
    )


@dataclass(slots=True)
class _Survey:
    """A look at a store: what was seen of one part is kept to compare the others with.

    `doubtful` are days, by dataset, whose rows may lie where they cannot be seen; `is_half_way` says that a commit has
    died that named places for rows which it did not publish.
    """

    store: Store
    pages: bool
    known: Known
    commits: list[str]
    partitions: int = 0
    records: int = 0
    under_way: tuple[str, ...] = ()
    unjudged: list[str] = field(default_factory=list)
    places: dict[str, date] = field(default_factory=dict)
    rejected: dict[str, date] = field(default_factory=dict)
    doubtful: dict[str, set[date]] = field(default_factory=lambda: defaultdict(set))
    urls: dict[str, str] = field(default_factory=dict)
    wanted: dict[tuple[str, int], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    is_half_way: bool = False

    def findings(self) -> Iterator[Finding]:
        placed = {dataset.name: self.store.ledger.placed(dataset.name) for dataset in _INDEXED}
        was_publishing = self._is_publishing()
        yield from self._unfinished()
        yield from self._untold()
        yield from self._strays()
        yield from self._files()
        if not was_publishing and not self.is_half_way:
            yield from self._gaps()
        yield from self._archive()
        yield from self._index(placed, was_publishing=was_publishing)

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
            self.is_half_way |= run in begun
            is_half_way = run in begun and run in staged
            how = "half-way through its commit" if is_half_way else "and its next run completes it"
            detail = f"the run {run} was cut short, {how}: {len(staged.get(run, ()))} batches are staged"
            path = f"state/commits/{run}"
            yield Finding(kind=Kind.UNFINISHED, path=path, detail=detail, repairable=is_half_way)
        self.under_way = tuple(alive)

    def _untold(self) -> Iterator[Finding]:
        """Tell of days whose articles a dead run had published, and not their stories."""
        with self.store.files.try_lock(untold.LOCK) as is_free:
            noted = untold.noted(self.store.files) if is_free else {}
        for run, days_ in noted.items():
            if self._is_dead(run):
                detail = f"the run {run} was cut short before it could tell the stories of this day"
                parts = (_Part(ARTICLE_STORIES_DATASET, day, can_be_made=True) for day in days_)
                yield from (part.spoiled(Kind.UNFINISHED, detail) for part in parts)

    def _is_dead(self, run: str) -> bool:
        with ExitStack() as stack:
            return all(stack.enter_context(self.store.files.try_lock(f"{what}-{run}")) for what in ("run", "commit"))

    def _is_publishing(self) -> bool:
        """Say whether a commit is under way."""
        with ExitStack() as stack:
            locks = (f"commit-{run}" for run in sorted(intent.noted(self.store.files)))
            return not all(stack.enter_context(self.store.files.try_lock(lock)) for lock in locks)

    def _strays(self) -> Iterator[Finding]:
        for dataset in DATASETS.values():
            known = {dataset.path(day) for day in days(self.store.files, dataset)}
            for path in self.store.files.list(dataset.folder):
                if path not in known:
                    detail = "is no file of this dataset, and readers may take it for one"
                    yield Finding(kind=Kind.STRAY_FILE, path=path, detail=detail, repairable=True, dataset=dataset.name)
        folders = ("state/", *(f"{dataset.folder}/" for dataset in DATASETS.values()))
        for path in self.store.files.list(""):
            if path.endswith(".parquet") and not path.startswith(folders):
                detail = "is in no dataset's folder, and readers of the whole may take it for data"
                yield Finding(kind=Kind.STRAY_FILE, path=path, detail=detail, repairable=True)

    # The files of the datasets

    def _files(self) -> Iterator[Finding]:
        """Look at every day, and at the end once more at those of which a commit was publishing something."""
        unsettled = []
        for dataset, day in [*self._days(ARTICLES_DATASET, *_FOLLOWING), *self._days(REJECTIONS_DATASET)]:
            look = self._look(dataset, day)
            if look.is_open:
                unsettled.append((dataset, day))
            else:
                yield from self._kept(dataset, look)
        for dataset, day in unsettled:
            look = self._look(dataset, day)
            self.unjudged.extend(look.unexplained if look.is_open else ())
            yield from self._kept(dataset, look)

    def _gaps(self) -> Iterator[Finding]:
        """Tell of articles that a commit was built on and no commit had published."""
        for (name, day), unheard in sorted(self.known.gaps.items()):
            if name == ARTICLES_DATASET.name:
                what = "was removed" if None in unheard else "was changed"
                detail = f"the file of this day {what} outside of copydesk, and a run has since built on that"
                part = _Part(ARTICLES_DATASET, day)
                detail += ". Compare it with a copy; a repair accepts it."
                yield part.finding(Kind.BROKEN_HISTORY, detail, repairable=True)

    def _days(self, first: Dataset, *others: Dataset) -> list[tuple[Dataset, date]]:
        """Return the days that these datasets have files for, or should have, each with the first of them."""
        names = {dataset.name for dataset in (first, *others)}
        found = {day for name, day in self.known.heads if name in names}
        for name in names:
            found.update(days(self.store.files, DATASETS[name]))
        return [(first, day) for day in sorted(found)]

    def _look(self, dataset: Dataset, day: date) -> _Look:
        """Look at a day of articles and what follows from them, or of rejections, while nobody changes it."""
        look = _Look(day)
        with self.store.files.lock(guard(dataset, day)):
            stored = self._file(look, _Part(dataset, day))
            look.is_believed = stored is not None and is_trusted(dataset, day, stored, self.known)
            if dataset is ARTICLES_DATASET:
                self._following(look)
        return look

    def _following(self, look: _Look) -> None:
        """Look at what follows from the articles of a day: where these cannot be believed, it proves nothing."""
        articles = look.stored.get(ARTICLES_DATASET.name)
        for dataset in _FOLLOWING:
            part = _Part(dataset, look.day, can_be_made=look.is_believed)
            stored = self._file(look, part)
            if articles is not None and look.is_believed and stored is not None:
                detail, is_spoiled = _out_of_step(dataset, articles.table, stored, self._tells_stories())
                if detail and (is_spoiled or not is_trusted(dataset, look.day, stored, self.known)):
                    look.findings.append(part.spoiled(Kind.OUT_OF_STEP, detail))
                elif detail:
                    look.findings.append(part.finding(Kind.OUT_OF_STEP, detail, repairable=True))
        told = any(look.stored[each.name].table.num_rows for each in _FOLLOWING if each.name in look.stored)
        is_missing = articles is not None and articles.sha256 is None
        if told and is_missing and (ARTICLES_DATASET.name, look.day) not in self.known.heads:
            detail = f"other datasets tell of articles of this day, and there is no file. {_RESTORE}"
            look.findings.append(_Part(ARTICLES_DATASET, look.day).spoiled(Kind.MISSING_FILE, detail))

    def _file(self, look: _Look, part: _Part) -> Partition | None:
        """Look at one file, and return its rows if they can be read."""
        try:
            stored = read(self.store.files, part.dataset, part.day)
        except SchemaVersionError as error:
            look.findings.append(part.finding(Kind.UNKNOWN_VERSION, str(error), repairable=False))
            return None
        except DamagedFileError as error:
            kind = Kind.WRONG_SCHEMA if isinstance(error, WrongSchemaError) else Kind.DAMAGED_FILE
            look.findings.append(part.spoiled(kind, str(error)))
            return None
        look.stored[part.dataset.name] = stored
        if stored.sha256 is None:
            if rows := _rows(self._heads(part)):
                detail = f"the manifest knows {rows} rows here, and there is no file"
                look.findings.append(part.spoiled(Kind.MISSING_FILE, detail))
            return stored
        look.findings.extend(self._read_file(look, part, stored))
        return stored

    def _read_file(self, look: _Look, part: _Part, stored: Partition) -> Iterator[Finding]:
        """Tell what is wrong with a file that can be read."""
        is_explained = self._is_explained(part, stored.sha256)
        if not is_explained:
            look.unexplained.append(part.dataset.path(part.day))
        double = repeated(part.dataset, stored.table)
        if added_since(part.dataset, stored.schema):
            detail = f"has schema version {stored.schema}, which lacks columns of today"
            yield part.finding(
                Kind.OLD_VERSION, detail, repairable=(is_explained or not self._heads(part)) and not double
            )
        if double:
            yield part.spoiled(Kind.DUPLICATE_KEY, f"{double} rows repeat a key")
        if is_explained:
            return
        if self._is_publishing():
            look.is_open = True
        elif not self._is_explained(part, stored.sha256, anew=True):
            heads = self._heads(part)
            if heads or not double:
                yield _unproved(part, stored, heads)
        else:
            look.unexplained.pop()

    def _heads(self, part: _Part) -> Mapping[str, Entry]:
        return self.known.heads.get((part.dataset.name, part.day), {})

    def _is_explained(self, part: _Part, sha256: str | None, *, anew: bool = False) -> bool:
        """Say whether the manifest knows a file; `anew` asks for what was recorded since it was read."""
        if anew and (names := self.store.manifest.names()) != self.commits:
            self.known, self.commits = self.store.manifest.known(), names
        return sha256 in self._heads(part)

    def _kept(self, dataset: Dataset, look: _Look) -> Iterator[Finding]:
        """Yield what a look has found, and keep what the day holds."""
        yield from look.findings
        self.partitions += sum(stored.sha256 is not None for stored in look.stored.values())
        if not look.is_believed:
            self.doubtful[dataset.name].add(look.day)
        stored = look.stored.get(dataset.name)
        if stored is not None:
            yield from self._take(dataset, look.day, stored.table)

    def _take(self, dataset: Dataset, day: date, table: pa.Table) -> Iterator[Finding]:
        """Keep what a day holds, and tell of what another day holds too."""
        places = self.places if dataset is ARTICLES_DATASET else self.rejected
        names = keys(dataset, table).to_pylist()
        others = {name: other for name in names if (other := places.setdefault(name, day)) != day}
        there = {other: self._keys(dataset, other) for other in {*others.values()}}  # a rejection may have left it
        for name, other in others.items():
            if name in there[other]:
                shown = name.replace("\x1f", " ")  # between the parts of a key
                detail = f"{shown} lies here and in {dataset.path(other)}"
                yield _Part(dataset, day).finding(Kind.TWO_PARTITIONS, detail, repairable=False)
        if dataset is ARTICLES_DATASET:
            addresses = zip(table["url"].to_pylist(), names, strict=True)
            self.urls |= {url: name for url, name in addresses if url is not None}
        self._note_pages(dataset.path(day), table)

    def _keys(self, dataset: Dataset, day: date) -> set[str]:
        """Return the keys of a day as it is now; of one that cannot be read, none."""
        try:
            return set(keys(dataset, read(self.store.files, dataset, day, [*dataset.key]).table).to_pylist())
        except (DamagedFileError, SchemaVersionError):
            return set()

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
        since = kept_since(self.store.files)
        for (file, offset), paths in self.wanted.items():
            if is_missing(file, offset) and (file in kept or not was_dropped(file, since)):
                missing.update({(path, file): count for path, count in paths.items()})
        for (path, file), count in sorted(missing.items()):
            detail = f"{count} rows point to pages of {file} that are not there"
            yield Finding(kind=Kind.MISSING_PAGE, path=path, detail=detail, repairable=False)
        lost = Counter(file for _, file, offset in self.store.ledger.archived() if is_missing(file, offset))
        for file, count in sorted(lost.items()):
            detail = f"{count} visits in the ledger say that their page is here, and it is not"
            yield Finding(kind=Kind.VISIT_WITHOUT_PAGE, path=f"{PAGES}/{file}", detail=detail, repairable=True)

    # The index

    def _index(self, before: Mapping[str, Mapping[str, date]], *, was_publishing: bool) -> Iterator[Finding]:
        is_known = not (was_publishing or self.is_half_way or self._is_publishing())
        for dataset, found in zip(_INDEXED, (self.places, self.rejected), strict=True):
            wrong = self._misplaced(dataset, found)
            stale = self._stale(dataset, before[dataset.name], found) if is_known else 0
            if wrong or stale:
                detail = f"{wrong} rows are not where the index says, and {stale} that it names are not there"
                yield _behind(dataset, detail)
            if was_publishing or self._is_publishing():
                self.unjudged.append(dataset.folder)
        identified = self.store.ledger.identified()
        wrong = sum(identified.get(url) != article_id for url, article_id in self.urls.items())
        if wrong:
            yield _behind(ARTICLES_DATASET, f"{wrong} addresses are not known as their articles'")

    def _misplaced(self, dataset: Dataset, found: Mapping[str, date]) -> int:
        """Count the rows that the index has elsewhere, leaving out those that a commit has dropped meanwhile."""
        placed, doubtful = self.store.ledger.placed(dataset.name), self.doubtful[dataset.name]
        wrong = [(key, day) for key, day in found.items() if day not in doubtful and placed.get(key) != day]
        there = {day: self._keys(dataset, day) for day in {day for _, day in wrong}}
        return sum(key in there[day] for key, day in wrong)

    def _stale(self, dataset: Dataset, before: Mapping[str, date], found: Collection[str]) -> int:
        """Count the keys that the index had before the look, and has now, that no day holds."""
        placed, doubtful = self.store.ledger.placed(dataset.name), self.doubtful[dataset.name]
        return sum(key not in found and before[key] not in doubtful for key in placed.keys() & before.keys())


def _behind(dataset: Dataset, detail: str) -> Finding:
    return Finding(kind=Kind.INDEX_BEHIND, path=dataset.folder, detail=detail, repairable=True, dataset=dataset.name)


def _unproved(part: _Part, stored: Partition, heads: Mapping[str, Entry]) -> Finding:
    """Say what it means that the manifest does not know a file."""
    if not heads:
        return part.finding(Kind.UNRECORDED_FILE, "no commit is known to have published it", repairable=True)
    rows = _rows(heads)
    if stored.table.num_rows < rows:
        return part.spoiled(Kind.LOST_ROWS, f"has {stored.table.num_rows} rows of {rows}. {_RESTORE}")
    return part.spoiled(Kind.CHANGED_BYTES, f"is not the file that was published last. {_RESTORE}")


def _rows(heads: Mapping[str, Entry]) -> int:
    return max((entry.rows for entry in heads.values()), default=0)


def _out_of_step(dataset: Dataset, articles: pa.Table, stored: Partition, tells: bool) -> tuple[str, bool]:
    """Say how a dataset differs from the articles it follows from, and whether it must be made again for that.

    Rows that tell of no article can be dropped.
    """
    if dataset.name in _FROM_ARTICLES:
        should = ordered(dataset, _FROM_ARTICLES[dataset.name](articles))
        return ("" if stored.table.equals(should) else "does not follow from the articles of its day"), True
    ids, known = (set(table["article_id"].to_pylist()) for table in (articles, stored.table))
    if ids - known and (dataset is FINGERPRINTS_DATASET or tells):
        how = (
            "make them from the stored text"
            if dataset is FINGERPRINTS_DATASET
            else "tell the stories of their day again"
        )
        return f"lacks {len(ids - known)} articles: {how}", True
    return (f"tells of {len(known - ids)} articles that are not there" if known - ids else ""), False
