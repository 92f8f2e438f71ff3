"""A small linear model of the top topics and a few finer ones, trained on open text by `benchmarks/train_topics.py`.

It knows words (and word beginnings, and pairs of characters where words are not spaced) in twenty languages, pairs of
English words, and adds its opinion to the lexicon's. What it was trained on is said in `docs/topics.md`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import pairwise
from typing import Final, Self

import numpy as np
import numpy.typing as npt

STEM: Final = 5  # letters of a longer word that stand for its inflected forms
FEW: Final = 20
LONGEST_READ: Final = 1000  # characters of folded text
SHORTEST_REASON: Final = 4  # letters of a word that may be shown as a reason
MODEL_FILE: Final = "linear.npz"
HOME: Final = "en"  # the language of most training texts; in no other it knows pairs of words and finer topics
OTHERS: Final = "others"  # stands for all top topics that it was not taught

_WORD = re.compile("[^ ]+")


def features(folded: str, *, spaced: bool, pairs: bool = False) -> set[str]:
    """Return what the model looks at in a folded text (see `lexicon.fold`), pairs of neighbouring words if asked.

    >>> sorted(features("central banks", spaced=True, pairs=True))
    ['banks', 'central', 'central banks', 'centr~']
    >>> sorted(features("央行加息", spaced=False))
    ['加息', '央行', '行加']
    """
    in_order = folded[:LONGEST_READ].split()
    words = set(in_order)
    if spaced:
        known = words | {word[:STEM] + "~" for word in words if len(word) > STEM}
        return known | set(map(" ".join, pairwise(in_order))) if pairs else known
    characters = {word[start : start + 2] for word in words for start in range(len(word) - 1) if not word.isascii()}
    return characters | {word for word in words if word.isascii()}


def damping(known: int) -> float:
    """Return the factor on the sum of so many weights: a few words of a short text must not speak as loud as many."""
    return float((known + FEW) ** -0.5)


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Weights of features for the topics that had training text, and for `OTHERS`.

    For a top topic they are in logits against the other top topics that had text, for a finer one in logits of its
    share among the texts of its top topic.
    """

    topics: tuple[str, ...]
    languages: frozenset[str]
    vocabulary: dict[str, int]
    weights: npt.NDArray[np.int8]
    scale: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]

    @classmethod
    def load(cls, path: Traversable) -> Self:
        """Read a model from its file."""
        with path.open("rb") as stream, np.load(stream) as arrays:
            vocabulary = {word: row for row, word in enumerate(_lines(arrays["vocabulary"]))}
            topics, languages = tuple(_lines(arrays["topics"])), frozenset(_lines(arrays["languages"]))
            return cls(topics, languages, vocabulary, arrays["weights"], arrays["scale"], arrays["bias"])

    def opinion(self, folded: str, *, spaced: bool, pairs: bool = False) -> dict[str, float]:
        """Return how much the text speaks for or against each topic, in logits; nothing for unknown words."""
        known = self.vocabulary.get
        rows = [row for feature in features(folded, spaced=spaced, pairs=pairs) if (row := known(feature)) is not None]
        if not rows:
            return {}
        sums = self.weights[rows].sum(axis=0, dtype=np.int32) * (self.scale * damping(len(rows))) + self.bias
        return dict(zip(self.topics, sums.tolist(), strict=True))

    def reasons(
        self, folded: str, topics: Iterable[str], *, spaced: bool, most: int
    ) -> dict[str, list[tuple[int, int]]]:
        """Return where the words that speak loudest for each topic stand first, the loudest before the others."""
        spans = list(_places(folded[:LONGEST_READ], spaced=spaced))
        loudness = np.zeros((len(spans), len(self.topics)), np.int32)
        for place, (start, end) in enumerate(spans):
            for feature in features(folded[start:end], spaced=spaced):
                if (row := self.vocabulary.get(feature)) is not None:
                    loudness[place] += self.weights[row]
        columns = {topic: loudness[:, self.topics.index(topic)] for topic in topics}
        return {
            topic: [spans[place] for place in np.argsort(-column, kind="stable")[:most].tolist() if column[place] > 0]
            for topic, column in columns.items()
        }


def _lines(characters: npt.NDArray[np.uint8]) -> list[str]:
    return characters.tobytes().decode().split("\n")


def _places(folded: str, *, spaced: bool) -> Iterator[tuple[int, int]]:
    """Yield where each word stands first; where words are not spaced, each pair of characters."""
    seen = set()
    for word in _WORD.finditer(folded):
        whole = spaced or word[0].isascii()
        if whole and len(word[0]) < SHORTEST_REASON:
            continue
        for start in (word.start(),) if whole else range(word.start(), word.end() - 1):
            end = word.end() if whole else start + 2
            if folded[start:end] not in seen:
                seen.add(folded[start:end])
                yield start, end


@cache
def default_model() -> LinearModel:
    """Return the model that ships with copydesk, read on the first call."""
    return LinearModel.load(files("tasks.topics") / "data" / MODEL_FILE)
