"""Characters that were read in the wrong encoding, or that only look like the right ones."""

import re
from collections.abc import Iterator

from tasks.artifacts.habits import Habits
from tasks.artifacts.rule import Category, Mechanism, Rule, Safety
from tasks.artifacts.surroundings import after, before
from tasks.artifacts.words import table

_CONTINUATION = "\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"

_MOJIBAKE = re.compile(
    rf"(?:(?<![A-ZÀ-Ý])[ÂÃ][{_CONTINUATION}]"
    rf"|(?<=[A-ZÀ-Ý])[ÂÃ][{_CONTINUATION}](?=[a-z]))"  # after a capital it is a letter of its own: AMANHÃ, KÂ
    rf"|â[\u0080-\u0084\u0086\u0088€‚„†ˆ][{_CONTINUATION}]"
    r"|â€(?=[\s.,;:?!)]|$)"  # the last byte of ” has no character in cp1252 and is often lost
    r"|ï»¿"
    rf"|ðŸ[{_CONTINUATION}]{{2}}"
    rf"|(?<=[a-z])[ÄÅ][{_CONTINUATION}](?=[a-z])"
    rf"|(?:[ÐÑ][{_CONTINUATION}]){{3,}}|(?:[ÎÏ][{_CONTINUATION}]){{3,}}|(?:[ØÙÚÛ][{_CONTINUATION}]){{3,}}"
    r"|‚Ä[îìòôúù¶]"
)
_TRUNCATED = {"â€": "”", "ï»¿": ""}

_LOOKALIKES = str.maketrans("АВЕЅІЈКМНОРСТХУасеіјорѕху", "ABESIJKMHOPCTXYaceijopsxy")
_CYRILLIC = str.maketrans("ABEKMHOPCTXaceopxy", "АВЕКМНОРСТХасеорху")
_SIGNS = {row[0]: row[1] for row in table("foreign_signs")}
_EAST_ASIAN = r"\u0590-\u05ea\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af"
_ZEROS = "\u0660\u06f0\u0966\u09e6\u0e50"
_DIGITS = "".join(chr(ord(zero) + value) for zero in _ZEROS for value in range(10))
_DIGIT_SCRIPTS = (
    r"\u0620-\u065f\u066e-\u06ef\u06fa-\u06ff\u0900-\u0965\u0970-\u09e5\u09f0-\u09ff\u0e01-\u0e4f\u0e5a-\u0e5f"
)
_MIXED_WORD = re.compile(r"(?<!\w)(?=[^\W\d_]*[A-Za-z])(?=[^\W\d_]*[\u0400-\u04ff])[A-Za-z\u0400-\u04ff]{3,}(?!\w)")


def _decode(garbled: str) -> str | None:
    """Return what the bytes meant as UTF-8, or None where they do not make sense as that.

    >>> _decode("â€™"), _decode("Ã©"), _decode("‚Äô"), _decode("Ãx")
    ('’', 'é', '’', None)
    """
    if garbled in _TRUNCATED:
        return _TRUNCATED[garbled]
    try:
        if garbled.startswith("‚Ä"):
            return garbled.encode("mac_roman").decode("utf-8")
        return b"".join(_byte(character) for character in garbled).decode("utf-8")
    except UnicodeError:
        return None


def _byte(character: str) -> bytes:
    """Return the byte a character was read from: Windows-1252, with Latin-1 for what that leaves open."""
    try:
        return character.encode("cp1252")
    except UnicodeEncodeError:
        return character.encode("latin-1")


def _mojibake(text: str, _: Habits) -> Iterator[tuple[int, int, str | None]]:
    for match in _MOJIBAKE.finditer(text):
        decoded = _decode(match[0])
        if decoded is not None and not any("\x7f" <= character < "\xa0" for character in decoded):
            yield match.start(), match.end(), decoded


def _control(match: re.Match[str], _: Habits) -> str | None:
    try:
        return match[0].encode("latin-1").decode("cp1252")
    except UnicodeError:
        return None


def _latin(match: re.Match[str], _: Habits) -> str | None:
    latin = match[0].translate(_LOOKALIKES)
    return latin if latin.isascii() else None


def _cyrillic(match: re.Match[str], _: Habits) -> str | None:
    """Return the word in Cyrillic where only a minority of its letters are Latin, all of them lookalikes."""
    latin = sum(letter.isascii() for letter in match[0])
    cyrillic = match[0].translate(_CYRILLIC)
    return cyrillic if 2 * latin < len(match[0]) and not any(letter.isascii() for letter in cyrillic) else None


def _western(match: re.Match[str], _: Habits) -> str:
    """Return a number in Western digits, its marks for decimals and thousands as well."""
    marks = {"\u066b": ".", "\u066c": ","}
    return "".join(str(int(sign)) if sign.isdigit() else marks.get(sign, sign) for sign in match[0])


def _narrow(match: re.Match[str], _: Habits) -> str:
    return "".join(chr(ord(character) - 0xFEE0) for character in match[0])


