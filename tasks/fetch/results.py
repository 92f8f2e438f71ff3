"""What goes into the client and what comes out: one `Request` in, exactly one result out."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tasks.documents import Candidate, Page, PageKind, PageRef, Rejection
from tasks.fetch.feeds import Listing
from tasks.fetch.freshness import Answer
from tasks.fetch.sources import Source, SourceKind


class Wanted(StrEnum):
    """What a request asks for: a page must be HTML; a listing (feed, sitemap) may be anything up to a larger size."""

    PAGE = "page"
    LISTING = "listing"
    ARCHIVE = "archive"  # a part of a file, as it lies there
    ROBOTS = "robots"  # the client's own question: of a longer file the beginning is enough


@dataclass(frozen=True, slots=True, kw_only=True)
class Validator:
    """What a server gave to ask "has it changed?" with: the values of `ETag` and `Last-Modified`, as sent."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One URL to fetch, under the rules of its source, and what is known of its last visit."""

    candidate: Candidate
    source: Source
    validator: Validator | None = None
    wanted: Wanted = Wanted.PAGE
    part: tuple[int, int] | None = None  # the bytes of an archive: from here to there, that one not included


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A complete answer: status 200, or 206 to a question for a part.

    `payload` is as received (only chunking undone), `body` is decoded. `headers` are the server's, in order, repeated
    ones kept, as latin-1 text.
    """

    candidate: Candidate
    url: str  # after redirects
    status: int
    reason_phrase: str
    headers: tuple[tuple[str, str], ...]
    payload: bytes = field(repr=False)
    body: bytes = field(repr=False)
    sha256: str  # of `body`
    content_type: str
    fetched_at: datetime
    etag: str | None = None
    last_modified: str | None = None
    redirects: tuple[str, ...] = ()  # the addresses passed on the way, the first one asked for first

    @property
    def validator(self) -> Validator | None:
        """What to send on the next visit; None where the server gave nothing to ask with."""
        if self.etag is None and self.last_modified is None:
            return None
        return Validator(etag=self.etag, last_modified=self.last_modified)

    def page(self, ref: PageRef | None = None) -> Page:
        """Return the page to be edited, pointing at its archive record."""
        return Page(
            input=self.candidate.input,
            source=self.candidate.source,
            url=self.url,
            fetched_at=self.fetched_at,
            status=self.status,
            content_type=self.content_type,
            kind=PageKind.HTML,
            body=self.body,
            sha256=self.sha256,
            hints=self.candidate.hints,
            ref=ref,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NotModified:
    """The server says that the page is as it was on the last visit (304 to a conditional request)."""

    candidate: Candidate
    url: str
    fetched_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """Not asked, or asked to come back later: try again at `until`."""

    candidate: Candidate
    until: datetime
    detail: str


Result = Fetched | NotModified | Deferred | Rejection


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A feed or sitemap that was read, or that is as it was. `base` is its address after `redirects`.

    Keep `validator` once its entries are safe: a server asked with it may bring no entries again.
    """

    source: str
    url: str
    kind: SourceKind
    fetched_at: datetime
    listing: Listing = field(repr=False)
    base: str
    answer: Answer = Answer.READ
    redirects: tuple[str, ...] = ()
    validator: Validator | None = None

    @property
    def entries(self) -> int:
        """How many entries it lists."""
        return len(self.listing.entries)

    @property
    def newest(self) -> datetime | None:
        """The newest date that an entry states."""
        return self.listing.newest

    @property
    def is_partial(self) -> bool:
        """Whether it could be read only in part."""
        return self.detail != ""

    @property
    def detail(self) -> str:
        """What was wrong with it, where it is partial."""
        return self.listing.trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Entries that a source offered and that are no inputs (duplicates, other schemes, request records …), counted."""

    source: str
    reason: str
    count: int
