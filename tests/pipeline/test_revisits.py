"""A page that a server sends again unchanged is kept as a WARC revisit of the first copy, and no row changes."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator

from storage import read
from storage.store import Store
from storage.upkeep import forget
from tasks.documents import Outcome
from tasks.fetch.sources import Source, SourceKind, source_from_argument
from tests.conftest import ingest_without_prefect, utc_now


class Forgetful(BaseHTTPRequestHandler):
    """A server that gives nothing to ask with: no ETag, no Last-Modified."""

    def do_GET(self) -> None:
        body = b"<title>A crane sings</title><h1>A crane sings</h1><p>" + b"It was tested in front of people. " * 20
        self.send_response(404 if self.path == "/robots.txt" else 200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Keep quiet."""


@pytest.fixture
def page() -> Iterator[Source]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Forgetful) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        location = f"http://127.0.0.1:{server.server_port}/2026/crane-sings"
        yield Source(name="forgetful", kind=SourceKind.WEB, location=location, delay=0.0, allow_private=True)
        server.shutdown()


def records(root: Path) -> list[tuple[str, str]]:
    found = []
    for file in sorted((root / "pages").rglob("*.warc.gz")):
        with file.open("rb") as stream:
            found += [
                (record.rec_type, record.rec_headers.get_header("WARC-Profile") or "")
                for record in ArchiveIterator(stream)
                if record.rec_type in {"response", "revisit"}
            ]
    return found


def test_the_same_bytes_again_are_a_revisit(page: Source, tmp_path: Path) -> None:
    root = tmp_path / "data"
    first = ingest_without_prefect(root, [page], run="20260301-first")
    before = read.articles(root).to_pylist()
    second = ingest_without_prefect(root, [page], run="20260301-second")
    assert [first.outcomes["outcome"].to_pylist(), second.outcomes["outcome"].to_pylist()] == [
        [Outcome.NEW],
        [Outcome.UNCHANGED],
    ]
    assert [kind for kind, _ in records(root)] == ["response", "revisit"]
    assert records(root)[1][1].endswith("/revisit/identical-payload-digest")
    assert read.articles(root).to_pylist() == before


def test_a_damaged_archive_stops_no_run(page: Source, tmp_path: Path) -> None:
    root = tmp_path / "data"
    ingest_without_prefect(root, [page], run="20260301-first")
    for file in (root / "pages").rglob("*.warc.gz"):
        file.write_bytes(file.read_bytes()[:200])
    second = ingest_without_prefect(root, [page], run="20260301-second")
    assert second.outcomes["outcome"].to_pylist() == [Outcome.UNCHANGED]


def test_a_forgotten_page_that_is_a_source_itself_is_not_archived_again(page: Source, tmp_path: Path) -> None:
    root = tmp_path / "data"
    ingest_without_prefect(root, [page], run="20260301-first")
    with Store.open(root) as store:
        assert forget(store, url=page.location, now=utc_now())
    kept = records(root)
    for run in ("second", "third"):
        again = ingest_without_prefect(root, [page], run=f"20260301-{run}")
        assert again.outcomes["outcome"].to_pylist() == [Outcome.SKIPPED]
    assert records(root) == kept


def test_a_forgotten_document_from_disk_stays_away(tmp_path: Path) -> None:
    root, folder = tmp_path / "data", tmp_path / "in"
    folder.mkdir()
    (folder / "note.txt").write_text("The crane sings\n\n" + "It was tested again. " * 9, encoding="utf-8")
    source = source_from_argument(str(folder))
    ingest_without_prefect(root, [source], run="first")
    with Store.open(root) as store:
        assert forget(store, article_id=read.articles(root)["article_id"][0].as_py(), now=utc_now())
    archived = sorted((root / "pages").rglob("*.warc.gz"))
    for run in ("second", "third"):
        again = ingest_without_prefect(root, [source], run=run)
        assert again.outcomes["outcome"].to_pylist() == [Outcome.SKIPPED]
    assert sorted((root / "pages").rglob("*.warc.gz")) == archived
