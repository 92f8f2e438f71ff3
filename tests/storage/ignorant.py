"""An S3 server that forgets to look at conditions, as some do: what a probe has to find out."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar
from urllib.parse import urlsplit

_LISTING = '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></ListBucketResult>'
_DELETED = (
    '<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Deleted><Key>{}</Key></Deleted></DeleteResult>'
)


@contextmanager
def ignorant(ignored: str) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Serve on loopback, ignoring one header, and yield the address and the objects."""
    objects: dict[str, bytes] = {}
    handler = type("Handler", (_Handler,), {"ignored": ignored, "objects": objects})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", objects
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    ignored: ClassVar[str]
    objects: ClassVar[dict[str, bytes]]
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        known = self.objects.get(self.path)
        taken = self._asks("If-None-Match") and known is not None
        other = self._asks("If-Match") and (known is None or self.headers["If-Match"] != _etag(known))
        if taken or other:
            self._answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")
            return
        self.objects[self.path] = body
        self._answer(200, b"", _etag(body))

    def do_GET(self) -> None:
        if urlsplit(self.path).query:
            self._answer(200, _LISTING.encode())
        elif self.path in self.objects:
            self._answer(200, self.objects[self.path], _etag(self.objects[self.path]))
        else:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        key = body.partition("<Key>")[2].partition("</Key>")[0]
        bucket = urlsplit(self.path).path.rstrip("/")
        self.objects.pop(f"{bucket}/{key}", None)
        self._answer(200, _DELETED.format(key).encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _asks(self, name: str) -> bool:
        return name in self.headers and name != self.ignored

    def _answer(self, status: int, body: bytes, etag: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Last-Modified", "Wed, 04 Mar 2026 12:00:00 GMT")
        if etag:
            self.send_header("ETag", etag)
        self.end_headers()
        self.wfile.write(body)


def _etag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
