"""Rows as a run would stage them, and a store to put them in."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest
import sqlalchemy as sa

from storage.commit import Committed, commit
from storage.schema import ARTICLES_DATASET, STAGED_ARTICLES, STAGED_REJECTIONS, VERSION_KEY, added_since
from storage.store import Store
from tests.storage import postgres
from tests.storage.seaweed import Seaweed, serve

Row = dict[str, Any]

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
VERSIONS = {
    "pipeline": "0.1.0",
    "rules": "r1",
    "taxonomy": "t1",
    "tagger": "g1",
    "score_model": None,
    "watchlists": None,
}


def article(name: str, **changes: Any) -> Row:
    """Return a staged article called `name`, with everything filled in."""
    url = f"https://news.example/{name}"
    row: Row = {
        "article_id": name,
        "fallback_id": name,
        "source": "example",
        "input": url,
        "url": url,
        "canonical_url": None,
        "title": f"The title of {name}",
        "summary": None,
        "text": f"The first paragraph of {name}.\n\nAnd the second.",
        "authors": ["A. Writer", "B. Writer"],
        "published_at": datetime(2026, 3, 1, 8, 30, tzinfo=UTC),
        "published_precision": "instant",
        "published_source": "json-ld",
        "published_offset": None,
        "modified_at": None,
        "fetched_at": NOON,
        "language": "en",
        "language_confidence": 0.99,
        "language_declared": "en-GB",
        "languages": [{"language": "en", "share": 0.9}, {"language": "fr", "share": 0.1}],
        "artifacts": [
            {
                "field": "text",
                "rule": "space-before-comma",
                "category": "punctuation",
                "action": "mended",
                "start": 4,
                "before": " ,",
                "start_in_text": 4,
                "after": ",",
                "confidence": 0.95,
            }
        ],
        "mt_evidence": {
            "kinds": [{"kind": "space-before-comma", "count": 1}],
            "service": None,
            "source_language": None,
            "seen_in": None,
            "gate": None,
        },
        "translated_score": None,
        "topics": [
            {
                "id": "medtop:20000002",
                "label": "arts and entertainment",
                "score": 0.8,
                "evidence": [{"field": "text", "phrase": "paragraph", "start": 10}],
            },
            {"id": "medtop:15000000", "label": "sport", "score": 0.6, "evidence": []},
        ],
        "keywords": [],
        "section": None,
        "site_name": "Example News",
        "lead_image": None,
        "word_count": 8,
        "is_paywalled": False,
        "is_truncated": False,
        "standfirst": "A sentence before the first.",
        "blocks": [
            {"kind": "paragraph", "start": 0, "end": 24 + len(name)},
            {"kind": "paragraph", "start": 26 + len(name), "end": 37 + len(name)},
        ],
        "live_entries": [{"published_at": datetime(2026, 3, 1, 8, 30, tzinfo=UTC), "start": 26, "end": 37}],
        "captions": ["The first picture.", "The second."],
        "tables": [{"caption": None, "header_rows": 1, "rows": [["Port", "Ships"], ["Harrow", "12"], ["Mill", ""]]}],
        "next_page": f"{url}?page=2",
        "amp_url": None,
        "extraction": {"strategy": "container", "confidence": 0.9},
        "encoding": "utf-8",
        "unreadable": 0,
        "page": {"file": "2026/03/04/a.warc.gz", "offset": 400, "sha256": "00"},
        "versions": VERSIONS,
        "fingerprint": name.encode(),
        "number": 0,
    }
    return row | changes


def rejection(name: str, **changes: Any) -> Row:
    """Return a staged rejection of the input called `name`."""
    url = f"https://news.example/{name}"
    row: Row = {
        "source": "example",
        "input": url,
        "url": url,
        "stage": "fetch",
        "reason": "not-found",
        "detail": "404 Not Found",
        "page": None,
        "versions": VERSIONS,
        "number": 0,
    }
    return row | changes


def of_version(version: str, table: pa.Table) -> pa.Table:
    """Return articles as a copydesk of an earlier schema version wrote them."""
    return table.drop_columns([*added_since(ARTICLES_DATASET, version)]).replace_schema_metadata(
        {VERSION_KEY: version.encode()}
    )


class Desk:
    """A store with shorthands for what tests do again and again."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = Store.open(root)
        self.runs = 0

    def stage(
        self, run: str, articles: list[Row], rejections: list[Row] | None = None, key: str = "batch"
    ) -> list[str]:
        """Stage rows as one batch, numbering them in order where they have no number of their own."""
        rows = [*articles, *(rejections or [])]
        for number, row in enumerate(rows):
            row["number"] = row["number"] or number
        paths = [self.store.staging.write(run, key, "articles", pa.Table.from_pylist(articles, schema=STAGED_ARTICLES))]
        if rejections:
            table = pa.Table.from_pylist(rejections, schema=STAGED_REJECTIONS)
            paths.append(self.store.staging.write(run, key, "rejections", table))
        return paths

    def commit(
        self, articles: list[Row], rejections: list[Row] | None = None, *, now: datetime | None = None
    ) -> Committed:
        """Stage and commit rows as a run of its own, an hour after the last."""
        self.runs += 1
        run = f"run-{self.runs}"
        staged = self.stage(run, articles, rejections)
        committed = commit(self.store, staged, run=run, now=now or NOON + timedelta(hours=self.runs))
        self.store.staging.remove(staged)
        return committed

    def snapshot(self) -> dict[str, tuple[bytes, int]]:
        """Return the bytes and the mtime of every file of the product."""
        return {
            path.relative_to(self.root).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
            for path in self.root.rglob("*.parquet")
        }


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A new store in a folder of its own."""
    made = Desk(tmp_path / "data")
    yield made
    made.store.close()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[sa.Engine]:
    """A PostgreSQL server on a socket of its own, gone when the tests are."""
    with postgres.serve() as url:
        engine = sa.create_engine(url.set(drivername="postgresql+psycopg"))
        yield engine
        engine.dispose()


@pytest.fixture
def postgresql_url(postgresql: sa.Engine) -> str:
    """The URL of an empty PostgreSQL schema, which is as good as a database and made in a moment."""
    schema = f"ledger_{uuid4().hex}"
    with postgresql.begin() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
    url = postgresql.url.update_query_dict({"options": f"-csearch_path={schema}"})
    return url.render_as_string(hide_password=False)


@pytest.fixture(name="article", scope="session")
def article_fixture() -> Callable[..., Row]:
    """`article(name, **changes)` returns a staged article."""
    return article


@pytest.fixture(name="rejection", scope="session")
def rejection_fixture() -> Callable[..., Row]:
    """`rejection(name, **changes)` returns a staged rejection."""
    return rejection


@pytest.fixture(scope="session")
def noon() -> datetime:
    """The instant at which staged articles were fetched."""
    return NOON


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """A real S3 server on loopback, for as long as the tests run; mark what uses it `xdist_group("s3")`."""
    with pytest.MonkeyPatch.context() as patch, serve(tmp_path_factory.mktemp("seaweed")) as server:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)  # whatever else this machine may reach by them
        yield server


@pytest.fixture
def s3(seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a store that does not exist yet; the environment says how to reach it."""
    for name, value in seaweed.environment().items():
        monkeypatch.setenv(name, value)
    return seaweed.new_store()
