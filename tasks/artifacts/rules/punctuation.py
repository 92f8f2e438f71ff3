"""Marks in the source language's fashion: spaces before them, marks of other scripts, marks English does not have."""

import re

from tasks.artifacts.habits import Habits
from tasks.artifacts.rule import Category, Mechanism, Rule, Safety
from tasks.artifacts.surroundings import after, before, word_before
from tasks.artifacts.words import listed, table

_TIGHT = frozenset({"en", "de", "es", "it", "pt", "nl", "sv", "da", "pl"})
"""Languages that set no space before a mark; French does, and is right to."""

_LATIN = frozenset({"en", "de", "es", "fr", "it", "pt", "nl", "sv", "da", "pl", "cs", "ro", "tr", "id", "vi", "sw"})

_MARKS = {mark: latin for mark, latin, _ in table("foreign_marks")}
_EAST_ASIAN = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
_OTHER_SCRIPT = rf"{_EAST_ASIAN}\u0530-\u058f\u0600-\u06ff\u0900-\u09ff\u1000-\u109f\u1200-\u137f"
_FOREIGN_MARK = re.compile(rf" ?(?P<mark>[{''.join(_MARKS)}])(?P<after> ?)")
_NO_MARKS = str.maketrans("", "", "".join(_MARKS))


def _is_smiley_ellipsis_or_ratio(match: re.Match[str], _: Habits) -> bool:
    mark, following = after(match, 1), after(match, 2)[1:]
    is_ratio = mark == ":" and before(match, 1).isdigit() and after(match, 3)[1:].strip().isdigit()
    is_smiley = mark in {":", ";"} and following in set(")(-DPp")
    is_ellipsis = mark == "." and bool(re.match(r"\.(?: ?\.|\u2026)", after(match, 3)) or before(match, 2) == " .")
    return is_ratio or is_smiley or is_ellipsis


def _in_other_script(match: re.Match[str], _: Habits) -> bool:
    """Say whether the mark stands among letters of a script it belongs to."""
    around = before(match, 2) + after(match, 2)
    return re.search(rf"[{_OTHER_SCRIPT}]", around.translate(_NO_MARKS)) is not None


def _as_latin(match: re.Match[str], _: Habits) -> str:
    """Return the Latin mark, with a space where Latin text has it."""
    mark, left, right = _MARKS[match["mark"]], before(match, 1), after(match, 1)
    if mark == "(":
        return f" {mark}" if left and not left.isspace() else mark
    is_in_number = mark in ",.:" and left.isdigit() and right.isdigit() and not match["after"]
    opens = right.isalnum() or (right != "" and right in "(“\"'‘$€£" and not _closes(match))
    return f"{mark} " if opens and not is_in_number else mark


def _closes(match: re.Match[str]) -> bool:
    """Say whether a straight quote after the mark closes a quotation rather than opens the next."""
    quote, following = after(match, 1), after(match, 2)[1:]
    return quote in {'"', "'"} and (not following or following.isspace() or following in ".,;:?!)")


def _in_spanish(match: re.Match[str], _: Habits) -> bool:
    """Say whether the words that follow are, or may be, Spanish: then the mark is where it belongs."""
    clause = re.split(r"[.?!”\"]", match.string[match.end() + 1 : match.end() + 100], maxsplit=1)[0]
    words = [word.lower() for word in re.findall(r"[^\W\d_]+", match.string[match.end()] + clause)]
    spanish, english = listed("function_words_es"), listed("function_words_en")
    score = sum((word in english) - (word in spanish) - (not word.isascii()) for word in words)
    return score < 0 or (score == 0 and len(words) < 3)


def _sets_percent_tight(habits: Habits) -> bool:
    tight, spaced = habits.tight_and_spaced_percents
    return 0 < tight >= spaced


def _after_abbreviation(match: re.Match[str]) -> bool:
    word = word_before(match)
    return "." in word or len(word) <= 2 or word.lower() in listed("abbreviations")


def _is_name(match: re.Match[str]) -> bool:
    """Say whether the dot is glued and parts two capitalised words, and no more of a list."""
    return len(match[0]) == 1 and re.fullmatch(r"[A-ZÀ-Ý][a-zà-ÿ]+", word_before(match)) is not None


