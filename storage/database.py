"""The ledger's database: SQLite in the dataset's folder, or PostgreSQL by URL, and how records are kept in its tables.

Every operation takes many records and is one transaction. A database of an older version is lifted when it is opened.
"""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from storage.errors import LedgerError, SchemaVersionError, StoreFullError, StoreNotWritableError
from storage.records import LEDGER, LEDGER_VERSION, MIGRATIONS, TABLES, Record, values_of

_AT_A_TIME: Final = 500
"""Records in one statement: SQLite allows 32,766 bound values, and a visit has 16."""

_PAUSES: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds between one attempt to switch SQLite to its write-ahead log and the next."""

_BUSY: Final = 60_000
"""Milliseconds that SQLite waits for another writer."""

_PATIENCE: Final = 5_000
"""Milliseconds that housekeeping waits for another writer."""

_LOCK: Final = 0x636F7079  # of all who open a PostgreSQL ledger, any number of our own

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Database:
    """An open database with the ledger's tables."""

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
        return insert_into(table, self.engine.dialect)

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
            for some in slices(list(wanted)):
                connection.execute(sa.delete(table).where(key.in_(some)))

    def _find(
        self, kind: type[R], table: sa.Table, key: "sa.Column[str]", wanted: Iterable[str], *where: Any
    ) -> Iterator[R]:
        names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
        with self._reading() as connection:
            for some in slices(list(wanted)):
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
            return dict(pairs(connection, key, value, claims, fixed))

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


def insert_into(table: sa.Table, dialect: Dialect) -> "sqlite.Insert | postgresql.Insert":
    """Return an INSERT that can say what to do where a key is there already."""
    return postgresql.insert(table) if dialect.name == "postgresql" else sqlite.insert(table)


# SQLAlchemy caches no statement with an ON CONFLICT, and to compile one costs ten times as much as to execute it.


@lru_cache(maxsize=64)
def _upsert_into(table: sa.Table, names: tuple[str, ...], dialect: Dialect) -> Any:
    """Return the statement that inserts a row of these columns, or replaces the one of the same key."""
    insert = insert_into(table, dialect)
    keys = [column.name for column in table.primary_key]
    changed = {column.name: insert.excluded[column.name] for column in table.columns if not column.primary_key}
    upsert = (
        insert.on_conflict_do_update(index_elements=keys, set_=changed)
        if changed
        else insert.on_conflict_do_nothing(index_elements=keys)
    )
    return upsert.compile(dialect=dialect, column_keys=names)


def sqlite_url(path: Path) -> sa.URL:
    """Return the URL of an SQLite file, whatever characters its path has."""
    return sa.URL.create("sqlite", database=str(path))


def pairs(
    connection: Connection,
    key: "sa.Column[Any]",
    value: "sa.Column[Any]",
    wanted: Iterable[str],
    fixed: Mapping[str, str],
) -> Iterator[tuple[str, Any]]:
    """Yield the key and the value of the rows with one of these keys; `fixed` names other columns and their values."""
    table = key.table
    for some in slices(list(wanted)):
        where = [table.c[name] == held for name, held in fixed.items()]
        for row in connection.execute(sa.select(key, value).where(key.in_(some), *where)):
            yield row[0], row[1]


def slices(values: list[str]) -> Iterator[list[str]]:
    """Yield the values, so many at a time as one statement takes.

    >>> [len(some) for some in slices(["key"] * 1_200)]
    [500, 500, 200]
    """
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
