"""What the ledger holds: its records, the tables they are kept in, and how an older ledger is lifted to today's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from operator import attrgetter
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """The last visit to a URL. `versions` is whatever the caller compares to see that a result is stale.

    `hints` is what the caller was told of the page by whoever listed it: a page can be read again without them, but its
    article may then lack a date or a title.
    """

    url: str
    source: str
    input: str
    fetched_at: datetime
    outcome: str
    reason: str | None = None
    detail: str | None = None
    article_id: str | None = None
    versions: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    sha256: str | None = None
    page_file: str | None = None
    page_offset: int | None = None
    failures: int = 0
    next_visit: datetime | None = None
    hints: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileVisit:
    """The last reading of a document on disk, named by its source and its path below that source; `hints` as there."""

    source: str
    input: str
    sha256: str
    outcome: str
    reason: str | None = None
    article_id: str | None = None
    versions: str | None = None
    page_file: str | None = None
    page_offset: int | None = None
    hints: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedVisit:
    """The last visit to a feed or sitemap, and how often it brings something new.

    `changed_at` is when it last did, `gap_seconds` the running mean of the seconds between two such visits, `newest`
    the date of its newest entry. `kind` is what it turned out to be, `answer` what came of the visit, and `detail` why.
    """

    url: str
    fetched_at: datetime
    etag: str | None = None
    last_modified: str | None = None
    sha256: str | None = None
    failures: int = 0
    next_visit: datetime | None = None
    source: str | None = None
    entries: int = 0
    newest: datetime | None = None
    changed_at: datetime | None = None
    gap_seconds: float | None = None
    kind: str | None = None
    answer: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What is known of a host across runs: how often it failed in a row, and until when it is left alone, and why."""

    host: str
    next_allowed: datetime
    failures: int = 0
    parked_until: datetime | None = None
    parked_because: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotsVisit:
    """What an origin answered when asked for its robots.txt: the text, or why nothing there may be fetched."""

    origin: str
    fetched_at: datetime
    text: str | None = None
    trouble: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The last attempt to have all that a source published on a day; without `finished_at` it was cut short.

    Of its `inputs`, `articles` became rows and `failed` may succeed another time. `reason` and `detail` say why the
    attempt itself, or the first of its failed inputs, came to nothing.
    """

    source: str
    day: date
    run: str
    started_at: datetime
    finished_at: datetime | None = None
    inputs: int = 0
    articles: int = 0
    failed: int = 0
    reason: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A WARC file of the page archive, relative to `pages/`."""

    file: str
    run: str
    records: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run of a flow: what came of its inputs, in all and by source, and the seconds each stage took.

    `corrections` counts mended places by source and rule; `broken` are the quality gates that broke, in sentences.
    `trouble` says why a run did not end well. Without it and without `finished_at`, it is still at work, or was killed.
    """

    run: str
    flow: str
    started_at: datetime
    finished_at: datetime | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    name: str | None = None
    corrections: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    broken: Sequence[str] = ()
    sources: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    trouble: str | None = None


Record = Visit | FileVisit | FeedVisit | RobotsVisit | Attempt | Archive | Run


def values_of(record: Record) -> dict[str, Any]:
    """Return what a record holds, by name, as it is: `asdict` would copy each value in depth, at ten times the cost.

    >>> values_of(Archive(file="a.warc.gz", run="r", records=2, size=700))
    {'file': 'a.warc.gz', 'run': 'r', 'records': 2, 'size': 700}
    """
    names = tuple(record.__slots__)
    return dict(zip(names, _reader(names)(record), strict=True))


@cache
def _reader(names: tuple[str, ...]) -> "attrgetter[Any]":
    """Return what reads so many things of a record at once."""
    return attrgetter(*names)


class Instant(TypeDecorator[datetime]):
    """A UTC instant; SQLite forgets the zone, so it is put back when read."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


TABLES: Final = sa.MetaData()

