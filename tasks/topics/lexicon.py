"""The lexicon: which words and phrases speak for which topic, read from IPTC's labels and `data/lexicon.txt`.

The head of that file explains how it is written.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Final

from tasks.topics.taxonomy import Taxonomy, taxonomy

ANY: Final = "any"
WORD_WEIGHT: Final = 1.0
PHRASE_WEIGHT: Final = 1.5
LABEL_SHARE: Final = 0.8  # a label is written to name a topic, not to be met in a text
FINE_SHARE: Final = 0.25  # how loud a phrase of a "fine" line speaks for its top topic

_HEADING = re.compile(r"(\d{8}) (.+)")
_LABELS = re.compile(r"labels=([\d.]+)")
_LINE = re.compile(r"([a-zA-Z-]+)( fine)?: (.+)")
_PHRASE = re.compile(r"(.+?)(?:=([\d.]+))?")
_VARIANTS = re.compile(r"\(([^)]*)\)")
_LABEL_NOTE = re.compile(r"\s*\(.*?\)")


class LexiconError(Exception):
    """A line of a lexicon cannot be read; the message says which and why."""


class Casing(Enum):
    """What a phrase asks of the capitals in the text."""

    ANY = "any"
    INITIAL = "initial"
    UPPER = "upper"


@dataclass(frozen=True, slots=True)
class Entry:
    """A phrase in one language that speaks for a topic, with its weight; a star opens it at that end.

    For the top topic above, it has `top_share` of that weight.
    """

    phrase: str
    topic: str
    weight: float
    language: str
    is_label: bool = False
    top_share: float = 1.0

    @property
    def casing(self) -> Casing:
        """Return which capitals the text must have; a label asks for them only where it is an acronym."""
        bare = self.phrase.strip("*")
        if len(bare) > 1 and bare.isupper():
            return Casing.UPPER
        return Casing.INITIAL if bare[0].isupper() and not self.is_label else Casing.ANY

    @property
    def is_word(self) -> bool:
        """Tell whether this is more than a label, a name, or what is the same in all languages."""
        return self.casing is Casing.ANY and not self.is_label and self.language != ANY


def fold(text: str) -> str:
    """Return the text in lower case with a space for whatever is no letter, digit or `&`, each in its place.

    >>> fold("L’Opéra, R&D")
    'l opéra  r&d'
    """
    return text.translate(_FOLDED)


class _Folded(dict[int, str]):
    """Folds one character to one character, so that offsets hold; remembers each."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kept = character.isalnum() or character == "&" or unicodedata.category(character)[0] == "M"
        lower = character.lower()
        self[code] = (lower if len(lower) == 1 else character) if kept else " "
        return self[code]


_FOLDED = _Folded()


@cache
def default_entries() -> tuple[Entry, ...]:
    """Return IPTC's labels and copydesk's own lexicon, which has the last word on a phrase's weight."""
    text = (files("tasks.topics") / "data" / "lexicon.txt").read_text(encoding="utf-8")
    return tuple(read_lexicon(text.splitlines(), taxonomy()))


def read_lexicon(lines: Iterable[str], medtops: Taxonomy) -> Iterator[Entry]:
    """Yield the entries of a lexicon, and of the labels of all topics, as far as it does not weigh them itself.

    Raises `LexiconError` for a line that is neither a heading of the taxonomy nor phrases below one.
    """
    label_weights: dict[str, float] = {}
    weighed: set[tuple[str, str, str]] = set()
    topic = ""
    for number, line in enumerate(lines, start=1):
        content = line.strip()
        if not content or content.startswith("#"):
            continue
        if not line[0].isspace():
            topic = _heading(content, number, medtops)
        elif labels := _LABELS.fullmatch(content):
            label_weights[topic] = float(labels[1])
        else:
            for entry in _entries(content, number, topic):
                weighed.add((topic, entry.language, fold(entry.phrase)))
                yield entry
    for entry in _labels(medtops, label_weights):
        if (entry.topic, entry.language, fold(entry.phrase)) not in weighed:
            yield entry


def _heading(content: str, number: int, medtops: Taxonomy) -> str:
    heading = _HEADING.fullmatch(content)
    topic = f"medtop:{heading[1]}" if heading else ""
    if not heading or topic not in medtops or medtops[topic].label() != heading[2]:
        raise LexiconError(f"line {number}: {content!r} is not the id and English label of a topic.")
    return topic


def _entries(content: str, number: int, topic: str) -> Iterator[Entry]:
    line = _LINE.fullmatch(content)
    if not line or not topic:
        raise LexiconError(f"line {number}: {content[:40]!r} is not `language: phrase, phrase` below a topic.")
    language, is_fine = line[1], bool(line[2])
    for written in line[3].split(","):
        phrase, weight = _weighed(written.strip(), number)
        for variant in _variants(phrase, language):
            yield Entry(variant, topic, weight, language, top_share=FINE_SHARE if is_fine else 1.0)


def _weighed(written: str, number: int) -> tuple[str, float]:
    phrase = _PHRASE.fullmatch(written)
    if not phrase:
        raise LexiconError(f"line {number}: there is an empty phrase between two commas.")
    return phrase[1], float(phrase[2]) if phrase[2] else _usual_weight(phrase[1])


def _usual_weight(phrase: str) -> float:
    return PHRASE_WEIGHT if " " in phrase else WORD_WEIGHT


def _variants(phrase: str, language: str) -> Iterator[str]:
    """Spell out the forms of a phrase.

    >>> list(_variants("elect(ed|ion)", "fr")), list(_variants("vote(s)", "fr")), list(_variants("city", "en"))
    (['elected', 'election'], ['vote', 'votes'], ['city', 'cities'])
    """
    for form in _spelled_out(phrase) if "(" in phrase else (phrase,):
        yield form
        if language == "en" and "(" not in phrase and form[-1].isascii() and form[-1].islower() and form[-1] != "s":
            yield _plural(form)


def _spelled_out(phrase: str) -> Iterator[str]:
    choices = []
    for position, part in enumerate(_VARIANTS.split(phrase)):
        options = part.split("|")
        choices.append(["", *options] if position % 2 and len(options) == 1 else options)
    return map("".join, product(*choices))


def _plural(noun: str) -> str:
    if noun.endswith(("ch", "sh", "x", "z")):
        return f"{noun}es"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}s"


def _labels(medtops: Taxonomy, weights: dict[str, float]) -> Iterator[Entry]:
    for topic in medtops:
        labels = {(tag.partition("-")[0], _LABEL_NOTE.sub("", label)) for tag, label in topic.labels.items()}
        for language, label in sorted(labels):
            weight = weights.get(topic.id, LABEL_SHARE * _usual_weight(label))
            for form in _variants(label, language) if weight else ():
                yield Entry(form, topic.id, weight, language, is_label=True)
