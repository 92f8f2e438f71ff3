"""One question and its answer over the wire, within bounds; whatever goes wrong is a `Setback`."""

import asyncio
import errno
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from itertools import chain
from types import TracebackType
from typing import Final

import aiohttp
from yarl import URL

from tasks.documents import Reason
from tasks.fetch.content import refuses_type
from tasks.fetch.decoding import ACCEPT_ENCODING, DecodingError, decode_body
from tasks.fetch.guard import GuardedResolver, Lookup, Refused
from tasks.fetch.journey import Answer, Journey, Setback, forbidden
from tasks.fetch.results import Request, Wanted
from tasks.fetch.robots import MOST_BYTES, PRODUCT

_FIRST_LOOK = 64 * 1024  # bytes on the wire after which a compressed body is first looked into; then at each doubling
# What the system says where the trouble lies on this side: no network, no name server, no descriptors left.
_OURS = frozenset({errno.ENETUNREACH, errno.ENETDOWN, errno.EMFILE, errno.ENFILE, socket.EAI_AGAIN})
_ACCEPT = {
    Wanted.PAGE: "text/html, application/xhtml+xml, */*;q=0.1",
    Wanted.LISTING: "application/rss+xml, application/atom+xml, application/feed+json, application/xml, text/xml, "
    "text/html;q=0.8, */*;q=0.5",
    Wanted.ARCHIVE: "*/*",
    Wanted.ROBOTS: "text/plain, */*;q=0.5",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds that no server can talk the client out of."""

    total_seconds: float = 60.0  # on the wire for one URL, all its redirects and retries together
    connect_seconds: float = 10.0
    read_seconds: float = 30.0  # without a single byte
    header_bytes: int = 64 * 1024
    page_bytes: int = 10 * 1024 * 1024  # on the wire as well as decoded
    listing_bytes: int = 50 * 1024 * 1024
    redirects: int = 10
    attempts: int = 3
    backoff_seconds: float = 1.0
    longest_wait: float = 300.0  # a longer Retry-After is rescheduled, not slept
    hosts_at_once: int = 64

    def body_bytes(self, wanted: Wanted) -> int:
        """Return how large an answer may be."""
        return {Wanted.LISTING: self.listing_bytes, Wanted.ROBOTS: MOST_BYTES}.get(wanted, self.page_bytes)


DEFAULT_LIMITS = Limits()


class Wire:
    """The connections of one fetcher. `agent` is what it calls itself; `lookup` resolves names."""

    def __init__(self, contact: str, limits: Limits, clock: Callable[[], datetime], lookup: Lookup | None) -> None:
        self.agent = f"{PRODUCT}/{version('copydesk')} (+{contact})"
        self.limits = limits
        self._clock = clock
        self._lookup = lookup
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def close(self) -> None:
        """Close all connections."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    async def exchange(self, journey: Journey) -> Answer:
        """Send one GET and read its answer within bounds; anything that goes wrong is a `Setback`."""
        session = self._session(journey.allows_private)
        url, question = URL(journey.url, encoded=True), _headers(journey)
        with _TRANSLATION:
            async with (
                asyncio.timeout(max(journey.seconds_left, 0.001)),
                session.get(url, headers=question, allow_redirects=False) as response,
            ):
                headers = _read_head(response, self.limits.header_bytes)
                payload, body = await self._read_body(response, journey.request)
                return Answer(
                    status=response.status,
                    reason_phrase=(response.reason or "")[:100],
                    headers=headers,
                    payload=payload,
                    body=body,
                    received_at=self._clock(),
                )

    async def _read_body(self, response: aiohttp.ClientResponse, request: Request) -> tuple[bytes, bytes]:
        """Read the body of a success, as received and decoded; of all else only the head counts."""
        if response.status != 200 and not (response.status == 206 and request.part):
            return b"", b""
        wanted, most_bytes = request.wanted, self.limits.body_bytes(request.wanted)
        if wanted is Wanted.ARCHIVE:  # what a server calls its encoding is the file's own
            payload = await _read_payload(response, "", most_bytes, cut=False)
            return payload, payload
        if wanted is Wanted.PAGE:
            _refuse_early(response, most_bytes)
        encoding = ", ".join(response.headers.getall("content-encoding", ()))
        is_robots = wanted is Wanted.ROBOTS
        payload = await _read_payload(response, encoding, most_bytes, cut=is_robots)
        return payload, _decoded(payload, encoding, 8 * most_bytes if is_robots else most_bytes)

    def _session(self, allow_private: bool) -> aiohttp.ClientSession:
        """Return the session for public hosts or the one for the operator's own; their connections never mix."""
        if allow_private not in self._sessions:
            self._sessions[allow_private] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=2 * self.limits.hosts_at_once,
                    limit_per_host=1,
                    resolver=GuardedResolver(allow_private=allow_private, lookup=self._lookup),
                    use_dns_cache=False,
                ),
                headers={"User-Agent": self.agent, "Accept-Encoding": ACCEPT_ENCODING},
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=self.limits.connect_seconds, sock_read=self.limits.read_seconds
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                middlewares=(_ask_once,),
                max_headers=512,
                max_field_size=16 * 1024,
            )
        return self._sessions[allow_private]


