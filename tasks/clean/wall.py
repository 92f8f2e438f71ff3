"""Whether a text is all of its article: what the page declares, and what it shows."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tasks.clean.blocks import BETWEEN
from tasks.clean.container import squeeze
from tasks.clean.metadata.gather import Metadata
from tasks.clean.nodes import Tree

_ELLIPSES = ("…", "...", "[…]", "[...]")
# A barred article shows this much at most; longer texts end in an ellipsis because their writers like them.
_LONGEST_STUB = 1_500
# JSON-LD counts this many times the words that are there; some sites give characters for words.
_MISSING_WORDS, _MISSED_WORDS = 1.6, 1.1
_CHARACTERS_FOR_WORDS = (0.8, 1.1)
# Blocks at the end of a text that are looked for in the part for subscribers, and the letters of each that are.
_LAST_BLOCKS, _PROBE = 3, 60
# A class, an id, an attribute, without combinators.
_SIMPLE = re.compile(r"[a-z0-9]*(?:[.#][\w-]{1,80}|\[[\w-]{1,80}\]){1,4}", re.ASCII | re.IGNORECASE)
_MOST_SELECTORS = 8
_MOST_CHARACTERS = 1_000_000


@dataclass(frozen=True, slots=True)
class Wall:
    """What stands between a reader and an article: `is_barred` where a box asks to pay or log in.

    `walled` is the text of the parts that are declared to be for subscribers, its word characters alone.
    """

    is_barred: bool
    walled: str


def read_wall(tree: Tree, selectors: Sequence[str], *, is_barred: bool) -> Wall:
    """Read the parts of a page that are declared to be for subscribers, before anything is cut."""
    return Wall(is_barred, "".join(squeeze(text) for text in _texts(tree, selectors)))


def _texts(tree: Tree, selectors: Iterable[str]) -> Iterator[str]:
    """Yield the texts of the elements that simple selectors choose; a page may not make us work for it."""
    simple = [each for selector in selectors for part in selector.split(",") if _SIMPLE.fullmatch(each := part.strip())]
    left = _MOST_CHARACTERS
    for selector in simple[:_MOST_SELECTORS]:
        for node in tree.css(selector):
            text = node.text(deep=True)
            yield text
            if (left := left - len(text)) < 0:
                return


def is_truncated(text: str, metadata: Metadata, wall: Wall) -> bool:
    """Tell whether a text is only the beginning of its article: by its words, by what is walled off, by how it ends."""
    is_walled = metadata.is_paywalled or wall.is_barred
    words = len(text.split()) if metadata.word_count and " " in text else 0
    if words:
        if metadata.word_count <= _MISSED_WORDS * words:
            return False
        if metadata.word_count > _MISSING_WORDS * words and (is_walled or not _counts_characters(metadata, text)):
            return True
    if len(text) >= _LONGEST_STUB:
        return False
    return text.endswith(_ELLIPSES) or (metadata.is_paywalled and not _ends_in(text, wall.walled))


def _counts_characters(metadata: Metadata, text: str) -> bool:
    least, most = _CHARACTERS_FOR_WORDS
    return least * len(text) <= metadata.word_count <= most * len(text)


def _ends_in(text: str, walled: str) -> bool:
    """Tell whether the end of a text stands in the part for subscribers: then that part is shown."""
    last = (squeeze(block)[:_PROBE] for block in text.split(BETWEEN)[-_LAST_BLOCKS:])
    return any(probe and probe in walled for probe in last)
