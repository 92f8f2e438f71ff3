"""A run that is killed while it fetches: the next one asks for what is missing, and never for a page it has."""

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from storage.store import Store
from tests.fetch.conftest import Asked, LoopbackServer

PAGES = 30
HOSTS = ("127.0.0.1", "127.0.0.2")
MOMENTS = (9, 1, 31)  # pages asked for before each death; the third is in the second batch of its run
LOST = 2 * len(HOSTS)  # pages that a death may cost: one on its way from each host, and one about to be archived
COLLECTING = """
import sys
from tasks.collect import collect_pages
from tasks.fetch.sources import Source, SourceKind
from tests.conftest import job_of

run, root, listed = sys.argv[1:]
source = Source(name="list", kind=SourceKind.URL_LIST, location=listed, delay=0.0, allow_private=True)
list(collect_pages(job_of(root, run), [source]))
"""


@dataclass
class Killer:
    """A server's answers, and the process that dies when enough of them were asked for."""

    process: "subprocess.Popen[bytes] | None" = None
    answers_left: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, asked: Asked) -> Iterator[bytes]:
        body = f"<!doctype html><title>{asked.path}</title><p>The dam held on day {asked.path}.".encode()
        with self.lock:
            self.asked[f"{asked.host}{asked.path}"] += 1
            self.answers_left -= 1
            if self.answers_left == 0 and self.process is not None:
                self.process.kill()
        yield b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def start(root: Path, listed: Path, run: str) -> "subprocess.Popen[bytes]":
    arguments = [sys.executable, "-c", COLLECTING, run, str(root), str(listed)]
    return subprocess.Popen(arguments, cwd=Path(__file__).parents[2])


def noted(root: Path) -> set[str]:
    """The addresses whose pages lie on the disk at this moment: in the archive, or in a file that is not whole yet."""
    with Store.open(root) as store:
        kept = {url for url, _, _ in store.ledger.archived()}
        lines = [line for path in root.glob("state/growing/*.lines") for line in path.read_bytes().splitlines()]
    growing = {json.loads(line)["visit"]["url"] for line in lines if line.endswith(b"}")}
    return kept | growing


def test_no_archived_page_is_asked_for_again(server: LoopbackServer, tmp_path: Path) -> None:
    root, listed, killer = tmp_path / "data", tmp_path / "urls.txt", Killer()
    for number in range(PAGES):
        server.route(f"/{number}", killer.answer)
    urls = [server.url(f"/{number}", host) for host in HOSTS for number in range(PAGES)]
    listed.write_text("\n".join(urls))
    deaths = []
    for run, moment in enumerate(MOMENTS):
        killer.answers_left = moment
        killer.process = start(root, listed, f"killed-{run}")
        assert killer.process.wait(timeout=60) != 0
        deaths.append((noted(root), killer.asked.copy()))
    killer.process = None
    assert start(root, listed, "whole").wait(timeout=60) == 0

    for had, asked in deaths:
        assert [url for url in had if killer.asked[place(url)] > asked[place(url)]] == []
    assert len(deaths[-1][0]) >= sum(MOMENTS) - LOST * len(MOMENTS)
    assert killer.asked.total() - len(urls) <= LOST * len(MOMENTS)
    assert_archived(root, urls)


def assert_archived(root: Path, urls: list[str]) -> None:
    with Store.open(root) as store:
        places = list(store.ledger.archived())
        assert sorted(url for url, _, _ in places) == sorted(urls)
        for url, file, offset in places:
            assert f"on day {url[url.rindex('/') :]}.".encode() in store.pages.read(file, offset).payload
        assert store.files.list("state/growing") == []


def place(url: str) -> str:
    host, _, path = url.removeprefix("http://").partition("/")
    return f"{host.partition(':')[0]}/{path}"
