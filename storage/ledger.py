"""The ledger: what was visited and with what result, where each article lies, and when a host may be asked again.

SQLite by default, PostgreSQL by URL. Every operation takes many records and is one transaction. A ledger of an older
version is lifted when it is opened.
Nothing in it is the only copy of what an article says: lost, it costs fetches, not data.
"""

import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.types import TypeDecorator

from storage.errors import LedgerError, SchemaVersionError, StoreFullError, StoreNotWritableError

_AT_A_TIME: Final = 500
"""Records in one statement: SQLite allows 32,766 bound values, and a visit has 16."""

_PAUSES: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds between one attempt to switch SQLite to its write-ahead log and the next."""

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """The last visit to a URL. `versions` is whatever the caller compares to see that a result is stale."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class FileVisit:
    """The last reading of a document on disk, named by its source and its path below that source."""

    source: str
    input: str
    sha256: str
    outcome: str
    reason: str | None = None
    article_id: str | None = None
    versions: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedVisit:
    """The last visit to a feed or sitemap."""

    url: str
    fetched_at: datetime
    etag: str | None = None
    last_modified: str | None = None
    sha256: str | None = None
    failures: int = 0
    next_visit: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A WARC file of the page archive, relative to `pages/`."""

    file: str
    run: str
    records: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run of a flow: what came of its inputs, and the seconds each stage took."""

    run: str
    flow: str
    started_at: datetime
    finished_at: datetime | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)


