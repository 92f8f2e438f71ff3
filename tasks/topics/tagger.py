"""Tag a text with IPTC Media Topics, and say which phrases decided.

The phrases of the lexicon are found in one pass. A phrase counts by its weight, by how often it stands in the text
(less each time) and by where (title, lead, body). A small linear model bends what was found, the more the less that
was. Each top topic's share of the whole, a part of which is set aside for "none of these", is its score: an estimate
of the probability that the article is about it. A finer topic has the score of its top topic, less the doubt that its
own phrases leave.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from math import exp, log, sqrt
from types import MappingProxyType
from typing import Final

from tasks.documents import Topic, TopicEvidence
from tasks.topics.lexicon import ANY, Casing, Entry, default_entries
from tasks.topics.linear import LinearModel, default_model
from tasks.topics.matcher import Document, Hit, Matcher
from tasks.topics.taxonomy import Taxonomy, taxonomy

TAGGER_VERSION: Final = "lexicon-linear-1"

UNSPACED: Final = frozenset({"zh", "ja", "th", "lo", "km", "my"})
MACROLANGUAGES: Final = MappingProxyType({"no": "nb"})  # Norwegian, as language detectors call it
NAMES_FROM: Final = "en"  # languages without a lexicon know its names: NASA, Wimbledon

CLEAR: Final = 0.5  # a phrase below this weight is ambiguous …
ALONE: Final = 0.4  # … and counts this much without clearer company
SHARPNESS: Final = 1.6
UNKNOWN: Final = 0.8  # evidence for "none of these"
NOTHING: Final = 0.15  # what stands for a topic of which nothing was found
HALF_TRUST: Final = 1.5  # evidence at which the model, trained on short texts, has half a say
LEAST_TRUST: Final = 0.05  # below it the model is not asked
SURE: Final = 2.0  # evidence at which a finer topic is as good as two thirds sure

TOP_FLOOR: Final = 0.05
FINE_FLOOR: Final = 0.05
MOST_FINE: Final = 8
MOST_EVIDENCE: Final = 5


@dataclass(slots=True)
class Balance:
    """What speaks for a topic."""

    clear: float = 0.0
    ambiguous: float = 0.0
    phrases: list[tuple[float, Hit]] = field(default_factory=list)

    def add(self, amount: float, *, is_clear: bool, hit: Hit) -> None:
        """Count a phrase."""
        if is_clear:
            self.clear += amount
        else:
            self.ambiguous += amount
        self.phrases.append((amount, hit))

    @property
    def total(self) -> float:
        """Return the evidence; ambiguous phrases count in full only in company of clear ones."""
        return self.clear + self.ambiguous * (ALONE + (1 - ALONE) * min(1.0, self.clear))

    def evidence(self) -> tuple[TopicEvidence, ...]:
        """Return the phrases that decided, strongest first."""
        ranked = sorted(self.phrases, key=lambda phrase: (-phrase[0], phrase[1].start))
        return tuple(hit.evidence for _, hit in ranked[:MOST_EVIDENCE])


Balances = defaultdict[str, Balance]


@dataclass(slots=True)
class Findings:
    """What lexicon and model say of a document, by topic as matched and by top topic."""

    topics: Balances = field(default_factory=lambda: defaultdict(Balance))
    tops: Balances = field(default_factory=lambda: defaultdict(Balance))
    opinion: Mapping[str, float] = field(default_factory=dict)

    def evidence(self) -> dict[str, float]:
        """Return how much the lexicon found for each top topic."""
        return {top: balance.total for top, balance in self.tops.items()}


class Tagger:
    """Tags texts; `default_tagger()` makes the one with copydesk's own lexicon and model."""

    def __init__(self, entries: Iterable[Entry], medtops: Taxonomy, model: LinearModel | None = None) -> None:
        self._medtops = medtops
        self._top_of = {topic.id: medtops.top_of(topic.id) for topic in medtops}
        self._model = model
        self._entries: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            self._entries[entry.language].append(entry)
        self._matchers: dict[str, Matcher] = {}

    def tag(self, title: str, text: str, language: str) -> tuple[Topic, ...]:
        """Return the top topics of an article and up to eight finer ones with their ancestors, best first.

        A finer topic without evidence is there because it is the ancestor of one that has some; a top topic without
        evidence was seen by the model only.

        >>> topics = default_tagger().tag("Interest rates rise", "Inflation had reached 9%.", "en")
        >>> topics[0].label, topics[0].evidence[0].phrase
        ('economy, business and finance', 'Interest rates')
        """
        return self.tag_document(Document.of(title, text), language)

    def tag_document(self, document: Document, language: str) -> tuple[Topic, ...]:
        """Do what `tag` does, with a document that others read too."""
        findings = self.find(document, language)
        shares = shares_of(logits(self._medtops.tops, findings.evidence(), findings.opinion))
        scores = {top: share for top, share in shares.items() if share >= TOP_FLOOR}
        scores |= self._with_ancestors(self._fine_scores(findings.topics, scores))
        return tuple(self._topic(medtop, score, findings) for medtop, score in sorted(scores.items(), key=self._rank))

    def find(self, document: Document, language: str) -> Findings:
        """Return what lexicon and model say of an article, before it is weighed."""
        matcher = self._matcher(language)
        findings = Findings()
        for meaning, hit in matcher.hits(document).items():
            strength = hit.strength
            for weights, balances in ((meaning.topics, findings.topics), (meaning.tops, findings.tops)):
                for topic, weight in weights:
                    balances[topic].add(weight * strength, is_clear=weight >= CLEAR, hit=hit)
        if self._model is not None and trust(findings.evidence()) >= LEAST_TRUST:
            findings.opinion = self._model.opinion(document.folded, spaced=matcher.spaced)
        return findings

    def _matcher(self, language: str) -> Matcher:
        base = language.partition("-")[0].lower()
        base = MACROLANGUAGES.get(base, base)
        if base not in self._matchers:
            own = self._entries.get(base, [])
            names = self._names() if all(entry.is_label for entry in own) else ()
            entries = (*own, *names, *self._entries.get(ANY, ()))
            self._matchers[base] = Matcher(entries, self._top_of, spaced=base not in UNSPACED)
        return self._matchers[base]

    def _names(self) -> Iterable[Entry]:
        return (entry for entry in self._entries.get(NAMES_FROM, ()) if entry.casing is not Casing.ANY)

    def _fine_scores(self, topics: Mapping[str, Balance], shares: Mapping[str, float]) -> dict[str, float]:
        """Return the best topics below the tops: the top's share, less the doubt their own evidence leaves.

        They are chosen by the root of the share, so that the strongest top topic does not take all the places, and
        the finest first: what stands above one of them is implied.
        """
        scores, ranks = {}, {}
        for topic, balance in topics.items():
            share = shares.get(self._top_of[topic])
            if share is not None and topic not in shares:
                sure = 1 - exp(-balance.total / SURE)
                scores[topic], ranks[topic] = share * sure, sqrt(share) * sure
        implied = {step for topic, score in scores.items() if score >= FINE_FLOOR for step in self._above(topic)}
        finest = sorted(scores.keys() - implied, key=lambda topic: (-ranks[topic], topic))[:MOST_FINE]
        kept = {*finest, *(step for topic in finest for step in self._above(topic))}
        return {topic: score for topic, score in scores.items() if topic in kept and score >= FINE_FLOOR}

    def _above(self, topic: str) -> tuple[str, ...]:
        return self._medtops.lineage(topic)[1:-1]

    def _with_ancestors(self, scores: Mapping[str, float]) -> dict[str, float]:
        """Add the ancestors below the top topic; none has a lower score than what stands below it."""
        filled: dict[str, float] = {}
        for topic, score in scores.items():
            for step in self._medtops.lineage(topic)[:-1]:
                filled[step] = max(score, filled.get(step, 0.0))
        return filled

    def _topic(self, medtop: str, score: float, findings: Findings) -> Topic:
        balances = findings.tops if medtop in self._medtops.tops else findings.topics
        evidence = balances[medtop].evidence() if medtop in balances else ()
        return Topic(id=medtop, label=self._medtops[medtop].label(), score=round(score, 4), evidence=evidence)

    def _rank(self, scored: tuple[str, float]) -> tuple[float, bool, int, str]:
        """Order by score; of equals, top topics first, then the finest, since the others are implied."""
        medtop, score = scored
        level = self._medtops.level(medtop)
        return -round(score, 4), level > 1, -level, medtop


def trust(evidence: Mapping[str, float]) -> float:
    """Return how much the model's opinion counts: in full where the lexicon found nothing, less as it finds more."""
    return 1 / (1 + sum(evidence.values()) / HALF_TRUST)


def logits(tops: Iterable[str], evidence: Mapping[str, float], opinion: Mapping[str, float]) -> dict[str, float]:
    """Return the strength of each top topic: what the lexicon found, bent by the model's opinion."""
    say = trust(evidence)
    return {
        top: SHARPNESS * log(NOTHING + evidence.get(top, 0.0)) + say * opinion.get(top, 0.0)
        for top in tops
    }  # fmt: skip


def shares_of(strengths: Mapping[str, float]) -> dict[str, float]:
    """Return each top topic's share of the whole, a part of which stays with "none of these"."""
    powers = {top: exp(strength) for top, strength in strengths.items()}
    whole = UNKNOWN**SHARPNESS + sum(powers.values())
    return {top: power / whole for top, power in powers.items()}


@cache
def default_tagger() -> Tagger:
    """Return the tagger with copydesk's own lexicon and model, made on the first call."""
    return Tagger(default_entries(), taxonomy(), default_model())
