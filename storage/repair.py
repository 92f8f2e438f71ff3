"""Putting right what can be made again; whatever else is wrong stays as it is, and is said."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from storage.commit import commit
from storage.rebuild import rebuild
from storage.schema import DATASET_KEY, STAGED_ARTICLES, STAGED_REJECTIONS
from storage.staging import holds
from storage.store import Store
from storage.upkeep import finish, migrate, perform
from storage.verify import Finding, Kind, Verdict, verify

_COMMITTED: Final = frozenset(schema.metadata[DATASET_KEY].decode() for schema in (STAGED_ARTICLES, STAGED_REJECTIONS))


def repair(store: Store, verdict: Verdict, now: datetime) -> Verdict:
    """Repair what a verdict calls repairable, and return what `verify` finds afterwards.

    Work that was cut short is completed first; the batches of a run stay until the run itself has used the answer.
    """
    found = [finding for finding in verdict.findings if finding.repairable]
    finish(store)
    for run in _half_way(found):
        staged = store.staging.runs().get(run, ())
        ours = [path for path in staged if holds(store.staging.read(path)) in _COMMITTED]
        commit(store, ours, run=run, now=now)
    if any(finding.kind is Kind.OLD_VERSION for finding in found):
        migrate(store, now)
    perform(store, "rebuild", now, sorted({*_steps(found)}), rebuild)
    return verify(store, pages=verdict.records > 0)


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
            case Kind.UNRECORDED_FILE:
                yield "record", str(finding.dataset), str(finding.partition)
            case _:
                yield "derive", str(finding.partition)
