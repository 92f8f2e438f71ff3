"""A run that keeps to a window of days, and what it leaves for others: nothing is lost, nothing is half remembered."""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from storage.ledger import Ledger
from storage.records import FileVisit
from storage.store import Store
from tasks import listings
from tasks.documents import Outcome
from tasks.fetch.sources import Source, SourceKind, source_from_argument
from tasks.fetch.window import Window
from tasks.publish import Published
from tests.conftest import ingest_without_prefect

DAYS = [date(2024, 2, day) for day in (25, 26, 27)]
ONE_DAY = Window(first=DAYS[1], last=DAYS[1])


def outcomes(published: Published) -> Counter[str]:
    return Counter(published.outcomes["outcome"].to_pylist())


class Newspaper(BaseHTTPRequestHandler):
    """A site with a sitemap that has not changed since it was last asked for, and a page a day."""

    def do_GET(self) -> None:
        pages = {f"/{day:%Y/%m/%d}/dam": day for day in DAYS}
        if self.path == "/sitemap.xml" and self.headers.get("If-None-Match") == '"1"':
            self._answer(304, b"")
        elif self.path == "/sitemap.xml":
            inside = "".join(f"<url><loc>{path}</loc></url>" for path in pages)
            self._answer(200, f"<urlset>{inside}</urlset>".encode(), "application/xml")
        elif self.path in pages:
            text = f"On the {pages[self.path].day}th the dam held, and people came to see it. ".encode() * 20
            self._answer(200, b"<title>The dam holds</title><h1>The dam holds</h1><p>" + text)
        else:
            self._answer(404, b"")

    def _answer(self, status: int, body: bytes, content_type: str = "text/html") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if self.path == "/sitemap.xml":
            self.send_header("ETag", '"1"')
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Keep quiet."""


@pytest.fixture
def newspaper() -> Iterator[Source]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Newspaper) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        location = f"http://127.0.0.1:{server.server_port}/sitemap.xml"
        yield Source(name="daily", kind=SourceKind.WEB, location=location, delay=0.0, allow_private=True)
        server.shutdown()


def test_a_run_of_one_day_leaves_the_other_days_to_the_next(newspaper: Source, tmp_path: Path) -> None:
    one_day = ingest_without_prefect(tmp_path, [newspaper], run="20260301-a", window=ONE_DAY)
    assert outcomes(one_day) == {Outcome.NEW: 1}
    assert one_day.left_out == {("daily", "outside-window"): 2}
    assert one_day.days == (DAYS[1],)
    all_days = ingest_without_prefect(tmp_path, [newspaper], run="20260301-b")
    assert outcomes(all_days) == {Outcome.NEW: 2, Outcome.UNCHANGED: 1}
    again = ingest_without_prefect(tmp_path, [newspaper], run="20260301-c", window=ONE_DAY)
    assert outcomes(again) == {Outcome.UNCHANGED: 1}


def test_what_an_address_was_when_last_seen_is_known(newspaper: Source, tmp_path: Path) -> None:
    assert not newspaper.reaches_past
    with Store.open(tmp_path) as store:
        assert listings.as_last_seen(store, newspaper) == newspaper
    ingest_without_prefect(tmp_path, [newspaper], run="20260301-a")
    with Store.open(tmp_path) as store:
        seen = listings.as_last_seen(store, newspaper)
    assert (seen.kind, seen.reaches_past) == (SourceKind.SITEMAP, True)


@pytest.fixture
def documents(tmp_path: Path) -> Source:
    folder = tmp_path / "saved"
    folder.mkdir()
    for number in range(250):
        text = f"date 2024-02-{25 + number % 3}\nThe dam, part {number}\n\nIt held for the {number}th time."
        (folder / f"{number:03}.txt").write_text(text, encoding="utf-8")
    return source_from_argument(str(folder))


def test_documents_in_files_keep_to_the_days_too(documents: Source, tmp_path: Path) -> None:
    published = ingest_without_prefect(tmp_path / "data", [documents], run="20260301-a", window=ONE_DAY)
    assert outcomes(published) == {Outcome.NEW: 83}
    assert published.days == (DAYS[1],)
    assert published.left_out == {("saved", "outside-window"): 167}


def test_the_ledger_is_asked_for_many_documents_at_once(
    documents: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    ask = Ledger.file_visits

    def counting(ledger: Ledger, source: str, inputs: Iterable[str]) -> dict[str, FileVisit]:
        wanted = list(inputs)
        asked.append(len(wanted))
        return ask(ledger, source, wanted)

    monkeypatch.setattr(Ledger, "file_visits", counting)
    ingest_without_prefect(tmp_path / "data", [documents], run="20260301-a", window=ONE_DAY)
    assert (sum(asked), len(asked)) == (83, 1)
