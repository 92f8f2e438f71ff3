"""Prices, shares and large sums in short forms of the source's language."""

import re

from tasks.artifacts.habits import Habits
from tasks.artifacts.rule import Category, Mechanism, Rule, Safety
from tasks.artifacts.surroundings import after, before
from tasks.artifacts.words import table

_ENGLISH = frozenset({"en"})
_SHORT = {word: english for word, english, _ in table("agency_numbers")}
_PERCENT = {row[0]: row[1] for row in table("percent_words")}
_FOREIGN_BEFORE = re.compile(r"\b(?:un|una|el|los|le|les|um|il|um|dem|den|ein|met|med|om|do|di) [\d.,]+\Z")
_FOREIGN_AFTER = re.compile(r" (?:de|del|des|der|du|di|do|da|van|el|en|av|af|dari|din)\b")
_CURRENCY = "euros?|dollars?|francs?|pounds?|kron(?:or|er)|crowns?|EUR|USD|CHF|SEK|NOK|DKK|€|kr"


def _in_full(match: re.Match[str], _: Habits) -> str:
    """Return the word in full; the stop of a short form is the sentence's as well where that ends."""
    ends = match[0].endswith(".") and re.match(r"[”\"’']?(?:\s+[A-Z“\"]|\s*\Z|\s*\n)", after(match, 4))
    return f" {_SHORT[match['word']]}{'.' if ends else ''}"


def _is_short_throughout(habits: Habits) -> bool:
    return sum(map(habits.count, _SHORT)) > 1 and not habits.has("million")


def _is_in_its_language(match: re.Match[str], _: Habits) -> bool:
    """Say whether a word of the same language stands before the number, or after the word for percent."""
    return bool(_FOREIGN_BEFORE.search(before(match, 20)) or _FOREIGN_AFTER.match(after(match, 8)))


RULES = (
    Rule(
        id="agency-million",
        category=Category.NUMBER_FORMAT,
        mechanism=Mechanism.UNTRANSLATED,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset(source for _, _, sources in table("agency_numbers") for source in sources.split(",")),
        pattern=re.compile(rf"(?<=\d)[ \u00a0]?(?P<word>{'|'.join(map(re.escape, _SHORT))})(?!\w)"),
        cues=tuple(_SHORT),
        house=_is_short_throughout,
        replacement=_in_full,
        listed=False,
        why="The number kept a short form that is the source's. News agencies write some of them in English as well: "
        "gated, and no evidence.",
        reference="Interinstitutional style guide of the European Union, 7.3.3",
        mends={"The wall cost 5 mln euros, the gate 2mlrd.": "The wall cost 5 million euros, the gate 2 billion."},
        keeps=("The wall cost 5 million euros.", "The MLN party won 5 seats.", "Line 5 mlnx"),
    ),
    Rule(
        id="thousand-reais",
        category=Category.UNTRANSLATED,
        mechanism=Mechanism.UNTRANSLATED,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"pt"}),
        pattern=re.compile(r"(?<=R\$)(?P<gap> ?)(?P<number>\d{1,3}) mil(?!\w)"),
        cues=("R$",),
        replacement=r"\g<gap>\g<number>,000",
        telling=True,
        why="Brazilian texts count « R$ 5 mil »; mil is a thousand. After $ it may be a million, said shortly.",
        reference="MQM, Accuracy: Untranslated",
        mends={"The wall cost R$ 5 mil.": "The wall cost R$ 5,000."},
        keeps=("The wall cost R$ 5,000.", "The wall cost $5 mil."),
    ),
    Rule(
        id="dash-for-cents",
        category=Category.CURRENCY_FORMAT,
        mechanism=Mechanism.NUMBERS,
        safety=Safety.ALWAYS,
        confidence=0.95,
        languages=_ENGLISH,
        sources=frozenset({"de", "nl", "da", "no", "sv", "cs"}),
        pattern=re.compile(
            rf"[,.][-–—]{{1,2}}(?:(?<=\d,-)|(?<=\d[,.][–—])|(?<=\d,--))(?:(?= (?:{_CURRENCY})(?!\w))|(?<=[€$£].{{3}})"
            r"(?=[ ,;:.)]))"
        ),
        cues=(",-", ",–", ",—", ".–", ".—"),
        anchored=True,
        replacement="",
        telling=True,
        why="German, Dutch and Scandinavian prices set a dash for no cents.",
        reference="DIN 5008, Währungsbezeichnungen",
        mends={"A ticket costs 5,- euros or 8,– EUR.": "A ticket costs 5 euros or 8 EUR."},
        keeps=("A ticket costs 5 euros.", "In rooms 5,- and 6 it rained.", "From 5.—euros fell"),
    ),
    Rule(
        id="untranslated-percent",
        category=Category.UNTRANSLATED,
        mechanism=Mechanism.UNTRANSLATED,
        safety=Safety.ALWAYS,
        confidence=0.95,
        languages=_ENGLISH,
        sources=frozenset(_PERCENT.values()),
        pattern=re.compile(rf" (?<=\d )(?:{'|'.join(map(re.escape, sorted(_PERCENT, key=len, reverse=True)))})(?!\w)"),
        cues=tuple(f" {word}" for word in _PERCENT),
        anchored=True,
        unless=_is_in_its_language,
        replacement=" percent",
        telling=True,
        why="The word for percent was kept. Among other words of its language it is at home.",
        reference="MQM, Accuracy: Untranslated",
        mends={"Prices rose by 5 Prozent, wages by 2.5 por ciento.": "Prices rose by 5 percent, wages by 2.5 percent."},
        keeps=("Prices rose by 5 percent.", "It is Prozent in German.", "He said “un 5 por ciento” twice."),
    ),
)
