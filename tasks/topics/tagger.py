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
from math import exp, sqrt
from types import MappingProxyType
from typing import Final

from tasks.documents import Topic
from tasks.topics.lexicon import ANY, Casing, Entry, default_entries
from tasks.topics.linear import HOME, OTHERS, LinearModel, default_model
from tasks.topics.matcher import Document, Hit, Matcher, Weights
from tasks.topics.shares import (
    UNKNOWN,
    UNKNOWN_ALONE,
    article_strengths,
    brief_strengths,
    firm,
    shares_of,
    trust,
)
from tasks.topics.taxonomy import Taxonomy, taxonomy

TAGGER_VERSION: Final = "lexicon-linear-3"

UNSPACED: Final = frozenset({"zh", "ja", "th", "lo", "km", "my"})
MACROLANGUAGES: Final = MappingProxyType({"no": "nb"})  # Norwegian, as language detectors call it
NAMES_FROM: Final = "en"  # languages without a lexicon know its names: NASA, Wimbledon …
SHORTEST_CODE: Final = 2  # … but no names as short as this: AI

CLEAR: Final = 0.5  # a phrase below this weight is ambiguous …
ALONE: Final = 0.4  # … and counts this much without clearer company
LONGEST_BRIEF: Final = 600  # characters; a text without a title, in a language that the model knows, is a brief
LEAST_TRUST: Final = 0.08  # below it the model is not asked
LEAST_BELIEF: Final = 0.5  # of a finer topic the model speaks only when it is more likely than not
SURE: Final = 2.0  # evidence at which a finer topic is as good as two thirds sure

TOP_FLOOR: Final = 0.05
FINE_FLOOR: Final = 0.05
MOST_FINE: Final = 8
MOST_EVIDENCE: Final = 5
MOST_REASONS: Final = 3  # words of the model


@dataclass(slots=True)
class Balance:
    """What speaks for a topic."""

    clear: float = 0.0
    ambiguous: float = 0.0
    phrases: list[tuple[float, int, int]] = field(default_factory=list)  # -amount, start, end

    @property
    def total(self) -> float:
        """Return the evidence; ambiguous phrases count in full only in company of clear ones."""
        return self.clear + self.ambiguous * (ALONE + (1 - ALONE) * min(1.0, self.clear))

    def strongest(self) -> list[tuple[int, int]]:
        """Return where the phrases that decided stand first, strongest first."""
        return [(start, end) for _, start, end in sorted(self.phrases)[:MOST_EVIDENCE]]


Balances = defaultdict[str, Balance]


