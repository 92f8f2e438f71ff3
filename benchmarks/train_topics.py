"""Train the linear model of the topic tagger on open text, and write `tasks/topics/data/linear.npz`.

    python benchmarks/train_topics.py --data DIR [--out FILE]

DIR holds `wcep.jsonl.xz` (Wikipedia Current Events) and `sib.jsonl.xz` (SIB-200), one JSON object a line with `lang`,
`title`, `text` and `cls`, and `mapping.json` from their classes to top topics. Both sets are CC BY-SA 4.0. No other
set may be added here: the terms of the others allow measuring only. Needs the `bench` extra (scipy).
"""

import argparse
import json
import lzma
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import logsumexp

from tasks.topics.lexicon import default_entries
from tasks.topics.linear import MODEL_FILE, damping, features
from tasks.topics.matcher import Document
from tasks.topics.tagger import UNSPACED, Tagger, logits, trust
from tasks.topics.taxonomy import taxonomy

SETS = ("wcep", "sib")
LEAST_DOCUMENTS = 3  # a feature must stand in this many
PENALTY = 0.05
LANGUAGES = {
    "ara": "ar", "arb": "ar", "deu": "de", "eng": "en", "fra": "fr", "hin": "hi", "ind": "id", "ita": "it", "jpn": "ja",
    "kor": "ko", "nld": "nl", "pol": "pl", "por": "pt", "ron": "ro", "rus": "ru", "spa": "es", "swe": "sv", "tur": "tr",
    "ukr": "uk", "vie": "vi", "zho": "zh",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Example:
    """A training text with the top topics that are right for it, and its weight."""

    title: str
    text: str
    language: str
    tops: frozenset[str]
    weight: float
    is_sentence: bool


def examples(data: Path) -> list[Example]:
    """Read both sets; a class weighs with the square root of its size, so that none drowns the others."""
    mapping = json.loads((data / "mapping.json").read_text())
    read = []
    for name in SETS:
        with lzma.open(data / f"{name}.jsonl.xz", "rt", encoding="utf-8") as lines:
            read += [(name, json.loads(line)) for line in lines]
    sizes = Counter((name, row["cls"][0]) for name, row in read)
    return [
        Example(
            row["title"],
            row["text"],
            LANGUAGES.get(row["lang"].partition("_")[0], row["lang"]),
            frozenset(top for label in row["cls"] for top in mapping[name][label]["top"]),
            sizes[name, row["cls"][0]] ** -0.5,
            name == "sib",
        )
        for name, row in read
    ]


def words(example: Example) -> set[str]:
    """Return the features of a text, each once."""
    document = Document.of(example.title, example.text)
    return features(document.folded, spaced=example.language not in UNSPACED)


def design(bags: list[set[str]], vocabulary: dict[str, int]) -> sparse.csr_matrix:
    """Return the documents as rows over the vocabulary, each damped by its number of known features."""

    def rows() -> Iterator[tuple[int, int, float]]:
        for row, bag in enumerate(bags):
            known = [vocabulary[word] for word in bag if word in vocabulary]
            yield from ((row, column, damping(len(known))) for column in known)

    row, column, value = zip(*rows(), strict=True)
    return sparse.csr_matrix((value, (row, column)), shape=(len(bags), len(vocabulary)), dtype=np.float32)


def fit(
    x: sparse.csr_matrix,
    right: npt.NDArray[np.bool_],
    base: npt.NDArray[np.float64],
    weight: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Return the weights that, added to what the lexicon says (`base`), explain the classes best (multinomial)."""
    shape = (x.shape[1], base.shape[1])
    weight = weight / weight.sum()
    allowed = np.where(right, 0.0, -np.inf)

    def loss(flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        w = flat.reshape(shape)
        z = base + x @ w
        total = logsumexp(z, axis=1, keepdims=True)
        gold = logsumexp(z + allowed, axis=1, keepdims=True)
        error = (np.exp(z - total) - np.exp(z + allowed - gold)) * weight[:, None]
        value = ((total - gold)[:, 0] * weight).sum() + PENALTY / len(weight) * 0.5 * (w**2).sum()
        return float(value), (x.T @ error + PENALTY / len(weight) * w).ravel()

    result = minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 60})
    fitted: npt.NDArray[np.float64] = result.x.reshape(shape)
    return fitted - fitted.mean(axis=1, keepdims=True)


def main() -> None:
    """Train and write the model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("tasks/topics/data") / MODEL_FILE)
    parser.add_argument("--measure", action="store_true", help="keep a tenth out of training and score on it")
    arguments = parser.parse_args()
    documents = examples(arguments.data)
    bags = [words(example) for example in documents]
    counts = Counter(word for bag in bags for word in bag)
    vocabulary = {w: row for row, w in enumerate(sorted(w for w, n in counts.items() if n >= LEAST_DOCUMENTS))}
    tops = sorted({top for example in documents for top in example.tops})
    tagger = Tagger(default_entries(), taxonomy())
    found = [tagger.find(Document.of(e.title, e.text), e.language).evidence() for e in documents]
    base = np.array([list(logits(tops, evidence, {}).values()) for evidence in found])
    x = sparse.diags_array([trust(evidence) for evidence in found]) @ design(bags, vocabulary)
    right = np.array([[top in e.tops for top in tops] for e in documents])
    weight = np.array([e.weight for e in documents])
    kept_out = np.array([crc32(e.text.encode()) % 10 == 0 for e in documents]) & arguments.measure
    weights = fit(x[~kept_out], right[~kept_out], base[~kept_out], weight[~kept_out])
    if arguments.measure:
        best = (base + x @ weights).argmax(axis=1)
        hit = right[np.arange(len(best)), best]
        for name, chosen in (
            ("wcep", [not e.is_sentence for e in documents]),
            ("sib", [e.is_sentence for e in documents]),
        ):
            print(name, hit[kept_out & np.array(chosen)].mean())
    scale = float(np.percentile(np.abs(weights), 99.95)) / 127
    np.savez_compressed(
        arguments.out,
        vocabulary=np.frombuffer("\n".join(vocabulary).encode(), np.uint8),
        tops=np.frombuffer("\n".join(tops).encode(), np.uint8),
        weights=np.clip(np.round(weights / scale), -127, 127).astype(np.int8),
        scale=np.float32(scale),
    )
    print(f"{len(documents)} documents, {len(vocabulary)} features, {arguments.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
