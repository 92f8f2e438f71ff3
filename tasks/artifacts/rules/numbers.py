"""Numbers, money, dates and times in the source language's fashion."""

import re

from tasks.artifacts.habits import GROUPS, Habits
from tasks.artifacts.rule import Category, Mechanism, Rule, Safety
from tasks.artifacts.rules.dates import MONTHS
from tasks.artifacts.surroundings import after, before, line_before, word_before
from tasks.artifacts.words import listed, table

_ENGLISH = frozenset({"en"})
_COMMA_PACK = frozenset({"fr", "de", "es", "it", "pt", "ru", "pl", "nl", "sv"})
_MILLIONS = sorted(word for word, _, _ in table("number_words"))
_UNITS = (
    "%|percent|per cent|percentage points?|million|billion|trillion|bn\\b|degrees|kilomet(?:re|er)s|met(?:re|"
    "er)s|km\\b|kg\\b|°|euros?\\b|dollars?\\b|yuan\\b|roubles\\b|tonnes?\\b|tons?\\b|hectares?\\b|lit(?:re|er)s?\\b"
    "|inch(?:es)?\\b|[kMGT]Wh?\\b|[GT]B\\b|[cm]m\\b|points?\\b|times (?:more|less|higher|lower|larger|as)\\b"
    f"|(?:{'|'.join(map(re.escape, _MILLIONS))})(?!\\w)"
)
_ONE_OR_TWO_DIGITS = (*map(str, range(10)), *(f"{number:02}" for number in range(100)))
_BEFORE_AN_AMOUNT = frozenset(
    {
        *("about", "almost", "approximately", "around", "averaged", "by", "cost", "costs", "down", "fell", "from"),
        *("gained", "grew", "lost", "nearly", "of", "over", "reached", "rose", "some", "than", "to", "up", "worth"),
    }
)
_AFTER_DECIMALS = "".join(sorted({*"% -°\u00a0\u202f", *"pmbtdkeyrhlicMGTW", *(word[0] for word in _MILLIONS)}))
_AMBIGUOUS_MONTHS = frozenset({"mars", "mai", "maj", "mei", "marca", "maja", "marts", "Mai"})
_GLUED_UNITS = "Mbps|Gbps|kbps|Kbps|mAh|MWh|GWh|TWh|MPa|kPa|hPa|kV|nm|μm|Hz|kHz|MHz|GHz|dB"
GROUPS[" "] = re.compile(
    r"[1-9](?<![\w.,+/)-][1-9])(?<!\d [1-9])\d{0,2}(?: \d{3})+\b(?![ -]?\d|[,/]\d|\.\d(?!\d?\b(?!\.\d)))"
)
_DIGITS_APART = tuple(f"{left} {right}" for left in range(10) for right in range(10))
_MONTHS_AND_SHORT = frozenset(form for month in MONTHS for form in (month.lower(), month[:3].lower(), "sept"))
_OF_THE_CLOCK = re.compile(r"\b(?:at|from|until|till|by|before|after|around|about|between|and|to) \Z", re.IGNORECASE)
_NUMBERED_THINGS = frozenset(
    {
        "phone",
        "telephone",
        "call",
        "tel",
        "fax",
        "room",
        "flight",
        "number",
        "no",
        "route",
        "bus",
        "class",
        "boeing",
        "airbus",
        "day",
        "lane",
        "week",
        "age",
        "ref",
        "order",
        "account",
        "port",
        "code",
        "psalm",
        "psalms",
    }
)
_DATED = re.compile(
    r"(?:(?:^|[\s(])(?i:on|of|from|until|till|since|by|to|before|after|and|between|the|dated|in|for|at|around|or"
    r"|[a-z]+day,?)|[\n(,;–—-]|^) ?\Z"
)
"""What stands before a date. A street, a stadium or a film that is named after one has another word there."""

_MONTHS = {word: (english, language) for language, word, english in table("months")}
_MONTH_NAMES = "|".join(sorted(_MONTHS, key=len, reverse=True))


def _is_no_date(match: re.Match[str], _: Habits) -> bool:
    """Say whether the number is no day, the month may be an English word and no year follows, or it is at home."""
    if _DATED.search(before(match, 24)) is None or re.match(r"[”\"’']| [A-Z][a-z]", after(match, 3)):
        return True
    is_day = 1 <= int(match["day"]) <= 31 and not before(match, 1).isalnum()
    return not is_day or (match["year"] is None and match["month"] in _AMBIGUOUS_MONTHS) or not _is_in_english(match)


