"""Serve the sample newspapers on loopback with a real HTTP server: `python -m flows.sample.site --port 8017`.

Nothing here pretends: conditional requests are answered with 304, long pages are compressed for those who ask, and what
is broken is broken on the wire.
"""

import argparse
import gzip
import hashlib
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseServer
from types import TracebackType
from typing import NamedTuple, Self

from flows.sample.pages import NOT_FOUND, Resource, build_pages

COMPRESS_FROM = 4_096  # bytes; shorter pages are sent as they are, as common servers do


class Request(NamedTuple):
    """A request the site has answered; `path` is the target as sent, with its query."""

    method: str
    path: str
    status: int


class PortTakenError(Exception):
    """The port is in use, or not ours to take."""


class SampleSite:
    """Serve the sample newspapers while the `with` block lasts; `port=0` lets the system choose.

    Addresses are identities: serve on a fixed port where a later run shall know the articles again.

    >>> from urllib.request import urlopen
    >>> with SampleSite() as site:
    ...     robots = urlopen(site.base_url + "/robots.txt").read().decode()
    ...     site.requests
    [Request(method='GET', path='/robots.txt', status=200)]
    >>> print(robots.splitlines()[0])
    User-agent: *
    """

    def __init__(self, port: int = 0) -> None:
        """Remember the port; nothing is bound before the block begins."""
        self._port = port
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._withdrawn: dict[str, Resource] = {}

    def __enter__(self) -> Self:
        """Bind the port, make every page, and start to answer."""
        try:
            self._server = _Server(("127.0.0.1", self._port), _Handler)
        except OSError as error:
            raise PortTakenError(
                f"The sample newspapers cannot be served on 127.0.0.1:{self._port} ({error.strerror}). "
                "Choose another port with --port."
            ) from None
        self._server.pages = build_pages(self.base_url)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="sample-site", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop answering and free the port."""
        self._running.shutdown()
        self._running.server_close()
        if self._thread is not None:
            self._thread.join()

    @property
    def base_url(self) -> str:
        """The site's address, without a slash at its end."""
        return f"http://127.0.0.1:{self._running.server_port}"

    @property
    def listings(self) -> tuple[str, ...]:
        """The addresses of the RSS feed, the Atom feed and the news sitemap."""
        return tuple(self.base_url + path for path in ("/feed.xml", "/atom.xml", "/sitemap-news.xml"))

    @property
    def requests(self) -> list[Request]:
        """What has been asked so far, in the order of the answers."""
        return self._running.requests

    def correct(self, path: str, before: str, after: str) -> None:
        """Print a correction: replace words on one page, which gets a new ETag and Last-Modified with it."""
        page = self._running.pages[path]
        charset = page.charset or "utf-8"
        body = page.body.decode(charset).replace(before, after).encode(charset)
        if body == page.body:
            raise ValueError(f"{path} does not say {before!r}; nothing was corrected.")
        self._running.pages[path] = replace(page, body=body, modified=datetime.now(UTC))

    def withdraw(self, path: str) -> None:
        """Take a page off the site: it answers 410 until it is put back."""
        pages = self._running.pages
        self._withdrawn[path] = pages[path]
        pages[path] = replace(pages[path], status=410)

    def put_back(self, path: str) -> None:
        """Put a page that was withdrawn back as it was."""
        self._running.pages[path] = self._withdrawn.pop(path)

    @property
    def _running(self) -> "_Server":
        if self._server is None:
            raise RuntimeError("The sample site is not running; use it as `with SampleSite() as site:`.")
        return self._server


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.pages: dict[str, Resource] = {}
        self.requests: list[Request] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """Let a client that hangs up go in silence; show every other error."""
        if not isinstance(sys.exception(), ConnectionError):
            BaseServer.handle_error(self, request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "HarbourPress/1.0"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 30

    def do_GET(self) -> None:
        """Answer with the page."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Answer with the page's headers."""
        self._answer(with_body=False)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Keep quiet; `SampleSite.requests` is the log."""

    def _answer(self, *, with_body: bool) -> None:
        pages = self.server.pages
        page = pages.get(self.path) or pages.get(self.path.partition("?")[0]) or NOT_FOUND
        status = 304 if self._has_already(page) else page.status
        self.server.requests.append(Request(self.command, self.path, status))
        body = self._begin(page, status)
        if with_body and status != 304:
            self.wfile.write(body)
        if page.announced_length is not None:
            self.close_connection = True

    def _begin(self, page: Resource, status: int) -> bytes:
        """Send the head of the answer, and return the body that belongs to it."""
        body, encoding = self._encoded(page)
        self.send_response(status)
        self.send_header("Vary", "Accept-Encoding")
        if page.status == 200:
            self.send_header("ETag", f"W/{_etag(page)}" if encoding else _etag(page))
            self.send_header("Last-Modified", format_datetime(page.modified, usegmt=True))
        if page.location:
            self.send_header("Location", page.location)
        if status != 304:
            self.send_header("Content-Type", page.content_type)
            self.send_header("Content-Length", str(page.announced_length or len(body)))
            if encoding:
                self.send_header("Content-Encoding", encoding)
        self.end_headers()
        return body

    def _encoded(self, page: Resource) -> tuple[bytes, str]:
        """Return the body as it goes over the wire, and its Content-Encoding."""
        if page.encoding:
            return page.body, page.encoding
        if len(page.body) >= COMPRESS_FROM and "gzip" in self.headers.get("Accept-Encoding", ""):
            return gzip.compress(page.body, mtime=0), "gzip"
        return page.body, ""

    def _has_already(self, page: Resource) -> bool:
        """Tell whether the client holds this very page (RFC 9110 §13: an ETag decides before a date)."""
        if page.status != 200:
            return False
        if (tags := self.headers.get("If-None-Match")) is not None:
            return tags.strip() == "*" or _etag(page) in (tag.strip().removeprefix("W/") for tag in tags.split(","))
        try:
            since = parsedate_to_datetime(self.headers.get("If-Modified-Since", ""))
        except ValueError:
            return False
        return page.modified.replace(microsecond=0) <= since


def _etag(page: Resource) -> str:
    return f'"{hashlib.sha256(page.body).hexdigest()[:20]}"'


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="Serve copydesk's sample newspapers on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=8017, help="the port to listen on (0: any free one)")
    with SampleSite(parser.parse_args(arguments).port) as site:
        sys.stdout.write(f"The Harbour Courier is served at {site.base_url}/ (Ctrl-C stops it).\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            sys.stdout.write("Stopped.\n")


if __name__ == "__main__":
    main()
