"""Words of the source language that were left standing."""

import re
from collections.abc import Iterator

from tasks.artifacts.habits import Habits
from tasks.artifacts.rule import Category, Mechanism, Rule, Safety
from tasks.artifacts.surroundings import after, before
from tasks.artifacts.words import listed, table

_ENGLISH = frozenset({"en"})
_LATIN = frozenset({"en", "de", "es", "fr", "it", "pt", "nl", "sv", "da", "pl", "cs", "ro", "tr", "id", "vi", "sw"})
_LANGUAGES = ("fr", "es", "de", "it", "pt")
_FOREIGN = {language: listed(f"function_words_{language}") for language in _LANGUAGES}
_ANY = frozenset().union(*_FOREIGN.values())
_SMALL = listed("foreign_particles")
_UNENGLISH = _SMALL - {"a", "as", "do", "die", "e", "i", "o", "am", "den", "em", "im", "y"}
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_LOAN = re.compile(
    rf"\b(?:{'|'.join(re.escape(loan) for loan in sorted(listed('loans')))})\b".replace("'", "['’]"), re.IGNORECASE
)
_LONGEST_LOAN = max(map(len, listed("loans")))

_PLACES = {name: english for name, english, _ in table("exonyms")}
_ACRONYMS = {acronym: english for acronym, english, _ in table("acronyms")}
_ABBREVIATIONS = {abbreviation: english for abbreviation, english, _ in table("foreign_abbreviations")}
_TURKISH_ENDINGS = "da|de|ta|te|dan|den|tan|ten|nın|nin|nun|nün|ın|ün|daki|deki|taki|teki|ya|ye|yı|yi|yu|yü|lı|lü"

# Endings of English that French, Italian and Catalan do not have.
_ENGLISH_NOUN = re.compile(
    r"[aeiouh][a-z]{2,}(?:ing|ness|ship|hood|ity|cy|ly|ght|ful|less|ed|[a-z]{3}ic)"
    rf"|{'|'.join(sorted(listed('english_after_elision')))}"
)
_MEASURES = "|".join(sorted(listed("english_before_of")))
_GRAMMAR = "|".join(sorted(word for word in listed("function_words_en") - _ANY - _SMALL if len(word) > 1))
_POST = re.compile(
    r"(?:Account|Advis|Analyst|Associate|Business|Consult|Data|Deputy|Direct|Edit|Engineer|Exec|Fellow|Lectur|Legal|Manag"
    r"|Market|Product|Project|Research|Sales|Software|Staff|Vice|Writer)"
)
_OF_NUNS = ("nun", "nuns", "convent", "abbey", "monastery", "Catholic", "Sister", "Sisters")
_FRENCH_BEFORE = re.compile(r"\b(?:à|chez|dans|de|des|du|en|et|la|le|les|par|place|pour|rue|sous|sur|une?) \Z")
_ELISIONS = tuple(f"{opening}{letter}{mark}" for opening in ' \n(“"' for letter in "dl" for mark in "'’")

_SCRIPTS = (
    "\u0370-\u03ff\u0400-\u04ff\u0590-\u05ff\u0600-\u06ff\u0900-\u097f"
    "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
)

_FOREIGN_SCRIPT = re.compile(rf"[{_SCRIPTS}]+(?:[ ·,，、]+[{_SCRIPTS}]+)*")
_BEYOND_LATIN = re.compile("[^\x00-\u036f\u1e00-\u27ff\ufe00-\U0010ffff]")


def _foreign_runs(text: str, _: Habits) -> Iterator[tuple[int, int, str | None]]:
    """Yield runs of lower-case words of which at least two are one neighbouring language's and none is English."""
    run: list[re.Match[str]] = []
    for match in _WORD.finditer(text):
        word = match[0].replace("’", "'")
        joined = bool(run) and text[run[-1].end() : match.start()] in {" ", "-", "\u00a0"}
        if run and not joined:
            yield from _reported(text, run)
            run = []
        if word in _ANY or (word in _SMALL):
            run.append(match)
        elif run:
            yield from _reported(text, run)
            run = []
    if run:
        yield from _reported(text, run)