def _is_in_english(match: re.Match[str]) -> bool:
    """Say whether an English word of grammar stands near on the line: a foreign date in a foreign line is at home."""
    near = f"{line_before(match, 60)} {after(match, 60).partition(chr(10))[0]}"
    return any(word.lower() in listed("function_words_en") for word in re.findall(r"\w+", near))


def _with_english_month(match: re.Match[str], _: Habits) -> str:
    english, _language = _MONTHS[match["month"]]
    return f"{match['day']} {english}{match['year'] or ''}"


def _is_border_of_sentences(match: re.Match[str], _: Habits) -> bool:
    """Say whether the number could well end a sentence: it takes no amount, or "of" goes on what is a subject."""
    if before(match, 1) in set("$€£"):
        return False
    return word_before(match) not in _BEFORE_AN_AMOUNT or bool(re.match(r" ?[%a-z ]{1,9} of\b", after(match, 13)))


def _is_part_of_a_list(match: re.Match[str], _: Habits) -> bool:
    """Say whether the comma parts two numbers (`rooms 1,2 and 3`, `1,234,5`)."""
    return before(match, 1) in set("0123456789,.") or bool(re.match(r",\d", after(match, 2)))


def _is_a_name_of_something(match: re.Match[str], _: Habits) -> bool:
    """Say whether the digits name a telephone, a room or an aeroplane, or a day or a distance stands among them."""
    word = word_before(match).rstrip(".:").lower()
    return (
        word in _NUMBERED_THINGS or word in _MONTHS_AND_SHORT or bool(re.match(r" met(?:re|er)s?\b", after(match, 8)))
    )


def _grouped(match: re.Match[str], _: Habits) -> str:
    return re.sub(r"[ \u00a0\u202f.]", ",", match[0])


