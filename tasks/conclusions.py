"""What a look at a source comes to, in words: what the next run brings, or why nothing."""

from collections.abc import Mapping
from textwrap import shorten
from typing import Final

from tasks.documents import Article, Rejection
from tasks.fetch.glance import STALE
from tasks.fetch.results import Deferred
from tasks.fetch.sources import Source
from tasks.glimpse import STORED, Glimpse
from tasks.phrasing import counted, listed

_LONGEST: Final = 140  # characters of a trouble that are shown


def conclude(source: Source, seen: Glimpse, tried: Article | Rejection | None, *, is_silent: bool) -> tuple[bool, str]:
    """Say whether a source delivers, and in a sentence what it brings or why nothing; `tried` is one of its pages."""
    unit = ("document", "documents") if source.is_local else ("entry", "entries")
    offers = seen.new_count or seen.known.total()
    if not offers and seen.troubles:
        return False, f"Nothing can be had: {trouble(seen.troubles[0])}."
    if isinstance(tried, Rejection):
        new = f"The first of {seen.new_count:,} new {unit[1]}" if seen.new_count > 1 else f"The new {unit[0]}"
        return False, f"{'The page' if seen.page else new} was set aside: {trouble(tried)}."
    if seen.page is not None:
        return True, "It is a single page, not a feed or sitemap, and it reads as an article."
    if not offers:
        return False, _nothing_offered(seen, unit)
    if seen.new_count:
        return True, f"The next run brings {counted(seen.new_count, 'new ' + unit[0], 'new ' + unit[1])}."
    if not seen.known[STORED]:
        return False, f"All that it offers was had before and set aside: {listed(seen.known)}."
    known = f"all that it offers is known ({_split(seen.known)})"
    if is_silent:
        newest = f", and the newest is of {seen.newest:%Y-%m-%d}" if seen.newest else ""
        return False, f"Silent: {known}{newest}."
    return True, f"Nothing new: {known}."


def _split(known: Mapping[str, int]) -> str:
    set_aside = sum(known.values()) - known[STORED]
    return f"{known[STORED]:,} stored" + (f", {set_aside:,} set aside" if set_aside else "")


def _nothing_offered(seen: Glimpse, unit: tuple[str, str]) -> str:
    if seen.entries or seen.left_out:
        return f"None of its {unit[1]} can be had: {listed(seen.left_out)}."
    if seen.passed_over:
        return f"None of its {seen.passed_over:,} sitemaps has changed within {STALE.days} days."
    return f"There is no {unit[0]} in it."


def answer(seen: Glimpse) -> str:
    """Say how the source's own address answered; "" for what has none."""
    if seen.page is not None or seen.visits:
        return "200 OK"
    return trouble(seen.troubles[0]) if seen.troubles else ""


def verdict_on(tried: Article | Rejection) -> str:
    """Say what became of a page at the desk."""
    if isinstance(tried, Rejection):
        return f"set aside at {tried.stage}: {trouble(tried)}"
    return f"an article of {counted(tried.word_count, 'word')}, language {tried.language}"


def trouble(why: Rejection | Deferred) -> str:
    """Say why something was not had."""
    if isinstance(why, Deferred):
        return f"not to be asked until {why.until:%Y-%m-%d %H:%M} UTC, {why.detail}"
    return f"{why.reason}, {shorten(why.detail, _LONGEST, placeholder='…')}" if why.detail else why.reason
