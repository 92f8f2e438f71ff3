"""Words in the source language's order."""

import re
from collections.abc import Iterator

from ahocorasick_rs import AhoCorasick, Implementation

from tasks.artifacts.habits import Habits
from tasks.artifacts.rule import Category, Mechanism, Rule, Safety
from tasks.artifacts.surroundings import after, before, word_before
from tasks.artifacts.verbs import past
from tasks.artifacts.words import listed

_ENGLISH = frozenset({"en"})
_ROMANCE = frozenset({"fr", "es", "it", "pt"})
_REPORTING = "|".join(sorted(listed("reporting_verbs")))
_ADJECTIVES = "|".join(sorted(listed("relational_adjectives")))
_PASTS = "|".join(sorted({past(verb) for verb in listed("reporting_verbs")}))
_SPEAKER = r"(?:the|a|an|his|her|Mr|Mrs|Ms|Dr|President|Prime|Minister|[A-Z][a-z]+)\b"
_FOLLOWERS = "of|in|and|for|to|that|with|by|on|at|from|which|are|is|was|were|will|has|have"
_PHRASE_ENDS = (*(f" {word} " for word in _FOLLOWERS.split("|")), *",.;")
_AFTER_A_PHRASE = r"of|in|for|to|that|with|by|on|at|from|which|and(?! (?:old|[a-z]+(?:al|ic|ous|an|ary))\b)"
_RELATIONAL = re.compile(rf" (?:{_ADJECTIVES})(?<! new(?= to ))(?= (?:{_AFTER_A_PHRASE}) |[,.;])")
_MAKING = frozenset(
    {
        *("become", "call", "called", "consider", "considered", "find", "found", "get", "keep", "keeping", "kept"),
        *("leave", "made", "make", "makes", "making", "render", "think", "turn", "turned"),
    }
)
_VERB_FORMS = frozenset({*listed("verbs"), *(f"{verb}s" for verb in listed("verbs")), "goes", "does"})
_DETERMINERS = frozenset(
    {"the", "a", "an", "his", "her", "their", "its", "our", "my", "your", "these", "those", "this", "that"}
)
_PREPOSITIONS = frozenset(
    {"of", "by", "on", "with", "for", "from", "against", "between", "into", "about", "under", "in", "to", "at"}
)
_BEFORE_NOUNS = (
    _DETERMINERS | _PREPOSITIONS | listed("verbs") | {"some", "many", "all", "any", "other", "several", "two"}
)
_ADJECTIVE_ENDS = AhoCorasick(
    [
        f"{ending}{end}"
        for ending in ("al", "ic", "ous", "able", "ible", "ary", "ing")
        for end in (*_PHRASE_ENDS, " he ", " she ", " they ", " said ", ":", "\n")
    ],
    implementation=Implementation.DFA,
)
_NOUN_AND_ADJECTIVE = re.compile(
    r"(?<!\w)(?P<noun>[a-z]{4,}) (?P<adjective>[a-z]{2,}-[a-z]+ing|[a-z]{3,}(?:al|ic|ous|able|ible|ary))\Z"
)
_LONGEST_PHRASE = 60
_NOUN_ENDING = re.compile(
    r"..(?:tion|sion|ment|ity|ance|ence|ship|ness|ism|sis|tus|er|or|ure|cy|th|[bcdfghjklmnpqrtvwyz]s|es)\Z"
)


def _reported(match: re.Match[str], _: Habits) -> str:
    """Return the clause in English order, the comma inside the marks as it stood in the source's half."""
    return f",{match['mark']} {match['who']} {past(match['verb'])}"


def _postposed_but_known(text: str, habits: Habits) -> Iterator[tuple[int, int, str | None]]:
    """Yield nouns with an adjective behind them, where the document has the two in English order elsewhere."""
    for _, ending, _ in _ADJECTIVE_ENDS.find_matches_as_indexes(f"{text}\n"):
        end = ending
        while text[end : end + 1].isalpha():
            end += 1
        start = max(0, end - _LONGEST_PHRASE)
        match = _NOUN_AND_ADJECTIVE.search(text[start:end])
        if match and not _is_native_order(match["noun"], match["adjective"]):
            in_order = f"{match['adjective']} {match['noun']}"
            if habits.has(in_order):
                yield start + match.start(), end, in_order


