"""A translation service's marks on a page, read before anything is stripped, and its notices in the text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from urllib.parse import parse_qs, urlsplit

from ahocorasick_rs import AhoCorasick, MatchKind

from tasks.artifacts.notices import notices
from tasks.artifacts.words import table
from tasks.documents import Marker


class SeenIn(StrEnum):
    """What a mark was seen in. Analysts group by these: add, never rename."""

    LANGUAGE_TAG = "language-tag"
    META = "meta"
    LINK = "link"
    HTML_CLASS = "html-class"
    ATTRIBUTE = "attribute"
    ELEMENT = "element"
    FONT_WRAPPER = "font-wrapper"
    ADDRESS = "address"
    NOTICE = "notice"
    PLUG_IN_TRANSLATION = "plug-in-translation"
    PLUG_IN = "plug-in"


@dataclass(frozen=True, slots=True)
class _Mark:
    """A mark in the HTML: a literal that must be there, then the pattern; groups `service` and `source` if it tells."""

    service: str
    seen_in: SeenIn
    cue: str
    pattern: re.Pattern[str]


def _mark(service: str, seen_in: SeenIn, cue: str, pattern: str) -> _Mark:
    return _Mark(service, seen_in, cue, re.compile(pattern, re.IGNORECASE))


_TAG = r"<[a-z][^<>]{0,2000}?\s"
_FONT = r"<font\s[^<>]{0,60}?\bstyle=[\"']vertical-align:\s?inherit;?[\"'][^<>]{0,60}>"
_MARKS = (
    _mark(
        "unnamed",
        SeenIn.LANGUAGE_TAG,
        "-x-mtfrom-",
        rf"{_TAG}lang=[\"']?[a-z-]{{2,12}}-x-mtfrom-(?P<source>[a-z]{{2,3}})\b",
    ),
    _mark(
        "unnamed",
        SeenIn.LINK,
        "machine-translated-from",
        r"<link\s(?=[^<>]{0,500}\brel=[\"']?[^\"'<>]{0,40}machine-translated-from)"
        r"(?:[^<>]{0,500}?\bhreflang=[\"']?(?P<source>[a-z]{2,3}))?",
    ),
    _mark(
        "unnamed",
        SeenIn.META,
        "ranslated-",
        r"<meta\s(?=[^<>]{0,300}\bhttp-equiv=[\"']?x-translated-by\b)"
        r"[^<>]{0,300}?\bcontent=[\"']?(?P<service>[\w .-]{1,40})",
    ),
    _mark(
        "google",
        SeenIn.HTML_CLASS,
        "translated-",
        r"<html\b[^<>]{0,1000}?\sclass=[\"'][^\"'<>]*\btranslated-(?:ltr|rtl)\b",
    ),
    _mark("microsoft", SeenIn.ATTRIBUTE, "_mst", rf"{_TAG}_mst(?:texthash|mutation|hash|placeholder|title|alt)\b"),
    _mark("microsoft", SeenIn.ATTRIBUTE, "_istranslated", rf"{_TAG}_istranslated=[\"']?1"),
    _mark("mozilla", SeenIn.ATTRIBUTE, "x-bergamot-translated", rf"{_TAG}x-bergamot-translated\b"),
    _mark(
        "yandex",
        SeenIn.ELEMENT,
        "ya-tr-span",
        r"<ya-tr-span\b(?:[^<>]{0,500}?\bdata-source-lang=[\"']?(?P<source>[a-z]{2,3}))?",
    ),
    _mark(
        "google",
        SeenIn.FONT_WRAPPER,
        "vertical-align",
        rf"(?s){_FONT}.{{0,20000}}?{_FONT}",
    ),
)

_PROXIES = {
    "translate.goog": "google",
    "translate.googleusercontent.com": "google",
    "translate.google.com": "google",
    "translate.google.cn": "google",
    "translated.turbopages.org": "yandex",
    "translate.yandex.com": "yandex",
    "translate.yandex.ru": "yandex",
    "translate.yandex.net": "yandex",
    "translate.baiducontent.com": "baidu",
    "fanyi.baidu.com": "baidu",
    "papago.naver.net": "papago",
    "papago.naver.com": "papago",
    "microsofttranslator.com": "microsoft",
    "translatetheweb.com": "microsoft",
    "webtrans.yodao.com": "youdao",
    "translate.sogoucdn.com": "sogou",
    "transer.com": "transer",
}
_SOURCE_PARAMETERS = ("_x_tr_sl", "sl", "from", "source", "lang")
_ADDRESS_CUES = ("<base", "<BASE", "saved from url")
_BASE = re.compile(r"<base\s[^<>]{0,200}?\bhref=[\"']?(https?://[^\"'<>\s]{1,2000})", re.IGNORECASE)
_SAVED_FROM = re.compile(r"<!-- saved from url=\(\d+\)(https?://\S{1,2000}) -->")
_PAGE_LANGUAGE = re.compile(r"<html\b[^<>]{0,1000}?\slang=[\"']?([a-z]{2,3})\b", re.IGNORECASE)


def page_markers(html: str, url: str | None) -> tuple[Marker, ...]:
    """Return the marks that translation services left on a page or in its address, the strongest first.

    A plug-in that is merely installed is the weakest: its page may be the original.

    >>> page_markers('<html lang="en-x-mtfrom-fr">', None)
    (Marker(service='unnamed', seen_in='language-tag', source_language='fr'),)
    >>> page_markers("", "https://www-example-fr.translate.goog/a?_x_tr_sl=fr&_x_tr_tl=en")
    (Marker(service='google', seen_in='address', source_language='fr'),)
    """
    cues = _cues(html)
    found = [*_from_address(url), *_from_markup(html, cues), *_from_plug_ins(html, cues), *_from_base(html, cues)]
    return tuple(
        sorted(dict.fromkeys(found), key=lambda marker: (not is_page_evidence(marker), not marker.source_language))
    )


def notice_markers(text: str) -> tuple[Marker, ...]:
    """Return the notices in a text that say a machine translated it.

    >>> notice_markers("This article was translated from French by DeepL.")
    (Marker(service='deepl', seen_in='notice', source_language='fr'),)
    """
    found = (
        Marker(service=notice.service, seen_in=SeenIn.NOTICE.value, source_language=notice.source_language)
        for notice in notices(text)
    )
    return tuple(dict.fromkeys(found))


def is_page_evidence(marker: Marker) -> bool:
    """Say whether a mark shows that the page was translated, and not only that it could be.

    >>> is_page_evidence(Marker(service="weglot", seen_in="plug-in"))
    False
    """
    return marker.seen_in != SeenIn.PLUG_IN


def _cues(html: str) -> frozenset[str]:
    """Return the literals of which a mark needs one, in one pass over the page: a page without any is done with.

    A cue inside a longer one (`translated-` in `machine-translated-from`) is found as well.
    """
    found = set(_automaton().find_matches_as_strings(html))
    return frozenset(cue for cue in _all_cues() if any(cue in longer for longer in found)) if found else frozenset()


@cache
def _all_cues() -> tuple[str, ...]:
    return (*(mark.cue for mark in _MARKS), *(row[1] for row in table("plug_ins")), *_ADDRESS_CUES)


@cache
def _automaton() -> AhoCorasick:
    """Return the cues as one search. Leftmost matching lets it skim the page with vector instructions."""
    return AhoCorasick(list(dict.fromkeys(_all_cues())), matchkind=MatchKind.LeftmostLongest)


def _from_markup(html: str, cues: frozenset[str]) -> Iterator[Marker]:
    for mark in _MARKS:
        if mark.cue in cues and (match := mark.pattern.search(html)):
            told = match.groupdict()
            service = (told.get("service") or mark.service).strip().lower()
            yield Marker(service=service, seen_in=mark.seen_in.value, source_language=_code(told.get("source")))


def _from_address(url: str | None) -> Iterator[Marker]:
    """Read a proxy's address; the addresses a page links to say nothing about the page."""
    if not url:
        return
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return
    for proxy, service in _PROXIES.items():
        if host == proxy or host.endswith(f".{proxy}"):
            parameters = parse_qs(parts.query)
            given = next((parameters[name][0] for name in _SOURCE_PARAMETERS if name in parameters), None)
            yield Marker(service=service, seen_in=SeenIn.ADDRESS.value, source_language=_code(given))


