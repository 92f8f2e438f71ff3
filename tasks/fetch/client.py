"""A polite HTTP client: one connection a host, robots.txt, bounds on everything, and an answer for every URL."""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tasks.documents import Reason, Rejection, Stage
from tasks.fetch.content import accepted_type, meta_refresh
from tasks.fetch.exchange import DEFAULT_LIMITS, Limits, Wire
from tasks.fetch.guard import Lookup
from tasks.fetch.journey import Answer, Journey, Setback, checked_url
from tasks.fetch.leases import HostLeases
from tasks.fetch.pace import NotNow, Pace, backoff, retry_after
from tasks.fetch.results import Deferred, Fetched, NotModified, Request, Result, Wanted
from tasks.fetch.robots import Robots, RobotsAnswer, RobotsBook, RobotsRecords, robots_text
from tasks.urls import host_of

_PASSING_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504, 522, 524})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ROBOTS_REDIRECTS = 5
_HOST_TROUBLE = frozenset({Reason.UNREACHABLE, Reason.TIMEOUT, Reason.HTTP_ERROR})
_NOT_ABOUT_ROBOTS = frozenset({Reason.UNREACHABLE, Reason.TLS_ERROR, Reason.PRIVATE_ADDRESS, Reason.FORBIDDEN_PORT})


