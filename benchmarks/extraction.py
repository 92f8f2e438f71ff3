"""Find the article on annotated pages, next to trafilatura, newspaper4k, readability-lxml and resiliparse, in one run.

    pip install "copydesk[bench]"
    python -m benchmarks.extraction --data DIR [--rounds 1] [--plot extraction.svg]

DIR holds `ground_truth.json` ({id: {source, url, html, lang, text, title, authors, published_at}}; what is not
annotated is missing) and the pages that its `html` fields name, gzipped. Such a folder can be made of public
collections: scrapinghub/article-extraction-benchmark (bodies), flairNLP/fundus, `tests/resources/parser/test_data`
(bodies, titles, authors, times), adbar/trafilatura, `tests/evaldata.json` (titles, authors, days) and adbar/htmldate,
`tests/eval_mediacloud_2020.json` (days).

Each contender works in a process of its own, from bytes to text and fields, with its own decoding. They take each page
in turns, one at a time, so that other work on the machine hits all alike; counted is CPU time, the first page of a
process not. F1 is that of article-extraction-benchmark: over shingles of four words, precision and recall averaged over
the pages; its interval holds 95 of 100 samples of as many pages. A contender that fails on a page answered nothing.
The plot has F1 over the CPU time of a page. Who is not installed is left out.
"""

import argparse
import gzip
import importlib
import importlib.util
import json
import math
import multiprocessing
import re
import resource
import time
import unicodedata
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks import adapters

SHINGLE: Final = 4
LOST: Final = 0.5  # a page of a lower F1 is as good as lost
SAMPLES: Final = 2_000
# Languages written without spaces: a character counts as a word.
UNSPACED: Final = frozenset({"ja", "km", "lo", "my", "th", "zh"})
_WORD: Final = re.compile(r"\w+")
_CHARACTER: Final = re.compile(r"[a-zA-Z0-9]+|\w")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a contender found on a page; None is what it never looks for."""

    text: str = ""
    title: str | None = None
    authors: tuple[str, ...] | None = None
    day: str | None = None


Extract = Callable[[bytes, str | None], Found]


@dataclass(frozen=True, slots=True)
class Contender:
    """Who extracts, by the function that loads it, and the modules that it needs."""

    name: str
    load: Callable[[], Extract]
    needs: tuple[str, ...] = ()
    fields: frozenset[str] = frozenset({"title", "authors", "day"})

    @property
    def missing(self) -> list[str]:
        """The modules that are not installed."""
        return [module for module in self.needs if importlib.util.find_spec(module) is None]


# Contenders


def copydesk() -> Extract:
    """Decode and clean, with all fields."""

    def extract(html: bytes, url: str | None) -> Found:
        found: Mapping[str, Any] = adapters.extract(html, url)
        published = found["published_at"]
        return Found(text=found["text"], title=found["title"], authors=tuple(found["authors"]), day=published)

    return extract


def trafilatura() -> Extract:
    """As it comes, with metadata."""
    return _trafilatura(fast=False)


def trafilatura_fast() -> Extract:
    """Without its fallbacks."""
    return _trafilatura(fast=True)


def _trafilatura(*, fast: bool) -> Extract:
    bare_extraction = importlib.import_module("trafilatura").bare_extraction

    def extract(html: bytes, url: str | None) -> Found:
        document = bare_extraction(html, url=url, fast=fast, with_metadata=True)
        if document is None:
            return Found()
        authors = tuple(filter(None, map(str.strip, (document.author or "").split(";"))))
        return Found(text=document.text or "", title=document.title, authors=authors, day=document.date)

    return extract


def newspaper() -> Extract:
    """Article.parse, with its own decoding; it fetches no images to look at."""
    package = importlib.import_module("newspaper")
    decode = importlib.import_module("newspaper.parsers").get_unicode_html

    def extract(html: bytes, url: str | None) -> Found:
        article = package.Article(url or "https://www.example.com/", fetch_images=False)
        article.download(input_html=decode(html))
        article.parse()
        published = article.publish_date
        day = published.isoformat() if isinstance(published, datetime) else None
        return Found(text=article.text, title=article.title, authors=tuple(article.authors), day=day)

    return extract


def readability() -> Extract:
    """Document.summary, made text by html-text."""
    document_of = importlib.import_module("readability").Document
    extract_text = importlib.import_module("html_text").extract_text

    def extract(html: bytes, url: str | None) -> Found:
        document = document_of(html, url=url)
        return Found(text=extract_text(document.summary()), title=document.short_title())

    return extract


def resiliparse() -> Extract:
    """Its main content, as plain text."""
    encoding = importlib.import_module("resiliparse.parse.encoding")
    extract_plain_text = importlib.import_module("resiliparse.extract.html2text").extract_plain_text

    def extract(html: bytes, _: str | None) -> Found:
        text = encoding.bytes_to_str(html, encoding.detect_encoding(html))
        return Found(text=extract_plain_text(text, main_content=True))

    return extract


CONTENDERS: Final = (
    Contender("copydesk", copydesk),
    Contender("trafilatura", trafilatura, ("trafilatura",)),
    Contender("trafilatura (fast)", trafilatura_fast, ("trafilatura",)),
    Contender("newspaper4k", newspaper, ("newspaper",)),
    Contender("readability-lxml", readability, ("readability", "html_text"), frozenset({"title"})),
    Contender("resiliparse", resiliparse, ("resiliparse",), frozenset()),
)


# Taking turns


@dataclass(slots=True)
class Run:
    """What a contender did: an answer for each page, the CPU seconds each took, and bytes of memory."""

    contender: Contender
    answers: dict[str, Found] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    extra_memory: int = 0


def run_all(data: Path, truth: Mapping[str, Any], contenders: Sequence[Contender], rounds: int) -> list[Run]:
    """Give each page to each contender, in turns; of several rounds, a page's fastest counts."""
    context = multiprocessing.get_context("spawn")
    runs = [Run(contender) for contender in contenders]
    pipes = []
    for contender in contenders:
        ours, theirs = context.Pipe()
        context.Process(target=_work, args=(theirs, contender), daemon=True).start()
        theirs.close()
        pipes.append(ours)
    names = sorted(truth)
    for number, name in enumerate([names[0], *names * rounds]):
        html, url = gzip.decompress((data / truth[name]["html"]).read_bytes()), truth[name].get("url")
        for place in range(len(runs)):
            turn = (place + number) % len(runs)
            pipes[turn].send((html, url))
            _note(runs[turn], name, pipes[turn].recv(), is_warm=number > 0)
    for run, pipe in zip(runs, pipes, strict=True):
        pipe.send(None)
        run.extra_memory = pipe.recv()
    return runs


