"""What a source offers now, and what is known of it already: looked at, not visited."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from storage.records import FileVisit
from storage.records import Visit as PageVisit
from storage.store import Store
from tasks.documents import Candidate, Outcome, Page, Rejection
from tasks.fetch.client import Fetcher
from tasks.fetch.discover import discover
from tasks.fetch.freshness import Answer
from tasks.fetch.glance import Glance
from tasks.fetch.local import read_local
from tasks.fetch.results import Deferred, Fetched, Tally, Visit
from tasks.fetch.sources import Source
from tasks.fetch.webshelf import Ask

STORED: Final = "stored"  # what became of an entry that is an article now
_ARTICLES: Final = frozenset({Outcome.NEW, Outcome.UPDATED, Outcome.UNCHANGED})


@dataclass(slots=True)
class Glimpse:
    """What a source offers: its entries or documents, parted into new and known, and all that stands in the way."""

    entries: int = 0
    newest: datetime | None = None
    new: list[Candidate | Page] = field(default_factory=list)  # of documents on disk the first only
    new_count: int = 0
    known: Counter[str] = field(default_factory=Counter)  # what became of them: stored, or a reason
    left_out: Counter[str] = field(default_factory=Counter)
    troubles: list[Rejection | Deferred] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    passed_over: int = 0
    page: Fetched | None = None


async def glimpse_web(source: Source, fetcher: Fetcher, store: Store | None, now: datetime) -> Glimpse:
    """Ask a source on the network for all that it offers."""
    seen, candidates = Glimpse(), dict[str, Candidate]()
    async for found in discover(source, fetcher, now=now, memory=Glance(now)):
        match found:
            case Candidate():
                candidates[found.input] = found
            case Visit(answer=Answer.PASSED_OVER):
                seen.passed_over += 1
            case Visit():
                seen.visits.append(found)
            case Tally():
                seen.left_out[found.reason] += found.count
            case Fetched():
                seen.page = found
            case Rejection() | Deferred():
                seen.troubles.append(found)
    seen.entries = sum(visit.entries for visit in seen.visits) or len(candidates)
    seen.newest = _newest(seen)
    became = {} if store is None else _known(candidates, store)
    seen.known = Counter(became.values())
    seen.new += [candidate for name, candidate in candidates.items() if name not in became]
    seen.new_count = len(seen.new)
    return seen


def _known(candidates: Mapping[str, Candidate], store: Store) -> dict[str, str]:
    """Return what became of those candidates that were had before, also by way of another source."""
    became = {name: _became(visit) for name, visit in store.ledger.visits(candidates).items()}
    others = {each.url: name for name, each in candidates.items() if name not in became and each.url is not None}
    return became | {others[url]: STORED for url in store.ledger.identities(others)}


def glimpse_disk(source: Source, store: Store | None, ask: Ask) -> Glimpse:
    """Read every document of a source's files."""
    seen = Glimpse()
    for found in read_local(source, None, ask):
        if isinstance(found, Tally):
            seen.left_out[found.reason] += found.count
            continue
        seen.entries += 1
        if isinstance(found, Rejection):
            seen.known[found.reason] += 1
            continue
        seen.newest = found.fetched_at if seen.newest is None else max(seen.newest, found.fetched_at)
        visit = None if store is None else store.ledger.file_visits(source.name, [found.input]).get(found.input)
        if visit is not None and visit.sha256 == found.sha256:
            seen.known[_became(visit)] += 1
            continue
        seen.new_count += 1
        seen.new = seen.new or [found]
    return seen


def _newest(seen: Glimpse) -> datetime | None:
    """Return the newest date that is stated, of an entry or of a sitemap that was not read."""
    stated = [visit.newest for visit in seen.visits]
    if seen.passed_over:
        stated += [sitemap.modified_at for visit in seen.visits for sitemap in visit.listing.sitemaps]
    return max((date for date in stated if date is not None), default=None)


def _became(visit: PageVisit | FileVisit) -> str:
    return STORED if visit.outcome in _ARTICLES else visit.reason or visit.outcome
