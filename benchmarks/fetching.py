"""Measure what a fetched page costs, next to a bare aiohttp loop, Scrapy, trafilatura's downloader and news-please's.

    python -m benchmarks.fetching [--pages 10000] [--hosts 200] [--rounds 3] [--few 2000] [--plain] [--json FILE]

A site of our own on many loopback addresses (`benchmarks.loopback`) sends pages of 33 kB, as gzip where the client
takes it; with `--plain`, never. Each contender fetches in a process of its own that is kept on one core, the server on
another. What counts is the CPU time of the fetching process, which other work on the machine disturbs less than the
clock: the median over the rounds, in which contenders take turns; ratios are taken within each round. Imports are not
counted. The last columns show what more pages cost in memory: that of the process with `--few` pages, and with all.

`copydesk` is `collect_pages`, as a run works before the desk: canonical addresses, robots.txt, ledger, bounds, WARC
archive, staged batches; with a delay of 0, since waiting costs no CPU. The others keep nothing, but for `aiohttp +
records`: that is the bare loop with the same gzip records, written as simply as it can be done. Nobody sends more than
one request at a time to a host, nor more than 64 at all, except where a library decides that itself. Names are not
resolved, and there is no TLS.

Scrapy, trafilatura and news-please are no dependencies of copydesk: install those to be measured beside it (`pip
install scrapy trafilatura news-please`, in an environment of its own). The rows of the others are left out.
"""

import argparse
import asyncio
import base64
import gc
import hashlib
import importlib.util
import itertools
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
import uuid
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from benchmarks.loopback import serving

AT_ONCE: Final = 64
GZIP_LEVEL: Final = 1
YARDSTICK: Final = "aiohttp + records"
SHARE: Final = 0.8  # of the yardstick's speed is what copydesk shall reach …
ALLOWANCE_MS: Final = 0.3  # … with so much a page for robots.txt, ledger and bounds

Fetch = Callable[[Sequence[str], Path], int]
"""Fetches URLs, with a folder to keep things in, and returns how many pages came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What it cost a contender to fetch so many pages: `peak` is the memory of its process in bytes."""

    contender: str
    pages: int
    cpu: float
    wall: float
    peak: int
    open_files: int  # more of them at the end than at the start

    @property
    def ms(self) -> float:
        """CPU milliseconds a page."""
        return 1000 * self.cpu / self.pages


# Contenders: each imports what it needs, and returns what fetches


def copydesk() -> Fetch:
    """Collect pages as a run does."""
    import pyarrow as pa

    from storage.store import Place
    from tasks.collect import collect_pages
    from tasks.edit import Desk
    from tasks.fetch.sources import Source, SourceKind
    from tasks.job import Job

    pa.array([0])  # imports pandas, where that is installed
    gc.freeze()  # as a run begins, too

    def fetch(urls: Sequence[str], folder: Path) -> int:
        listed = folder / "urls.txt"
        listed.write_text("\n".join(urls))
        job = Job(
            run="benchmark",
            name="benchmark",
            flow="ingest",
            place=Place(root=str(folder / "data")),
            started_at=datetime.now(UTC),
            clock=lambda: datetime.now(UTC),
            seed=1,
            desk=Desk(),
            contact="https://example.com/bot",
        )
        source = Source(name="loopback", kind=SourceKind.URL_LIST, location=str(listed), delay=0.0, allow_private=True)
        return sum(batch.count for batch in collect_pages(job, [source]))

    return fetch


def aiohttp() -> Fetch:
    """Ask with aiohttp and keep nothing."""
    import aiohttp

    def fetch(urls: Sequence[str], _folder: Path) -> int:
        async def ask(session: aiohttp.ClientSession, url: str) -> bool:
            async with session.get(url) as response:
                return response.status == 200 and len(await response.read()) > 0

        return asyncio.run(_side_by_side(urls, ask))

    return fetch


