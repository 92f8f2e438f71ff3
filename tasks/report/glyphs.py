"""Make the characters one cannot see visible: each becomes a small named glyph, with its full name as a tooltip."""

import re
import unicodedata

from markupsafe import Markup, escape

# Short names as typographers and the Unicode charts write them; every other invisible character shows its code point.
SHORT_NAMES = {
    "\t": "TAB",
    "\n": "¶",
    "\r": "CR",
    " ": "␣",
    "\N{NO-BREAK SPACE}": "NBSP",
    "\N{SOFT HYPHEN}": "SHY",
    "\N{OGHAM SPACE MARK}": "OSM",
    "\N{EN SPACE}": "ENSP",
    "\N{EM SPACE}": "EMSP",
    "\N{FIGURE SPACE}": "FSP",
    "\N{THIN SPACE}": "THSP",
    "\N{HAIR SPACE}": "HSP",
    "\N{ZERO WIDTH SPACE}": "ZWSP",
    "\N{ZERO WIDTH NON-JOINER}": "ZWNJ",
    "\N{ZERO WIDTH JOINER}": "ZWJ",
    "\N{LEFT-TO-RIGHT MARK}": "LRM",
    "\N{RIGHT-TO-LEFT MARK}": "RLM",
    "\N{LINE SEPARATOR}": "LSEP",
    "\N{PARAGRAPH SEPARATOR}": "PSEP",
    "\N{NARROW NO-BREAK SPACE}": "NNBSP",
    "\N{WORD JOINER}": "WJ",
    "\N{IDEOGRAPHIC SPACE}": "IDSP",
    "\N{ZERO WIDTH NO-BREAK SPACE}": "BOM",
}

# Letters to Unicode, yet drawn as nothing: Hangul fillers, the braille blank, the combining grapheme joiner.
BLANK_LETTERS = "\u034f\u115f\u1160\u2800\u3164\uffa0"

INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"})

# A space is worth seeing where it is doubled, or where the edit holds no word; between words it speaks for itself.
TELLING_SPACES = re.compile(r" {2,}")
WORDLESS_SPACES = re.compile(r" +")


def is_invisible(character: str) -> bool:
    """Say whether a reader could miss this character; the ordinary space does not count.

    >>> [is_invisible(character) for character in "a \\u00a0"]
    [False, False, True]
    """
    if character == " " or character.isalnum():
        return character in BLANK_LETTERS
    return unicodedata.category(character) in INVISIBLE_CATEGORIES or _is_variation_selector(character)


def _is_variation_selector(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef" or character in BLANK_LETTERS


def glyph(character: str) -> Markup:
    """Return the named glyph of one invisible character.

    >>> glyph("\\u00a0")
    Markup('<abbr class="glyph" title="No-break space, U+00A0" data-code="00A0">NBSP</abbr>')
    """
    code = f"{ord(character):04X}"
    name = unicodedata.name(character, "control or unassigned character").capitalize()
    return Markup('<abbr class="glyph" title="{}, U+{}" data-code="{}">{}</abbr>').format(
        name, code, code, SHORT_NAMES.get(character, f"U+{code}")
    )


def reveal(text: str, *, spaces: bool = True) -> Markup:
    """Escape a piece of an edit, with every invisible character, and every telling space, as a glyph.

    >>> reveal("rain\\u00a0!")
    Markup('rain<abbr class="glyph" title="No-break space, U+00A0" data-code="00A0">NBSP</abbr>!')
    """
    pattern = TELLING_SPACES if any(map(str.isalnum, text)) else WORDLESS_SPACES
    telling = {at for match in pattern.finditer(text) for at in range(*match.span())} if spaces else set()
    return Markup("").join(
        glyph(character) if at in telling or is_invisible(character) else escape(character)
        for at, character in enumerate(text)
    )


def legible(text: str) -> Markup:
    """Escape running text: spaces of every kind stay spaces, what is drawn as nothing at all becomes a glyph.

    >>> legible("fin de\\n saison\\u00a0?")
    Markup('fin de saison\\xa0?')
    """
    return Markup("").join(
        glyph(character) if is_invisible(character) and unicodedata.category(character) != "Zs" else escape(character)
        for character in re.sub(r"[ \t\r\n]+", " ", text)
    )
