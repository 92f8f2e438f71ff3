"""The article's body: the likeliest container, and what else to try when it looks wrong."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tasks.clean.blocks import Block, article_blocks, placed, read_fragment, text_of_blocks
from tasks.clean.boilerplate import cut_boilerplate
from tasks.clean.captions import is_gallery, read_captions
from tasks.clean.container import likely_containers, squeeze, widen
from tasks.clean.live import Day, cut_times, entries_of, mark_entries
from tasks.clean.metadata.gather import Metadata
from tasks.clean.metadata.titles import agreement
from tasks.clean.outline import INLINE_TAGS, Outline
from tasks.clean.reading import Reading
from tasks.clean.standfirst import find_standfirst, mark_standfirst
from tasks.clean.subject import share_said, stems_of
from tasks.documents import BlockKind, Extraction, LiveEntry, Table, TextBlock

# BeautifulSoup's time grows with the nodes that reach it, 30 µs each: what says nothing about blocks is left out.
_BLOCK_BOUNDARY = r"</?(?:p|div|ul|ol|li|h[1-6]|blockquote|section|article|figure|table|tr|td)\b"
_BETWEEN_BLOCKS = re.compile(rf">\s+(?={_BLOCK_BOUNDARY})")
# A paragraph with links in less than this part of it is running text.
_RUNNING = 0.5
# Blocks are read one inside the other; deeper than this stand only tags that were never closed.
_DEEPEST = 200
# Pieces of the declared body that are looked for in the candidates.
_PROBE_LENGTH = 36
_MOST_PROBES = 12
_SHORTEST_QUOTED_BODY = 400
# Text of less than this part of what JSON-LD quotes is a stub.
_STUB = 0.5
_AGREES = 0.6
_LONG_ENOUGH = 1_200
# Nineteen in twenty articles repeat this share of their title's words; other text rarely a quarter.
_OFF_TOPIC, _ON_TOPIC = 0.34, 0.5
# Menus and footers repeat words of titles too.
_SHORTEST_OTHER, _SHARE_OF_BEST = 200, 0.1
_MOST_LINKED = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """An article's text, the blocks in it, what stands beside it, and how it was found."""

    text: str
    blocks: tuple[TextBlock, ...]
    live_entries: tuple[LiveEntry, ...]
    captions: tuple[str, ...]
    tables: tuple[Table, ...]
    extraction: Extraction


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    """What a container holds of an article; `posted` says when the entries of a live blog were, by number."""

    blocks: list[Block]
    captions: tuple[str, ...]
    tables: tuple[Table, ...]
    posted: Mapping[int, datetime]


def find_body(reading: Reading, metadata: Metadata, fetched_at: datetime) -> Body:
    """Find the article on a page. Cuts furniture out of the tree, so that the reading is spent afterwards."""
    container, strategy = _choose(reading, likely_containers(reading, _probes(metadata.quoted_body)), metadata.title)
    share = _share_of_running_text(reading, container)
    content = _cut_out(reading, container, metadata, fetched_at)
    blocks = content.blocks
    if quoted := _quoted_instead(metadata, len(text_of_blocks(blocks))):
        strategy, blocks = "json-ld", [Block(BlockKind.PARAGRAPH, line) for line in quoted.split("\n")]
    text, places = text_of_blocks(blocks), placed(blocks)
    return Body(
        text=text,
        blocks=places,
        live_entries=entries_of(blocks, places, content.posted, metadata.updates),
        captions=content.captions,
        tables=content.tables,
        extraction=Extraction(strategy=strategy, confidence=_confidence(text, metadata, share)),
    )


def _quoted_instead(metadata: Metadata, shown: int) -> str:
    """Return the body as JSON-LD quotes it, where the page shows a stub. Of a live blog, the latest entries will do."""
    quoted, enough = metadata.quoted_body, _STUB * len(metadata.quoted_body)
    if not quoted and metadata.updates:
        quoted = "\n".join(line for update in metadata.updates for line in (update.headline, update.body) if line)
        enough = _STUB * min(len(quoted), _LONG_ENOUGH)
    return quoted if len(quoted) >= _SHORTEST_QUOTED_BODY and shown < enough else ""


