"""Which articles tell the same story in the same words: reprints, cut, furnished or lightly edited.

A fingerprint keeps a fourth of a text's shingles (runs of four words; of five characters where words are not
spaced), chosen by their hash, so that two texts can be compared by what they share. A text that was cut shares
little of the longer one but nearly all of itself: similarity is the shared part of the *smaller* sketch.

Agency templates (rates, filings, shipping lists) share their words and differ in their numbers, so a fingerprint
also keeps the numbers of the text, and two texts whose numbers disagree are not called duplicates.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final, Protocol
from zlib import crc32

import numpy as np
import numpy.typing as npt

from tasks.words import has_spaces

SAMPLING: Final = 4  # one shingle in four is kept
WORDS_PER_SHINGLE: Final = 4
CHARACTERS_PER_SHINGLE: Final = 5

MOST_DOCUMENTS_PER_SHINGLE: Final = 40  # of those within a window: beyond that it is furniture
LEAST_SHARED: Final = 6
LEAST_SIMILARITY: Final = 0.5
NEARLY_ALL: Final = 0.8  # of a text stands in another that holds it
MOST_NUMBERS: Final = 64
LEAST_NUMBERS: Final = 3  # fewer say nothing
LEAST_NUMBERS_SHARED: Final = 0.7

_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d)")

_HALF, _LOWER = np.uint64(32), np.uint64(0xFFFFFFFF)
_SORTED_AT_ONCE = 8_000_000

Hashes = npt.NDArray[np.uint64]
Sketch = npt.NDArray[np.uint32]
Indices = npt.NDArray[np.int64]


class Fingerprinted(Protocol):
    """What `near_duplicates` needs to know of a document."""

    @property
    def id(self) -> str:
        """The document's identity."""

    @property
    def published_at(self) -> datetime:
        """When it was published; the earliest of a story is its original."""

    @property
    def fingerprint(self) -> bytes:
        """What `fingerprint` made of its text."""


class Kind(StrEnum):
    """How an article and the one that it retells lie to each other. Analysts group by these: add, never rename."""

    REPRINT = "reprint"
    EXCERPT = "excerpt"
    EXTENSION = "extension"
    REWORKING = "reworking"


@dataclass(frozen=True, slots=True, kw_only=True)
class NearDuplicate:
    """An article that retells an earlier one.

    `contained` is the part of it that stands in the original, `containing` the part of the original that stands in it.
    """

    id: str
    original_id: str
    contained: float
    containing: float

    @property
    def similarity(self) -> float:
        """Return the shared part of the smaller text."""
        return max(self.contained, self.containing)

    @property
    def kind(self) -> Kind:
        """Return what it makes of the original.

        >>> NearDuplicate(id="b", original_id="a", contained=0.97, containing=0.36).kind
        <Kind.EXCERPT: 'excerpt'>
        """
        match self.contained >= NEARLY_ALL, self.containing >= NEARLY_ALL:
            case True, True:
                return Kind.REPRINT
            case True, False:
                return Kind.EXCERPT
            case False, True:
                return Kind.EXTENSION
            case _:
                return Kind.REWORKING


def fingerprint(text: str) -> bytes:
    """Sketch a text so that `near_duplicates` can find its reprints; about 400 bytes an article.

    Case, punctuation, typographic variants and thousands separators do not matter.

    >>> fingerprint("It rained, the mayor said.") == fingerprint("IT RAINED – the mayor said")
    True
    """
    plain = _THOUSANDS.sub("", unicodedata.normalize("NFKC", text).casefold())
    hashes = _word_shingles(plain) if has_spaces(plain) else _character_shingles(plain)
    shingles = np.unique((hashes[hashes % SAMPLING == 0] >> np.uint64(32)).astype("<u4"))
    numbers = np.unique(np.fromiter((crc32(n.encode()) for n in _NUMBER.findall(plain)), "<u4").astype("<u2"))
    return len(shingles).to_bytes(4, "little") + shingles.tobytes() + numbers[:MOST_NUMBERS].tobytes()


