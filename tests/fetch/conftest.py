"""A real HTTP server on loopback that does exactly what a test tells it to, and a client in a hurry."""

import asyncio
import select
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from random import Random

import pytest

from tasks.documents import Candidate
from tasks.fetch.client import Fetcher
from tasks.fetch.exchange import Limits
from tasks.fetch.guard import Lookup
from tasks.fetch.leases import HostLeases
from tasks.fetch.results import Request, Result, Validator
from tasks.fetch.robots import RobotsRecords
from tasks.fetch.sources import Source, SourceKind

ARTICLE = b"<!doctype html><title>The dam holds</title><article><p>The dam held through the night.</p></article>"


@dataclass(frozen=True)
class Asked:
    """A request as the server saw it."""

    path: str
    headers: dict[str, str]
    time: float
    host: str
    connection: int
    wire: socket.socket = field(repr=False)

    def wait(self, seconds: float) -> None:
        """Let the client wait; ConnectionError as soon as it hangs up."""
        readable, _, _ = select.select([self.wire], [], [], seconds)
        if readable and not self.is_waited_for():
            raise ConnectionResetError

    def is_waited_for(self) -> bool:
        """Whether the client is still there."""
        try:
            return self.wire.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False


Reply = Callable[[Asked], Iterable[bytes]]


class LoopbackServer(socketserver.ThreadingTCPServer):
    """Serves raw replies by path: every other path is a 404. Listens on all loopback addresses, on a free port."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("0.0.0.0", 0), _Conversation)
        self.replies: dict[str, Reply] = {}
        self.asked: list[Asked] = []
        self.open_now: dict[int, Asked] = {}  # by connection
        self.most_open: dict[str, int] = {}
        self.lock = threading.Lock()
        self.stopping = threading.Event()  # slow answers wait for it

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.server_address[1]}{path}"

    def answer(
        self, path: str, body: bytes = ARTICLE, status: str = "200 OK", content_type: str = "text/html", **more: str
    ) -> str:
        headers = {"Content-Type": content_type, "Content-Length": str(len(body))}
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return self.raw(path, f"HTTP/1.1 {status}\r\n{head}\r\n".encode("latin-1") + body)

    def redirect(self, path: str, location: str, status: str = "302 Found") -> str:
        return self.answer(path, b"", status, Location=location)

    def raw(self, path: str, *pieces: bytes) -> str:
        return self.route(path, lambda _: pieces)

    def route(self, path: str, reply: Reply) -> str:
        self.replies[path] = reply
        return self.url(path)

    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked if asked.path != "/robots.txt"]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what many of these tests are about."""


class _Conversation(socketserver.StreamRequestHandler):
    server: LoopbackServer

    def handle(self) -> None:
        while line := self.rfile.readline():
            headers = {}
            while (header := self.rfile.readline().strip()) != b"":
                name, _, value = header.decode("latin-1").partition(":")
                headers[name.lower()] = value.strip()
            if not self._answer(line.decode("latin-1").split(" ")[1], headers):
                return

    def _answer(self, path: str, headers: dict[str, str]) -> bool:
        server, host = self.server, self.connection.getsockname()[0]
        asked = Asked(
            path=path,
            headers=headers,
            time=time.monotonic(),
            host=host,
            connection=id(self),
            wire=self.connection,
        )
        reply = server.replies.get(path, lambda _: [b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"])
        with server.lock:
            server.asked.append(asked)
            server.open_now[asked.connection] = asked
            open_now = sum(other.host == host and other.is_waited_for() for other in server.open_now.values())
            server.most_open[host] = max(server.most_open.get(host, 0), open_now)
        head = b""
        try:
            for piece in reply(asked):
                head += piece[:2000]
                self.wfile.write(piece)
        finally:
            with server.lock:
                del server.open_now[asked.connection]
        return b"content-length" in head.lower() and b"connection: close" not in head.lower()


@dataclass
class Client:
    """Runs a fetcher over some URLs of a source that is allowed to be on loopback."""

    source: Source = field(
        default_factory=lambda: Source(
            name="loop", kind=SourceKind.WEB, location="http://127.0.0.1/", delay=0.0, allow_private=True
        )
    )
    limits: Limits = field(
        default_factory=lambda: Limits(
            total_seconds=5, connect_seconds=2, read_seconds=2, backoff_seconds=0.01, longest_wait=3
        )
    )
    leases: HostLeases | None = None
    robots: RobotsRecords | None = None
    lookup: Lookup | None = None

    def fetcher(self) -> Fetcher:
        return Fetcher(
            contact="https://example.org/bot",
            clock=lambda: datetime.now(UTC),
            random=Random(7),
            leases=self.leases,
            robots=self.robots,
            lookup=self.lookup,
            limits=self.limits,
        )

    def request(self, url: str, validator: Validator | None = None) -> Request:
        candidate = Candidate(input=url, source=self.source.name, url=url)
        return Request(candidate=candidate, source=self.source, validator=validator)

    def fetch(self, url: str, validator: Validator | None = None, *, fetcher: Fetcher | None = None) -> Result:
        async def run() -> Result:
            async with fetcher or self.fetcher() as running:
                return await running.fetch(self.request(url, validator))

        return asyncio.run(run())

    def fetch_all(self, urls: Iterable[str]) -> list[Result]:
        async def run() -> list[Result]:
            async with self.fetcher() as fetcher:
                return [result async for result in fetcher.fetch_all([self.request(url) for url in urls])]

        return asyncio.run(run())

    def within(self, **limits: float) -> "Client":
        return replace(self, limits=replace(self.limits, **limits))  # type: ignore[arg-type]

    def with_source(self, **changes: object) -> "Client":
        return replace(self, source=replace(self.source, **changes))  # type: ignore[arg-type]


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with LoopbackServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server
        server.stopping.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
