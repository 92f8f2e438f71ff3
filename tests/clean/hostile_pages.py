"""Pages made to hurt: each would cost a careless reader seconds, gigabytes or its life.

See what each costs here, in a process of its own:

    python -m tests.clean.hostile_pages
"""

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from random import Random
from typing import Final

from tasks.clean.bounds import MOST_CHARACTERS
from tasks.documents import Article, Rejection
from tasks.edit import Desk, edit, versions
from tasks.language import load_profiles
from tasks.rows import articles_table, rejections_table
from tests.pages.redraw import page_of

MEGABYTE: Final = 1_000_000
# The largest page that the fetcher hands over, and the longest text that is let through to a parser.
LARGEST: Final = 10 * MEGABYTE
LONGEST: Final = MOST_CHARACTERS
NEARLY: Final = LONGEST - 20_000

PARAGRAPH: Final = (
    "<p>The ferry crossed four times on Saturday, twice with nobody on board but the captain and his dog."
)
ARTICLE: Final = f"<article><h1>Ferry keeps its timetable</h1>{PARAGRAPH * 8}</article>"


def _page(body: str, head: str = "<title>Ferry keeps its timetable</title>") -> bytes:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{head}</head><body>{body}</body></html>'.encode()
    )


def _with_article(body: str) -> bytes:
    return _page(ARTICLE + body)