@dataclass(slots=True)
class Findings:
    """What lexicon and model say of a document, by topic as matched and by top topic."""

    document: Document
    matcher: Matcher
    topics: Balances = field(default_factory=lambda: defaultdict(Balance))
    tops: Balances = field(default_factory=lambda: defaultdict(Balance))
    opinion: Mapping[str, float] = field(default_factory=dict)
    others: float | None = None  # the model's opinion of what it was never taught, where a brief is judged by it

    def evidence(self) -> dict[str, float]:
        """Return how much the lexicon found for each top topic."""
        return {top: balance.total for top, balance in self.tops.items()}

    def shares(self, tops: Iterable[str], language: str) -> dict[str, float]:
        """Return how much of the document is about each top topic."""
        if self.others is None:
            strengths = article_strengths(tops, self.evidence(), self.opinion)
        else:
            strengths = firm(brief_strengths(tops, self.evidence(), self.opinion, self.others), language)
        return shares_of(strengths, UNKNOWN if self.matcher.has_words else UNKNOWN_ALONE)

    def doubt(self, topic: str) -> float:
        """Return how much doubt the lexicon's phrases and the model leave of a finer topic, 0 to 1."""
        doubt = exp(-self.topics[topic].total / SURE) if topic in self.topics else 1.0
        belief = 1 / (1 + exp(-self.opinion[topic])) if topic in self.opinion else 0.0
        return doubt * (1 - belief) if belief >= LEAST_BELIEF else doubt


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a topic stands in the tree: its top topic, what lies between, the topic first, and its level, from 1."""

    label: str
    top: str
    below_top: tuple[str, ...]
    level: int

    @classmethod
    def of(cls, medtop: str, medtops: Taxonomy) -> "Standing":
        """Look a topic up."""
        *below_top, top = medtops.lineage(medtop)
        return cls(medtops[medtop].label(), top, tuple(below_top), len(below_top) + 1)


class Tagger:
    """Tags texts; `default_tagger()` makes the one with copydesk's own lexicon and model."""

    def __init__(self, entries: Iterable[Entry], medtops: Taxonomy, model: LinearModel | None = None) -> None:
        self._tops = medtops.tops
        self._standing = {topic.id: Standing.of(topic.id, medtops) for topic in medtops}
        self._model = model
        self._entries: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            self._entries[entry.language].append(entry)
        self._matchers: dict[str, Matcher] = {}

    def tag(self, title: str, text: str, language: str) -> tuple[Topic, ...]:
        """Return the top topics of an article and up to eight finer ones with their ancestors, best first.

        Where no phrase of the lexicon speaks for a topic, the evidence is the words that told the model. A finer topic
        without evidence is there because it is the ancestor of one that has some.

        >>> topics = default_tagger().tag("Interest rates rise", "Inflation had reached 9%.", "en")
        >>> topics[0].label, topics[0].evidence[0].phrase
        ('economy, business and finance', 'Interest rates')
        """
        return self.tag_document(Document.of(title, text), language)

    def tag_document(self, document: Document, language: str) -> tuple[Topic, ...]:
        """Do what `tag` does, with a document that others read too."""
        findings = self.find(document, language)
        shares = findings.shares(self._tops, _base(language))
        tops = {top: share for top, share in shares.items() if share >= TOP_FLOOR}
        scores = tops | self._with_ancestors(self._fine_scores(findings, tops))
        reasons = self._reasons(findings, scores)
        placed = {span: document.place(*span) for spans in reasons.values() for span in spans}
        return tuple(
            Topic(
                id=medtop,
                label=self._standing[medtop].label,
                score=score,
                evidence=tuple([placed[span] for span in reasons.get(medtop, ())]),
            )
            for medtop, score in self._ranked(scores)
        )

    def find(self, document: Document, language: str) -> Findings:
        """Return what lexicon and model say of an article, before it is weighed."""
        matcher = self._matcher(language)
        findings = Findings(document, matcher)
        for meaning, hit in matcher.hits(document).items():
            strength = hit.strength
            _weigh(hit, strength, meaning.topics, findings.topics)
            _weigh(hit, strength, meaning.tops, findings.tops)
        if self._model is not None:
            self._ask(self._model, findings, _base(language))
        return findings

    def _ask(self, model: LinearModel, findings: Findings, language: str) -> None:
        """Add what the model thinks, where it counts; finer topics it knows at home only, and pairs of words."""
        document, at_home = findings.document, language == HOME
        brief = language in model.languages and not document.title_length and len(document.folded) <= LONGEST_BRIEF
        if not brief and trust(findings.evidence()) < LEAST_TRUST:
            return
        opinion = model.opinion(document.folded, spaced=findings.matcher.spaced, pairs=brief and at_home)
        if brief:
            findings.others = opinion.get(OTHERS)
        known = opinion.keys() - {OTHERS} if at_home else opinion.keys() & set(self._tops)
        findings.opinion = {medtop: opinion[medtop] for medtop in known}

    def _matcher(self, language: str) -> Matcher:
        base = MACROLANGUAGES.get(_base(language), _base(language))
        if base not in self._matchers:
            own = self._entries.get(base, [])
            names = self._names() if all(entry.is_label for entry in own) else ()
            entries = (*own, *names, *self._entries.get(ANY, ()))
            top_of = {medtop: standing.top for medtop, standing in self._standing.items()}
            self._matchers[base] = Matcher(entries, top_of, spaced=base not in UNSPACED)
        return self._matchers[base]

    def _names(self) -> Iterable[Entry]:
        """Return the names that are known everywhere; two capitals are a word of their own in too many languages."""
        english = self._entries.get(NAMES_FROM, ())
        return (entry for entry in english if entry.casing is not Casing.ANY and len(entry.phrase) > SHORTEST_CODE)

    def _fine_scores(self, findings: Findings, shares: Mapping[str, float]) -> dict[str, float]:
        """Return the best topics below the tops: the top's share, less the doubt their own evidence leaves.

        The best of each top topic has a place; the others are chosen by the root of the share, so that the strongest
        top topic does not take all places. The finest come first: what stands above one of them is implied.
        """
        scores, ranks = {}, {}
        for topic in findings.topics.keys() | findings.opinion.keys():
            standing = self._standing[topic]
            share = shares.get(standing.top)
            if share is not None and standing.below_top:
                sure = 1 - findings.doubt(topic)
                if share * sure >= FINE_FLOOR:
                    scores[topic], ranks[topic] = share * sure, sqrt(share) * sure
        implied = {step for topic in scores for step in self._standing[topic].below_top[1:]}
        finest = sorted(scores.keys() - implied, key=lambda topic: (-ranks[topic], topic))
        best = {self._standing[topic].top: topic for topic in reversed(finest)}.values()
        chosen = [*best, *(topic for topic in finest if topic not in best)][:MOST_FINE]
        kept = {step for topic in chosen for step in self._standing[topic].below_top}
        return {topic: score for topic, score in scores.items() if topic in kept}

    def _with_ancestors(self, scores: Mapping[str, float]) -> dict[str, float]:
        """Add the ancestors below the top topic; none has a lower score than what stands below it."""
        filled: dict[str, float] = {}
        for topic, score in scores.items():
            for step in self._standing[topic].below_top:
                if score > filled.get(step, 0.0):
                    filled[step] = score
        return filled

    def _reasons(self, findings: Findings, scores: Iterable[str]) -> dict[str, list[tuple[int, int]]]:
        """Return the places of the lexicon's phrases, or where it has none for a topic, of what told the model."""
        reasons, untold = {}, []
        for medtop in scores:
            balances = findings.topics if self._standing[medtop].below_top else findings.tops
            if medtop in balances:
                reasons[medtop] = balances[medtop].strongest()
            elif findings.opinion.get(medtop, 0.0) > 0:
                untold.append(medtop)
        if untold and self._model is not None:
            folded = findings.document.folded
            reasons |= self._model.reasons(folded, untold, spaced=findings.matcher.spaced, most=MOST_REASONS)
        return reasons

    def _ranked(self, scores: Mapping[str, float]) -> list[tuple[str, float]]:
        """Order by score; of equals, top topics first, then the finest, since the others are implied."""
        ranked = []
        for medtop, score in scores.items():
            level, rounded = self._standing[medtop].level, round(score, 4)
            ranked.append((-rounded, level > 1, -level, medtop))
        return [(medtop, -minus_score) for minus_score, _, _, medtop in sorted(ranked)]


def _base(language: str) -> str:
    return language.partition("-")[0].lower()


def _weigh(hit: Hit, strength: float, weights: Weights, balances: Balances) -> None:
    """Put a phrase on the balance of each topic it speaks for."""
    start, end = hit.start, hit.end
    for topic, weight in weights:
        balance = balances[topic]
        amount = weight * strength
        if weight >= CLEAR:
            balance.clear += amount
        else:
            balance.ambiguous += amount
        balance.phrases.append((-amount, start, end))


@cache
def default_tagger() -> Tagger:
    """Return the tagger with copydesk's own lexicon and model, made on the first call."""
    return Tagger(default_entries(), taxonomy(), default_model())
