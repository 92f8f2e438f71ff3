"""Measure what topics, watchlists and near-duplicates cost.

    python -m benchmarks.topics --data DIR [--documents 400] [--window 180000]

DIR holds `bbc.jsonl.xz` and `reuters.jsonl.xz`, one JSON object a line with `title` and `text`: BBC News 2004-05 and
Reuters-21578. Articles of at least 1,900 characters are cut to 2,000, as news articles have about that. Times are CPU
time of one process; contenders take turns with slices of the documents, and of each slice the best round counts, so
that other work on the machine changes the ratios little. `--window` says how many articles, with random fingerprints,
lie in the 90 days that have a say in today's stories; memory is the process's at its most. A hundred lists of twenty
phrases, each with one of the commonest words, are the worst that a file may come to: half of them are looked at in
every article, and none matches.
"""

import argparse
import json
import lzma
import resource
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from flows.topics import EXAMPLE
from storage.partition import encode
from storage.schema import FINGERPRINTS, FINGERPRINTS_DATASET
from tasks.fingerprint import fingerprint, near_duplicates
from tasks.rows import Fingerprinted
from tasks.topics.watching import topics_of
from tasks.topics.watchlists import Watchlists, read_watchlists

Text = tuple[str, str]

ROUNDS: Final = 7
SLICE: Final = 25
SHORTEST, LONGEST = 1900, 2000
COMMON_LISTS: Final = 100
SHINGLES: Final = 63  # of an article of 2,000 characters
DAY: Final = datetime(2026, 3, 1, tzinfo=UTC)


def read(path: Path) -> list[Text]:
    """Return titles and texts."""
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        return [(row["title"], row["text"]) for row in map(json.loads, lines)]


def many_lists(texts: Sequence[Text]) -> Watchlists:
    """Return lists of phrases of which the first word stands nearly everywhere."""
    counts = Counter(word for _, text in texts for word in set(text.split()) if word.isalpha() and word.islower())
    words = [word for word, _ in counts.most_common(200) if len(word) > 3]
    tables = [
        f'[watch.list-{number}]\nlabel = "{number}"\nphrases = '
        + json.dumps([f"{words[(7 * number + n) % len(words)]} nowhere" for n in range(20)])
        for number in range(COMMON_LISTS)
    ]
    return read_watchlists("\n".join(tables), "common")


def compare(works: dict[str, Callable[[Text], object]], texts: Sequence[Text]) -> dict[str, float]:
    """Return the CPU seconds a document of several works that take turns."""
    slices = [texts[start : start + SLICE] for start in range(0, len(texts), SLICE)]
    best = {name: [float("inf")] * len(slices) for name in works}
    for _ in range(ROUNDS):
        for place, some in enumerate(slices):
            for name, work in works.items():
                start = time.process_time()
                for text in some:
                    work(text)
                best[name][place] = min(best[name][place], time.process_time() - start)
    return {name: sum(seconds) / len(texts) for name, seconds in best.items()}


def topics(texts: Sequence[Text]) -> None:
    """Print the cost of tags, and of watchlists beside them."""
    example = read_watchlists(EXAMPLE.read_text(encoding="utf-8"), EXAMPLE.name)
    common = many_lists(texts)
    works: dict[str, Callable[[Text], object]] = {
        "topics": lambda each: topics_of(*each, "en"),
        "topics, 3 lists of the example": lambda each: topics_of(*each, "en", example),
        "topics, 100 lists of common words": lambda each: topics_of(*each, "en", common),
    }
    seconds = compare(works, texts)
    print(f"{len(texts)} articles       documents a CPU second   ms a document   against topics alone")
    for name, cost in seconds.items():
        print(f"{name:34} {1 / cost:10,.0f} {cost * 1e3:15.3f} {cost / seconds['topics']:15.2f}")


def duplicates(texts: Sequence[Text]) -> None:
    """Print the cost of fingerprints and of matching them, and what they take on disk."""
    start = time.process_time()
    prints = [fingerprint(text) for _, text in texts]
    made = time.process_time() - start
    known = [
        Fingerprinted(id=f"{number:016x}", published_at=DAY + timedelta(minutes=number), fingerprint=each)
        for number, each in enumerate(prints)
    ]
    start = time.process_time()
    found = near_duplicates(known)
    matched = time.process_time() - start
    rows = [
        {"article_id": each.id, "published_at": each.published_at, "language": "en", "fingerprint": each.fingerprint}
        for each in known
    ]
    stored = encode(FINGERPRINTS_DATASET, pa.Table.from_pylist(rows, FINGERPRINTS)).size
    characters = sum(len(text) for _, text in texts) / len(texts)
    print(f"\n{len(texts):,} documents of {characters:,.0f} characters, {len(found):,} near-duplicates")
    print(f"fingerprints: {len(texts) / made:,.0f} a CPU second, {stored / len(texts):,.0f} bytes each on disk")
    print(f"matched: {len(texts) / matched:,.0f} a CPU second; both: {len(texts) / (made + matched):,.0f}")


def window(documents: int) -> None:
    """Print what matching costs where so many articles lie within the days that have a say; one in ten is a reprint."""
    chance = np.random.default_rng(0)
    sketches: list[np.ndarray] = []
    for number in range(documents):
        own = chance.integers(0, 1 << 32, SHINGLES, dtype=np.uint64).astype("<u4")
        if number % 10 == 9:
            own[: 2 * SHINGLES // 3] = sketches[-1 - int(chance.integers(min(number, 5000)))][: 2 * SHINGLES // 3]
        sketches.append(own)
    known = [
        Fingerprinted(
            id=f"{number:016x}",
            published_at=DAY + timedelta(days=90 * number / documents),
            fingerprint=SHINGLES.to_bytes(4, "little") + np.sort(sketch).tobytes(),
        )
        for number, sketch in enumerate(sketches)
    ]
    start = time.process_time()
    found = near_duplicates(known)
    seconds, most = time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(f"90 days of {documents / 90:,.0f} articles: {len(found):,} near-duplicates, {seconds:.1f} s, {most:,.0f} MB")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--documents", type=int, default=400)
    parser.add_argument("--window", type=int, default=180_000)
    given = parser.parse_args()
    bbc, reuters = (read(given.data / f"{name}.jsonl.xz") for name in ("bbc", "reuters"))
    long = [(title, text[:LONGEST]) for title, text in bbc if len(text) >= SHORTEST]
    topics(long[: given.documents])
    duplicates([*bbc, *reuters])
    window(given.window)


if __name__ == "__main__":
    main()
