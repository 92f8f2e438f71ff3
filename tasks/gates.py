"""Quality gates: whether a run brought what one may expect, and which rules act far more often than they did.

A gate that breaks takes nothing back: what the run brought is stored, and someone should look at it.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median
from typing import Final

from tasks.documents import Outcome

LOOKED_BACK: Final = timedelta(days=8)  # the last day, and the seven before it
ENOUGH_DAYS: Final = 3  # on which a source was asked, before anything is called usual
FEWEST_A_DAY: Final = 10  # new articles; of fewer, none at all on a day may be chance
FEWEST_INPUTS: Final = 20
FEWEST_NEW: Final = 10
TIMES: Final = 10  # as often as before: a surge
FEWEST_PLACES: Final = 20
FEWEST_BEFORE: Final = 50  # articles of a source, before a rule's rate in it is known

_JITTER: Final = timedelta(hours=1)  # a daily run may start a little early, and is still of another day
_LOOKED_AT: Final = (Outcome.NEW, Outcome.UPDATED, Outcome.UNCHANGED, Outcome.REJECTED)
_WRITTEN: Final = (Outcome.NEW, Outcome.UPDATED)


class GateStatus(StrEnum):
    """How a quality gate stands after the run."""

    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A quality gate: what was measured against which limit, in a sentence."""

    name: str
    status: GateStatus
    detail: str = ""


class OnBreak(StrEnum):
    """What a broken gate does to the run: it is told of, or the run fails."""

    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How far from the usual a run may be, as shares: 0 for `volume`, or 1 for the others, asks nothing.

    `volume` is the least share of a usual day's new articles, `rejections` the largest share of inputs that are set
    aside, `undated` the largest share of new articles that have no date but that of their fetch.
    """

    volume: float = 0.2
    rejections: float = 0.5
    undated: float = 0.5
    on_break: OnBreak = OnBreak.WARN


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """The limits of a run's sources. A source that has its own is judged alone, all others are judged together."""

    limits: Limits = field(default_factory=Limits)
    of_source: Mapping[str, Limits] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a run brought, by source: inputs by outcome, mended places by rule, new articles without a date."""

    started_at: datetime
    outcomes: Mapping[str, Mapping[str, int]]
    corrections: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    undated: Mapping[str, int] = field(default_factory=dict)

    def count(self, outcomes: Iterable[Outcome], sources: Iterable[str]) -> int:
        """Return how many inputs of these sources had one of these outcomes."""
        of_sources = [self.outcomes.get(source, {}) for source in sources]
        return sum(counts.get(outcome, 0) for outcome in outcomes for counts in of_sources)


def judge(gates: Gates, run: Figures, past: Sequence[Figures]) -> tuple[Gate, ...]:
    """Hold a run against its gates. A gate that cannot be judged, as there is too little to go by, is left out."""
    found = []
    for suffix, limits, sources in _groups(gates, run.outcomes):
        verdicts = {
            "volume": _volume(limits.volume, run, past, sources),
            "rejections": _rejections(limits.rejections, run, sources),
            "undated": _undated(limits.undated, run, sources),
        }
        broken = GateStatus.FAILED if limits.on_break is OnBreak.FAIL else GateStatus.WARNED
        for name, verdict in verdicts.items():
            if verdict is not None:
                status = GateStatus.PASSED if verdict.holds else broken
                found.append(Gate(name=name + suffix, status=status, detail=verdict.detail))
    return tuple(found)


def _groups(gates: Gates, sources: Iterable[str]) -> Iterator[tuple[str, Limits, tuple[str, ...]]]:
    """Yield the sources that are judged together, with what sets their gates' names apart."""
    alone = [source for source in sources if source in gates.of_source]
    if together := tuple(source for source in sources if source not in gates.of_source):
        yield "", gates.limits, together
    for source in alone:
        yield f" of {source}", gates.of_source[source], (source,)


@dataclass(frozen=True, slots=True)
class _Verdict:
    holds: bool
    detail: str


