"""A source looked at closely, now: does it answer, may it be asked, what does it list, and why does nothing come of it.

Nothing is archived, and no visit is recorded.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from storage.records import FeedVisit
from storage.store import Store
from tasks.conclusions import answer, conclude, trouble, verdict_on
from tasks.documents import Article, Page, Rejection
from tasks.edit import Desk, edit
from tasks.fetch.client import Fetcher
from tasks.fetch.exchange import Limits
from tasks.fetch.freshness import after_answer, is_silent
from tasks.fetch.glance import RobotsSeen
from tasks.fetch.results import Fetched, Request
from tasks.fetch.sources import Source, SourceKind
from tasks.glimpse import Glimpse, glimpse_disk, glimpse_web
from tasks.listings import rhythm_of
from tasks.standing import kind_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """What was seen of a source. `why` says in a sentence what the next run brings, or why nothing.

    `known` counts what became of entries that were had before: stored, or the reason why not. `page` is one
    that was tried at the desk, `visit` the last one before this look.
    """

    source: Source
    delivers: bool
    why: str
    kind: str
    answer: str = ""  # the status, or the trouble in the place of one; "" for what is on disk
    address: str | None = None  # after redirects
    redirects: tuple[str, ...] = ()
    robots: str = ""
    crawl_delay: float = 0.0
    troubles: tuple[str, ...] = ()
    listings: int = 0  # feeds and sitemaps that were read
    passed_over: int = 0  # sitemaps of an index that were not
    entries: int = 0
    newest: datetime | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    new: int = 0
    known: Mapping[str, int] = field(default_factory=dict)
    page: str | None = None
    page_verdict: str = ""
    visit: FeedVisit | None = None


async def check_up(
    sources: Sequence[Source],
    *,
    store: Store | None,
    contact: str,
    clock: Callable[[], datetime],
    seed: int,
    desk: Desk,
    limits: Limits,
) -> list[Checkup]:
    """Look at sources, hosts side by side, as politely as a run does; without a store nothing is known of before."""
    robots = RobotsSeen(None if store is None else store.ledger)
    async with Fetcher(
        contact=contact,
        clock=clock,
        random=Random(seed),  # noqa: S311 - for the jitter of retries
        leases=None if store is None else store.ledger,
        robots=robots,
        limits=limits,
    ) as fetcher:
        looks = (_check(source, fetcher, robots, store, clock(), desk) for source in sources)
        return list(await asyncio.gather(*looks))


async def _check(
    source: Source, fetcher: Fetcher, robots: RobotsSeen, store: Store | None, now: datetime, desk: Desk
) -> Checkup:
    if source.is_local:
        loop = asyncio.get_running_loop()
        seen = await asyncio.to_thread(
            glimpse_disk,
            source,
            store,
            lambda request: asyncio.run_coroutine_threadsafe(fetcher.fetch(request), loop).result(),
        )
    else:
        seen = await glimpse_web(source, fetcher, store, now)
    tried = await _try_page(source, seen, fetcher, desk)
    visit = None if store is None else store.ledger.feed_visits([source.location]).get(source.location)
    delivers, why = conclude(source, seen, tried, is_silent=_is_silent(source, seen, visit, now))
    listing = next(iter(seen.visits), None)
    return Checkup(
        source=source,
        delivers=delivers,
        why=why,
        kind=SourceKind.PAGE if seen.page else listing.kind if listing is not None else kind_of(source),
        answer=answer(seen),
        address=seen.page.url if seen.page else None if listing is None else listing.base,
        redirects=seen.page.redirects if seen.page else () if listing is None else listing.redirects,
        robots=robots.say(source.location),
        crawl_delay=robots.delay(source.location),
        troubles=(*map(trouble, seen.troubles), *(visit.detail for visit in seen.visits if visit.is_partial)),
        listings=len(seen.visits),
        passed_over=seen.passed_over,
        entries=seen.entries,
        newest=seen.newest,
        left_out=seen.left_out,
        new=seen.new_count,
        known=seen.known,
        page=None if tried is None else tried.url or tried.input,
        page_verdict="" if tried is None else verdict_on(tried),
        visit=visit,
    )


async def _try_page(source: Source, seen: Glimpse, fetcher: Fetcher, desk: Desk) -> Article | Rejection | None:
    """Edit one page that the next run would bring: the source's own, or the first that is new."""
    if seen.page is not None:
        return await asyncio.to_thread(edit, seen.page.page(), desk)
    first = next(iter(seen.new), None)
    if first is None or isinstance(first, Page):
        return None if first is None else await asyncio.to_thread(edit, first, desk)
    result = await fetcher.fetch(Request(candidate=first, source=source))
    if isinstance(result, Fetched):
        return await asyncio.to_thread(edit, result.page(), desk)
    return result if isinstance(result, Rejection) else None


def _is_silent(source: Source, seen: Glimpse, visit: FeedVisit | None, now: datetime) -> bool:
    """Tell whether a source would count as silent after a visit now."""
    if not seen.visits:
        return False
    before = None if visit is None else rhythm_of(visit)
    after = after_answer(before, now, brought=seen.new_count > 0, attention=source.attention)
    return is_silent(after, seen.newest, source.attention)
