"""What a tokeniser took apart and nobody put together again."""

import re

from tasks.artifacts.habits import Habits
from tasks.artifacts.rule import Category, Mechanism, Rule, Safety
from tasks.artifacts.surroundings import after, before, word_before
from tasks.artifacts.words import listed

_BRACKETS = {"LRB": "(", "RRB": ")", "LSB": "[", "RSB": "]", "LCB": "{", "RCB": "}"}
_ELIDING = frozenset({"fr", "it", "ca"})
_ELIDED = r"([lLdDjJnNcCsSmMtT]|[qQ]u|[jJ]usqu|[lL]orsqu|[pP]uisqu|[aA]ujourd|[dD]ell|[dD]all|[nN]ell|[sS]ull|[aA]ll)"
_VOWEL = "[aàâeéèêiîoôuhyAÀÂEÉÈÊIÎOÔUHY]"

_OPEN_QUOTE = re.compile(r"(?<!\w)['‘][^'‘’\n]{0,80}\Z")
_COMPOUND = re.compile(
    r"(?:anti|co|counter|eco|ex|inter|mid|multi|neo|non|post|pre|pro|quasi|self|semi|socio|sub|vice) - [a-z]+"
    r"|cross - (?:border|channel|check|country|cutting|examination|party|section|strait)"
    r"|(?:long|medium|mid|near|short) - (?:term|range|distance|lasting|running|standing|time)"
    r"|(?:entry|high|low|mid|top) - (?:class|cost|end|income|level|performance|pressure|profile|quality|ranking"
    r"|rise|risk|speed|tech)"
    r"|[A-Za-z]+ - (?:handed|hander|handers|fitting|minded|friendly|proof|sponsored)|co - founders?|[tT] - shirts?"
    r"|[eE] - mails?|X - rays?|(?:Wi|Hi|Sci) - Fi"
    r"|(?:backward|forward|good|outward) - looking|(?:award|prize|medal) - winning"
    r"|(?:right|left) - wing|record - breaking|(?:ground|heart) - breaking|near - identical|all - time|by - products?"
    r"|(?:city|nation|region|state|world) - wide|(?:carbon|drug|duty|rent|tax) - free"
    r"|(?:second|third|fourth) - (?:term|year|place|largest|quarter|round|highest)|(?:two|three|four) - time"
    r"|COVID - 19|Covid - 19|[FBT] - \d{1,2}|MiG - \d{2}|Su - \d{2}|[GB] - (?:7|8|20|52)"
    r"|(?:first|full|one|part|real) - time|(?:first|middle|second|third|working|world) - class"
    r"|(?:full|large|medium|small) - (?:scale|size|sized)|so - called|(?:best|little|well) - (?:being|known|paid|off)"
    r"|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety) - (?:one|two|three|four|five|six|seven|eight|nine)"
    r"|(?:day|month|week|year)s? - (?:long|old)"
    r"|[A-Za-z\d]+ - (?:based|owned|led|backed|related|oriented|funded|run|driven|powered|controlled|sponsored"
    r"|speaking|style|shaped"
    r"|sized|minute|hour|day|week|month|year|metre|meter|kilometre|kilometer|mile|storey|story|percent"
    r"|member)(?: - old)?"
)
_HOLDS_ON = "-'’(“\"‘["  # a mark after one of these stands inside a word, or where a quotation or a bracket opens
_ENDS_WITH_WORD = re.compile(r"(?<![\w-])[A-Za-z\d]+\Z")
_BEGINS_WITH_WORD = re.compile(r"([a-z]+|\d+|Fi)(?![\w-])([^\n]{0,8})")
_CLAUSE_GOES_ON = re.compile(r" (?:by|as|after|in|to|for|from|that|than|with|at|on|the|a)\b")


def _bracket(match: re.Match[str], _: Habits) -> str:
    bracket = _BRACKETS[match[2]]
    return match[1] + bracket if bracket in "([{" else bracket + match[3]


