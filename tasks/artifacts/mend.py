"""Find machine-translation residue in a document, mend what is safe, account for every character."""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tasks.artifacts.cues import index_of
from tasks.artifacts.edits import Edit, apply, compose, origin, place, undo
from tasks.artifacts.habits import Habits
from tasks.artifacts.markers import is_page_evidence, notice_markers
from tasks.artifacts.rule import Finding, Mechanism, Rule, Safety
from tasks.artifacts.rulebook import RULEBOOK
from tasks.documents import Action, Artifact, KindCount, Marker, MtEvidence

__all__ = ["Mended", "Mode", "find", "mend", "undo"]

PASSES = 3
"""A mended place can show another one (`&amp;nbsp;`); a text that does not come to rest by then is left alone."""

SLIP_DISTANCE = 200
"""Words between slips. People write \"the the\" once in tens of thousands of words; residue stands close together."""

TELLING_DISTANCE = 300
"""Words between places of telling kinds: of what people hardly ever write, one is more to go by."""

_CODE = re.compile(r"(?s:```.*?```)|(?<![\w`])`[^`\n]+`(?![\w`])")

_ADDRESS = re.compile(
    r"(?i:https?://|www\.)[^\s<>\"“”]++|(?<![\w.+'’-])[\w.+'’-]++@[\w.'’-]+|(?<!\w)[@#](?=[^\W\d])[\w.]++"
)
"""Addresses of pages and letters, handles and hashtags: nobody writes sentences in them."""

_CHARACTERS = frozenset({Mechanism.PROVENANCE, Mechanism.ENCODING, Mechanism.MARKUP})
"""What has to be read right before the rest can be."""


class Mode(StrEnum):
    """How far mending goes: only what is always safe; what the document's evidence allows; all that can be mended.

    Even `all` leaves a lone slip in a long text, and a style that the text keeps to throughout: these are its writer's,
    and not ours to change.
    """

    STRICT = "strict"
    STANDARD = "standard"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """A document after mending: its fields, what was found in them, and what speaks for machine translation."""

    title: str
    summary: str | None
    text: str
    artifacts: tuple[Artifact, ...]
    evidence: MtEvidence


def mend(
    *,
    title: str,
    summary: str | None,
    text: str,
    language: str,
    markers: tuple[Marker, ...] = (),
    mode: Mode = Mode.STANDARD,
    rules: tuple[Rule, ...] = RULEBOOK,
) -> Mended:
    """Mend a document's title, summary and text, and report what only an editor can judge.

    >>> mended = mend(title="", summary=None, text="“It will hold” , did he declare.", language="en")
    >>> mended.text, [artifact.rule for artifact in mended.artifacts]
    ('“It will hold,” he declared.', ['inverted-reporting-clause'])
    """
    fields = {"title": title, "summary": summary or "", "text": text}
    first = _read(fields, _Terms(language, markers, mode, rules))
    last, edits = _settle(first)
    artifacts = [artifact for name in fields for artifact in _account(name, first, last, edits[name])]
    return Mended(
        title=last.fields["title"],
        summary=None if summary is None else last.fields["summary"],
        text=last.fields["text"],
        artifacts=tuple(artifacts),
        evidence=_evidence(first, markers),
    )


def find(text: str, language: str, mode: Mode = Mode.STANDARD, rules: tuple[Rule, ...] = RULEBOOK) -> list[Finding]:
    """Return what the rules see in a text as it stands, in order: what `mend` would mend or report.

    >>> [(finding.start, finding.end, finding.after) for finding in find("It rained , he said .", "en", Mode.ALL)]
    [(9, 10, ''), (19, 20, '')]
    """
    return _read({"text": text}, _Terms(language, (), mode, rules)).shown("text")


