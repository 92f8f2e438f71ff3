"""How many words a text has, and whether spaces part them."""

import re

# Han, kana, Thai, Lao, Burmese and Khmer are written without spaces.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_MOST_UNSPACED = 1 / 3  # of the characters, figures and marks among them


def count_words(text: str) -> int:
    """Return the number of words: runs between spaces, and two characters a word where a script has no spaces.

    Two characters are about the mean length of a Chinese word.

    >>> count_words("The harbour opened on Monday.")
    5
    >>> count_words("港口星期一开放")
    4
    """
    unspaced, spaced = len(_UNSPACED.findall(text)), _UNSPACED.sub(" ", text)
    return (unspaced + 1) // 2 + sum(any(sign.isalnum() for sign in word) for word in spaced.split())


def has_spaces(text: str) -> bool:
    """Tell whether a text is in a script that parts words by spaces.

    >>> has_spaces("The harbour of 上海 opened."), has_spaces("上海港2024年开放。")
    (True, False)
    """
    return text.isascii() or len(_UNSPACED.findall(text)) <= _MOST_UNSPACED * len(text)