def _is_native_order(noun: str, adjective: str) -> bool:
    return (
        adjective in listed("nouns_like_adjectives")
        or noun in listed("postpositive_nouns")
        or noun in listed("function_words_en")
    )


def _postposed(text: str, _: Habits) -> Iterator[tuple[int, int, str | None]]:
    """Yield nouns with a relational adjective behind them."""
    for match in _RELATIONAL.finditer(text):
        noun = word_before(match)
        if _is_noun(noun) and not _says_how_it_is(match, noun):
            yield match.start() - len(noun), match.end(), None


def _says_how_it_is(match: re.Match[str], noun: str) -> bool:
    """Say whether the word is a verb (goes global, includes local), or the adjective is what its object is made."""
    words = [word.lower() for word in before(match, 60).split()[-5:-1]]
    last = words[-1] if words else ""
    is_verb = noun in _VERB_FORMS and last not in _BEFORE_NOUNS
    is_one_of_two = after(match, 5) == " and " and last not in _DETERMINERS
    return is_verb or is_one_of_two or _is_made(words)


def _is_made(words: list[str]) -> bool:
    """Say whether a verb like *to make* stands among the words and no preposition behind it."""
    for word in reversed(words):
        if word in _PREPOSITIONS:
            return False
        if word in _MAKING:
            return True
    return False


def _is_noun(word: str) -> bool:
    """Guess from its ending that a word is a noun."""
    is_word = word.isascii() and word.isalpha() and word.islower()
    is_other = word in listed("postpositive_nouns") or word in listed("function_words_en")
    return is_word and not is_other and _NOUN_ENDING.search(word) is not None


