"""Markup that was translated as if it were text, and marks a pipeline puts in for what it hides from the engine."""

import html
import re

from tasks.artifacts.habits import ABOUT_CODE, Habits
from tasks.artifacts.rule import Category, Mechanism, Rule, Safety
from tasks.artifacts.surroundings import after, before

_BLANKS = "nbsp|ensp|emsp|thinsp|#160|#[xX][aA]0"
_NAMES = (
    "amp|quot|apos|lt|gt|[lr][sd]quo|sbquo|bdquo|[lr]aquo|[nm]dash|hellip|middot|bull|copy|reg|trade|deg|euro|"
    "pound|yen|cent"
    "|shy|[aeiouAEIOU](?:grave|acute|circ|uml|tilde)|[nN]tilde|[cC]cedil|szlig|oslash|aring|aelig"
    "|#\\d{2,5}|#[xX][0-9a-fA-F]{2,5}"
)
_TAGS = "p|b|i|u|a|br|hr|em|li|ul|ol|td|tr|th|h[1-6]|div|img|sup|sub|span|font|table|strong|blockquote|figure"
_PLACEHOLDER = re.compile(
    r"__[A-Z]{2,}_?\d*__|\{\{\d+\}\}|(?<![\w{])\{\d\}(?!\w)|@@[A-Z]{3,}\d*@@|%\d\$[sd]|\$(?:NUM|NUMBER|NAME|URL"
    r"|DATE|TAG|PERSON|PLACE|ENTITY|TERM)\$|⟦[^⟧\n]{0,40}⟧|｟[^｠\n]{0,40}｠"
    r"|</?(?:ph|x|g|bx|ex|bpt|ept|it|mrk)\b[^<>\n]{0,80}\bid ?=[^<>\n]{0,40}>|\b(?:X|Z)?PLH(?:OLD)?\d+\b"
    r"|\bPLACEHOLDER_?\d*\b|\{\{ ?[a-zA-Z_]{2,30} ?\}\}|\$\{[a-zA-Z_]{1,30}\}"
    r"|[\[<](?:NAME|ORG|PERSON|PER|LOC|LOCATION|DATE|NUM|NUMBER|URL|EMAIL|ENTITY|TERM|TAG)_?\d*[\]>]"
)
_MODEL_SIGN = (
    r"</?s>|<pad>|<2[a-z]{2}>|<\|endoftext\|>|>>[a-z]{2,3}<<|(?<![\w.])__[a-z]{2,3}__(?= \w)(?! [a-z])"
    r"|\b[a-z]{3}_(?:Latn|Cyrl|Arab|Hans|Hant|Jpan|Deva)\b"
    r"|</?(?:bos|eos|mask)>|<extra_id_\d{1,2}>|<\|(?:im_start|im_end|eot_id|end_of_text|begin_of_text)\|>|\[/?INST\]"
    r"|\[(?:CLS|SEP|PAD|MASK|EOS|BOS)\]|(?<!\w)(?:en|fr|de|es|it|pt|ru|zh|ja|ko|ar|tr|pl|uk)_[A-Z]{2}(?= \w)(?! [a-z])"
)
_SPACES = " \u00a0"


def is_about_code(match: re.Match[str], habits: Habits) -> bool:
    """Say whether the surroundings speak of code: there a tag is what is talked about."""
    if not habits.speaks_of_code:
        return False
    around = f"{before(match, 200)} {after(match, 200)}"
    return bool(ABOUT_CODE.search(around))


def _decoded(match: re.Match[str], habits: Habits) -> str | None:
    """Return the character an entity stands for, the apostrophe in the document's own style."""
    told = match.groupdict()
    if match["blank"] or told.get("bare"):
        return _lone_space(match)
    character = html.unescape(f"&{match['name'] or match['tail'] or told.get('open')};")
    if len(character) != 1 or not character.isprintable():
        return "" if character == "\u00ad" else None
    return habits.apostrophe if character == "'" else character


def _lone_space(match: re.Match[str]) -> str:
    """Return the space a stretch leaves between its neighbours: none at a border or beside another space."""
    left, right = before(match, 1), after(match, 1)
    is_border = not left or left.isspace() or not right or right.isspace() or right in ",.;:?!)"
    return "" if is_border else " "


def _without_tag(match: re.Match[str], _: Habits) -> str:
    """Return what a tag leaves behind: a space where it stood between words, nothing inside one."""
    is_spaced = match[0][0] in _SPACES or match[0][-1] in _SPACES
    return _lone_space(match) if is_spaced or re.match(r" ?<[ /]*(?:br|p|div|li|td|tr)\b", match[0]) else ""


def _from_bytes(match: re.Match[str], _: Habits) -> str | None:
    raw = bytes(int(digits, 16) for digits in re.findall("0x(..)", match[0]))
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _unescaped(match: re.Match[str], _: Habits) -> str | None:
    """Return the characters an escape stands for; halves of a pair are put together, what nobody sees is reported."""
    if match[0][1] != "u":
        return match[0][1]
    units = bytes.fromhex(match[0].replace("\\u", ""))
    try:
        text = units.decode("utf-16-be")
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() else None


