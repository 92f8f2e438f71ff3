"""Find the user's watchlists in a document.

One pass of an automaton over the folded text that the tagger reads too tells where phrases may stand; only there are
they looked for. A list either matches or it does not, so its score is 1.
"""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Final, TypeAlias

from ahocorasick_rs import AhoCorasick

from tasks.documents import Topic, TopicEvidence
from tasks.topics.expressions import Expression, expression
from tasks.topics.lexicon import fold
from tasks.topics.matcher import LONGEST_READ, Document
from tasks.topics.tagger import default_tagger
from tasks.topics.watchlists import Near, Watchlist, Watchlists

MOST_EVIDENCE: Final = 5
MOST_FINDS: Final = 50  # places of one phrase or pattern that are looked at

# Chinese and Japanese, Thai, Lao, Burmese, Khmer: no spaces between words, so no edges to ask for.
_UNSPACED: Final = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_LETTER: Final = f"[^ {_UNSPACED}]"  # of a folded text, in a script that has spaces
_GAP: Final = " {1,3}"  # what may stand between two words of a phrase: a space, a hyphen, a full stop and a space
_REST: Final = "[^ ]*"  # what a star stands for
_LONGEST_REST: Final = 40  # letters
_OPEN_BEFORE = re.compile(rf"[*{_UNSPACED}]")
_OPEN_AFTER = re.compile(rf"[*{_UNSPACED}]\Z")
_WORDS = re.compile(f"[{_UNSPACED}]|{_LETTER}+")

Span: TypeAlias = tuple[int, int]
Hits: TypeAlias = Mapping[str, Sequence[int]]
"""Where each anchor that was found begins."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase as it is looked for: its longest word first, and only there all of it, and its capitals.

    `before` and `after` say how far it may reach from the beginning of that word.
    """

    anchor: str
    before: int
    after: int
    pattern: re.Pattern[str]
    capitals: re.Pattern[str] | None = None

    @classmethod
    def of(cls, written: str, *, exact: bool = False) -> "Phrase":
        """Read a phrase; a star stands for any letters, also for none."""
        folded = _spaced(written, fold)
        left = "" if _OPEN_BEFORE.match(folded) else f"(?<!{_LETTER})"
        right = "" if _OPEN_AFTER.search(folded) else f"(?!{_LETTER})"
        anchor = max(re.split("[* ]+", folded), key=len)
        place = folded.index(anchor)
        return cls(
            anchor=anchor,
            before=_reach(folded[:place]),
            after=_reach(folded[place:]),
            pattern=re.compile(f"{left}{_expression(folded)}{right}"),
            capitals=re.compile(_expression(_spaced(written, _kept))) if exact else None,
        )

    def spans(self, document: Document, hits: Hits) -> list[Span]:
        """Return where the phrase stands: within a paragraph, and with its own capitals where it asks for them."""
        found = (self._around(document, place) for place in islice(hits.get(self.anchor, ()), MOST_FINDS))
        return sorted({span for span in found if span is not None and self._holds(document.whole[slice(*span)])})

    def _around(self, document: Document, place: int) -> Span | None:
        """Return where the phrase stands around a place of its anchor."""
        for match in self.pattern.finditer(document.folded, max(0, place - self.before), place + self.after):
            if match.start() <= place < match.end():
                return match.span()
        return None

    def _holds(self, words: str) -> bool:
        return "\n" not in words and (self.capitals is None or self.capitals.fullmatch(_kept(words)) is not None)


class Watcher:
    """Finds watchlists in documents; `watcher()` keeps one for each file."""

    def __init__(self, lists: Iterable[Watchlist]) -> None:
        self._watches = [_Watch.of(each) for each in lists]
        self._with_expressions = [place for place, watch in enumerate(self._watches) if watch.expressions]
        anchors: dict[str, set[int]] = defaultdict(set)
        for place, watch in enumerate(self._watches):
            for anchor in watch.anchors():
                anchors[anchor].add(place)
        self._anchors, self._called = list(anchors), list(anchors.values())
        self._automaton = AhoCorasick(self._anchors)

    def topics(self, document: Document, language: str) -> Iterator[Topic]:
        """Yield the lists that match, by id, each with the first places that decided."""
        hits: dict[str, list[int]] = {}
        called: set[int] = set()
        for index, start, _ in self._automaton.find_matches_as_indexes(document.folded, overlapping=True):
            starts = hits.setdefault(self._anchors[index], [])
            if not starts:
                called |= self._called[index]
            starts.append(start)
        called.update(place for place in self._with_expressions if self._watches[place].may_match(document))
        for place in sorted(called):
            watch = self._watches[place]
            if watch.watchlist.covers(language) and (evidence := watch.evidence(document, hits)):
                yield Topic(id=watch.watchlist.id, label=watch.watchlist.label, score=1.0, evidence=evidence)