def _space_after_word(match: re.Match[str], _: Habits) -> str:
    """Return the space that the mark stands for; none at a border, beside another space, inside a hyphenated word."""
    last = before(match, 1)
    if not last or last.isspace():
        return ""
    return "" if match[0][0] == "▁" and last in _HOLDS_ON else " "


def _is_placeholder(match: re.Match[str], _: Habits) -> bool:
    return bool(re.search(r"@@[A-Z_\d]+$", before(match, 40)))


def _is_dash(match: re.Match[str], habits: Habits) -> bool:
    """Say whether ` - ` is the writer's dash: no compound of a known kind, and never written together elsewhere."""
    left = _ENDS_WITH_WORD.search(before(match, 40))
    right = _BEGINS_WITH_WORD.match(after(match, 40))
    if not left or not right:
        return True
    is_compound = _COMPOUND.fullmatch(f"{left[0]} - {right[1]}") and not _CLAUSE_GOES_ON.match(right[2])
    return not is_compound and not habits.has(f"{left[0]}-{right[1]}")


def _opens_with_quote(match: re.Match[str], _: Habits) -> bool:
    """Say whether a single quotation mark is open before the apostrophe, which may then be its closing one."""
    apostrophe = match.start() + match[0].replace("’", "'").find("'") if match[0].strip() else match.start()
    return bool(_OPEN_QUOTE.search(before(match) + match.string[match.start() : apostrophe]))


def _closes_a_quotation(match: re.Match[str], habits: Habits) -> bool:
    after_plural = match[0][0] != " " and match.string[match.start() - 1] == "s"
    return after_plural or _opens_with_quote(match, habits)


def _is_no_common_noun(match: re.Match[str], habits: Habits) -> bool:
    """Say whether the word before has a capital or is one of grammar, or a quotation ends with it."""
    word = word_before(match)
    return not word.islower() or word in listed("function_words_en") or _opens_with_quote(match, habits)


def _space_for_piece(match: re.Match[str], _: Habits) -> str:
    """Return the space a piece stands for: none at a border or before a mark."""
    left, right = before(match, 1), after(match, 1)
    return " " if left and right and not left.isspace() and not right.isspace() and right not in ".,;:?!)" else ""


def _joined_initials(match: re.Match[str], _: Habits) -> str:
    """Return the abbreviation without its spaces, but for the one that parts it from the next word."""
    return match[0].replace(" ", "") + (" " if match[0].endswith(" ") and after(match, 1).isalnum() else "")


