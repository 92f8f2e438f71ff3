"""How many words a text has, also where words are not parted by spaces."""

import re

# Han, kana and Thai are written without spaces.
_UNSPACED = r"\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_CHARACTER = re.compile(f"[{_UNSPACED}]")
# From the first letter or digit of a run to its end.
_WORD = re.compile(rf"[^\W_{_UNSPACED}][^\s{_UNSPACED}]*")


def count_words(text: str) -> int:
    """Return the number of words: runs between spaces, and two characters a word where a script has no spaces.

    Two characters are about the mean length of a Chinese word.

    >>> count_words("The harbour opened on Monday.")
    5
    >>> count_words("港口星期一开放")
    4
    """
    return (len(_CHARACTER.findall(text)) + 1) // 2 + len(_WORD.findall(text))