def _note(run: Run, name: str, told: tuple[Found, float, str], *, is_warm: bool) -> None:
    answer, seconds, failure = told
    run.answers[name] = answer
    if failure:
        run.failures[name] = failure
    if is_warm:
        run.seconds[name] = min(seconds, run.seconds.get(name, math.inf))


def _work(pipe: Connection, contender: Contender) -> None:
    """Answer pages until there are no more; then say how much the memory grew after the first."""
    warnings.simplefilter("ignore")
    extract = contender.load()
    first = 0
    while (asked := pipe.recv()) is not None:
        found, failure = Found(), ""
        start = time.process_time()
        try:
            found = extract(*asked)
        except Exception as error:  # noqa: BLE001 - whatever a contender raises, it found nothing
            failure = f"{type(error).__name__}: {error}"
        pipe.send((found, time.process_time() - start, failure))
        first = first or _peak()
    pipe.send(_peak() - first)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


# What is right


def shingles(text: str, *, is_spaced: bool) -> Counter[tuple[str, ...]]:
    """Count the runs of four words in a text; a text of fewer is one run.

    >>> shingles("To be, or not to be", is_spaced=True)[("be", "or", "not", "to")]
    1
    """
    words = (_WORD if is_spaced else _CHARACTER).findall(text)
    starts = range(max(1, len(words) - SHINGLE + 1)) if words else ()
    return Counter(tuple(words[start : start + SHINGLE]) for start in starts)


def overlap(true: str, found: str, *, is_spaced: bool) -> tuple[float, float]:
    """Return the precision and the recall of a text; NaN where there is nothing to divide by."""
    wanted, got = shingles(true, is_spaced=is_spaced), shingles(found, is_spaced=is_spaced)
    right = (wanted & got).total()
    return tuple(right / size if size else math.nan for size in (got.total(), wanted.total()))  # type: ignore[return-value]


def f1(pages: np.ndarray) -> np.ndarray:
    """Return the harmonic mean of mean precision and mean recall; pages are the last axis but one."""
    precision, recall = np.moveaxis(np.nanmean(pages, axis=-2), -1, 0)
    return 2 * precision * recall / (precision + recall)


def interval(pages: np.ndarray) -> tuple[float, float]:
    """Return between which bounds F1 lies in 95 of 100 samples of as many pages, drawn with replacement."""
    drawn = np.random.default_rng(1).integers(0, len(pages), (SAMPLES, len(pages)))
    low, high = np.quantile(f1(pages[drawn]), (0.025, 0.975))
    return float(low), float(high)


def plain(text: str | None) -> str:
    """Return a name or title as it is compared: words in lower case.

    >>> plain("  “Storms” : Anna BERG ")
    'storms anna berg'
    """
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", text or "").casefold()))