@dataclass(frozen=True, slots=True)
class _Terms:
    """What does not change from pass to pass."""

    language: str
    markers: tuple[Marker, ...]
    mode: Mode
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the rules see in a document as it stands, in the order of the book, and why the gate is open (or None)."""

    terms: _Terms
    habits: Habits
    fields: dict[str, str]
    findings: dict[str, list[Finding]]
    notices: tuple[Marker, ...]
    gate: str | None
    words_per_slip: float
    words_per_telling: float
    house_style: frozenset[Rule]

    def shown(self, name: str) -> list[Finding]:
        """Return what a user should see of a field's findings, sorted: no evidence, no slips of the writer's."""
        return [
            finding for finding in _apart(self.findings[name]) if finding.rule.listed and not self._is_slip(finding)
        ]

    def edits(self, name: str) -> list[Edit]:
        """Return the edits to make in a field; where two rules want one place, the earlier in the book has it.

        Characters come before words: while a field has letters to decode, nothing else is done in it.
        """
        mendable = [finding for finding in self.findings[name] if self._may_mend(finding)]
        characters = [finding for finding in mendable if finding.rule.mechanism in _CHARACTERS]
        return [
            Edit(finding.start, finding.end, finding.after, finding.rule.id)
            for finding in _apart(characters or mendable)
            if finding.after is not None
        ]

    def _may_mend(self, finding: Finding) -> bool:
        if finding.after is None or finding.rule.safety is Safety.DETECT:
            return False
        if finding.rule.safety is Safety.ALWAYS:
            return True
        return self.gate is not None and not (self.gate == "opened" and self._is_the_writers(finding))

    def _is_the_writers(self, finding: Finding) -> bool:
        """Say whether the text alone, without evidence, gives no reason to take the place for residue."""
        rule = finding.rule
        is_lone = rule.telling and self.words_per_telling > TELLING_DISTANCE
        return is_lone or self._is_slip(finding) or rule in self.house_style

    def _is_slip(self, finding: Finding) -> bool:
        """Say whether people get this wrong as well, and this text so seldom that it is its writer's slip."""
        is_mendable = finding.after is not None and finding.rule.safety is Safety.GATED
        return is_mendable and not finding.rule.telling and self.words_per_slip > SLIP_DISTANCE


def _read(fields: dict[str, str], terms: _Terms, gate: str | None = None) -> _Reading:
    """Run the rules over a document; a gate that is open already stays open."""
    habits = Habits("\n".join(fields.values()))
    index = index_of(terms.rules, terms.language)
    findings = {
        name: _outside_code(
            text,
            _outside_addresses(
                text,
                [found for rule, anchors in index.candidates(text) for found in rule.look(text, habits, anchors)],
            ),
        )
        if text
        else []
        for name, text in fields.items()
    }
    notices = notice_markers(fields["text"])
    gate = gate or _gate(findings.values(), (*terms.markers, *notices), terms.mode)
    seen = {found.rule for field in findings.values() for found in field}
    told = [found.rule.telling for field in findings.values() for found in field if found.after is not None]
    words = sum(text.count(" ") for text in fields.values())
    return _Reading(
        terms=terms,
        habits=habits,
        fields=fields,
        findings=findings,
        notices=notices,
        gate=gate,
        words_per_slip=words / max(told.count(False), 1),
        words_per_telling=words / max(told.count(True), 1),
        house_style=frozenset(rule for rule in seen if rule.house is not None and rule.house(habits)),
    )


def _outside_code(text: str, findings: list[Finding]) -> list[Finding]:
    """Return the findings that touch no code: what stands between backticks is quoted to the letter."""
    if not findings or "`" not in text:
        return findings
    spans = [code.span() for code in _CODE.finditer(text)]
    ends = [end for _, end in spans]

    def touches_code(finding: Finding) -> bool:
        at = bisect_right(ends, finding.start)
        return at < len(spans) and spans[at][0] < finding.end

    return [finding for finding in findings if not touches_code(finding)]


def _outside_addresses(text: str, findings: list[Finding]) -> list[Finding]:
    """Return the findings that lie in no address; characters that are read wrong are so there as well."""
    if not findings or not any(sign in text for sign in ("://", "www.", "@", "#")):
        return findings
    spans = [address.span() for address in _ADDRESS.finditer(text)]
    starts = [start for start, _ in spans]

    def lies_in_address(finding: Finding) -> bool:
        at = bisect_right(starts, finding.start) - 1
        return at >= 0 and finding.start > starts[at] and finding.end < spans[at][1]

    return [each for each in findings if each.rule.mechanism in _CHARACTERS or not lies_in_address(each)]


