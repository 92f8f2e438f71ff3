"""Years, decades, hours and ordinals in the words and signs that the source's language has for them."""

import re

from tasks.artifacts.habits import Habits
from tasks.artifacts.rule import Category, Mechanism, Rule, Safety
from tasks.artifacts.rules.dates import MONTHS, ordinal
from tasks.artifacts.surroundings import after, before

_ENGLISH = frozenset({"en"})
_MONTH = "|".join(MONTHS)
_YEAR_SIGNS = ("гг.", "г.", "годах", "годов", "году", "года", "год", "років", "році", "року", "рік", "р.", "年", "년")
_DECADE = r"(?:18|19|20)\d0"
_ENGLISH_DECADE = "|".join(
    rf"(?<=\b{word} {_DECADE})"
    for word in ("[Tt]he", "[Ii]n", "[Ss]ince", "[Ff]rom", "of", "to", "and", "until", "early", "late", "mid")
)
_IN = "(?:[Ii]n|[Oo]f|[Ff]rom|[Ss]ince|[Dd]uring|[Uu]ntil|[Bb]y)"
_RANKED = "anniversary|century|day|district|edition|floor|grade|place|round|time"
_QUOTES = frozenset("“”‘’«»\"'")
_TIME = r"(?:[01]?\d|2[0-3])[.:][0-5]\d"


def _year_alone(match: re.Match[str], _: Habits) -> str:
    """Return nothing but the stop that ends the sentence as well as the short form."""
    ends = match[0].endswith(".") and re.match(r"[”\"’']?(?:\s+[A-Z“\"]|\s*\Z|\s*\n)", after(match, 4))
    return "." if ends else ""


def _is_in_its_script(match: re.Match[str], _: Habits) -> bool:
    """Say whether the year is quoted as it stands, or other words of the sign's script stand beside it."""
    around = f"{before(match, 9)[:-4]}{after(match, 3)}"
    is_quoted = before(match, 5)[:1] in _QUOTES and after(match, 1) in _QUOTES
    return is_quoted or re.search(r"[\u0400-\u04ff\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]", around) is not None


