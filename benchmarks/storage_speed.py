"""Measure what it costs to commit articles, next to `pyarrow.dataset.write_dataset` and `deltalake`.

    python -m benchmarks.storage_speed [--articles 100000] [--days 30] [--seed 1] [--data DIR] [--json FILE]

Synthetic news of about 330 words, with nested artifacts and topics, is staged in batches of 200 as a run stages it,
its days mixed. Each contender takes in these very files; then an upsert of 1,000 articles into one day, and one of
1,000 over all days, half of them new and half of them changed. Every step is done in a process of its own that is kept
on one core. What counts is its CPU time, which other work on the machine disturbs less than the clock, and its highest
resident memory.

`commit` resolves identities, keeps index and manifest, sorts, fsyncs, and publishes fingerprints, topics and artifacts
beside the articles; `commit (articles only)` leaves these three out, to be compared with the other contenders, which
write the articles alone. `write_dataset` writes the same columns with the same encoding, one file a day, rows as they
come, without fsync; for an upsert it reads the days concerned and writes them again. `deltalake` merges; it is no
dependency of copydesk, and its row is left out where it is not installed.
"""

import argparse
import importlib.util
import json
import multiprocessing
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.ipc
import pyarrow.parquet as pq

import storage.commit
from storage.partition import ROW_GROUP
from storage.schema import ARTICLES_DATASET, STAGED_ARTICLES, required
from storage.staging import FOLDER
from storage.store import Store

BATCH: Final = 200
UPSERTED: Final = 1000
NOW: Final = datetime(2026, 3, 31, 12, tzinfo=UTC)
STEPS: Final = ("load", "one-day", "all-days")

