"""A document at each point of its journey: `Candidate` → `Page` → `Draft` → `Article`, or a `Rejection`.

Every type is frozen; a stage answers with a new value. Instants are timezone-aware UTC.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Stage(StrEnum):
    """Where in the pipeline a document was set aside. Analysts group by these: add, never rename."""

    DISCOVER = "discover"
    FETCH = "fetch"
    DECODE = "decode"
    CLEAN = "clean"
    EDIT = "edit"


class Reason(StrEnum):
    """Why a document was set aside. Analysts group by these: add, never rename."""

    # discover
    UNKNOWN_FILE_TYPE = "unknown-file-type"
    UNREADABLE_FILE = "unreadable-file"
    DAMAGED_ARCHIVE = "damaged-archive"
    BAD_FEED = "bad-feed"
    BAD_SITEMAP = "bad-sitemap"
    BAD_URL = "bad-url"
    URL_LIST = "url-list"
    # fetch
    PRIVATE_ADDRESS = "private-address"
    FORBIDDEN_PORT = "forbidden-port"
    ROBOTS_DISALLOWED = "robots-disallowed"
    ROBOTS_UNREACHABLE = "robots-unreachable"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TLS_ERROR = "tls-error"
    HTTP_ERROR = "http-error"
    NOT_FOUND = "not-found"
    GONE = "gone"
    TOO_LARGE = "too-large"
    INCOMPLETE = "incomplete"
    BAD_CONTENT_ENCODING = "bad-content-encoding"
    TOO_MANY_REDIRECTS = "too-many-redirects"
    NOT_HTML = "not-html"
    # decode, clean
    EMPTY = "empty"
    UNDECODABLE = "undecodable"
    HOSTILE_HTML = "hostile-html"
    NO_ARTICLE_TEXT = "no-article-text"
    SOFT_404 = "soft-404"
    CONSENT_WALL = "consent-wall"
    CAPTCHA = "captcha"
    LOGIN_WALL = "login-wall"
    SECTION_FRONT = "section-front"
    ERROR_PAGE = "error-page"
    PRODUCT_PAGE = "product-page"
    VIDEO_PAGE = "video-page"
    # edit
    CRASHED = "crashed"


class Outcome(StrEnum):
    """What became of one input of a run. Each input has exactly one; they sum to the inputs."""

    NEW = "new"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REPEATED = "repeated"
    SKIPPED = "skipped"
    DEFERRED = "deferred"
    REJECTED = "rejected"


class PageKind(StrEnum):
    """How a page's bytes are to be read."""

    HTML = "html"
    TEXT = "text"


class Precision(StrEnum):
    """How exactly `published_at` is known."""

    INSTANT = "instant"
    DAY = "day"
    FETCHED = "fetched"


class Action(StrEnum):
    """What was done about an artifact."""

    MENDED = "mended"
    REPORTED = "reported"