RULES = (
    Rule(
        id="doubled-full-stop",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.PUNCTUATION,
        safety=Safety.ALWAYS,
        languages=_LATIN,
        sources=frozenset({"zh", "ja"}),
        pattern=re.compile(r"(?<=[\w)”\"])(?:\.。|。\.|,，|，,)"),
        cues=tuple("。，"),
        replacement=lambda match, _: ("." if "." in match[0] else ",") + (" " if after(match, 1).isalnum() else ""),
        telling=True,
        why="The mark stands twice, once in each script.",
        reference="MQM, Linguistic conventions: Punctuation",
        mends={"It rained.。 Then it snowed,，he said.": "It rained. Then it snowed, he said."},
        keeps=("It rained. Then it snowed.", "It rained..."),
    ),
    Rule(
        id="mark-set-twice",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.PUNCTUATION,
        safety=Safety.GATED,
        languages=frozenset({"en"}),
        pattern=re.compile(r"\.\.(?<=[a-z”]\.\.)(?= [A-Z“])|,,(?<=[a-z”],,)(?= )|[?!]\.(?<=[a-z][?!]\.)(?= [A-Z“]|$)"),
        cues=("..", ",,", "?.", "!."),
        anchored=True,
        replacement=lambda match, _: match[0][0],
        why="The source's mark and the engine's own stand side by side. People slip so too: gated.",
        reference="MQM, Linguistic conventions: Punctuation",
        mends={
            "It rained.. Then it snowed,, he said.": "It rained. Then it snowed, he said.",
            "Who knew?. She did.": "Who knew? She did.",
        },
        keeps=("It rained... Then it snowed.", "It rained. Then it snowed.", "See ../files and a..b"),
    ),
    Rule(
        id="foreign-mark",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.PUNCTUATION,
        safety=Safety.ALWAYS,
        confidence=0.97,
        languages=_LATIN,
        sources=frozenset({"zh", "ja", "ar", "fa", "hi"}),
        cues=tuple(_MARKS),
        pattern=_FOREIGN_MARK,
        unless=_in_other_script,
        replacement=_as_latin,
        telling=True,
        why="The mark of the source's script was copied; between Latin letters it has a Latin form.",
        reference="Unicode Standard, CJK Symbols and Punctuation; Halfwidth and Fullwidth Forms",
        mends={
            "It rained，he said。Then it snowed！": "It rained, he said. Then it snowed!",
            "The agency（EMA）agreed： no.": "The agency (EMA) agreed: no.",
            "Prices rose by 5％ in 2024、and in 2025.": "Prices rose by 5% in 2024, and in 2025.",
            "It rained، he said؛ then it snowed।": "It rained, he said; then it snowed.",
        },
        keeps=(
            "It rained, he said. Then it snowed!",
            "The sign says 下雨了，快走。 in red.",
            "He wrote (雨，雪) on it.",
        ),
    ),
    Rule(
        id="ideographic-space",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.PUNCTUATION,
        safety=Safety.ALWAYS,
        languages=_LATIN,
        sources=frozenset({"zh", "ja"}),
        pattern=re.compile(rf"(?<![{_EAST_ASIAN}\s])\u3000+(?![{_EAST_ASIAN}\s])|^\u3000+(?=[A-Za-z])"),
        cues=tuple("\u3000"),
        replacement=lambda match, _: " " if match.start() else "",
        telling=True,
        why="Chinese and Japanese set a space as wide as a character; the translation kept it.",
        reference="The Unicode Standard, U+3000",
        mends={"The\u3000council agreed.": "The council agreed."},
        keeps=("The council agreed.", "王\u3000小明"),
    ),
    Rule(
        id="no-break-space-before-mark",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.PUNCTUATION,
        safety=Safety.ALWAYS,
        confidence=0.97,
        languages=_TIGHT,
        sources=frozenset({"fr"}),
        pattern=re.compile(
            r"(?<=[\w\"”’»')\]%])[ \u2009]*[\u00a0\u202f][ \u00a0\u202f\u2009]*(?=[,.;:?!](?:[\s\"”’»')\]]|$))"
        ),
        cues=tuple("\u00a0\u202f"),
        unless=_is_smiley_ellipsis_or_ratio,
        replacement="",
        telling=True,
        why="French sets a no-break space before ; : ? ! and engines carry it over, before other marks as well.",
        reference="Imprimerie nationale, Lexique des règles typographiques",
        mends={
            (
                "Why now\u00a0? Because it rained\u202f; it always does\u00a0."
            ): "Why now? Because it rained; it always does.",
        },
        keeps=("Why now? Because.", "Smile\u00a0:) again", "More\u00a0...", "A\u00a0.NET program"),
    ),
    Rule(
        id="no-break-space-before-percent",
        category=Category.NUMBER_FORMAT,
        mechanism=Mechanism.PUNCTUATION,
        safety=Safety.ALWAYS,
        languages=frozenset({"en"}),
        sources=frozenset({"fr", "de", "es", "ru"}),
        pattern=re.compile(r"(?<=\d)[\u00a0\u202f](?=%)"),
        cues=("\u00a0%", "\u202f%"),
        replacement="",
        telling=True,
        why="French, German, Spanish and Russian set a no-break space before the percent sign, English none.",
        reference="The Chicago Manual of Style, 9.18",
        mends={"Prices rose by 5\u00a0% in a year.": "Prices rose by 5% in a year."},
        keeps=("Prices rose by 5% in a year.", "5\u00a0percent"),
    ),
    Rule(
        id="odd-space-before-percent",
        category=Category.NUMBER_FORMAT,
        mechanism=Mechanism.PUNCTUATION,
        safety=Safety.ALWAYS,
        confidence=0.95,
        languages=frozenset({"en"}),
        sources=frozenset({"fr", "de", "es", "ru"}),
        pattern=re.compile(r" %(?<=\d %)(?!\d)"),
        cues=(" %",),
        anchored=True,
        unless=lambda _, habits: not _sets_percent_tight(habits),
        replacement="%",
        listed=False,
        why="A space before the percent sign in a document that sets none before its others.",
        reference="The Chicago Manual of Style, 9.18",
        mends={"Prices rose by 5 % in May and 6% in June.": "Prices rose by 5% in May and 6% in June."},
        keeps=("Prices rose by 5 % in a year.", "It was 5 % in May, 6 % in June and 7% in July.", "What % of 5%?"),
    ),
    Rule(
        id="space-before-percent",
        category=Category.NUMBER_FORMAT,
        mechanism=Mechanism.PUNCTUATION,
        safety=Safety.GATED,
        languages=frozenset({"en"}),
        sources=frozenset({"fr", "de", "es", "ru"}),
        pattern=re.compile(r" %(?<=\d %)(?!\d)"),
        cues=(" %",),
        anchored=True,
        unless=lambda _, habits: _sets_percent_tight(habits),
        house=lambda habits: habits.tight_and_spaced_percents[1] > 1,
        replacement="%",
        listed=False,
        why="As with a no-break space; but science writing in English does so too (SI), hence gated.",
        reference="The Chicago Manual of Style, 9.18; SI Brochure, 5.4.7",
        mends={"Prices rose by 5 % in a year.": "Prices rose by 5% in a year."},
        keeps=("Prices rose by 5% in a year.", "What % of people came?", "Prices rose by 5 %, then by 6%."),
    ),
    Rule(
        id="space-before-mark",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.PUNCTUATION,
        safety=Safety.GATED,
        languages=_TIGHT,
        sources=frozenset({"fr"}),
        pattern=re.compile(r"(?<=[\w\"”’»')\]%]) +(?=[,.;:?!](?:[\s\"”’»')\]]|$))"),
        cues=(" ,", " .", " ;", " :", " ?", " !"),
        unless=_is_smiley_ellipsis_or_ratio,
        replacement="",
        why="A mark was set free like a word. People slip so too: gated.",
        reference="MQM, Linguistic conventions: Punctuation",
        mends={
            "“It rained” , he said .": "“It rained”, he said.",
            "Why now ? Because it rained !": "Why now? Because it rained!",
        },
        keeps=(
            "“It rained”, he said.",
            "Smile :) again",
            "And then ... it rained",
            "The file ,v is old.",
            "A .NET program",
            "Lund won 4 : 3 on goals",
        ),
    ),
    Rule(
        id="space-on-the-wrong-side",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.PUNCTUATION,
        safety=Safety.GATED,
        languages=frozenset({"en"}),
        pattern=re.compile(r"(?<=[a-z]) ([,;])(?=[a-z]{3})|(?<=[a-z]) (\.)(?=[A-Z][a-z]+ )"),
        cues=(" ,", " ;", " ."),
        replacement=lambda match, _: f"{match[1] or match[2]} ",
        why="The space stands before the mark and not after it. People slip so too: gated.",
        reference="MQM, Linguistic conventions: Punctuation",
        mends={"It rained ,and it snowed .Then it froze.": "It rained, and it snowed. Then it froze."},
        keeps=("It rained, and it snowed.", "A .NET program", "The file ,v is old.", "The .Net"),
    ),
    Rule(
        id="inverted-mark",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.PUNCTUATION,
        safety=Safety.ALWAYS,
        confidence=0.97,
        languages=frozenset({"en"}),
        sources=frozenset({"es"}),
        pattern=re.compile(r"[¿¡](?=[\"“‘'(]?[A-Za-z])"),
        cues=tuple("¿¡"),
        unless=_in_spanish,
        replacement="",
        telling=True,
        why="Spanish opens a question and an exclamation with a mark of its own; it was carried over.",
        reference="Real Academia Española, Ortografía, 3.4.9",
        mends={"¿What will the council do now?": "What will the council do now?"},
        keeps=("¿Qué hará ahora el ayuntamiento?", "She cried “¡No pasarán!” twice.", "What will it do?"),
    ),
    Rule(
        id="clashing-marks",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.PUNCTUATION,
        safety=Safety.DETECT,
        languages=frozenset({"en"}),
        pattern=re.compile(r"(?<=\w)(?:[,;:] ?[,;:](?!\))|, ?\.(?!\.)|; ?\.(?!\.)|(?<!\.)\. ?,(?= [a-z]))"),
        cues=(",,", ", ,", ",.", ", .", ";,", "; ,", ".,", ". ,", ";.", "; .", ":,", ",;", ":;", ";:", ",:"),
        unless=lambda match, _: match[0][0] == "." and _after_abbreviation(match),
        listed=False,
        why="Two marks that do not go together; which of them was meant, only the writer knows.",
        reference="MQM, Linguistic conventions: Punctuation",
        finds=("It rained,, and then it snowed.", "It rained., and so on"),
        keeps=("It rained, and then it snowed.", "Harper Inc., of York, agreed.", "It rained...", "J.R., he said"),
    ),
    Rule(
        id="east-asian-bracket",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.PUNCTUATION,
        safety=Safety.DETECT,
        languages=_LATIN,
        sources=frozenset({"zh", "ja", "ko"}),
        pattern=re.compile(r"[【《〈〔〖][^【】《》〈〉〔〕〖〗\n]{0,200}[】》〉〕〗]"),
        cues=tuple("【《〈〔〖"),
        telling=True,
        why="Brackets and title marks that Latin text does not have; whether italics, quotes or nothing should "
        "stand there "
        "depends on the house.",
        reference="GB/T 15834-2011, title marks",
        finds=("The book 《Red Fields》 sold well.", "【Breaking】 The council agreed."),
        keeps=("The book “Red Fields” sold well.", "[Breaking] The council agreed."),
    ),
    Rule(
        id="numero-sign",
        category=Category.NUMBER_FORMAT,
        mechanism=Mechanism.PUNCTUATION,
        safety=Safety.GATED,
        languages=frozenset({"en"}),
        sources=frozenset({"ru", "uk", "bg", "fr", "es", "pt", "de"}),
        pattern=re.compile(r"(?:№|\b[Nn] ?°|\b[Nn]\.?º|\b[Nn]o\.º|\b[Nn]r\.?|\b[Nn]úm\.|\bč\.) ?(?=\d)"),
        cues=("№", "n°", "N°", "n °", "N °", "nº", "Nº", "n.º", "N.º", "o.º", "Nr", " nr", "(nr", "úm.", "č."),
        replacement="No. ",
        telling=True,
        why="Russian writes №, French n°, Spanish n.º, German Nr. where English writes No.",
        reference="GOST 2.105; Imprimerie nationale, Lexique des règles typographiques",
        mends={
            "School № 5 was closed.": "School No. 5 was closed.",
            "Decree n° 12 and line n.º3 remain.": "Decree No. 12 and line No. 3 remain.",
            "Decree Nr. 12 and line núm. 5 remain.": "Decree No. 12 and line No. 5 remain.",
        },
        keeps=("School No. 5 was closed.", "The sign № means number."),
    ),
    Rule(
        id="name-dot",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.PUNCTUATION,
        safety=Safety.GATED,
        languages=frozenset({"en", "de", "es", "fr", "it", "pt"}),
        sources=frozenset({"zh", "ja"}),
        pattern=re.compile(r"(?<=[a-zà-ÿ]{2}) ?[·・•‧] ?(?=[A-ZÀ-Ý][a-zà-ÿ]+)"),
        cues=tuple("·・•‧"),
        replacement=" ",
        unless=lambda match, _: not _is_name(match),
        telling=False,
        why="Chinese and Japanese part the names of a foreigner with a dot. So do bylines and lists: gated.",
        reference="GB/T 15834-2011, interpunct",
        mends={"The singer Maria·Lund sang.": "The singer Maria Lund sang."},
        keeps=("The singer Maria Lund sang.", "News · Sport · Weather", "paral·lel", "Home • About us"),
    ),
    Rule(
        id="doubled-ellipsis",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.PUNCTUATION,
        safety=Safety.GATED,
        languages=_LATIN,
        sources=frozenset({"zh", "ja"}),
        pattern=re.compile(rf"(?<![{_EAST_ASIAN}…])(?:……|⋯⋯?|——(?=\w))(?![…⋯—{_EAST_ASIAN}])"),
        cues=("……", "⋯", "——"),
        replacement=lambda match, _: "—" if match[0][0] == "—" else "…",
        telling=True,
        why="Chinese and Japanese set dashes and ellipses two characters wide.",
        reference="GB/T 15834-2011, ellipsis and dash",
        mends={"It rained…… and then——at last——it stopped.": "It rained… and then—at last—it stopped."},
        keeps=("It rained… and then—at last—it stopped.", "He said: 雨……", "A line: ————"),
    ),
    Rule(
        id="wave-dash",
        category=Category.NUMBER_FORMAT,
        mechanism=Mechanism.PUNCTUATION,
        safety=Safety.ALWAYS,
        languages=_LATIN,
        sources=frozenset({"zh", "ja", "ko"}),
        pattern=re.compile(r"(?<=[\d%]) ?[～〜] ?(?=[\d$€£])"),
        cues=tuple("～〜"),
        replacement="–",
        telling=True,
        why="Chinese, Japanese and Korean write a range with a wave.",
        reference="The Unicode Standard, U+301C",
        mends={"Some 5～10 people came for 3%〜4% of it.": "Some 5–10 people came for 3%–4% of it."},
        keeps=("Some 5–10 people came.", "～ a wave ～"),
    ),
    Rule(
        id="glued-opening-mark",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.PUNCTUATION,
        safety=Safety.GATED,
        languages=frozenset({"en"}),
        sources=frozenset({"zh", "ja"}),
        pattern=re.compile(r"(?<=[a-z]{2}[,:;])(?=“\w)|(?<=[a-z]{3})(?=\((?:[A-Z]{2,}|[a-z]+ [a-z]+)[^()\n]{0,60}\))"),
        cues=(",“", ":“", ";“", *(f"{letter}(" for letter in "abcdefghijklmnopqrstuvwxyz")),
        replacement=" ",
        why="Chinese and Japanese set no space before an opening mark. People slip so too: gated.",
        reference="MQM, Linguistic conventions: Punctuation",
        mends={"The agency(EMA) said:“It rained.”": "The agency (EMA) said: “It rained.”"},
        keeps=("The agency (EMA) said: “It rained.”", "The person(s) named", "A function(x) of it"),
    ),
    Rule(
        id="glued-mark",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.PUNCTUATION,
        safety=Safety.GATED,
        languages=frozenset({"en"}),
        sources=frozenset({"zh", "ja", "th"}),
        pattern=re.compile(r"(?<=[a-z]{3})([,;])(?=[a-z]{2,} )|(?<= [a-z]{4})([.])(?=[A-Z][a-z]+ [a-z])"),
        cues=(
            *(f",{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"),
            *(f";{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"),
            *(f".{letter}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
        ),
        replacement=lambda match, _: f"{match[0]} ",
        listed=False,
        why="A space is missing behind a mark, as where words are not parted. People and page cleaners slip so "
        "too: gated.",
        reference="MQM, Linguistic conventions: Punctuation",
        mends={
            "It rained,and the wall held;then it fell over time.The end was near.": (
                "It rained, and the wall held; then it fell over time. The end was near."
            )
        },
        keeps=("It rained, and the wall held.", "See example.Org or Node.Js", "It was 3,5 or so."),
    ),
    Rule(
        id="accent-for-apostrophe",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.PUNCTUATION,
        safety=Safety.GATED,
        languages=frozenset({"en"}),
        sources=frozenset({"es", "pt", "de", "it"}),
        pattern=re.compile(r"(?<=[A-Za-z])[´`](?=(?:s|t|re|ve|ll|m|d)\b)"),
        cues=("´", "`"),
        replacement=lambda _, habits: habits.apostrophe,
        why="An accent that stands alone was typed for an apostrophe. People do so too: gated.",
        reference="The Unicode Standard, U+00B4",
        mends={"It´s the mayor`s wall, isn´t it?": "It's the mayor's wall, isn't it?"},
        keeps=("It's the mayor's wall.", "Use `code` here.", "The accent ´ is acute."),
    ),
)