@dataclass(frozen=True, slots=True)
class _Watch:
    """A watchlist, ready to be looked for."""

    watchlist: Watchlist
    phrases: tuple[Phrase, ...]
    expressions: tuple[Expression, ...]
    near: tuple[tuple[Near, tuple[Phrase, ...], tuple[Phrase, ...]], ...]
    besides: tuple[Phrase, ...]
    unless: tuple[Phrase, ...]

    @classmethod
    def of(cls, each: Watchlist) -> "_Watch":
        return cls(
            watchlist=each,
            phrases=(*_phrases(each.phrases), *(Phrase.of(phrase, exact=True) for phrase in each.exact)),
            expressions=tuple(map(expression, each.patterns)),
            near=tuple((near, _phrases(near.a), _phrases(near.b)) for near in each.near),
            besides=_phrases(each.besides),
            unless=_phrases(each.unless),
        )

    def anchors(self) -> set[str]:
        """Return the literals of which one stands in every document that this list could match by its phrases."""
        sides = (phrase for _, a, b in self.near for phrase in (*a, *b))
        return {phrase.anchor for phrase in (*self.phrases, *sides, *self.besides, *self.unless)}

    def may_match(self, document: Document) -> bool:
        """Tell whether this list could match by its regular expressions."""
        return any(each.may_match(document.whole, document.folded) for each in self.expressions)

    def evidence(self, document: Document, hits: Hits) -> tuple[TopicEvidence, ...]:
        """Return the first places of what was found, each phrase once; none where the list does not match."""

        def spans(phrases: Iterable[Phrase]) -> list[Span]:
            return [span for phrase in phrases if phrase.anchor in hits for span in phrase.spans(document, hits)]

        besides = spans(self.besides)

        def counted(found: Iterable[Span]) -> list[Span]:
            return [(start, end) for start, end in found if not any(a <= start and end <= b for a, b in besides)]

        found = counted(spans(self.phrases)) + counted(_matched(self.expressions, document))
        for near, a, b in self.near:
            found += _together(counted(spans(a)), counted(spans(b)), near.within, document)
        if not found or spans(self.unless):
            return ()
        first: dict[str, Span] = {}
        for start, end in sorted(found):
            first.setdefault(document.folded[start:end], (start, end))
        return tuple(document.place(start, end) for start, end in islice(first.values(), MOST_EVIDENCE))


@lru_cache(maxsize=4)
def watcher(watchlists: Watchlists) -> Watcher:
    """Return the watcher of a file's lists, made on the first call."""
    return Watcher(watchlists.lists)


def topics_of(title: str, text: str, language: str, watchlists: Watchlists | None = None) -> tuple[Topic, ...]:
    """Return an article's IPTC topics, and after them the watchlists that it is on.

    Watchlists are looked for in all of a text, also beyond what the tagger reads of it.
    """
    document = Document.of(title, text)
    topics = default_tagger().tag_document(document, language)
    if watchlists is None:
        return topics
    if len(text) > LONGEST_READ:
        document = Document.of(title, text, longest=len(text))
    return (*topics, *watcher(watchlists).topics(document, language))


def watched(title: str, text: str, language: str, watchlists: Watchlists) -> tuple[Topic, ...]:
    """Return the watchlists that an article is on."""
    return tuple(watcher(watchlists).topics(Document.of(title, text, longest=len(text)), language))


def _phrases(written: Iterable[str]) -> tuple[Phrase, ...]:
    return tuple(map(Phrase.of, written))


def _kept(text: str) -> str:
    """Do what `fold` does, but keep capitals."""
    return "".join(own if folded != " " else " " for own, folded in zip(text, fold(text), strict=True))


def _spaced(written: str, fold: Callable[[str], str]) -> str:
    """Return a phrase folded, with its stars."""
    return "*".join(map(fold, written.split("*"))).strip()


def _expression(phrase: str) -> str:
    """Return a folded phrase as a regular expression.

    >>> _expression("dock* strike")
    'dock[^ ]* {1,3}strike'
    """
    words = (
        "".join(_REST if part == "*" else re.escape(part) for part in re.split(r"(\*)", word))
        for word in phrase.split()
    )
    return _GAP.join(words)


def _reach(part: str) -> int:
    """Return how many letters a part of a phrase may take up in a text, and one more to see that it ends there."""
    return 1 + len(part) + 2 * part.count(" ") + _LONGEST_REST * part.count("*")


def _matched(expressions: Iterable[Expression], document: Document) -> Iterator[Span]:
    """Yield where regular expressions match, in title and text each by itself."""
    for each in expressions:
        if each.may_match(document.whole, document.folded):
            for start, field in document.fields():
                for first, end in islice(each.spans(field), MOST_FINDS):
                    yield start + first, start + end


def _together(a: list[Span], b: list[Span], within: int, document: Document) -> Iterator[Span]:
    """Yield what reaches from one side to the nearest of the other; neighbouring words are one apart."""
    if not (a and b):
        return
    words = [match.start() for match in _WORDS.finditer(document.folded)]
    for one, other in ((a, b), (b, a)):
        followers = sorted(other)
        for start, end in one:
            for next_start, next_end in followers[bisect_left(followers, (end, end)) :]:
                if 1 + bisect_left(words, next_start) - bisect_left(words, end) > within:
                    break
                if "\n" not in document.whole[start:next_end]:
                    yield start, next_end