def _gate(findings: Iterable[list[Finding]], markers: Iterable[Marker], mode: Mode) -> str | None:
    """Return why rules that need evidence of machine translation may act, or None."""
    if mode is Mode.STRICT:
        return None
    if mode is Mode.ALL:
        return "opened"
    if any(map(is_page_evidence, markers)):
        return "page-marker"
    kinds = {finding.rule.id for field in findings for finding in _apart(field) if finding.rule.telling}
    return "two-kinds" if len(kinds) >= 2 else None


def _settle(first: _Reading) -> tuple[_Reading, dict[str, list[Edit]]]:
    """Mend until nothing is left to mend; a text that does not come to rest is given back as it was.

    Because the last reading finds nothing to mend, mending its outcome once more changes nothing.
    """
    reading = first
    edits: dict[str, list[Edit]] = {name: [] for name in first.fields}
    for _ in range(PASSES + 1):
        step = {name: reading.edits(name) for name in reading.fields}
        if not any(step.values()):
            return reading, edits
        edits = {name: compose(reading.fields[name], edits[name], step[name]) for name in edits}
        fields = {name: apply(text, step[name]) for name, text in reading.fields.items()}
        reading = _read(fields, first.terms, first.gate)
    return first, {name: [] for name in first.fields}


def _apart(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that do not overlap one that came before, sorted by place."""
    kept: list[Finding] = []
    for finding in findings:
        at = bisect_left(kept, finding.start, key=lambda other: other.start)
        before, after = kept[at - 1] if at else None, kept[at] if at < len(kept) else None
        if before and before.end > finding.start:
            continue
        if after and (after.start < finding.end or after.start == finding.start):
            continue
        kept.insert(at, finding)
    return kept


def _account(name: str, first: _Reading, last: _Reading, edits: Sequence[Edit]) -> Iterator[Artifact]:
    """Yield what was mended in a field, then what was only reported."""
    rules = {rule.id: rule for rule in first.terms.rules} if edits else {}
    placed = place(edits)
    for each in placed:
        rule, before = rules[each.edit.rule], first.fields[name][each.edit.start : each.edit.end]
        if before != each.edit.after:
            yield _artifact(name, rule, each.edit.start, before, each.start, each.edit.after)
    for finding in last.shown(name):
        start, end = origin(placed, finding.start, finding.end)
        yield _artifact(name, finding.rule, start, first.fields[name][start:end], finding.start, None)


def _artifact(name: str, rule: Rule, start: int, before: str, start_in_text: int, after: str | None) -> Artifact:
    return Artifact(
        field=name,
        rule=rule.id,
        category=rule.category,
        action=Action.REPORTED if after is None else Action.MENDED,
        start=start,
        before=before,
        start_in_text=start_in_text,
        after=after,
        confidence=rule.confidence,
    )


def _evidence(first: _Reading, markers: tuple[Marker, ...]) -> MtEvidence:
    """Sum up what speaks for machine translation: kinds of residue, marks on the page, the source language."""
    seen = (*markers, *first.notices)
    kinds = Counter(finding.rule.id for findings in first.findings.values() for finding in findings)
    kinds.update(f"page:{marker.seen_in}" for marker in seen)
    strongest = next(iter(sorted(seen, key=is_page_evidence, reverse=True)), None)
    return MtEvidence(
        kinds=tuple(KindCount(kind=kind, count=count) for kind, count in sorted(kinds.items())),
        service=strongest.service if strongest else None,
        source_language=(strongest.source_language if strongest else None) or _source_language(first),
        seen_in=strongest.seen_in if strongest else None,
        gate=first.gate,
    )


def _source_language(reading: _Reading) -> str | None:
    """Guess the source language: the one that most kinds of residue point to, where at least two do."""
    rules = {finding.rule for findings in reading.findings.values() for finding in findings if finding.rule.telling}
    votes = Counter(source for rule in rules for source in rule.sources)
    leaders = [source for source, count in votes.items() if count == max(votes.values())]
    return leaders[0] if len(leaders) == 1 and votes[leaders[0]] >= 2 else None