def near_duplicates(documents: Sequence[Fingerprinted], window_days: int = 30) -> list[NearDuplicate]:
    """Find the documents that retell an earlier one published at most `window_days` before.

    The result is the same in whatever order the documents come. A document is tied to the one it shares most with, and
    through that to its original, as far as it resembles the original itself. Of two documents published at the same
    instant the one with the smaller id is the earlier.

    What is found for a document follows from those of two windows before it and one after it. So the documents of that
    time tell the same of it as all documents.
    """
    ordered = sorted(documents, key=lambda document: (document.published_at, document.id))
    original: dict[int, int] = {}
    found = []
    for later, matches in sorted(_matches(ordered, timedelta(days=window_days)).items()):
        nearest = max(matches, key=lambda earlier: (matches[earlier].shared, -earlier))
        first = original.get(nearest, nearest)
        # a text made of two stories must not tie the one to the other
        original[later] = first if first in matches else nearest
        match = matches[original[later]]
        found.append(
            NearDuplicate(
                id=ordered[later].id,
                original_id=ordered[original[later]].id,
                contained=round(match.shared / match.later_size, 4),
                containing=round(match.shared / match.earlier_size, 4),
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class _Match:
    """What two documents have in common, and how much there is of each, all without furniture."""

    earlier: int
    later: int
    shared: int
    earlier_size: int
    later_size: int


def _matches(ordered: Sequence[Fingerprinted], window: timedelta) -> dict[int, dict[int, _Match]]:
    """Return, for each document that retells others, the earlier ones and what it shares with them."""
    sketches = [_sketch(document.fingerprint) for document in ordered]
    times = np.fromiter((document.published_at.timestamp() for document in ordered), np.float64, len(ordered))
    matches: dict[int, dict[int, _Match]] = defaultdict(dict)
    for match in _similar_pairs(sketches, times, window.total_seconds()):
        earlier, later = (_numbers(ordered[each].fingerprint) for each in (match.earlier, match.later))
        if _numbers_agree(earlier, later):
            matches[match.later][match.earlier] = match
    return matches


def _word_shingles(plain: str) -> Hashes:
    words = np.fromiter((crc32(word.encode()) for word in _WORD.findall(plain)), np.uint64)
    return _shingles(words, WORDS_PER_SHINGLE)


def _character_shingles(plain: str) -> Hashes:
    letters = "".join(_WORD.findall(plain)).encode("utf-32-le", "surrogatepass")
    return _shingles(np.frombuffer(letters, "<u4").astype(np.uint64), CHARACTERS_PER_SHINGLE)


def _shingles(units: Hashes, length: int) -> Hashes:
    """Hash each run of `length` units to 64 well-mixed bits; a text shorter than that is one shingle."""
    if not len(units):
        return units
    count = max(1, len(units) - length + 1)
    hashes = np.zeros(count, np.uint64)
    for offset in range(min(length, len(units))):
        hashes = _mix(hashes + units[offset : offset + count])
    return hashes


def _mix(hashes: Hashes) -> Hashes:
    """Spread every input bit over the word (the finaliser of splitmix64)."""
    hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashes = (hashes ^ (hashes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashes ^ (hashes >> np.uint64(31))


def _sketch(packed: bytes) -> Sketch:
    return np.frombuffer(packed, "<u4", int.from_bytes(packed[:4], "little"), 4)


def _numbers(packed: bytes) -> frozenset[int]:
    return frozenset(np.frombuffer(packed[4 + 4 * int.from_bytes(packed[:4], "little") :], "<u2").tolist())


def _similar_pairs(sketches: Sequence[Sketch], times: npt.NDArray[np.float64], window: float) -> Iterator[_Match]:
    """Yield the pairs of sketches within a window that share enough, in order."""
    if len(sketches) < 2:
        return
    postings = _Postings.of(sketches, times, window)
    earlier, later, shared = postings.meetings()
    earlier_sizes, later_sizes = (postings.sizes(sketches, which, later) for which in (earlier, later))
    enough = shared >= LEAST_SIMILARITY * np.minimum(earlier_sizes, later_sizes)
    columns = (column[enough].tolist() for column in (earlier, later, shared, earlier_sizes, later_sizes))
    yield from map(_Match, *columns)


@dataclass(frozen=True, slots=True)
class _Postings:
    """The shingles that stand in two documents or more, in order, each with those documents in theirs.

    `places` holds a shingle in its upper half and a document in the lower; nine shingles in ten stand in one document
    and are left out. A shingle is furniture for a document where too many of those within a window before and after it
    have it: what others publish at other times changes nothing. `since` and `until` say where each document's window
    begins and ends, `common` which shingles so many documents have, at whatever time.
    """

    places: Hashes
    common: Hashes
    since: Hashes
    until: Hashes

    @classmethod
    def of(cls, sketches: Sequence[Sketch], times: npt.NDArray[np.float64], window: float) -> "_Postings":
        shingles = np.concatenate(sketches)
        owners = np.repeat(np.arange(len(sketches), dtype=np.uint32), [len(sketch) for sketch in sketches])
        parts = 1 + len(shingles) // _SORTED_AT_ONCE
        edges = [(part << 32) // parts for part in range(parts + 1)]
        places = np.concatenate([_repeated(shingles, owners, first, end - 1) for first, end in pairwise(edges)])
        since = np.searchsorted(times, times - window, side="left").astype(np.uint64)
        until = np.searchsorted(times, times + window, side="right").astype(np.uint64)
        return cls(places, _common(places >> _HALF), since, until)

    def are_telling(self, shingles: Hashes, documents: Hashes) -> npt.NDArray[np.bool_]:
        """Tell of each shingle whether it is no furniture for its document."""
        are_telling = np.ones(len(shingles), np.bool_)
        asked = np.flatnonzero(_are_among(self.common, shingles))
        group, document = shingles[asked] << _HALF, documents[asked]
        first, end = (np.searchsorted(self.places, group + bound[document]) for bound in (self.since, self.until))
        are_telling[asked] = end - first <= MOST_DOCUMENTS_PER_SHINGLE
        return are_telling

    def meetings(self) -> tuple[Hashes, Hashes, Indices]:
        """Return the pairs of documents that meet in at least `LEAST_SHARED` shingles, and in how many."""
        shingles, owners = self.places >> _HALF, self.places & _LOWER
        at, found = np.flatnonzero(self.are_telling(shingles, owners)), [np.empty(0, np.uint64)]
        for lag in range(1, MOST_DOCUMENTS_PER_SHINGLE):
            at = at[at >= lag]
            at = at[shingles[at] == shingles[at - lag]]  # who meets nobody here meets nobody further away
            earlier, later = owners[at - lag], owners[at]
            met = earlier >= self.since[later]
            found.append(earlier[met] << _HALF | later[met])
            at = at[met]
        pairs, shared = np.unique(np.concatenate(found), return_counts=True)
        pairs, shared = pairs[shared >= LEAST_SHARED], shared[shared >= LEAST_SHARED]
        return pairs >> _HALF, pairs & _LOWER, shared

    def sizes(self, sketches: Sequence[Sketch], which: Hashes, later: Hashes) -> Indices:
        """Return how many shingles there are of a document, less what is furniture for the later of its pair."""
        if not len(which):
            return np.empty(0, np.int64)
        shingles = np.concatenate([sketches[each] for each in which]).astype(np.uint64)
        pairs = np.repeat(np.arange(len(which)), [len(sketches[each]) for each in which])
        return np.bincount(pairs[self.are_telling(shingles, later[pairs])], minlength=len(which))


def _repeated(shingles: Sketch, owners: Sketch, first: int, last: int) -> Hashes:
    """Return the places of the shingles from `first` to `last` that more than one document has, in order."""
    chosen = (shingles >= first) & (shingles <= last)
    places = shingles[chosen].astype(np.uint64) << _HALF | owners[chosen]
    places.sort()
    is_first = _is_first(places >> _HALF)
    is_last = np.roll(is_first, -1)
    return places[~(is_first & is_last)]


def _common(shingles: Hashes) -> Hashes:
    """Return the shingles, of those in order, that too many documents have unless their times keep them apart."""
    starts = np.flatnonzero(_is_first(shingles))
    return shingles[starts[np.diff(starts, append=len(shingles)) > MOST_DOCUMENTS_PER_SHINGLE]]


def _are_among(few: Hashes, shingles: Hashes) -> npt.NDArray[np.bool_]:
    """Tell of each shingle whether it is one of a few, which are in order."""
    if not len(few):
        return np.zeros(len(shingles), np.bool_)
    return np.equal(few[np.searchsorted(few[1:], shingles, side="right")], shingles)


def _is_first(shingles: Hashes) -> npt.NDArray[np.bool_]:
    """Tell of each shingle, in order, whether it differs from the one before it."""
    is_first = np.ones(len(shingles), np.bool_)
    is_first[1:] = shingles[1:] != shingles[:-1]
    return is_first


def _numbers_agree(one: frozenset[int], other: frozenset[int]) -> bool:
    """Tell whether two texts share most of the numbers of the one that has fewer."""
    fewer = min(len(one), len(other))
    return fewer < LEAST_NUMBERS or len(one & other) >= LEAST_NUMBERS_SHARED * fewer