def _reported(text: str, run: list[re.Match[str]]) -> Iterator[tuple[int, int, str | None]]:
    words = [match[0].replace("’", "'") for match in run]
    best = max(sum(word in _FOREIGN[language] for word in words) for language in _LANGUAGES)
    if best and sum(word in _ANY or word in _UNENGLISH for word in words) >= 2:
        start, end = run[0].start(), run[-1].end()
        if not _is_borrowed(text, start, end):
            yield start, end, None


def _is_borrowed(text: str, start: int, end: int) -> bool:
    """Say whether a run of words is part of a phrase that English has borrowed, such as coup de grâce."""
    loans = _LOAN.finditer(text, max(0, start - _LONGEST_LOAN), end + _LONGEST_LOAN)
    return any(loan.start() <= start and end <= loan.end() for loan in loans)


def _is_loan(match: re.Match[str], _: Habits) -> bool:
    """Say whether the elision belongs to a phrase that English borrowed, a name, or text that is French all through."""
    around = f"{before(match, 20)}{match[0]}".lower()
    word = match["noun"]
    elided = f"{match['article']}'{word}"
    return (
        word in listed("french_elided")
        or _ENGLISH_NOUN.fullmatch(word) is not None
        or elided in _ANY
        or _FRENCH_BEFORE.search(around[: -len(match[0])]) is not None
        or any(loan in around for loan in listed("elided_loans"))
    )


def _is_french_noun(match: re.Match[str], _: Habits) -> bool:
    """Say whether the noun is none of English, or belongs to a phrase that English borrowed."""
    elided = f"{match['article'] or 'l'}'{match['noun']}"
    phrase = match[0].lower().replace("’", "'")
    return (
        match["noun"] in listed("french_elided")
        or elided in _ANY
        or any(loan in phrase for loan in listed("elided_loans"))
    )


def _is_english_title(match: re.Match[str], habits: Habits) -> bool:
    """Say whether the title is one of English: after a name (senior), before a post (senior), of a nun (sister)."""
    if re.search(r"[A-Z][\w.]*,? \Z", before(match, 20)):
        return True
    if match[0] != "Sr. ":
        return False
    return bool(_POST.match(after(match, 20))) or any(map(habits.count, _OF_NUNS))


def _is_eye_dialect(match: re.Match[str], _: Habits) -> bool:
    """Say whether the d' follows an apostrophe or dialect of its kind: a novel's speaker, not an article."""
    return bool(re.search(r"['’]\w* \Z", before(match, 12)))


def _expanded(match: re.Match[str], _: Habits) -> str | None:
    """Return the article in English; a lone l' may be one that English does not set: report it."""
    if match["article"] == "d":
        return f"of {match['noun']}" if not match["of"] else None
    return f"of the {match['noun']}" if match["of"] else None


def _is_quoted_or_named(match: re.Match[str], _: Habits) -> bool:
    """Say whether the run stands in brackets or quotes, or is a single letter of science."""
    left, right = before(match, 3).rstrip()[-1:], after(match, 1)
    is_framed = (left and left in "(（[“\"‘'«„") or (right and right in ")）]”\"’'»")
    return bool(is_framed) or len(match[0]) == 1


def _foreign_script(text: str, habits: Habits) -> Iterator[tuple[int, int, str | None]]:
    """Yield runs of words in another script; nearly all texts have no letter beyond those of Latin script."""
    if text.isascii() or not _BEYOND_LATIN.search(text):
        return
    for match in _FOREIGN_SCRIPT.finditer(text):
        if not _is_quoted_or_named(match, habits):
            yield match.start(), match.end(), None


