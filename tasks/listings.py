"""What listings said on their last visits, kept: to be recalled, to see what is new, to know when to come again."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import urljoin

import pyarrow as pa

from storage.records import FeedVisit
from storage.records import Visit as PageVisit
from storage.schema import INSTANT
from storage.store import Store
from tasks.documents import Rejection
from tasks.fetch.feeds import Entry, Listing
from tasks.fetch.freshness import Answer, Rhythm, after_answer, after_deferral, after_failure
from tasks.fetch.memory import Remembered
from tasks.fetch.results import Deferred, Fetched, Validator, Visit
from tasks.fetch.sources import Source, SourceKind
from tasks.rows import HINTS, hints_of

_FOLDER = "state/listings"
_ENTRIES = pa.schema(
    [
        *(("link", pa.string()), ("guid", pa.string()), ("modified_at", INSTANT)),
        *(("sitemap", pa.bool_()), ("hints", HINTS)),
    ]
)
_VAGUE = timedelta(days=2)  # how much later than its midnight a day without a time may end, somewhere on earth


@dataclass(frozen=True, slots=True)
class ListingMemory:
    """What is remembered of a source's listings while it is discovered: a `tasks.fetch.memory.Memory`."""

    store: Store
    source: Source
    now: datetime

    def validator(self, url: str) -> Validator | None:
        """Return what to ask with; nothing where what is to be had is not at hand, as a 304 does not bring it."""
        if not self._is_kept(url):
            return None if url != self.source.location else page_validator(self.store.ledger.visits([url]).get(url))
        visit = self._visit(url)
        if visit is None or (visit.etag is None and visit.last_modified is None):
            return None
        return Validator(etag=visit.etag, last_modified=visit.last_modified)

    def recall(self, url: str) -> Remembered | None:
        """Return a listing as it was when it was last read."""
        return _from_bytes(self.store.files.read(_path(url))) if self._is_kept(url) else None

    def passes_over(self, url: str, modified_at: datetime | None) -> bool:
        """Tell whether a sitemap need not be asked: its index says that it is as it was, and its next visit is not due.

        An index that forgets to move its dates is thus believed only until then.
        """
        visit = self._visit(url)
        if not self.source.attention.adaptive or modified_at is None or visit is None or visit.failures or visit.detail:
            return False
        is_day = modified_at.time() == datetime.min.time()
        changed_at = modified_at + (_VAGUE if is_day else timedelta(0))
        return changed_at < visit.fetched_at and not rhythm_of(visit).is_due(self.now) and self._is_kept(url)

    def new_entries(self, visit: Visit) -> int:
        """Return how many entries of a listing it did not have on its last visit, and nobody has fetched since."""
        if visit.answer is not Answer.READ:
            return 0
        before = self.recall(visit.url)
        links = _addresses(visit.listing, visit.base) - (_addresses(before.listing, before.base) if before else set())
        return len(links) - len(self.store.ledger.visits(links))

    def is_new_page(self, fetched: Fetched) -> bool:
        """Tell whether a page differs from what it was on its last visit."""
        name = fetched.candidate.input
        visit = self.store.ledger.visits([name]).get(name)
        return visit is None or visit.sha256 != fetched.sha256

    def _visit(self, url: str) -> FeedVisit | None:
        return self.store.ledger.feed_visits([url]).get(url)

    def _is_kept(self, url: str) -> bool:
        return self.store.files.exists(_path(url))


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A listing that was visited, and how many of its entries are new."""

    visit: Visit
    new: int


def remember(
    store: Store,
    source: Source,
    listed: Sequence[Listed],
    troubles: Sequence[Deferred | Rejection],
    now: datetime,
    *,
    new_pages: int = 0,
) -> None:
    """Keep what a source's listings said and when to come again; do so once the pages that they led to are safe.

    `troubles` are listings that gave no answer; `new_pages` says whether the source itself was a page, and a new one.
    The visit recorded under the source's own address sums up all that it led to.
    """
    asked = [each for each in listed if each.visit.answer is not Answer.PASSED_OVER]
    in_vain = {_address_of(trouble): trouble for trouble in troubles}
    if troubles and not listed:  # its own address may have led to others, and none of them anywhere
        in_vain.setdefault(source.location, troubles[0])
    known = store.ledger.feed_visits([*(each.visit.url for each in asked), *in_vain, source.location])
    visits = {each.visit.url: _answered(known.get(each.visit.url), source, each, now) for each in asked}
    visits |= {url: _unanswered(known.get(url), url, source, trouble, now) for url, trouble in in_vain.items()}
    if source.location not in in_vain:
        own = visits.get(source.location) or known.get(source.location)
        visits[source.location] = _summed(known.get(source.location), own, source, listed, troubles, new_pages, now)
    for each in asked:
        if each.visit.answer is Answer.READ:
            store.files.publish(_path(each.visit.url), _to_bytes(each.visit))
    store.ledger.record_feed_visits(visits.values())


def remember_reading(store: Store, source: Source, entries: int, new: int, now: datetime) -> None:
    """Note that a folder, a file or a list of addresses was read, and how much of it was new."""
    known = store.ledger.feed_visits([source.location]).get(source.location)
    made = FeedVisit(url=source.location, source=source.name, fetched_at=now, kind=source.kind, entries=entries)
    rhythm = after_answer(_known_rhythm(known), now, brought=new > 0, attention=source.attention)
    store.ledger.record_feed_visits([_in_rhythm(replace(made, answer=Answer.READ), rhythm)])


def rhythm_of(visit: FeedVisit) -> Rhythm:
    """Return a visit's rhythm; one that an older copydesk recorded is due at once."""
    return Rhythm(
        visited_at=visit.fetched_at,
        next_visit=visit.next_visit or visit.fetched_at,
        changed_at=visit.changed_at,
        gap=None if visit.gap_seconds is None else timedelta(seconds=visit.gap_seconds),
        failures=visit.failures,
    )


