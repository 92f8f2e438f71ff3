"""Notices of a translation service that stand in the text as if they were part of it."""

import re
from collections.abc import Iterator

from tasks.artifacts.habits import Habits
from tasks.artifacts.notices import CUES, notices
from tasks.artifacts.rule import Category, Mechanism, Rule, Safety


def _lines(text: str, _: Habits) -> Iterator[tuple[int, int, str | None]]:
    """Yield the notices with the blank lines that part them from the text; a text that is nothing else stays."""
    for notice in notices(text):
        start, end = notice.start, notice.end
        while end < len(text) and text[end] == "\n":
            end += 1
        if end == len(text):
            while start and text[start - 1] == "\n":
                start -= 1
        if (start, end) != (0, len(text)):
            yield start, end, ""


RULES = (
    Rule(
        id="translation-notice",
        category=Category.ADDITION,
        mechanism=Mechanism.PROVENANCE,
        safety=Safety.ALWAYS,
        confidence=0.98,
        cues=CUES,
        finder=_lines,
        telling=True,
        why=(
            "The service says on a line of its own that it translated the page. The line moves from the text "
            "to the evidence."
        ),
        reference="Google Cloud Translation, attribution requirements",
        mends={
            "Translated by Google\n\nThe council agreed.": "The council agreed.",
            "The council agreed.\n\nThis article was automatically translated from Chinese.": "The council agreed.",
            "The council agreed.\n[Machine translation]\nIt rained.": "The council agreed.\nIt rained.",
            "Traduction automatique\n\nLe conseil a accepté.": "Le conseil a accepté.",
            (
                "Der Rat stimmte zu.\n\nDieser Artikel wurde automatisch aus dem Englischen übersetzt."
            ): "Der Rat stimmte zu.",
            "El consejo aceptó.\n\nTraducido por Google": "El consejo aceptó.",
        },
        keeps=(
            "Translated from French by Anna Lund.\n\nThe council agreed.",
            "The council agreed.\n\nMachine translation has changed how the council works, its members say.",
            "The book was translated by a machine, she said.",
        ),
    ),
    Rule(
        id="translated-credit",
        category=Category.ADDITION,
        mechanism=Mechanism.PROVENANCE,
        safety=Safety.DETECT,
        languages=frozenset({"en"}),
        sources=frozenset({"zh"}),
        pattern=re.compile(
            r"[\[(【（]\s?(?:Source|Editor|Editor[- ]in[- ]charge|Responsible [Ee]ditor|Executive [Ee]ditor|Font"
            r"|Font size)"
            r"\s?[:：]\s?[^\[\]()【】（）\n]{0,60}[\])】）]|\bFont:\s?\[[^\]\n]{1,40}\]"
        ),
        cues=("Source", "ditor", "Font"),
        telling=True,
        listed=False,
        why="The credits in the page's frame were translated with the text and stand in it.",
        reference="MQM, Accuracy: Addition",
        finds=("It rained. (Responsible editor: Li Fang)", "[Source:Harbour Daily] [Editor:Li Fang] It rained."),
        keeps=(
            "(Source: see the table in [1])",
            "The editor, Li Fang, agreed.",
            "Sources say (editors agree) it rained.",
        ),
    ),
)