def aiohttp_with_records() -> Fetch:
    """Ask with aiohttp, and keep what was sent as records of a gzipped WARC file."""
    import aiohttp
    from fastwarc import GzipWriter

    def fetch(urls: Sequence[str], folder: Path) -> int:
        async def ask(session: aiohttp.ClientSession, url: str) -> bool:
            async with session.get(url) as response:
                payload = await response.read()
            record = _record(url, response.raw_headers, payload)
            if response.headers.get("content-encoding") != "gzip":
                press.write(record)
                press.finish()
                return response.status == 200 and len(payload) > 0
            warc.write(zlib.compress(record, 0, 31))
            return response.status == 200 and len(zlib.decompress(payload, 31)) > 0

        with (folder / "pages.warc.gz").open("wb") as warc:
            press = GzipWriter(warc, compression_level=GZIP_LEVEL)
            return asyncio.run(_side_by_side(urls, ask, auto_decompress=False))

    return fetch


async def _side_by_side(urls: Sequence[str], ask: Callable[[Any, str], Any], **options: Any) -> int:
    """Ask many hosts side by side, each for one page after another."""
    import aiohttp

    waiting: dict[str, list[str]] = defaultdict(list)
    for url in urls:
        waiting[urlsplit(url).netloc].append(url)
    at_once = asyncio.Semaphore(AT_ONCE)
    connector = aiohttp.TCPConnector(limit=AT_ONCE, limit_per_host=1)
    async with aiohttp.ClientSession(connector=connector, **options) as session:

        async def serve(host: str) -> int:
            async with at_once:
                return sum([await ask(session, url) for url in waiting[host]])

        return sum(await asyncio.gather(*map(serve, waiting)))


