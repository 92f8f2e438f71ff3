"""A small site on loopback whose listings a test changes as it goes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tasks.fetch.freshness import Attention
from tasks.fetch.sources import Source, SourceKind

PAGE = b"<title>A crane sings</title><h1>A crane sings</h1><p>" + b"It was tested in front of people. " * 20


class Listings(ThreadingHTTPServer):
    """Serves what is in `bodies`, and a page at each other path below /story; what has not changed is a 304."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.bodies: dict[str, bytes] = {}
        self.asked: list[str] = []

    def source(self, path: str, attention: Attention | None = None) -> Source:
        return Source(
            name="courier",
            kind=SourceKind.WEB,
            location=self.url(path),
            delay=0.0,
            allow_private=True,
            attention=attention or Attention(),
        )

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    def feed(self, *stories: int, published: datetime | None = None) -> None:
        date = "" if published is None else f"<pubDate>{published:%a, %d %b %Y %H:%M:%S} +0000</pubDate>"
        items = "".join(f"<item><link>/story/{story}</link>{date}</item>" for story in stories)
        self.bodies["/feed"] = f"<rss version='2.0'><channel><title>T</title>{items}</channel></rss>".encode()

    def index(self, **sitemaps: datetime) -> None:
        parts = "".join(
            f"<sitemap><loc>{self.url(f'/{name}.xml')}</loc><lastmod>{changed:%Y-%m-%dT%H:%M:%SZ}</lastmod></sitemap>"
            for name, changed in sitemaps.items()
        )
        self.bodies["/index.xml"] = f"<sitemapindex>{parts}</sitemapindex>".encode()

    def sitemap(self, name: str, *stories: int) -> None:
        inside = "".join(f"<url><loc>{self.url(f'/story/{story}')}</loc></url>" for story in stories)
        self.bodies[f"/{name}.xml"] = f"<urlset>{inside}</urlset>".encode()


class _Answer(BaseHTTPRequestHandler):
    server: Listings

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        body = self.server.bodies.get(self.path, PAGE if self.path.startswith("/story") else None)
        etag = f'"{hash(body)}"'
        status = 404 if body is None else 304 if self.headers.get("If-None-Match") == etag else 200
        self.send_response(status)
        self.send_header("ETag", etag)
        self.send_header("Content-Type", "text/html" if self.path.startswith("/story") else "text/xml")
        self.send_header("Content-Length", str(len(body or b"") if status == 200 else 0))
        self.end_headers()
        if status == 200:
            self.wfile.write(body or b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Keep quiet."""


@contextmanager
def serving() -> Iterator[Listings]:
    """Serve on loopback while the block lasts."""
    with Listings() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
