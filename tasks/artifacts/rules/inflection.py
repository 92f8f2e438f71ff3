"""Forms the engine got wrong: a gerund for an infinitive, a past after `did`, two determiners, counted mass nouns."""

import re

from tasks.artifacts.habits import Habits
from tasks.artifacts.rule import Category, Mechanism, Rule, Safety
from tasks.artifacts.surroundings import before, word_before
from tasks.artifacts.verbs import base_of_gerund, base_of_past
from tasks.artifacts.words import listed

_ENGLISH = frozenset({"en"})
_MODALS = "can|will|could|would|should|must|may|might|cannot|can't|won't|couldn't|wouldn't|shouldn't"
_CONTAINERS = "ash|beer|coke|garbage|gas|jerry|milk|oil|paint|petrol|rubbish|soda|soup|spray|tin|trash|watering"
_BEFORE_A_NOUN = frozenset(
    {
        *("the", "a", "an", "his", "her", "their", "its", "my", "our", "your", "this", "of", "no"),
        *("divine", "free", "good", "iron", "last", "living", "own", "political", "popular", "public", "strong"),
        *_CONTAINERS.split("|"),
    }
)
"""Words after which `will` is a wish or a testament, and `can` a container."""

_BEFORE_A_SUBJECT = frozenset({"what", "how", "why", "when", "where", "nor", "neither", "so", "only"})
"""Words after which the modal stands before its subject, which may be a gerund: what can taking it do?"""

_OTHER_VERBS = frozenset({"found", "saw", "fell", "wound", "ground", "bound"})
"""Pasts that are verbs of their own as well: it did not found a school."""

_PRONOUNS = "we|he|she|they|it|you|I"
_ADVERBS = "truly|really|also|not|never|finally|fully|now|only|always|still|even|then|thus|soon|better|ever|often"
_ARTICLES = ("the", "a", "an")
_DETERMINERS = ("his", "their", "its", "our", "my", "your", "the", "an", "this", "these", "those")
_COMPARATIVES = "|".join(sorted(listed("comparatives")))
_COUNTRIES = "|".join(sorted(listed("countries")))
_MASS_ADJECTIVES = (
    "high-quality|high quality|sustained|sustainable|economic|rapid|industrial|social|technological|scientific"
)
_UNCOUNTABLE = "|".join(sorted(listed("uncountable_plurals")))


def _infinitive(match: re.Match[str], _: Habits) -> str | None:
    """Return the bare infinitive where a pronoun or an adverb before it shows that a verb must follow."""
    if not (match["pronoun"] or match["adverb"]):
        return None
    return f"{match['head']} {base_of_gerund(match['form'])}"


def _after_did(match: re.Match[str], _: Habits) -> str:
    return f"{match['head']} {base_of_past(match['form'])}"


def _is_right(match: re.Match[str], _: Habits) -> bool:
    """Say whether the modal is a noun here (`the will`, `a can`), or asks about a gerund that is its subject."""
    word = word_before(match).lower()
    asks = word in _BEFORE_A_SUBJECT and not (match["pronoun"] or match["adverb"])
    return asks or word in _BEFORE_A_NOUN or word.endswith(("'s", "’s")) or match["form"] == "coming"


