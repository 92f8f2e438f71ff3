"""Find the phrases of a lexicon in a document, in one pass of an Aho-Corasick automaton."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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
    topics: Weights
    tops: Weights

    def holds(self, phrase: str) -> bool:
        """Tell whether a phrase is written with the capitals that this asks for."""
        if self.casing is Casing.ANY:
            return True
        return phrase[0].isupper() if self.casing is Casing.INITIAL else phrase.isupper()


@dataclass(frozen=True, slots=True)
class Document:
    """Title and text in one string between spaces, and the same folded; offsets agree."""

    whole: str
    folded: str
    title_length: int
    text_start: int

    @classmethod
    def of(cls, title: str, text: str, longest: int = LONGEST_READ) -> "Document":
        """Lay a title and the beginning of a text side by side."""
        whole = f" {title}{GAP}{text[:longest]} "
        return cls(whole, fold(whole), len(title), 1 + len(title) + len(GAP))

    def place(self, start: int, end: int) -> TopicEvidence:
        """Return a match as evidence, with its place in its field."""
        phrase = self.whole[start:end]
        if start <= self.title_length:
            return TopicEvidence(field="title", phrase=phrase, start=start - 1)
        return TopicEvidence(field="text", phrase=phrase, start=start - self.text_start)

    def fields(self) -> tuple[tuple[int, str], tuple[int, str]]:
        """Return title and text, each with where it begins."""
        return (1, self.whole[1 : 1 + self.title_length]), (self.text_start, self.whole[self.text_start : -1])


@dataclass(slots=True)
class Hit:
    """A phrase found in a document: where first, and how much all its places count together."""

    document: Document
    start: int
    end: int
    places: float = 0.0
    _evidence: TopicEvidence | None = field(default=None, init=False)

    @property
    def strength(self) -> float:
        """Return what the places come to: one for one, two for three, three for seven."""
        return log2(1 + self.places)

    @property
    def evidence(self) -> TopicEvidence:
        """Return the phrase with its place in its field; most phrases are never shown, so it is made when asked for."""
        if self._evidence is None:
            self._evidence = self.document.place(self.start, self.end)
        return self._evidence


@dataclass(frozen=True, slots=True)
class _Pattern:
    """What the automaton looks for: a folded phrase, with a space at each end where a word must not go on."""

    folded: str
    meanings: tuple[Meaning, ...]

    @property
    def margins(self) -> tuple[int, int]:
        """Return how many characters at each end do not belong to the phrase."""
        return int(self.folded.startswith(" ")), int(self.folded.endswith(" "))


class Matcher:
    """Finds the phrases of one language. Words have edges where a language is `spaced`, and none elsewhere."""

    def __init__(self, entries: Iterable[Entry], top_of: Mapping[str, str], *, spaced: bool) -> None:
        written: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            opens_left = entry.phrase.startswith("*") or not spaced
            written[("" if opens_left else " ") + fold(entry.phrase.strip("*"))].append(entry)
        patterns = [pattern for each in written.items() for pattern in _patterns(*each, top_of, spaced=spaced)]
        self.spaced = spaced
        self._margins = [pattern.margins for pattern in patterns]
        self._meanings = [pattern.meanings for pattern in patterns]
        self._automaton = AhoCorasick([pattern.folded for pattern in patterns])

    def hits(self, document: Document) -> dict[Meaning, Hit]:
        """Return the phrases found that do not lie within a longer one, each with what it means where it stands."""
        hits: dict[Meaning, Hit] = {}
        title, lead, reached = document.title_length, document.text_start + LEAD_LENGTH, 0
        for start, minus_end, index in self._in_order(document.folded):
            end = -minus_end
            if end <= reached or not (self.spaced or _stands_apart(document.folded, start, end)):
                continue
            for meaning in self._meanings[index]:
                if meaning.casing is Casing.ANY or meaning.holds(document.whole[start:end]):
                    hit = hits.get(meaning)
                    if hit is None:
                        hit = hits[meaning] = Hit(document, start, end)
                    # a title counts more than a lead, a lead more than what follows
                    hit.places += 1.0 if start >= lead else LEAD_FACTOR if start > title else TITLE_FACTOR
                    reached = end
                    break
        return hits

    def _in_order(self, folded: str) -> list[tuple[int, int, int]]:
        """Return all matches by start, the longer ones first: start, end with a minus, and which pattern it is."""
        margins = self._margins
        matches = self._automaton.find_matches_as_indexes(folded, overlapping=True)
        return sorted([(start + margins[index][0], margins[index][1] - end, index) for index, start, end in matches])


def _patterns(bare: str, written: Sequence[Entry], top_of: Mapping[str, str], *, spaced: bool) -> Iterable[_Pattern]:
    """Yield what a phrase is found by: all that was written at the end of a word, and within one what has a star."""
    meanings = {kind: _meaning(kind, written, top_of) for kind in sorted(set(map(_strictness, written)))}
    opening = tuple(meaning for (_, opens_right), meaning in meanings.items() if opens_right)
    if not spaced or len(opening) < len(meanings):
        yield _Pattern(f"{bare} " if spaced else bare, tuple(meanings.values()))
    if spaced and opening:
        yield _Pattern(bare, opening)


def _meaning(kind: tuple[int, bool], written: Iterable[Entry], top_of: Mapping[str, str]) -> Meaning:
    """Return what entries of one strictness mean; the laxer ones hold there as well."""
    topics: dict[str, float] = {}
    tops: dict[str, float] = {}
    for entry in written:
        if entry.weight and _strictness(entry) >= kind:
            topics[entry.topic] = max(entry.weight, topics.get(entry.topic, 0.0))
            top = top_of[entry.topic]
            tops[top] = max(entry.weight, tops.get(top, 0.0))
    return Meaning(_CASINGS[kind[0]], tuple(topics.items()), tuple(tops.items()))


_CASINGS: Final = (Casing.UPPER, Casing.INITIAL, Casing.ANY)


def _strictness(entry: Entry) -> tuple[int, bool]:
    return _CASINGS.index(entry.casing), entry.phrase.endswith("*")


def _stands_apart(folded: str, start: int, end: int) -> bool:
    """Tell whether a phrase in a text without spaces does not begin or end within a Latin word or number."""
    return not (_joined(folded[start - 1 : start + 1]) or _joined(folded[end - 1 : end + 1]))


def _joined(pair: str) -> bool:
    """Tell whether two neighbouring characters belong to one Latin word or number."""
    return pair.isascii() and pair.isalnum()
