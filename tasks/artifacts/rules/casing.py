"""Capitals kept from the source, or not set because the source has none."""

import re

from tasks.artifacts.habits import Habits
from tasks.artifacts.rule import Category, Mechanism, Rule, Safety

_ENGLISH = frozenset({"en"})
_OPENERS = (
    "New|Old|The|This|These|Those|Such|Our|Their|Its|Local|National|Economic|Social|Public|Many|Some|Other|In"
    "|It|He|She|They"
)
_DAYS = "monday|tuesday|wednesday|thursday|friday|saturday|sunday"
_MONTHS = "january|february|april|june|july|september|october|november|december"


def _lowered(match: re.Match[str], habits: Habits) -> str | None:
    """Return the phrase in lower case where the document writes it so, twice or more, else None."""
    phrase = match[0][0].lower() + match[0][1:]
    return phrase if habits.count(phrase) >= 2 else None


def _stands_in_a_name(match: re.Match[str], habits: Habits) -> bool:
    return _lowered(match, habits) is None


RULES = (
    Rule(
        id="capital-after-comma",
        category=Category.SPELLING,
        mechanism=Mechanism.CASING,
        safety=Safety.GATED,
        cues=tuple(f", {opener} " for opener in _OPENERS.split("|")),
        languages=_ENGLISH,
        sources=frozenset({"fr", "zh"}),
        pattern=re.compile(rf"(?<=[a-z], )(?:{_OPENERS}) [a-z]+ [a-z]+(?= )"),
        unless=_stands_in_a_name,
        replacement=_lowered,
        telling=True,
        why="A term kept the capital it had where it was translated. Mended only where the document itself "
        "writes the same "
        "words in lower case.",
        reference="MQM, Linguistic conventions: Spelling",
        mends={
            "Among old harbour walls, the old harbour walls of Brest stand out. For years, Old harbour walls "
            "have stood."
            "": (
                "Among old harbour walls, the old harbour walls of Brest stand out. For years, old harbour "
                "walls have stood."
            ),
        },
        keeps=(
            "In Brest, Old harbour walls have stood.",
            "He said, “Old harbour walls stand.”",
        ),
    ),
    Rule(
        id="lower-case-calendar",
        category=Category.SPELLING,
        mechanism=Mechanism.CASING,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"fr", "es", "it", "pt", "ru", "pl", "nl", "sv"}),
        pattern=re.compile(rf"(?<=[\w,] )(?:{_DAYS}|{_MONTHS})(?=[\s,;:?!)]|\.(?!\w)|$|['’]s\b)"),
        cues=tuple(f" {name}" for name in f"{_DAYS}|{_MONTHS}".split("|")),
        replacement=lambda match, _: match[0].capitalize(),
        telling=False,
        why="Most languages write days and months in lower case.",
        reference="The Chicago Manual of Style, 8.88",
        mends={"The council met on monday, 3 october.": "The council met on Monday, 3 October."},
        keeps=("The council met on Monday.", "The site friday.example.org", "It may march on."),
    ),
    Rule(
        id="lower-case-minister",
        category=Category.SPELLING,
        mechanism=Mechanism.CASING,
        safety=Safety.DETECT,
        languages=_ENGLISH,
        sources=frozenset({"fr"}),
        pattern=re.compile(
            r"\b(?:minister|ministry|secretary|deputy minister) of (?:Commerce|Finance|Defen[cs]e|Justice|Health"
            r"|Education|Labou?r"
            r"|Agriculture|Culture|Transport|Energy|Economy|Trade|Industry|Tourism|Sports?|Interior|Environment)\b"
        ),
        cues=("minister of ", "ministry of ", "secretary of "),
        listed=False,
        why=(
            "« ministre du Commerce »: French sets the office in lower case and its field with a capital, "
            "English both alike."
        ),
        reference="Imprimerie nationale, Lexique des règles typographiques: ministère",
        finds=("She was minister of Commerce for a year.",),
        keeps=("She was Minister of Commerce for a year.", "She was minister of commerce for a year."),
    ),
)