class BlockKind(StrEnum):
    """What a block is in the article. Analysts group by these: add, never rename."""

    STANDFIRST = "standfirst"
    PARAGRAPH = "paragraph"
    HEADING = "heading"
    ITEM = "list-item"
    QUOTE = "quote"
    CAPTION = "caption"
    ROW = "table-row"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What a feed, a sitemap or a document's header said about a page before it was read."""

    title: str | None = None
    authors: tuple[str, ...] = ()
    published_at: datetime | None = None
    published_precision: Precision = Precision.INSTANT
    language: str | None = None
    summary: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An input to be had: a URL to fetch, or a document on disk.

    `input` names it in outcomes and rejections: the URL as discovered, or the path below the folder it came from.
    """

    input: str
    source: str
    url: str | None
    hints: Hints = Hints()


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRef:
    """Where a page's bytes lie in the archive: WARC file (relative to `pages/`), byte offset, sha256 of the body."""

    file: str
    offset: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What the server sent, byte for byte, after transfer and content encodings were undone."""

    input: str
    source: str
    url: str | None  # after redirects; None for a saved page or a text document
    fetched_at: datetime
    status: int
    content_type: str
    kind: PageKind
    body: bytes = field(repr=False)
    sha256: str
    hints: Hints = Hints()
    ref: PageRef | None = None

    def reject(self, stage: Stage, reason: Reason, detail: str = "") -> "Rejection":
        """Return the rejection that sets this page aside."""
        return Rejection(
            input=self.input,
            source=self.source,
            url=self.url,
            stage=stage,
            reason=reason,
            detail=detail,
            ref=self.ref,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A document that is set aside, with its cause."""

    input: str
    source: str
    url: str | None
    stage: Stage
    reason: Reason
    detail: str = ""
    ref: PageRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """Which strategy found the body, and how sure it is (0 to 1)."""

    strategy: str
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TextBlock:
    """A paragraph, a heading, a quote of a text: its kind, and where it stands in the text, in code points."""

    kind: BlockKind
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveEntry:
    """An entry of a live blog: when it was posted, and where it stands in the text, in code points."""

    published_at: datetime
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table as the page shows it: rows of as many cells each, the first `header_rows` of which are headings.

    A cell that spans several places stands in the first of them; the others are empty.
    """

    caption: str | None
    header_rows: int
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A cleaned page: title, text and metadata, before language, mending and topics.

    `text` is blocks separated by one blank line ("\\n\\n"); no other newline stands in it. `blocks` and `live_entries`
    say where in it they stand.
    """

    title: str
    text: str
    summary: str | None = None
    authors: tuple[str, ...] = ()
    published_at: datetime | None = None
    published_precision: Precision | None = None
    published_source: str | None = None
    published_offset: int | None = None  # minutes east of UTC of the clock that the page wrote the date by
    modified_at: datetime | None = None
    canonical_url: str | None = None
    language_declared: str | None = None
    keywords: tuple[str, ...] = ()
    section: str | None = None
    site_name: str | None = None
    lead_image: str | None = None
    is_paywalled: bool = False
    is_truncated: bool = False
    blocks: tuple[TextBlock, ...] = ()
    live_entries: tuple[LiveEntry, ...] = ()
    captions: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    next_page: str | None = None
    amp_url: str | None = None
    extraction: Extraction


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageShare:
    """A language and its share of the document's letters (0 to 1)."""

    language: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """BCP 47 tag of the document (`und` where it has no letters), confidence 0 to 1, and all languages seen."""

    tag: str
    confidence: float
    shares: tuple[LanguageShare, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """Machine-translation residue found in a field, and what was done about it.

    Offsets count code points: `start` into the field before mending, `start_in_text` into the field as stored.
    `after` is None where the residue was reported and left alone.
    """

    field: str  # title, summary or text
    rule: str
    category: str
    action: Action
    start: int
    before: str
    start_in_text: int
    after: str | None
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """A translation service's mark on a page: which service, which source language, what it was seen in."""

    service: str
    seen_in: str
    source_language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KindCount:
    """A kind of evidence (a rule's id or a page marker) and how often it was seen."""

    kind: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MtEvidence:
    """What speaks for machine translation: distinct kinds, page markers, and why context-dependent rules acted.

    `gate` is None while the gate was shut, else the reason it opened (`page-marker`, `two-kinds`, `opened`).
    """

    kinds: tuple[KindCount, ...] = ()
    service: str | None = None
    source_language: str | None = None
    seen_in: str | None = None
    gate: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicEvidence:
    """A phrase that decided for a topic; `start` counts code points in the stored field."""

    field: str  # title or text
    phrase: str
    start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """An IPTC Media Topic (`medtop:…`) with its English label, score 0 to 1, and what decided."""

    id: str
    label: str
    score: float
    evidence: tuple[TopicEvidence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """What made a row; a row is stale when these differ from today's."""

    pipeline: str
    rules: str
    taxonomy: str
    tagger: str
    score_model: str | None = None
    watchlists: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """A finished document: what becomes a row of `articles`."""

    input: str
    source: str
    url: str | None
    canonical_url: str | None
    article_id: str
    fallback_id: str  # the identity when `canonical_url` turns out to be claimed by two different texts
    title: str
    summary: str | None
    text: str
    authors: tuple[str, ...]
    published_at: datetime
    published_precision: Precision
    published_source: str
    published_offset: int | None
    modified_at: datetime | None
    fetched_at: datetime
    language: str
    language_confidence: float
    language_declared: str | None
    languages: tuple[LanguageShare, ...]
    artifacts: tuple[Artifact, ...]
    mt_evidence: MtEvidence
    translated_score: float | None
    topics: tuple[Topic, ...]
    keywords: tuple[str, ...]
    section: str | None
    site_name: str | None
    lead_image: str | None
    word_count: int
    is_paywalled: bool
    is_truncated: bool
    standfirst: str | None
    blocks: tuple[TextBlock, ...]
    live_entries: tuple[LiveEntry, ...]
    captions: tuple[str, ...]
    tables: tuple[Table, ...]
    next_page: str | None
    amp_url: str | None
    extraction: Extraction
    encoding: str
    unreadable: int
    page: PageRef | None
    fingerprint: bytes = field(repr=False)
    versions: Versions
