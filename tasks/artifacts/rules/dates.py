"""Dates, years, centuries and hours in the source language's fashion."""

import re

from tasks.artifacts.habits import Habits
from tasks.artifacts.rule import Category, Mechanism, Rule, Safety
from tasks.artifacts.surroundings import after, before
from tasks.artifacts.words import listed

_ENGLISH = frozenset({"en"})
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_MONTH = "|".join(MONTHS)
_ROMAN = dict(zip("IVX", (1, 5, 10), strict=True))


def ordinal(number: int) -> str:
    """Return an English ordinal.

    >>> ordinal(1), ordinal(12), ordinal(22)
    ('1st', '12th', '22nd')
    """
    ending = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def roman(numeral: str) -> int:
    """Return the value of a Roman numeral up to thirty-nine.

    >>> roman("XIX"), roman("XXI")
    (19, 21)
    """
    values = [_ROMAN[letter] for letter in numeral]
    return sum(
        -value if value < following else value for value, following in zip(values, [*values[1:], 0], strict=True)
    )


def _spelled_out(match: re.Match[str], habits: Habits) -> str | None:
    """Return the date in the document's own order of day and month, parted from words it touches."""
    month, day = int(match["month"]), int(match["day"])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    name, year = MONTHS[month - 1], match["year"]
    if habits.sets_month_first:
        date = f"{name} {day}" + (f", {year}" if year else "")
    else:
        date = f"{day} {name}" + (f" {year}" if year else "")
    return f"{' ' if before(match, 1).isalpha() else ''}{date}{' ' if after(match, 1).isalpha() else ''}"


def _is_temperature(match: re.Match[str], _: Habits) -> bool:
    """Say whether the raised o may be a degree sign: what follows is no noun."""
    following = re.match(r" ([A-Za-z]+)", after(match, 40))
    word = following[1] if following else ""
    return match["mark"] == "º" and (word.lower() in listed("function_words_en") or word in {"C", "F", "Celsius"})


def _is_another_ordinal(match: re.Match[str], _: Habits) -> bool:
    return match["ending"] != "s" and f"{match['number']}{match['ending']}" != ordinal(int(match["number"]))


