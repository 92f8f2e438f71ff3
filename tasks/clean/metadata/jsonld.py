"""JSON-LD of every shape: graphs, lists, references, and JSON that is not quite JSON."""

import html
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from tasks.clean.nodes import LONGEST_VALUE, Tree
from tasks.clean.whitespace import tidy

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
Thing: TypeAlias = dict[str, Json]

_SELECTOR = 'script[type^="application/ld+json" i]'
_ARTICLE = re.compile(r"Article|Posting|Report|Review|LiveBlog|NewsItem", re.IGNORECASE)
_WRAPPING = re.compile(
    r"^\s*(?:<!--|//\s*<!\[CDATA\[|<!\[CDATA\[|/\*\s*<!\[CDATA\[\s*\*/)|(?:-->|//\s*\]\]>|\]\]>|/\*\s*\]\]>\s*\*/|;)\s*$"
)
_STRAY_COMMA = re.compile(r",\s*(?=[}\]])")
_LINE_END = re.compile(r"[\r\n]+|</p>|<br ?/?>", re.IGNORECASE)
_MARKUP = re.compile(r"<[^<>]{1,400}>")
# What can be read from JSON that no repair makes sound: simple pairs, and names of authors.
_PAIR = re.compile(
    r'"(?P<key>@type|headline|description|datePublished|dateModified|dateCreated|articleSection|inLanguage|image)"'
    r'\s*:\s*(?P<value>"(?:[^"\\\r\n]|\\.)*")(?=\s*[,}])'
)
_AUTHOR = re.compile(r'"author"\s*:\s*(?:\[\s*)?(?:\{[^{}]*?"name"\s*:\s*)?("(?:[^"\\\r\n]|\\.)*")')
# What an article object is judged by when a page has several.
_TELLING = ("headline", "datePublished", "author", "articleBody", "dateModified", "image", "description")
_MOST_THINGS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """An entry of a live blog as JSON-LD quotes it."""

    published: str
    headline: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedData:
    """What a page's JSON-LD says about its article."""

    headline: str = ""
    description: str = ""
    body: str = ""
    authors: tuple[str, ...] = ()
    published: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    section: str = ""
    breadcrumbs: tuple[str, ...] = ()  # the way from the front page, as the page lays it out
    publisher: str = ""
    image: str = ""
    url: str = ""
    language: str = ""
    is_free: bool | None = None
    walled: tuple[str, ...] = ()  # selectors of the parts that are not free
    word_count: int = 0
    updates: tuple[Update, ...] = ()
    is_article: bool = False
    others: frozenset[str] = frozenset()  # kinds of the things described where no article is


def read_linked_data(tree: Tree) -> LinkedData:
    """Read the article that a page's JSON-LD describes; empty where there is none."""
    things = list(_things(load(script.text(deep=True)) for script in tree.css(_SELECTOR)))
    by_id = {thing["@id"]: thing for thing in things if isinstance(thing.get("@id"), str) and len(thing) > 2}
    articles = [thing for thing in things if _is_article(thing)]
    breadcrumbs = _breadcrumbs(things)
    if not articles:
        return LinkedData(breadcrumbs=breadcrumbs, others=frozenset(kind for thing in things for kind in _kinds(thing)))
    described = _describe(max(articles, key=_richness), by_id)
    walled = tuple(_walled(things))
    is_free = False if described.is_free is None and walled else described.is_free
    updates = tuple(_updates(articles))
    return replace(described, breadcrumbs=breadcrumbs, is_free=is_free, walled=walled, updates=updates)


def _breadcrumbs(things: Iterable[Thing]) -> tuple[str, ...]:
    trail = next((thing.get("itemListElement") for thing in things if "BreadcrumbList" in _kinds(thing)), None)
    crumbs = [crumb for crumb in (trail if isinstance(trail, list) else [trail]) if isinstance(crumb, dict)]
    items = (crumb if crumb.get("name") else crumb.get("item") for crumb in crumbs)
    return tuple(name for item in items if isinstance(item, dict) and (name := _plain(item.get("name"))))


def load(script: str) -> Json:
    """Parse JSON as browsers find it: comments around it, stray commas, raw line ends. None where that is in vain.

    Of an article that no repair makes sound, what can be read piece by piece is returned.

    >>> load('{"a": [1, 2,],};')
    {'a': [1, 2]}
    >>> load('{"@type": "NewsArticle", "headline": "Bridge holds", "description": "He said "no"."}')
    {'@type': 'NewsArticle', 'headline': 'Bridge holds'}
    """
    script = script.strip()
    for repair in (str, _repaired):
        try:
            parsed: Json = json.loads(repair(script), strict=False)
        except (ValueError, RecursionError):
            continue
        return parsed
    return _salvaged(script)


def _salvaged(script: str) -> Thing | None:
    """Return the simple facts of a broken article object, the first of each kind; None where it is of no article."""
    pairs = [(matched["key"], _string(matched["value"])) for matched in _PAIR.finditer(script)]
    kind = next((value for key, value in pairs if key == "@type" and value and _ARTICLE.search(value)), None)
    if kind is None:
        return None
    names: list[Json] = [name for found in _AUTHOR.findall(script) if (name := _string(found))]
    thing: Thing = {"@type": kind}
    for key, value in pairs:
        thing.setdefault(key, value)
    return thing | ({"author": names[:1]} if names else {})


