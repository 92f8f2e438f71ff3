"""Putting right what can be made again; whatever else is wrong stays as it is, and is said."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from storage import migration
from storage.chore import Work
from storage.commit import commit
from storage.partition import guard
from storage.rebuild import rebuild, renew, trusted_articles
from storage.schema import (
    ARTICLE_STORIES_DATASET,
    DATASET_KEY,
    FINGERPRINTS_DATASET,
    STAGED_ARTICLES,
    STAGED_REJECTIONS,
)
from storage.staging import holds
from storage.store import Store
from storage.upkeep import finish, perform
from storage.verify import Finding, Kind, Verdict, verify

_COMMITTED: Final = frozenset(schema.metadata[DATASET_KEY].decode() for schema in (STAGED_ARTICLES, STAGED_REJECTIONS))


def repair(store: Store, verdict: Verdict, now: datetime) -> Verdict:
    """Repair what a verdict calls repairable, and return what `verify` finds afterwards.

    Work that was cut short is completed first; the batches of a run stay until the run itself has used the answer.
    Of a day whose articles are lost or cannot be believed nothing is made again, so that a copy restores it whole.

    What is left for the caller to make again, the returned verdict names: first the fingerprints of
    `days_to_fingerprint` (`put_fingerprints`), then the stories of those days and of `days_to_retell`
    (`storage.commit.publish_derived`), for which spoiled files of stories have been put aside.
    """
    found = [finding for finding in verdict.findings if finding.repairable]
    finish(store)
    for run in _half_way(found):
        staged = store.staging.runs().get(run, ())
        ours = [path for path in staged if holds(store.staging.read(path)) in _COMMITTED]
        commit(store, ours, run=run, now=now)
    old = sorted({(str(each.dataset), str(each.partition)) for each in found if each.kind is Kind.OLD_VERSION})
    perform(store, "migrate", now, old, migration.lift)
    perform(store, "rebuild", now, sorted({*_steps(found), *_aside(verdict.findings)}), rebuild)
    return verify(store, pages=verdict.records > 0)


def put_fingerprints(store: Store, day: date, table: pa.Table, now: datetime) -> None:
    """Replace the fingerprints of a day by ones made again from its stored articles; a damaged file is no trouble.

    `table` has the columns of `storage.schema.FINGERPRINTS`. Rows of articles that are not there any more are left out,
    and where the articles of the day cannot be believed, nothing is replaced.
    """
    rows = table.select(FINGERPRINTS_DATASET.schema.names).cast(FINGERPRINTS_DATASET.schema)

    def put(work: Work) -> None:
        with store.files.lock(guard(FINGERPRINTS_DATASET, day)):
            articles = trusted_articles(store, day)
            if articles is not None:
                there = pc.is_in(rows["article_id"], value_set=articles["article_id"].combine_chunks())
                renew(work, FINGERPRINTS_DATASET, day, rows.filter(there))

    perform(store, "rebuild", now, [("derive", day.isoformat())], put)


def _aside(found: Iterable[Finding]) -> Iterator[tuple[str, str]]:
    """Yield the steps that put aside the files of stories which are there and cannot be used."""
    for finding in found:
        is_there = finding.kind not in (Kind.MISSING_FILE, Kind.OUT_OF_STEP, Kind.UNFINISHED)
        if finding.by_caller and is_there and finding.dataset == ARTICLE_STORIES_DATASET.name:
            yield "stray", finding.path


def _half_way(found: Iterable[Finding]) -> list[str]:
    begun = (finding.path for finding in found if finding.kind is Kind.UNFINISHED)
    return sorted(path.rpartition("/")[2] for path in begun if path.startswith("state/commits/"))


def _steps(found: Iterable[Finding]) -> Iterator[tuple[str, ...]]:
    for finding in found:
        match finding.kind:
            case Kind.UNFINISHED | Kind.OLD_VERSION:
                pass
            case Kind.STRAY_FILE:
                yield "stray", finding.path
            case Kind.INDEX_BEHIND:
                yield ("index",)
            case Kind.VISIT_WITHOUT_PAGE:
                yield ("visits",)
            case Kind.BROKEN_HISTORY:
                yield "accept", str(finding.dataset), str(finding.partition)
            case Kind.UNRECORDED_FILE:
                yield "record", str(finding.dataset), str(finding.partition)
            case _:
                yield "derive", str(finding.partition)
