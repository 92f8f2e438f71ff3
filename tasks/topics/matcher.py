"""Find the phrases of a lexicon in a document, in one pass of an Aho-Corasick automaton."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from math import log2
from typing import Final

from ahocorasick_rs import AhoCorasick

from tasks.documents import TopicEvidence
from tasks.topics.lexicon import Casing, Entry, fold

LONGEST_READ: Final = 6000  # characters; news says early what it is about
TITLE_FACTOR: Final = 3.0
LEAD_FACTOR: Final = 1.5
LEAD_LENGTH: Final = 400  # characters

# Wider than any run of spaces in a folded phrase, so that none reaches from the title into the text; and a line's end,
# by which whoever looks at the text as written can tell the two apart.
GAP: Final = "\n" + " " * 7

Weights = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Meaning:
    """What a phrase speaks for when it is written with these capitals; without topics it speaks for none."""

    casing: Casing
    opens_right: bool
    topics: Weights
    tops: Weights


@dataclass(frozen=True, slots=True)
class Document:
    """Title and text in one string between spaces, and the same folded; offsets agree."""

    whole: str
    folded: str
    title_length: int

    @classmethod
    def of(cls, title: str, text: str, longest: int = LONGEST_READ) -> "Document":
        """Lay a title and the beginning of a text side by side."""
        whole = f" {title}{GAP}{text[:longest]} "
        return cls(whole, fold(whole), len(title))

    def place(self, start: int, end: int) -> TopicEvidence:
        """Return a match as evidence, with its place in its field."""
        phrase = self.whole[start:end]
        if start <= self.title_length:
            return TopicEvidence(field="title", phrase=phrase, start=start - 1)
        return TopicEvidence(field="text", phrase=phrase, start=start - self._text_start)

    @property
    def lead_end(self) -> int:
        """Return where the first part of the text ends, which counts more than what follows."""
        return self._text_start + LEAD_LENGTH

    def fields(self) -> tuple[tuple[int, str], tuple[int, str]]:
        """Return title and text, each with where it begins."""
        return (1, self.whole[1 : 1 + self.title_length]), (self._text_start, self.whole[self._text_start : -1])

    @property
    def _text_start(self) -> int:
        return 1 + self.title_length + len(GAP)


@dataclass(slots=True)
class Hit:
    """A phrase found in a document: where first, and how much all its places count together."""

    start: int
    end: int
    places: float = 0.0

    @property
    def strength(self) -> float:
        """Return what the places come to: one for one, two for three, three for seven."""
        return log2(1 + self.places)


class Matcher:
    """Finds the phrases of one language. Words have edges where a language is `spaced`, and none elsewhere.

    A language `has_words` when its lexicon holds more than labels and names.
    """

    def __init__(self, entries: Collection[Entry], top_of: Mapping[str, str], *, spaced: bool) -> None:
        patterns: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            bare = fold(entry.phrase.strip("*")).strip()  # U.N. is "u n"
            # the space before it keeps the automaton from stopping inside words
            patterns[f" {bare}" if spaced and not entry.phrase.startswith("*") else bare].append(entry)
        self.spaced = spaced
        self.has_words = any(entry.is_word for entry in entries)
        self._automaton = AhoCorasick(list(patterns))
        self._let_fine_phrases_say_what_is_in_them(patterns, top_of)
        self._meanings = [_meanings(written, top_of) for written in patterns.values()]

    def _let_fine_phrases_say_what_is_in_them(
        self, patterns: Mapping[str, list[Entry]], top_of: Mapping[str, str]
    ) -> None:
        """Let `computer maker` speak for what `computer` speaks for, which it hides: for the top topic alone."""
        entries = list(patterns.values())
        for pattern, written in patterns.items():
            if " " not in pattern.strip() or all(entry.top_share == 1 for entry in written):
                continue
            for index, _, end in self._automaton.find_matches_as_indexes(pattern, overlapping=True):
                if entries[index] is not written and pattern[end : end + 1] in ("", " "):
                    written += [
                        replace(one, phrase=written[0].phrase, topic=top_of[one.topic]) for one in entries[index]
                    ]

    def hits(self, document: Document) -> dict[Meaning, Hit]:
        """Return the phrases found, each with what it means where it stands: more in a title or a lead than below."""
        hits: dict[Meaning, Hit] = {}
        title_end, lead_end = document.title_length, document.lead_end
        for meaning, start, end in self._longest(document):
            hit = hits.get(meaning)
            if hit is None:
                hit = hits[meaning] = Hit(start, end)
            hit.places += TITLE_FACTOR if start <= title_end else LEAD_FACTOR if start < lead_end else 1.0
        return hits

    def _longest(self, document: Document) -> Iterator[tuple[Meaning, int, int]]:
        """Yield the matches that do not lie within a longer one."""
        folded = document.folded
        matches = self._automaton.find_matches_as_indexes(folded, overlapping=True)
        in_order = sorted((start + (folded[start] == " "), -end, index) for index, start, end in matches)
        reached = 0
        for start, minus_end, index in in_order:
            end = -minus_end
            if end <= reached:
                continue
            for meaning in self._meanings[index]:
                if self._holds(meaning, document, start, end):
                    yield meaning, start, end
                    reached = end
                    break

    def _holds(self, meaning: Meaning, document: Document, start: int, end: int) -> bool:
        whole, folded = document.whole, document.folded
        if self.spaced:
            if folded[end] != " " and not meaning.opens_right:
                return False
        elif _joined(folded[start - 1 : start + 1]) or _joined(folded[end - 1 : end + 1]):
            return False
        if meaning.casing is Casing.ANY:
            return True
        return whole[start].isupper() if meaning.casing is Casing.INITIAL else whole[start:end].isupper()


def _meanings(written: list[Entry], top_of: Mapping[str, str]) -> tuple[Meaning, ...]:
    """Return the meanings of one pattern, the strictest first; each holds those of the laxer ones as well."""
    graded = [(_strictness(entry), entry) for entry in written]
    meanings = []
    for kind in sorted({kind for kind, _ in graded}):
        topics: dict[str, float] = {}
        tops: dict[str, float] = {}
        for strictness, entry in graded:
            if entry.weight and strictness >= kind:
                topics[entry.topic] = max(entry.weight, topics.get(entry.topic, 0.0))
                top = top_of[entry.topic]
                tops[top] = max(entry.weight * entry.top_share, tops.get(top, 0.0))
        meanings.append(Meaning(_CASINGS[kind[0]], kind[1], tuple(topics.items()), tuple(tops.items())))
    return tuple(meanings)


_CASINGS: Final = (Casing.UPPER, Casing.INITIAL, Casing.ANY)


def _strictness(entry: Entry) -> tuple[int, bool]:
    return _CASINGS.index(entry.casing), entry.phrase.endswith("*")


def _joined(pair: str) -> bool:
    """Tell whether two neighbouring characters belong to one Latin word or number."""
    return pair.isascii() and pair.isalnum()
