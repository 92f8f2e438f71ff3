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
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import expit, logsumexp

from tasks.documents import Topic
from tasks.topics.lexicon import default_entries
from tasks.topics.linear import HOME, MODEL_FILE, OTHERS, LinearModel, damping, features
from tasks.topics.matcher import Document
from tasks.topics.shares import brief_strengths
from tasks.topics.tagger import UNSPACED, Tagger
from tasks.topics.taxonomy import taxonomy

SETS = ("wcep", "sib")
LEAST_DOCUMENTS = 3  # a feature must stand in this many …
LEAST_OF_PAIR = 5  # … and a pair of words in this many
PENALTY = 0.1
PENALTY_FINER = 0.05
PARTS = 10
MONTH = 230  # items of Current Events in about a month; they lie in the order of time
# Sections of Current Events that are a topic below the tops: told from other texts of the same top topic.
FINER = {("wcep", "ir"): "medtop:20000638"}
LANGUAGES = {
    "ara": "ar", "arb": "ar", "deu": "de", "eng": "en", "fra": "fr", "hin": "hi", "ind": "id", "ita": "it", "jpn": "ja",
    "kor": "ko", "nld": "nl", "pol": "pl", "por": "pt", "ron": "ro", "rus": "ru", "spa": "es", "swe": "sv", "tur": "tr",
    "ukr": "uk", "vie": "vi", "zho": "zh",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Example:
    """A training text with the topics that are right for it, its weight, and the set it is from."""

    title: str
    text: str
    language: str
    tops: frozenset[str]
    finer: frozenset[str]
    weight: float
    set: str
    part: int  # one of PARTS


def examples(data: Path) -> list[Example]:
    """Read both sets; a class weighs with the square root of its size, so that none drowns the others.

    Items of one month are in one part, and so is a sentence in all its languages: what is kept out is as new as the
    news of a month that the model never saw.
    """
    mapping = json.loads((data / "mapping.json").read_text())
    read = []
    for name in SETS:
        with lzma.open(data / f"{name}.jsonl.xz", "rt", encoding="utf-8") as lines:
            read += [(name, json.loads(line)) for line in lines]
    sizes = Counter((name, row["cls"][0]) for name, row in read)
    lengths = Counter((name, row["lang"]) for name, row in read)
    places: Counter[tuple[str, str]] = Counter()

    def part(name: str, language: str) -> int:
        place = places[name, language]
        places[name, language] += 1
        return place // MONTH % PARTS if name == "wcep" else place * PARTS // lengths[name, language]

    return [
        Example(
            row["title"],
            row["text"],
            LANGUAGES.get(row["lang"].partition("_")[0], row["lang"]),
            frozenset(top for label in row["cls"] for top in mapping[name][label]["top"]),
            frozenset(FINER[name, label] for label in row["cls"] if (name, label) in FINER),
            sizes[name, row["cls"][0]] ** -0.5,
            name,
            part(name, row["lang"]),
        )
        for name, row in read
    ]


def words(example: Example) -> set[str]:
    """Return the features of a text, each once."""
    document = Document.of(example.title, example.text)
    return features(document.folded, spaced=example.language not in UNSPACED, pairs=example.language == HOME)


def vocabulary_of(bags: list[set[str]]) -> tuple[dict[str, int], npt.NDArray[np.float64]]:
    """Return the features that are common enough, in order, with how rare each is: the rare ones say more."""
    counts = Counter(word for bag in bags for word in bag)
    kept = sorted(w for w, n in counts.items() if n >= (LEAST_OF_PAIR if " " in w else LEAST_DOCUMENTS))
    rarity = np.log([len(bags) / counts[word] for word in kept])
    return {word: row for row, word in enumerate(kept)}, rarity / np.median(rarity)


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
    """Return the weights that, added to what the lexicon says (`base`), explain the classes best (multinomial).

    The last class is `OTHERS`; the weights of all but that have a mean of zero.
    """
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
    return fitted - fitted[:, :-1].mean(axis=1, keepdims=True)


def fit_finer(x: sparse.csr_matrix, is_it: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Return the weights that tell texts of a finer topic from the others of its top topic; the last is the bias."""

    def loss(flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        w, z = flat[:-1], x @ flat[:-1] + flat[-1]
        error = (expit(z) - is_it) / len(is_it)
        value = (np.logaddexp(0, z) - is_it * z).mean() + PENALTY_FINER / len(is_it) * 0.5 * (w**2).sum()
        return float(value), np.append(x.T @ error + PENALTY_FINER / len(is_it) * w, error.sum())

    result = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": 60})
    fitted: npt.NDArray[np.float64] = result.x
    return fitted


def finer_columns(
    documents: list[Example], x: sparse.csr_matrix, chosen: npt.NDArray[np.bool_]
) -> tuple[list[str], npt.NDArray[np.float64]]:
    """Return the finer topics with their weights, a column each, the bias below; fitted on the chosen documents."""
    topics, columns = [], []
    for (name, _), finer in sorted(FINER.items(), key=lambda item: item[1]):
        top = taxonomy().top_of(finer)
        peers = np.array([e.set == name and top in e.tops for e in documents]) & chosen
        columns.append(fit_finer(x[peers], np.array([finer in e.finer for e in documents])[peers]))
        topics.append(finer)
    return topics, np.column_stack(columns)


def lines(words: Iterable[str]) -> npt.NDArray[np.uint8]:
    """Return words as an array of bytes, a line each."""
    return np.frombuffer("\n".join(words).encode(), np.uint8)


def lexicon_says(documents: list[Example], taught: list[str]) -> npt.NDArray[np.float64]:
    """Return in logits what the lexicon finds for the taught top topics and, last, for all others together."""
    tagger = Tagger(default_entries(), taxonomy())
    silent = dict.fromkeys(taught, 0.0)

    def row(example: Example) -> list[float]:
        evidence = tagger.find(Document.of(example.title, example.text), example.language).evidence()
        strengths = brief_strengths(taxonomy().tops, evidence, silent, others=0.0)
        others = [strength for top, strength in strengths.items() if top not in silent]
        return [*(strengths[top] for top in taught), float(logsumexp(others))]

    return np.array([row(example) for example in documents])


def measure(documents: list[Example], model: LinearModel) -> None:
    """Score the whole tagger on texts that were kept out of training, among all 17 top topics."""
    tagger = Tagger(default_entries(), taxonomy(), model)
    for name in SETS:
        texts = [e for e in documents if e.set == name]
        best = [tops_of(tagger.tag(e.title, e.text, e.language))[:1] for e in texts]
        right = sum(topic.id in e.tops for e, found in zip(texts, best, strict=True) for topic in found)
        print(name, len(texts), round(right / len(texts), 3), "calibration", round(calibration_error(texts, best), 3))
    for finer in FINER.values():
        asked = [e for e in documents if finer in e.finer]
        found = sum(finer in finest(tagger.tag(e.title, e.text, e.language)) for e in asked)
        print(taxonomy()[finer].label(), len(asked), "among the five best", round(found / len(asked), 3))


def tops_of(topics: tuple[Topic, ...]) -> list[Topic]:
    """Return the top topics, best first."""
    return [topic for topic in topics if taxonomy()[topic.id].is_top]


def finest(topics: tuple[Topic, ...]) -> set[str]:
    """Return the five best topics below the tops that have evidence, and what stands above them."""
    finer = [topic for topic in topics if topic.evidence and not taxonomy()[topic.id].is_top]
    return {step for topic in finer[:5] for step in taxonomy().lineage(topic.id)}


def calibration_error(documents: list[Example], best: list[list[Topic]]) -> float:
    """Return how far the best scores are from the share of right answers, on average over ten steps."""
    off = [0.0] * 10
    for document, found in zip(documents, best, strict=True):
        for topic in found:
            off[min(9, int(topic.score * 10))] += topic.score - (topic.id in document.tops)
    return sum(map(abs, off)) / len(documents)


def main() -> None:
    """Train and write the model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("tasks/topics/data") / MODEL_FILE)
    parser.add_argument("--measure", action="store_true", help="keep a tenth out of training, and score on it")
    arguments = parser.parse_args()
    documents = examples(arguments.data)
    bags = [words(example) for example in documents]
    kept_out = np.array([e.part == 0 for e in documents]) & arguments.measure
    taught = sorted({top for example in documents for top in example.tops})
    vocabulary, rarity = vocabulary_of([bag for bag, out in zip(bags, kept_out, strict=True) if not out])
    x = design(bags, vocabulary) @ sparse.diags_array(rarity)
    right = np.array([[*(top in e.tops for top in taught), False] for e in documents])
    weight = np.array([e.weight for e in documents])
    top_weights = fit(x[~kept_out], right[~kept_out], lexicon_says(documents, taught)[~kept_out], weight[~kept_out])
    finer, finer_weights = finer_columns(documents, x, ~kept_out)
    weights = np.column_stack([top_weights, finer_weights[:-1]]) * rarity[:, None]
    scale = np.percentile(np.abs(weights), 99.95, axis=0).astype(np.float32) / 127
    np.savez_compressed(
        arguments.out,
        vocabulary=lines(vocabulary),
        topics=lines([*taught, OTHERS, *finer]),
        languages=lines(sorted({example.language for example in documents})),
        weights=np.clip(np.round(weights / scale), -127, 127).astype(np.int8),
        scale=scale,
        bias=np.append(np.zeros(len(taught) + 1), finer_weights[-1]).astype(np.float32),
    )
    print(f"{len(documents)} documents, {len(vocabulary)} features, {arguments.out.stat().st_size} bytes")
    if arguments.measure:
        measure([e for e, out in zip(documents, kept_out, strict=True) if out], LinearModel.load(arguments.out))


if __name__ == "__main__":
    main()