RULES = (
    Rule(
        id="mojibake",
        category=Category.CHARACTER_ENCODING,
        mechanism=Mechanism.ENCODING,
        safety=Safety.ALWAYS,
        confidence=0.98,
        cues=("Ã", "Â", "â", "ï»", "ðŸ", "Ä", "Å", "Ð", "Ñ", "Î", "Ï", "Ø", "Ù"),
        finder=_mojibake,
        why="Bytes of UTF-8 were read as Windows-1252, Latin-1 or Mac Roman. Read back only where the bytes can mean "
        "nothing else: é, no-break space, » are the bytes of a Chinese character, and French.",
        reference="The Unicode Standard, table 3-7: well-formed UTF-8 byte sequences",
        mends={
            "The mayor said it wasnâ€™t over.": "The mayor said it wasn’t over.",
            "A cafÃ© in OrlÃ©ans closed.": "A café in Orléans closed.",
            "It cost Â£40 in NÃ®mes.": "It cost £40 in Nîmes.",
            "They donâ\x80\x99t agree.": "They don’t agree.",
            "The ferry didn‚Äôt leave.": "The ferry didn’t leave.",
            "“We will see,â€ she said.": "“We will see,” she said.",
            "The cafÃƒÂ© is open.": "The café is open.",
            "The word is Ð“Ð¾Ñ€Ð¾Ð´.": "The word is Город.",
        },
        keeps=(
            "«\u00a0Le café\u00a0», dit-il.",
            "„Das Ä“ sagte er.",
            "Ele volta AMANHÃ”, disse.",
            "L’âge d’or du château",
            "São Paulo e Maranhão",
        ),
    ),
    Rule(
        id="control-character-punctuation",
        category=Category.CHARACTER_ENCODING,
        mechanism=Mechanism.ENCODING,
        safety=Safety.ALWAYS,
        confidence=0.98,
        pattern=re.compile("[\x80\x82-\x8c\x8e\x91-\x9c\x9e\x9f]"),
        cues=tuple(map(chr, range(0x80, 0xA0))),
        replacement=_control,
        why="Windows-1252 quotes and dashes read as Latin-1 become control characters that nobody sees.",
        reference="WHATWG Encoding Standard, windows-1252",
        mends={"It wasn\x92t clear \x96 not yet.": "It wasn’t clear – not yet."},
        keeps=("It wasn’t clear – not yet.", "A tab\tis a control character too."),
    ),
    Rule(
        id="replacement-character",
        category=Category.CHARACTER_ENCODING,
        mechanism=Mechanism.ENCODING,
        safety=Safety.DETECT,
        pattern=re.compile("\ufffd+|\u00ef\u00bf\u00bd"),
        cues=("\ufffd", "\u00ef\u00bf\u00bd"),
        why="A character was lost on the way; which one, only an editor can say.",
        reference="The Unicode Standard, U+FFFD",
        finds=("The caf\ufffd was closed.", "It\u00ef\u00bf\u00bds closed."),
        keeps=("The café was closed.", "Was it closed?"),
    ),
    Rule(
        id="question-mark-for-apostrophe",
        category=Category.CHARACTER_ENCODING,
        mechanism=Mechanism.ENCODING,
        safety=Safety.ALWAYS,
        languages=frozenset({"en"}),
        pattern=re.compile(r"(?<=[a-z]n)\?(?=t[ .,;:!”\"\n])|(?<=[a-z])\?(?=(?:s|re|ve|ll) [a-z])"),
        cues=tuple(f"?{ending}" for ending in ("t", "s ", "re ", "ve ", "ll ")),
        replacement=lambda _, habits: habits.apostrophe,
        why="A curly apostrophe went through a step that knew no such character and wrote ? for it.",
        reference="MQM, Linguistic conventions: Character encoding",
        mends={"She can?t stay, and it?s late.": "She can't stay, and it's late."},
        keeps=("Can she? Tea is late.", "See /page?s=1 and /in?t=2.", "Is it?so he asked."),
    ),
    Rule(
        id="lookalike-letter",
        category=Category.SPELLING,
        mechanism=Mechanism.ENCODING,
        safety=Safety.ALWAYS,
        languages=frozenset({"en", "de", "es", "fr", "it", "pt", "nl"}),
        sources=frozenset({"ru", "uk", "bg"}),
        pattern=_MIXED_WORD,
        cues=tuple("АВЕЅІЈКМНОРСТХУасеіјорѕху"),
        replacement=_latin,
        telling=True,
        why="A Cyrillic letter that looks like a Latin one stands in a Latin word, copied there from the source.",
        reference="Unicode Technical Standard 39, confusables",
        mends={
            "The \u0421ouncil of Europe met.": "The Council of Europe met.",
            "Prices in Cz\u0435chia rose.": "Prices in Czechia rose.",
        },
        keeps=("The Council of Europe met.", "The word Совет means council.", "The sign says САМ."),
    ),
    Rule(
        id="full-width-letter",
        category=Category.CHARACTER_ENCODING,
        mechanism=Mechanism.ENCODING,
        safety=Safety.ALWAYS,
        languages=frozenset({"en", "de", "es", "fr", "it", "pt", "nl"}),
        sources=frozenset({"zh", "ja", "ko"}),
        pattern=re.compile(
            r"(?<![\u3040-\u30ff\u4e00-\u9fff０-９Ａ-Ｚａ-ｚ])[０-９Ａ-Ｚａ-ｚ]+(?![\u3040-\u30ff\u4e00-\u9fff０-９Ａ-Ｚａ-ｚ])"
        ),
        cues=tuple(
            "０１２３４５６７８９ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ"
        ),
        replacement=_narrow,
        telling=True,
        why="East Asian texts set Latin letters and digits in full width; the translation kept them.",
        reference="Unicode Standard Annex 11, East Asian width",
        mends={"The Ｇ２０ leaders met in 2024.": "The G20 leaders met in 2024."},
        keeps=("The G20 leaders met in 2024.", "株式会社ＡＢＣ東京"),
    ),
    Rule(
        id="foreign-sign",
        category=Category.CHARACTER_ENCODING,
        mechanism=Mechanism.ENCODING,
        safety=Safety.ALWAYS,
        languages=frozenset({"en", "de", "es", "fr", "it", "pt", "nl"}),
        sources=frozenset({"zh", "ja", "ko", "he"}),
        pattern=re.compile(rf"(?<![{_EAST_ASIAN}])[{''.join(_SIGNS)}](?![{_EAST_ASIAN}])"),
        cues=tuple(_SIGNS),
        replacement=lambda match, habits: habits.apostrophe if _SIGNS[match[0]] == "'" else _SIGNS[match[0]],
        telling=True,
        why="A sign in full width or in Hebrew form stands between Latin letters, copied there from the source.",
        reference="Unicode Standard Annex 11, East Asian width; The Unicode Standard, Hebrew",
        mends={
            "Harper＆Co paid ＄5 a share＋tax.": "Harper&Co paid $5 a share+tax.",
            "The Tel\u05beAviv mayor said \u05f4no\u05f4.": 'The Tel-Aviv mayor said "no".',
        },
        keeps=("Harper & Co paid $5 a share.", "株式会社＆東京", "\u05e6\u05d4\u05f4\u05dc means army."),
    ),
    Rule(
        id="foreign-digit",
        category=Category.NUMBER_FORMAT,
        mechanism=Mechanism.ENCODING,
        safety=Safety.ALWAYS,
        languages=frozenset({"en", "de", "es", "fr", "it", "pt", "nl"}),
        sources=frozenset({"ar", "fa", "ur", "hi", "bn", "th"}),
        pattern=re.compile(
            rf"(?<![{_DIGIT_SCRIPTS}])[{_DIGITS}]+(?:[.,\u066b\u066c][{_DIGITS}]+)*(?![{_DIGIT_SCRIPTS}])"
        ),
        cues=tuple(_DIGITS),
        unless=lambda match, _: (
            re.search(rf"[{_DIGIT_SCRIPTS}] \Z|^ [{_DIGIT_SCRIPTS}]", before(match, 2)) is not None
            or re.match(rf" [{_DIGIT_SCRIPTS}]", after(match, 2)) is not None
        ),
        replacement=_western,
        telling=True,
        why="The number kept the digits of its source's script.",
        reference="The Unicode Standard, general category Nd",
        mends={
            "Some \u0663\u0665 people paid \u0661\u066b\u0665 million.": "Some 35 people paid 1.5 million.",
            "On \u0967\u0968 May it rained.": "On 12 May it rained.",
        },
        keeps=("Some 35 people came.", "\u0639\u0627\u0645 \u0662\u0660\u0662\u0664 is a year."),
    ),
    Rule(
        id="direction-mark",
        category=Category.CHARACTER_ENCODING,
        mechanism=Mechanism.ENCODING,
        safety=Safety.GATED,
        languages=frozenset({"en", "de", "es", "fr", "it", "pt", "nl", "ru"}),
        sources=frozenset({"ar", "fa", "he"}),
        pattern=re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\u061c]+"),
        cues=tuple("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c"),
        replacement="",
        listed=False,
        why="Marks that turn the direction of writing have no work to do between Latin letters.",
        reference="Unicode Standard Annex 9, directional formatting characters",
        mends={"The minister\u200f agreed\u202c.": "The minister agreed."},
        keeps=("The minister agreed.", "A zero\u200bwidth space"),
    ),
    Rule(
        id="lookalike-cyrillic",
        category=Category.SPELLING,
        mechanism=Mechanism.ENCODING,
        safety=Safety.GATED,
        languages=frozenset({"ru", "uk", "bg"}),
        sources=frozenset({"en"}),
        pattern=_MIXED_WORD,
        unless=lambda match, habits: _cyrillic(match, habits) is None,
        replacement=_cyrillic,
        listed=False,
        why="A Latin letter that looks like a Cyrillic one stands in a Cyrillic word. Keyboards do so too: gated.",
        reference="Unicode Technical Standard 39, confusables",
        mends={"Это M\u043eсква, столица.": "Это \u041cосква, столица."},
        keeps=("Это \u041cосква, столица.", "Телефон iPhone и Wi-Fi", "Сеть YouTubе"),
    ),
)