def _any_of(words: dict[str, str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


def _is_part_of_a_name(match: re.Match[str], _: Habits) -> bool:
    """Say whether the place stands in a longer name, a quotation or a title that is kept as it is."""
    left = re.search(r"(\w+)[ -]\Z", before(match, 30))
    right = after(match, 2)
    is_led = left is not None and left[1][0].isupper() and left[1] not in {"In", "The", "From", "And", "But", "To"}
    return (
        is_led
        or bool(re.search(r"(?:\d|\b(?:de|du|des|di|da|do|la|le|el|und|y|e)) \Z", before(match, 5)))
        or bool(re.match(r"[ -][A-Z]|['’][a-rt-z]", right))
    )


def _is_explained(match: re.Match[str]) -> bool:
    """Say whether the acronym stands in brackets behind its English one."""
    return before(match, 8).endswith(f"{_ACRONYMS[match['acronym']]} (")


def _is_shouted(match: re.Match[str], _: Habits) -> bool:
    """Say whether the capitals stand among others, as in a headline."""
    return bool(re.search(r"[A-Z]{3,} \Z", before(match, 12)) and re.match(r" [A-Z]{3,}", after(match, 12)))


RULES = (
    Rule(
        id="untranslated-place",
        category=Category.UNTRANSLATED,
        mechanism=Mechanism.UNTRANSLATED,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset(language for _, _, language in table("exonyms")),
        pattern=re.compile(rf"(?<![\w'’-])(?P<name>{_any_of(_PLACES)})(?![\w-])"),
        cues=tuple(_PLACES),
        unless=_is_part_of_a_name,
        replacement=lambda match, _: _PLACES[match["name"]],
        telling=True,
        why="The place kept the name it has in the source's language.",
        reference="MQM, Accuracy: Untranslated",
        mends={"She flew from Londres to the Estados Unidos.": "She flew from London to the United States."},
        keeps=("The minister flew to London.", "The Hotel Londres is full.", "The painting “Germania Rex”"),
    ),
    Rule(
        id="untranslated-acronym",
        category=Category.UNTRANSLATED,
        mechanism=Mechanism.UNTRANSLATED,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset(source for _, _, sources in table("acronyms") for source in sources.split(",")),
        pattern=re.compile(rf"(?<![\w.-])(?P<acronym>{_any_of(_ACRONYMS)})(?![\w-])"),
        cues=tuple(_ACRONYMS),
        unless=lambda match, habits: _is_shouted(match, habits) or _is_explained(match),
        replacement=lambda match, _: _ACRONYMS[match["acronym"]],
        telling=True,
        why="The acronym is that of the source's language; English has its own.",
        reference="MQM, Accuracy: Untranslated",
        mends={"The OTAN summit met; the EE.UU. agreed.": "The NATO summit met; the US agreed."},
        keeps=("NATO and the US agreed.", "The firm ONU-Tech", "The word OVNIVORE", "The NATO (OTAN) summit"),
    ),
    Rule(
        id="untranslated-abbreviation",
        category=Category.UNTRANSLATED,
        mechanism=Mechanism.UNTRANSLATED,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset(language for _, _, language in table("foreign_abbreviations")),
        pattern=re.compile(rf"(?<![\w.])(?P<short>{_any_of(_ABBREVIATIONS)})(?!\w)"),
        cues=tuple(_ABBREVIATIONS),
        replacement=lambda match, _: _ABBREVIATIONS[match["short"]],
        telling=True,
        why="A short form of running text (z. B., p. ej., usw.) was taken for a name and kept.",
        reference="MQM, Accuracy: Untranslated",
        mends={"Fruit, z. B. plums, bzw. pears, was sold.": "Fruit, e.g. plums, or pears, was sold."},
        keeps=("Fruit, e.g. plums, was sold.", "J.S.z.B. Bach", "The U.S. sold fruit."),
    ),
    Rule(
        id="elided-number",
        category=Category.UNTRANSLATED,
        mechanism=Mechanism.UNTRANSLATED,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"it", "fr"}),
        pattern=re.compile(
            r"(?<![\w'’])(?:the )?(?:[lL]|(?P<of>[dD]ell|[dD])|(?P<to>[aA]ll)|(?P<by>[dD]all)|(?P<in>[nN]ell))"
            r"['’](?=\d)"
        ),
        cues=tuple(f"{word}{mark}{digit}" for word in ("l", "L", "d", "D") for mark in "'’" for digit in range(1, 10)),
        replacement=lambda match, _: next((f"{name} " for name in ("of", "to", "by", "in") if match[name]), ""),
        telling=True,
        why="« l'80% », « dell'11 maggio »: the article was elided before a number and stayed there.",
        reference="MQM, Accuracy: Untranslated",
        mends={"It rose by l'8% in the vote dell'11 May.": "It rose by 8% in the vote of 11 May."},
        keeps=("It rose by 8% in May.", "In the '80s it fell.", "The model XL'10 song"),
    ),
    Rule(
        id="untranslated-inversion",
        category=Category.UNTRANSLATED,
        mechanism=Mechanism.UNTRANSLATED,
        safety=Safety.DETECT,
        languages=_ENGLISH,
        sources=frozenset({"fr"}),
        pattern=re.compile(
            r"\b(?:(?:a|va|affirme|ajoute|explique|poursuit|précise|déclare)-t-|(?:dit|ont|est|soit|fait)-)"
            r"(?:ils?|elles?|on)\b(?: [a-zà-ÿ]+(?:é|i|u|it)\b)?"
        ),
        cues=("-t-il", "-t-elle", "-t-on", "dit-il", "dit-elle", "ont-il", "ont-elle", "est-il", "est-elle"),
        unless=_is_quoted_or_named,
        telling=True,
        why="The reporting clause « a-t-il déclaré » was left standing.",
        reference="MQM, Accuracy: Untranslated",
        finds=("“The wall will hold”, a-t-il déclaré.", "It rains, dit-elle, at night."),
        keeps=("“The wall will hold,” he said.", "The play “Est-il bon?” ran.", "A credit-il"),
    ),
    Rule(
        id="untranslated-title",
        category=Category.UNTRANSLATED,
        mechanism=Mechanism.UNTRANSLATED,
        safety=Safety.DETECT,
        confidence=0.7,
        languages=_ENGLISH,
        sources=frozenset({"fr", "es", "it"}),
        pattern=re.compile(r"(?<![\w’'-])(?:MM\.|Mmes?|Mlle|Sr\.|Sra\.|Sig\.(?:ra)?) (?=[A-ZÀ-Ý][a-zà-ÿ]+)"),
        cues=("MM. ", "Mme", "Mlle ", "Sr. ", "Sra. ", "Sig."),
        unless=_is_english_title,
        telling=True,
        why="The title before a name was kept: Mme, Sra., Sig.",
        reference="MQM, Accuracy: Untranslated",
        finds=("In May Mme Lund and Sr. Pérez agreed, as did Sig.ra Rossi.",),
        keeps=(
            "In May Mrs Lund agreed.",
            "Harper Sr. Street is closed.",
            "The summit of Mme.",
            "A Sr. Software Engineer and the Sr. Vice President left.",
            "At the convent Sr. Maria prayed.",
        ),
    ),
    Rule(
        id="turkish-ending",
        category=Category.UNTRANSLATED,
        mechanism=Mechanism.UNTRANSLATED,
        safety=Safety.DETECT,
        languages=_ENGLISH,
        sources=frozenset({"tr"}),
        pattern=re.compile(rf"\b(?:[A-ZÇĞİÖŞÜ][a-zçğıöşü]{{2,}}|(?:19|20)\d\d)['’](?:{_TURKISH_ENDINGS})(?![\w'’-])"),
        cues=tuple(f"{mark}{ending}" for mark in "'’" for ending in _TURKISH_ENDINGS.split("|")),
        telling=True,
        why="Turkish joins case endings to names and numbers with an apostrophe.",
        reference="Türk Dil Kurumu, Yazım Kuralları: kesme işareti",
        finds=("The council of Ankara'nın met in 2023'te.",),
        keeps=("The council of Ankara met in 2023.", "Jeanne d'Arc, O'Dea and Hawai'i", "Rock'n'roll"),
    ),
    Rule(
        id="foreign-script",
        category=Category.UNTRANSLATED,
        mechanism=Mechanism.UNTRANSLATED,
        safety=Safety.DETECT,
        languages=_LATIN,
        finder=_foreign_script,
        why="Letters of another script: a name in brackets, a quotation, or a word that was not translated.",
        reference="MQM, Accuracy: Untranslated",
        finds=("The council discussed 关键技术 at length.", "He said по его словам that it rained."),
        keeps=("The council (市议会) met.", "The sign said “雨” in red.", "It is 5 μm thick."),
    ),
    Rule(
        id="foreign-words",
        category=Category.UNTRANSLATED,
        mechanism=Mechanism.UNTRANSLATED,
        safety=Safety.DETECT,
        cues=tuple(f" {word} " for word in sorted(_ANY)),
        confidence=0.8,
        languages=_ENGLISH,
        sources=frozenset(_LANGUAGES),
        finder=_foreign_runs,
        why="Two words or more of a neighbouring language in a row: a quotation, a title, or what was not translated.",
        reference="MQM, Accuracy: Untranslated",
        finds=(
            "The wall was built afin de hold.",
            "It rained, según ellos, all day.",
            "They came außerdem auch by train.",
        ),
        keeps=(
            "The wall was built to hold.",
            "The coup d'état failed.",
            "Rio de la Plata, Los Angeles",
            "C’est la vie, hasta la vista and the coup de grâce for the crème de la crème",
        ),
    ),
    Rule(
        id="elided-article-before-english",
        category=Category.UNTRANSLATED,
        mechanism=Mechanism.UNTRANSLATED,
        safety=Safety.ALWAYS,
        confidence=0.97,
        languages=_ENGLISH,
        sources=frozenset({"fr", "it"}),
        pattern=re.compile(
            r"(?<![\w'’-])(?:(?P<of>of )?(?P<article>[dl])['’] ?)"
            rf"(?P<noun>{_ENGLISH_NOUN.pattern})(?![\w-])(?!['’][a-rt-z])"
        ),
        cues=_ELISIONS,
        unless=_is_eye_dialect,
        replacement=_expanded,
        telling=True,
        why="As with any elided article; the noun is a word of no language that elides, so that nothing but an engine "
        "can have left the article before it.",
        reference="MQM, Accuracy: Untranslated",
        mends={
            "A plan d'investment and the needs of l'industry": "A plan of investment and the needs of the industry",
            "A plan d’ entering": "A plan of entering",
        },
        keeps=(
            "A plan of investment and the needs of the industry",
            "Hors d'oeuvres, l'area and d'animals",
            "He ’ad a bit o’ d’ industry, he said.",
        ),
    ),
    Rule(
        id="elided-article-among-english",
        category=Category.UNTRANSLATED,
        mechanism=Mechanism.UNTRANSLATED,
        safety=Safety.ALWAYS,
        confidence=0.95,
        languages=_ENGLISH,
        sources=frozenset({"fr", "it"}),
        pattern=re.compile(
            rf"\b(?:(?P<head>(?:{_MEASURES}) )(?P<article>d)['’] ?|of l['’])"
            rf"(?P<noun>[aeiouh][a-z]{{3,}})(?!\w)(?!['’][a-rt-z])(?(head)|(?= (?:{_GRAMMAR}|[a-z]+(?:ed|ing|ly))\b))"
        ),
        cues=(" d'", " d’", "of l'", "of l’"),
        unless=_is_french_noun,
        replacement=lambda match, _: (
            f"{match['head']}of {match['noun']}" if match["head"] else f"of the {match['noun']}"
        ),
        telling=True,
        why="As with any elided article; the noun may be spelled alike in French, but the words around it are English.",
        reference="MQM, Accuracy: Untranslated",
        mends={
            "A rate d'inflation and a lot d’ effort": "A rate of inflation and a lot of effort",
            "The importance of l'union was in doubt.": "The importance of the union was in doubt.",
        },
        keeps=(
            "A rate of inflation and the importance of the union",
            "The coup d'essai, the agent d'influence and the prix d'excellence",
            "The spirit of l'union sacrée and of l'amour is old.",
        ),
    ),
    Rule(
        id="elided-article",
        category=Category.UNTRANSLATED,
        mechanism=Mechanism.UNTRANSLATED,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"fr", "it"}),
        pattern=re.compile(
            r"(?<![\w'’-])(?:(?P<of>of )?(?P<article>[dl])['’] ?)(?P<noun>[aeiouh][a-z]{3,})(?!\w)(?!['’][a-rt-z])"
        ),
        cues=_ELISIONS,
        unless=_is_loan,
        replacement=_expanded,
        telling=True,
        why="« d'application », « l'industrie »: the noun was translated, the article elided before it was not.",
        reference="MQM, Accuracy: Untranslated",
        mends={
            "A plan d'abolition and the fate of l'archer": "A plan of abolition and the fate of the archer",
        },
        keeps=(
            "The coup d'état failed.",
            "Hors d'oeuvres at the Musée d'Orsay",
            "The Cinque Terre, l'unità",
            "He read l'histoire.",
            "She lives in the rue de l'archer.",
        ),
    ),
)