RULES = (
    Rule(
        id="gerund-after-modal",
        category=Category.GRAMMAR,
        mechanism=Mechanism.INFLECTION,
        safety=Safety.GATED,
        languages=_ENGLISH,
        sources=frozenset({"fr", "zh"}),
        pattern=re.compile(
            rf"(?P<head>(?:{_MODALS})(?P<pronoun> (?:{_PRONOUNS}))?(?P<adverb> (?:{_ADVERBS}))?)"
            r" (?P<form>[a-z]{2,}ing)\b"
        ),
        cues=tuple(f"{modal} " for modal in _MODALS.split("|")),
        anchored=True,
        unless=lambda match, habits: (
            before(match, 1).isalnum() or base_of_gerund(match["form"]) is None or _is_right(match, habits)
        ),
        replacement=_infinitive,
        telling=True,
        why=(
            "After a modal verb stands the infinitive. Mended where a pronoun or an adverb between them "
            "leaves no doubt."
        ),
        reference="MQM, Linguistic conventions: Grammar",
        mends={"Only then can we truly building a wall.": "Only then can we truly build a wall."},
        finds=("The council will building a wall.",),
        keeps=(
            "Only then can we truly build a wall.",
            "The will building up in the team is strong.",
            "They can sing in the evening.",
            "It will bring rain.",
            "What can taking a walk every day do, and how could building walls help?",
            "A trash can lying in the road, and his last will naming her",
        ),
    ),
    Rule(
        id="past-after-did",
        category=Category.GRAMMAR,
        mechanism=Mechanism.INFLECTION,
        safety=Safety.GATED,
        languages=_ENGLISH,
        pattern=re.compile(r"\b(?P<head>[Dd]id(?: not|n['’]t)) (?P<form>[a-z]{3,})\b"),
        cues=("did not ", "didn't ", "didn’t ", "Did not ", "Didn't ", "Didn’t "),
        anchored=True,
        unless=lambda match, _: base_of_past(match["form"]) is None or match["form"] in _OTHER_VERBS,
        replacement=_after_did,
        telling=True,
        why="The past was marked twice, on the auxiliary and on the verb.",
        reference="MQM, Linguistic conventions: Grammar",
        mends={"The council did not announced a plan.": "The council did not announce a plan."},
        keeps=(
            "The council did not announce a plan.",
            "What it did not put in writing",
            "She did not found a school, nor did he saw wood.",
        ),
    ),
    Rule(
        id="doubled-determiner",
        category=Category.GRAMMAR,
        mechanism=Mechanism.INFLECTION,
        safety=Safety.DETECT,
        languages=_ENGLISH,
        sources=frozenset({"it", "pt", "fr", "es"}),
        pattern=re.compile(rf"\b({'|'.join(_ARTICLES)}) (?!\1 )(?:{'|'.join(_DETERMINERS)}) (?=[a-z]{{3,}})"),
        cues=tuple(f"{article} {second} " for article in _ARTICLES for second in _DETERMINERS),
        anchored=True,
        listed=False,
        why="Italian and Portuguese put an article before a possessive; of the two, one must go.",
        reference="MQM, Linguistic conventions: Grammar",
        finds=("He sold the his house.",),
        keeps=("He sold his house.", "She called the an-hour-long talk short.", "He went to the the wall."),
    ),
    Rule(
        id="article-before-country",
        category=Category.GRAMMAR,
        mechanism=Mechanism.INFLECTION,
        safety=Safety.DETECT,
        unless=lambda match, _: word_before(match) not in {"in", "of", "from", "to", "with", "by", "for", "between"},
        languages=_ENGLISH,
        sources=frozenset({"fr", "es", "it", "pt", "ar"}),
        pattern=re.compile(rf"the (?:{_COUNTRIES})(?=[.,;:]|$| (?:and|is|has|will|was) )"),
        cues=tuple(f" the {country}" for country in sorted(listed("countries"))),
        telling=True,
        why="Countries take an article in Romance languages and Arabic, most of them none in English.",
        reference="MQM, Linguistic conventions: Grammar",
        finds=("Trade with the France, and with others, grew.",),
        keeps=("Trade with France grew.", "In the China trade, and others", "She flew to the Georgia coast."),
    ),
    Rule(
        id="counted-mass-noun",
        category=Category.GRAMMAR,
        mechanism=Mechanism.INFLECTION,
        safety=Safety.DETECT,
        confidence=0.7,
        languages=_ENGLISH,
        sources=frozenset({"fr", "es", "it", "pt", "zh"}),
        pattern=re.compile(rf"\b(?:{_UNCOUNTABLE})\b"),
        cues=tuple(sorted(listed("uncountable_plurals"))),
        why="The noun has a plural in the source's language and none in English.",
        reference="MQM, Linguistic conventions: Grammar",
        finds=("The police gathered informations on him.",),
        keeps=("The police gathered information on him.", "It informs the public."),
    ),
    Rule(
        id="doubled-comparative",
        category=Category.GRAMMAR,
        mechanism=Mechanism.INFLECTION,
        safety=Safety.GATED,
        languages=_ENGLISH,
        pattern=re.compile(rf"\bmore (?=(?:{_COMPARATIVES})\b(?! (?:and|people|[a-z]+s\b)))"),
        cues=tuple(f"more {comparative}" for comparative in sorted(listed("comparatives"))),
        replacement="",
        telling=False,
        why="Many languages compare with a word, English here with an ending; the engine did both.",
        reference="MQM, Linguistic conventions: Grammar",
        mends={"The wall is more higher than before.": "The wall is higher than before."},
        keeps=("The wall is higher than before.", "We need more younger people.", "It has more lower bits."),
    ),
    Rule(
        id="article-before-mass-noun",
        category=Category.GRAMMAR,
        mechanism=Mechanism.INFLECTION,
        safety=Safety.DETECT,
        languages=_ENGLISH,
        sources=frozenset({"fr"}),
        pattern=re.compile(
            rf" a (?:{_MASS_ADJECTIVES}) "
            r"(?:development|progress|growth|research|information|equipment)(?=[.,;])"
        ),
        cues=tuple(f" a {adjective}" for adjective in _MASS_ADJECTIVES.split("|")),
        anchored=True,
        listed=False,
        why="« un développement de qualité »: the article of the source, before a noun that takes none here.",
        reference="MQM, Linguistic conventions: Grammar",
        finds=("It is the pivot of a sustainable development.",),
        keeps=("It is a sustainable development plan.", "It is the pivot of sustainable development."),
    ),
)