def _filled(piece: str, size: int) -> str:
    """Return a piece so often that it is nearly as long as asked for."""
    return piece * (size // len(piece))


def _attributes(count: int) -> str:
    return " ".join(f'a{number}="{number}"' for number in range(count))


def _names(count: int) -> str:
    return " ".join(f"a{number}" for number in range(count))


def _structured(json: str) -> bytes:
    return _page(ARTICLE, f'<script type="application/ld+json">{json}</script>')


PAGES: Final[Mapping[str, Callable[[], bytes]]] = {
    # Nesting
    "100,000 div in each other": lambda: _with_article("<div>" * 100_000 + "deep" + "</div>" * 100_000),
    "3,900 div in each other": lambda: _with_article("<div>" * 3_900 + PARAGRAPH * 20 + "</div>" * 3_900),
    "9,000 i left open": lambda: _with_article("<i>" * 9_000 + "deep"),
    "100 b left open, then 11,000 p": lambda: _with_article("<b>" * 100 + "<p>word" * 11_000),
    "4,900 a left open": lambda: _with_article('<a href="/x">word ' * 4_900),
    "5,000 table in each other": lambda: _with_article("<table><tr><td>" * 5_000 + "cell"),
    "20,000 li in each other": lambda: _with_article("<ul><li>" * 12_000 + "item"),
    "4,000 blockquote in each other": lambda: _with_article(f"<blockquote>{PARAGRAPH}" * 4_000),
    "12,000 span in each other": lambda: _with_article("<span>" * 12_000 + "deep"),
    "misnested b and i": lambda: _with_article("<b><p>1<i>2</b>3</p>4</i>" * 2_000),
    "3,000 form and select": lambda: _with_article("<form><select><option>" * 3_000),
    "3,900 svg in each other": lambda: _with_article("<svg><g>" * 1_900 + "deep"),
    # Attributes
    "60,000 attributes in one tag": lambda: _page(f"<p {_attributes(60_000)}>word</p>{ARTICLE}"),
    "60,000 attributes in six tags": lambda: _page(f"<p {_attributes(10_000)}>word</p>" * 6 + ARTICLE),
    "60,000 attributes in 12 tags": lambda: _page(f"<p {_attributes(5_000)}>word</p>" * 12 + ARTICLE),
    "200,000 attributes in 40 tags": lambda: _page(f"<p {_attributes(5_000)}>word</p>" * 40 + ARTICLE),
    "700,000 attributes in 11,000 tags": lambda: _page(f"<p {_names(50)}>word</p>" * 11_000 + ARTICLE),
    "60,000 attributes of one name": lambda: _page(f"<p {'class=a ' * 60_000}>word</p>{ARTICLE}"),
    "600,000 attributes in 2,800 tags": lambda: _page(f"<p {_names(220)}>word</p>" * 2_800),
    "60,000 attributes with > in each": lambda: _page(
        "<p " + " ".join(f'a{number}=">"' for number in range(60_000)) + f">word</p>{ARTICLE}"
    ),
    "60,000 attributes behind a quoted >": lambda: _page(f'<p title=">" {_attributes(60_000)}>word</p>{ARTICLE}'),
    "an attribute of 3 MB": lambda: _page(f'<p class="{_filled("share ", NEARLY)}">word</p>{ARTICLE}'),
    "4,000 labels of 90 words": lambda: _page(
        "".join(f'<p class="{"x-y " * 45} {number}">word word' for number in range(4_000)) + ARTICLE
    ),
    "an address of 3 MB": lambda: _page(f'<a href="/{"x" * NEARLY}">word</a>{ARTICLE}'),
    # Bytes that are no text
    "10 MB of NUL": lambda: b"\0" * LARGEST,
    "3 MB of NUL in an article": lambda: _with_article("<p>" + "\0" * (NEARLY)),
    "a NUL after each letter": lambda: _with_article("".join(f"{letter}\0" for letter in PARAGRAPH * 10)),
    "3 MB of controls": lambda: _with_article("<p>word" + _filled("\x01\x1b\x7f\x85\x9f", LONGEST // 2)),
    "surrogates in UTF-8": lambda: _with_article("<p>@") .replace(b"@", b"lone \xed\xa0\x80 surrogate " * 100_000),
    "surrogates as references": lambda: _with_article("<p>" + "word &#xD800; &#55357; &#0; &#x9f; " * 60_000),
    "3 MB of replacement characters": lambda: _with_article("<p>word ") + b"\xff" * (NEARLY),
    "10 MB of random bytes": lambda: Random(1).randbytes(LARGEST),
    # A great deal of little
    "10 MB of blanks": lambda: b" \n" * (LARGEST // 2),
    "10 MB of blanks in a page": lambda: _page(" " * (LARGEST - 1_000)),
    "3 MB of blanks around an article": lambda: _page("\n\t " * (LONGEST // 3 - 3_000) + ARTICLE),
    "10 MB of one text": lambda: _page(f"<p>{_filled('word ', LARGEST - 1_000)}"),
    "3 MB of one text": lambda: _page(f"<p>{_filled('word, ', NEARLY)}"),
    "3 MB of one word": lambda: _page(f"<p>{'x' * (NEARLY)}"),
    "3 MB of one text in Chinese": lambda: _page(f"<p>{_filled('桥在风暴中坚持住了。', LONGEST // 2)}"),
    "3 MB of sentences": lambda: _page(_filled(PARAGRAPH * 25 + "\n", NEARLY).replace("<p>", " ")),
    "2.3 MB of 11,000 paragraphs": lambda: _page(
        "".join(f"{PARAGRAPH} No. {number}. {PARAGRAPH[3:]} " for number in range(11_000))
    ),
    "3 MB without a tag's end": lambda: _page(ARTICLE + "<" + "x" * (NEARLY)),
    "3 MB of <": lambda: _page(ARTICLE + "<" * (NEARLY)),
    "3 MB of < and blanks": lambda: _page(ARTICLE + "< " * (NEARLY // 2)),
    "3 MB of &": lambda: _page(ARTICLE + "<p>" + "&" * (NEARLY)),
    "3 MB of combining marks": lambda: _page(f"{ARTICLE}<p>e" + "\N{COMBINING ACUTE ACCENT}" * (NEARLY // 2)),
    "a million comments": lambda: _page("<!---->" * 1_000_000 + ARTICLE),
    "600,000 comments": lambda: _page("<!--x-->" * 600_000 + ARTICLE),
    "a comment of 3 MB left open": lambda: _page(ARTICLE + "<!-- " + "- " * (NEARLY // 2)),
    "500,000 p": lambda: _page("<p>a</p>" * 500_000),
    "500,000 p left open": lambda: _page("<p>a" * 500_000),
    "500,000 br": lambda: _page(ARTICLE + "<br>" * 500_000),
    "11,000 p": lambda: _page("<p>a word</p>" * 11_000),
    "a flood of tables": lambda: _page("<table><tr><td>1<td>2</table>" * 8_000 + ARTICLE),
    "a flood of cells": lambda: _page(ARTICLE + "<table>" + "<tr>" + "<td>1" * 11_000),
    "text in a table, 11,000 times": lambda: _page(ARTICLE + "<table>" + "word<tr>" * 11_000),
    "11,000 links": lambda: _page("<a href=/x>word word</a> " * 11_000 + ARTICLE),
    "11,000 h1": lambda: _page("<h1>Ferry keeps its timetable</h1>" * 11_000),
    "11,000 time": lambda: _page("<time datetime=2024-02-30T25:61>word</time>" * 11_000 + ARTICLE),
    "11,000 labels with dates": lambda: _page('<div class="date byline">1/2/2024 word</div>' * 11_000 + ARTICLE),
    "500,000 end tags": lambda: _page("</p>" * 500_000 + ARTICLE),
    "500,000 end tags of div": lambda: _page("</div>" * 500_000 + ARTICLE),
    # References
    "500,000 references": lambda: _page(f"{ARTICLE}<p>{'&amp;' * 500_000}"),
    "references without an end": lambda: _page(f"{ARTICLE}<p>{'&notit' * 450_000}"),
    "a reference to a huge number": lambda: _page(f"{ARTICLE}<p>&#{'9' * NEARLY};"),
    # Heads
    "a title of 10 MB": lambda: _page(ARTICLE, f"<title>{_filled('word ', LARGEST - 9_000)}</title>"),
    "a title of 3 MB": lambda: _page(ARTICLE, f"<title>{_filled('word - ', NEARLY)}</title>"),
    "a headline of 3 MB": lambda: _page(f"<h1>{_filled('word ', NEARLY)}</h1>{PARAGRAPH * 8}"),
    "og:title of 3 MB": lambda: _page(
        ARTICLE, f'<meta property="og:title" content="{_filled("word | ", NEARLY)}">'
    ),
    "11,000 meta": lambda: _page(ARTICLE, '<meta property="article:tag" content="word">' * 11_000),
    "keywords of 3 MB": lambda: _page(ARTICLE, f'<meta name="keywords" content="{_filled("word,", NEARLY)}">'),
    "an author of 3 MB": lambda: _page(ARTICLE, f'<meta name="author" content="{_filled("Anna, ", NEARLY)}">'),
    "a date of 3 MB": lambda: _page(ARTICLE, f'<meta name="date" content="{_filled("2024-", NEARLY)}">'),
    "a description of 3 MB": lambda: _page(
        ARTICLE, f'<meta name="description" content="{_filled("word ", NEARLY)}">'
    ),
    # Scripts
    "a script of 3 MB": lambda: _page(f"{ARTICLE}<script>{_filled('var x = 1; ', NEARLY)}</script>"),
    "a script of 3 MB left open": lambda: _page(f"{ARTICLE}<script>{_filled('<!--<script>', NEARLY)}"),
    "JSON-LD of 3 MB": lambda: _structured('{"@type": "Thing", "name": "' + "x" * (NEARLY) + '"}'),
    "JSON-LD that quotes 3 MB": lambda: _structured(
        '{"@type": "NewsArticle", "articleBody": "' + _filled("word ", NEARLY) + '"}'
    ),
    "JSON-LD 50,000 lists deep": lambda: _structured("[" * 50_000 + "]" * 50_000),
    "JSON-LD of 150,000 items": lambda: _structured("[" + '{"@type":"Thing"},' * 150_000 + "{}]"),
    "JSON-LD of 400,000 numbers": lambda: _structured("[" + "1e999," * 400_000 + "1]"),
    "broken JSON-LD of 3 MB": lambda: _structured('{"@type": "NewsArticle", ' + '"a": "b" ' * 300_000),
    "11,000 pieces of JSON-LD": lambda: _page(ARTICLE, '<script type="application/ld+json">{}</script>' * 11_000),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What became of a page, and what that took."""

    outcome: str  # "article", or the reason of the rejection
    detail: str
    seconds: float  # of CPU
    memory: int  # bytes by which the highest use of memory grew


def costs(names: Iterable[str]) -> dict[str, Cost]:
    """Put pages through the desk and into a table of rows, one after the other, in one process that does no more."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    found = {}
    for name in names:
        ours.send(name)
        found[name] = ours.recv()
    ours.send(None)
    process.join()
    return found


def _work(pipe: Connection) -> None:
    load_profiles()
    _row(_with_article(""))
    while (name := pipe.recv()) is not None:
        body = PAGES[name]()
        memory, start = _peak(), time.process_time()
        outcome, detail = _row(body)
        pipe.send(Cost(outcome=outcome, detail=detail, seconds=time.process_time() - start, memory=_peak() - memory))


def _row(body: bytes) -> tuple[str, str]:
    edited = edit(page_of(body), desk := Desk())
    if isinstance(edited, Article):
        articles_table([(0, edited)])
        return "article", f"{len(edited.text):,} characters"
    assert isinstance(edited, Rejection)
    rejections_table([(0, edited)], versions(desk))
    return edited.reason.value, edited.detail


def _peak() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def main() -> None:
    """Write down what each page costs, as Markdown."""
    sys.stdout.write("| page | outcome | CPU, s | extra memory, MB |\n|---|---|---|---|\n")
    for name in PAGES:
        cost = costs([name])[name]
        told = f"{cost.outcome} ({cost.detail[:60]}) | {cost.seconds:.2f} | {cost.memory / 1e6:.0f}"
        sys.stdout.write(f"| {name} | {told} |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
