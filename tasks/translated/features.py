"""What the model looks at in a text: how it is phrased, with its subject taken out.

Common words stand for themselves, all others for their shape and ending, so that a model learns phrasing and not
topics. Quotation marks, apostrophes and dashes of all kinds count as one each: which of them a site prints says nothing
of who wrote the words. Runs of one to three such tokens are counted in 2^18 buckets, in windows of about 45 tokens.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final
from zlib import crc32

import numpy as np
import numpy.typing as npt

BITS: Final = 18
RUN_WEIGHTS: Final = (1.0, 1.0, 0.5)  # of runs of one token, two, three: the longer, the nearer to its subject
WINDOW: Final = 45  # tokens
MOST_TOKENS: Final = 1_800  # read of a text: forty windows say enough, and bound the time
WORDS_FILE: Final = "words.txt"

_MOST_CHARACTERS: Final = 12 * MOST_TOKENS  # twice what so many tokens of English take
_TOKEN: Final = re.compile(r"\w+(?:['‘’‚‛`´]\w+)?|[^\w\s]")
_ONE_FORM: Final = str.maketrans(
    {**dict.fromkeys("“”„«»‟″", '"'), **dict.fromkeys("‘’‚‛`´", "'"), **dict.fromkeys("–—―−", "-")}
)
_ENDING: Final = 2  # letters
_MIX: Final = np.uint32(0x9E3779B1)  # 2^32 divided by the golden ratio: spreads neighbouring numbers (Knuth 6.4)


@dataclass(frozen=True, slots=True)
class Counted:
    """How often each bucket was met in each window: three columns of one length, and the number of windows."""

    window: npt.NDArray[np.int64]
    bucket: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float64]  # (1 + ln(count)) times the run's weight, each window brought to length one
    windows: int


def tokens(text: str) -> list[str]:
    """Return the words and signs of a text, the first `MOST_TOKENS`.

    >>> tokens("“It’s late,” he said.")
    ['“', 'It’s', 'late', ',', '”', 'he', 'said', '.']
    """
    return _TOKEN.findall(text[:_MOST_CHARACTERS])[:MOST_TOKENS]


def shape(token: str) -> str:
    """Return what is left of a token when its subject is taken out.

    >>> [shape(token) for token in ("The", "harbour", "Jena", "NATO", "1987", "was", ";", "”")]
    ['^the', 'aur', 'A', 'AA', '9', 'was', ';', '"']
    """
    token = token.translate(_ONE_FORM)
    lower, is_capital = token.lower(), token[0].isupper()
    if not token[0].isalnum():
        return token
    if lower in common_words():
        return f"^{lower}" if is_capital else lower
    if token[0].isdigit():
        return "9"
    if is_capital:
        return "AA" if len(token) > 1 and token.isupper() else "A"
    return f"a{lower[-_ENDING:]}"


@cache
def common_words() -> frozenset[str]:
    """Return the words that stand for themselves."""
    lines = (files("tasks.translated") / "data" / WORDS_FILE).read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def count(text: str) -> Counted:
    """Count the runs of a text's tokens in each of its windows."""
    codes = np.fromiter(map(code_of, tokens(text)), dtype=np.uint32)
    windows = max(1, round(len(codes) / WINDOW))
    place = np.arange(len(codes)) * windows // max(1, len(codes))
    keys = np.sort(
        np.concatenate([(place[: len(run)] << BITS | run) << 2 | kind for kind, run in enumerate(_runs(codes))])
    )
    first = np.flatnonzero(np.append(keys[:1] >= 0, keys[1:] != keys[:-1]))
    key, met = keys[first], np.diff(first, append=len(keys))
    weight = np.array(RUN_WEIGHTS)[key & 3] * (1.0 + np.log(met))
    window, bucket = key >> BITS + 2, key >> 2 & ((1 << BITS) - 1)
    length = np.sqrt(np.bincount(window, weight**2, windows))
    return Counted(window, bucket, weight / length[window], windows)


def _runs(codes: npt.NDArray[np.uint32]) -> Iterator[npt.NDArray[np.int64]]:
    """Yield the buckets of the runs of one token, of two, and so on, by where each begins."""
    run = codes
    for length in range(1, len(RUN_WEIGHTS) + 1):
        yield (run >> np.uint32(32 - BITS)).astype(np.int64)
        run = (run[:-1] * _MIX) ^ codes[length:] if len(run) > 1 else run[:0]


@lru_cache(maxsize=1 << 16)
def code_of(token: str) -> int:
    """Return a number for what is left of a token."""
    return crc32(shape(token).encode())
