"""Spaces, line ends and characters that must never reach a row."""

import re

# C0 and C1 controls, lone surrogates and the byte order mark carry no text. A soft hyphen is a layout hint.
_UNSPEAKABLE = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\ud800-\udfff\ufeff\ufffe\uffff]")
# French sets them before ; : ! ? and between thousands, and is right to.
_NO_BREAK, _NARROW_NO_BREAK = "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}"
_NOISE = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x9f\ufffd]")
_BEGINNING = 4096
# A stray control or a byte that was damaged on its way is common; one in twenty is no text.
_MOST_NOISE = 0.05
# All white space but a single space, plain or no-break.
_LAYOUT = re.compile(rf"\s{{2,}}|[^\S {_NO_BREAK}{_NARROW_NO_BREAK}]")


def tidy(text: str) -> str:
    r"""Put `text` on one line with single spaces and without control characters or lone surrogates.

    A no-break space stays one where it stands alone between words; where it was layout, it is a space like others.

    >>> tidy(" one\r\n\ttwo\x00 \N{NO-BREAK SPACE}three\ud800 vrai\N{NO-BREAK SPACE}! ")
    'one two three vrai\xa0!'
    """
    if _NO_BREAK in text or _NARROW_NO_BREAK in text:
        return _LAYOUT.sub(" ", _UNSPEAKABLE.sub("", text)).strip()
    return flat(text)


def flat(text: str) -> str:
    """Do what `tidy` does, with plain spaces only: for names, addresses and whatever else is compared.

    >>> flat("Anna\N{NO-BREAK SPACE}Berg")
    'Anna Berg'
    """
    plain = " ".join(text.split())
    # Most text holds nothing unspeakable, and this tells a good deal sooner.
    return plain if plain.isprintable() else " ".join(_UNSPEAKABLE.sub("", text).split())


def is_noise(text: str) -> bool:
    r"""Tell whether the beginning of a decoded text is nothing a person wrote: too many controls, or not decodable.

    >>> is_noise("A line.\n\tAnother."), is_noise("PK\x03\x04\x14\x00\x06\x00\x08")
    (False, True)
    """
    beginning = text[:_BEGINNING]
    return len(_NOISE.findall(beginning)) > _MOST_NOISE * len(beginning)
