"""Words, phrases and sentences that an engine wrote twice, or could not stop writing."""

import re
from collections.abc import Iterator

from tasks.artifacts.habits import Habits
from tasks.artifacts.rule import Category, Mechanism, Rule, Safety

_ENGLISH = frozenset({"en"})
_DOUBLED = "the|of|to|and|a|an|for|with|by|from|at|in|is|was|are|were|on|as|be|or|it|its|their|his|which|this|will"
_SHORTEST, _LONGEST = 3, 12
_WORD = re.compile(r"\w+|\n")


def _loops(text: str, habits: Habits) -> Iterator[tuple[int, int, str | None]]:
    """Yield runs of a phrase of three words or more that stands three times or more in a row, to be written once."""
    if not habits.repeats_within(2 * _LONGEST):  # twice, since marks that stand alone are counted there
        return
    places = list(_WORD.finditer(text))
    for first, size, copies in _runs([place[0].lower() for place in places]):
        start, once = places[first].start(), places[first + size - 1].end()
        yield start, places[first + size * copies - 1].end(), text[start:once]


def _runs(words: list[str]) -> Iterator[tuple[int, int, int]]:
    """Yield where phrases begin that stand three times or more in a row, their size in words, and how many copies.

    >>> list(_runs("so a b c a b c a b c and".split()))
    [(1, 3, 3)]
    """
    seen: dict[tuple[str, str, str], int] = {}
    position = 0
    for index, three in enumerate(zip(words, words[1:], words[2:], strict=False)):
        before = seen.get(three)
        seen[three] = index
        if before is None or before < position or not _SHORTEST <= index - before <= _LONGEST:
            continue
        size = index - before
        if "\n" in words[before:index]:
            continue
        end = index
        while end < len(words) and words[end] == words[end - size]:
            end += 1
        copies = (end - before) // size
        if copies >= 3 and len(set(words[before:index])) >= 2:
            yield before, size, copies
            position = end


def _repeated_sentences(text: str, habits: Habits) -> Iterator[tuple[int, int, str | None]]:
    """Yield sentences of five words or more that stand twice in a row."""
    if not habits.repeats_itself:
        return
    previous = ""
    start = 0
    for match in re.finditer(r"[.!?][”\"]?(?:[ \n]+|$)", text):
        sentence = text[start : match.end()].strip()
        if sentence == previous and sentence.count(" ") >= 4:
            yield start, start + len(sentence), None
        previous, start = sentence, match.end()


RULES = (
    Rule(
        id="phrase-loop",
        category=Category.NON_TRANSLATION,
        mechanism=Mechanism.REPETITION,
        safety=Safety.ALWAYS,
        finder=_loops,
        telling=True,
        why="A neural engine that loses its way writes the same phrase again and again.",
        reference="Guerreiro et al. 2023, Looking for a needle in a haystack: oscillatory hallucinations",
        mends={
            "The wall on the hill, the wall on the hill, the wall on the hill fell.": "The wall on the hill fell.",
        },
        keeps=(
            "The wall on the hill, and the wall on the bridge, and the wall on the quay fell.",
            "No, no, no, no, no!",
            "It is what it is what they say.",
        ),
    ),
    Rule(
        id="repeated-sentence",
        category=Category.ADDITION,
        mechanism=Mechanism.REPETITION,
        safety=Safety.DETECT,
        finder=_repeated_sentences,
        why="The sentence stands twice in a row.",
        reference="MQM, Accuracy: Addition",
        finds=("The wall on the hill fell. The wall on the hill fell.",),
        keeps=("The wall on the hill fell. The gate on the hill fell.", "It fell. It fell."),
    ),
    Rule(
        id="doubled-word",
        category=Category.ADDITION,
        mechanism=Mechanism.REPETITION,
        safety=Safety.GATED,
        languages=_ENGLISH,
        pattern=re.compile(rf"(?<![\w-])({_DOUBLED}) \1(?![\w'’-])"),
        cues=tuple(f"{word} {word}" for word in _DOUBLED.split("|")),
        anchored=True,
        replacement=r"\1",
        why="A word of grammar stands twice. People slip so as often as machines: gated, and no evidence.",
        reference="MQM, Accuracy: Addition",
        mends={
            "He went to the the wall.": "He went to the wall.",
            "A concerto to to hear": "A concerto to hear",
        },
        keeps=("He went to the wall.", "The thing that that man said", "He had had enough.", "A concerto to hear"),
    ),
    Rule(
        id="doubled-honorific",
        category=Category.ADDITION,
        mechanism=Mechanism.REPETITION,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"ja", "ko"}),
        pattern=re.compile(r"\b((?:Mr|Ms|Mrs|Miss|Dr|Professor)\.? [A-Z][a-z]+)-(?:san|sama|sensei|ssi|nim)\b"),
        cues=("-san", "-sama", "-sensei", "-ssi", "-nim"),
        replacement=r"\1",
        why="The title was translated and kept as well.",
        reference="MQM, Accuracy: Addition",
        mends={"Mr. Tanaka-san agreed.": "Mr. Tanaka agreed."},
        keeps=("Mr. Tanaka agreed.", "Tanaka-san agreed.", "The San-San river"),
    ),
)