LEDGER: Final = sa.Table(
    "ledger",
    TABLES,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
URLS: Final = sa.Table(
    "urls",
    TABLES,
    sa.Column("url", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, nullable=False, index=True),
    sa.Column("input", sa.Text, nullable=False),
    sa.Column("fetched_at", Instant, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("detail", sa.Text),
    sa.Column("article_id", sa.Text),
    sa.Column("versions", sa.Text),
    sa.Column("etag", sa.Text),
    sa.Column("last_modified", sa.Text),
    sa.Column("sha256", sa.Text),
    sa.Column("page_file", sa.Text),
    sa.Column("page_offset", sa.BigInteger),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("next_visit", Instant, index=True),
    sa.Column("hints", sa.Text),
    sa.Index("ix_urls_outcome", "outcome", "source"),
    sa.Index("ix_urls_article_id", "article_id"),
)
DOCUMENTS: Final = sa.Table(
    "files",
    TABLES,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("input", sa.Text, primary_key=True),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("article_id", sa.Text),
    sa.Column("versions", sa.Text),
    sa.Column("page_file", sa.Text),
    sa.Column("page_offset", sa.BigInteger),
    sa.Column("hints", sa.Text),
    sa.Index("ix_files_article_id", "article_id"),
)
FEEDS: Final = sa.Table(
    "feeds",
    TABLES,
    sa.Column("url", sa.Text, primary_key=True),
    sa.Column("fetched_at", Instant, nullable=False),
    sa.Column("etag", sa.Text),
    sa.Column("last_modified", sa.Text),
    sa.Column("sha256", sa.Text),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("next_visit", Instant),
    sa.Column("source", sa.Text),
    sa.Column("entries", sa.Integer, nullable=False),
    sa.Column("newest", Instant),
    sa.Column("changed_at", Instant),
    sa.Column("gap_seconds", sa.Double),
    sa.Column("kind", sa.Text),
    sa.Column("answer", sa.Text),
    sa.Column("detail", sa.Text),
)
HOSTS: Final = sa.Table(
    "hosts",
    TABLES,
    sa.Column("host", sa.Text, primary_key=True),
    sa.Column("next_allowed", Instant, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("parked_until", Instant),
    sa.Column("parked_because", sa.Text),
)
ROBOTS: Final = sa.Table(
    "robots",
    TABLES,
    sa.Column("origin", sa.Text, primary_key=True),
    sa.Column("fetched_at", Instant, nullable=False),
    sa.Column("text", sa.Text),
    sa.Column("trouble", sa.Text),
    sa.Column("reason", sa.Text),
)
ATTEMPTS: Final = sa.Table(
    "attempts",
    TABLES,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("run", sa.Text, nullable=False),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("finished_at", Instant),
    sa.Column("inputs", sa.Integer, nullable=False),
    sa.Column("articles", sa.Integer, nullable=False),
    sa.Column("failed", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("detail", sa.Text),
    sa.Index("ix_attempts_day", "day"),
)
NOTES: Final = sa.Table(
    "notes",
    TABLES,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
PLACES: Final = sa.Table(
    "places",
    TABLES,
    sa.Column("dataset", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("partition", sa.Date, nullable=False),
)
IDENTITIES: Final = sa.Table(
    "identities",
    TABLES,
    sa.Column("url", sa.Text, primary_key=True),
    sa.Column("article_id", sa.Text, nullable=False, index=True),
)
MANIFESTS: Final = sa.Table("manifests", TABLES, sa.Column("name", sa.Text, primary_key=True))
ARCHIVES: Final = sa.Table(
    "archives",
    TABLES,
    sa.Column("file", sa.Text, primary_key=True),
    sa.Column("run", sa.Text, nullable=False),
    sa.Column("records", sa.Integer, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
)
RUNS: Final = sa.Table(
    "runs",
    TABLES,
    sa.Column("run", sa.Text, primary_key=True),
    sa.Column("flow", sa.Text, nullable=False),
    sa.Column("started_at", Instant, nullable=False, index=True),
    sa.Column("finished_at", Instant),
    sa.Column("counts", sa.JSON, nullable=False),
    sa.Column("seconds", sa.JSON, nullable=False),
    sa.Column("name", sa.Text),
    sa.Column("corrections", sa.JSON, nullable=False, server_default="{}"),
    sa.Column("broken", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("sources", sa.JSON, nullable=False, server_default="{}"),
    sa.Column("trouble", sa.Text),
)


MIGRATIONS: Final = (
    (
        "CREATE INDEX IF NOT EXISTS ix_urls_outcome ON urls (outcome, source)",
        "CREATE INDEX IF NOT EXISTS ix_urls_article_id ON urls (article_id)",
    ),
    (
        "ALTER TABLE urls ADD COLUMN hints TEXT",
        "ALTER TABLE files ADD COLUMN page_file TEXT",
        "ALTER TABLE files ADD COLUMN page_offset BIGINT",
        "ALTER TABLE files ADD COLUMN hints TEXT",
        "CREATE INDEX IF NOT EXISTS ix_files_article_id ON files (article_id)",
        "ALTER TABLE feeds ADD COLUMN source TEXT",
        "ALTER TABLE feeds ADD COLUMN entries INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE feeds ADD COLUMN newest TIMESTAMP WITH TIME ZONE",
        "ALTER TABLE feeds ADD COLUMN changed_at TIMESTAMP WITH TIME ZONE",
        "ALTER TABLE feeds ADD COLUMN gap_seconds DOUBLE PRECISION",
        "ALTER TABLE feeds ADD COLUMN kind TEXT",
        "ALTER TABLE feeds ADD COLUMN answer TEXT",
        "ALTER TABLE feeds ADD COLUMN detail TEXT",
        "ALTER TABLE hosts ADD COLUMN failures INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE hosts ADD COLUMN parked_until TIMESTAMP WITH TIME ZONE",
        "ALTER TABLE hosts ADD COLUMN parked_because TEXT",
        "ALTER TABLE runs ADD COLUMN name TEXT",
        "ALTER TABLE runs ADD COLUMN corrections JSON NOT NULL DEFAULT '{}'",
        "ALTER TABLE runs ADD COLUMN broken JSON NOT NULL DEFAULT '[]'",
        "ALTER TABLE runs ADD COLUMN sources JSON NOT NULL DEFAULT '{}'",
        "ALTER TABLE runs ADD COLUMN trouble TEXT",
    ),
)
"""The statements that lift a ledger of each version to the next, from version 1 on; both databases know them."""

LEDGER_VERSION: Final = 1 + len(MIGRATIONS)
