"""The ledger: what was visited and with what result, where each article lies, and when a host may be asked again.

SQLite by default, PostgreSQL by URL. Every operation takes many records and is one transaction. A ledger of an older
version is lifted when it is opened.
Nothing in it is the only copy of what an article says: lost, it costs fetches, not data.
"""

import json
import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from storage.errors import LedgerError, SchemaVersionError, StoreFullError, StoreNotWritableError
from storage.records import (
    ARCHIVES,
    ATTEMPTS,
    DOCUMENTS,
    FEEDS,
    HOSTS,
    IDENTITIES,
    LEDGER,
    LEDGER_VERSION,
    MANIFESTS,
    MIGRATIONS,
    NOTES,
    PLACES,
    ROBOTS,
    RUNS,
    TABLES,
    URLS,
    Archive,
    Attempt,
    FeedVisit,
    FileVisit,
    Host,
    Instant,
    Record,
    RobotsVisit,
    Run,
    Visit,
    values_of,
)

_AT_A_TIME: Final = 500
"""Records in one statement: SQLite allows 32,766 bound values, and a visit has 16."""

_PAUSES: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds between one attempt to switch SQLite to its write-ahead log and the next."""

_BUSY: Final = 60_000
"""Milliseconds that SQLite waits for another writer."""

_PATIENCE: Final = 5_000
"""Milliseconds that housekeeping waits for one."""

_SEVERAL: Final = 20
"""Sources that are looked for by name in the runs; of more, all runs are read."""

R = TypeVar("R")

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
        try:
            address = sa.make_url(url)
        except ArgumentError:  # which quotes the address, that may hold a password
            raise LedgerError(
                "The ledger's address is no SQLAlchemy URL. Write for example postgresql://user@host/copydesk, "
                "or leave it out: an SQLite file in the dataset's folder."
            ) from None
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
        return {visit.url: visit for visit in self._find(Visit, URLS, URLS.c.url, urls)}

    def record_visits(self, visits: Iterable[Visit]) -> None:
        """Keep these as the last visits to their URLs."""
        self._put(URLS, visits)

    def arrived(self, outcome: str, sources: Iterable[str] | None) -> list[Visit]:
        """Return the visits to these sources' URLs, or to all, that ended in this outcome, in the order of their URLs.

        Where the outcome says that a page is archived and nothing has become of it yet, a run was cut short.
        """
        wanted = sa.select(URLS).where(URLS.c.outcome == outcome)
        if sources is not None:
            wanted = wanted.where(URLS.c.source.in_(list(sources)))
        with self._reading() as connection:
            return [Visit(**row._asdict()) for row in connection.execute(wanted.order_by(URLS.c.url))]

    def failures(self, sources: Iterable[str], since: datetime, until: datetime) -> list[Visit]:
        """Return the visits to these sources' URLs that failed from `since` until before `until`, and not since."""
        failed = sa.select(URLS).where(
            URLS.c.source.in_(sorted(sources)),
            URLS.c.failures > 0,
            URLS.c.fetched_at >= since,
            URLS.c.fetched_at < until,
        )
        with self._reading() as connection:
            return [Visit(**row._asdict()) for row in connection.execute(failed.order_by(URLS.c.url))]

    def visits_of(self, article_ids: Iterable[str]) -> list[Visit]:
        """Return the last visits that ended in one of these articles."""
        return list(self._find(Visit, URLS, URLS.c.article_id, article_ids))

    def file_visits_of(self, article_ids: Iterable[str]) -> list[FileVisit]:
        """Return the last readings that ended in one of these articles."""
        return list(self._find(FileVisit, DOCUMENTS, DOCUMENTS.c.article_id, article_ids))

    def archived(self) -> Iterator[tuple[str, str, int]]:
        """Yield the URL, archive file and offset of every visit whose page is kept."""
        pages = sa.select(URLS.c.url, URLS.c.page_file, URLS.c.page_offset).where(URLS.c.page_file.is_not(None))
        with self._reading() as connection:
            for row in connection.execute(pages.order_by(URLS.c.url)):
                yield row[0], row[1], row[2]

    def drop_visits(self, urls: Iterable[str]) -> None:
        """Forget the visits to these URLs: they will be visited as if for the first time."""
        self._drop(URLS, URLS.c.url, urls)

    def drop_pages(self, files: Iterable[str]) -> None:
        """Forget that pages of visits lie in these archive files, which are not there any more."""
        names = list(files)
        with self._writing() as connection:
            for some in _slices(names):
                for table in (URLS, DOCUMENTS):
                    gone = sa.update(table).where(table.c.page_file.in_(some))
                    connection.execute(gone.values(page_file=None, page_offset=None))
                connection.execute(sa.delete(ARCHIVES).where(ARCHIVES.c.file.in_(some)))

    def compact(self) -> bool:
        """Give back the space of what was dropped, and let the database see what its tables have become.

        Returns False, and does nothing, where an SQLite ledger is in use. PostgreSQL gives space back by itself.
        """
        if self.engine.dialect.name != "sqlite":
            with self._writing() as connection:
                for table in TABLES.sorted_tables:
                    connection.exec_driver_sql(f"ANALYZE {table.name}")
            return True
        with self._explained(), closing(self.engine.raw_connection()) as raw:
            try:
                for statement in (f"PRAGMA busy_timeout = {_PATIENCE}", "VACUUM", "ANALYZE"):
                    raw.cursor().execute(statement)
            except sqlite3.OperationalError as error:
                if "locked" not in str(error):
                    raise
                return False
            finally:
                raw.cursor().execute(f"PRAGMA busy_timeout = {_BUSY}")
            return True

    def drop_identities(self, urls: Iterable[str]) -> None:
        """Forget that these URLs were ever given an identity."""
        self._drop(IDENTITIES, IDENTITIES.c.url, urls)

    def forget_articles(self, article_ids: Iterable[str]) -> None:
        """Forget every visit, reading and identity that ended in one of these articles."""
        ids = list(article_ids)
        for table in (URLS, DOCUMENTS, IDENTITIES):
            self._drop(table, table.c.article_id, ids)

    def file_visits(self, source: str, inputs: Iterable[str]) -> dict[str, FileVisit]:
        """Return the last reading of each of a source's documents that was read at all, by its `input`."""
        found = self._find(FileVisit, DOCUMENTS, DOCUMENTS.c.input, inputs, DOCUMENTS.c.source == source)
        return {visit.input: visit for visit in found}

    def record_file_visits(self, visits: Iterable[FileVisit]) -> None:
        """Keep these as the last readings of their documents."""
        self._put(DOCUMENTS, visits)

    def feed_visits(self, urls: Iterable[str]) -> dict[str, FeedVisit]:
        """Return the last visit to each of these feeds that was visited at all."""
        return {visit.url: visit for visit in self._find(FeedVisit, FEEDS, FEEDS.c.url, urls)}

    def record_feed_visits(self, visits: Iterable[FeedVisit]) -> None:
        """Keep these as the last visits to their feeds."""
        self._put(FEEDS, visits)

    # When a host may be asked

    def take(self, host: str, delay: float, now: datetime) -> tuple[bool, Host]:
        """Take the turn at a host if it is free now, and tell how the host stands; the next turn is `delay` s later.

        All runs that share the ledger share the host's turns. A turn is taken when it is used, never ahead of time.
        """
        turn = {"asked": host, "later": now + timedelta(seconds=delay), "now": now}
        with self._writing() as connection:
            taken = connection.execute(_turn_at_host(self.engine.dialect), turn).first()
            row = taken or connection.execute(sa.select(HOSTS).where(HOSTS.c.host == host)).one()
        return taken is not None, Host(**row._asdict())

    def hold(self, host: str, until: datetime) -> None:
        """Let nobody else have a turn at a host before then; an earlier instant changes nothing."""
        insert = self._insert(HOSTS).values(host=host, next_allowed=until)
        later = insert.on_conflict_do_update(
            index_elements=["host"], set_={"next_allowed": until}, where=HOSTS.c.next_allowed < until
        )
        with self._writing() as connection:
            connection.execute(later)

    def release(self, host: str, held_until: datetime, until: datetime) -> None:
        """Let others have a turn from `until` on, unless somebody else has changed what `hold` noted."""
        held = sa.and_(HOSTS.c.host == host, HOSTS.c.next_allowed == held_until)
        with self._writing() as connection:
            connection.execute(sa.update(HOSTS).where(held).values(next_allowed=until))

    def hosts(self, names: Iterable[str]) -> dict[str, Host]:
        """Return how these hosts stand, of those that were asked at all."""
        return {host.host: host for host in self._find(Host, HOSTS, HOSTS.c.host, names)}

    def count_failure(self, host: str, now: datetime) -> int:
        """Count one more failure in a row of a host, and return how many that makes."""
        insert = self._insert(HOSTS).values(host=host, next_allowed=now, failures=1)
        more = insert.on_conflict_do_update(index_elements=["host"], set_={"failures": HOSTS.c.failures + 1})
        with self._writing() as connection:
            return int(connection.execute(more.returning(HOSTS.c.failures)).scalar_one())

    def park(self, host: str, until: datetime, because: str) -> None:
        """Leave a host alone until then, in all runs; an earlier instant changes nothing."""
        parked = {"parked_until": until, "parked_because": because}
        insert = self._insert(HOSTS).values(host=host, next_allowed=until, **parked)
        longer = sa.or_(HOSTS.c.parked_until.is_(None), HOSTS.c.parked_until < until)
        with self._writing() as connection:
            connection.execute(insert.on_conflict_do_update(index_elements=["host"], set_=parked, where=longer))

    def forgive(self, host: str) -> None:
        """Forget a host's failures: it has answered."""
        fresh = {"failures": 0, "parked_until": None, "parked_because": None}
        with self._writing() as connection:
            connection.execute(sa.update(HOSTS).where(HOSTS.c.host == host).values(fresh))

    def robots(self, origins: Iterable[str]) -> dict[str, RobotsVisit]:
        """Return what these origins last answered for robots.txt, of those that were asked at all."""
        return {visit.origin: visit for visit in self._find(RobotsVisit, ROBOTS, ROBOTS.c.origin, origins)}

    def record_robots(
        self,
        origin: str,
        fetched_at: datetime,
        *,
        text: str | None = None,
        trouble: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Keep this as an origin's last answer."""
        self._put(
            ROBOTS,
            [RobotsVisit(origin=origin, fetched_at=fetched_at, text=text, trouble=trouble, reason=reason)],
        )

    # What was attempted, and what was told

    def attempts(self, sources: Iterable[str] | None, first: date, last: date) -> list[Attempt]:
        """Return the last attempts at the days from `first` to `last`, both included: of these sources, or of all."""
        wanted = sa.select(ATTEMPTS).where(ATTEMPTS.c.day.between(first, last))
        if sources is not None:
            wanted = wanted.where(ATTEMPTS.c.source.in_(sorted(sources)))
        with self._reading() as connection:
            return [Attempt(**row._asdict()) for row in connection.execute(wanted)]

    def first_attempts(self) -> dict[str, date]:
        """Return the day on which each source was first attempted, as far as its last attempts tell."""
        first = sa.select(ATTEMPTS.c.source, sa.func.min(ATTEMPTS.c.started_at)).group_by(ATTEMPTS.c.source)
        with self._reading() as connection:
            return {row[0]: row[1].date() for row in connection.execute(first)}

    def record_attempts(self, attempts: Iterable[Attempt]) -> None:
        """Keep these as the last attempts at their sources' days."""
        self._put(ATTEMPTS, attempts)

    def note(self, name: str) -> str | None:
        """Return what was noted under a name."""
        with self._reading() as connection:
            return connection.scalar(sa.select(NOTES.c.value).where(NOTES.c.name == name))

    def put_note(self, name: str, value: str) -> bool:
        """Note a value under a name; return whether that is a change. Of several who say the same, one is told so."""
        insert = self._insert(NOTES).values(name=name, value=value)
        changed = insert.on_conflict_do_update(
            index_elements=["name"], set_={"value": value}, where=NOTES.c.value != value
        )
        with self._writing() as connection:
            return connection.execute(changed.returning(NOTES.c.name)).first() is not None

    # Runs and archives

    def start_run(self, run: Run) -> None:
        """Note that a run has started; the same run again replaces the note."""
        self._put(RUNS, [run])

    def finish_run(
        self,
        run: str,
        finished_at: datetime | None,
        counts: Mapping[str, int],
        seconds: Mapping[str, float],
        *,
        sources: Mapping[str, Mapping[str, int]] | None = None,
        corrections: Mapping[str, Mapping[str, int]] | None = None,
        broken: Sequence[str] = (),
    ) -> None:
        """Note what came of a run; one that another run has completed ended at no known time."""
        finished = {
            "finished_at": finished_at,
            "counts": dict(counts),
            "seconds": dict(seconds),
            "sources": {source: dict(each) for source, each in (sources or {}).items()},
            "corrections": {source: dict(each) for source, each in (corrections or {}).items()},
            "broken": list(broken),
        }
        with self._writing() as connection:
            connection.execute(sa.update(RUNS).where(RUNS.c.run == run).values(finished))

    def fail_run(self, run: str, trouble: str, finished_at: datetime | None = None) -> None:
        """Note why a run did not end well, and when, where that is known."""
        ended = {"trouble": trouble} | ({} if finished_at is None else {"finished_at": finished_at})
        with self._writing() as connection:
            connection.execute(sa.update(RUNS).where(RUNS.c.run == run).values(ended))

    def runs(self, limit: int | None = 20, *, flow: str | None = None) -> list[Run]:
        """Return the latest runs, of one flow or all, the latest first."""
        wanted = sa.select(RUNS) if flow is None else sa.select(RUNS).where(RUNS.c.flow == flow)
        return self._runs(wanted.limit(limit))

    def runs_named(self, beginning: str) -> list[Run]:
        """Return the runs whose id begins so, the latest first."""
        return self._runs(sa.select(RUNS).where(RUNS.c.run.startswith(beginning, autoescape=True)))

    def runs_of(self, sources: Iterable[str], flow: str, since: datetime) -> list[Run]:
        """Return a flow's runs since then that took in any of these sources, the latest first."""
        wanted = set(sources)
        if not wanted:
            return []
        recent = sa.select(RUNS).where(RUNS.c.flow == flow, RUNS.c.started_at >= since)
        if len(wanted) <= _SEVERAL:
            # The database looks for the names in the text of the JSON: most runs are of other sources.
            text = sa.cast(RUNS.c.sources, sa.Text)
            recent = recent.where(sa.or_(*(text.contains(json.dumps(name), autoescape=True) for name in wanted)))
        return [run for run in self._runs(recent) if not wanted.isdisjoint(run.sources)]

    def unfinished_runs(self) -> list[Run]:
        """Return the runs that are at work, or were killed and not noticed yet, the latest first."""
        return self._runs(sa.select(RUNS).where(RUNS.c.finished_at.is_(None), RUNS.c.trouble.is_(None)))

    def _runs(self, wanted: "sa.Select[Any]") -> list[Run]:
        with self._reading() as connection:
            rows = connection.execute(wanted.order_by(RUNS.c.started_at.desc(), RUNS.c.run.desc()))
            return [Run(**row._asdict() | {"broken": tuple(row.broken)}) for row in rows]

    def record_archives(self, archives: Iterable[Archive]) -> None:
        """Note files of the page archive."""
        self._put(ARCHIVES, archives)

    def archives(self, run: str | None = None) -> list[Archive]:
        """Return the files of the page archive, of one run or all, in order."""
        wanted = sa.select(ARCHIVES).order_by(ARCHIVES.c.file)
        with self._reading() as connection:
            rows = connection.execute(wanted if run is None else wanted.where(ARCHIVES.c.run == run))
            return [Archive(**row._asdict()) for row in rows]

    # Where rows lie

    def identify(self, urls: Mapping[str, str]) -> dict[str, str]:
        """Give each URL its article id, unless it has one already, and return the ids that hold."""
        return self._claim(IDENTITIES, IDENTITIES.c.url, IDENTITIES.c.article_id, urls, {})

    def place(self, dataset: str, keys: Mapping[str, date]) -> dict[str, date]:
        """Give each key its partition, unless it has one already, and return the partitions that hold."""
        return self._claim(PLACES, PLACES.c.key, PLACES.c.partition, keys, {"dataset": dataset})

    def places(self, dataset: str, keys: Iterable[str]) -> dict[str, date]:
        """Return the partitions of those keys that have one."""
        with self._reading() as connection:
            return dict(_pairs(connection, PLACES.c.key, PLACES.c.partition, keys, {"dataset": dataset}))

    def placed(self, dataset: str) -> dict[str, date]:
        """Return every key of a dataset, with its partition."""
        wanted = sa.select(PLACES.c.key, PLACES.c.partition).where(PLACES.c.dataset == dataset)
        with self._reading() as connection:
            return {row[0]: row[1] for row in connection.execute(wanted)}

    def placed_by_day(self, dataset: str) -> dict[date, int]:
        """Return how many keys of a dataset lie in each partition."""
        counted = sa.select(PLACES.c.partition, sa.func.count()).where(PLACES.c.dataset == dataset)
        with self._reading() as connection:
            return {row[0]: row[1] for row in connection.execute(counted.group_by(PLACES.c.partition))}

    def placed_on(self, dataset: str, partition: date) -> set[str]:
        """Return the keys of a dataset that lie in a partition."""
        wanted = sa.select(PLACES.c.key).where(PLACES.c.dataset == dataset, PLACES.c.partition == partition)
        with self._reading() as connection:
            return set(connection.scalars(wanted))

    def identities(self, urls: Iterable[str]) -> dict[str, str]:
        """Return the article ids of those URLs that were given one."""
        with self._reading() as connection:
            return dict(_pairs(connection, IDENTITIES.c.url, IDENTITIES.c.article_id, urls, {}))

    def identified(self) -> dict[str, str]:
        """Return every URL that has an identity, with its article id."""
        with self._reading() as connection:
            wanted = sa.select(IDENTITIES.c.url, IDENTITIES.c.article_id)
            return {row[0]: row[1] for row in connection.execute(wanted)}

    def urls_of(self, article_ids: Iterable[str]) -> list[str]:
        """Return the URLs that were given one of these identities."""
        with self._reading() as connection:
            pairs = _pairs(connection, IDENTITIES.c.article_id, IDENTITIES.c.url, article_ids, {})
            return [url for _, url in pairs]

    def displace(self, dataset: str, keys: Iterable[str]) -> None:
        """Forget where these keys were."""
        with self._writing() as connection:
            for some in _slices(list(keys)):
                connection.execute(sa.delete(PLACES).where(PLACES.c.dataset == dataset, PLACES.c.key.in_(some)))
            self._count_shift(connection)

    def shift(self, dataset: str, partition: date, keys: Iterable[str]) -> None:
        """Note that these keys lie in another partition from now on."""
        with self._writing() as connection:
            places = [{"dataset": dataset, "key": key, "partition": partition} for key in sorted(keys)]
            self._upsert(connection, PLACES, places)
            self._count_shift(connection)

    def shifts(self) -> int:
        """Return a number that changes whenever keys were shifted or displaced."""
        with self._reading() as connection:
            return int(connection.scalar(sa.select(LEDGER.c.value).where(LEDGER.c.name == "shifts")) or 0)

    def index(self, dataset: str, partition: date, keys: Iterable[str], urls: Mapping[str, str]) -> None:
        """Note what a partition holds, as read from it: its keys, and the article ids of its URLs."""
        with self._writing() as connection:
            places = [{"dataset": dataset, "key": key, "partition": partition} for key in sorted(keys)]
            self._upsert(connection, PLACES, places)
            identities = [{"url": url, "article_id": article_id} for url, article_id in sorted(urls.items())]
            self._upsert(connection, IDENTITIES, identities)

    def is_indexed(self) -> bool:
        """Say whether the dataset was ever indexed here; if not, the ledger is new, or the old one was lost."""
        with self._reading() as connection:
            return connection.scalar(sa.select(LEDGER.c.value).where(LEDGER.c.name == "indexed")) is not None

    def mark_indexed(self) -> None:
        """Note that the whole dataset was indexed."""
        with self._writing() as connection:
            self._upsert(connection, LEDGER, [{"name": "indexed", "value": "yes"}])

    def unknown_manifests(self, names: Iterable[str]) -> list[str]:
        """Return the manifests whose rows the index does not know yet."""
        names = list(names)
        with self._reading() as connection:
            known = set(connection.scalars(sa.select(MANIFESTS.c.name)))
        return [name for name in names if name not in known]

    def record_manifests(self, names: Iterable[str]) -> None:
        """Note that the index knows these manifests' rows."""
        with self._writing() as connection:
            self._upsert(connection, MANIFESTS, [{"name": name} for name in names])

    # Whose it is

    def store_id(self) -> str | None:
        """Return the id of the store that this ledger belongs to; None while it is new."""
        with self._reading() as connection:
            return connection.scalar(sa.select(LEDGER.c.value).where(LEDGER.c.name == "store"))

    def belong_to(self, store_id: str) -> None:
        """Note the store that this ledger belongs to."""
        with self._writing() as connection:
            self._upsert(connection, LEDGER, [{"name": "store", "value": store_id}])

    def doubt_absent(self, present: Collection[str]) -> int:
        """Let the next run edit anew what was stored under ids that are not present; return how many inputs that is."""
        doubted = 0
        with self._writing() as connection:
            for table in (URLS, DOCUMENTS):
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
        version = LEDGER.c.name == "version"
        with self._writing() as connection:
            if self.engine.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            if not sa.inspect(connection).has_table(LEDGER.name):
                TABLES.create_all(connection)
                connection.execute(self._insert(LEDGER).values(name="version", value=str(LEDGER_VERSION)))
            found = int(connection.scalar(sa.select(LEDGER.c.value).where(version)) or 0)
            if not 1 <= found <= LEDGER_VERSION:
                raise SchemaVersionError(
                    f"{self.where}: this ledger has schema version {found}, and this copydesk knows {LEDGER_VERSION}. "
                    "Use the copydesk that wrote it, or move the ledger away: its index is rebuilt from the dataset."
                )
            if found < LEDGER_VERSION:
                TABLES.create_all(connection)  # those that are new since
            for statements in MIGRATIONS[found - 1 :]:
                for statement in statements:
                    connection.exec_driver_sql(statement)
            if found < LEDGER_VERSION:
                connection.execute(sa.update(LEDGER).where(version).values(value=str(LEDGER_VERSION)))

    def _count_shift(self, connection: Connection) -> None:
        first = self._insert(LEDGER).values(name="shifts", value="1")
        number = sa.cast(sa.cast(LEDGER.c.value, sa.BigInteger) + 1, sa.Text)
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
        return _insert_into(table, self.engine.dialect)

    def _put(self, table: sa.Table, records: Iterable[Record]) -> None:
        keys = [column.name for column in table.primary_key]
        rows = sorted(map(values_of, records), key=lambda row: [row[name] for name in keys])
        with self._writing() as connection:
            self._upsert(connection, table, rows)

    def _upsert(self, connection: Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
        if rows:
            connection.execute(_upsert_into(table, tuple(rows[0]), self.engine.dialect), rows)

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


def _insert_into(table: sa.Table, dialect: Dialect) -> "sqlite.Insert | postgresql.Insert":
    return postgresql.insert(table) if dialect.name == "postgresql" else sqlite.insert(table)


# SQLAlchemy caches no statement with an ON CONFLICT, and to compile one costs ten times as much as to execute it.


@lru_cache(maxsize=64)
def _upsert_into(table: sa.Table, names: tuple[str, ...], dialect: Dialect) -> Any:
    """Return the statement that inserts a row of these columns, or replaces the one of the same key."""
    insert = _insert_into(table, dialect)
    keys = [column.name for column in table.primary_key]
    changed = {column.name: insert.excluded[column.name] for column in table.columns if not column.primary_key}
    upsert = (
        insert.on_conflict_do_update(index_elements=keys, set_=changed)
        if changed
        else insert.on_conflict_do_nothing(index_elements=keys)
    )
    return upsert.compile(dialect=dialect, column_keys=names)


@lru_cache(maxsize=8)
def _turn_at_host(dialect: Dialect) -> Any:
    """Return the statement that takes the turn at the host `asked` if it is free `now`; the next one is `later`."""
    later, now = sa.bindparam("later", type_=Instant), sa.bindparam("now", type_=Instant)
    is_free = HOSTS.c.next_allowed <= now, sa.or_(HOSTS.c.parked_until.is_(None), HOSTS.c.parked_until <= now)
    insert = _insert_into(HOSTS, dialect).values(host=sa.bindparam("asked"), next_allowed=later)
    taking = insert.on_conflict_do_update(
        index_elements=["host"], set_={"next_allowed": later}, where=sa.and_(*is_free)
    )
    return taking.returning(*HOSTS.c).compile(dialect=dialect)


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
    for pragma in (f"busy_timeout = {_BUSY}", "synchronous = NORMAL", "foreign_keys = ON"):
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
