"""Quotation marks in the source language's fashion, and quotations that were opened twice or never closed."""

import re
from collections.abc import Iterator

from tasks.artifacts.habits import Habits
from tasks.artifacts.rule import Category, Mechanism, Rule, Safety
from tasks.artifacts.rules.markup import is_about_code
from tasks.artifacts.surroundings import line_before

_CLOSING_SINGLE = re.compile(r"’(?!\w)")
_SPACE = " \u00a0\u202f\u2009"
_ENGLISH = frozenset({"en"})
_FRENCH_PACK = frozenset({"fr", "ru", "es", "it", "pt", "ar", "fa", "el"})
_LOW_PACK = frozenset({"de", "cs", "sk", "pl", "ru", "bg", "hr", "sl", "hu", "ro", "lt", "lv", "et", "is", "uk"})


def _requoted(match: re.Match[str], habits: Habits) -> str:
    """Return a quotation in the document's own marks; inside another quotation, in the inner ones."""
    opening, closing = habits.single_quotes if _is_inside_quotation(match) else habits.quotes
    return f"{opening}{match['quoted']}{closing}"


def _is_inside_quotation(match: re.Match[str]) -> bool:
    line = line_before(match)
    return line.count("“") > line.count("”")


def _in_single_quotes(match: re.Match[str], habits: Habits) -> str:
    opening, closing = habits.single_quotes
    return f"{opening}{match['quoted']}{closing}"


def _tight(match: re.Match[str], _: Habits) -> str:
    return match[0][0] + match[0][1:-1].strip(_SPACE) + match[0][-1]


def _paragraphs(text: str) -> Iterator[tuple[int, str]]:
    position = 0
    for line in text.split("\n"):
        if line.strip():
            yield position, line
        position += len(line) + 1


def _reopened(text: str, _: Habits) -> Iterator[tuple[int, int, str | None]]:
    """Yield the opening marks that stand within an open quotation, with the word they broke off, if they did."""
    for start, line in _paragraphs(text):
        if line.count("“") < 2 or "”" not in line or "„" in line:
            continue
        is_open, last, opened = False, line.rfind("”"), 0
        for match in re.finditer("[“”]", line):
            is_reopened = match[0] == "“" and is_open and match.start() < last
            if (
                is_reopened
                and _stands_between_words(line, match.start())
                and not _is_third(line, opened, match.start())
            ):
                broken = _broken_off(line, match.start())
                yield start + match.start() - broken, start + match.end(), ""
            is_open, opened = match[0] == "“", match.end()


def _is_third(line: str, opened: int, at: int) -> bool:
    """Say whether the mark quotes within what single marks quote, which close only after its own quotation."""
    single, closing = line.rfind("‘", opened, at), line.find("”", at)
    return single >= 0 and not _CLOSING_SINGLE.search(line, single, closing)


def _stands_between_words(line: str, at: int) -> bool:
    return bool(re.search(r"\w,? $", line[max(0, at - 3) : at])) and line[at + 1 : at + 2].islower()


def _broken_off(line: str, at: int) -> int:
    """Return the length of a word before the mark that is the beginning of the word after it (`under “underlying`)."""
    before = re.search(r"\b(\w{3,}) $", line[max(0, at - 40) : at])
    after = re.match(r"\w+", line[at + 1 : at + 60])
    if not before or not after or before[1] == after[0] or not after[0].startswith(before[1]):
        return 0
    return len(before[0])


def _unclosed(text: str, _: Habits) -> Iterator[tuple[int, int, str | None]]:
    """Yield the ends of paragraphs that open a quotation and never close it, where the next one does not go on."""
    if text.count("“") <= text.count("”"):
        return
    lines = list(_paragraphs(text))
    for index, (start, line) in enumerate(lines):
        following = lines[index + 1][1].lstrip() if index + 1 < len(lines) else ""
        end = start + len(line.rstrip())
        if _is_left_open(line) and not _goes_on(following) and text[end - 1] in ".!?":
            yield end - 1, end, text[end - 1] + "”"


def _is_left_open(line: str) -> bool:
    last = line.rfind("“")
    return (
        last >= 0
        and "„" not in line
        and "”" not in line[last:]
        and line.count("“") == line.count("”") + 1
        and '"' not in line[last:]
    )


def _goes_on(following: str) -> bool:
    """Say whether a paragraph goes on with the quotation before it: opens it anew, or closes it."""
    return following.startswith(("“", '"', "‘")) or "”" in following.split("“")[0]