RULES = (
    Rule(
        id="subword-mark",
        category=Category.CHARACTER_ENCODING,
        mechanism=Mechanism.TOKENISATION,
        safety=Safety.ALWAYS,
        confidence=0.99,
        pattern=re.compile(r"(?<=\w)(?:@@ |[ ]##|￭ | ￭ | ￭)(?=\w)"),
        cues=("@@ ", " ##", "￭"),
        unless=_is_placeholder,
        replacement="",
        telling=True,
        why="The engine cuts rare words into pieces and marks the cut; the pieces were not joined again.",
        reference="Sennrich et al. 2016 (BPE: @@), WordPiece (##), OpenNMT joiner (￭)",
        mends={
            "The muni@@ cip@@ ality agreed.": "The municipality agreed.",
            "The muni ##cipality agreed.": "The municipality agreed.",
            "The muni￭ cipality agreed.": "The municipality agreed.",
        },
        keeps=("Write to info@@example.org.", "See issue ## 12 for details.", "## A heading"),
    ),
    Rule(
        id="sentencepiece-mark",
        category=Category.CHARACTER_ENCODING,
        mechanism=Mechanism.TOKENISATION,
        safety=Safety.ALWAYS,
        confidence=0.99,
        pattern=re.compile(r" *▁+"),
        cues=tuple("▁"),
        replacement=_space_after_word,
        telling=True,
        why="SentencePiece writes a space as ▁ (U+2581); the pieces were printed as they were.",
        reference="Kudo and Richardson 2018",
        mends={
            "▁The ▁council ▁agreed.": "The council agreed.",
            "He said▁that▁it rained.": "He said that it rained.",
            "It’▁s ▁a long-▁term “▁plan” - ▁so ▁they ▁say.": "It’s a long-term “plan” - so they say.",
        },
        keeps=("The council agreed.", "A chart of blocks: █ ▄ ▂"),
    ),
    Rule(
        id="escaped-hyphen",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.TOKENISATION,
        safety=Safety.ALWAYS,
        confidence=0.99,
        pattern=re.compile(r" ?@([-–/.,:])@ ?"),
        cues=("@-@", "@–@", "@/@", "@.@", "@,@", "@:@"),
        replacement=r"\1",
        telling=True,
        why="Moses marks a hyphen it split as @-@ and was not asked to join it again.",
        reference="Moses tokenizer.perl, option -a",
        mends={
            "A state @-@ owned firm lost 3 @.@ 5 million.": "A state-owned firm lost 3.5 million.",
            "A long@-@ term plan": "A long-term plan",
        },
        keeps=("A state-owned firm", "Follow us @ home - or away"),
    ),
    Rule(
        id="bracket-token",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.TOKENISATION,
        safety=Safety.ALWAYS,
        confidence=0.99,
        pattern=re.compile(r"( ?)-([LR][RSC]B)-( ?)"),
        cues=("RB-", "SB-", "CB-"),
        unless=lambda match, _: match[2] not in _BRACKETS,
        replacement=_bracket,
        telling=True,
        why="Penn Treebank tools write brackets as names; the names were printed.",
        reference="Penn Treebank tokenisation",
        mends={
            "The agency -LRB- EMA -RRB- agreed.": "The agency (EMA) agreed.",
            "He spoke -LSB- sic -RSB-, then left.": "He spoke [sic], then left.",
        },
        keeps=("The agency (EMA) agreed.", "The LRB- and RRB-lines are open."),
    ),
    Rule(
        id="split-contraction",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.TOKENISATION,
        safety=Safety.ALWAYS,
        languages=frozenset({"en"}),
        pattern=re.compile(
            r" (?=n['’]t\b|['’](?:s|m|ve|ll|re|d)\b)(?:(?<=[A-Za-z] )(?=n)|(?<=\bI )(?=.(?:m|ve|ll|d)\b)"
            r"|(?:(?<=\b[Ww]e )|(?<=\b[Hh]e )|(?<=\b[Ii]t )|(?<=\b[Yy]ou )|(?<=\b[Ss]he )|(?<=\b[Ww]ho )"
            r"|(?<=\b[Tt]hey ))(?=.(?:ve|ll|re|d)\b)"
            r"|(?:(?<=\b[Ii]t )|(?<=\b[Hh]e )|(?<=\b[Ss]he )|(?<=\b[Ww]ho )|(?<=\b[Tt]hat )|(?<=\b[Ww]hat )"
            r"|(?<=\b[Hh]ere )|(?<=\b[Tt]here )|(?<=\b[Ww]here ))(?=.s\b))"
        ),
        cues=(" n't", " n’t", " 's", " ’s", " 'v", " 'l", " 'm", " 'r", " 'd", " ’v", " ’l", " ’m", " ’r", " ’d"),
        unless=_opens_with_quote,
        replacement="",
        telling=True,
        why="Tokenisers cut the negation off its verb and the verb off its pronoun; detokenisers forget it.",
        reference="Penn Treebank tokenisation",
        mends={
            "They do n't agree, and I 'm glad.": "They don't agree, and I'm glad.",
            "It was n’t over, and she ca n’t stay.": "It wasn’t over, and she can’t stay.",
        },
        keeps=("They don't agree.", "The ending -n't is a negation.", "Rock 'n' roll is n"),
    ),
    Rule(
        id="split-noun-possessive",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.TOKENISATION,
        safety=Safety.ALWAYS,
        confidence=0.95,
        languages=frozenset({"en"}),
        pattern=re.compile(r" (?<=[a-z]{3} )(?=['’](?:s|ve|re|ll) [A-Za-z])"),
        cues=(" 's ", " ’s ", " 've ", " ’ve ", " 're ", " ’re ", " 'll ", " ’ll "),
        anchored=True,
        unless=_is_no_common_noun,
        replacement="",
        telling=True,
        why="The ending was cut off a common noun. With names people slip so, where a link ends before it; a noun "
        "has none.",
        reference="Penn Treebank tokenisation",
        mends={"The city 's mayor said the towns ’ve agreed.": "The city's mayor said the towns’ve agreed."},
        keeps=(
            "The city's mayor agreed.",
            "According to Boeing 's board, no.",
            "He wrote 'the s in sand 's wrong' twice.",
            "In the '80s they agreed.",
            "The sand 's-Hertogenbosch stands on",
        ),
    ),
    Rule(
        id="split-possessive",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.TOKENISATION,
        safety=Safety.GATED,
        languages=frozenset({"en"}),
        pattern=re.compile(r"(?<=\w) (?=['’](?:s|re|ve|ll|m|d)(?![\w'’]))"),
        cues=(" '", " ’"),
        replacement="",
        telling=True,
        unless=_opens_with_quote,
        why="The apostrophe and what follows were cut off their word. People slip so too: gated.",
        reference="Penn Treebank tokenisation",
        mends={
            "Boeing 's shares fell; it 's a bad day.": "Boeing's shares fell; it's a bad day.",
            "The towns ’ve agreed.": "The towns’ve agreed.",
        },
        keeps=("Boeing's shares fell.", "He wrote 'the s in sand 's wrong' twice.", "In the '80s they agreed."),
    ),
    Rule(
        id="split-apostrophe",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.TOKENISATION,
        safety=Safety.ALWAYS,
        languages=frozenset({"en"}),
        pattern=re.compile(r"(?<=\w) ?(['’]) (s|t|re|ve|ll)(?=[ .,;:?!]|$)(?! ['’])"),
        cues=("' s", "’ s", "' t", "’ t", "' re", "’ re", "' ve", "’ ve", "' ll", "’ ll"),
        unless=_closes_a_quotation,
        replacement=r"\1\2",
        telling=True,
        why="The apostrophe was set free on both sides.",
        reference="MQM, Linguistic conventions: Punctuation",
        mends={
            "The city ' s mayor agreed.": "The city's mayor agreed.",
            "The city’ s mayor agreed.": "The city’s mayor agreed.",
            "She couldn ’ t stay.": "She couldn’t stay.",
        },
        keeps=("The city's mayor agreed.", "The workers' s-shaped banner", "The 'north' s and the 'south' s differ"),
    ),
    Rule(
        id="split-elision",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.TOKENISATION,
        safety=Safety.ALWAYS,
        languages=_ELIDING,
        pattern=re.compile(rf"(?<![\w'’]){_ELIDED} (['’]) (?={_VOWEL})"),
        cues=(" ' ", " ’ "),
        replacement=r"\1\2",
        telling=True,
        why="The elided article was cut off its noun, the apostrophe set free on both sides.",
        reference="Moses detokenizer.perl, French and Italian rules",
        mends={
            "Il a dit qu ' il viendrait avec l ' autre.": "Il a dit qu'il viendrait avec l'autre.",
            "L ’ économie de d ’ autres pays": "L’économie de d’autres pays",
        },
        keeps=("Il a dit qu'il viendrait.", "Les lettres « l » et ' a ' manquent."),
    ),
    Rule(
        id="loose-elision",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.TOKENISATION,
        safety=Safety.GATED,
        languages=_ELIDING,
        pattern=re.compile(rf"(?<![\w'’]){_ELIDED}(?: (['’])|(['’]) )(?={_VOWEL})"),
        cues=(" '", " ’", "' ", "’ "),
        replacement=lambda match, _: match[1] + (match[2] or match[3]),
        why="The apostrophe of an elision has a space on one side. People slip so too: gated.",
        reference="Moses detokenizer.perl, French and Italian rules",
        mends={"L’ économie, dit-on, qu 'elle change.": "L’économie, dit-on, qu'elle change."},
        keeps=("L’économie, dit-on, change.", "Les lettres « l » et ' a ' manquent."),
    ),
    Rule(
        id="spaced-hyphen",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.TOKENISATION,
        safety=Safety.GATED,
        confidence=0.8,
        languages=frozenset({"en"}),
        pattern=re.compile(r" - (?=[a-z\d]|Fi\b)"),
        cues=(" - ",),
        anchored=True,
        unless=_is_dash,
        replacement="-",
        telling=False,
        why="The hyphen of a compound was set free. A dash looks the same: only for compounds of a known kind, "
        "or those "
        "the document writes together elsewhere.",
        reference="MQM, Linguistic conventions: Punctuation",
        mends={
            "A state - owned firm has a long - term plan.": "A state-owned firm has a long-term plan.",
            "A seven-metre wall; the seven - metre wall held.": "A seven-metre wall; the seven-metre wall held.",
            "The right - handed F - 16 pilot had COVID - 19.": "The right-handed F-16 pilot had COVID-19.",
        },
        keeps=(
            "GB - led by Lund - won.",
            "He came - and left.",
            "London - The council met.",
            "Lund - 19 points, Ystad - 16",
            "One idea - brilliant or mad - was his.",
        ),
    ),
    Rule(
        id="spaced-number",
        category=Category.NUMBER_FORMAT,
        mechanism=Mechanism.TOKENISATION,
        safety=Safety.ALWAYS,
        pattern=re.compile(
            r"(?<![\d.,] )(?<![\d.,])(\d{1,3}) ([.,]) (\d{3}|\d{1,2}(?= ?(?:%|percent\b|per cent\b"
            r"|million|billion)))(?![\d.,]*\d)"
        ),
        cues=(" , ", " . "),
        replacement=r"\1\2\3",
        telling=True,
        languages=frozenset({"en"}),
        why="The separator inside a number was set free like a mark between words.",
        reference="Moses tokenizer.perl",
        mends={
            (
                "Some 12 , 500 people came; prices rose 3 . 5 percent."
            ): "Some 12,500 people came; prices rose 3.5 percent.",
        },
        keeps=("Some 12,500 people came.", "In 2019 , 300 people came.", "Rooms 1 , 2 and 3"),
    ),
    Rule(
        id="spaced-bracket",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.TOKENISATION,
        safety=Safety.GATED,
        pattern=re.compile(
            r"(?<=\w \()[ \u00a0]([^()\n]{1,200}?)[ \u00a0](?=\))|(?<=\w \[)[ \u00a0]([^\[\]\n]{1,200}?)[ \u00a0](?=\])"
        ),
        cues=("( ", "(\u00a0", "[ ", "[\u00a0"),
        unless=lambda match, _: not (match[1] or match[2] or "").strip(),
        replacement=lambda match, _: (match[1] or match[2]).strip(),
        why="Brackets were set free on their inner sides.",
        reference="MQM, Linguistic conventions: Punctuation",
        mends={"The agency ( EMA ) agreed.": "The agency (EMA) agreed."},
        keeps=("The agency (EMA) agreed.", "Tick one: ( ) yes ( ) no"),
    ),
    Rule(
        id="loose-bracket",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.TOKENISATION,
        safety=Safety.DETECT,
        languages=frozenset({"en"}),
        pattern=re.compile(r"(?<=\w \() (?=\w)|(?<=\w) (?=\)(?:[ .,;:]|$))"),
        cues=("( ", " )"),
        why="A bracket has a space on its inner side; which of its neighbours it belongs to is a guess where the "
        "other side "
        "is missing.",
        reference="MQM, Linguistic conventions: Punctuation",
        finds=("The agency ( EMA) agreed.",),
        keeps=("The agency (EMA) agreed.", "Tick one: ( ) yes ( ) no", "A smile :)"),
    ),
    Rule(
        id="byte-pair-mark",
        category=Category.CHARACTER_ENCODING,
        mechanism=Mechanism.TOKENISATION,
        safety=Safety.ALWAYS,
        confidence=0.99,
        pattern=re.compile(r" ?Ġ(?=[\w(“\"'])|</w> ?"),
        cues=(" Ġ", "Ġt", "Ġa", "Ġo", "Ġs", "</w>"),
        unless=lambda match, habits: "Ġ" in match[0] and not habits.is_in_pieces,
        replacement=_space_for_piece,
        telling=True,
        why="Byte-level models write the space before a word as Ġ, others the end of a word as </w>.",
        reference="Radford et al. 2019 (GPT-2); Sennrich et al. 2016",
        mends={
            "The Ġcouncil Ġagreed.": "The council agreed.",
            "The</w> muni cipality</w> agreed</w>.": "The muni cipality agreed.",
        },
        keeps=("The temples of Ġgantija stand on a hill of Gozo.", "The council agreed."),
    ),
    Rule(
        id="spaced-initials",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.TOKENISATION,
        safety=Safety.ALWAYS,
        languages=frozenset({"en"}),
        pattern=re.compile(
            r"\b(?:[A-Z] \. ){2,4}(?=\w|[,;:)]|$)|\b(?:[A-Z] \. ){1,3}[A-Z] \.(?!\w)|\b[ap] \. m \.(?!\w)"
        ),
        cues=tuple(f" {letter} . " for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZap"),
        replacement=_joined_initials,
        telling=True,
        why="The stops of an abbreviation were set free like the ends of sentences.",
        reference="Moses tokenizer.perl",
        mends={"The U . S . envoy came at 5 p . m . sharp.": "The U.S. envoy came at 5 p.m. sharp."},
        keeps=("The U.S. envoy came at 5 p.m. sharp.", "Plan A . It rained.", "Is it I . . . ?"),
    ),
    Rule(
        id="half-spaced-initials",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.TOKENISATION,
        safety=Safety.GATED,
        languages=frozenset({"en"}),
        pattern=re.compile(
            r"(?<=\bU\.) (?=[SKN]\.(?! [A-Z\d]))|(?<=\b[Tt]he U\.) (?=[SKN]\.)|(?<=\bPh\.) (?=D\b)"
            r"|(?<=\d [ap]\.) (?=m\b)|(?<=\bD\.) (?=C\.(?! [A-Z]))"
        ),
        cues=("U. ", "Ph. D", "a. m", "p. m", "D. C"),
        replacement="",
        why="The parts of an abbreviation were parted like sentences. Some houses print them so: gated.",
        reference="The Chicago Manual of Style, 10.4",
        mends={"The U. S. envoy, a Ph. D., came at 5 p. m. sharp.": "The U.S. envoy, a Ph.D., came at 5 p.m. sharp."},
        keeps=(
            "The U.S. envoy came at 5 p.m. sharp.",
            "Plan U. So it rained.",
            "J. K. Lund",
            "U. S. Grant, U. K. Lund and A. D. C. Mills, see 410 U. S. 113.",
        ),
    ),
    Rule(
        id="spaced-slash",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.TOKENISATION,
        safety=Safety.GATED,
        languages=frozenset({"en"}),
        pattern=re.compile(r"\b(?:24 / 7|km / h|and / or|he / she|his / her|him / her)\b"),
        cues=(" / ",),
        house=lambda habits: habits.spaces_slashes,
        replacement=lambda match, _: match[0].replace(" ", ""),
        why="The slash of a fixed pair was set free like a word. Some houses set it so throughout: gated.",
        reference="Moses tokenizer.perl",
        mends={"It is open to men and / or women.": "It is open to men and/or women."},
        keeps=("It is open 24/7.", "Lund / Ystad and 24 / 70", "First line / second line"),
    ),
    Rule(
        id="spaced-degree",
        category=Category.NUMBER_FORMAT,
        mechanism=Mechanism.TOKENISATION,
        safety=Safety.GATED,
        languages=frozenset({"en"}),
        pattern=re.compile(r"(?<=\d) ?° (?=[CF]\b)"),
        cues=("° C", "° F"),
        replacement="°",
        why="The degree sign was set free like a word.",
        reference="The Chicago Manual of Style, 10.49",
        mends={"It was 30 ° C in May.": "It was 30°C in May."},
        keeps=("It was 30°C and 86 °F.", "An angle of 30° Fahrenheit never knew"),
    ),
    Rule(
        id="spaced-address",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.TOKENISATION,
        safety=Safety.ALWAYS,
        pattern=re.compile(
            r"\bhttps? ?: ?/ ?/ ?(?=\w)(?<=[ :/] )|\bhttps?(?: : ?/ ?/|: //)(?=\w)"
            r"|\b\w[\w.+-]{0,40} @ [\w-]{2,40}(?: ?\. ?[\w-]{2,20}){0,2} ?\. ?(?:com|org|net|gov|edu|info)\b"
            r"|(?:\bwww ?\. ?|(?<=@))[\w-]{2,40}(?: ?\. ?[\w-]{2,20}){0,2} ?\. ?(?:com|org|net|gov|edu|info)\b"
        ),
        cues=("http :", "https :", "http: /", "https: /", "www .", "www. ", " . com", " . org", " . net", " @ "),
        replacement=lambda match, _: match[0].replace(" ", ""),
        telling=True,
        why="The marks inside an address were set free like those between words.",
        reference="Moses tokenizer.perl",
        mends={
            "See www . example . org or http : / / example.org for more.": (
                "See www.example.org or http://example.org for more."
            ),
            "Write to harbour @ example.org, see http: //example.org.": (
                "Write to harbour@example.org, see http://example.org."
            ),
        },
        keeps=(
            "See www.example.org for more.",
            "The site is http://example.org. Com is no word.",
            "Harper @ Lund, 5 @ 3.50",
        ),
    ),
    Rule(
        id="spaced-time",
        category=Category.NUMBER_FORMAT,
        mechanism=Mechanism.TOKENISATION,
        safety=Safety.ALWAYS,
        languages=frozenset({"en"}),
        pattern=re.compile(
            r"(?<![\w:.])([012]?\d) : ([0-5]\d)(?= ?(?:a\.? ?m\b|p\.? ?m\b|GMT|UTC|local time|o['’]clock|hrs?\b))"
        ),
        cues=tuple(f"{digit} : " for digit in range(10)),
        replacement=r"\1:\2",
        telling=True,
        why="The colon inside a time was set free like a mark between words.",
        reference="Moses tokenizer.perl",
        mends={"The council met at 10 : 30 a.m. on Monday.": "The council met at 10:30 a.m. on Monday."},
        keeps=("The council met at 10:30 a.m. on Monday.", "They won 2 : 10 after extra time."),
    ),
    Rule(
        id="escaped-slash",
        category=Category.MARKUP,
        mechanism=Mechanism.TOKENISATION,
        safety=Safety.ALWAYS,
        pattern=re.compile(r"(?<=\w) ?\\/ ?(?=\w)"),
        cues=("\\/",),
        replacement="/",
        telling=True,
        why="Penn Treebank tools and JSON escape the slash; nobody took the escape away.",
        reference="Penn Treebank tokenisation; RFC 8259",
        mends={"The km\\/h limit and the 2023\\/24 season": "The km/h limit and the 2023/24 season"},
        keeps=("The km/h limit", "A shrug \\_/ and a path C:\\/"),
    ),
    Rule(
        id="split-slang",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.TOKENISATION,
        safety=Safety.ALWAYS,
        languages=frozenset({"en"}),
        pattern=re.compile(r"\b([Gg]on|[Ww]an) na\b|\b([Gg]ot) ta\b|\b([Gg]im|[Ll]em) me\b"),
        cues=("on na", "an na", "ot ta", "im me", "em me"),
        replacement=lambda match, _: match[0].replace(" ", ""),
        telling=True,
        why="Penn Treebank tools cut gonna, wanna, gotta, gimme and lemme in two.",
        reference="Penn Treebank tokenisation",
        mends={"“We are gon na win, we got ta,” she said.": "“We are gonna win, we gotta,” she said."},
        keeps=("“We are gonna win,” she said.", "Dragon na and Milan nation"),
    ),
    Rule(
        id="split-o-clock",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.TOKENISATION,
        safety=Safety.ALWAYS,
        languages=frozenset({"en"}),
        pattern=re.compile(r"\b([Oo])(?: (['’])| ?(['’]) )(?=clock\b)"),
        cues=("o '", "o ’", "o' ", "o’ "),
        replacement=lambda match, _: match[1] + (match[2] or match[3]),
        telling=True,
        why="The apostrophe of o’clock was set free.",
        reference="MQM, Linguistic conventions: Punctuation",
        mends={
            "The council met at five o 'clock and at six o’ clock.": (
                "The council met at five o'clock and at six o’clock."
            )
        },
        keeps=("The council met at five o'clock.", "Radio 'clockwork' and others"),
    ),
    Rule(
        id="split-name-apostrophe",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.TOKENISATION,
        safety=Safety.GATED,
        languages=frozenset({"en"}),
        pattern=re.compile(r"\b([OD]|d)(?: (['’]) ?| ?(['’]) )(?=[A-Z][a-z]{2})"),
        cues=("O '", "O ’", "O' ", "O’ ", "D '", "D ’", "D' ", "D’ ", " d '", " d ’", " d' ", " d’ "),
        unless=_opens_with_quote,
        replacement=lambda match, _: match[1] + (match[2] or match[3]),
        telling=True,
        why="The apostrophe inside a name was set free.",
        reference="MQM, Linguistic conventions: Punctuation",
        mends={"Ms O 'Brien flew to Côte d ’ Ivoire.": "Ms O'Brien flew to Côte d’Ivoire."},
        keeps=("Ms O'Brien flew to Côte d’Ivoire.", "The 'Plan D' Team won."),
    ),
    Rule(
        id="split-plural-possessive",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.TOKENISATION,
        safety=Safety.GATED,
        languages=frozenset({"en"}),
        pattern=re.compile(r"(?<=[a-z]s) (?=['’] [a-z]{3})"),
        cues=("s ' ", "s ’ "),
        unless=_opens_with_quote,
        replacement="",
        telling=True,
        why="The apostrophe after a plural was set free on both sides.",
        reference="MQM, Linguistic conventions: Punctuation",
        mends={"The workers ' rights were kept.": "The workers' rights were kept."},
        keeps=("The workers' rights were kept.", "The 'rights of workers ' were kept."),
    ),
    Rule(
        id="glued-ampersand",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.TOKENISATION,
        safety=Safety.ALWAYS,
        languages=frozenset({"en"}),
        pattern=re.compile(r"(?<=[A-Za-z.]) &(?=[A-Z][a-z])|(?<=[a-z]{2})& (?=[A-Z][a-z])"),
        cues=(" &", "& "),
        replacement=" & ",
        telling=True,
        why="The ampersand passed through the engine as &amp; and lost the space on one side.",
        reference="Moses escape-special-chars.perl",
        mends={"Harper &Co and Miller& Sons merged.": "Harper & Co and Miller & Sons merged."},
        keeps=("Harper & Co merged.", "AT&T and H&M rose.", "A &nbsp; in the source"),
    ),
)