class Fetcher:
    """Fetch pages politely; use as `async with Fetcher(...) as fetcher`.

    `contact` is a URL or address where a site's owner reaches the operator. `clock` gives the present in UTC, `random`
    the jitter of retries. `leases` are the turns at hosts, shared between processes (None: within this one), `robots`
    what earlier runs were told by robots.txt (None: nothing). `lookup` resolves names, the operating system's way by
    default.
    """

    def __init__(
        self,
        *,
        contact: str,
        clock: Callable[[], datetime],
        random: Random,
        leases: HostLeases | None = None,
        robots: RobotsRecords | None = None,
        limits: Limits = DEFAULT_LIMITS,
        lookup: Lookup | None = None,
    ) -> None:
        self.limits = limits
        self._wire = Wire(contact, limits, clock, lookup)
        self._clock = clock
        self._random = random
        self._pace = Pace(clock, leases, limits.longest_wait)
        self._robots = RobotsBook(clock, robots)
        self._robots_asked: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._wire.close()

    async def fetch(self, request: Request) -> Result:
        """Fetch one URL, and say what became of it. Never raises for anything a server does."""
        candidate = request.candidate
        try:
            return await self._travel(self._departure(request))
        except NotNow as closed:
            return Deferred(candidate=candidate, until=closed.until, detail=str(closed))
        except Setback as setback:
            if setback.again_at is not None and setback.again_at > self._clock():
                return Deferred(candidate=candidate, until=setback.again_at, detail=str(setback))
            return Rejection(
                input=candidate.input,
                source=candidate.source,
                url=candidate.url,
                stage=Stage.FETCH,
                reason=setback.reason,
                detail=str(setback),
            )

    async def fetch_all(self, requests: Iterable[Request]) -> AsyncIterator[Result]:
        """Fetch many URLs, hosts side by side, each host one request at a time; results come as they are ready.

        A consumer that is slower than the network slows the network down: only a few results wait in memory.
        """
        queues: dict[str, list[Request]] = defaultdict(list)
        for request in requests:
            queues[host_of(request.candidate.url or "")].append(request)
        self._pace.learn(queues)
        self._robots.recall(_origin(queue[0].candidate.url or "") for host, queue in queues.items() if host)
        results: asyncio.Queue[Result | None] = asyncio.Queue(maxsize=8)
        at_once = asyncio.Semaphore(self.limits.hosts_at_once)
        workers = [asyncio.create_task(self._serve(queue, results, at_once)) for queue in queues.values()]
        working = len(workers)
        try:
            while working:
                result = await results.get()
                if result is None:
                    working -= 1
                else:
                    yield result
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _serve(
        self, queue: list[Request], results: "asyncio.Queue[Result | None]", at_once: asyncio.Semaphore
    ) -> None:
        """Work through one host's requests; None says that it is over, whatever happened."""
        try:
            async with at_once:
                for request in queue:
                    await results.put(await self.fetch(request))
        finally:
            await results.put(None)

    # one URL

    def _departure(self, request: Request) -> Journey:
        journey = Journey(
            request=request,
            url=checked_url(request.candidate.url or ""),
            seconds_left=self.limits.total_seconds,
            attempts_left=self.limits.attempts,
        )
        journey.note()
        return journey

    async def _travel(self, journey: Journey) -> Fetched | NotModified:
        """Follow redirects until an answer stands for itself."""
        while True:
            journey.check_address()
            delay = await self._permitted_delay(journey)
            answer = await self._ask_patiently(journey, delay)
            if answer.status in _REDIRECTS:
                journey.keep_cookies(answer)
                journey.move(answer.location(), self.limits.redirects)
                continue
            arrived = self._arrived(journey, answer)
            target = self._refresh_target(journey, arrived)
            if target is None:
                return arrived
            journey.was_refreshed = True
            journey.move(target, self.limits.redirects)

    def _refresh_target(self, journey: Journey, arrived: Fetched | NotModified) -> str | None:
        """Return where a stub page sends its readers on to; one such step is taken, under the rules of redirects."""
        if isinstance(arrived, NotModified) or journey.was_refreshed or journey.request.wanted is not Wanted.PAGE:
            return None
        target = meta_refresh(arrived.body)
        return target if target is not None and journey.resolve(target) != journey.url else None

    async def _permitted_delay(self, journey: Journey) -> float:
        """Return the delay that the source and robots.txt ask for; raise `Setback` where the URL is disallowed."""
        robots = await self._robots_of(journey)
        if robots.trouble:
            raise Setback(robots.reason, robots.trouble)
        if not robots.allows(journey.url):
            raise Setback(Reason.ROBOTS_DISALLOWED, f"robots.txt disallows {urlsplit(journey.url).path[:200]}")
        return max(journey.request.source.delay, robots.delay)

    async def _ask_patiently(self, journey: Journey, delay: float) -> Answer:
        """Ask until there is an answer that counts, while attempts and time last."""
        attempt = 0
        while True:
            journey.attempts_left -= 1
            try:
                return await self._ask(journey, delay)
            except Setback as setback:
                if not setback.passing:
                    raise
                await self._wait_for_retry(journey, setback, attempt)
            attempt += 1

    async def _wait_for_retry(self, journey: Journey, setback: Setback, attempt: int) -> None:
        """Sleep before the next attempt, or let the setback be the end of it."""
        now, host = self._clock(), journey.host
        seconds = backoff(attempt, self.limits.backoff_seconds, self._random)
        if setback.again_at is not None:
            seconds = (setback.again_at - now).total_seconds()
        if seconds > self.limits.longest_wait:
            self._pace.postpone(host, now + timedelta(seconds=seconds), str(setback))
            raise setback
        if journey.attempts_left <= 0 or journey.seconds_left <= 0:
            if setback.reason in _HOST_TROUBLE and not setback.is_ours:
                self._pace.failed(host, str(setback))
            raise setback
        await asyncio.sleep(seconds)

    async def _ask(self, journey: Journey, delay: float) -> Answer:
        """Ask once, in turn, and take a status that may pass for a setback."""
        now = asyncio.get_running_loop().time
        async with self._pace.turn(journey.host, delay) as host:
            started = now()
            try:
                answer = await self._wire.exchange(journey)
            finally:
                journey.seconds_left -= now() - started
            if answer.status in _PASSING_STATUSES:
                again_at = retry_after(answer.header("retry-after") or "", self._clock())
                raise Setback(Reason.HTTP_ERROR, answer.status_line, passing=True, again_at=again_at)
            self._pace.answered(host, now() - started)
            return answer

    def _arrived(self, journey: Journey, answer: Answer) -> Fetched | NotModified:
        """Turn the last answer of a journey into what it means."""
        candidate, validator = journey.request.candidate, journey.request.validator
        if answer.status == 304 and validator is not None:
            return NotModified(candidate=candidate, url=journey.url, fetched_at=answer.received_at)
        if answer.status != 200 and not (answer.status == 206 and journey.request.part):
            raise Setback(_status_reason(answer.status), answer.status_line)
        return Fetched(
            candidate=candidate,
            url=journey.url,
            status=answer.status,
            reason_phrase=answer.reason_phrase,
            headers=answer.headers,
            payload=answer.payload,
            body=answer.body,
            sha256=hashlib.sha256(answer.body).hexdigest(),
            content_type=_content_type(answer, journey.request.wanted),
            fetched_at=answer.received_at,
            etag=answer.header("etag"),
            last_modified=answer.header("last-modified"),
            redirects=tuple(journey.passed),
        )

    # robots.txt

    async def _robots_of(self, journey: Journey) -> Robots:
        """Return the robots.txt of the origin now asked, fetched once; whoever comes second waits for the first."""
        origin, allow_private = _origin(journey.url), journey.allows_private
        if (known := self._robots.find(origin, allow_private=allow_private)) is not None:
            return known
        async with self._robots_asked[origin]:
            if (known := self._robots.find(origin, allow_private=allow_private)) is not None:
                return known
            answer = await self._fetch_robots(journey.request, origin)
            return self._robots.keep(origin, answer, allow_private=allow_private)

    async def _fetch_robots(self, request: Request, origin: str) -> RobotsAnswer:
        """Ask an origin for its robots.txt: 4xx allows all, 5xx and silence forbid all (RFC 9309, section 2.3.1)."""
        question = Journey(
            request=replace(request, wanted=Wanted.ROBOTS, validator=None, part=None),
            url=f"{origin}/robots.txt",
            seconds_left=self.limits.total_seconds / 2,
            attempts_left=self.limits.attempts,
        )
        try:
            while True:
                question.check_address()
                answer = await self._ask_patiently(question, request.source.delay)
                if answer.status not in _REDIRECTS:
                    return _robots_answer(question.url, answer)
                question.move(answer.location(), _ROBOTS_REDIRECTS)
        except Setback as setback:
            now = self._clock()
            if setback.again_at is not None and setback.again_at > now:
                raise  # the host says when to come back, and is parked until then
            if setback.reason is Reason.TOO_MANY_REDIRECTS:
                return RobotsAnswer(fetched_at=now, text="")
            reason = setback.reason if setback.reason in _NOT_ABOUT_ROBOTS else Reason.ROBOTS_UNREACHABLE
            return RobotsAnswer(fetched_at=now, trouble=f"{question.url}: {setback}", reason=reason)


def _origin(url: str) -> str:
    return "/".join(url.split("/", 3)[:3])  # a URL that is asked for is spelled in one way, with a path


def _status_reason(status: int) -> Reason:
    return {404: Reason.NOT_FOUND, 410: Reason.GONE}.get(status, Reason.HTTP_ERROR)


def _robots_answer(url: str, answer: Answer) -> RobotsAnswer:
    if answer.status == 200:
        return RobotsAnswer(fetched_at=answer.received_at, text=robots_text(answer.body))
    if 400 <= answer.status < 500 and answer.status != 429:
        return RobotsAnswer(fetched_at=answer.received_at, text="")
    trouble = f"{url}: {answer.status_line}"
    return RobotsAnswer(fetched_at=answer.received_at, trouble=trouble, reason=Reason.ROBOTS_UNREACHABLE)


def _content_type(answer: Answer, wanted: Wanted) -> str:
    declared = answer.header("content-type") or ""
    if wanted in {Wanted.LISTING, Wanted.ARCHIVE}:
        return declared
    accepted = accepted_type(declared, answer.body)
    if accepted is None:
        raise Setback(Reason.NOT_HTML, f"Content-Type {declared[:100]!r}, beginning with {answer.body[:16]!r}")
    return accepted
