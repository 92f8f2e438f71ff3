"""Names, titles and small words of people's speech that kept the source's form."""

import re

from tasks.artifacts.habits import Habits
from tasks.artifacts.rule import Category, Mechanism, Rule, Safety
from tasks.artifacts.words import table

_ENGLISH = frozenset({"en"})
_GLUED_INITIALS = re.compile(r"(?<![\w.@/])(?:[A-Z]\.){2,3}(?=[A-Z][a-z]{2,}+(?!\.\w))")
_SPACED_INITIALS = re.compile(r"(?<![\w.])[A-Z]\. [A-Z][a-z]")
_LONE = {row[0]: row[1] for row in table("lone_foreign_words")}
_BESIDE = "the|a|an|his|her|their|its|this|that|these|those|by|from|with|not|all"


def _glues_initials(habits: Habits) -> bool:
    """Say whether a text glues its initials throughout, as papers in India do."""
    return len(_GLUED_INITIALS.findall(habits.text)) > 1 and not _SPACED_INITIALS.search(habits.text)


def _is_typeset(habits: Habits) -> bool:
    return habits.text.count("\u00ad") > 1


RULES = (
    Rule(
        id="cyrillic-initial",
        category=Category.UNTRANSLATED,
        mechanism=Mechanism.UNTRANSLATED,
        safety=Safety.DETECT,
        confidence=0.95,
        languages=_ENGLISH,
        sources=frozenset({"ru", "uk", "bg"}),
        pattern=re.compile(r"(?<!\w)[АВЕІКМНОРСТХУ]\.(?: ?[АВЕІКМНОРСТХУ]\.)?(?= ?(?:[A-Z]\. ?)?[A-Z][a-z]+)"),
        cues=tuple(f"{letter}." for letter in "АВЕІКМНОРСТХУ"),
        anchored=True,
        telling=True,
        why="The initials of a name that was put into Latin letters stayed Cyrillic. Whether they are to be read by "
        "their sound (\u0421. is S.) or by their look (C.) only an editor can tell.",
        reference="Unicode Technical Standard 39, confusables",
        finds=("The poet \u0410.\u0421. Petrov agreed.",),
        keeps=("The poet A.S. Petrov agreed.", "The sign says \u0410. \u0421. \u041f\u0435\u0442\u0440\u043e\u0432."),
    ),
    Rule(
        id="initials-without-space",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.PUNCTUATION,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"ru", "uk", "hi"}),
        pattern=_GLUED_INITIALS,
        cues=tuple(f".{letter}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
        house=_glues_initials,
        replacement=lambda match, _: f"{match[0]} ",
        listed=False,
        why="Initials are glued to the name, as Russian typists set them. Indian papers do so in English: gated.",
        reference="The Chicago Manual of Style, 10.12",
        mends={"The painter V.V.Petrov died.": "The painter V.V. Petrov died."},
        keeps=("The painter V.V. Petrov died.", "The U.S. agreed.", "J.Crew and S.Pellegrino sell shirts."),
    ),
    Rule(
        id="title-before-article",
        category=Category.GRAMMAR,
        mechanism=Mechanism.CALQUE,
        safety=Safety.DETECT,
        confidence=0.8,
        languages=_ENGLISH,
        sources=frozenset({"fr", "es", "pt", "pl"}),
        pattern=re.compile(r"\b(?:Mr|Mrs|Ms|Madam|Madame|Monsieur)\.? the (?=[A-Za-z]{4,})"),
        cues=tuple(
            f"{title}{stop} the " for title in ("Mr", "Mrs", "Ms", "Madam", "Madame", "Monsieur") for stop in ("", ".")
        ),
        anchored=True,
        telling=True,
        why="« Madame la ministre », « pan prezydent »: English sets no article behind a title.",
        reference="MQM, Linguistic conventions: Grammar",
        finds=("The wall pleases Mrs. the minister.",),
        keeps=("The wall pleases the minister.", "She told Mr Lund the truth.", "Mr. The Wall sang."),
    ),
    Rule(
        id="foreign-word-among-english",
        category=Category.UNTRANSLATED,
        mechanism=Mechanism.UNTRANSLATED,
        safety=Safety.DETECT,
        confidence=0.85,
        languages=_ENGLISH,
        sources=frozenset(_LONE.values()),
        pattern=re.compile(rf" (?<=[a-z] )(?:{'|'.join(sorted(_LONE))})(?= (?:{_BESIDE}) [a-z])"),
        cues=tuple(f" {word} " for word in _LONE),
        anchored=True,
        telling=True,
        why="A word of grammar of the source's language stands before one of English.",
        reference="MQM, Accuracy: Untranslated",
        finds=("The wall und the gate fell.", "The wall fell pero the gate held."),
        keeps=(
            "The wall and the gate fell.",
            "The play Sturm und Drang ran.",
            "He said “oder” and the wall fell.",
            "The word pero is Spanish.",
        ),
    ),
    Rule(
        id="apostrophe-set-twice",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.PUNCTUATION,
        safety=Safety.GATED,
        languages=_ENGLISH,
        pattern=re.compile(r"['’]{2}(?<=[a-zI]..)(?=(?:s|t|m|re|ve|ll|d)\b(?!['’]))"),
        cues=("''", "’’", "'’", "’'"),
        anchored=True,
        replacement=lambda _, habits: habits.apostrophe,
        why="The apostrophe was escaped by doubling it, and nobody took the second away. Typists slip so too: gated.",
        reference="ISO/IEC 9075 (SQL), character strings",
        mends={"They don''t agree, and it''s late.": "They don't agree, and it's late."},
        keeps=("They don't agree.", "He said ''no'' twice.", "The shop of '90s'' fame"),
    ),
    Rule(
        id="combining-dot-on-i",
        category=Category.SPELLING,
        mechanism=Mechanism.ENCODING,
        safety=Safety.ALWAYS,
        confidence=0.97,
        languages=frozenset({"en", "de", "es", "fr", "it", "pt", "nl"}),
        sources=frozenset({"tr", "az"}),
        pattern=re.compile("(?<=i)\u0307"),
        cues=("i\u0307",),
        replacement="",
        telling=True,
        why="The Turkish capital İ was put into lower case by rules that are not Turkish, which leaves a second dot.",
        reference="The Unicode Standard, SpecialCasing: U+0130",
        mends={"The i\u0307zmir office is closed.": "The izmir office is closed."},
        keeps=("The izmir office is closed.", "The İzmir office is closed."),
    ),
    Rule(
        id="zero-width-in-word",
        category=Category.CHARACTER_ENCODING,
        mechanism=Mechanism.ENCODING,
        safety=Safety.GATED,
        languages=_ENGLISH,
        pattern=re.compile("(?<=[^\\W\\d_])[\u00ad\u200b\u2060\ufeff]+(?=[^\\W\\d_])"),
        cues=tuple("\u00ad\u200b\u2060\ufeff"),
        house=_is_typeset,
        replacement="",
        listed=False,
        why="A mark nobody sees parts a word, so that no search finds it. Typesetters hyphenate so: gated. The joiners "
        "that Persian, Indic scripts and emoji need are not among these marks.",
        reference="The Unicode Standard, U+200B, U+00AD, U+2060, U+FEFF",
        mends={"The coun\u200bcil of the muni\u00adcipality agreed.": "The council of the municipality agreed."},
        keeps=("The council agreed.", "The council\u200b agreed.", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
    ),
)
