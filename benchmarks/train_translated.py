"""Train the model behind `translated_score`, and write `tasks/translated/data/{words.txt,model.npz}`.

    python benchmarks/train_translated.py --data DIR [--out DIR] [--measure]

DIR holds `docs.jsonl.gz`, one JSON object a line: `text`, `doc` (which source document), `src` (its language), `kind`
(native, human, nmt, rbmt, rbmt_bt) and `family` (of the translation system). It was made of the WMT 2021-2023 news
translation tasks (sources, reference translations and system outputs), MasakhaNEWS, and Apertium's translations. The
model holds weights and a list of common words, no text. Needs the `bench` extra (scipy).

`--measure` trains five times, each time without a fifth of the documents and a fifth of the systems, and scores on
documents and systems that were both left out.
"""

import argparse
import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from zlib import crc32

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import logsumexp
from scipy.stats import rankdata

from tasks.translated import features
from tasks.translated.features import BITS, WORDS_FILE, Counted, common_words, count, tokens
from tasks.translated.score import MODEL_FILE, machine_odds, mean_sums

MACHINE = frozenset({"nmt", "llm", "rbmt", "rbmt_bt"})
# How much each kind counts in training. Human translations are negatives: else a model learns what translated news is
# about, and how all translations read, and calls that the machine.
SHARES = {"native": 0.25, "human": 0.33, "nmt": 0.40, "rbmt": 0.04, "rbmt_bt": 0.06}
RIVALS = {"native": 0, "human": 1}  # columns of the model; the machine is what both are held against
COMMON_WORDS = 3_000
LEAST_WINDOWS = 3  # a bucket has to be met in, to have a weight
PENALTY = 1e-6
ROUNDS = 120
FOLDS = 5
CAUTIONS = (0.0, 0.5, 1.0, 2.0, 4.0)  # windows
GRAIN = 1e4  # slopes are multiplied by it before they are cut to 32 bits
LENGTHS = (60, 100, 200, 0)  # words a text is cut at for calibration and measuring; 0: whole

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Document:
    """A text of known making."""

    text: str
    doc: str
    src: str
    kind: str
    family: str

    @property
    def fold(self) -> int:
        """Which part of the source documents it is of: all that was made of one document is in one part."""
        return crc32(self.doc.encode()) % FOLDS

    @property
    def family_fold(self) -> int | None:
        """Which part of the systems made it."""
        return crc32(self.family.encode()) % FOLDS if self.kind == "nmt" else None

    @cached_property
    def cuts(self) -> dict[int, Counted]:
        """The text's counts, cut at each of `LENGTHS`."""
        return {words: count(" ".join(self.text.split()[:words]) if words else self.text) for words in LENGTHS}


@dataclass(frozen=True)
class Line:
    """From a mean of windows to a probability."""

    slope: float
    offset: float
    caution: float

    def logit(self, mean: Floats, windows: Floats) -> Floats:
        """Return the calibrated log-odds."""
        return self.slope * mean * windows / (windows + self.caution) + self.offset


@dataclass(frozen=True)
class Fitted:
    """What a fit found: for each rival of the machine, the weights of the buckets and a constant."""

    weights: Floats
    bias: Floats


