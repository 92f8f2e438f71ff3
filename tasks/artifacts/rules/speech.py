"""Direct speech in the source language's fashion: dashes, quotations quoted twice, marks the wrong way round."""

import re

from tasks.artifacts.habits import Habits
from tasks.artifacts.rule import Category, Mechanism, Rule, Safety
from tasks.artifacts.surroundings import line_before, word_before
from tasks.artifacts.verbs import past
from tasks.artifacts.words import listed

_ENGLISH = frozenset({"en"})
_PASTS = "|".join(sorted({past(verb) for verb in listed("reporting_verbs")}))
_SAYING = frozenset({*_PASTS.split("|"), *listed("reporting_verbs"), "says", "saying", "words"})
_SPEAKER = r"(?:he|she|they|the [a-z]+|Mr|Mrs|Ms|Dr|[A-Z][a-z]+)\b"


def _requoted(match: re.Match[str], habits: Habits) -> str:
    opening, closing = habits.quotes
    return f"{opening}{match['quoted']}{closing}"


def _spoken(match: re.Match[str], habits: Habits) -> str:
    """Return the speech between quotation marks, its comma inside them."""
    opening, closing = habits.quotes
    return f"{opening}{match['speech']}{match['stop']}{closing} "


def _is_inside_quotation(match: re.Match[str], _: Habits) -> bool:
    line = line_before(match)
    return line.count("“") > line.count("”") or line.count('"') % 2 == 1


RULES = (
    Rule(
        id="dashed-speech",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.QUOTATION,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"ru", "uk", "pl", "es", "fr", "pt"}),
        pattern=re.compile(
            rf"(?m)^[–—-] ?(?P<speech>[A-Z][^\n–—“”\"]{{2,300}}?)(?P<stop>[,?!]) ?[–—-] (?=(?:{_PASTS}|says) {_SPEAKER}"
            rf"|{_SPEAKER} (?:{_PASTS}|says)\b)"
        ),
        cues=(", —", "? —", "! —", ", –", "? –", "! –", ", -", "? -", "! -"),
        replacement=_spoken,
        telling=True,
        why="Russian, Polish, Spanish and French open a speech with a dash, and set another before who speaks.",
        reference="Rosenthal, Справочник по правописанию: диалог",
        mends={"— The wall will hold, — said the mayor.": '"The wall will hold," said the mayor.'},
        keeps=("“The wall will hold,” said the mayor.", "- Milk, - eggs and bread", "A wall — old, — said to hold"),
    ),
    Rule(
        id="dash-after-colon",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.QUOTATION,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"ru", "it", "pt", "es"}),
        pattern=re.compile(r": ?[–—-] ?(?<=[a-z]: [–—-] )(?=[A-Z“\"])"),
        cues=(": –", ": —", ": -"),
        anchored=True,
        unless=lambda match, _: word_before(match).lower() not in _SAYING,
        replacement=": ",
        why="A speech opened with a dash behind the colon. Old English prints do so too: gated.",
        reference="MQM, Linguistic conventions: Punctuation",
        mends={"He said: — The wall will hold.": "He said: The wall will hold."},
        keeps=("He said: The wall will hold.", "A smile :-) and a score 3: - 2", "To: -Anna", "Bring: - Milk - Bread"),
    ),
    Rule(
        id="quotation-quoted-twice",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.QUOTATION,
        safety=Safety.GATED,
        languages=_ENGLISH,
        pattern=re.compile(
            r"(?:““|\"“|“\"|\"\"|«“|“«)(?P<quoted>[^\s\"“”«»][^\"“”«»\n]{0,600})(?:””|”\"|\"”|\"\"|”»|»”)"
        ),
        cues=("““", '"“', '“"', '""', "«“", "“«"),
        anchored=True,
        unless=_is_inside_quotation,
        replacement=_requoted,
        why="The source's marks and the engine's own stand around one quotation. Tables that were exported badly show "
        "the same: gated.",
        reference="MQM, Linguistic conventions: Punctuation",
        mends={
            "They call it ““the wall”” here.": "They call it “the wall” here.",
            "They call it «“the wall”», he said; “so be it”.": "They call it “the wall”, he said; “so be it”.",
        },
        keeps=("They call it “the wall” here.", 'He said "" and nothing more.', "““The wall” is old,” she said."),
    ),
    Rule(
        id="quotes-the-wrong-way-round",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.QUOTATION,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"ar", "he", "fa"}),
        pattern=re.compile(r"”(?:(?<=\s”)|(?<=^”))(?P<quoted>\w[^“”\n]{0,600}?)(?<=[\w.,?!])“(?!\w)"),
        cues=tuple("”"),
        anchored=True,
        unless=_is_inside_quotation,
        replacement=_requoted,
        telling=True,
        why="Texts written from right to left close a quotation with the mark that opens ours.",
        reference="Unicode Standard Annex 9, bidirectional text",
        mends={"The mayor said ”no“ twice.": "The mayor said “no” twice."},
        keeps=("The mayor said “no” twice.", "“So be it,” she said. “And more.”", "A lone ” and a lone “ here"),
    ),
    Rule(
        id="double-prime-quotes",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.QUOTATION,
        safety=Safety.ALWAYS,
        confidence=0.97,
        languages=_ENGLISH,
        sources=frozenset({"zh", "ja", "ko"}),
        pattern=re.compile(r"〝(?P<quoted>[^〝〞〟\n\u3040-\u30ff\u4e00-\u9fff]{1,600})[〞〟]"),
        cues=("〝",),
        anchored=True,
        replacement=_requoted,
        telling=True,
        why="East Asian prints quote in double primes; around English words they are residue.",
        reference="The Unicode Standard, U+301D to U+301F",
        mends={"The mayor said 〝no〞 twice; “so be it”.": "The mayor said “no” twice; “so be it”."},
        keeps=("The mayor said “no” twice.", "The sign said 〝雨〞 in red."),
    ),
    Rule(
        id="glued-quotation",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.QUOTATION,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"zh", "ja"}),
        pattern=re.compile(r"“(?<=[a-z]“)(?=\w[^“”\n]{1,400}”)|”(?<=[\w.,!?]”)(?=[a-z]{2,} )"),
        cues=(*(f"{letter}“" for letter in "abcdefghijklmnopqrstuvwxyz"), "”"),
        replacement=lambda match, _: f" {match[0]}" if match[0] == "“" else f"{match[0]} ",
        listed=False,
        why="Chinese and Japanese set no spaces around a quotation. People slip so too: gated.",
        reference="MQM, Linguistic conventions: Punctuation",
        mends={"He said that“it rains”and left.": "He said that “it rains” and left."},
        keeps=("He said that “it rains” and left.", "The “wall”s of it", "A “pre-”war wall"),
    ),
)