def days(instant: str | None) -> set[str]:
    """Return the day as it is written, and that in UTC where there is a zone.

    >>> sorted(days("2024-03-01T00:30:00+02:00"))
    ['2024-02-29', '2024-03-01']
    """
    if not instant:
        return set()
    try:
        read = datetime.fromisoformat(instant)
    except ValueError:
        return set()
    return {read.date().isoformat(), (read.astimezone(UTC) if read.tzinfo else read).date().isoformat()}


def _is_title_right(record: Mapping[str, Any], found: Found) -> bool:
    return plain(record["title"]) == plain(found.title)


def _are_authors_right(record: Mapping[str, Any], found: Found) -> bool:
    return set(map(plain, record["authors"])) == set(map(plain, found.authors or ()))


def _is_day_right(record: Mapping[str, Any], found: Found) -> bool:
    return not days(record["published_at"]).isdisjoint(days(found.day))


FIELDS: Final[dict[str, tuple[str, Callable[[Mapping[str, Any], Found], bool]]]] = {
    "title": ("title", _is_title_right),
    "authors": ("authors", _are_authors_right),
    "day": ("published_at", _is_day_right),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How good a contender is, and what it costs."""

    name: str
    f1: float
    low: float
    high: float
    by_source: dict[str, float]
    lost: int  # pages
    fields: dict[str, float | None]  # the share that is right; None: it does not look for that
    milliseconds: float  # of CPU, a page
    slowest: float
    extra_memory: int
    failed: int


def score(run: Run, truth: Mapping[str, Any]) -> Score:
    """Hold a contender's answers against the truth."""
    overlaps, sources = [], []
    for name, record in sorted(truth.items()):
        if record.get("text"):
            is_spaced = record.get("lang") not in UNSPACED
            overlaps.append(overlap(record["text"], run.answers[name].text, is_spaced=is_spaced))
            sources.append(record["source"])
    pages, source_of = np.array(overlaps), np.array(sources)
    low, high = interval(pages)
    seconds = run.seconds.values()
    return Score(
        name=run.contender.name,
        f1=float(f1(pages)),
        low=low,
        high=high,
        by_source={source: float(f1(pages[source_of == source])) for source in sorted(set(sources))},
        lost=sum(not _f1_of_page(*page) >= LOST for page in overlaps),
        fields={name: _share_right(run, truth, name) for name in FIELDS},
        milliseconds=1000 * sum(seconds) / len(seconds),
        slowest=max(seconds),
        extra_memory=run.extra_memory,
        failed=len(run.failures),
    )


def _f1_of_page(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0


def _share_right(run: Run, truth: Mapping[str, Any], name: str) -> float | None:
    if name not in run.contender.fields:
        return None
    key, is_right = FIELDS[name]
    annotated = [(page, record) for page, record in truth.items() if record.get(key) and record[key] == record[key]]
    judged = [is_right(record, run.answers[page]) for page, record in annotated]
    return sum(judged) / len(judged) if judged else None


# What is shown


def table(scores: Sequence[Score]) -> Iterator[str]:
    """Yield the lines of the table, as Markdown."""
    sources = list(scores[0].by_source)
    heads = ["", "F1 (95 %)", *(f"F1 {source}" for source in sources), "pages under .5", *FIELDS]
    heads += ["CPU ms a page", "slowest, s", "extra memory, MB", "failed"]
    yield f"| {' | '.join(heads)} |"
    yield "|" + "---|" * len(heads)
    for each in scores:
        cells = [each.name, f"{_share(each.f1)} ({_share(each.low)} to {_share(each.high)})"]
        cells += [_share(each.by_source[source]) for source in sources]
        cells += [str(each.lost), *map(_share, each.fields.values())]
        cells += [f"{each.milliseconds:.1f}", f"{each.slowest:.2f}", f"{each.extra_memory / 1e6:.0f}", str(each.failed)]
        yield f"| {' | '.join(cells)} |"


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.3f}".removeprefix("0")


WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 64, 150, 24, 52
NAME_WIDTH, NAME_HEIGHT = 115, 16
TICKS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
STYLE: Final = (
    "text{font:13px system-ui,sans-serif;fill:#333}.axis{stroke:#999}.grid{stroke:#e4e4e4}.tick{fill:#666}"
    ".tick,.legend{font-size:12px}.middle{text-anchor:middle}.end{text-anchor:end}"
    ".peer{fill:#777;stroke:#777}.ours{fill:#b3261e;stroke:#b3261e}text.ours{stroke:none;font-weight:600}"
)


@dataclass(frozen=True, slots=True)
class Axes:
    """Where a time (logarithmic) and an F1 stand in the plot."""

    fastest: float
    slowest: float
    lowest: float
    highest: float

    @classmethod
    def around(cls, scores: Sequence[Score]) -> "Axes":
        """Return axes with room for all, and for their names."""
        times = [each.milliseconds for each in scores]
        lowest = math.floor(min(each.low for each in scores) * 50) / 50
        highest = math.ceil(max(each.high for each in scores) * 50) / 50
        return cls(min(times) / 1.4, max(times) * 1.4, lowest, highest)

    def x(self, milliseconds: float) -> float:
        """Return the place of a time from the left."""
        part = math.log(milliseconds / self.fastest) / math.log(self.slowest / self.fastest)
        return LEFT + part * (WIDTH - LEFT - RIGHT)

    def y(self, share: float) -> float:
        """Return the place of an F1 from the top."""
        return TOP + (self.highest - share) / (self.highest - self.lowest) * (HEIGHT - TOP - BOTTOM)


def plot(scores: Sequence[Score]) -> str:
    """Draw F1, with its interval, over the CPU time of a page, as SVG."""
    axes = Axes.around(scores)
    heights = _heights_of_names(axes, scores)
    drawn = [*_grid(axes), *(line for each in scores for line in _mark(axes, each, heights[each.name]))]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
        f"<title>Quality over cost: F1 of the article's text, and CPU time a page</title><style>{STYLE}</style>"
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>' + "\n".join(drawn) + "</svg>\n"
    )


