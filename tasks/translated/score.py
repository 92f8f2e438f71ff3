"""`translated_score`: how likely an English text was translated by a machine, by its phrasing alone.

A logistic model of three makings (written in English, translated by people, translated by a machine) over the counts of
`features`, trained by `benchmarks/train_translated.py`; `docs/translated-score.md` says on what, how well it does, and
what its number means. It is an opinion about phrasing. What the rules and the page itself give away stands in
`mt_evidence`, and neither feeds the other.
"""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from tasks.translated.features import WORDS_FILE, Counted, count
from tasks.words import count_words

LANGUAGE: Final = "en"
LEAST_WORDS: Final = 60
MODEL_FILE: Final = "model.npz"

_BEGINNING: Final = 600  # characters: a hundred words of English


@dataclass(frozen=True, slots=True)
class TranslatedModel:
    """Weights of the buckets, and the line that turns their sums into a probability.

    A machine's text is held against two others, one written in English and one translated by people: each has a column
    of weights, and a window's sums are the log-odds for it and against the machine. A text's are the mean over its
    windows, held back by `caution` where there are few: their mean says less.
    """

    weights: npt.NDArray[np.int8]  # buckets by (written in English, translated by people)
    scale: float
    bias: npt.NDArray[np.float64]
    slope: float
    offset: float
    caution: float

    @classmethod
    def load(cls) -> Self:
        """Read the model from the package."""
        with (files("tasks.translated") / "data" / MODEL_FILE).open("rb") as stream, np.load(stream) as arrays:
            line = {name: float(arrays[name]) for name in ("scale", "slope", "offset", "caution")}
            return cls(weights=arrays["weights"], bias=arrays["bias"], **line)

    def probability(self, text: str) -> float:
        """Return how likely a text was translated by a machine, before it is known how many are: 0 to 1."""
        counted = count(text)
        odds = machine_odds(mean_sums(counted, self.weights) * self.scale + self.bias)
        held_back = odds * counted.windows / (counted.windows + self.caution)
        return float(1.0 / (1.0 + np.exp(-(self.slope * held_back + self.offset))))


def mean_sums(counted: Counted, weights: npt.NDArray[np.int8]) -> npt.NDArray[np.float64]:
    """Return the means over a text's windows of their weighted counts, one for each column."""
    sums: npt.NDArray[np.float64] = counted.weight @ weights[counted.bucket]
    return sums / counted.windows


def machine_odds(sums: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the log-odds of a machine against both of its rivals, from those of each rival against it."""
    return -np.logaddexp(sums[..., 0], sums[..., 1])


def translated_score(text: str, language: str) -> float | None:
    """Return how likely a text was translated by a machine; None for languages not trained on and for short texts.

    >>> translated_score("Too short to say.", "en") is None
    True
    """
    if language.partition("-")[0] != LANGUAGE or not _has_enough_words(text):
        return None
    return round(default_model().probability(text), 4)


def _has_enough_words(text: str) -> bool:
    """Say whether a text has words enough to judge by: its beginning says so of most, without counting the rest."""
    return count_words(text[:_BEGINNING]) >= LEAST_WORDS or count_words(text) >= LEAST_WORDS


@cache
def default_model() -> TranslatedModel:
    """Return the model that ships with copydesk, read on the first call."""
    return TranslatedModel.load()


def model_digest() -> str:
    """Return the SHA-256 of the model's file, as its card in `docs/translated-score.md` states it."""
    return sha256(files("tasks.translated").joinpath("data", MODEL_FILE).read_bytes()).hexdigest()


def _version() -> str:
    """Return a digest of the model and of all that decides its score."""
    room = files("tasks.translated")
    digest = sha256()
    for name in ("features.py", "score.py", f"data/{WORDS_FILE}"):
        digest.update(room.joinpath(name).read_bytes().replace(b"\r\n", b"\n"))
    digest.update(model_digest().encode())
    return digest.hexdigest()[:12]


SCORE_MODEL_VERSION: Final = _version()
"""What a row's score was made by: rows made by another version are stale."""