RULES = (
    Rule(
        id="east-asian-date",
        category=Category.DATE_FORMAT,
        mechanism=Mechanism.UNTRANSLATED,
        safety=Safety.ALWAYS,
        languages=_ENGLISH,
        sources=frozenset({"zh", "ja", "ko"}),
        pattern=re.compile(
            r"(?<!\d)(?:(?P<year>(?:19|20)\d\d) ?[年년] ?)?(?P<month>\d{1,2}) ?[月월] ?(?P<day>\d{1,2}) ?[日일]"
            r"(?![\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af])"
        ),
        cues=tuple("月월"),
        replacement=_spelled_out,
        telling=True,
        why="The date kept the signs for year, month and day.",
        reference="GB/T 7408, dates",
        mends={
            "The wall fell on 2024年3月12日 at noon.": "The wall fell on 12 March 2024 at noon.",
            "On May 2 it rained; the wall fell on 3月12日.": "On May 2 it rained; the wall fell on March 12.",
        },
        keeps=("The wall fell on 12 March 2024.", "The sign says 3月12日下雨 in red."),
    ),
    Rule(
        id="day-of-month",
        category=Category.DATE_FORMAT,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"es", "pt", "it", "fr"}),
        pattern=re.compile(rf"(?:\bthe |(?<=\bon )|(?<=day, ))(?P<day>\d{{1,2}}) of (?=(?:{_MONTH})\b(?!['’]s))"),
        cues=tuple(f" of {month}" for month in MONTHS),
        replacement=r"\g<day> ",
        telling=True,
        why="« el 3 de octubre »: the day was left a plain number between article and preposition.",
        reference="The Chicago Manual of Style, 9.31",
        mends={
            "The wall fell on the 3 of October.": "The wall fell on 3 October.",
            "On Monday, 3 of May": "On Monday, 3 May",
        },
        keeps=(
            "The wall fell on the 3rd of October.",
            "Two of the 3 of Octoberfest fame",
            "On Friday, 3 of May’s films ran.",
        ),
    ),
    Rule(
        id="stop-after-day",
        category=Category.DATE_FORMAT,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.ALWAYS,
        languages=_ENGLISH,
        sources=frozenset({"de", "cs", "sk", "sv", "da", "tr"}),
        pattern=re.compile(
            rf"(?P<lead>\b(?:[Oo]n|[Ff]rom|[Uu]ntil|[Ss]ince|[Bb]y|[Bb]efore|[Aa]fter|[Oo]f)(?: the)? )"
            rf"(?P<day>\d{{1,2}})\. "
            rf"(?=(?:{_MONTH})(?: \d{{4}}|[.,;)]))"
        ),
        cues=tuple(f". {month}" for month in MONTHS),
        replacement=r"\g<lead>\g<day> ",
        telling=True,
        why="German and others mark an ordinal with a stop: 3. October.",
        reference="Duden, Datum",
        mends={"The wall fell on 3. October 2023.": "The wall fell on 3 October 2023."},
        keeps=("The wall fell on 3 October 2023.", "They came in at 3. October was warm.", "On page 3. May it hold."),
    ),
    Rule(
        id="sign-after-hour",
        category=Category.DATE_FORMAT,
        mechanism=Mechanism.UNTRANSLATED,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"de", "es", "pt", "ru"}),
        pattern=re.compile(
            r"(?<![\d:.])(?P<hour>[012]?\d[:.][0-5]\d)[ \u00a0]?(?:h|hs|Uhr|uhr|horas|heures|часов|ч\.)(?!\w)"
        ),
        cues=(
            *(f"{digit}{gap}h{end}" for digit in range(10) for gap in ("", " ", "\u00a0") for end in " .,;)\n"),
            *(f"{gap}{word}" for gap in " \u00a0" for word in ("hs", "Uhr", "uhr", "horas", "heures", "часов", "ч.")),
            *(f"{digit}hs" for digit in range(10)),
        ),
        replacement=r"\g<hour>",
        telling=True,
        why="The word or the letter for the hour was kept after a time that says all.",
        reference="MQM, Accuracy: Untranslated",
        mends={"The council met at 14:30 Uhr and at 9.15h again.": "The council met at 14:30 and at 9.15 again."},
        keeps=("The council met at 14:30.", "It took 14:30 hours.", "The council met at 2.30 hrs."),
    ),
    Rule(
        id="clock-after-time",
        category=Category.DATE_FORMAT,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"de", "nl", "zh", "ja"}),
        pattern=re.compile(r"(?<=\d[:.]\d\d)(?<!\b\d[:.]00)(?<!\b1[0-2][:.]00) o['’ ]?clock\b"),
        cues=("clock",),
        replacement="",
        telling=True,
        why="« 18.30 Uhr »: English says o'clock of full hours up to twelve only.",
        reference="The Chicago Manual of Style, 9.39",
        mends={"The council met at 18:30 o'clock.": "The council met at 18:30."},
        keeps=(
            "The council met at 18:30.",
            "The council met at six o'clock.",
            "They ran it at 18:30 on the clock.",
            "They met at 8:00 o'clock and at 12.00 o’clock.",
        ),
    ),
    Rule(
        id="wrong-ordinal-ending",
        category=Category.NUMBER_FORMAT,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.GATED,
        languages=_ENGLISH,
        pattern=re.compile(r"(?<![\w.,+−-])(?P<number>\d{0,2}(?<!1)[123])th\b"),
        cues=("1th", "2th", "3th"),
        replacement=lambda match, _: ordinal(int(match["number"])),
        why="One ending was set after all numbers: 21th. People slip so too: gated.",
        reference="The Chicago Manual of Style, 9.6",
        mends={
            "The wall of the 21th century fell on the 2th day.": "The wall of the 21st century fell on the 2nd day."
        },
        keeps=("The 11th, 12th and 13th wall", "The wall of the 21st century", "The 111th wall"),
    ),
    Rule(
        id="foreign-ordinal",
        category=Category.NUMBER_FORMAT,
        mechanism=Mechanism.UNTRANSLATED,
        safety=Safety.ALWAYS,
        languages=_ENGLISH,
        sources=frozenset({"fr", "es", "it", "pt", "ru"}),
        pattern=re.compile(
            r"(?<![\w.,-])(?P<number>\d{1,2})\.?(?P<mark>er|ère|ème|eme|ième|[ºª]|-(?:й|го|я|ая|ое|ом|ой))(?= [A-Za-z])"
        ),
        cues=("1er ", "ère ", "ème ", "eme ", "º ", "ª ", "-й", "-го", "-я", "-ая", "-о"),
        unless=_is_temperature,
        replacement=lambda match, _: ordinal(int(match["number"])),
        telling=True,
        why="The ending of an ordinal was kept from the source: 1er, 2ème, 5º.",
        reference="Imprimerie nationale, Lexique des règles typographiques: ordinaux",
        mends={"She won the 2ème stage and the 5ª prize.": "She won the 2nd stage and the 5th prize."},
        keeps=("She won the 2nd stage.", "It was 30º and sunny.", "The 30º C of May", "Il est 2ème."),
    ),
    Rule(
        id="roman-century",
        category=Category.DATE_FORMAT,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"fr", "es", "it", "pt", "ru", "pl"}),
        pattern=re.compile(r"\b(?P<numeral>X{0,2}(?:I[XV]|V?I{1,3}|V)|X{1,2})(?:e|ème|th|st)? (?=centur(?:y|ies)\b)"),
        cues=(" century", " centuries"),
        replacement=lambda match, _: f"{ordinal(roman(match['numeral']))} ",
        telling=True,
        why="Romance and Slavic languages number centuries in Roman numerals.",
        reference="The Chicago Manual of Style, 9.32",
        mends={
            "The wall is of the XIXe century, the gate of the XX century.": (
                "The wall is of the 19th century, the gate of the 20th century."
            )
        },
        keeps=("The wall is of the 19th century.", "Volume IV, century by century"),
    ),
    Rule(
        id="hyphenated-ordinal",
        category=Category.NUMBER_FORMAT,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"ru", "uk"}),
        pattern=re.compile(r"(?<![\w.,-])(?P<number>\d{1,4})-(?P<ending>st|nd|rd|th|s)(?![\w-])"),
        cues=tuple(f"{digit}-{ending}" for digit in range(10) for ending in ("st", "nd", "rd", "th", "s")),
        unless=_is_another_ordinal,
        replacement=r"\g<number>\g<ending>",
        telling=True,
        why="Russian joins a number and its ending with a hyphen.",
        reference="The Chicago Manual of Style, 9.6",
        mends={"In the 1990-s she lived on the 5-th floor.": "In the 1990s she lived on the 5th floor."},
        keeps=("In the 1990s she lived there.", "A 5-star hotel", "The T5-s and others"),
    ),
)
