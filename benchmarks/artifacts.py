"""Measure the rule book's speed, what it does to clean text, and how many native documents show evidence.

    python -m benchmarks.artifacts --data DIR

DIR holds `clean.jsonl.gz` (`lang`, `kind`, `text`: human-written news of the WMT news tasks, MasakhaNEWS,
article-extraction-benchmark and others) and `docs.jsonl.gz` (see `train_translated.py`). Times are of one process in
CPU seconds; beside it, in the same run, a plain pass of ftfy where that is installed. The last column judges texts that
trained the model: what it does for others, `train_translated.py --measure` tells.
"""

import argparse
import gzip
import importlib.util
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from tasks.artifacts.mend import Mode, mend
from tasks.documents import Action, MtEvidence
from tasks.translated.score import translated_score
from tasks.words import count_words

ROUNDS = 3
CHARACTERS = "zh", "ja", "th"  # languages whose words are not spaced: counted by twos of characters


def read(path: Path) -> list[dict[str, str]]:
    """Read a file of JSON lines."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def speed(rows: Sequence[dict[str, str]], work: Callable[[str, str], object]) -> float:
    """Return megabytes (UTF-8) a CPU second, the best of some rounds."""
    size = sum(len(row["text"].encode()) for row in rows) / 1e6
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        for row in rows:
            work(row["text"], row["lang"])
        best = min(best, time.process_time() - start)
    return size / best


def all_rules(text: str, language: str) -> object:
    """Mend with all rules and the gate open."""
    return mend(title="", summary=None, text=text, language=language, mode=Mode.ALL)


def standard(text: str, language: str) -> object:
    """Mend as the desk does."""
    return mend(title="", summary=None, text=text, language=language)


def evidence(text: str, language: str = "en") -> MtEvidence:
    """Return what speaks for machine translation in a text without a page."""
    return mend(title="", summary=None, text=text, language=language).evidence


def clean_text(rows: Sequence[dict[str, str]]) -> None:
    """Print edits and findings per 1,000 words of clean text, by language, in standard mode and with all rules."""
    print("\nclean text    words   edits/1k standard  all    findings/1k shown")
    by_language = defaultdict(list)
    for row in rows:
        by_language[row["lang"]].append(row["text"])
    for language, texts in sorted(by_language.items()):
        words = sum(len(text) / 2 if language in CHARACTERS else count_words(text) for text in texts)
        edits: Counter[Mode] = Counter()
        shown = 0
        for text in texts:
            for mode in (Mode.STANDARD, Mode.ALL):
                found = mend(title="", summary=None, text=text, language=language, mode=mode).artifacts
                edits[mode] += sum(each.action is Action.MENDED for each in found)
                shown += len(found) if mode is Mode.STANDARD else 0
        per = 1000 / words
        print(
            f"{language:10} {words:9,.0f}  {edits[Mode.STANDARD] * per:15.3f}  {edits[Mode.ALL] * per:6.3f}"
            f"  {shown * per:12.3f}"
        )


def documents(rows: Sequence[dict[str, str]]) -> None:
    """Print how many documents of each making show evidence that opens the gate, and what the model says of them."""
    print("\nmaking      documents  gate open  score >= .5")
    makings = defaultdict(list)
    for row in rows:
        makings[row["kind"]].append(row["text"])
    for making, texts in sorted(makings.items()):
        gates = sum(evidence(text).gate is not None for text in texts)
        scores = [score for text in texts if (score := translated_score(text, "en")) is not None]
        likely = sum(score >= 0.5 for score in scores) / max(1, len(scores))
        print(f"{making:10} {len(texts):10,}  {gates / len(texts):9.3%}  {likely:11.1%}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    data = parser.parse_args().data
    clean = read(data / "clean.jsonl.gz")
    english = [row for row in clean if row["lang"] == "en"]
    contestants: dict[str, Callable[[str, str], object]] = {
        "standard": standard,
        "all rules, gate open": all_rules,
        "translated_score": translated_score,
    }
    if importlib.util.find_spec("ftfy"):
        import ftfy

        contestants["ftfy.fix_text"] = lambda text, _: ftfy.fix_text(text)
    print("MB a CPU second, English | all languages")
    for name, work in contestants.items():
        print(f"{name:22} {speed(english, work):6.2f} | {speed(clean, work):6.2f}")
    clean_text(clean)
    documents(read(data / "docs.jsonl.gz"))


if __name__ == "__main__":
    main()
