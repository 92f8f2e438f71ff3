"""How many words a text has, also where words are not parted by spaces."""

import re

# Han, kana and Thai are written without spaces.
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")


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