RULES = (
    Rule(
        id="decimal-comma",
        category=Category.NUMBER_FORMAT,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.ALWAYS,
        confidence=0.97,
        languages=_ENGLISH,
        sources=_COMMA_PACK,
        pattern=re.compile(
            rf"(\d(?<![\d,.]\d)\d{{0,2}}),(\d{{1,2}})(?:[ \u00a0\u202f](?=%)|(?=[ \u00a0-]?(?:{_UNITS})))"
        ),
        cues=tuple(f",{decimals}{end}" for decimals in _ONE_OR_TWO_DIGITS for end in _AFTER_DECIMALS),
        unless=_is_part_of_a_list,
        replacement=r"\1.\2",
        telling=True,
        why=(
            "Most of Europe sets the decimals after a comma. Mended only before a unit: elsewhere it may "
            "part two numbers."
        ),
        reference="The Chicago Manual of Style, 9.57",
        mends={
            "Prices rose by 3,5% to 12,25 million.": "Prices rose by 3.5% to 12.25 million.",
            "Prices rose by 3,5 %.": "Prices rose by 3.5%.",
            "The field of 7,5 hectares is 2,5 times larger.": "The field of 7.5 hectares is 2.5 times larger.",
        },
        keeps=("Prices rose by 3.5%.", "Some 1,234 million people", "In rooms 1,2 and 3"),
    ),
    Rule(
        id="no-break-space-in-number",
        category=Category.NUMBER_FORMAT,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.ALWAYS,
        confidence=0.97,
        languages=_ENGLISH,
        sources=frozenset({"fr", "ru", "sv", "pl", "cs"}),
        pattern=re.compile(r"\d(?<![\w.,\u00a0\u202f+]\d)\d{0,2}(?:[\u00a0\u202f]\d{3})+(?![\u00a0\u202f]?\d)"),
        cues=tuple("\u00a0\u202f"),
        replacement=_grouped,
        telling=True,
        why="French, Russian and others part the thousands with a no-break space, English with a comma.",
        reference="Bureau international des poids et mesures, SI Brochure, 5.4.4",
        mends={"Some 12\u00a0500 people came, not 1\u202f250\u202f000.": "Some 12,500 people came, not 1,250,000."},
        keeps=("Some 12,500 people came.", "Call +33\u00a0140\u00a0200\u00a0300.", "In 2019\u00a0300 people came."),
    ),
    Rule(
        id="odd-space-in-number",
        category=Category.NUMBER_FORMAT,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.ALWAYS,
        confidence=0.95,
        languages=_ENGLISH,
        sources=frozenset({"fr", "ru", "sv", "pl", "cs"}),
        pattern=GROUPS[" "],
        cues=_DIGITS_APART,
        unless=lambda match, habits: not habits.groups_with_commas or _is_a_name_of_something(match, habits),
        replacement=_grouped,
        why="A space parts the thousands in a document that parts those of its other numbers with commas.",
        reference="The Chicago Manual of Style, 9.55",
        mends={"Some 12 500 people came, not 13,000.": "Some 12,500 people came, not 13,000."},
        keeps=(
            "Some 12 500 people came.",
            "Some 12 500 came, then 13 500, not 13,000.",
            "On May 12 500 people marched, not 1,000.",
            "She won the 3 200 metres before 1,500 people.",
        ),
    ),
    Rule(
        id="space-in-number",
        category=Category.NUMBER_FORMAT,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.GATED,
        confidence=0.85,
        languages=_ENGLISH,
        sources=frozenset({"fr", "ru", "sv", "pl", "cs"}),
        pattern=GROUPS[" "],
        cues=_DIGITS_APART,
        replacement=_grouped,
        unless=lambda match, habits: habits.groups_with_commas or _is_a_name_of_something(match, habits),
        house=lambda habits: habits.groups_with_spaces,
        why="As with a no-break space; but telephone numbers look the same, and some houses write so: gated, and no "
        "evidence.",
        reference="Bureau international des poids et mesures, SI Brochure, 5.4.4",
        mends={
            "Some 12 500 people came in May.": "Some 12,500 people came in May.",
            "The wall cost £222 869.45 in May.": "The wall cost £222,869.45 in May.",
        },
        keeps=(
            "Some 12,500 people came.",
            "Call 20 300 400 500 now.",
            "Phone 555 120 today.",
            "Lines (0)20 300 400 and (030)20 300 are open.",
            "In 2019 300 people came.",
            "Server 10 200.30.40 is down, and so is 5 100.2.1.",
            "On May 12 500 people marched.",
        ),
    ),
    Rule(
        id="dots-in-number",
        category=Category.NUMBER_FORMAT,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"de", "es", "it", "pt", "nl"}),
        pattern=re.compile(r"[1-9](?<![\w.,+-][1-9])\d{0,2}(?:\.\d{3}){2,}(?![.,]?\d)"),
        cues=tuple(f".{digits:03}" for digits in range(1000)),
        replacement=_grouped,
        telling=True,
        why="German, Spanish and others part the thousands with stops. Version and telephone numbers do so too: gated.",
        reference="The Chicago Manual of Style, 9.57",
        mends={"Some 1.250.000 people came.": "Some 1,250,000 people came."},
        keeps=("Some 1,250,000 people came.", "Version 1.250.000.1 is out.", "It weighs 1.250 tonnes."),
    ),
    Rule(
        id="spaced-decimal",
        category=Category.NUMBER_FORMAT,
        mechanism=Mechanism.TOKENISATION,
        safety=Safety.GATED,
        confidence=0.85,
        languages=_ENGLISH,
        pattern=re.compile(
            r"(?<=[a-z$€£] )(\d{1,3})\. (\d{1,2})(?= ?(?:%|percent\b|per cent\b|million\b|billion\b|trillion\b))"
        ),
        cues=tuple(f"{digit}. " for digit in range(10)),
        unless=_is_border_of_sentences,
        replacement=r"\1.\2",
        telling=True,
        why="The point of the decimals was taken for a full stop. A number can end a sentence before another: gated.",
        reference="MQM, Locale conventions: Number format",
        mends={
            "The wall cost 1. 5 million and rose by 3. 2 percent.": "The wall cost 1.5 million and rose by 3.2 percent."
        },
        keeps=(
            "The wall cost 1.5 million.",
            "1. 5 million came.",
            "It fell in May. 5 percent came.",
            "She turned 35. 10 percent came.",
            "It rose from 20 to 35. 10 percent of them came.",
            "See Table 1. 5 percent came.",
        ),
    ),
    Rule(
        id="milliard",
        category=Category.NUMBER_FORMAT,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.ALWAYS,
        languages=_ENGLISH,
        sources=frozenset({"fr", "de", "ru", "it"}),
        pattern=re.compile(r"(?<=\d[ \u00a0])(?:milliards?|Milliarden|miliardi|miliardo)(?: d['’]| of| de)?(?= ?)"),
        cues=("illiard", "iliard"),
        replacement="billion",
        telling=True,
        why="A thousand million is a milliard in most of Europe and a billion in English.",
        reference="Merriam-Webster, milliard",
        mends={"The wall cost 5 milliards euros.": "The wall cost 5 billion euros."},
        keeps=("The wall cost 5 billion euros.", "They played 5 billiards games."),
    ),
    Rule(
        id="thousand-million",
        category=Category.NUMBER_FORMAT,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"es", "pt"}),
        pattern=re.compile(
            r"(?<![\d.,])(?P<number>\d{1,3}(?:[.,]\d{1,2})?)[ \u00a0](?:thousand millions?|mil millones|mil milhões)\b"
            r"(?: de| of)?(?!\w)"
        ),
        cues=("thousand million", "mil mill", "mil milh"),
        replacement=lambda match, _: f"{match['number'].replace(',', '.')} billion",
        telling=True,
        why="Spanish counts « mil millones » where English counts a billion.",
        reference="Fundéu, billion y mil millones",
        mends={"The wall cost 2,5 thousand million euros.": "The wall cost 2.5 billion euros."},
        keeps=("The wall cost 5 billion euros.", "Two thousand millionaires came."),
    ),
    Rule(
        id="untranslated-month",
        category=Category.DATE_FORMAT,
        mechanism=Mechanism.UNTRANSLATED,
        safety=Safety.ALWAYS,
        cues=tuple(f" {month} " if month in _AMBIGUOUS_MONTHS else f" {month}" for month in _MONTHS),
        languages=_ENGLISH,
        sources=frozenset(language for _, language in _MONTHS.values()),
        pattern=re.compile(
            rf"(?P<day>\d{{1,2}})(?:er|\.|º)? (?:de )?(?P<month>{_MONTH_NAMES})(?: de)?(?P<year> (?:19|20)\d\d)?\b"
        ),
        unless=_is_no_date,
        replacement=_with_english_month,
        telling=True,
        why="The month kept its foreign name.",
        reference="MQM, Accuracy: Untranslated",
        mends={
            "The wall was built on 12 janvier 2024.": "The wall was built on 12 January 2024.",
            "The wall fell on 3 de agosto de 2019.": "The wall fell on 3 August 2019.",
            "The wall fell on 12 мая 2019 and on 5 Ekim 2023.": "The wall fell on 12 May 2019 and on 5 October 2023.",
        },
        keeps=(
            "The wall was built on 12 January 2024.",
            "The 4 mars rovers landed.",
            "In agosto, he said.",
            "The match in the Stade 5 juillet is on, and the film “22 juli” is not.",
            "The notice stands there as it was:\nsexta-feira, 22 de outubro de 2010 às 20:13",
        ),
    ),
    Rule(
        id="hour-with-h",
        category=Category.DATE_FORMAT,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.DETECT,
        cues=(*(f"{letter}{digit}" for letter in "hH" for digit in range(6)), *(f" h {digit}" for digit in range(6))),
        unless=lambda match, _: int(match["hour"]) > 23 or _OF_THE_CLOCK.search(before(match, 10)) is None,
        languages=_ENGLISH,
        sources=frozenset({"fr", "pt"}),
        pattern=re.compile(r"(?P<hour>\d{1,2})(?:[hH]| h )[0-5]\d(?!\w)(?! min)"),
        telling=True,
        why="French and Portuguese write the hour with an h; which clock the house uses, the editor knows.",
        reference="Imprimerie nationale, Lexique des règles typographiques: heure",
        finds=("The council met at 14h30.", "The council met at 14 h 30."),
        keeps=("The council met at 2.30 p.m.", "It lasted 14h.", "Model A14h300", "She won in 2h05."),
    ),
    Rule(
        id="year-word-after-year",
        category=Category.ADDITION,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.GATED,
        unless=lambda match, _: not re.search(r"\b[Ii]n (?:18|19|20)\d\d\Z", before(match, 10)),
        languages=_ENGLISH,
        sources=frozenset({"ru", "uk", "zh"}),
        pattern=re.compile(r" year(?=[.,;:]| (?:the|he|she|it|they|a|in|and|was|were)\b)"),
        cues=tuple(f"{digit} year" for digit in range(10)),
        replacement="",
        telling=True,
        why="Russian and Chinese name the year as « 2024 year ».",
        reference="MQM, Accuracy: Addition",
        mends={"The wall fell in 2019 year, he said.": "The wall fell in 2019, he said."},
        keeps=("The wall fell in 2019.", "In 2019 year-end sales rose.", "The 2019 year was wet."),
    ),
    Rule(
        id="glued-unit",
        category=Category.NUMBER_FORMAT,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.DETECT,
        languages=_ENGLISH,
        sources=frozenset({"zh", "ja", "ko"}),
        pattern=re.compile(rf"\d(?<![\w.,]\d)[\d.,]*(?:{_GLUED_UNITS})\b"),
        cues=tuple(f"{digit}{unit}" for digit in range(10) for unit in _GLUED_UNITS.split("|")),
        why="Chinese and Japanese set no space between a number and its unit. Nor do many newsrooms with common "
        "units (10km, "
        "5kg): only for units of engineering.",
        reference="SI Brochure, 5.4.3",
        finds=("The line carries 100Mbps, the wind park 300MWh.",),
        keeps=("The line carries 100 Mbps.", "They ran 10km with 5kg each.", "Model X300MWhite"),
    ),
)