RULES = (
    Rule(
        id="year-sign-after-year",
        category=Category.DATE_FORMAT,
        mechanism=Mechanism.UNTRANSLATED,
        safety=Safety.ALWAYS,
        confidence=0.95,
        languages=_ENGLISH,
        sources=frozenset({"ru", "uk", "bg", "zh", "ja", "ko"}),
        pattern=re.compile(rf"(?<=\b(?:19|20)\d\d) ?(?:{'|'.join(map(re.escape, _YEAR_SIGNS))})(?!\w)"),
        cues=tuple(f"{digit}{gap}{sign}" for digit in range(10) for gap in ("", " ") for sign in _YEAR_SIGNS),
        unless=_is_in_its_script,
        replacement=_year_alone,
        telling=True,
        why="The word or the sign for the year was kept behind it.",
        reference="GOST R 7.0.97-2016, dates; GB/T 7408",
        mends={
            "The wall fell in 2019 г. and rose in 2021年.": "The wall fell in 2019 and rose in 2021.",
            "The wall fell in 2019 г. It was old.": "The wall fell in 2019. It was old.",
        },
        keeps=(
            "The wall fell in 2019.",
            "The sign says 2021年开放 in red.",
            "The word года means of the year.",
            "They write “2021年” there.",
        ),
    ),
    Rule(
        id="decade-with-german-ending",
        category=Category.DATE_FORMAT,
        mechanism=Mechanism.UNTRANSLATED,
        safety=Safety.ALWAYS,
        languages=_ENGLISH,
        sources=frozenset({"de"}),
        pattern=re.compile(rf"(?:{_ENGLISH_DECADE})er(?: [Yy]ears| Jahren?)?(?![\w-])(?! edition)"),
        cues=("0er",),
        replacement="s",
        telling=True,
        why="« die 1990er Jahre »: the ending of the decade was kept. After a German word it is at home.",
        reference="Duden, Jahrzehnte",
        mends={"In the 1990er years the wall fell.": "In the 1990s the wall fell."},
        keeps=("In the 1990s the wall fell.", "The 10er card", "The film “Die 1920er Jahre”", "A 1980er-style bag"),
    ),
    Rule(
        id="decade-as-years",
        category=Category.DATE_FORMAT,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"fr", "es", "it", "pt", "pl"}),
        pattern=re.compile(
            rf"\b(?P<in>{_IN} the )years ['’]?(?P<decade>[2-9]0|19\d0)(?=[.;:)]|,(?! ?(?:\d|and |or ))"
            r"| (?:the|when|was|were|he|she|they|it|there) )(?![^.\n]{0,40}\b(?:AD|BCE?|CE)\b)"
        ),
        cues=("the years ",),
        replacement=r"\g<in>\g<decade>s",
        telling=True,
        why="« les années 90 », « los años 90 »: Romance languages and Polish name a decade as its years.",
        reference="The Chicago Manual of Style, 9.33",
        mends={"In the years 90 the wall fell.": "In the 90s the wall fell."},
        keeps=(
            "In the 90s the wall fell.",
            "In the years 1990 to 1995 it stood.",
            "Over the years 30 people died.",
            "In the years 1980, 1981 and 1982",
            "In the years 50 BC",
        ),
    ),
    Rule(
        id="roman-world-war",
        category=Category.NUMBER_FORMAT,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"es", "pt", "it", "pl", "ru", "fr"}),
        pattern=re.compile(r"(?<=[Tt]he )(?P<numeral>II?)(?:nd|st|e|a|ª)? (?=World War\b(?! I))"),
        cues=("I World War", "Ind World War", "Ist World War", "Ie World War", "Ia World War", "Iª World War"),
        replacement=lambda match, _: "Second " if match["numeral"] == "II" else "First ",
        telling=True,
        why="« la II Guerra Mundial »: many languages number the wars in front and in Roman numerals.",
        reference="The Chicago Manual of Style, 8.114",
        mends={"The wall fell in the II World War.": "The wall fell in the Second World War."},
        keeps=("The wall fell in World War II.", "As I World War films like"),
    ),
    Rule(
        id="stop-after-ordinal",
        category=Category.NUMBER_FORMAT,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"de", "cs", "sk", "hu", "da", "tr"}),
        pattern=re.compile(
            rf"(?<=\bthe )(?P<number>\d{{1,2}})(?:\.(?= (?:{_RANKED})\b)|(?:st|nd|rd|th)\."
            rf"(?= of (?:{_MONTH})\b| (?:{_MONTH})(?: \d{{4}}|[,;)])))"
        ),
        cues=(
            *(f"{digit}. {noun}" for digit in range(10) for noun in _RANKED.split("|")),
            *(
                f"{ending}. {of}{month}"
                for ending in ("st", "nd", "rd", "th")
                for of in ("", "of ")
                for month in MONTHS
            ),
        ),
        replacement=lambda match, _: ordinal(int(match["number"])),
        telling=True,
        why="German and its neighbours mark an ordinal with a stop: der 3. Stock.",
        reference="Duden, Ordnungszahlen",
        mends={"On the 3. floor, on the 5th. of May": "On the 3rd floor, on the 5th of May"},
        keeps=(
            "On the 3rd floor, on the 5th of May",
            "They met on the 3. It rained.",
            "It fell on the 3rd. May it rise.",
        ),
    ),
    Rule(
        id="degree-for-ordinal",
        category=Category.NUMBER_FORMAT,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"it", "es", "pt"}),
        pattern=re.compile(
            rf"(?<=\bthe )(?P<number>\d{{1,2}})[°º](?:(?= (?:anniversary|century|district|edition)\b)"
            rf"|(?<=the \d[°º])(?= (?:floor|place|round)\b)|(?= of (?:{_MONTH})\b))"
        ),
        cues=("° ", "º "),
        replacement=lambda match, _: ordinal(int(match["number"])),
        telling=True,
        why="Italian, Spanish and Portuguese raise an o behind an ordinal; a degree sign is often typed for it.",
        reference="Real Academia Española, Ortografía: ordinales",
        mends={"On the 1° of May it rained.": "On the 1st of May it rained."},
        keeps=("On the 1st of May it rained.", "Turn it to the 45° place.", "The 30° heat of May"),
    ),
    Rule(
        id="scandinavian-clock",
        category=Category.DATE_FORMAT,
        mechanism=Mechanism.UNTRANSLATED,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"sv", "da", "no"}),
        pattern=re.compile(rf"(?<!\w)(?P<at>at )?kl\.? ?(?={_TIME}(?![\d.:]\d))"),
        cues=("kl. ", "kl ", "kl.1", "kl.2", "kl.0"),
        replacement="at ",
        telling=True,
        why="Swedish, Danish and Norwegian write kl. before a time.",
        reference="Svenska skrivregler, klockslag",
        mends={"The council met kl. 14.30, then at kl. 16:15.": "The council met at 14.30, then at 16:15."},
        keeps=("The council met at 14.30.", "It holds 5 kl of oil.", "Kl. 3 is a class."),
    ),
    Rule(
        id="untranslated-hour",
        category=Category.DATE_FORMAT,
        mechanism=Mechanism.UNTRANSLATED,
        safety=Safety.DETECT,
        languages=_ENGLISH,
        sources=frozenset({"de", "nl", "fr", "es", "pt", "ru"}),
        pattern=re.compile(
            r"\b(?:at|by|from|until|till|to|around|about|before|after) \d{1,2} "
            r"(?:Uhr|uur|heures|horas|часов|годин)(?!\w)"
            r"|\b(?:1[3-9]|2[0-4])[.:][0-5]\d clock\b(?! (?:in|off|on|out)\b)"
        ),
        cues=(" Uhr", " uur", " heures", " horas", " часов", " годин", " clock"),
        telling=True,
        why="The word for the hour was kept, or translated as a clock; how the house writes times, an editor knows.",
        reference="MQM, Accuracy: Untranslated",
        finds=("The council met at 6 Uhr.", "It ended at 17.00 clock."),
        keeps=("The council met at six.", "At 18.30 clock in for work.", "The paper 24 heures ran it."),
    ),
    Rule(
        id="dotted-date",
        category=Category.DATE_FORMAT,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.DETECT,
        languages=_ENGLISH,
        sources=frozenset({"de", "ru", "pl", "cs", "tr", "fi"}),
        pattern=re.compile(r"(?<![\w.,])(?:0?[1-9]|[12]\d|3[01])\.(?:0?[1-9]|1[0-2])\.(?:19|20)\d\d(?![\w.]\w|\w)"),
        cues=tuple(f".{century}{digit}" for century in (19, 20) for digit in range(10)),
        listed=False,
        why="Day, month and year in numbers with stops between them. Some people write so in English: evidence only.",
        reference="DIN 5008, Kalenderdaten",
        finds=("The wall fell on 3.10.2023 in Lund.",),
        keeps=("The wall fell on 3/10/2023.", "Version 3.10.2023.1 is out.", "See section 3.13.2019."),
    ),
)