def _record(url: str, headers: Iterable[tuple[bytes, bytes]], payload: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\n" + b"".join(name + b": " + value + b"\r\n" for name, value in headers) + b"\r\n"
    block = head + payload
    about = (
        f"WARC/1.1\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:{uuid.uuid4()}>\r\n"
        f"WARC-Date: {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\r\nWARC-Target-URI: {url}\r\n"
        f"Content-Type: application/http; msgtype=response\r\nWARC-Payload-Digest: {_sha1(payload)}\r\n"
        f"WARC-Block-Digest: {_sha1(block)}\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return about.encode() + block + b"\r\n\r\n"


def _sha1(content: bytes) -> str:
    return "sha1:" + base64.b32encode(hashlib.sha1(content).digest()).decode()


def scrapy() -> Fetch:
    """Crawl with Scrapy, which asks for robots.txt as well."""
    from scrapy import Request, Spider
    from scrapy.crawler import CrawlerProcess

    def fetch(urls: Sequence[str], _folder: Path) -> int:
        class Pages(Spider):
            name = "pages"
            came = 0

            async def start(self) -> Any:
                for url in urls:
                    yield Request(url)

            def parse(self, response: Any) -> None:
                Pages.came += response.status == 200 and len(response.body) > 0

        process = CrawlerProcess(
            {
                "CONCURRENT_REQUESTS": AT_ONCE,
                "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
                "DOWNLOAD_DELAY": 0,
                "ROBOTSTXT_OBEY": True,
                "LOG_ENABLED": False,
                "TELNETCONSOLE_ENABLED": False,
            }
        )
        process.crawl(Pages)
        process.start()
        return Pages.came

    return fetch


def trafilatura() -> Fetch:
    """Download with trafilatura in threads; its guard against private addresses, which loopback is, stays off."""
    from copy import deepcopy

    from trafilatura.downloads import fetch_url
    from trafilatura.settings import DEFAULT_CONFIG

    config = deepcopy(DEFAULT_CONFIG)
    config.set("DEFAULT", "SSRF_PROTECTION", "off")

    def fetch(urls: Sequence[str], _folder: Path) -> int:
        with ThreadPoolExecutor(AT_ONCE) as threads:
            return sum(page is not None for page in threads.map(lambda url: fetch_url(url, config=config), urls))

    return fetch


def news_please() -> Fetch:
    """Download with news-please: a thread for each URL, so many at a time."""
    from newsplease.crawler.simple_crawler import SimpleCrawler

    def fetch(urls: Sequence[str], _folder: Path) -> int:
        return sum(
            page is not None
            for start in range(0, len(urls), AT_ONCE)
            for page in SimpleCrawler.fetch_urls(urls[start : start + AT_ONCE]).values()
        )

    return fetch


CONTENDERS: Final[Mapping[str, Callable[[], Fetch]]] = {
    "aiohttp": aiohttp,
    YARDSTICK: aiohttp_with_records,
    "copydesk": copydesk,
    "scrapy": scrapy,
    "trafilatura": trafilatura,
    "news-please": news_please,
}
_PACKAGES: Final = {"news-please": "newsplease", "scrapy": "scrapy", "trafilatura": "trafilatura"}


# Measuring


def measure(contender: str, urls: Sequence[str]) -> Measured:
    """Let a contender fetch, in this process, on one core."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    fetch = CONTENDERS[contender]()
    with tempfile.TemporaryDirectory() as folder:
        files = _open_files()
        wall, cpu = time.perf_counter(), time.process_time()
        pages = fetch(urls, Path(folder))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        files = _open_files() - files
    if pages != len(urls):
        print(f"{contender}: {len(urls) - pages} of {len(urls)} pages are missing", file=sys.stderr)
    return Measured(contender=contender, pages=pages, cpu=cpu, wall=wall, peak=_peak(), open_files=files)


def _open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def _peak() -> int:
    """Return the highest resident memory of this process in bytes; `getrusage` would count the parent's, too."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def contend(contenders: Sequence[str], urls: Sequence[str], rounds: int) -> Iterator[Measured]:
    """Let the contenders fetch the same pages in turn, round by round."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool:
        for _, contender in itertools.product(range(rounds), contenders):
            yield pool.submit(measure, contender, urls).result()


def present() -> list[str]:
    """Return the contenders that are installed."""
    return [name for name in CONTENDERS if name not in _PACKAGES or importlib.util.find_spec(_PACKAGES[name])]


def _by_contender(results: Iterable[Measured]) -> dict[str, list[Measured]]:
    grouped: dict[str, list[Measured]] = defaultdict(list)
    for each in results:
        grouped[each.contender].append(each)
    return grouped


def table(results: Iterable[Measured], few: Iterable[Measured]) -> Iterator[str]:
    """Lay out the medians, a line for each contender, with the memory that fewer pages needed."""
    rounds, peaks = _by_contender(results), {each.contender: each.peak for each in few}
    yard = rounds[YARDSTICK]
    heads = f"{'pages/CPU s':>12}{'CPU ms/page':>13}{'least':>7}{'most':>7}{'ratio':>7}{'wall s':>8}"
    yield f"{'':20}{heads}{'few: MB':>9}{'all: MB':>9}{'open files':>12}"
    for name, own in rounds.items():
        costs = [each.ms for each in own]
        ratio = statistics.median(plain.ms / each.ms for each, plain in zip(own, yard, strict=True))
        yield (
            f"{name:20}{1000 / statistics.median(costs):12,.0f}{statistics.median(costs):13.2f}{min(costs):7.2f}"
            f"{max(costs):7.2f}{ratio:7.2f}{statistics.median(each.wall for each in own):8.1f}"
            f"{peaks[name] / 1e6:9.0f}{max(each.peak for each in own) / 1e6:9.0f}"
            f"{max(each.open_files for each in own):+12}"
        )
    cost = statistics.median(each.ms for each in yard)
    yield f"copydesk may take {cost / SHARE + ALLOWANCE_MS:.2f} ms a page: {cost:.2f} / {SHARE} + {ALLOWANCE_MS}"


def main() -> None:
    """Measure as the command line says, and print a table; as JSON, too, where a file is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("pages", 10_000), ("hosts", 200), ("rounds", 3), ("few", 2000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--plain", action="store_true", help="let the site compress nothing")
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, help="contenders beside the bare loop with records")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    arguments = parser.parse_args()
    contenders = [name for name in present() if not arguments.only or name in {YARDSTICK, *arguments.only}]
    with serving(arguments.hosts, compressed=not arguments.plain) as site:
        few = list(contend(contenders, site.urls(arguments.few), 1))
        results = list(contend(contenders, site.urls(arguments.pages), arguments.rounds))
    print("\n".join(table(results, few)))
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(each) for each in (*few, *results)], indent=2) + "\n")


if __name__ == "__main__":
    main()
