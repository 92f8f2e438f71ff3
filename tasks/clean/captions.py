"""What is written under an article's pictures."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from tasks.clean.labels import words_of
from tasks.clean.nodes import parted_text_of
from tasks.clean.outline import Outline
from tasks.clean.phrases import is_credit
from tasks.clean.reading import Reading

_LABEL = re.compile(r" (?:captions?|captiontext|bildunterschrift|bildtext|legende|didascalia|pie de foto) ")
_LONGEST = 1_000
_MOST_LINKED = 0.5
_BOX_TAGS = frozenset({"aside", "footer"})
# Words that mark furniture (`data/classes.toml`) and where pictures stand.
_PICTURE_WORDS = (
    *("caption", "wp caption", "credit", "copyright", "photo credit", "image credit"),
    *("gallery", "slideshow", "carousel", "slider", "slick", "swiper", "lightgallery", "lightbox"),
)
_LETTER = re.compile(r"[^\W_]")
_MOST = 200
# Shorter captions name who is shown; so many longer ones can tell a story.
_SHORTEST_RUNNING, _FEWEST_OF_GALLERY = 30, 4
_TIMES_THE_REST = 2


def read_captions(reading: Reading, container: int) -> tuple[str, ...]:
    """Return the captions between headline and end of the container, in the page's order, each once, no mere credits.

    To be called before furniture is cut: what marks a caption marks furniture, too.
    """
    outline, headline = reading.outline, reading.headline
    start = container if headline is None else min(container, headline)
    found: dict[str, None] = {}
    for index in _captions(reading, start + 1, container):
        text = parted_text_of(outline.nodes[index])
        if len(text) <= _LONGEST and _LETTER.search(text) and not is_credit(text):
            found[text] = None
    return tuple(found)[:_MOST]


def is_gallery(text: str, captions: Sequence[str]) -> bool:
    """Tell whether the captions are the article: several of them, beside hardly any other text.

    >>> is_gallery("The regatta in pictures.", ["A crew of eight rows home at dusk."] * 4)
    True
    """
    running = [caption for caption in captions if len(caption) >= _SHORTEST_RUNNING]
    return len(running) >= _FEWEST_OF_GALLERY and sum(map(len, running)) > _TIMES_THE_REST * len(text)


def _captions(reading: Reading, start: int, container: int) -> Iterator[int]:
    """Yield the elements that hold a caption, none of them in another, and none in a box or a comment."""
    outline, past = reading.outline, start
    for index in range(start, outline.ends[container]):
        if index < past or not outline.length[index]:
            continue
        if _is_box(reading, index, container):
            past = outline.ends[index]
        elif is_caption(outline, index):
            past = outline.ends[index]
            if outline.link_density(index) <= _MOST_LINKED:
                yield index


def is_caption(outline: Outline, index: int) -> bool:
    """Tell whether an element is a caption, by its tag or by what the page's author calls it."""
    tag, label = outline.tags[index], outline.labels[index]
    return tag == "figcaption" or (bool(label) and tag not in ("caption", "figure") and _names_a_caption(label))


@lru_cache(maxsize=4_096)
def _names_a_caption(label: str) -> bool:
    return _LABEL.search(words_of(label)) is not None


def _is_box(reading: Reading, index: int, container: int) -> bool:
    """Tell whether an element is furniture, other than that of pictures, and not what the article stands in."""
    outline, junk = reading.outline, reading.outline.traits[index].junk
    is_furniture = outline.tags[index] in _BOX_TAGS or (junk and not junk.startswith(_PICTURE_WORDS))
    return bool(is_furniture or reading.is_comment[index]) and not outline.contains(index, container)