RULES = (
    Rule(
        id="inverted-reporting-clause",
        category=Category.WORD_ORDER,
        mechanism=Mechanism.WORD_ORDER,
        safety=Safety.ALWAYS,
        confidence=0.97,
        languages=_ENGLISH,
        sources=frozenset({"fr"}),
        pattern=re.compile(
            rf"(?<![?!,])(?P<early>,)?(?P<mark>[”\"])[ \u00a0]*(?(early),?|,)[ \u00a0]*(?:did|has|had) (?P<who>he"
            rf"|she|they|it|I|we) "
            rf"(?P<verb>{_REPORTING})(?=[ .,:;]|$)(?![^.\n]{{0,60}}\?)"
        ),
        cues=("did he ", "did she ", "did they ", "did it ", "did I ", "did we "),
        replacement=_reported,
        telling=True,
        why="« …, a-t-il déclaré »: French turns verb and pronoun round after a quotation; English does not.",
        reference="Grevisse, Le bon usage: incises",
        mends={
            "“The wall will hold” , did he declare.": "“The wall will hold,” he declared.",
            "“The wall will hold”, did she tell the paper.": "“The wall will hold,” she told the paper.",
            "“The wall will hold,” did they add.": "“The wall will hold,” they added.",
        },
        keeps=(
            "“The wall will hold,” he declared.",
            "After “the wall”, did he say anything?",
            "“Will it hold?” did he ask.",
        ),
    ),
    Rule(
        id="perfect-reporting-clause",
        category=Category.WORD_ORDER,
        mechanism=Mechanism.WORD_ORDER,
        safety=Safety.ALWAYS,
        languages=_ENGLISH,
        sources=frozenset({"fr", "es", "it"}),
        pattern=re.compile(
            rf"(?<![?!,])(?P<early>,)?(?P<mark>[”\"])[ \u00a0]*(?(early),?|,)[ \u00a0]*(?:(?:has|have) "
            rf"(?P<verb>{_PASTS})|did (?P<base>{_REPORTING}))(?= {_SPEAKER}(?! same))(?![^.\n]{{0,60}}\?)"
        ),
        cues=tuple(
            f"{mark}{gap}{verb} "
            for mark in '”"'
            for gap in (" ", ",", ", ", " , ", "\u00a0, ")
            for verb in ("has", "have", "did")
        ),
        replacement=lambda match, _: f",{match['mark']} {match['verb'] or past(match['base'])}",
        telling=True,
        why="« … », a déclaré le ministre: the perfect of the source, verb before speaker. English keeps the order "
        "in the simple past.",
        reference="Grevisse, Le bon usage: incises",
        mends={
            "“The wall will hold”, has declared the mayor.": "“The wall will hold,” declared the mayor.",
            "“The wall will hold”, did add the mayor.": "“The wall will hold,” added the mayor.",
            '"The wall will hold" , has said Mr Lund.': '"The wall will hold," said Mr Lund.',
        },
        keeps=("“The wall will hold,” declared the mayor.", "The man who sang “No”, has said the same."),
    ),
    Rule(
        id="dash-before-speaker",
        category=Category.PUNCTUATION,
        mechanism=Mechanism.PUNCTUATION,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"ru", "uk", "pl", "es"}),
        pattern=re.compile(
            rf"(?P<stop>[,?!])?(?P<mark>[”\"])(?P<late>,)?[ \u00a0][-–—][ \u00a0]"
            rf"(?=(?:{_PASTS}|says) (?:he|she|they|{_SPEAKER})|(?:he|she|they|the [a-z]+) (?:{_PASTS})\b)"
        ),
        cues=tuple(f"{mark}{gap}{dash}" for mark in '”"' for gap in (" ", ", ", "\u00a0", ",\u00a0") for dash in "-–—"),
        replacement=lambda match, _: f"{match['stop'] or ','}{match['mark']} ",
        telling=True,
        why="Russian, Polish and Spanish set a dash between a quotation and who said it.",
        reference="Rosenthal, Справочник по правописанию: прямая речь",
        mends={
            "“The wall will hold”, - said the mayor. “Why?” — repeated the paper.": (
                "“The wall will hold,” said the mayor. “Why?” repeated the paper."
            )
        },
        keeps=("“The wall will hold,” said the mayor.", "He called it “the wall” - said to be old - twice."),
    ),
    Rule(
        id="so-the-speaker",
        category=Category.UNIDIOMATIC,
        mechanism=Mechanism.CALQUE,
        safety=Safety.DETECT,
        languages=_ENGLISH,
        sources=frozenset({"de"}),
        pattern=re.compile(
            r"(?<=[”\"]), so (?:the|Mr|Ms|Mrs) [A-Za-z]+(?=[.,;])|(?<=,[”\"]) so (?:the|Mr|Ms|Mrs) [A-Za-z]+(?=[.,;])"
        ),
        cues=("”, so ", '", so ', ",” so ", '," so '),
        telling=True,
        why="« …“, so der Minister »: German names the speaker with so; whether said or according to, an editor knows.",
        reference="Duden, so",
        finds=("“The wall will hold”, so the minister.",),
        keeps=("“The wall will hold”, said the minister.", "They sang “No”, so the minister left."),
    ),
    Rule(
        id="postposed-adjective-known",
        category=Category.WORD_ORDER,
        mechanism=Mechanism.WORD_ORDER,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=_ROMANCE,
        finder=_postposed_but_known,
        telling=True,
        why="The adjective stands after its noun, as in French or Spanish. Mended only where the document itself "
        "has the "
        "two in English order elsewhere.",
        reference="MQM, Linguistic conventions: Word order",
        mends={
            "The plan names forward-looking areas. It pays for areas forward-looking, he said.": "The plan names "
            "forward-looking areas. It pays for forward-looking areas, he said.",
        },
        keeps=(
            "The plan names forward-looking areas. It pays for them.",
            "The reform was made possible, and possible reform is good.",
        ),
    ),
    Rule(
        id="postposed-adjective",
        category=Category.WORD_ORDER,
        mechanism=Mechanism.WORD_ORDER,
        safety=Safety.DETECT,
        confidence=0.6,
        languages=_ENGLISH,
        sources=_ROMANCE,
        cues=tuple(
            f" {adjective}{end}" for adjective in sorted(listed("relational_adjectives")) for end in _PHRASE_ENDS
        ),
        finder=_postposed,
        why="A relational adjective after its noun is the order of Romance languages; which words belong together, an "
        "editor must say.",
        reference="MQM, Linguistic conventions: Word order",
        finds=("The ministry plans an investment industrial in the north.",),
        keeps=(
            "The attorney general of the state",
            "An industrial investment in the north",
            "The court martial of an officer",
            "It is both educational and fair, and shows solar is second in the aging demographic.",
            "The band goes electric, its stage includes local, and the vote made buses electric.",
            "The members new to the council left for pastures new.",
        ),
    ),
)
