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
from typing import Final, Protocol
from zlib import crc32

import numpy as np
import numpy.typing as npt

SAMPLING: Final = 4  # one shingle in four is kept
WORDS_PER_SHINGLE: Final = 4
CHARACTERS_PER_SHINGLE: Final = 5
UNSPACED: Final = frozenset({"zh", "ja", "th", "lo", "km", "my"})

MOST_DOCUMENTS_PER_SHINGLE: Final = 40  # beyond that it is furniture
LEAST_SHARED: Final = 6
LEAST_SIMILARITY: Final = 0.5
MOST_NUMBERS: Final = 64
LEAST_NUMBERS: Final = 3  # fewer say nothing
LEAST_NUMBERS_SHARED: Final = 0.7

_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d)")

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


@dataclass(frozen=True, slots=True, kw_only=True)
class NearDuplicate:
    """An article that retells an earlier one; `similarity` is the shared part of the smaller text, 0 to 1."""

    id: str
    original_id: str
    similarity: float


def fingerprint(text: str, language: str) -> bytes:
    """Sketch a text so that `near_duplicates` can find its reprints; about 400 bytes an article.

    Case, punctuation, typographic variants and thousands separators do not matter.

    >>> fingerprint("It rained, the mayor said.", "en") == fingerprint("IT RAINED – the mayor said", "en")
    True
    """
    plain = _THOUSANDS.sub("", unicodedata.normalize("NFKC", text).casefold())
    unspaced = language.partition("-")[0] in UNSPACED
    hashes = _character_shingles(plain) if unspaced else _word_shingles(plain)
    shingles = np.unique((hashes[hashes % SAMPLING == 0] >> np.uint64(32)).astype("<u4"))
    numbers = np.unique(np.fromiter((crc32(n.encode()) for n in _NUMBER.findall(plain)), "<u4").astype("<u2"))
    return len(shingles).to_bytes(4, "little") + shingles.tobytes() + numbers[:MOST_NUMBERS].tobytes()


def near_duplicates(documents: Sequence[Fingerprinted], window_days: int = 30) -> list[NearDuplicate]:
    """Find the documents that retell an earlier one published at most `window_days` before.

    The result is the same in whatever order the documents come. A document is tied to the one it shares most with, and
    through that to its original, as far as it resembles the original itself. Of two documents published at the same
    instant the one with the smaller id is the earlier.
    """
    ordered = sorted(documents, key=lambda document: (document.published_at, document.id))
    original: dict[int, int] = {}
    found = []
    for later, matches in sorted(_matches(ordered, timedelta(days=window_days)).items()):
        nearest = max(matches, key=lambda earlier: (matches[earlier].shared, -earlier))
        first = original.get(nearest, nearest)
        # a text made of two stories must not tie the one to the other
        original[later] = first if first in matches else nearest
        found.append(
            NearDuplicate(
                id=ordered[later].id,
                original_id=ordered[original[later]].id,
                similarity=round(matches[original[later]].similarity, 4),
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class _Match:
    """What two documents have in common."""

    shared: int
    similarity: float


def _matches(ordered: Sequence[Fingerprinted], window: timedelta) -> dict[int, dict[int, _Match]]:
    """Return, for each document that retells others, the earlier ones and what it shares with them."""
    sketches, numbers = [], []
    for document in ordered:
        sketch, figures = _read(document.fingerprint)
        sketches.append(sketch)
        numbers.append(figures)
    matches: dict[int, dict[int, _Match]] = defaultdict(dict)
    for earlier, later, shared, similarity in _similar_pairs(sketches):
        apart = ordered[later].published_at - ordered[earlier].published_at
        if apart <= window and _numbers_agree(numbers[earlier], numbers[later]):
            matches[later][earlier] = _Match(shared, similarity)
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


def _read(packed: bytes) -> tuple[Sketch, frozenset[int]]:
    count = int.from_bytes(packed[:4], "little")
    split = 4 + 4 * count
    return np.frombuffer(packed[4:split], "<u4"), frozenset(np.frombuffer(packed[split:], "<u2").tolist())


def _similar_pairs(sketches: Sequence[Sketch]) -> Iterator[tuple[int, int, int, float]]:
    """Yield (earlier, later, shingles shared, similarity) of the sketches that share enough, in order."""
    if len(sketches) < 2:
        return
    shingles, owners = _without_furniture(sketches)
    sizes = np.bincount(owners, minlength=len(sketches))
    meetings = [np.empty(0, np.int64)]
    for lag in range(1, MOST_DOCUMENTS_PER_SHINGLE):
        same = np.flatnonzero(shingles[lag:] == shingles[:-lag])
        if not len(same):
            break
        meetings.append(owners[same] * len(sketches) + owners[same + lag])
    pairs, shared = np.unique(np.concatenate(meetings), return_counts=True)
    earlier, later = np.divmod(pairs, len(sketches))
    similarity = shared / np.maximum(1, np.minimum(sizes[earlier], sizes[later]))
    enough = (shared >= LEAST_SHARED) & (similarity >= LEAST_SIMILARITY)
    columns = (earlier[enough], later[enough], shared[enough], similarity[enough])
    yield from zip(*(column.tolist() for column in columns), strict=True)


def _without_furniture(sketches: Sequence[Sketch]) -> tuple[Sketch, Indices]:
    """Return all shingles in order with the document each stands in, less those of too many documents."""
    shingles = np.concatenate(sketches)
    owners = np.repeat(np.arange(len(sketches)), [len(sketch) for sketch in sketches])
    order = np.argsort(shingles, kind="stable")
    shingles, owners = shingles[order], owners[order]
    _, group, sizes = np.unique(shingles, return_inverse=True, return_counts=True)
    kept = sizes[group] <= MOST_DOCUMENTS_PER_SHINGLE
    return shingles[kept], owners[kept]


def _numbers_agree(one: frozenset[int], other: frozenset[int]) -> bool:
    """Tell whether two texts share most of the numbers of the one that has fewer."""
    fewer = min(len(one), len(other))
    return fewer < LEAST_NUMBERS or len(one & other) >= LEAST_NUMBERS_SHARED * fewer