_DAY: Final = required("published_date", pa.date32(), "UTC day of `published_at`.")
_TAKEN: Final = pa.schema([field for field in ARTICLES_DATASET.schema if field.name in STAGED_ARTICLES.names])


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a step cost a contender: `peak` is the memory of its process in bytes, `stored` that of all articles."""

    contender: str
    step: str
    rows: int
    cpu: float
    wall: float
    peak: int
    stored: int


# Synthetic news


class Newsroom:
    """Writes articles from a Zipf vocabulary; the same seed gives the same articles."""

    def __init__(self, days: int, seed: int) -> None:
        self.days = days
        self.seed = seed
        chance = np.random.default_rng(seed)
        self.words = pa.array(_vocabulary(chance))
        weights = (np.arange(len(self.words)) + 2.7) ** -1.15
        self.shares = np.cumsum(weights / weights.sum())

    def articles(self, numbers: np.ndarray, first: int, edition: int = 0) -> pa.Table:
        """Write the articles of these numbers; `first` is the place of the first in the run."""
        chance = np.random.default_rng([self.seed, edition, first])
        count = len(numbers)
        urls = [f"https://www.example.com/news/2026/03/{number:09}" for number in numbers]
        ids = [sha256(url.encode()).hexdigest()[:32] for url in urls]
        texts = self._texts(chance, count)
        midnight = np.datetime64(NOW.date() - timedelta(days=self.days), "us") + numbers % self.days * 86_400_000_000
        columns: dict[str, Any] = {
            "article_id": ids,
            "fallback_id": ids,
            "source": self._names(chance, count, 20, "source"),
            "input": urls,
            "url": urls,
            "title": self._joined(chance, np.full(count, 9), " "),
            "summary": self._joined(chance, np.full(count, 25), " "),
            "text": texts,
            "authors": self._some_lists(chance, chance.integers(0, 3, count)),
            "published_at": midnight + chance.integers(0, 86_400_000_000, count),
            "published_precision": ["instant"] * count,
            "published_source": ["json-ld"] * count,
            "fetched_at": [NOW + timedelta(hours=edition)] * count,
            "language": self._names(chance, count, 6, "language"),
            "language_confidence": chance.random(count).round(3),
            "languages": _lists(np.ones(count, int), _structs(language=["en"] * count, share=[1.0] * count)),
            "artifacts": self._artifacts(chance, chance.poisson(2, count)),
            "mt_evidence": _structs(kinds=self._kinds(chance, count)),
            "translated_score": chance.random(count).round(3),
            "topics": self._topics(chance, chance.integers(1, 4, count)),
            "keywords": self._some_lists(chance, chance.integers(0, 5, count)),
            "section": self._names(chance, count, 12, "section"),
            "site_name": self._names(chance, count, 20, "site"),
            "lead_image": [f"{url}/lead.jpg" for url in urls],
            "word_count": [330] * count,
            "is_paywalled": [False] * count,
            "is_truncated": [False] * count,
            "blocks": _blocks(texts),
            "live_entries": [[]] * count,
            "captions": self._some_lists(chance, np.zeros(count, int)),
            "tables": [[]] * count,
            "extraction": _structs(strategy=["container"] * count, confidence=chance.random(count).round(2)),
            "encoding": ["utf-8"] * count,
            "unreadable": [0] * count,
            "page": self._pages(chance, count, f"2026/03/31/run-{first:06}.warc.gz"),
            "versions": _structs(pipeline=["0.1.0"] * count, rules=["1"] * count, taxonomy=["2026"] * count),
            "fingerprint": [chance.bytes(364) for _ in range(count)],
            "number": np.arange(first, first + count),
        }
        return pa.Table.from_arrays(
            [
                pa.array(columns[field.name]).cast(field.type) if field.name in columns else pa.nulls(count, field.type)
                for field in STAGED_ARTICLES
            ],
            schema=STAGED_ARTICLES,
        )

    def _some(self, chance: np.random.Generator, count: int) -> pa.Array:
        return self.words.take(pa.array(np.searchsorted(self.shares, chance.random(count))))

    def _some_lists(self, chance: np.random.Generator, lengths: np.ndarray) -> pa.Array:
        return _lists(lengths, self._some(chance, int(lengths.sum())))

    def _joined(self, chance: np.random.Generator, lengths: np.ndarray, between: str) -> pa.Array:
        return pc.binary_join(self._some_lists(chance, lengths), between)

    def _texts(self, chance: np.random.Generator, count: int) -> pa.Array:
        paragraphs = self._joined(chance, 1 + chance.poisson(54, 6 * count), " ")
        return pc.binary_join(_lists(np.full(count, 6), paragraphs), "\n\n")

    def _names(self, chance: np.random.Generator, count: int, among: int, stem: str) -> list[str]:
        return [f"{stem}-{number}" for number in chance.integers(0, among, count)]

    def _kinds(self, chance: np.random.Generator, count: int) -> pa.Array:
        return _lists(np.ones(count, int), _structs(kind=self._names(chance, count, 30, "rule"), count=[2] * count))

    def _artifacts(self, chance: np.random.Generator, lengths: np.ndarray) -> pa.Array:
        total = int(lengths.sum())
        found = _structs(
            field=["text"] * total,
            rule=self._names(chance, total, 30, "rule"),
            category=self._names(chance, total, 6, "category"),
            action=["mended"] * total,
            start=chance.integers(0, 2000, total),
            before=[" ,"] * total,
            start_in_text=chance.integers(0, 2000, total),
            after=[","] * total,
            confidence=[0.95] * total,
        )
        return _lists(lengths, found)

    def _topics(self, chance: np.random.Generator, lengths: np.ndarray) -> pa.Array:
        total = int(lengths.sum())
        topics = chance.integers(0, 1200, total)
        start = chance.integers(0, 2000, 2 * total)
        evidence = _structs(field=["text"] * 2 * total, phrase=self._some(chance, 2 * total), start=start)
        tagged = _structs(
            id=[f"medtop:{20_000_000 + topic}" for topic in topics],
            label=self.words.take(pa.array(topics)),
            score=chance.random(total).round(3),
            evidence=_lists(np.full(total, 2), evidence),
        )
        return _lists(lengths, tagged)

    def _pages(self, chance: np.random.Generator, count: int, file: str) -> pa.Array:
        offsets = np.cumsum(chance.integers(5000, 15_000, count))
        return _structs(file=[file] * count, offset=offsets, sha256=[chance.bytes(32).hex() for _ in range(count)])


def _blocks(texts: pa.Array) -> pa.Array:
    paragraphs = pc.split_pattern(texts, "\n\n")
    lengths = pc.utf8_length(paragraphs.flatten()).to_numpy()
    counts = pc.list_value_length(paragraphs).to_numpy()
    ends = np.cumsum(lengths + 2) - 2
    before = np.repeat(ends[np.cumsum(counts) - counts] - lengths[np.cumsum(counts) - counts], counts)
    places = _structs(kind=["paragraph"] * len(lengths), start=ends - lengths - before, end=ends - before)
    return _lists(counts, places)


def _vocabulary(chance: np.random.Generator, count: int = 40_000) -> list[str]:
    """Make words of letters as frequent as in English; the first, which will be the most frequent, are short."""
    lengths = np.minimum(2 + chance.poisson(np.minimum(1 + np.arange(count) / 60, 6)), 14)
    letters = np.minimum(chance.geometric(0.09, lengths.sum()) - 1, 25)
    spelled = "".join("etaoinshrdlcumwfgypbvkjxqz"[letter] for letter in letters)
    ends = np.cumsum(lengths)
    return [spelled[end - length : end] for length, end in zip(lengths, ends, strict=True)]


def _lists(lengths: np.ndarray, values: pa.Array) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32()), values)


def _structs(**columns: Any) -> pa.Array:
    return pa.StructArray.from_arrays([pa.array(column) for column in columns.values()], [*columns])


def stage(root: Path, articles: int, days: int, seed: int) -> None:
    """Stage the batches of every step in a store."""
    newsroom = Newsroom(days, seed)
    numbers = np.random.default_rng(seed).permutation(articles)
    half = UPSERTED // 2
    one_day = np.concatenate([np.arange(half), articles + np.arange(half)]) * days
    all_days = np.concatenate([articles // 2 + np.arange(half), (articles + UPSERTED) * days + np.arange(half)])
    with Store.open(root) as store:
        for edition, (step, wanted) in enumerate(zip(STEPS, (numbers, one_day, all_days), strict=True)):
            for start in range(0, len(wanted), BATCH):
                table = newsroom.articles(wanted[start : start + BATCH], start, edition)
                store.staging.write(step, f"{start:07}", "articles", table)


def staged(root: Path, step: str) -> list[str]:
    """Return the batches of a step, relative to the store's root."""
    return sorted(f"{FOLDER}/{path.name}" for path in (root / FOLDER).glob(f"{step}~*"))