def page_validator(visit: PageVisit | None) -> Validator | None:
    """Return what to ask for a page with; nothing where the page itself is not at hand."""
    if visit is None or visit.page_file is None or (visit.etag is None and visit.last_modified is None):
        return None
    return Validator(etag=visit.etag, last_modified=visit.last_modified)


def as_last_seen(store: Store, source: Source) -> Source:
    """Return a source whose kind is told by fetching it only, with the kind that it was when it was last read."""
    visit = store.ledger.feed_visits([source.location]).get(source.location) if source.kind is SourceKind.WEB else None
    return source if visit is None or visit.kind is None else replace(source, kind=SourceKind(visit.kind))


def drop_all(store: Store) -> None:
    """Forget what was listed, so that every listing is read anew: one of its entries may have to be forgotten."""
    for path in store.files.list(_FOLDER):
        store.files.remove(path)


# what a visit leaves in the ledger


def _answered(known: FeedVisit | None, source: Source, listed: Listed, now: datetime) -> FeedVisit:
    """Return the visit to one listing; only of a whole one its server may be asked whether it has changed."""
    visit = listed.visit
    given = visit.validator
    if visit.answer is Answer.NOT_MODIFIED and known is not None:
        given = Validator(etag=known.etag, last_modified=known.last_modified)
    if visit.is_partial or given is None:
        given = Validator()
    made = FeedVisit(
        url=visit.url,
        source=source.name,
        fetched_at=now,
        etag=given.etag,
        last_modified=given.last_modified,
        entries=visit.entries,
        newest=visit.newest,
        kind=visit.kind,
        answer=visit.answer,
        detail=visit.detail or None,
    )
    brought = listed.new > 0
    return _in_rhythm(made, after_answer(_known_rhythm(known), now, brought=brought, attention=source.attention))


