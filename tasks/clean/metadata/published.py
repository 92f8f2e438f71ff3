"""When an article was published and changed: what the page declares, what its URL says, what stands by the headline."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain

from tasks.clean.metadata.dates import EARLIEST, Moment, clocks_in, day_in_url, is_plausible, parse_moment
from tasks.clean.metadata.headline import Headline
from tasks.clean.metadata.shown import Sighting, day_alone, sightings, text_below
from tasks.clean.metadata.sources import Sources
from tasks.clean.nodes import Tree, attribute, text_of
from tasks.documents import Precision

# Where a bare 3/4/2021 means the fourth of March: in these languages, and in English of no country under these domains.
_MONTH_FIRST_LANGUAGES = ("en-us", "en-ph", "es-us")
_MONTH_FIRST_DOMAINS = (".com", ".org", ".net", ".us", ".gov", ".edu", ".news")
# Two sources that mean the same publication differ by less: a day by its zone, an instant by its seconds.
_SAME_DAY, _SAME_INSTANT = timedelta(hours=36), timedelta(minutes=1)
_WEST, _EAST, _ZONE_STEP = timedelta(hours=-12), timedelta(hours=14), timedelta(minutes=15)
_HOUR, _HOURS_OF_DAY = timedelta(hours=1), 24
# Where many people live, of the zones' hours from UTC.
_WESTERNMOST, _EASTERNMOST = -9, 13
_MOST_TIMES, _LONGEST_TIME = 20, 80
_CHANGED = "time[itemprop~=dateModified][datetime], [itemprop=dateModified][content], time.updated[datetime]"


@dataclass(frozen=True, slots=True)
class Publication:
    """When an article was published, and where that was read."""

    moment: Moment
    source: str  # jsonld, meta, microdata, time, url, text


def find_publication(
    sources: Sources, headline: Headline, *, language: str, fetched_at: datetime
) -> Publication | None:
    """Return the first plausible date of publication, the most trusted source first.

    A source that gives only the day yields to a `time` element that gives the hour of the same day.
    """
    month_first = is_month_first(language, sources.url)
    declared = [each for each in _declared(sources, month_first) if is_plausible(each.moment, fetched_at)]
    if declared and declared[0].moment.precision is Precision.INSTANT:
        return _in_its_zone(declared, sources, headline, month_first)
    if hour := next((each for each in declared if _refines(each.moment, declared[0].moment)), None):
        return hour
    shown = [
        each
        for each in sightings(sources.lines, headline, month_first=month_first)
        if is_plausible(each.moment, fetched_at)
    ]
    known = declared[0] if declared else _in_url(sources.url, fetched_at)
    return _refined(known, shown) if known else _nearest(shown)


def find_modification(sources: Sources, publication: Publication | None, fetched_at: datetime) -> datetime | None:
    """Return when the article was last changed, as declared, or as a `time` element marks it.

    What was changed before it was published was changed by nobody who read it: a draft, or a clock without its zone.
    """
    changes = chain(_changes(sources), _marked_changes(sources.tree))
    earliest = _earliest_change(publication.moment) if publication else EARLIEST
    return next((each.instant for each in changes if is_plausible(each, fetched_at) and each.instant >= earliest), None)


def _earliest_change(published: Moment) -> datetime:
    """Return when an article may have been changed at the earliest; where only its day is known, in any zone."""
    return published.instant if published.precision is Precision.INSTANT else published.instant - _EAST


def is_month_first(language: str, url: str) -> bool:
    """Tell whether a page writes the month before the day in numbers, as the United States do.

    >>> is_month_first("en", "https://a.example.com/"), is_month_first("en-GB", "https://a.example.com/")
    (True, False)
    """
    if language.lower() in _MONTH_FIRST_LANGUAGES:
        return True
    host = url.split("/")[2] if url.count("/") >= 2 else ""
    return language.lower() == "en" and host.endswith(_MONTH_FIRST_DOMAINS)


def _declared(sources: Sources, month_first: bool) -> Iterator[Publication]:
    is_declared = False
    for source, written in (("jsonld", sources.linked.published), ("meta", sources.tags.all("published"))):
        for value in written:
            if moment := parse_moment(value, month_first=month_first):
                is_declared = True
                yield Publication(moment, source)
    if not is_declared:
        yield from _in_microdata(sources.tree, month_first)


def _changes(sources: Sources) -> Iterator[Moment]:
    return filter(None, map(parse_moment, (*sources.linked.modified, *sources.tags.all("modified"))))


def _marked_changes(tree: Tree) -> Iterator[Moment]:
    node = tree.css_first(_CHANGED)
    if node is not None and (moment := parse_moment(attribute(node, "datetime") or attribute(node, "content"))):
        yield moment


def _in_microdata(tree: Tree, month_first: bool) -> Iterator[Publication]:
    for node in tree.css("[itemprop=datePublished][content]")[:1]:
        if moment := parse_moment(attribute(node, "content"), month_first=month_first):
            yield Publication(moment, "microdata")


def _in_url(url: str, fetched_at: datetime) -> Publication | None:
    moment = day_in_url(url) if url else None
    return Publication(moment, "url") if moment and is_plausible(moment, fetched_at) else None


def _refines(moment: Moment, day: Moment) -> bool:
    return moment.precision is Precision.INSTANT and abs(moment.instant - day.instant) < _SAME_DAY


def _refined(known: Publication, shown: Iterable[Sighting]) -> Publication:
    hours = (each for each in shown if each.is_element and not each.is_update and _refines(each.moment, known.moment))
    return next((Publication(each.moment, "time") for each in hours), known)


def _nearest(shown: list[Sighting]) -> Publication | None:
    best = next((each for each in shown if not each.is_update), shown[0] if shown else None)
    return Publication(best.moment, "time" if best.is_element else "text") if best else None


def _in_its_zone(declared: list[Publication], sources: Sources, headline: Headline, month_first: bool) -> Publication:
    """Return the first declaration by the clock of its editors, where another source tells how that clock stands."""
    first = declared[0]
    if first.moment.offset:
        return first
    if first.moment.offset is None:
        changes = _changes(sources)
        return _at_home(first, [*(each.moment for each in declared[1:]), *changes])
    shown = sources.tree.css("time")[:_MOST_TIMES]
    elements = (parse_moment(attribute(node, "datetime")) for node in shown)
    others = (*(each.moment for each in declared[1:]), *filter(None, elements))
    same = (each.offset for each in others if each.offset and abs(each.instant - first.moment.instant) < _SAME_INSTANT)
    below = text_below(sources.lines, headline)
    clocks = " ".join((*(text_of(node)[:_LONGEST_TIME] for node in shown), below))
    offset = next(same, None) or _clock_shown(first.moment, clocks, month_first)
    offset = offset or _offset_of_day(first.moment, day_alone(below, month_first=month_first))
    return replace(first, moment=replace(first.moment, offset=offset)) if offset else first


def _clock_shown(moment: Moment, text: str, month_first: bool) -> timedelta | None:
    """Return how far the clock of a text is from UTC, if it shows the same moment in some zone, to the minute."""
    utc = moment.instant.replace(second=0, microsecond=0, tzinfo=None)
    for clock in clocks_in(text, month_first=month_first):
        if _WEST <= (offset := clock - utc) <= _EAST and not offset % _ZONE_STEP:
            return offset
    return None


def _offset_of_day(moment: Moment, shown: Moment | None) -> timedelta | None:
    """Return the fewest hours from UTC by which a moment is on the day that a page shows; None where none are needed.

    >>> late, next_day = parse_moment("2024-02-26T23:15:00Z"), parse_moment("2024-02-27")
    >>> str(_offset_of_day(late, next_day))
    '1:00:00'
    """
    if shown is None or shown.instant.date() == moment.instant.date():
        return None
    late = (moment.instant - shown.instant) // _HOUR
    hours = -late if late < 0 else _HOURS_OF_DAY - 1 - late
    return hours * _HOUR if _WESTERNMOST <= hours <= _EASTERNMOST else None


def _at_home(first: Publication, others: Iterable[Moment]) -> Publication:
    """Read a time without a zone by the clock of the first other that names its zone."""
    offset = next((each.offset for each in others if each.offset is not None), None)
    if offset is None:
        return first
    return replace(first, moment=replace(first.moment, instant=first.moment.instant - offset, offset=offset))