def batches(root: Path, step: str) -> Iterator[pa.RecordBatch]:
    """Read the batches of a step as contenders without a store take them in: the articles, and their day."""
    for path in staged(root, step):
        table = pa.ipc.open_file(pa.BufferReader((root / path).read_bytes())).read_all().select(_TAKEN.names)
        day = pc.cast(table["published_at"], pa.date32())
        yield from table.append_column(_DAY, day).to_batches()


# Contenders


def commit(root: Path, step: str) -> None:
    """Take in a step by a commit."""
    with Store.open(root) as store:
        storage.commit.commit(store, staged(root, step), run=step, now=NOW)


def commit_articles_only(root: Path, step: str) -> None:
    """Take in a step by a commit that publishes nothing beside the articles."""
    setattr(storage.commit, "_publish_beside", lambda *_: None)  # noqa: B010 - the checker sees no such attribute
    commit(root, step)


def write_dataset(root: Path, step: str) -> None:
    """Take in a step by `write_dataset`: an upsert reads the days it touches, and writes them again."""
    schema = _TAKEN.append(_DAY)
    folder = root / "articles"
    arriving: pa.Table | pa.RecordBatchReader = pa.RecordBatchReader.from_batches(schema, batches(root, step))
    if step != "load":
        arriving = arriving.read_all()
        stored = ds.dataset(folder, schema=schema, partitioning=_partitioning())
        stored = stored.to_table(filter=pc.field("published_date").isin(arriving["published_date"].unique()))
        stays = pc.invert(pc.is_in(stored["article_id"], value_set=arriving["article_id"]))
        arriving = pa.concat_tables([stored.filter(stays), arriving])
    file_format = ds.ParquetFileFormat()
    ds.write_dataset(
        arriving,
        folder,
        format=file_format,
        file_options=file_format.make_write_options(
            compression="zstd",
            compression_level=3,
            use_dictionary=list(ARTICLES_DATASET.dictionary),
            write_page_index=True,
            write_page_checksum=True,
        ),
        partitioning=_partitioning(),
        existing_data_behavior="delete_matching",
        max_rows_per_group=ROW_GROUP,
        min_rows_per_group=ROW_GROUP,
    )