def _mixed(text: str, _: Habits) -> Iterator[tuple[int, int, str | None]]:
    """Yield straight quotes that are odd in their paragraph: one is missing, or is not a quote at all (inches)."""
    if '"' not in text:
        return
    for start, line in _paragraphs(text):
        if line.count('"') % 2 and not re.search(r'\d"', line):
            at = line.rfind('"')
            yield start + at, start + at + 1, None


def _is_no_pair(match: re.Match[str], _: Habits) -> bool:
    """Say whether the marks are not each other's: a straight quote is open already, or an inner one ends here too."""
    nested = match[0][1:-1].strip(_SPACE)[-1:] in "’'‘"
    return nested or (match[0][0] == '"' and line_before(match).count('"') % 2 == 1)


RULES = (
    Rule(
        id="guillemets",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.QUOTATION,
        safety=Safety.ALWAYS,
        confidence=0.97,
        languages=_ENGLISH,
        sources=_FRENCH_PACK,
        pattern=re.compile(r"«[ \u00a0\u202f\u2009]?(?P<quoted>[^«»\n]{1,600}?)[ \u00a0\u202f\u2009]?»"),
        cues=tuple("«"),
        replacement=_requoted,
        telling=True,
        why="French, Russian, Spanish and others quote in « »; English does not.",
        reference="The Chicago Manual of Style, 6.118, 11.29",
        mends={
            "The mayor said\u00a0«\u00a0no\u00a0» twice; “so be it”.": "The mayor said\u00a0“no” twice; “so be it”.",
            'It is «late», he said, and "dark".': 'It is "late", he said, and "dark".',
            "“We call it «the wall» here,” she said.": "“We call it ‘the wall’ here,” she said.",
        },
        keeps=("The mayor said “no” twice.", "More news »", "« Back to the list"),
    ),
    Rule(
        id="guillemets-inwards",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.QUOTATION,
        safety=Safety.ALWAYS,
        languages=_ENGLISH,
        sources=frozenset({"de", "da", "sl", "hr"}),
        pattern=re.compile(r"(?:(?<=[\s(])|^)»(?P<quoted>\w[^«»\n]{0,600}?)«(?!\w)"),
        cues=tuple("»"),
        replacement=_requoted,
        telling=True,
        why="German books and Danish papers quote in » «.",
        reference="Duden, Anführungszeichen",
        mends={"The mayor said »no« twice; “so be it”.": "The mayor said “no” twice; “so be it”."},
        keeps=("The mayor said “no” twice.", "More news » and « back"),
    ),
    Rule(
        id="angle-quotes",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.QUOTATION,
        safety=Safety.ALWAYS,
        languages=_ENGLISH,
        sources=frozenset({"ru", "es", "fr", "it"}),
        pattern=re.compile(r"(?<![<\w])<<[ \u00a0]?(?P<quoted>[^<>\n]{1,600}?)[ \u00a0]?>>(?![>\w])"),
        cues=("<<",),
        unless=is_about_code,
        replacement=_requoted,
        telling=True,
        why="« » typed as pairs of angle brackets.",
        reference="Imprimerie nationale, Lexique des règles typographiques",
        mends={"The mayor said <<no>> twice; “so be it”.": "The mayor said “no” twice; “so be it”."},
        keeps=("The mayor said “no” twice.", "In the code, cin >> a << b >> c", "1 << 2 and 3"),
    ),
    Rule(
        id="single-guillemets",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.QUOTATION,
        safety=Safety.ALWAYS,
        languages=_ENGLISH,
        sources=frozenset({"fr", "de"}),
        pattern=re.compile(r"‹[ \u00a0\u202f\u2009]?(?P<quoted>[^‹›\n]{1,300}?)[ \u00a0\u202f\u2009]?›"),
        cues=tuple("‹"),
        replacement=_in_single_quotes,
        telling=True,
        why="The inner quotation marks of French and Swiss texts.",
        reference="Imprimerie nationale, Lexique des règles typographiques",
        mends={"“We call it ‹the wall› here,” she said.": "“We call it ‘the wall’ here,” she said."},
        keeps=("“We call it ‘the wall’ here,” she said.", "Next ›"),
    ),
    Rule(
        id="low-quotes",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.QUOTATION,
        safety=Safety.ALWAYS,
        confidence=0.97,
        languages=_ENGLISH,
        sources=_LOW_PACK,
        pattern=re.compile(r"„(?P<quoted>[^„“”\"\n]{1,600})[“”\"]"),
        cues=tuple("„"),
        replacement=_requoted,
        telling=True,
        why="German, Czech, Polish and others open a quotation below the line.",
        reference="Duden, Anführungszeichen",
        mends={
            "The mayor said „no“ twice; “so be it”.": "The mayor said “no” twice; “so be it”.",
            'It is „late”, he said, and "dark".': 'It is "late", he said, and "dark".',
        },
        keeps=("The mayor said “no” twice.", "A lone „ on the page"),
    ),
    Rule(
        id="single-low-quotes",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.QUOTATION,
        safety=Safety.ALWAYS,
        languages=_ENGLISH,
        sources=_LOW_PACK,
        pattern=re.compile(r"‚(?P<quoted>[^‚‘’\n]{1,300})[‘’](?!\w)"),
        cues=tuple("‚"),
        replacement=_in_single_quotes,
        telling=True,
        why="The inner quotation marks of German texts.",
        reference="Duden, Anführungszeichen",
        mends={"“We call it ‚the wall‘ here,” she said.": "“We call it ‘the wall’ here,” she said."},
        keeps=("“We call it ‘the wall’ here,” she said.", "A lone ‚ on the page"),
    ),
    Rule(
        id="comma-quotes",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.QUOTATION,
        safety=Safety.ALWAYS,
        languages=_ENGLISH,
        sources=_LOW_PACK,
        pattern=re.compile(
            r"(?<![\w,]),,(?=\w)(?P<quoted>(?:[^,'’“”\"\n]|,(?!,)|['’](?!['’])){1,300})(?:''|’’|[“”\"])"
        ),
        cues=(",,",),
        replacement=_requoted,
        telling=True,
        why="A low quotation mark typed as two commas.",
        reference="Duden, Anführungszeichen",
        mends={"The mayor said ,,no'' twice; “so be it”.": "The mayor said “no” twice; “so be it”."},
        keeps=("It rained,, and then snowed.", "A list ,, with holes"),
    ),
    Rule(
        id="corner-brackets",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.QUOTATION,
        safety=Safety.ALWAYS,
        confidence=0.97,
        languages=_ENGLISH,
        sources=frozenset({"ja", "zh", "ko"}),
        pattern=re.compile(r"[「『｢](?P<quoted>[^「」『』｢｣\n\u3040-\u30ff\u4e00-\u9fff]{1,600})[」』｣]"),
        cues=tuple("「『｢"),
        replacement=_requoted,
        telling=True,
        why="Japanese and Chinese quote in corner brackets; around English words they are residue.",
        reference="JIS X 4051",
        mends={"The mayor said 「no」 twice; “so be it”.": "The mayor said “no” twice; “so be it”."},
        keeps=("The sign said 「雨」 in red.", "The mayor said “no” twice."),
    ),
    Rule(
        id="letter-quotes",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.QUOTATION,
        safety=Safety.ALWAYS,
        languages=_ENGLISH,
        pattern=re.compile(r"(?<![\w`'])`` ?(?=\S)(?P<quoted>[^`\n]{1,600}?)(?<=\S) ?''(?!\w)"),
        cues=("``",),
        replacement=_requoted,
        why="Penn Treebank tools and TeX write quotation marks as pairs of grave and acute accents.",
        reference="Penn Treebank tokenisation",
        mends={"The mayor said ``no'' twice; `` so be it ''.": 'The mayor said "no" twice; "so be it".'},
        keeps=("Use `code` and ``more code`` here.", "The mayor said “no” twice."),
    ),
    Rule(
        id="doubled-apostrophes",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.QUOTATION,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"fr", "ar", "it"}),
        pattern=re.compile(r"(?<![\w'`,])''(?=\w)(?P<quoted>[^'\n]{1,300}(?:'(?=\w)[^'\n]{1,300}){0,5}?)''(?!\w)"),
        cues=("''",),
        replacement=_requoted,
        why="A quotation typed with two apostrophes on each side.",
        reference="MQM, Linguistic conventions: Punctuation",
        mends={"The mayor said ''no'' twice; “so be it”.": "The mayor said “no” twice; “so be it”."},
        keeps=("The mayor said “no” twice.", "In wikitext, '''no''' is bold."),
    ),
    Rule(
        id="no-break-space-in-quotation",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.QUOTATION,
        safety=Safety.ALWAYS,
        languages=_ENGLISH,
        sources=frozenset({"fr"}),
        pattern=re.compile(r"“[\u00a0\u202f](?:[^“”\n]{1,600}?)[\u00a0\u202f]?”|“[^“”\n]{1,600}?[\u00a0\u202f]”"),
        cues=("“\u00a0", "“\u202f", "\u00a0”", "\u202f”"),
        replacement=_tight,
        telling=True,
        why="The marks were put into English, the no-break spaces inside them left French.",
        reference="Imprimerie nationale, Lexique des règles typographiques",
        mends={"The mayor said “\u00a0no\u00a0” twice.": "The mayor said “no” twice."},
        keeps=("The mayor said “no” twice.", "The mayor said\u00a0“no”\u00a0twice."),
    ),
    Rule(
        id="spaced-quotation",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.QUOTATION,
        safety=Safety.GATED,
        languages=_ENGLISH,
        pattern=re.compile(
            r"[“\"] (?:(?<=“ )[^“”\n]{1,600}? ”"
            r"|(?<=\" )(?<!\S\" )(?=[^\"\n]{1,600}? \"(?:[\s.,;:?!]|$))[^\"\n]{1,600}? \")"
        ),
        cues=("“ ", '" '),
        anchored=True,
        replacement=_tight,
        unless=_is_no_pair,
        why="Quotation marks were set free on their inner sides.",
        reference="Moses tokenizer.perl",
        mends={
            "The mayor said “ no ” twice.": "The mayor said “no” twice.",
            'The mayor said " no " twice.': 'The mayor said "no" twice.',
        },
        keeps=("The mayor said “no” twice.", 'The mayor said "no" and "yes" twice.'),
    ),
    Rule(
        id="same-way-quotes",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.QUOTATION,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"sv", "fi"}),
        pattern=re.compile(r"(?:(?<=\s)|^)”(?=\w)(?P<quoted>[^“”\n]{1,600}?)(?<=[\w.,?!])”(?!\w)"),
        cues=tuple("”"),
        unless=lambda match, _: _is_inside_quotation(match),
        replacement=_requoted,
        telling=True,
        why="Swedish and Finnish open a quotation with the mark that closes it.",
        reference="Svenska skrivregler, citattecken",
        mends={"The mayor said ”no” twice.": "The mayor said “no” twice."},
        keeps=("The mayor said “no” twice.", "“So be it,” she said. ” And more”"),
    ),
    Rule(
        id="reopened-quotation",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.QUOTATION,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"fr", "zh"}),
        cues=tuple("“"),
        finder=_reopened,
        telling=True,
        why="The engine opened the quotation a second time, sometimes with half a word before it.",
        reference="MQM, Linguistic conventions: Punctuation",
        mends={
            (
                "“We must build the wall and “hold the line,” she said."
            ): "“We must build the wall and hold the line,” she said.",
            "“It needs deep and under “underwater work,” she said.": "“It needs deep and underwater work,” she said.",
        },
        keeps=(
            "“We must build the wall,” she said. “It will hold.”",
            "“We call it ‘the wall’,” she said.",
            "“He told me, ‘Do not say “never” again,’” she said.",
            "“One paragraph of hers\n\n“and the next.”",
        ),
    ),
    Rule(
        id="unclosed-quotation",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.QUOTATION,
        safety=Safety.GATED,
        confidence=0.85,
        languages=_ENGLISH,
        cues=tuple("“"),
        finder=_unclosed,
        listed=False,
        why="The engine lost the closing mark. So do people who quote over several paragraphs: gated, and only "
        "where the "
        "next paragraph does not go on.",
        reference="MQM, Linguistic conventions: Punctuation",
        mends={
            "The mayor said: “The wall will hold.\n\nIt rained.": "The mayor said: “The wall will hold.”\n\nIt rained."
        },
        keeps=(
            "The mayor said: “The wall will hold.”\n\nIt rained.",
            "The mayor said: “The wall will hold.\n\n“It has to.”",
            "A “wall” and a “gate” were built.",
        ),
    ),
    Rule(
        id="odd-straight-quote",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.QUOTATION,
        safety=Safety.DETECT,
        languages=_ENGLISH,
        finder=_mixed,
        listed=False,
        why="One mark of a pair is missing, or the text was cut. Common in human news: evidence only.",
        reference="MQM, Linguistic conventions: Punctuation",
        finds=('The mayor said "no twice.',),
        keeps=('The mayor said "no" twice.', 'A 12" pipe burst.'),
    ),
)