def _summed(
    known: FeedVisit | None,
    own: FeedVisit | None,
    source: Source,
    listed: Sequence[Listed],
    troubles: Sequence[Deferred | Rejection],
    new_pages: int,
    now: datetime,
) -> FeedVisit:
    """Return the visit to a source as a whole: all that its own address led to."""
    parts = [each.visit for each in listed]
    made = own or FeedVisit(url=source.location, fetched_at=now)
    detail = made.detail
    if troubles:
        detail = f"{len(troubles)} of {len(troubles) + len(parts)} listings could not be read: {_why(troubles[0])}"
    brought = new_pages > 0 or any(each.new for each in listed)
    made = replace(
        made,
        source=source.name,
        fetched_at=now,
        entries=sum(part.entries for part in parts) if parts else 1,
        newest=max((part.newest for part in parts if part.newest is not None), default=None),
        kind=(own and own.kind) or (SourceKind.HOME if parts else SourceKind.PAGE),
        answer=Answer.READ if any(part.answer is Answer.READ for part in parts) or not parts else parts[0].answer,
        detail=detail,
    )
    return _in_rhythm(made, after_answer(_known_rhythm(known), now, brought=brought, attention=source.attention))


def _unanswered(
    known: FeedVisit | None, url: str, source: Source, trouble: Deferred | Rejection, now: datetime
) -> FeedVisit:
    """Return the visit to a listing that gave no answer; what is known of it stays known."""
    made = known or FeedVisit(url=url, fetched_at=now)
    if isinstance(trouble, Deferred):
        answer, rhythm = Answer.DEFERRED, after_deferral(_known_rhythm(known), now, trouble.until)
    else:
        answer, rhythm = Answer.FAILED, after_failure(_known_rhythm(known), now, source.attention)
    return _in_rhythm(replace(made, source=source.name, answer=answer, detail=_why(trouble)), rhythm)


def _known_rhythm(known: FeedVisit | None) -> Rhythm | None:
    return None if known is None else rhythm_of(known)


def _in_rhythm(visit: FeedVisit, rhythm: Rhythm) -> FeedVisit:
    return replace(
        visit,
        fetched_at=rhythm.visited_at,
        next_visit=rhythm.next_visit,
        changed_at=rhythm.changed_at,
        gap_seconds=None if rhythm.gap is None else rhythm.gap.total_seconds(),
        failures=rhythm.failures,
    )


def _address_of(trouble: Deferred | Rejection) -> str:
    return trouble.candidate.input if isinstance(trouble, Deferred) else trouble.input


def _why(trouble: Deferred | Rejection) -> str:
    return trouble.detail if isinstance(trouble, Deferred) else f"{trouble.reason}: {trouble.detail}"


# what is kept of a listing


def _path(url: str) -> str:
    return f"{_FOLDER}/{sha256(url.encode()).hexdigest()[:32]}.ipc"


def _to_bytes(visit: Visit) -> bytes:
    listing = visit.listing
    rows = [{**asdict(each), "sitemap": True} for each in listing.sitemaps]
    rows += [{**asdict(each), "sitemap": False} for each in listing.entries]
    schema = _ENTRIES.with_metadata({"kind": visit.kind, "base": visit.base, "trouble": listing.trouble})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(pa.Table.from_pylist(rows, schema))
    return bytes(sink.getvalue())


def _from_bytes(kept: bytes) -> Remembered:
    table = pa.ipc.open_file(pa.BufferReader(kept)).read_all()
    about = {name.decode(): value.decode() for name, value in table.schema.metadata.items()}
    entries: dict[bool, list[Entry]] = {True: [], False: []}
    for row in table.to_pylist():
        is_sitemap, hints = row.pop("sitemap"), hints_of(row.pop("hints"))
        entries[is_sitemap].append(Entry(**row, hints=hints))
    listing = Listing(entries=tuple(entries[False]), sitemaps=tuple(entries[True]), trouble=about["trouble"])
    return Remembered(listing=listing, kind=SourceKind(about["kind"]), base=about["base"])


def _addresses(listing: Listing, base: str) -> set[str]:
    """Return the addresses of a listing's entries, as inputs are named by them."""
    return {_joined(base, entry.link.strip()) for entry in listing.entries}


def _joined(base: str, link: str) -> str:
    try:
        return urljoin(base, link)
    except ValueError:
        return link
