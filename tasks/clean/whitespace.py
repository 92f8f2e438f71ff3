"""Spaces, line ends and characters that must never reach a row."""

import re

# C0 and C1 controls, lone surrogates and the byte order mark carry no text. A soft hyphen is a layout hint.
_UNSPEAKABLE = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\ud800-\udfff\ufeff\ufffe\uffff]")


def tidy(text: str) -> str:
    r"""Put `text` on one line with single spaces and without control characters or lone surrogates.

    >>> tidy(" one\r\n\ttwo\x00 \N{NO-BREAK SPACE}three\ud800 ")
    'one two three'
    """
    return " ".join(_UNSPEAKABLE.sub("", text).split())
