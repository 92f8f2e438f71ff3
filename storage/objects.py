"""The files of a store that several machines share, as objects below a prefix of an S3 bucket.

One put makes or replaces an object whole, so there is no moving into place. What an upsert replaces it names by the
version it has read, so a holder of a lock that was taken over cannot undo another's work.
"""

import hashlib
import io
import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, Self
from uuid import uuid4

import pyarrow as pa

from storage.bucket import Bucket, ObjectFile, TakenError
from storage.errors import LockLostError, StoreError
from storage.files import ANY, Content, LocalFiles
from storage.lease import SECONDS, Leases

_LOCKS: Final = "state/locks"
_PROBED: Final = "state/conditional-writes.json"
_NO_VERSION: Final = '"00000000000000000000000000000000"'
_READ_AHEAD: Final = 256 * 1024
"""Bytes asked for at once when a file is read bit by bit: a page of the archive takes one request."""


@dataclass(frozen=True, slots=True)
class S3Files:
    """Objects in a bucket. `scratch` is where on the local disk a file is written bit by bit before it is put."""

    bucket: Bucket
    leases: Leases
    scratch: LocalFiles

    @classmethod
    def at(cls, url: str, options: Mapping[str, str] | None = None, *, lease: float = SECONDS) -> Self:
        """Make sure that the store keeps conditions, and sweep what killed writers left; `lease` is in seconds."""
        brisk = Bucket.at(url, options, timeout=timedelta(seconds=lease / 6), retries=2)
        _probe_once(brisk)
        leases = Leases(brisk, lease)
        leases.sweep(_LOCKS)
        return cls(Bucket.at(url, options), leases, _scratch())

    def read(self, path: str) -> bytes:
        return self.bucket.read(path)[0]

    def read_with_version(self, path: str) -> tuple[bytes, str]:
        content, found = self.bucket.read(path)
        return content, found.version

    def open(self, path: str) -> pa.NativeFile:
        return opened(self.bucket, path)

    def exists(self, path: str) -> bool:
        try:
            self.bucket.find(path)
        except FileNotFoundError:
            return False
        return True

    def list(self, folder: str) -> list[str]:
        return [found.path for found in self.bucket.list(folder)]

    def publish(self, path: str, content: Content, *, replacing: str | None = ANY) -> None:
        self._put(path, content, replacing)

    def temporary(self, name: str) -> Path:
        return self.scratch.temporary(name)

    def growing(self) -> Path:
        # The scratch folder serves every store of this user: each has a folder of its own there.
        folder = (
            self.scratch.growing() / hashlib.sha256(f"{self.bucket.endpoint()} {self.bucket.url}".encode()).hexdigest()
        )
        folder.mkdir(exist_ok=True)
        return folder

    def adopt(self, local: Path, path: str, *, replacing: str | None = ANY) -> None:
        self._put(path, local.read_bytes(), replacing)
        local.unlink()

    def remove(self, path: str) -> None:
        self.bucket.remove(path)

    def lock(self, name: str) -> AbstractContextManager[None]:
        return self.leases.hold(f"{_LOCKS}/{name}.lock")

    def try_lock(self, name: str) -> AbstractContextManager[bool]:
        return self.leases.try_hold(f"{_LOCKS}/{name}.lock")

    def close(self) -> None:
        self.scratch.close()

    def _put(self, path: str, content: Content, replacing: str | None) -> None:
        try:
            self.bucket.put(path, content, replacing=replacing)
        except TakenError:
            if not self._holds(path, content):
                raise LockLostError(
                    f"{self.bucket.url}/{path}: another writer has changed this file since it was read, "
                    "so it was left alone. Run again: what is staged is kept."
                ) from None

    def _holds(self, path: str, content: Content) -> bool:
        """Say whether an object is as it was to be: a put was tried again whose first answer was lost."""
        try:
            return self.read(path) == memoryview(content).cast("B")
        except FileNotFoundError:
            return False


def opened(bucket: Bucket, path: str) -> pa.NativeFile:
    """Open an object to read parts of it; FileNotFoundError where there is none."""
    return pa.PythonFile(io.BufferedReader(ObjectFile(bucket, bucket.find(path)), _READ_AHEAD), mode="r")


def _probe_once(bucket: Bucket) -> None:
    """Refuse a store that does not keep conditions; what was found is noted in the store, for each endpoint."""
    endpoint = bucket.endpoint()
    try:
        if json.loads(bucket.read(_PROBED)[0]).get("endpoint") == endpoint:
            return
    except (FileNotFoundError, ValueError, AttributeError):
        bucket.is_empty()  # says so where there is no bucket, before some stores make one for whoever writes
    probe(bucket, endpoint)
    note = {"endpoint": endpoint, "kept": ["If-None-Match: *", "If-Match"]}
    bucket.put(_PROBED, json.dumps(note).encode())


def probe(bucket: Bucket, endpoint: str) -> None:
    """Try what locks rest on, and refuse an endpoint that lets a second writer through."""
    path = f"state/probe/{uuid4().hex}"
    try:
        version = bucket.put(path, b"first", replacing=None)
        kept = _is_refused(bucket, path, None) and _is_refused(bucket, path, _NO_VERSION)
        if kept and version:
            bucket.put(path, b"third", replacing=version)
            kept = _is_refused(bucket, path, version) and bucket.read(path)[0] == b"third"
        if not kept or not version:
            raise StoreError(
                f"{bucket.url}: {endpoint} ignores the conditions `If-None-Match` and `If-Match` of a put, so two "
                "writers would overwrite each other's work. Use a store that answers 412, such as Amazon S3, "
                "Cloudflare R2, MinIO, Ceph or SeaweedFS, or a folder on a local disk."
            )
    finally:
        bucket.remove(path)


def _is_refused(bucket: Bucket, path: str, replacing: str | None) -> bool:
    try:
        bucket.put(path, b"second", replacing=replacing)
    except TakenError:
        return True
    return False


def _scratch() -> LocalFiles:
    """Return a folder of this user's for files that are not whole yet, swept as a store's is."""
    folder = Path(tempfile.gettempdir()) / f"copydesk-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise StoreError(f"{folder}: belongs to someone else. Remove it, or set TMPDIR to a folder of your own.")
    return LocalFiles.at(folder)
