"""An S3 bucket, or what lies below a prefix of it, as obstore reaches it: whole objects, and puts under a condition.

Endpoint, region and keys come from the options, and where these say nothing from the `AWS_…` variables.
"""

import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self, cast
from urllib.parse import urlsplit
from uuid import uuid4

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import S3Store

from storage.errors import StoreError, StoreFullError, StoreNotWritableError
from storage.files import ANY, Content

SCHEME: Final = "s3://"

_CLOCK: Final = "state/clock"
_CODE: Final = re.compile(r"<Code>(\w+)</Code>|\(code: (\w+)\)")
_KEYS: Final = "Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or the storage options."
_FULL: Final = "Make room, and run again: what was published before is whole, and staged work is kept."
_EXPLAINED: Final[Mapping[str, tuple[type[StoreError], str]]] = {
    "NoSuchBucket": (StoreError, "there is no such bucket. Create it, or correct its name."),
    "InvalidAccessKeyId": (StoreError, f"the access key is unknown there. {_KEYS}"),
    "SignatureDoesNotMatch": (StoreError, f"the secret key is not the right one. {_KEYS}"),
    "ExpiredToken": (StoreError, f"the session token has expired. {_KEYS}"),
    "InvalidToken": (StoreError, f"the session token is refused. {_KEYS}"),
    "RequestTimeTooSkewed": (StoreError, "the clock of this machine is off by minutes. Set it, and run again."),
    "AccessDenied": (
        StoreNotWritableError,
        "access is denied. Let these keys list, read, write and delete objects below this prefix.",
    ),
    "InsufficientStorage": (StoreFullError, f"the store is full. {_FULL}"),
    "QuotaExceeded": (StoreFullError, f"the quota is used up. {_FULL}"),
    "XMinioStorageFull": (StoreFullError, f"the store is full. {_FULL}"),
}
"""What error codes mean to an operator."""
_NO_KEYS: Final = f"no keys were given, and this machine has no role that brings any. {_KEYS}"


def is_on_s3(root: str | Path) -> bool:
    """Say whether a store's root is an address on S3, and refuse one that was taken for a path on its way here.

    >>> is_on_s3("s3://news/data"), is_on_s3("./data")
    (True, False)
    """
    if isinstance(root, Path) and root.parts[:1] == ("s3:",):
        raise StoreError(f"{root}: a path cannot hold an address on S3. Pass it as text: s3://bucket/prefix.")
    return str(root).startswith(SCHEME)


class TakenError(Exception):
    """A put under a condition found another object than it was to replace; nothing was written."""


