"""What the names that page authors give their elements tell about their content."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from tasks.clean.data import vocabulary

# "articleShareBAR2" is read as article, share, bar.
_LABEL_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_ANY_LETTERS = "[a-z]*"


class _Branch(dict[str, "_Branch"]):
    """Letters that may follow, each with what follows it; the empty key where a word may end."""


def _pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Compile words into one pattern that tries few branches at each letter."""
    root = _Branch()
    for word in words:
        branch = root
        for letter in word:
            branch = branch.setdefault(letter, _Branch())
        branch[""] = _Branch()
    return re.compile(f" ({_alternatives(root)})(?= )")


def _alternatives(branch: _Branch) -> str:
    parts = [_step(letter) + _alternatives(below) for letter, below in branch.items() if letter]
    # The end of a word comes last, so that the longest word is found.
    parts += [""] if "" in branch else []
    return parts[0] if len(parts) == 1 else f"(?:{'|'.join(parts)})"


def _step(letter: str) -> str:
    return _ANY_LETTERS if letter == "*" else re.escape(letter)


_WORDS = vocabulary("classes")
_JUNK, _BODY, _STANDFIRST = (_pattern(_WORDS[name]) for name in ("junk", "body", "standfirst"))
_COMMENTS, _PAYWALL = (_pattern(_WORDS[name]) for name in ("comments", "paywall"))
# Most labels say nothing; one search tells.
_STATES = _pattern(_WORDS["states"])
_TELLING = _pattern((*_WORDS["junk"], *_WORDS["comments"], *_WORDS["paywall"]))
_BODY_ALONE = frozenset(_WORDS["body_alone"])


@dataclass(frozen=True, slots=True)
class Traits:
    """What a label says about an element: the word that marks it as furniture (or none), comments, a paywall."""

    junk: str = ""
    is_comments: bool = False
    is_paywall: bool = False


_NEUTRAL = Traits()


@lru_cache(maxsize=16_384)
def traits_of(label: str) -> Traits:
    """Read a label: an element's classes and id. A word for an article's body overrides those for furniture.

    >>> traits_of("c-share-bar").junk, traits_of("article-body right-sidebar").junk, traits_of("comments-open").junk
    ('share', '', '')
    """
    words = words_of(label)
    if not _TELLING.search(words):
        return _NEUTRAL
    words = _STATES.sub("", words)
    junk = _JUNK.search(words)
    return Traits(
        junk=junk[1] if junk and not is_body(label) else "",
        is_comments=bool(_COMMENTS.search(words)),
        is_paywall=bool(_PAYWALL.search(words)),
    )


def words_of(label: str) -> str:
    """Return a label's words in lower case, each with a blank before and after.

    >>> words_of("articleShare-bar_2")
    ' article share bar '
    """
    return f" {' '.join(_LABEL_WORD.findall(label)).lower()} "


@lru_cache(maxsize=4_096)
def is_body(label: str) -> bool:
    """Tell whether a label names an article's body.

    >>> is_body("post__content"), is_body("post"), is_body("post-date")
    (True, True, False)
    """
    words = words_of(label)
    return bool(_BODY.search(words)) or words.strip() in _BODY_ALONE


@lru_cache(maxsize=4_096)
def is_standfirst(label: str) -> bool:
    """Tell whether a label names a standfirst.

    >>> is_standfirst("article__standfirst")
    True
    """
    return bool(_STANDFIRST.search(words_of(label)))