def _choose(reading: Reading, candidates: list[int], title: str) -> tuple[int, str]:
    """Return the article's container, and how it was chosen: the likeliest, or the one that speaks of the title."""
    if not candidates:
        return 0, "page"
    best, stems = candidates[0], stems_of(title)
    if stems and _speaks(reading, best, stems) < _OFF_TOPIC:
        for other in candidates[1:]:
            if _may_replace(reading, other, best) and _speaks(reading, other, stems) >= _ON_TOPIC:
                return widen(reading, other), "title"
    return widen(reading, best), "container"


def _speaks(reading: Reading, candidate: int, stems: frozenset[str]) -> float:
    return share_said(stems, reading.outline.nodes[candidate].text(deep=True))


def _may_replace(reading: Reading, other: int, best: int) -> bool:
    """Tell whether a candidate stands apart from the best one and is running text of comparable length."""
    outline = reading.outline
    return (
        not outline.contains(other, best)
        and not outline.contains(best, other)
        and reading.running_text(other) > max(_SHORTEST_OTHER, _SHARE_OF_BEST * reading.running_text(best))
        and outline.link_density(other) < _MOST_LINKED
    )


def _probes(quoted: str) -> list[str]:
    if len(quoted) < _SHORTEST_QUOTED_BODY:
        return []
    step = max(60, len(quoted) // _MOST_PROBES)
    starts = range(0, len(quoted) - _PROBE_LENGTH, step)
    return [squeeze(quoted[start : start + _PROBE_LENGTH]) for start in starts][:_MOST_PROBES]


def _cut_out(reading: Reading, container: int, metadata: Metadata, fetched_at: datetime) -> _Content:
    """Return what a container holds of the article, its standfirst first; what is furniture is cut from the tree."""
    outline, headline = reading.outline, reading.headline
    standfirst = find_standfirst(reading, container, metadata.summary or "")
    captions = read_captions(reading, container)
    publication = metadata.publication if metadata.is_declared_article else None
    day = Day(publication.moment, fetched_at) if publication else None
    entries = mark_entries(reading, container, is_declared=bool(metadata.updates), day=day)
    cut = cut_boilerplate(reading, container)
    cut_times(outline, entries, cut)
    if not standfirst:
        mark_standfirst(outline, container, headline, cut)
    _simplify(outline, container, cut)
    fragment = read_fragment(_BETWEEN_BLOCKS.sub(">", outline.nodes[container].html or ""))
    blocks = [block for block in article_blocks(fragment.blocks, metadata.title) if block.kind is not BlockKind.CAPTION]
    if standfirst and not any(standfirst[:50] in block.text for block in blocks):
        blocks = [Block(BlockKind.STANDFIRST, standfirst), *blocks]
    if is_gallery(text_of_blocks(blocks), captions):
        blocks += [Block(BlockKind.CAPTION, caption) for caption in captions]
    return _Content(blocks=blocks, captions=captions, tables=tuple(fragment.tables), posted=entries.posted)


def _simplify(outline: Outline, container: int, cut: set[int]) -> None:
    """Take out of the container what says nothing about its blocks: formatting, links in text, endless nesting."""
    node = outline.nodes[container]
    if outline.tags[container] in INLINE_TAGS:
        return
    end = 0
    for index in range(container, outline.ends[container]):
        if index in cut:
            end = max(end, outline.ends[index])
        elif index < end:
            continue
        elif outline.depths[index] - outline.depths[container] > _DEEPEST and outline.tags[index] != "p":
            outline.nodes[index].unwrap()
        elif outline.tags[index] == "p" and 0 < outline.link_density(index) < _RUNNING:
            outline.nodes[index].unwrap_tags(["a"])
    node.unwrap_tags(list(INLINE_TAGS))


def _share_of_running_text(reading: Reading, container: int) -> float:
    page = reading.prose(0)
    return reading.prose(container) / page if page else 0.0


def _confidence(text: str, metadata: Metadata, share: float) -> float:
    """Return how far the text can be trusted (0 to 1): it holds the page's prose, is long, and is what is described."""
    described = metadata.summary or metadata.quoted_body[:300]
    agrees = float(bool(described) and agreement(described, [text[:_LONG_ENOUGH]]) >= _AGREES)
    return round(0.5 * min(1.0, share) + 0.3 * min(1.0, len(text) / _LONG_ENOUGH) + 0.2 * agrees, 3)
