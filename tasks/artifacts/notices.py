"""Lines in a text that say a machine translated it, in the languages such notices are written in."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from ahocorasick_rs import AhoCorasick

from tasks.artifacts.words import lines, listed, table


@dataclass(frozen=True, slots=True)
class Notice:
    """A line of a text that is a notice: where it stands, which service it names, from which language."""

    start: int
    end: int
    service: str
    source_language: str | None


_LONGEST = 240
_PARTS = {
    "{named}": r"(?: ?[:(–-]? ?(?:\w{1,6} )?{service}\)?)?",
    "{service}": (
        r"(?:google (?:translate|traduction|traductor|übersetzer)|google|deepl|bing|microsoft(?: translator)?"
        r"|yandex|baidu|papago"
        r"|systran|chatgpt|gpt-?\d?|openai|gemini|modernmt|apertium|reverso|amazon translate|libretranslate)"
    ),
    "{machine}": (
        r"ai|a\.i\.|artificial intelligence|a machine|machine translation|a computer|an? (?:automatic|automated"
        r"|machine) [\w ]{3,20}"
        r"|automat\w+ \w*translation\w*(?: software| tools?| service)?"
    ),
    "{thing}": "(?:article|text|page|story|content|post|news|report|document|version|item|piece|translation)",
    "{language}": r"[A-ZÀ-Ý][\w ]{2,20}?",
    "{tail}": r"[^\n]{0,90}",
}


def _patterns() -> str:
    """Return the lines of the pattern file as one alternation, longest parts filled in."""
    alternatives = "|".join(lines("notice_patterns.txt"))
    for name, expression in _PARTS.items():
        alternatives = alternatives.replace(name, expression)
    return alternatives


CUES = tuple(sorted(listed("notice_cues")))
"""Words of which one stands in every notice."""

_CUES = AhoCorasick(CUES)
_NOTICE = re.compile(rf"(?i)[ \t]*[\[(*]{{0,2}}(?:{_patterns()})[\])*]{{0,2}}[.。!]?[\])*]{{0,2}}[ \t]*")


def notices(text: str) -> Iterator[Notice]:
    """Yield the notices in a text, each a line of its own. What a person translated is none of ours.

    >>> [notice.source_language for notice in notices("It rained.\\n\\nMachine translated from Spanish.")]
    ['es']
    >>> list(notices("Translated from French by Anna Lund."))
    []
    """
    if not _CUES.find_matches_as_indexes(text):
        return
    start = 0
    for line in text.split("\n"):
        if len(line) <= _LONGEST and any(cue in line for cue in CUES) and (match := _NOTICE.fullmatch(line)):
            yield _notice(match, start)
        start += len(line) + 1


def _notice(match: re.Match[str], start: int) -> Notice:
    told = match.groupdict()
    source = next((told[name] for name in ("from1", "from2", "from3") if told[name]), "")
    named = next((told[name] for name in ("service1", "service3", "service4") if told[name]), "") or match[0]
    code = _language_codes().get(source.strip().lower())
    return Notice(start + match.start(), start + match.end(), _service(named), code)


def _service(named: str) -> str:
    """Return the service a notice names, or `unnamed`."""
    found = re.search(r"google|deepl|bing|microsoft|yandex|baidu|papago|systran|chatgpt|openai|gemini", named.lower())
    return found[0] if found else "unnamed"


@cache
def _language_codes() -> dict[str, str]:
    return {row[0]: row[1] for row in table("language_names")}
