"""What a feed or sitemap listed on its last visit, kept for when its server says that nothing has changed."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from hashlib import sha256

import pyarrow as pa

from storage.records import FeedVisit
from storage.store import Store
from tasks.documents import Candidate
from tasks.fetch.results import Validator, Visit
from tasks.fetch.sources import Source, SourceKind
from tasks.rows import HINTS, hints_of

_FOLDER = "state/listings"
_KIND = "kind of "  # and the source's address: what that is
_LISTED = pa.schema([("input", pa.string()), ("url", pa.string()), ("hints", HINTS)])


def validator(store: Store, source: Source) -> Validator | None:
    """Return what to ask a source's listing with, where its entries of last time are still at hand."""
    visit = store.ledger.feed_visits([source.location]).get(source.location)
    if visit is None or not store.files.exists(_path(source)):
        return None
    return Validator(etag=visit.etag, last_modified=visit.last_modified)


def remember(store: Store, source: Source, visits: Sequence[Visit], candidates: Sequence[Candidate]) -> None:
    """Keep a listing's entries and validator; an index of several is always read anew, as its parts change alone."""
    if len(visits) != 1 or visits[0].url != source.location or visits[0].validator is None or visits[0].is_partial:
        return
    rows = [
        {"input": candidate.input, "url": candidate.url, "hints": asdict(candidate.hints)} for candidate in candidates
    ]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, _LISTED) as writer:
        writer.write_table(pa.Table.from_pylist(rows, _LISTED))
    store.files.publish(_path(source), sink.getvalue())
    given = visits[0].validator
    store.ledger.record_feed_visits(
        [
            FeedVisit(
                url=source.location,
                fetched_at=visits[0].fetched_at,
                etag=given.etag,
                last_modified=given.last_modified,
            )
        ]
    )


def remember_kind(store: Store, source: Source, visits: Sequence[Visit]) -> None:
    """Note what a source's address has turned out to be, for `as_last_seen`."""
    for visit in visits:
        if source.kind is SourceKind.WEB and visit.url == source.location:
            store.ledger.put_note(_KIND + source.location, visit.kind)


def as_last_seen(store: Store, source: Source) -> Source:
    """Return a source whose kind is told by fetching it only, with the kind that it was when it was last fetched."""
    noted = store.ledger.note(_KIND + source.location) if source.kind is SourceKind.WEB else None
    return source if noted is None else replace(source, kind=SourceKind(noted))


def recall(store: Store, source: Source) -> list[Candidate]:
    """Return what a source listed when it last brought something."""
    table = pa.ipc.open_file(pa.BufferReader(store.files.read(_path(source)))).read_all()
    return [
        Candidate(input=row["input"], source=source.name, url=row["url"], hints=hints_of(row["hints"]))
        for row in table.to_pylist()
    ]


def _path(source: Source) -> str:
    return f"{_FOLDER}/{sha256(source.location.encode()).hexdigest()[:32]}.arrow"


def drop_all(store: Store) -> None:
    """Forget what was listed, so that every listing is read anew: one of its entries may have to be forgotten."""
    for path in store.files.list(_FOLDER):
        store.files.remove(path)