def _volume(share: float, run: Figures, past: Sequence[Figures], sources: Collection[str]) -> _Verdict | None:
    """Hold the new articles of the last day against those of a usual one.

    Usual is the median of the seven days before, of those on which these sources were asked: a first run, which brings
    all that a source has, does not move it as it would move a mean.
    """
    days: Counter[int] = Counter({0: run.count([Outcome.NEW], sources)})
    for before in past:
        if not before.outcomes.keys().isdisjoint(sources):
            days[(run.started_at - before.started_at + _JITTER).days] += before.count([Outcome.NEW], sources)
    earlier = [count for age, count in days.items() if 1 <= age <= LOOKED_BACK.days - 1]
    usual = median(earlier) if len(earlier) >= ENOUGH_DAYS else 0
    if share <= 0 or usual < FEWEST_A_DAY:
        return None
    told = f"{_articles(days[0])} in the last day, where {usual:,.0f} are usual"
    if days[0] >= share * usual:
        return _Verdict(True, f"{told}.")
    return _Verdict(False, f"{told}: {_per_cent(days[0] / usual)}, and at least {_per_cent(share)} is expected.")


def _rejections(share: float, run: Figures, sources: Collection[str]) -> _Verdict | None:
    """Hold the inputs that were set aside against all that were looked at."""
    looked_at, rejected = run.count(_LOOKED_AT, sources), run.count([Outcome.REJECTED], sources)
    if share >= 1 or looked_at < FEWEST_INPUTS:
        return None
    return _at_most(share, rejected, looked_at, f"{rejected:,} of {looked_at:,} inputs set aside")


def _undated(share: float, run: Figures, sources: Collection[str]) -> _Verdict | None:
    """Hold the new articles that have no date of their own against all new ones."""
    new, undated = run.count([Outcome.NEW], sources), sum(run.undated.get(source, 0) for source in sources)
    if share >= 1 or new < FEWEST_NEW:
        return None
    return _at_most(share, undated, new, f"{undated:,} of {_articles(new)} without a date of their own")


def _at_most(share: float, part: int, whole: int, told: str) -> _Verdict:
    if part <= share * whole:
        return _Verdict(True, f"{told}.")
    return _Verdict(False, f"{told}: {_per_cent(part / whole)}, and at most {_per_cent(share)} is expected.")


def surges(run: Figures, past: Sequence[Figures]) -> tuple[str, ...]:
    """Return a sentence for each rule that mended ten times as many places as the runs before lead one to expect.

    What is expected goes by each source's own rate: a run over other sources than usual is no surge.
    """
    before, now = _articles_by_source(past), _articles_by_source([run])
    known = [source for source in now if before[source] >= FEWEST_BEFORE]
    rates = _places(past, known)
    places = _places([run], known)
    found = []
    for rule in sorted({rule for _, rule in places}):
        there = {source: places[source, rule] for source in known}
        count = sum(there.values())
        expected = sum(rates[source, rule] / before[source] * now[source] for source in known)
        if count >= FEWEST_PLACES and count >= TIMES * expected:
            found.append(_surge(rule, there, expected, sum(before[source] for source in known)))
    return tuple(found)


def _surge(rule: str, there: Mapping[str, int], expected: float, before: int) -> str:
    count, most = sum(there.values()), max(there, key=lambda source: there[source])
    told = f"Rule {rule} mended {count:,} places, most of them in {most}"
    if not expected:
        return f"{told}, and none in the {before:,} articles before. See whether it is right to."
    return f"{told}: {count / expected:,.0f} times as many as in the runs before. See whether it is right to."


def _articles_by_source(runs: Iterable[Figures]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for run in runs:
        counted.update({source: run.count(_WRITTEN, [source]) for source in run.outcomes})
    return counted


def _places(runs: Iterable[Figures], sources: Collection[str]) -> Counter[tuple[str, str]]:
    """Count mended places by source and rule."""
    counted: Counter[tuple[str, str]] = Counter()
    for run in runs:
        for source in sources:
            counted.update({(source, rule): count for rule, count in run.corrections.get(source, {}).items()})
    return counted


def _articles(count: int) -> str:
    return f"{count:,} new {'article' if count == 1 else 'articles'}"


def _per_cent(share: float) -> str:
    """Write a share with one decimal where it has one.

    >>> _per_cent(0.2), _per_cent(0.504)
    ('20 %', '50.4 %')
    """
    return f"{100 * share:.1f}".removesuffix(".0") + " %"
