"""Large numbers and money in the source language's words, signs and order."""

import re
from decimal import Decimal

from tasks.artifacts.habits import Habits
from tasks.artifacts.rule import Category, Mechanism, Rule, Safety
from tasks.artifacts.surroundings import after
from tasks.artifacts.words import listed, table

_ENGLISH = frozenset({"en"})
_DOTTED = tuple(f".{digits:03}" for digits in range(1000))
_SPACES = " \u00a0\u202f"
_PARTED = tuple(f"{left}{space}{right}" for left in range(10) for space in _SPACES for right in range(10))
_SIGNS = "$€£¥"
_AMOUNT = rf"(?:\d{{1,3}}(?:[{_SPACES}]\d{{3}})+(?:[.,]\d{{1,2}})?|\d[\d,.]*\d|\d)"
_NUMBER_WORDS = {word: english for word, english, _ in table("number_words")}
_CURRENCIES = {sign: english for sign, english, _ in table("currencies")}
_MYRIADS = {"万": 4, "萬": 4, "만": 4, "亿": 8, "億": 8, "억": 8}
_COUNTED = "|".join(sorted(listed("counted_nouns")))
_MULTIPLES = {"k": "thousand", "M": "million", "Md": "billion", "Mds": "billion", "Mrd": "billion", "Mio": "million"}


def english_digits(number: str) -> str:
    """Return a number with its thousands and decimals parted as in English, where it is plain which are which.

    >>> english_digits("130.000"), english_digits("1.234,56"), english_digits("12,50"), english_digits("1,250")
    ('130,000', '1,234.56', '12.50', '1,250')
    """
    tight = re.sub(rf"(?<=\d)[{_SPACES}](?=\d)", ".", number)
    if re.fullmatch(r"\d{1,3}(?:\.\d{3})+(?:,\d{1,2})?", tight):
        return tight.translate(str.maketrans(".,", ",."))
    return tight.replace(",", ".") if re.fullmatch(r"\d+,\d{1,2}", tight) else tight


def _spelled(value: Decimal) -> str:
    """Return an amount as English news writes it.

    >>> _spelled(Decimal(120_000)), _spelled(Decimal("3.5e8")), _spelled(Decimal(2_000_000_000))
    ('120,000', '350 million', '2 billion')
    """
    for size, name in ((Decimal(10**9), "billion"), (Decimal(10**6), "million")):
        if value >= size:
            return f"{(value / size).normalize():f} {name}"
    return f"{value.normalize():,f}"


def _sign_first(match: re.Match[str], _: Habits) -> str:
    size = f" {match['size']}" if match["size"] else ""
    return f"{match['sign']}{english_digits(match['amount'])}{size}"


def _is_range(match: re.Match[str], _: Habits) -> bool:
    return bool(re.match(r"[ \u00a0]?\d", after(match, 2)))


def _multiplied(match: re.Match[str], _: Habits) -> str:
    amount, size = english_digits(match["amount"]), _MULTIPLES[match["size"]]
    return (
        f"{match['sign']}{amount},000" if size == "thousand" and amount.isdigit() else f"{match['sign']}{amount} {size}"
    )


def _from_myriads(match: re.Match[str], _: Habits) -> str:
    value = Decimal(match["amount"].replace(",", "")).scaleb(_MYRIADS[match["size"]])
    currency = f" {_CURRENCIES[match['currency']]}" if match["currency"] else ""
    return _spelled(value) + currency + (" " if after(match, 1).isalpha() else "")


def _from_hundreds(match: re.Match[str], _: Habits) -> str:
    unit = Decimal(10**8) if match["unit"] == "hundred million" else Decimal(10**4)
    return _spelled(Decimal(match["amount"]) * unit)


def _number_word(match: re.Match[str], _: Habits) -> str:
    """Return the word in English; the stop of a short form is the sentence's as well where that ends."""
    ends = match[0].endswith(".") and re.match(r"[”\"’']?(?:\s+[A-Z“\"]|\s*\Z|\s*\n)", after(match, 4))
    return _NUMBER_WORDS[match["word"]] + ("." if ends else "")


def _keeps_its_currency(habits: Habits) -> bool:
    """Say whether a text writes a currency by its sign at home throughout."""
    return any(
        habits.text.count(sign) > 1 and not habits.has(english)
        for sign, english in _CURRENCIES.items()
        if sign in habits.text
    )