def _partitioning() -> ds.Partitioning:
    return ds.partitioning(pa.schema([_DAY]), flavor="hive")


def deltalake(root: Path, step: str) -> None:
    """Take in a step by Delta: a load is written, an upsert is merged."""
    from deltalake import DeltaTable, WriterProperties, write_deltalake

    folder, properties = str(root / "articles"), WriterProperties(compression="ZSTD", compression_level=3)
    arriving = pa.RecordBatchReader.from_batches(_TAKEN.append(_DAY), batches(root, step))
    if step == "load":
        write_deltalake(folder, arriving, partition_by=["published_date"], writer_properties=properties)
        return
    same = "stored.published_date = arriving.published_date AND stored.article_id = arriving.article_id"
    merger = DeltaTable(folder).merge(
        arriving.read_all(), same, source_alias="arriving", target_alias="stored", writer_properties=properties
    )
    merger.when_matched_update_all().when_not_matched_insert_all().execute()


CONTENDERS: Final[Mapping[str, Callable[[Path, str], None]]] = {
    "commit": commit,
    "commit (articles only)": commit_articles_only,
    "write_dataset": write_dataset,
    "deltalake": deltalake,
}


# Measuring


def measure(contender: str, root: Path, step: str) -> Measured:
    """Let a contender take in a step, in this process, on one core."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    wall, cpu = time.perf_counter(), time.process_time()
    CONTENDERS[contender](root, step)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = _peak()
    files = _delta_files(root) if contender == "deltalake" else sorted((root / "articles").rglob("*.parquet"))
    return Measured(
        contender=contender,
        step=step,
        rows=sum(pq.read_metadata(file).num_rows for file in files),
        cpu=cpu,
        wall=wall,
        peak=peak,
        stored=sum(file.stat().st_size for file in files),
    )


def _delta_files(root: Path) -> list[Path]:
    """Return the files that a Delta table is made of now: in its folder are dead ones, too."""
    from deltalake import DeltaTable

    return [Path(file.removeprefix("file://")) for file in DeltaTable(root / "articles").file_uris()]


def _peak() -> int:
    """Return the highest resident memory of this process in bytes; `getrusage` would count the parent's, too."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def contend(folder: Path, articles: int, days: int, seed: int) -> Iterator[Measured]:
    """Stage the steps once, and let each contender take them in."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool:
        pool.submit(stage, folder / "staged", articles, days, seed).result()
        for contender in CONTENDERS:
            if contender == "deltalake" and importlib.util.find_spec("deltalake") is None:
                continue
            root = folder / "data"
            shutil.copytree(folder / "staged" / FOLDER, root / FOLDER, copy_function=os.link)
            yield from (pool.submit(measure, contender, root, step).result() for step in STEPS)
            shutil.rmtree(root)


def table(results: Sequence[Measured], articles: int) -> Iterator[str]:
    """Lay the results out, a line each; ratios are those of CPU time to `write_dataset` in the same run."""
    plain = {each.step: each.cpu for each in results if each.contender == "write_dataset"}
    heads = f"{'articles/CPU s':>15}{'CPU s':>9}{'wall s':>9}{'ratio':>8}{'peak MB':>9}{'B/article':>11}"
    yield f"{'':24}{'step':10}{heads}"
    for each in results:
        taken = articles if each.step == "load" else UPSERTED
        yield (
            f"{each.contender:24}{each.step:10}{taken / each.cpu:15,.0f}{each.cpu:9.2f}{each.wall:9.2f}"
            f"{each.cpu / plain[each.step]:8.2f}{each.peak / 1e6:9.0f}{each.stored / each.rows:11.0f}"
        )


def main() -> None:
    """Measure as the command line says, and print a table; as JSON, too, where a file is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("articles", 100_000), ("days", 30), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--data", type=Path, help="folder to work in; a temporary one by default")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.data) as folder:
        results = list(contend(Path(folder), arguments.articles, arguments.days, arguments.seed))
    print("\n".join(table(results, arguments.articles)))
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(each) for each in results], indent=2) + "\n")


if __name__ == "__main__":
    main()