def _from_base(html: str, cues: frozenset[str]) -> Iterator[Marker]:
    """Read the address a page gives as its own, or was saved from."""
    if cues.isdisjoint(_ADDRESS_CUES):
        return
    for pattern in (_BASE, _SAVED_FROM):
        if match := pattern.search(html):
            yield from _from_address(match[1])


def _from_plug_ins(html: str, cues: frozenset[str]) -> Iterator[Marker]:
    """Compare the language a plug-in calls the original with the page's own: where they differ, it translated."""
    installed = [row for row in table("plug_ins") if row[1] in cues]
    page = _PAGE_LANGUAGE.search(html) if installed else None
    language = _code(page[1]) if page else None
    for service, _, key, kind in installed:
        original = _original(html, key)
        is_translated = kind == "machine" and None not in (original, language) and original != language
        yield Marker(
            service=service,
            seen_in=(SeenIn.PLUG_IN_TRANSLATION if is_translated else SeenIn.PLUG_IN).value,
            source_language=original if original != language else None,
        )


def _original(html: str, key: str) -> str | None:
    match = (
        re.search(rf"[\"']?\b(?:{key})\b[\"']?\s*[:=]\s*[\"']([A-Za-z]{{2,3}})(?![A-Za-z])", html)
        if key != "-"
        else None
    )
    return _code(match[1]) if match else None


def _code(tag: str | None) -> str | None:
    """Return the primary language of a tag in lower case; `auto` is no language."""
    code = (tag or "").replace("_", "-").partition("-")[0].lower()
    return code if code.isalpha() and 2 <= len(code) <= 3 else None
