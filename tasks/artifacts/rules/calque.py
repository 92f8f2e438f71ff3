"""Turns of phrase carried over word for word. Each is legal English: many of them together are not."""

import re

from tasks.artifacts.rule import Category, Mechanism, Rule, Safety
from tasks.artifacts.words import table

_EXAMPLES = {
    "fr": "In a context of war, the totality of the towns agreed.",
    "es": "The past Monday the mayor was asked; the totality of the town agreed.",
    "de": "The mayor has been ill since two years.",
    "ru": "In the nearest time, the wall will be built on the territory of the town.",
    "zh": "The relevant person in charge said it is understood that the wall will hold.",
    "it": "For what concerns the wall, this last one will hold.",
    "tr": "The mayor continued as follows: it will be built within the scope of the plan.",
    "ar": "He agreed, stressing on the age of the wall.",
    "ko": "According to the news of the day, the wall will hold.",
    "pt": "In respect to this, the mayor was silent.",
}
_NATIVE = ("The mayor has been ill for two years.", "Amid the war, all towns agreed.")


def _phrases(language: str) -> list[str]:
    return [phrase for phrase, sources, _ in table("calques") if language in sources.split(",")]


def _pattern(phrases: list[str]) -> re.Pattern[str]:
    return re.compile(rf"(?i)(?<!\w)(?:{'|'.join(map(re.escape, phrases))})(?!\w)")


RULES = tuple(
    Rule(
        id=f"calque-{language}",
        category=Category.UNIDIOMATIC,
        mechanism=Mechanism.CALQUE,
        safety=Safety.DETECT,
        confidence=0.5,
        languages=frozenset({"en"}),
        sources=frozenset({language}),
        cues=tuple(cue for phrase in _phrases(language) for cue in (phrase, phrase.capitalize())),
        pattern=_pattern(_phrases(language)),
        listed=False,
        why="A turn of phrase of the source language, word for word. Evidence only: each of them is legal English.",
        reference="MQM, Style: Unidiomatic",
        finds=(example,),
        keeps=_NATIVE,
    )
    for language, example in _EXAMPLES.items()
)