RULES = (
    Rule(
        id="continental-number",
        category=Category.NUMBER_FORMAT,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.ALWAYS,
        languages=_ENGLISH,
        sources=frozenset({"de", "es", "it", "pt", "nl", "tr", "id"}),
        cues=(*_DOTTED, *_PARTED),
        pattern=re.compile(
            rf"\d(?<![\w.,]\d)(?<!\d[{_SPACES}]\d)\d{{0,2}}(?:\.\d{{3}}|[{_SPACES}]\d{{3}})+,\d{{1,2}}(?![\d.,]*\d)"
        ),
        replacement=lambda match, _: english_digits(match[0]),
        telling=True,
        why="Stops or spaces part the thousands and a comma the decimals; both at once can mean nothing else.",
        reference="The Chicago Manual of Style, 9.57",
        mends={
            "The wall cost 1.234,56 euros of 12.500.000,5.": "The wall cost 1,234.56 euros of 12,500,000.5.",
            "The wall cost 5 000,50 euros.": "The wall cost 5,000.50 euros.",
        },
        keeps=("The wall cost 1,234.56 euros.", "Items 1.234,56.789 and 7", "Version 3.125, 6 files"),
    ),
    Rule(
        id="stop-in-thousands",
        category=Category.NUMBER_FORMAT,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"de", "es", "it", "pt", "nl", "tr", "id"}),
        cues=_DOTTED,
        pattern=re.compile(
            rf"[1-9](?<![\w.,+$€£-][1-9])\d{{0,2}}\.(?:\d{{3}}(?= (?:{_COUNTED})\b)"
            r"|000(?= (?:euros|dollars|pounds|roubles|rubles|lira|reais|pesos)\b))"
        ),
        replacement=lambda match, _: english_digits(match[0]),
        telling=True,
        why="A stop parts the thousands; before what is counted in whole numbers it cannot part decimals.",
        reference="The Chicago Manual of Style, 9.57",
        mends={"Some 12.500 people paid 30.000 euros.": "Some 12,500 people paid 30,000 euros."},
        keeps=("Some 12,500 people came.", "Petrol costs 1.459 euros.", "It weighs 1.250 tonnes."),
    ),
    Rule(
        id="currency-sign-after",
        category=Category.CURRENCY_FORMAT,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.ALWAYS,
        languages=_ENGLISH,
        sources=frozenset({"fr", "de", "es", "ru", "pt", "it"}),
        pattern=re.compile(
            rf"(?<![\d{_SIGNS},.])(?<!\d[{_SPACES}])(?P<amount>{_AMOUNT})"
            rf"(?:[ \u00a0](?P<size>million|billion|trillion))?[{_SPACES}](?P<sign>[{_SIGNS}])(?!\w)"
        ),
        cues=tuple(f"{end}{space}{sign}" for end in (*"0123456789", "illion") for space in _SPACES for sign in _SIGNS),
        unless=_is_range,
        replacement=_sign_first,
        telling=True,
        why="Much of Europe sets the currency sign after the amount, a space between them; English before it.",
        reference="The Chicago Manual of Style, 9.20",
        mends={
            "A ticket costs 12.50 €, or 15 $.": "A ticket costs €12.50, or $15.",
            "The wall cost 130.000 €, the gate 1 200,50\u00a0€.": "The wall cost €130,000, the gate €1,200.50.",
            "It cost 3.5 million €.": "It cost €3.5 million.",
        },
        keeps=("A ticket costs €12.50.", "Between 5 $10 notes", "US$ 5 €6", "In 2019\u00a0€5 was enough."),
    ),
    Rule(
        id="glued-currency-sign",
        category=Category.CURRENCY_FORMAT,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"fr", "de", "es", "pt", "it"}),
        pattern=re.compile(
            rf"(?<![\d{_SIGNS},.])(?<!\d )(?P<amount>{_AMOUNT})(?P<size>(?!))?(?P<sign>€)(?![\w{_SIGNS}])"
        ),
        cues=tuple(f"{digit}€" for digit in range(10)),
        unless=_is_range,
        replacement=_sign_first,
        why="As with a space between them; but people who live with the euro write so in English too: gated.",
        reference="The Chicago Manual of Style, 9.20",
        mends={"A ticket costs 12,50€.": "A ticket costs €12.50."},
        keeps=("A ticket costs €12.50.", "Between 5€10 and 6"),
    ),
    Rule(
        id="space-after-currency-sign",
        category=Category.CURRENCY_FORMAT,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"nl", "it", "de", "pt"}),
        pattern=re.compile(r"(?<=[$€£])(?<![A-Z]\$)[ \u00a0](?=\d)"),
        cues=("$ ", "€ ", "£ ", "$\u00a0", "€\u00a0", "£\u00a0"),
        unless=lambda match, _: match.string[max(0, match.start() - 3) : match.start() - 1].strip().isdigit(),
        replacement="",
        listed=False,
        why="Dutch and Italian set a space after the currency sign. So do people who write English there: gated.",
        reference="The Chicago Manual of Style, 9.20",
        mends={"A ticket costs € 12.50.": "A ticket costs €12.50."},
        keeps=("A ticket costs €12.50.", "It costs R$ 5.", "It costs 5 € 6 times a year."),
    ),
    Rule(
        id="short-millions",
        category=Category.CURRENCY_FORMAT,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"fr", "de"}),
        pattern=re.compile(
            rf"(?<![\w.,])(?P<amount>\d[\d.,]*\d|\d)[{_SPACES}]?(?P<size>k|Mds?|Mrd|Mio|M)\.?[{_SPACES}]?(?P<sign>€)(?!\w)"
        ),
        cues=tuple(f"{size}{space}€" for size in (*_MULTIPLES, "Mio.", "Mrd.") for space in ("", *_SPACES)),
        replacement=_multiplied,
        telling=True,
        why="French and German shorten millions and thousands of euros with letters before the sign.",
        reference="The Chicago Manual of Style, 9.20",
        mends={"The wall cost 2,5 M€, the gate 500 k€.": "The wall cost €2.5 million, the gate €500,000."},
        keeps=("The wall cost €2.5 million.", "Model 5M€x"),
    ),
    Rule(
        id="foreign-million",
        category=Category.NUMBER_FORMAT,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.ALWAYS,
        languages=_ENGLISH,
        sources=frozenset(language for _, _, language in table("number_words")),
        pattern=re.compile(
            rf"(?<=\d[ \u00a0])(?P<word>{'|'.join(map(re.escape, _NUMBER_WORDS))})(?: d['’]| of| de| di)?(?!\w)"
        ),
        cues=tuple(f"{space}{word}" for word in _NUMBER_WORDS for space in " \u00a0"),
        replacement=_number_word,
        telling=True,
        why="The number was kept with the word or the short form that its source counts in.",
        reference="MQM, Accuracy: Untranslated",
        mends={
            "The wall cost 5 Mio. euros, the gate 3 millones de euros.": (
                "The wall cost 5 million euros, the gate 3 million euros."
            ),
            "The wall cost 5 млрд roubles, the gate 2 Mio.": "The wall cost 5 billion roubles, the gate 2 million.",
        },
        keeps=("The wall cost 5 million euros.", "The 5 Millionaires sang.", "Rio, 5 Miollis Street"),
    ),
    Rule(
        id="millions-of",
        category=Category.GRAMMAR,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"fr", "es", "it", "pt", "ar"}),
        pattern=re.compile(
            rf"(?<=\d )(?:(?P<many>[mb]illion)s(?: of)?(?= [a-z])"
            rf"|(?P<one>[mb]illion) of(?= (?:euros|dollars|pounds|{_COUNTED})\b))"
        ),
        cues=("million of ", "billion of ", *(f"{digit} {size}illions" for digit in range(10) for size in "mb")),
        replacement=lambda match, _: match["many"] or match["one"],
        telling=True,
        why="Romance languages count in millions of euros; after a number English says million, with nothing between.",
        reference="The Chicago Manual of Style, 9.8",
        mends={
            "It cost 3 millions of euros, or 2 million of dollars.": "It cost 3 million euros, or 2 million dollars."
        },
        keeps=("It cost millions of euros.", "Some 3 million of them came.", "It cost 3 million euros."),
    ),
    Rule(
        id="counted-in-myriads",
        category=Category.NUMBER_FORMAT,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.ALWAYS,
        languages=_ENGLISH,
        sources=frozenset({"zh", "ja", "ko"}),
        pattern=re.compile(
            rf"(?<![\w.,])(?P<amount>\d[\d,]*(?:\.\d+)?) ?(?P<size>[{''.join(_MYRIADS)}])(?P<currency>[元円원])?"
            r"(?![\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af\d])"
        ),
        cues=tuple(_MYRIADS),
        replacement=_from_myriads,
        telling=True,
        why="Chinese, Japanese and Korean count in ten thousands and hundred millions; the sign for it was kept.",
        reference="GB/T 15835-2011, numerals",
        mends={"Some 12万 people paid 3.5亿元 a year.": "Some 120,000 people paid 350 million yuan a year."},
        keeps=("Some 120,000 people came.", "The sign says 12万人 in red.", "万 means ten thousand."),
    ),
    Rule(
        id="spelled-myriads",
        category=Category.NUMBER_FORMAT,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"zh", "ja", "ko"}),
        pattern=re.compile(r"(?<![\w.,])(?P<amount>\d+(?:\.\d+)?) (?P<unit>hundred million|ten thousand)\b"),
        cues=(" hundred million", " ten thousand"),
        replacement=_from_hundreds,
        telling=True,
        why="The unit of the source was translated word for word: 3 hundred million, 12 ten thousand.",
        reference="GB/T 15835-2011, numerals",
        mends={"Some 3 hundred million people came.": "Some 300 million people came."},
        keeps=("Some 300 million people came.", "Three hundred million came, ten thousand left."),
    ),
    Rule(
        id="untranslated-currency",
        category=Category.UNTRANSLATED,
        mechanism=Mechanism.UNTRANSLATED,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset(language for _, _, language in table("currencies")),
        pattern=re.compile(
            rf"(?:(?<=\d)|(?<=illion)|(?<=usand))[{_SPACES}]?(?P<sign>{'|'.join(map(re.escape, _CURRENCIES))})(?!\w)"
        ),
        cues=tuple(_CURRENCIES),
        replacement=lambda match, _: f" {_CURRENCIES[match['sign']]}",
        house=_keeps_its_currency,
        why="The currency kept the sign or the word it has at home. So it does in English papers there: gated.",
        reference="MQM, Accuracy: Untranslated",
        mends={"A ticket costs 500 руб. and 40 zł here.": "A ticket costs 500 roubles and 40 zloty here."},
        keeps=("A ticket costs 40 zloty.", "The sign zł is a currency's.", "A 5 元旦 card"),
    ),
    Rule(
        id="percent-sign-before",
        category=Category.NUMBER_FORMAT,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.ALWAYS,
        languages=_ENGLISH,
        sources=frozenset({"tr"}),
        pattern=re.compile(r"(?<=[ (])%[ \u00a0]?(\d{1,3}(?:[.,]\d{1,2})?)(?=[ ,;:)?!]|\.(?!\w)|$)"),
        cues=tuple(f"{opening}%{digit}" for opening in " (" for digit in range(10)),
        unless=lambda match, _: match.string[max(0, match.start() - 2) : match.start() - 1].isdigit(),
        replacement=lambda match, _: f"{match[1].replace(',', '.')}%",
        telling=True,
        why="Turkish sets the percent sign before the number.",
        reference="Türk Dil Kurumu, Yazım Kuralları",
        mends={"Prices rose by %12,5 in a year (%3 in May).": "Prices rose by 12.5% in a year (3% in May)."},
        keeps=("Prices rose by 12.5% in a year.", "The address /a%20b", "It rose 5 %3 of it here.", "Print %5d here."),
    ),
    Rule(
        id="untranslated-thousand",
        category=Category.UNTRANSLATED,
        mechanism=Mechanism.UNTRANSLATED,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"pt", "es"}),
        pattern=re.compile(rf"(?<![\w.,])(?P<number>\d{{1,3}}) mil(?= (?:euros|reais|dollars|pesos|{_COUNTED})\b)"),
        cues=tuple(f"{digit} mil " for digit in range(10)),
        replacement=r"\g<number>,000",
        telling=True,
        why="Portuguese and Spanish count « 5 mil euros »; mil is a thousand.",
        reference="MQM, Accuracy: Untranslated",
        mends={"The wall cost 5 mil euros.": "The wall cost 5,000 euros."},
        keeps=("The wall cost 5,000 euros.", "The foil is 5 mil thick."),
    ),
)