async def _ask_once(request: aiohttp.ClientRequest, ask: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from asking again by itself, at once, where a connection that was kept open turns out dead.

    The host may have seen the first request: the second one waits for its turn.
    """
    with _TRANSLATION:
        return await ask(request)


def _headers(journey: Journey) -> dict[str, str]:
    headers = {"Accept": _ACCEPT[journey.request.wanted]}
    if journey.request.part is not None:
        first, end = journey.request.part
        headers |= {"Range": f"bytes={first}-{end - 1}", "Accept-Encoding": "identity"}
    validator = journey.request.validator
    if validator is not None and validator.etag:
        headers["If-None-Match"] = validator.etag
    if validator is not None and validator.last_modified:
        headers["If-Modified-Since"] = validator.last_modified
    if cookie := journey.cookie_header:
        headers["Cookie"] = cookie
    return headers


def _read_head(response: aiohttp.ClientResponse, most_bytes: int) -> tuple[tuple[str, str], ...]:
    raw = response.raw_headers
    size = sum(map(len, chain.from_iterable(raw))) + 4 * len(raw)
    if size > most_bytes:
        raise Setback(Reason.TOO_LARGE, f"{size} bytes of headers")
    return tuple([(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw])


def _refuse_early(response: aiohttp.ClientResponse, most_bytes: int) -> None:
    """Refuse what the head already gives away, before a byte of the body is read."""
    if response.content_length is not None and response.content_length > most_bytes:
        raise Setback(Reason.TOO_LARGE, f"{response.content_length} bytes announced")
    declared = response.headers.get("content-type", "")
    if refuses_type(declared):
        raise Setback(Reason.NOT_HTML, f"Content-Type {declared[:100]!r}")


async def _read_payload(response: aiohttp.ClientResponse, encoding: str, most_bytes: int, *, cut: bool) -> bytes:
    """Read a body as it comes over the wire; one that is too large is refused, or cut off where that is enough."""
    payload = bytearray()
    next_look = _FIRST_LOOK
    while piece := await response.content.readany():
        payload += piece
        if len(payload) > most_bytes:
            if not cut:
                raise Setback(Reason.TOO_LARGE, f"more than {most_bytes} bytes on the wire")
            return bytes(payload[: most_bytes + 1])
        if encoding and len(payload) >= next_look:
            next_look *= 2
            _look_for_a_bomb(payload, encoding, most_bytes)
    return bytes(payload)


def _look_for_a_bomb(payload: bytearray, encoding: str, most_bytes: int) -> None:
    """Refuse a body whose beginning already expands too far; that it is not whole yet is no fault."""
    try:
        decode_body(bytes(payload), encoding, most_bytes)
    except DecodingError as error:
        if error.reason is Reason.TOO_LARGE:
            raise Setback(error.reason, str(error)) from error


def _decoded(payload: bytes, encoding: str, most_bytes: int) -> bytes:
    try:
        return decode_body(payload, encoding, most_bytes)
    except DecodingError as error:
        raise Setback(error.reason, str(error), passing=error.reason is Reason.INCOMPLETE) from error


class _Translation(AbstractContextManager[None]):
    """Says in our words what went wrong on the wire."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception) and (setback := _setback(error)) is not None:
            raise setback from error


_TRANSLATION: Final = _Translation()


def _setback(error: Exception) -> Setback | None:
    match error:
        case Refused():
            return forbidden(error)
        case TimeoutError():
            return Setback(Reason.TIMEOUT, str(error) or "no complete answer in time", passing=True)
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            return Setback(Reason.TLS_ERROR, _message(error))
        case aiohttp.ClientPayloadError():
            return Setback(Reason.INCOMPLETE, f"the body broke off: {_message(error)}", passing=True)
        case aiohttp.ClientResponseError():
            return Setback(Reason.HTTP_ERROR, f"not HTTP as it should be: {_message(error)}")
        case aiohttp.ClientConnectionError() | OSError():
            is_ours = getattr(error, "errno", None) in _OURS
            return Setback(Reason.UNREACHABLE, _message(error), passing=True, is_ours=is_ours)
        case aiohttp.ClientError() | ValueError():
            return Setback(Reason.HTTP_ERROR, _message(error))
    return None


def _message(error: BaseException) -> str:
    text = error.message if isinstance(error, aiohttp.ClientResponseError) else str(error)
    return " ".join((text or type(error).__name__).split())[:200]
