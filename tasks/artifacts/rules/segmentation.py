"""Sentences that were cut before translation, each part translated on its own."""

import re
from collections.abc import Iterator

from tasks.artifacts.habits import Habits
from tasks.artifacts.rule import Category, Mechanism, Rule, Safety
from tasks.artifacts.surroundings import after, word_before
from tasks.artifacts.words import listed

_CONJUNCTIONS = "|".join(sorted(listed("conjunctions"), key=len, reverse=True))
_ENGLISH = frozenset({"en"})
_SECOND_HALF = re.compile(r"\. (?=(?P<rest>[a-z]+ [^\n]{1,80}))")
_MODALS = "will|would|can|could|shall|should|must|may|might"


def _after_abbreviation(match: re.Match[str], _: Habits) -> bool:
    """Say whether the stop belongs to an abbreviation, an initial or a web address."""
    word = word_before(match)
    return "." in word or word.lower() in listed("abbreviations")


def _repeated_heads(text: str, _: Habits) -> Iterator[tuple[int, int, str | None]]:
    """Yield `growth. economic growth`: a stop between a noun and itself with an adjective or two, to be read as one."""
    for match in _SECOND_HALF.finditer(text):
        noun = word_before(match)
        rest = match["rest"]
        if noun not in rest or not _is_head(noun):
            continue
        repeated = re.match(rf"((?:[a-z]+ ){{1,2}}?){noun}\b", rest)
        if repeated:
            yield match.start() - len(noun), match.start("rest") + repeated.end(), repeated[0]


def _is_head(noun: str) -> bool:
    is_word = len(noun) >= 4 and noun.isascii() and noun.isalpha() and noun.islower()
    return is_word and noun not in listed("function_words_en") and noun not in listed("abbreviations")


def _is_verb(match: re.Match[str]) -> bool:
    word = re.match(r"[a-z]+", after(match, 40))
    return word is not None and word[0] in listed("verbs")


RULES = (
    Rule(
        id="do-so-stop",
        category=Category.ADDITION,
        mechanism=Mechanism.SEGMENTATION,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"fr"}),
        pattern=re.compile(rf"\b({_MODALS}|to) do so\. (?=[a-z]{{2,}}\b)"),
        cues=(" do so. ",),
        unless=lambda match, _: not _is_verb(match),
        replacement=r"\1 ",
        telling=True,
        why="The sentence was cut after its auxiliary; the engine completed the first half with a verb of its own.",
        reference="MQM, Accuracy: Addition",
        mends={"He said the town will do so. build a wall.": "He said the town will build a wall."},
        keeps=(
            "The town will do so. Build a wall, he said.",
            "They will do so. and then rest.",
            "She will do so soon.",
        ),
    ),
    Rule(
        id="split-elision-noun",
        category=Category.WORD_ORDER,
        mechanism=Mechanism.SEGMENTATION,
        safety=Safety.GATED,
        confidence=0.85,
        languages=_ENGLISH,
        sources=frozenset({"fr"}),
        pattern=re.compile(r"\b([a-z]+) ([a-z]+s)\. ['’]([a-z]{4,})(?=[.,;:]|$)"),
        cues=(". '", ". ’"),
        replacement=r"\1 \3 \2",
        telling=True,
        why="« des scénarios d'application » was cut at the apostrophe: the noun lost its d' and its place.",
        reference="MQM, Linguistic conventions: Word order",
        mends={"The plan lists coming areas. 'investment.": "The plan lists coming investment areas."},
        keeps=("The plan lists areas. 'Investment' is one.", "He listed areas. 'cause he could, he said."),
    ),
    Rule(
        id="repeated-head",
        category=Category.ADDITION,
        mechanism=Mechanism.SEGMENTATION,
        safety=Safety.GATED,
        confidence=0.85,
        languages=_ENGLISH,
        sources=frozenset({"fr", "es", "it", "pt"}),
        cues=tuple(f". {letter}" for letter in "abcdefghijklmnopqrstuvwxyz"),
        finder=_repeated_heads,
        telling=True,
        why="The sentence was cut between noun and adjective; the second half got its noun once more.",
        reference="MQM, Accuracy: Addition",
        mends={
            "It will raise the town's income. yearly income by far.": "It will raise the town's yearly income by far."
        },
        keeps=(
            "It will raise income. Yearly income fell.",
            "It is etc. or etc. etc.",
            "The income. is taxed as income",
        ),
    ),
    Rule(
        id="stray-stop",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.SEGMENTATION,
        safety=Safety.GATED,
        languages=_ENGLISH,
        pattern=re.compile(rf"(?<=[a-z]{{2}})\. (?=(?:{_CONJUNCTIONS}) [a-z])"),
        cues=tuple(f". {conjunction} " for conjunction in sorted(listed("conjunctions"))),
        unless=_after_abbreviation,
        replacement=", ",
        telling=True,
        why="A sentence splitter set a stop before a clause that goes on, and the halves were translated apart.",
        reference="MQM, Linguistic conventions: Punctuation",
        mends={
            "The wall will hold. and the gate will, too.": "The wall will hold, and the gate will, too.",
            "They repaired the wall. so that it holds.": "They repaired the wall, so that it holds.",
        },
        keeps=(
            "The wall will hold. And the gate, too.",
            "The firm Harper Inc. and its owner",
            "Walls, gates etc. and more",
        ),
    ),
    Rule(
        id="lower-case-after-stop",
        category=Category.SPELLING,
        mechanism=Mechanism.SEGMENTATION,
        safety=Safety.DETECT,
        languages=_ENGLISH,
        pattern=re.compile(r"\. (?=[a-z]{2})"),
        cues=tuple(f". {letter}" for letter in "abcdefghijklmnopqrstuvwxyz"),
        anchored=True,
        unless=lambda match, habits: len(word_before(match)) < 4 or _after_abbreviation(match, habits),
        listed=False,
        why=(
            "A sentence that begins in lower case may be half of one. Brand names and captions do so too: "
            "evidence only."
        ),
        reference="MQM, Linguistic conventions: Spelling",
        finds=("The wall will hold. it is new.",),
        keeps=("The wall will hold. It is new.", "See bridges etc. in the list."),
    ),
)