class Instant(TypeDecorator[datetime]):
    """A UTC instant; SQLite forgets the zone, so it is put back when read."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


TABLES: Final = sa.MetaData()

_LEDGER = sa.Table(
    "ledger",
    TABLES,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
_URLS = sa.Table(
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
    sa.Index("ix_urls_outcome", "outcome", "source"),
    sa.Index("ix_urls_article_id", "article_id"),
)
_DOCUMENTS = sa.Table(
    "files",
    TABLES,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("input", sa.Text, primary_key=True),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("article_id", sa.Text),
    sa.Column("versions", sa.Text),
)
_FEEDS = sa.Table(
    "feeds",
    TABLES,
    sa.Column("url", sa.Text, primary_key=True),
    sa.Column("fetched_at", Instant, nullable=False),
    sa.Column("etag", sa.Text),
    sa.Column("last_modified", sa.Text),
    sa.Column("sha256", sa.Text),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("next_visit", Instant),
)
_HOSTS = sa.Table(
    "hosts",
    TABLES,
    sa.Column("host", sa.Text, primary_key=True),
    sa.Column("next_allowed", Instant, nullable=False),
)
_PLACES = sa.Table(
    "places",
    TABLES,
    sa.Column("dataset", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("partition", sa.Date, nullable=False),
)
_IDENTITIES = sa.Table(
    "identities",
    TABLES,
    sa.Column("url", sa.Text, primary_key=True),
    sa.Column("article_id", sa.Text, nullable=False, index=True),
)
_MANIFESTS = sa.Table("manifests", TABLES, sa.Column("name", sa.Text, primary_key=True))
_ARCHIVES = sa.Table(
    "archives",
    TABLES,
    sa.Column("file", sa.Text, primary_key=True),
    sa.Column("run", sa.Text, nullable=False),
    sa.Column("records", sa.Integer, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
)
_RUNS = sa.Table(
    "runs",
    TABLES,
    sa.Column("run", sa.Text, primary_key=True),
    sa.Column("flow", sa.Text, nullable=False),
    sa.Column("started_at", Instant, nullable=False, index=True),
    sa.Column("finished_at", Instant),
    sa.Column("counts", sa.JSON, nullable=False),
    sa.Column("seconds", sa.JSON, nullable=False),
)


MIGRATIONS: Final = (
    (
        "CREATE INDEX IF NOT EXISTS ix_urls_outcome ON urls (outcome, source)",
        "CREATE INDEX IF NOT EXISTS ix_urls_article_id ON urls (article_id)",
    ),
)
"""The statements that lift a ledger of each version to the next, from version 1 on; both databases know them."""

LEDGER_VERSION: Final = 1 + len(MIGRATIONS)
_LOCK: Final = 0x636F7079  # of all who open a PostgreSQL ledger, any number of our own


@dataclass(frozen=True, slots=True)
class Ledger:
    """An open ledger."""

    engine: Engine
    where: str

    @classmethod
    def open(cls, url: str | sa.URL) -> Self:
        """Open the ledger at a SQLAlchemy URL, making its tables where there are none, and lifting an older one.

        `postgresql://…` is taken to mean the driver psycopg, where SQLAlchemy would look for its predecessor.
        """
        address = sa.make_url(url)
        if address.drivername == "postgresql":
            address = address.set(drivername="postgresql+psycopg")
        where = address.render_as_string()
        try:
            engine = sa.create_engine(address)
        except (SQLAlchemyError, ModuleNotFoundError) as error:
            raise LedgerError(f"{where}: no driver for this database ({error}). Install it, or use SQLite.") from error
        if engine.dialect.name == "sqlite":
            sa.event.listen(engine, "connect", _prepare_sqlite)
            sa.event.listen(engine, "begin", _begin_sqlite)
        ledger = cls(engine, where)
        try:
            ledger._prepare()
        except BaseException:
            engine.dispose()
            raise
        return ledger

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    # What was visited

    def visits(self, urls: Iterable[str]) -> dict[str, Visit]:
        """Return the last visit to each of these URLs that was visited at all."""
        return {visit.url: visit for visit in self._find(Visit, _URLS, _URLS.c.url, urls)}

    def record_visits(self, visits: Iterable[Visit]) -> None:
        """Keep these as the last visits to their URLs."""
        self._put(_URLS, visits)

    def arrived(self, outcome: str, sources: Iterable[str]) -> list[Visit]:
        """Return the visits to these sources' URLs that ended in this outcome, in the order of their URLs.

        Where the outcome says that a page is archived and nothing has become of it yet, a run was cut short.
        """
        wanted = sa.select(_URLS).where(_URLS.c.outcome == outcome, _URLS.c.source.in_(list(sources)))
        with self._reading() as connection:
            return [Visit(**row._asdict()) for row in connection.execute(wanted.order_by(_URLS.c.url))]

    def visits_of(self, article_ids: Iterable[str]) -> list[Visit]:
        """Return the last visits that ended in one of these articles."""
        return list(self._find(Visit, _URLS, _URLS.c.article_id, article_ids))

    def archived(self) -> Iterator[tuple[str, str, int]]:
        """Yield the URL, archive file and offset of every visit whose page is kept."""
        pages = sa.select(_URLS.c.url, _URLS.c.page_file, _URLS.c.page_offset).where(_URLS.c.page_file.is_not(None))
        with self._reading() as connection:
            for row in connection.execute(pages.order_by(_URLS.c.url)):
                yield row[0], row[1], row[2]

    def drop_visits(self, urls: Iterable[str]) -> None:
        """Forget the visits to these URLs: they will be visited as if for the first time."""
        self._drop(_URLS, _URLS.c.url, urls)

    def drop_identities(self, urls: Iterable[str]) -> None:
        """Forget that these URLs were ever given an identity."""
        self._drop(_IDENTITIES, _IDENTITIES.c.url, urls)

    def forget_articles(self, article_ids: Iterable[str]) -> None:
        """Forget every visit, reading and identity that ended in one of these articles."""
        ids = list(article_ids)
        for table in (_URLS, _DOCUMENTS, _IDENTITIES):
            self._drop(table, table.c.article_id, ids)

    def file_visits(self, source: str, inputs: Iterable[str]) -> dict[str, FileVisit]:
        """Return the last reading of each of a source's documents that was read at all, by its `input`."""
        found = self._find(FileVisit, _DOCUMENTS, _DOCUMENTS.c.input, inputs, _DOCUMENTS.c.source == source)
        return {visit.input: visit for visit in found}

    def record_file_visits(self, visits: Iterable[FileVisit]) -> None:
        """Keep these as the last readings of their documents."""
        self._put(_DOCUMENTS, visits)

    def feed_visits(self, urls: Iterable[str]) -> dict[str, FeedVisit]:
        """Return the last visit to each of these feeds that was visited at all."""
        return {visit.url: visit for visit in self._find(FeedVisit, _FEEDS, _FEEDS.c.url, urls)}

    def record_feed_visits(self, visits: Iterable[FeedVisit]) -> None:
        """Keep these as the last visits to their feeds."""
        self._put(_FEEDS, visits)

    # When a host may be asked

    def reserve(self, host: str, delay: float, now: datetime) -> datetime:
        """Reserve the host's next free moment, `delay` seconds after the one before, and return it: not before `now`.

        All runs that share the ledger share the host's delay. Ask for one request at a time.
        """
        known = self._insert(_HOSTS).values(host=host, next_allowed=now).on_conflict_do_nothing(index_elements=["host"])
        this = _HOSTS.c.host == host
        with self._writing() as connection:
            connection.execute(known)
            free = connection.scalars(sa.select(_HOSTS.c.next_allowed).where(this).with_for_update()).one()
            moment: datetime = max(now, free)
            connection.execute(sa.update(_HOSTS).where(this).values(next_allowed=moment + timedelta(seconds=delay)))
        return moment

    def postpone(self, host: str, until: datetime) -> None:
        """Leave a host alone until then, as its Retry-After asks; an earlier instant changes nothing."""
        insert = self._insert(_HOSTS).values(host=host, next_allowed=until)
        later = insert.on_conflict_do_update(
            index_elements=["host"], set_={"next_allowed": until}, where=_HOSTS.c.next_allowed < until
        )
        with self._writing() as connection:
            connection.execute(later)

    # Runs and archives

    def start_run(self, run: Run) -> None:
        """Note that a run has started; the same run again replaces the note."""
        self._put(_RUNS, [run])

    def finish_run(
        self, run: str, finished_at: datetime, counts: Mapping[str, int], seconds: Mapping[str, float]
    ) -> None:
        """Note what came of a run."""
        finished = {"finished_at": finished_at, "counts": dict(counts), "seconds": dict(seconds)}
        with self._writing() as connection:
            connection.execute(sa.update(_RUNS).where(_RUNS.c.run == run).values(finished))

    def runs(self, limit: int = 20) -> list[Run]:
        """Return the latest runs, the latest first."""
        latest = sa.select(_RUNS).order_by(_RUNS.c.started_at.desc(), _RUNS.c.run.desc()).limit(limit)
        with self._reading() as connection:
            return [Run(**row._asdict()) for row in connection.execute(latest)]

    def record_archives(self, archives: Iterable[Archive]) -> None:
        """Note files of the page archive."""
        self._put(_ARCHIVES, archives)

    def archives(self, run: str | None = None) -> list[Archive]:
        """Return the files of the page archive, of one run or all, in order."""
        wanted = sa.select(_ARCHIVES).order_by(_ARCHIVES.c.file)
        with self._reading() as connection:
            rows = connection.execute(wanted if run is None else wanted.where(_ARCHIVES.c.run == run))
            return [Archive(**row._asdict()) for row in rows]

    # Where rows lie

    def identify(self, urls: Mapping[str, str]) -> dict[str, str]:
        """Give each URL its article id, unless it has one already, and return the ids that hold."""
        return self._claim(_IDENTITIES, _IDENTITIES.c.url, _IDENTITIES.c.article_id, urls, {})

    def place(self, dataset: str, keys: Mapping[str, date]) -> dict[str, date]:
        """Give each key its partition, unless it has one already, and return the partitions that hold."""
        return self._claim(_PLACES, _PLACES.c.key, _PLACES.c.partition, keys, {"dataset": dataset})

    def places(self, dataset: str, keys: Iterable[str]) -> dict[str, date]:
        """Return the partitions of those keys that have one."""
        with self._reading() as connection:
            return dict(_pairs(connection, _PLACES.c.key, _PLACES.c.partition, keys, {"dataset": dataset}))

    def placed(self, dataset: str) -> dict[str, date]:
        """Return every key of a dataset, with its partition."""
        wanted = sa.select(_PLACES.c.key, _PLACES.c.partition).where(_PLACES.c.dataset == dataset)
        with self._reading() as connection:
            return {row[0]: row[1] for row in connection.execute(wanted)}

    def identities(self, urls: Iterable[str]) -> dict[str, str]:
        """Return the article ids of those URLs that were given one."""
        with self._reading() as connection:
            return dict(_pairs(connection, _IDENTITIES.c.url, _IDENTITIES.c.article_id, urls, {}))

    def identified(self) -> dict[str, str]:
        """Return every URL that has an identity, with its article id."""
        with self._reading() as connection:
            wanted = sa.select(_IDENTITIES.c.url, _IDENTITIES.c.article_id)
            return {row[0]: row[1] for row in connection.execute(wanted)}

    def urls_of(self, article_ids: Iterable[str]) -> list[str]:
        """Return the URLs that were given one of these identities."""
        with self._reading() as connection:
            pairs = _pairs(connection, _IDENTITIES.c.article_id, _IDENTITIES.c.url, article_ids, {})
            return [url for _, url in pairs]

    def displace(self, dataset: str, keys: Iterable[str]) -> None:
        """Forget where these keys were."""
        with self._writing() as connection:
            for some in _slices(list(keys)):
                connection.execute(sa.delete(_PLACES).where(_PLACES.c.dataset == dataset, _PLACES.c.key.in_(some)))
            self._count_shift(connection)

    def shift(self, dataset: str, partition: date, keys: Iterable[str]) -> None:
        """Note that these keys lie in another partition from now on."""
        with self._writing() as connection:
            places = [{"dataset": dataset, "key": key, "partition": partition} for key in sorted(keys)]
            self._upsert(connection, _PLACES, places)
            self._count_shift(connection)

    def shifts(self) -> int:
        """Return a number that changes whenever keys were shifted or displaced."""
        with self._reading() as connection:
            return int(connection.scalar(sa.select(_LEDGER.c.value).where(_LEDGER.c.name == "shifts")) or 0)

    def index(self, dataset: str, partition: date, keys: Iterable[str], urls: Mapping[str, str]) -> None:
        """Note what a partition holds, as read from it: its keys, and the article ids of its URLs."""
        with self._writing() as connection:
            places = [{"dataset": dataset, "key": key, "partition": partition} for key in sorted(keys)]
            self._upsert(connection, _PLACES, places)
            identities = [{"url": url, "article_id": article_id} for url, article_id in sorted(urls.items())]
            self._upsert(connection, _IDENTITIES, identities)

    def is_indexed(self) -> bool:
        """Say whether the dataset was ever indexed here; if not, the ledger is new, or the old one was lost."""
        with self._reading() as connection:
            return connection.scalar(sa.select(_LEDGER.c.value).where(_LEDGER.c.name == "indexed")) is not None

    def mark_indexed(self) -> None:
        """Note that the whole dataset was indexed."""
        with self._writing() as connection:
            self._upsert(connection, _LEDGER, [{"name": "indexed", "value": "yes"}])

    def unknown_manifests(self, names: Iterable[str]) -> list[str]:
        """Return the manifests whose rows the index does not know yet."""
        names = list(names)
        with self._reading() as connection:
            known = set(connection.scalars(sa.select(_MANIFESTS.c.name)))
        return [name for name in names if name not in known]

    def record_manifests(self, names: Iterable[str]) -> None:
        """Note that the index knows these manifests' rows."""
        with self._writing() as connection:
            self._upsert(connection, _MANIFESTS, [{"name": name} for name in names])

    # Whose it is

    def store_id(self) -> str | None:
        """Return the id of the store that this ledger belongs to; None while it is new."""
        with self._reading() as connection:
            return connection.scalar(sa.select(_LEDGER.c.value).where(_LEDGER.c.name == "store"))

    def belong_to(self, store_id: str) -> None:
        """Note the store that this ledger belongs to."""
        with self._writing() as connection:
            self._upsert(connection, _LEDGER, [{"name": "store", "value": store_id}])

    def doubt_absent(self, present: Collection[str]) -> int:
        """Let the next run edit anew what was stored under ids that are not present; return how many inputs that is."""
        doubted = 0
        with self._writing() as connection:
            for table in (_URLS, _DOCUMENTS):
                told = connection.scalars(
                    sa.select(table.c.article_id).where(table.c.article_id.is_not(None)).distinct()
                )
                for some in _slices([each for each in told if each not in present]):
                    changed = sa.update(table).where(table.c.article_id.in_(some)).values(versions=None)
                    doubted += connection.execute(changed).rowcount
        return doubted

    # How it is done

    def _prepare(self) -> None:
        """Make the tables of a new ledger, or lift those of an older one; whoever opens it meanwhile waits."""
        version = _LEDGER.c.name == "version"
        with self._writing() as connection:
            if self.engine.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            if not sa.inspect(connection).has_table(_LEDGER.name):
                TABLES.create_all(connection)
                connection.execute(self._insert(_LEDGER).values(name="version", value=str(LEDGER_VERSION)))
            found = int(connection.scalar(sa.select(_LEDGER.c.value).where(version)) or 0)
            if not 1 <= found <= LEDGER_VERSION:
                raise SchemaVersionError(
                    f"{self.where}: this ledger has schema version {found}, and this copydesk knows {LEDGER_VERSION}. "
                    "Use the copydesk that wrote it, or move the ledger away: its index is rebuilt from the dataset."
                )
            for statements in MIGRATIONS[found - 1 :]:
                for statement in statements:
                    connection.exec_driver_sql(statement)
            if found < LEDGER_VERSION:
                connection.execute(sa.update(_LEDGER).where(version).values(value=str(LEDGER_VERSION)))

    def _count_shift(self, connection: Connection) -> None:
        first = self._insert(_LEDGER).values(name="shifts", value="1")
        number = sa.cast(sa.cast(_LEDGER.c.value, sa.BigInteger) + 1, sa.Text)
        connection.execute(first.on_conflict_do_update(index_elements=["name"], set_={"value": number}))

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._explained(), self.engine.connect().execution_options(reading=True) as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._explained(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise _explain(error, self.where) from error

    def _insert(self, table: sa.Table) -> "sqlite.Insert | postgresql.Insert":
        return postgresql.insert(table) if self.engine.dialect.name == "postgresql" else sqlite.insert(table)

    def _put(self, table: sa.Table, records: Iterable["Visit | FileVisit | FeedVisit | Archive | Run"]) -> None:
        keys = [column.name for column in table.primary_key]
        rows = sorted((asdict(record) for record in records), key=lambda row: [row[name] for name in keys])
        with self._writing() as connection:
            self._upsert(connection, table, rows)

    def _upsert(self, connection: Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
        if not rows:
            return
        insert = self._insert(table)
        changed = {column.name: insert.excluded[column.name] for column in table.columns if not column.primary_key}
        keys = [column.name for column in table.primary_key]
        connection.execute(
            insert.on_conflict_do_update(index_elements=keys, set_=changed)
            if changed
            else insert.on_conflict_do_nothing(index_elements=keys),
            rows,
        )

    def _drop(self, table: sa.Table, key: "sa.Column[str]", wanted: Iterable[str]) -> None:
        with self._writing() as connection:
            for some in _slices(list(wanted)):
                connection.execute(sa.delete(table).where(key.in_(some)))

    def _find(
        self, kind: type[R], table: sa.Table, key: "sa.Column[str]", wanted: Iterable[str], *where: Any
    ) -> Iterator[R]:
        names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
        with self._reading() as connection:
            for some in _slices(list(wanted)):
                for row in connection.execute(
                    sa.select(*(table.c[name] for name in names)).where(key.in_(some), *where)
                ):
                    yield kind(**row._asdict())

    def _claim(
        self,
        table: sa.Table,
        key: "sa.Column[Any]",
        value: "sa.Column[Any]",
        claims: Mapping[str, Any],
        fixed: Mapping[str, str],
    ) -> dict[str, Any]:
        # Two runs that claim the same keys in different orders would wait for each other for ever.
        rows = [{key.name: name, value.name: str(claim), **fixed} for name, claim in sorted(claims.items())]
        if not rows:
            return {}
        with self._writing() as connection:
            if self._add(connection, table, rows) == len(rows):
                return dict(claims)
            return dict(_pairs(connection, key, value, claims, fixed))

    def _add(self, connection: Connection, table: sa.Table, rows: Sequence[dict[str, str]]) -> int:
        """Insert the rows whose keys are new, and return how many they were.

        The driver gets them as they are: that SQLAlchemy looks at each value costs 8 µs a row, to insert it costs 3.
        """
        primary = [column.name for column in table.primary_key]
        insert = self._insert(table).on_conflict_do_nothing(index_elements=primary)
        statement = insert.compile(dialect=self.engine.dialect, column_keys=list(rows[0]))
        places = statement.positiontup
        parameters = [tuple(row[name] for name in places) for row in rows] if places else list(rows)
        return connection.exec_driver_sql(str(statement), parameters, {"preserve_rowcount": True}).rowcount


def sqlite_url(path: Path) -> sa.URL:
    """Return the URL of an SQLite file, whatever characters its path has."""
    return sa.URL.create("sqlite", database=str(path))


def _pairs(
    connection: Connection,
    key: "sa.Column[Any]",
    value: "sa.Column[Any]",
    wanted: Iterable[str],
    fixed: Mapping[str, str],
) -> Iterator[tuple[str, Any]]:
    table = key.table
    for some in _slices(list(wanted)):
        where = [table.c[name] == held for name, held in fixed.items()]
        for row in connection.execute(sa.select(key, value).where(key.in_(some), *where)):
            yield row[0], row[1]


def _slices(values: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(values), _AT_A_TIME):
        yield values[start : start + _AT_A_TIME]


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver
    cursor = connection.cursor()
    for pragma in ("busy_timeout = 60000", "synchronous = NORMAL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    _switch_to_wal(cursor)
    cursor.close()


def _switch_to_wal(cursor: sqlite3.Cursor) -> None:
    """Let readers and a writer work side by side; of several that make this switch at once, all but one fail at once.

    SQLite does not wait here, whatever the timeout: two that hold a lock each would wait for each other.
    """
    for pause in _PAUSES:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            time.sleep(pause)
        else:
            return
    cursor.execute("PRAGMA journal_mode = WAL")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later would fail at once where another writes in between.
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _explain(error: SQLAlchemyError, where: str) -> Exception:
    cause = str(getattr(error, "orig", None) or error).splitlines()[0]
    if "readonly" in cause or "unable to open" in cause:
        return StoreNotWritableError(
            f"{where}: the ledger cannot be opened for writing ({cause}). Check its permissions."
        )
    if "disk is full" in cause:
        return StoreFullError(f"{where}: no space left for the ledger. Free some, and run again.")
    return LedgerError(f"{where}: the ledger's database answers: {cause}.")
