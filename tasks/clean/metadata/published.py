"""When an article was published: what the page declares, what stands beside the headline, what the URL says."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tasks.clean.metadata.dates import Moment, day_in_url, days_in, is_plausible, parse_moment
from tasks.clean.metadata.jsonld import LinkedData
from tasks.clean.metadata.tags import MetaTags
from tasks.clean.nodes import Node, Tree, attribute, label_of, text_of
from tasks.documents import Precision

_TIMES = "h1, time, [itemprop~=datePublished], abbr.published, abbr[data-utime]"
_DATE_LABELS = ", ".join(
    f'[{name}*="{word}" i]'
    for name in ("class", "id")
    for word in ("date", "time", "publi", "posted", "byline", "meta", "author", "info", "datum", "fecha", "stamp")
)
_LONGEST_DATE_ELEMENT = 200
_MOST_DATE_ELEMENTS = 60
_MOST_LABELLED = 400
_NEAR_HEADLINE = 1_500
_MODIFIED_WORDS = ("modif", "updat", "aktualis", "edited")
# Where a bare 3/4/2021 means the fourth of March.
_MONTH_FIRST_LANGUAGES = ("en", "en-us")
_MONTH_FIRST_DOMAINS = (".com", ".org", ".net", ".us", ".gov", ".edu", ".news")


@dataclass(frozen=True, slots=True)
class Publication:
    """When an article was published, and where that was read."""

    moment: Moment
    source: str  # jsonld, meta, time, url, text


def find_publication(
    tree: Tree,
    linked: LinkedData,
    tags: MetaTags,
    headline: Node | None,
    *,
    url: str,
    language: str,
    fetched_at: datetime,
) -> Publication | None:
    """Return the first plausible date of publication, the most trusted source first.

    A source that gives only the day yields to a later one that gives the hour of the same day.
    """
    month_first = is_month_first(language, url)
    first: Publication | None = None
    for source, moment in _candidates(tree, linked, tags, headline, url, month_first):
        if not is_plausible(moment, fetched_at):
            continue
        if first is None:
            first = Publication(moment, source)
        elif _refines(moment, first.moment):
            return Publication(moment, source)
        if first.moment.precision is Precision.INSTANT or source in ("url", "text"):
            break
    return first


def find_modification(linked: LinkedData, tags: MetaTags, fetched_at: datetime) -> datetime | None:
    """Return when the article was last changed, as declared."""
    moments = map(parse_moment, (*linked.modified, *tags.all("modified")))
    return next((moment.instant for moment in moments if moment and is_plausible(moment, fetched_at)), None)


def is_month_first(language: str, url: str) -> bool:
    """Tell whether a page writes the month before the day in numbers, as the United States do."""
    host = url.split("/")[2] if url.count("/") >= 2 else ""
    return language.lower() in _MONTH_FIRST_LANGUAGES and host.endswith(_MONTH_FIRST_DOMAINS)


def _refines(moment: Moment, day: Moment) -> bool:
    return moment.precision is Precision.INSTANT and abs((moment.instant - day.instant).total_seconds()) < 36 * 3600


def _candidates(
    tree: Tree, linked: LinkedData, tags: MetaTags, headline: Node | None, url: str, month_first: bool
) -> Iterator[tuple[str, Moment]]:
    for source, written in (("jsonld", linked.published), ("meta", tags.all("published"))):
        for value in written:
            if moment := parse_moment(value, month_first=month_first):
                yield source, moment
    for value in _times(tree, headline):
        if moment := parse_moment(value, month_first=month_first):
            yield "time", moment
    if url and (moment := day_in_url(url)):
        yield "url", moment
    for text in _texts(tree, headline):
        for moment in days_in(text, month_first=month_first):
            yield "text", moment


def _times(tree: Tree, headline: Node | None) -> list[str]:
    """Return what time elements say: those marked as publication first, then those after the headline."""
    ranked: list[tuple[int, str]] = []
    is_after_headline = headline is None
    for node in tree.css(_TIMES):
        if node.tag == "h1":
            is_after_headline |= headline is not None and node.mem_id == headline.mem_id
        elif written := attribute(node, "datetime") or attribute(node, "content") or text_of(node):
            ranked.append((_rank(node, is_after_headline), written))
    return [written for _, written in sorted(ranked, key=lambda pair: pair[0])[:10]]


def _rank(node: Node, is_after_headline: bool) -> int:
    names = f"{label_of(node)} {attribute(node, 'itemprop')} {attribute(node, 'property')}".lower()
    if any(word in names for word in _MODIFIED_WORDS):
        return 3
    if "publi" in names or "pubdate" in node.attributes:
        return 0
    return 1 if is_after_headline else 2


def _texts(tree: Tree, headline: Node | None) -> Iterator[str]:
    """Yield short texts in which a visible date may stand, the nearest to the headline first."""
    nodes = tree.css(f"h1, {_DATE_LABELS}")[:_MOST_LABELLED]
    start = next((at for at, node in enumerate(nodes) if headline is not None and node.mem_id == headline.mem_id), -1)
    yield from _short(nodes[start + 1 :])
    if headline is not None:
        for above in (headline.parent, headline.parent.parent if headline.parent is not None else None):
            if above is not None:
                yield text_of(above)[:_NEAR_HEADLINE]
    yield from _short(nodes[: max(start, 0)][::-1])
    if tree.body is not None:
        yield text_of(tree.body)[: 2 * _NEAR_HEADLINE]


def _short(nodes: Sequence[Node]) -> Iterator[str]:
    texts = (text_of(node) for node in nodes[:_MOST_DATE_ELEMENTS] if node.tag != "h1")
    return (text for text in texts if 5 < len(text) < _LONGEST_DATE_ELEMENT)
