"""How many words a text has, and whether spaces part them."""

import re

# Han, kana, Thai, Lao, Burmese and Khmer are written without spaces.
_SCRIPTS = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_UNSPACED = re.compile(f"[{_SCRIPTS}]")
# From the first letter or digit of a run to its end.
_SPACED_WORD = re.compile(rf"[^\W_{_SCRIPTS}][^\s{_SCRIPTS}]*")
_MOST_UNSPACED = 1 / 3  # of the characters, figures and marks among them


def count_words(text: str) -> int:
    """Return the number of words: runs between spaces, and two characters a word where a script has no spaces.

    Two characters are about the mean length of a Chinese word.

    >>> count_words("The harbour opened on Monday.")
    5
    >>> count_words("港口星期一开放")
    4
    """
    return (len(_UNSPACED.findall(text)) + 1) // 2 + len(_SPACED_WORD.findall(text))


def has_spaces(text: str) -> bool:
    """Tell whether a text is in a script that parts words by spaces.

    >>> has_spaces("The harbour of 上海 opened."), has_spaces("上海港2024年开放。")
    (True, False)
    """
    return text.isascii() or len(_UNSPACED.findall(text)) <= _MOST_UNSPACED * len(text)
