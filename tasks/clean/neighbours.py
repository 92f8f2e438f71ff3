"""The pages beside an article's: its AMP twin, and where it goes on."""

import re
from dataclasses import dataclass
from itertools import chain
from urllib.parse import parse_qsl, urlencode, urlsplit

from tasks.clean.data import vocabulary
from tasks.clean.metadata.sources import absolute, base_of
from tasks.clean.nodes import Node, Tree, attribute, text_of

_WORDS = vocabulary("paging")
_PARAMETERS, _NEXT = frozenset(_WORDS["parameters"]), frozenset(_WORDS["next"])
_WORD = "|".join(map(re.escape, _WORDS["words"]))
# /storm/page/2, /storm/2, storm-page-2.html, storm_2.html, storm-2.html
_NUMBERED = re.compile(
    rf"(?P<stem>.*[^/_,-])(?P<mark>/(?:(?:{_WORD})[/_-]?)?|[_,-](?:(?:{_WORD})[_-]?)?)(?P<number>[0-9]{{1,2}})"
    r"(?P<ending>\.[a-z]{3,5})?/?",
    re.IGNORECASE,
)
_NEXT_LINKS = 'link[rel~="next" i][href], a[rel~="next" i][href]'
_SAFE_IN_SELECTOR = re.compile(r"[\w.~%-]{3,}", re.ASCII)
_MOST_PAGES = 60
_PAGE_NUMBER = re.compile(r"[0-9]{1,2}")
_PAGE_LABEL = re.compile(rf"(?:(?:{_WORD})\s*)?[0-9]{{1,2}}")


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Addresses of an article's AMP twin and of its next page; None where the page names none."""

    amp_url: str | None
    next_page: str | None


def find_neighbours(tree: Tree, url: str) -> Neighbours:
    """Read where else an article stands, and where it goes on. `tree` must still hold its links; `url` is the page's.

    >>> page = '<link rel=amphtml href="/a/amp"><p>Rain.</p><div><a href="?page=1">1</a> <a href="?page=2">2</a></div>'
    >>> find_neighbours(Tree(page), "https://ferry.example/a")
    Neighbours(amp_url='https://ferry.example/a/amp', next_page='https://ferry.example/a?page=2')
    """
    amp, base = tree.css_first('link[rel~="amphtml" i][href]'), base_of(tree, url)
    return Neighbours(
        amp_url=absolute(base, attribute(amp, "href")) if amp is not None else None,
        next_page=_next_page(tree, url, base) if url else None,
    )


def _next_page(tree: Tree, url: str, base: str) -> str | None:
    """Return the address of this article's next page: this one's but for the page's number, which is one higher.

    `rel=next` alone does not tell: blogs point to the next article with it.
    """
    here = _readings(url)
    if not here:
        return None
    pages = {(reading.stem, reading.number) for reading in here}
    for link in chain(tree.css(_NEXT_LINKS), filter(_leads_on, tree.css(_links_of_its_name(here[-1])))):
        address = absolute(base, attribute(link, "href")) or ""
        for reading in _readings(address):
            most = _MOST_PAGES if reading.is_sure else 2
            if 2 <= reading.number <= most and (reading.stem, reading.number - 1) in pages:
                return address
    return None


def _links_of_its_name(here: "_Reading") -> str:
    """Return a selector for links that may lead to a page of the same name."""
    names = [name.split(".")[0] for name in urlsplit(here.stem).path.split("/")]
    name = next(filter(_SAFE_IN_SELECTOR.fullmatch, reversed(names)), None)
    return 'a[href^="?"]' + (f', a[href*="{name}"]' if name else "")


def _leads_on(link: Node) -> bool:
    """Tell whether a link says that it leads to the next page, or to a page by number."""
    said = (text_of(link) or attribute(link, "aria-label") or attribute(link, "title")).casefold()
    return said in _NEXT or said.rstrip(" ›»>→") in _NEXT or _PAGE_LABEL.fullmatch(said) is not None


@dataclass(frozen=True, slots=True)
class _Reading:
    """An address read as the page of this number of something; not sure where the number may belong to its name."""

    stem: str
    number: int
    is_sure: bool = True


def _readings(url: str) -> list[_Reading]:
    """Return the ways to read an address, as the first page of something before all.

    >>> [(reading.stem, reading.number) for reading in _readings("https://ferry.example/storm/2/")]
    [('https://ferry.example/storm/2', 1), ('https://ferry.example/storm', 2)]
    """
    parts = urlsplit(url)
    if not parts.netloc or "comment" in parts.fragment:
        return []
    path, query = parts.path.rstrip("/"), parse_qsl(parts.query, keep_blank_values=True)

    def spelled(path: str, query: list[tuple[str, str]]) -> str:
        return f"{parts.scheme}://{parts.netloc}{path}?{urlencode(query)}".rstrip("?")

    readings = [_Reading(spelled(path, query), 1)]
    if matched := _NUMBERED.fullmatch(path):
        stem, number = matched["stem"] + (matched["ending"] or ""), int(matched["number"])
        readings.append(_Reading(spelled(stem, query), number, is_sure=matched["mark"] != "-"))
    for name, value in query:
        if name.lower() in _PARAMETERS and _PAGE_NUMBER.fullmatch(value):
            rest = [(other, its) for other, its in query if other != name]
            readings.append(_Reading(spelled(path, rest), int(value)))
    return readings