def _heights_of_names(axes: Axes, scores: Sequence[Score]) -> dict[str, float]:
    """Return where names stand from the top: beside their marks, or lower where another name stands."""
    heights: dict[str, float] = {}
    placed: list[tuple[float, float]] = []
    for each in sorted(scores, key=lambda each: -each.f1):
        x, y = axes.x(each.milliseconds), axes.y(each.f1)
        while any(abs(x - left) < NAME_WIDTH and abs(y - top) < NAME_HEIGHT for left, top in placed):
            y += 1
        placed.append((x, y))
        heights[each.name] = y
    return heights


def _grid(axes: Axes) -> Iterator[str]:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    for percent in range(round(axes.lowest * 100), round(axes.highest * 100) + 1, 2):
        y = axes.y(percent / 100)
        yield f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text class="tick end" x="{LEFT - 8}" y="{y + 4:.1f}">.{percent:02}</text>'
    for tick in TICKS:
        if axes.fastest <= tick <= axes.slowest:
            x = axes.x(tick)
            yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom}"/>'
            yield f'<text class="tick middle" x="{x:.1f}" y="{bottom + 18}">{tick}</text>'
    yield f'<path class="axis" fill="none" d="M{LEFT} {TOP}V{bottom}H{right}"/>'
    yield f'<text class="legend middle" x="{(LEFT + right) / 2}" y="{HEIGHT - 10}">CPU milliseconds a page</text>'
    yield f'<text class="legend" x="8" y="{TOP - 8}">F1, with its 95 % interval</text>'


def _mark(axes: Axes, each: Score, height_of_name: float) -> Iterator[str]:
    kind = "ours" if each.name == "copydesk" else "peer"
    x, low, high = axes.x(each.milliseconds), axes.y(each.low), axes.y(each.high)
    name_class = ' class="ours"' if kind == "ours" else ""
    yield f'<line class="{kind}" stroke-opacity=".5" x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}"/>'
    yield f'<circle class="{kind}" cx="{x:.1f}" cy="{axes.y(each.f1):.1f}" r="4.5"/>'
    yield f'<text{name_class} x="{x + 9:.1f}" y="{height_of_name + 4:.1f}">{each.name}</text>'


def main() -> None:
    """Measure who is installed, print the table, and write the plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of annotated pages")
    parser.add_argument("--rounds", type=int, default=1, help="how often each page is read; the fastest time counts")
    parser.add_argument("--plot", type=Path, default=Path("extraction.svg"), help="file to draw to")
    arguments = parser.parse_args()
    truth = json.loads((arguments.data / "ground_truth.json").read_text("utf-8"))
    for absent in (contender for contender in CONTENDERS if contender.missing):
        print(f"{absent.name} is left out: {' and '.join(absent.missing)} is not installed.")
    present = [contender for contender in CONTENDERS if not contender.missing]
    scores = [score(run, truth) for run in run_all(arguments.data, truth, present, arguments.rounds)]
    print(f"\n{len(truth)} pages, {sum('text' in record for record in truth.values())} of them with their text\n")
    print("\n".join(table(scores)))
    arguments.plot.write_text(plot(scores), "utf-8")
    print(f"\nPlot: {arguments.plot}")


if __name__ == "__main__":
    main()