RULES = (
    Rule(
        id="undecoded-entity",
        category=Category.MARKUP,
        mechanism=Mechanism.MARKUP,
        safety=Safety.ALWAYS,
        confidence=0.97,
        pattern=re.compile(rf"[ \u00a0]*&(?P<blank>{_BLANKS});[ \u00a0]*|&(?P<name>{_NAMES})(?P<tail>);"),
        cues=("&",),
        unless=is_about_code,
        replacement=_decoded,
        why="The page was escaped twice, or the entity passed through the engine as text.",
        reference="HTML Living Standard, named character references",
        mends={
            "It wasn&apos;t over &ndash; &quot;not yet&quot;.": 'It wasn\'t over – "not yet".',
            "The mayor&nbsp;agreed, Harper &amp; Co did not.": "The mayor agreed, Harper & Co did not.",
            "Un caf&eacute; de trop &amp;amp; fini": "Un café de trop & fini",
        },
        keeps=("Marks & Spencer; others", "In HTML, write &amp; for the ampersand.", "AT&T; and others"),
    ),
    Rule(
        id="torn-entity",
        category=Category.MARKUP,
        mechanism=Mechanism.MARKUP,
        safety=Safety.ALWAYS,
        confidence=0.98,
        pattern=re.compile(
            rf"[ \u00a0]*&(?: ?(?P<blank>{_BLANKS}) ?);[ \u00a0]*|&(?: (?P<name>{_NAMES}) ?| ?(?P<tail>{_NAMES}) );"
            r"|[ \u00a0]*&(?P<bare>nbsp)(?![;\w=])[ \u00a0]*|&(?P<open>amp|quot)(?=[ ,.])"
        ),
        cues=("& ", " ;", "&nbsp", "&amp", "&quot"),
        unless=is_about_code,
        replacement=_decoded,
        telling=True,
        why="The engine took the entity for a word between two marks and spaced it like one.",
        reference="HTML Living Standard, named character references",
        mends={
            "The mayor & nbsp; agreed with Harper & amp ; Co.": "The mayor agreed with Harper & Co.",
            "The mayor&nbsp agreed with Harper &amp Co.": "The mayor agreed with Harper & Co.",
        },
        keeps=("Research & amp design; more", "Smith & Co; others", "Write & nbsp ; in HTML."),
    ),
    Rule(
        id="torn-tag",
        category=Category.MARKUP,
        mechanism=Mechanism.MARKUP,
        safety=Safety.ALWAYS,
        confidence=0.98,
        pattern=re.compile(
            rf" ?[<＜](?: /? ?| ?/ )(?:{_TAGS})(?: [a-z-]+ ?=[^<>\n]{{0,80}})? ?/? ?[>＞] ?|"
            rf" ?[<＜]/?(?:{_TAGS})(?: / ?| )[>＞] ?"
        ),
        cues=tuple("<＜"),
        unless=is_about_code,
        replacement=_without_tag,
        telling=True,
        why="The engine took the tag for words between two marks and spaced it like them.",
        reference="HTML Living Standard, syntax of elements",
        mends={
            "The council < / p > agreed < b > at once </ b >.": "The council agreed at once.",
            "It rained. < br / > It snowed.": "It rained. It snowed.",
        },
        keeps=("If a < b and c > d, we agree.", "The < p > tag opens a paragraph.", "Prices < 5 euros >"),
    ),
    Rule(
        id="undecoded-tag",
        category=Category.MARKUP,
        mechanism=Mechanism.MARKUP,
        safety=Safety.ALWAYS,
        confidence=0.95,
        pattern=re.compile(rf" ?</?(?:{_TAGS})(?: [a-z-]+=\"[^\"<>\n]{{0,200}}\")* ?/?> ?"),
        cues=("<",),
        unless=is_about_code,
        replacement=_without_tag,
        why="The page was escaped twice, so that its tags stand in the text.",
        reference="HTML Living Standard, syntax of elements",
        mends={
            "It rained.<br>It snowed.": "It rained. It snowed.",
            "It was <strong>not</strong> over.": "It was not over.",
        },
        keeps=("If a <b and c> d, we agree.", "The <p> tag opens a paragraph.", "We <3 cheese"),
    ),
    Rule(
        id="placeholder",
        category=Category.MARKUP,
        mechanism=Mechanism.PLACEHOLDER,
        safety=Safety.DETECT,
        pattern=_PLACEHOLDER,
        cues=(
            "__",
            "{{",
            "@@",
            "%1$",
            "%2$",
            "%3$",
            "<",
            "$N",
            "$U",
            "$D",
            "$T",
            "$P",
            "$E",
            "⟦",
            "PLH",
            "PLACEHOLDER",
            "{",
            "[N",
            "[O",
            "[P",
            "[L",
            "[D",
            "[U",
            "[E",
            "[T",
            "｟",
        ),
        unless=is_about_code,
        telling=True,
        why="The pipeline hid a name, a tag or a number from the engine and did not put it back; what it was is lost.",
        reference="XLIFF 2.1, inline codes; OpenNMT placeholders ｟…｠",
        finds=(
            "The head of __PH0__ agreed.",
            "A total of {{1}} people came to @@PLACEHOLDER@@.",
            "He met %1$s in Paris.",
            'The <ph id="1"/> was closed.',
            "Some $NUM$ people came.",
            "They met ⟦3⟧ in ｟ent：2｠.",
            "They met [PERSON_1] in <LOC>, said {{ name }}.",
        ),
        keeps=(
            "The variable __init__ is special.",
            "It rose by 5% in a year.",
            "The ticket costs $5.",
            "In the template, {{1}} is replaced by code.",
        ),
    ),
    Rule(
        id="unknown-token",
        category=Category.OMISSION,
        mechanism=Mechanism.PLACEHOLDER,
        safety=Safety.DETECT,
        pattern=re.compile(r"<unk>|<UNK>|\[UNK\]|⁇|\bUNK\b"),
        cues=("unk>", "UNK", "⁇"),
        unless=is_about_code,
        telling=True,
        why="The engine had no word for it and printed its own sign for that; the word is lost.",
        reference="SentencePiece (⁇), Moses and OpenNMT (<unk>)",
        finds=("The head of <unk> agreed.", "Mr ⁇ was late.", "He lives in [UNK]."),
        keeps=("The unknown man agreed.", "He drunk it all??"),
    ),
    Rule(
        id="model-token",
        category=Category.MARKUP,
        mechanism=Mechanism.PLACEHOLDER,
        safety=Safety.ALWAYS,
        confidence=0.98,
        pattern=re.compile(rf"(?m)^(?:{_MODEL_SIGN}) ?| ?(?:{_MODEL_SIGN})"),
        cues=(
            "<s>",
            "</s>",
            "<pad>",
            "<2",
            "endoftext",
            ">>",
            "_Latn",
            "_Cyrl",
            "_Arab",
            "_Han",
            "_Jpan",
            "_Deva",
            "__",
            "bos>",
            "eos>",
            "<mask>",
            "<extra_id",
            "<|",
            "INST]",
            "[CLS]",
            "[SEP]",
            "[PAD]",
            "[MASK]",
            "[EOS]",
            "[BOS]",
            "_XX ",
            "_CN ",
            "_RU ",
            "_KR ",
        ),
        unless=is_about_code,
        replacement="",
        telling=True,
        why="Models mark sentence borders and languages with tokens of their own; these were printed with the text.",
        reference="M2M-100 (__en__), OPUS-MT (>>en<<), NLLB (eng_Latn), T5 (</s>, <pad>)",
        mends={
            "__en__ The council agreed.</s>": "The council agreed.",
            ">>eng<< The council agreed.": "The council agreed.",
            "It rained. <pad> It snowed.": "It rained. It snowed.",
            "[CLS] The council agreed. [SEP]": "The council agreed.",
            "en_XX The council agreed.<|im_end|>": "The council agreed.",
        },
        keeps=("A method such as __eq__ or __lt__", "Go >> there <<"),
    ),
    Rule(
        id="byte-token",
        category=Category.CHARACTER_ENCODING,
        mechanism=Mechanism.ENCODING,
        safety=Safety.ALWAYS,
        confidence=0.99,
        pattern=re.compile(r"(?:<0x[0-9A-F]{2}>)+"),
        cues=("<0x",),
        unless=is_about_code,
        replacement=_from_bytes,
        telling=True,
        why="Models spell a character they do not know as its bytes; the bytes were printed one by one.",
        reference="Kudo and Richardson 2018, byte fallback",
        mends={"It was<0xE2><0x80><0x94>so he said<0x0A>over.": "It was—so he said\nover."},
        keeps=("It was over.", "In the code, <0xE2> is a byte."),
    ),
    Rule(
        id="escaped-character",
        category=Category.MARKUP,
        mechanism=Mechanism.MARKUP,
        safety=Safety.ALWAYS,
        confidence=0.97,
        pattern=re.compile(
            r"(?:\\u[0-9a-fA-F]{4})+|(?<![\\\w:])(?<!\w)\\(?P<quote>[\"'])|(?<=\w)\\(?P<late>[\"'])|(?<=[\w.,!?])\\[\"]"
        ),
        cues=("\\u", '\\"', "\\'"),
        unless=is_about_code,
        replacement=_unescaped,
        why="The text passed through JSON or a program's source, and its escapes were not read back.",
        reference="RFC 8259, strings",
        mends={
            "The caf\\u00e9 isn\\u2019t open.": "The café isn’t open.",
            'He said \\"no\\" twice and didn\\\'t move.': 'He said "no" twice and didn\'t move.',
        },
        keeps=("The café isn’t open.", "The folder C:\\users is full.", "In the code, \\u00e9 is a letter."),
    ),
)
