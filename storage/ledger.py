"""The ledger: what was visited and with what result, where each article lies, and when a host may be asked again.

Nothing in it is the only copy of what an article says: lost, it costs fetches, not data.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect

from storage.database import Database, insert_into, pairs, slices
from storage.records import (
    ARCHIVES,
    ATTEMPTS,
    DOCUMENTS,
    FEEDS,
    HOSTS,
    IDENTITIES,
    LEDGER,
    MANIFESTS,
    NOTES,
    PLACES,
    ROBOTS,
    RUNS,
    URLS,
    Archive,
    Attempt,
    FeedVisit,
    FileVisit,
    Host,
    Instant,
    RobotsVisit,
    Run,
    Visit,
)

_SEVERAL: Final = 20
"""Sources that are looked for by name in the runs; of more, all runs are read."""


@dataclass(frozen=True, slots=True)
class Ledger(Database):
    """An open ledger."""

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
            for some in slices(names):
                for table in (URLS, DOCUMENTS):
                    gone = sa.update(table).where(table.c.page_file.in_(some))
                    connection.execute(gone.values(page_file=None, page_offset=None))
                connection.execute(sa.delete(ARCHIVES).where(ARCHIVES.c.file.in_(some)))

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
            return dict(pairs(connection, PLACES.c.key, PLACES.c.partition, keys, {"dataset": dataset}))

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
            return dict(pairs(connection, IDENTITIES.c.url, IDENTITIES.c.article_id, urls, {}))

    def identified(self) -> dict[str, str]:
        """Return every URL that has an identity, with its article id."""
        with self._reading() as connection:
            wanted = sa.select(IDENTITIES.c.url, IDENTITIES.c.article_id)
            return {row[0]: row[1] for row in connection.execute(wanted)}

    def urls_of(self, article_ids: Iterable[str]) -> list[str]:
        """Return the URLs that were given one of these identities."""
        with self._reading() as connection:
            found = pairs(connection, IDENTITIES.c.article_id, IDENTITIES.c.url, article_ids, {})
            return [url for _, url in found]

    def displace(self, dataset: str, keys: Iterable[str]) -> None:
        """Forget where these keys were."""
        with self._writing() as connection:
            for some in slices(list(keys)):
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
                for some in slices([each for each in told if each not in present]):
                    changed = sa.update(table).where(table.c.article_id.in_(some)).values(versions=None)
                    doubted += connection.execute(changed).rowcount
        return doubted

    def _count_shift(self, connection: Connection) -> None:
        first = self._insert(LEDGER).values(name="shifts", value="1")
        number = sa.cast(sa.cast(LEDGER.c.value, sa.BigInteger) + 1, sa.Text)
        connection.execute(first.on_conflict_do_update(index_elements=["name"], set_={"value": number}))


@lru_cache(maxsize=8)
def _turn_at_host(dialect: Dialect) -> Any:
    """Return the statement that takes the turn at the host `asked` if it is free `now`; the next one is `later`."""
    later, now = sa.bindparam("later", type_=Instant), sa.bindparam("now", type_=Instant)
    is_free = HOSTS.c.next_allowed <= now, sa.or_(HOSTS.c.parked_until.is_(None), HOSTS.c.parked_until <= now)
    insert = insert_into(HOSTS, dialect).values(host=sa.bindparam("asked"), next_allowed=later)
    taking = insert.on_conflict_do_update(
        index_elements=["host"], set_={"next_allowed": later}, where=sa.and_(*is_free)
    )
    return taking.returning(*HOSTS.c).compile(dialect=dialect)
