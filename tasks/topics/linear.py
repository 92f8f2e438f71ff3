"""A small linear model of the top topics, trained on open text by `benchmarks/train_topics.py`.

It knows words (and word beginnings, and pairs of characters where words are not spaced) in twenty languages, and adds
its opinion to the lexicon's. What it was trained on is said in `docs/topics.md`.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final, Self

import numpy as np
import numpy.typing as npt

STEM: Final = 5  # letters of a longer word that stand for its inflected forms
FEW: Final = 20
LONGEST_READ: Final = 1000  # characters of folded text
MODEL_FILE: Final = "linear.npz"


def features(folded: str, *, spaced: bool) -> set[str]:
    """Return what the model looks at in a folded text (see `lexicon.fold`).

    >>> sorted(features("central banks", spaced=True))
    ['banks', 'central', 'centr~']
    >>> sorted(features("央行加息", spaced=False))
    ['加息', '央行', '行加']
    """
    words = set(folded[:LONGEST_READ].split())
    if spaced:
        return words | {f"{word[:STEM]}~" for word in words if len(word) > STEM}
    pairs = {word[start : start + 2] for word in words for start in range(len(word) - 1) if not word.isascii()}
    return pairs | {word for word in words if word.isascii()}


def damping(known: int) -> float:
    """Return the factor on the sum of so many weights: a few words of a short text must not speak as loud as many."""
    return float((known + FEW) ** -0.5)


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Weights of features for the top topics that had training text; the other topics are left at zero."""

    tops: tuple[str, ...]
    vocabulary: dict[str, int]
    weights: npt.NDArray[np.int8]
    scale: float

    @classmethod
    def load(cls) -> Self:
        """Read the model from the package."""
        path = files("tasks.topics") / "data" / MODEL_FILE
        with path.open("rb") as stream, np.load(stream) as arrays:
            words = arrays["vocabulary"].tobytes().decode().split("\n")
            tops = tuple(arrays["tops"].tobytes().decode().split("\n"))
            return cls(tops, {word: row for row, word in enumerate(words)}, arrays["weights"], float(arrays["scale"]))

    def opinion(self, folded: str, *, spaced: bool) -> dict[str, float]:
        """Return how much the text speaks for or against each top topic, in logits; nothing for unknown words."""
        known = self.vocabulary.keys() & features(folded, spaced=spaced)
        rows = [self.vocabulary[feature] for feature in known]
        if not rows:
            return {}
        sums = self.weights[rows].sum(axis=0, dtype=np.int32) * (self.scale * damping(len(rows)))
        return dict(zip(self.tops, sums.tolist(), strict=True))


@cache
def default_model() -> LinearModel:
    """Return the model that ships with copydesk, read on the first call."""
    return LinearModel.load()