def read(data: Path) -> list[Document]:
    """Read the documents."""
    names = tuple(Document.__dataclass_fields__)
    with gzip.open(data / "docs.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [Document(**{name: row[name] for name in names}) for row in rows]


def shared_words(documents: Sequence[Document], number: int = COMMON_WORDS) -> list[str]:
    """Return the words that are common in every corpus, whatever it is about: by their mean log document frequency."""
    groups: dict[str, list[set[str]]] = defaultdict(list)
    for document in documents:
        if document.kind in ("native", "human"):
            groups[f"{document.kind} {document.src}"].append({word.lower() for word in tokens(document.text)})
    met = [(Counter(word for text in texts for word in text), len(texts)) for texts in groups.values()]
    words = {word for counts, _ in met for word in counts if word[0].isalpha() and word.isascii()}
    common = {
        word: sum(np.log((counts[word] + 0.5) / (size + 1)) for counts, size in met if size >= 20) for word in words
    }
    return sorted(sorted(words, key=lambda word: (-common[word], word))[:number])


def design(documents: Sequence[Document]) -> tuple[sparse.csr_matrix, npt.NDArray[np.int64]]:
    """Return all windows of the documents as rows, and which document each is of."""
    values, columns, rows, owners, above = [], [], [], [], 0
    for number, document in enumerate(documents):
        counted = document.cuts[0]
        values.append(counted.weight)
        columns.append(counted.bucket)
        rows.append(counted.window + above)
        owners += [number] * counted.windows
        above += counted.windows
    placed = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return sparse.csr_matrix(placed, shape=(above, 1 << BITS)), np.array(owners)


def fit(documents: Sequence[Document]) -> Fitted:
    """Return the weights that tell the makings of texts apart best, each kind counting by its share.

    Three makings and not two: what is not a machine's is of two sorts that have little in common.
    """
    x, owner = design(documents)
    known = np.flatnonzero(np.bincount(x.indices, minlength=x.shape[1]) >= LEAST_WINDOWS)
    x = x[:, known].astype(np.float32)
    across = x.T.tocsr()
    sizes, windows = Counter(document.kind for document in documents), np.bincount(owner)
    by_document = np.array([SHARES.get(each.kind, 0.0) / sizes[each.kind] for each in documents])
    weight = by_document[owner] / windows[owner]
    weight /= weight.sum()
    making = np.array([RIVALS.get(each.kind, len(RIVALS)) for each in documents])[owner]
    is_made = np.eye(len(RIVALS) + 1)[making]

    def loss(flat: Floats) -> tuple[float, Floats]:
        at = flat.reshape(len(known) + 1, -1)
        sums = x @ at[:-1].astype(np.float32) + at[-1]
        likely = sums - logsumexp(sums, axis=1, keepdims=True)
        slope = weight[:, None] * (np.exp(likely) - is_made)
        steep = (across @ (slope * GRAIN).astype(np.float32)) / GRAIN + PENALTY * at[:-1]
        value = -(weight * likely[np.arange(len(making)), making]).sum() + PENALTY / 2 * (at[:-1] ** 2).sum()
        return float(value), np.vstack([steep, slope.sum(axis=0)]).astype(float).ravel()

    start = np.zeros((len(known) + 1) * is_made.shape[1])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": ROUNDS}).x
    at = found.reshape(len(known) + 1, -1)
    against = at[:, :-1] - at[:, -1:]
    weights = np.zeros((1 << BITS, len(RIVALS)))
    weights[known] = against[:-1]
    return Fitted(weights, against[-1])


def whole_numbers(weights: Floats) -> tuple[npt.NDArray[np.int8], float]:
    """Return the weights as small integers, and what to multiply them by. Clipping the largest would cost."""
    scale = float(np.abs(weights).max() / 127)
    return np.round(weights / scale).astype(np.int8), scale


def odds(documents: Iterable[Document], fitted: Fitted, words: int) -> tuple[Floats, Floats]:
    """Return each document's log-odds of a machine by the mean over its windows, and how many these are."""
    weights, scale = whole_numbers(fitted.weights)
    cut = [document.cuts[words] for document in documents]
    sums = np.array([mean_sums(each, weights) for each in cut]) * scale + fitted.bias
    return machine_odds(sums), np.array([each.windows for each in cut], dtype=float)


def out_of_fold(documents: Sequence[Document]) -> tuple[list[Document], dict[int, tuple[Floats, Floats]]]:
    """Return documents with what models say of them that saw neither them nor the systems that made them."""
    judged: list[Document] = []
    said: dict[int, list[tuple[Floats, Floats]]] = defaultdict(list)
    for fold in range(FOLDS):
        fitted = fit([each for each in documents if each.fold != fold and each.family_fold != fold])
        left_out = [each for each in documents if each.fold == fold and each.family_fold in (None, fold)]
        judged += left_out
        for words in LENGTHS:
            said[words].append(odds(left_out, fitted, words))
    joined = {
        words: (np.concatenate([mean for mean, _ in parts]), np.concatenate([number for _, number in parts]))
        for words, parts in said.items()
    }
    return judged, joined


def balance(documents: Sequence[Document]) -> Floats:
    """Return weights under which half the documents are machine translations, and half of the rest native."""
    kinds = ["machine" if each.kind in MACHINE else each.kind for each in documents]
    sizes, shares = Counter(kinds), {"machine": 0.5, "native": 0.25, "human": 0.25}
    return np.array([shares[kind] / sizes[kind] for kind in kinds])


def calibrate(documents: Sequence[Document], said: dict[int, tuple[Floats, Floats]]) -> Line:
    """Return the line (Platt 1999) under which the scores of texts of all lengths mean most what they say."""
    side = np.array([each.kind in MACHINE for each in documents] * len(said))
    weight = np.tile(balance(documents), len(said)) / len(said)
    mean = np.concatenate([parts[0] for parts in said.values()])
    windows = np.concatenate([parts[1] for parts in said.values()])

    def loss(line: Line) -> float:
        z = line.logit(mean, windows)
        return float((weight * np.logaddexp(0, np.where(side, -z, z))).sum())

    fits = []
    for caution in CAUTIONS:
        found = minimize(lambda at, c=caution: loss(Line(at[0], at[1], c)), [1.0, 0.0], method="Nelder-Mead")
        fits.append((found.fun, Line(float(found.x[0]), float(found.x[1]), caution)))
    return min(fits, key=lambda each: each[0])[1]


def auc(positive: Floats, negative: Floats) -> float:
    """Return how often a positive ranks above a negative."""
    ranks = rankdata(np.concatenate([positive, negative]))
    mine = len(positive)
    return float((ranks[:mine].sum() - mine * (mine + 1) / 2) / (mine * len(negative)))


def report(documents: Sequence[Document], said: dict[int, tuple[Floats, Floats]], line: Line) -> None:
    """Print how well left-out documents and systems are told apart, and how far scores are from what they mean."""
    kind, weight = np.array([each.kind for each in documents]), balance(documents)
    print("words    nmt/native  nmt/human  human/native  rule-based/native  recall at 1 % of native  ECE")
    for words, (mean, windows) in said.items():
        z = line.logit(mean, windows)
        parts = {name: z[kind == name] for name in ("native", "human", "nmt", "rbmt_bt")}
        recall = float((parts["nmt"] > np.quantile(parts["native"], 0.99)).mean())
        score = 1 / (1 + np.exp(-z))
        bins = np.minimum((score * 10).astype(int), 9)
        is_machine = np.isin(kind, sorted(MACHINE))
        ece = (
            sum(abs((weight[bins == each] * (score - is_machine)[bins == each]).sum()) for each in range(10))
            / weight.sum()
        )
        row = (
            auc(parts["nmt"], parts["native"]),
            auc(parts["nmt"], parts["human"]),
            auc(parts["human"], parts["native"]),
            auc(parts["rbmt_bt"], parts["native"]),
            recall,
            float(ece),
        )
        print(f"{words or 'all':>5}  " + "  ".join(f"{value:.3f}" for value in row))


def main() -> None:
    """Train, calibrate and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("tasks/translated/data"))
    parser.add_argument("--measure", action="store_true", help="print figures on left-out documents and systems")
    arguments = parser.parse_args()
    documents = read(arguments.data)
    words = "\n".join(shared_words(documents))
    head = "# Words that are common in all of several English news corpora; made by benchmarks/train_translated.py.\n"
    (arguments.out / WORDS_FILE).write_text(f"{head}{words}\n", encoding="utf-8")
    common_words.cache_clear()
    features.code_of.cache_clear()
    judged, said = out_of_fold(documents)
    line = calibrate(judged, said)
    if arguments.measure:
        report(judged, said, line)
    fitted = fit(documents)
    weights, scale = whole_numbers(fitted.weights)
    with (arguments.out / MODEL_FILE).open("wb") as stream:
        np.savez_compressed(
            stream,
            weights=weights,
            scale=scale,
            bias=fitted.bias,
            slope=line.slope,
            offset=line.offset,
            caution=line.caution,
        )
    print(f"{line}; {(arguments.out / MODEL_FILE).stat().st_size:,} bytes, {int((weights != 0).sum()):,} weights")


if __name__ == "__main__":
    main()