@dataclass(frozen=True, slots=True)
class Object:
    """An object as it is now: `version` is its ETag; `changed_at` is by the store's clock, in whole seconds."""

    path: str
    version: str
    size: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket below a prefix; paths are relative to it. Every error but a missing object is a `StoreError`."""

    url: str
    store: S3Store = field(repr=False)

    @classmethod
    def at(
        cls,
        url: str,
        options: Mapping[str, str] | None = None,
        *,
        timeout: timedelta = timedelta(minutes=5),
        retries: int = 5,
    ) -> Self:
        """Name a bucket, without a request; `timeout` bounds one request, and twice that all attempts at it."""
        parts = urlsplit(url)
        if not url.startswith(SCHEME) or not parts.netloc or parts.query or parts.fragment:
            raise StoreError(f"{url}: this does not name a bucket. Write s3://bucket or s3://bucket/prefix.")
        # The endpoint's own scheme says whether the way is encrypted; there is nothing to allow beside it.
        config = {"allow_http": "true", "timeout": f"{timeout.total_seconds():.3f} seconds"} | dict(options or {})
        with _explained(url):
            store = S3Store(
                parts.netloc,
                prefix=parts.path.strip("/") or None,
                config=cast("Any", config),
                retry_config={"max_retries": retries, "retry_timeout": 2 * timeout},
            )
        return cls(url.rstrip("/"), store)

    def endpoint(self) -> str:
        """Return the address of the server, such as `https://s3.eu-central-1.amazonaws.com`."""
        with _explained(self.url):
            signed = urlsplit(obstore.sign(self.store, "GET", _CLOCK, timedelta(minutes=1)))
        return f"{signed.scheme}://{signed.netloc}"

    def read(self, path: str) -> tuple[bytes, Object]:
        """Return an object's bytes, and what it is."""
        with _explained(self.url, path):
            answer = self.store.get(path)
            return answer.bytes().to_bytes(), _object(answer.meta)

    def read_part(self, this: Object, start: int, end: int) -> bytes:
        """Return some bytes of an object; OSError where it was replaced since it was found."""
        try:
            with _explained(self.url, this.path):
                options = {"range": (start, end), "if_match": this.version}
                return self.store.get(this.path, options=cast("Any", options)).bytes().to_bytes()
        except TakenError:
            raise OSError(f"{self.url}/{this.path}: replaced while it was read") from None

    def find(self, path: str) -> Object:
        """Return what an object is, without its bytes."""
        with _explained(self.url, path):
            return _object(self.store.head(path))

    def list(self, folder: str = "") -> list[Object]:
        """Return the objects below a folder, in the order of their paths."""
        with _explained(self.url):
            found = [_object(meta) for some in self.store.list(folder or None, chunk_size=1000) for meta in some]
        return sorted(found, key=lambda each: each.path)

    def is_empty(self) -> bool:
        """Say whether there is nothing below the prefix."""
        with _explained(self.url):
            return not any(some for some in self.store.list(chunk_size=1))

    def put(self, path: str, content: "Content | Path", *, replacing: str | None = ANY) -> str:
        """Write an object in one request and return its version; TakenError where `replacing` is not what is there."""
        mode: Any = {"e_tag": replacing}
        if replacing is None:
            mode = "create"
        elif replacing == ANY:
            mode = "overwrite"
        body = content if isinstance(content, Path) else memoryview(content).cast("B")
        try:
            with _explained(self.url, path):
                answer = self.store.put(path, body, mode=mode, use_multipart=False)
        except FileNotFoundError:
            raise TakenError(path) from None  # what was to be replaced is gone
        return answer["e_tag"] or ""

    def remove(self, path: str) -> None:
        """Remove an object; one already gone is no trouble."""
        with suppress(FileNotFoundError), _explained(self.url, path):
            self.store.delete(path)

    def now(self) -> datetime:
        """Return the time by the store's clock, which is the one that `Object.changed_at` goes by."""
        self.put(_CLOCK, json.dumps({"asked": uuid4().hex}).encode())
        return self.find(_CLOCK).changed_at


class ObjectFile(io.RawIOBase):
    """An object to read parts of, as it was when it was found: OSError once it was replaced."""

    def __init__(self, bucket: Bucket, this: Object) -> None:
        self._bucket = bucket
        self._this = this
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._place = offset + (0, self._place, self._this.size)[whence]
        return self._place

    def readinto(self, buffer: Any) -> int:
        end = min(self._place + len(buffer), self._this.size)
        if end <= self._place:
            return 0
        part = self._bucket.read_part(self._this, self._place, end)
        buffer[: len(part)] = part
        self._place += len(part)
        return len(part)


def _object(meta: Any) -> Object:
    return Object(meta["path"], meta["e_tag"] or "", meta["size"], meta["last_modified"])


@contextmanager
def _explained(url: str, path: str = "") -> Iterator[None]:
    """Turn obstore's errors into a `StoreError` that says what to do, besides those that are answers."""
    try:
        yield
    except FileNotFoundError as error:
        if "NoSuchBucket" in str(error):
            raise _explain(error, url) from error
        raise FileNotFoundError(f"{url}/{path}: there is no such object") from None
    except (AlreadyExistsError, PreconditionError) as error:
        raise TakenError(path) from error
    except BaseError as error:
        raise _explain(error, f"{url}/{path}".rstrip("/")) from error


def _explain(error: Exception, where: str) -> StoreError:
    """Say what an error means.

    >>> print(_explain(Exception("… <Code>NoSuchBucket</Code> …"), "s3://news"))
    s3://news: there is no such bucket. Create it, or correct its name.
    """
    said = str(error)
    kind, sentence = _EXPLAINED.get(_code(said), (StoreError, ""))
    if sentence:
        return kind(f"{where}: {sentence}")
    if "169.254." in said:
        return StoreError(f"{where}: {_NO_KEYS}")
    first = said.splitlines()[0]
    if "HTTP error" in first:
        return StoreError(
            f"{where}: the store does not answer ({first}). "
            "Check AWS_ENDPOINT_URL and AWS_REGION, or the storage options, and the network."
        )
    return StoreError(f"{where}: the store answers: {first}. Check the storage options and the server, then run again.")


def _code(said: str) -> str:
    found: Sequence[str | None] = match.groups() if (match := _CODE.search(said)) else ()
    fallback = "AccessDenied" if "403 Forbidden" in said and "169.254." not in said else ""
    return next((code for code in found if code), fallback)