def _string(written: str) -> str | None:
    try:
        value = json.loads(written, strict=False)
    except ValueError:
        return None
    return value if isinstance(value, str) else None


def _repaired(script: str) -> str:
    return _STRAY_COMMA.sub("", _WRAPPING.sub("", _WRAPPING.sub("", script)))


def _things(roots: Iterable[Json]) -> Iterator[Thing]:
    waiting = list(roots)[::-1]
    seen = 0
    while waiting and seen < _MOST_THINGS:
        value = waiting.pop()
        if isinstance(value, dict):
            seen += 1
            yield value
            waiting.extend(child for child in reversed(value.values()) if isinstance(child, dict | list))
        elif isinstance(value, list):
            waiting.extend(child for child in reversed(value) if isinstance(child, dict | list))


def _kinds(thing: Thing) -> frozenset[str]:
    kinds = thing.get("@type")
    return frozenset(kind for kind in (kinds if isinstance(kinds, list) else [kinds]) if isinstance(kind, str))


def _is_article(thing: Thing) -> bool:
    return any(_ARTICLE.search(kind) for kind in _kinds(thing)) and any(map(thing.get, _TELLING[:4]))


def _richness(thing: Thing) -> int:
    return sum(bool(thing.get(key)) for key in _TELLING)


def _describe(article: Thing, by_id: dict[Json, Thing]) -> LinkedData:
    publisher = next(iter(_names(article.get("publisher"), by_id)), "")
    return LinkedData(
        headline=_plain(article.get("headline")) or _plain(article.get("name")),
        description=_plain(article.get("description")),
        body="\n".join(_lines(article.get("articleBody"))),
        authors=tuple(_names(article.get("author") or article.get("creator"), by_id)),
        published=_strings(article.get("datePublished")) or _strings(article.get("dateCreated")),
        modified=_strings(article.get("dateModified")),
        keywords=tuple(_keywords(article.get("keywords"))),
        section=next(iter(_strings(article.get("articleSection"))), ""),
        publisher=publisher,
        image=_address(article.get("image")),
        url=_address(article.get("mainEntityOfPage")) or _address(article.get("url")),
        language=next(iter(_strings(article.get("inLanguage"))), ""),
        is_free=_is_free(article),
        word_count=_number(article.get("wordCount")),
        is_article=True,
    )


def _updates(articles: Iterable[Thing]) -> Iterator[Update]:
    for article in articles:
        updates = article.get("liveBlogUpdate")
        for update in updates if isinstance(updates, list) else [updates]:
            if isinstance(update, dict):
                yield Update(
                    published=next(iter(_strings(update.get("datePublished"))), ""),
                    headline=_plain(update.get("headline")),
                    body="\n".join(_lines(update.get("articleBody"))),
                )


def _plain(value: Json) -> str:
    """Return a string without markup and character references, which publishers put into JSON all the same."""
    return _without_markup(value[:LONGEST_VALUE]) if isinstance(value, str) else ""


def _lines(value: Json) -> list[str]:
    if not isinstance(value, str):
        return []
    return [line for line in map(_without_markup, _LINE_END.split(value)) if line]


def _without_markup(text: str) -> str:
    return tidy(_MARKUP.sub(" ", html.unescape(html.unescape(text))))


def _number(value: Json) -> int:
    digits = str(value) if isinstance(value, int | str) else ""
    return int(digits) if digits.isdecimal() and len(digits) < 9 else 0


def _strings(value: Json) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(text for one in values if (text := _plain(str(one) if isinstance(one, int) else one)))


def _names(value: Json, by_id: dict[Json, Thing]) -> Iterator[str]:
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            whole = one if one.get("name") else by_id.get(one.get("@id"), one)
            yield from _strings(whole.get("name"))
        else:
            yield from _strings(one)


def _keywords(value: Json) -> Iterator[str]:
    for words in _strings(value):
        yield from (word for one in words.split(",") if (word := one.strip()))


def _address(value: Json) -> str:
    while isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        value = value.get("url") or value.get("contentUrl") or value.get("@id")
    return value.strip() if isinstance(value, str) else ""


def _is_free(thing: Thing) -> bool | None:
    """Tell whether a thing says that it is free; None where it does not say.

    >>> _is_free({"isAccessibleForFree": "http://schema.org/False"}), _is_free({})
    (False, None)
    """
    declared = thing.get("isAccessibleForFree")
    if isinstance(declared, bool):
        return declared
    said = declared.strip().lower().rpartition("/")[2] if isinstance(declared, str) else ""
    return {"true": True, "false": False}.get(said)


def _walled(things: Iterable[Thing]) -> Iterator[str]:
    for thing in things:
        if "cssSelector" in thing and _is_free(thing) is False:
            yield from _strings(thing["cssSelector"])
