"""How much of a text is about each top topic, by what the lexicon found in it and what the model thinks of it.

An article is judged by the lexicon, bent by the model where little was found. A brief is judged by the model, which
learned from thousands of them: a sentence or two without a title hold few phrases, and those often mislead.
"""

from collections.abc import Iterable, Mapping
from math import exp, log
from typing import Final

from tasks.topics.linear import HOME

SHARPNESS: Final = 1.6
UNKNOWN: Final = 0.8  # evidence for "none of these" …
UNKNOWN_ALONE: Final = 0.25  # … and where the model has to do without a lexicon, and finds little in everything
NOTHING: Final = 0.15  # what stands for a topic of which nothing was found
HALF_TRUST: Final = 1.5  # evidence at which the model, trained on short texts, has half a say

BRIEF_SHARPNESS: Final = 0.5
# A topic that the model was never taught needs more than a word in a brief, and can then win against the model.
UNTAUGHT_SHARPNESS: Final = 2.8
UNTAUGHT_NOTHING: Final = 0.5
UNTAUGHT_BELIEF: Final = 0.5  # of the model's opinion of them: its texts, which held none, made it think too little
# What a brief's strengths are multiplied with, so that texts kept out of training get the scores they deserve: weights
# that are held small make a model too shy, and the more so where it had few texts.
FIRMNESS: Final = 1.2
FIRMNESS_ABROAD: Final = 1.7


def trust(evidence: Mapping[str, float]) -> float:
    """Return how much the model's opinion counts: in full where the lexicon found nothing, less as it finds more."""
    return 1 / (1 + sum(evidence.values()) / HALF_TRUST)


def article_strengths(
    tops: Iterable[str], evidence: Mapping[str, float], opinion: Mapping[str, float]
) -> dict[str, float]:
    """Return the strength of each top topic, in logits: what the lexicon found, bent by the model's opinion."""
    say = trust(evidence)
    return {
        top: SHARPNESS * log(NOTHING + evidence.get(top, 0.0)) + say * opinion.get(top, 0.0)
        for top in tops
    }  # fmt: skip


def brief_strengths(
    tops: Iterable[str], evidence: Mapping[str, float], opinion: Mapping[str, float], others: float
) -> dict[str, float]:
    """Return the strength of each top topic, in logits: the model's opinion, bent by what the lexicon found.

    The model was taught the topics that it has an opinion of; of all `others` it has one together.
    """
    untaught = UNTAUGHT_BELIEF * others
    return {
        top: BRIEF_SHARPNESS * log(NOTHING + evidence.get(top, 0.0)) + opinion[top]
        if top in opinion
        else UNTAUGHT_SHARPNESS * log(UNTAUGHT_NOTHING + evidence.get(top, 0.0)) + untaught
        for top in tops
    }


def firm(strengths: Mapping[str, float], language: str) -> dict[str, float]:
    """Make up for the shyness of the model on briefs."""
    firmness = FIRMNESS if language == HOME else FIRMNESS_ABROAD
    return {top: firmness * strength for top, strength in strengths.items()}


def shares_of(strengths: Mapping[str, float], unknown: float) -> dict[str, float]:
    """Return each top topic's share of the whole, a part of which stays with "none of these"."""
    powers = {top: exp(strength) for top, strength in strengths.items()}
    whole = unknown**SHARPNESS + sum(powers.values())
    return {top: power / whole for top, power in powers.items()}
