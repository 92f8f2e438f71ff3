"""What a run did, as values: who ran, what came in, what became of it, how long it took, which gates held."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import TypeAdapter

from tasks.documents import Outcome
from tasks.gates import Gate, GateStatus


class SummaryError(ValueError):
    """The figures of a run contradict each other; a report drawn from them would mislead."""


class Scope(StrEnum):
    """Which articles a report describes: all that the dataset holds, or those this run wrote."""

    DATASET = "dataset"
    RUN = "run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Who ran, when, and with which tools."""

    run_id: str
    run_name: str
    flow: str
    started_at: datetime
    finished_at: datetime
    copydesk_version: str
    rules_version: str
    taxonomy_version: str
    data_folder: str  # as the user gave it

    @property
    def duration(self) -> timedelta:
        """How long the run took, from start to finish."""
        return self.finished_at - self.started_at


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOutcomes:
    """What became of a source's inputs; the outcomes sum to the inputs, or the value cannot be made.

    >>> SourceOutcomes(source="harbour-post", inputs=3, outcomes={Outcome.NEW: 2, Outcome.REJECTED: 1}).count("new")
    2
    """

    source: str
    inputs: int
    outcomes: Mapping[Outcome, int]

    def __post_init__(self) -> None:
        total = sum(self.outcomes.values())
        if total != self.inputs:
            raise SummaryError(
                f"Source {self.source!r} took in {self.inputs} inputs, but its outcomes sum to {total}. "
                "Each input of a run has exactly one outcome: see that none is lost or told twice."
            )

    def count(self, outcome: Outcome | str) -> int:
        """Return how many inputs had this outcome."""
        return self.outcomes.get(Outcome(outcome), 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionCount:
    """How many of a run's inputs were set aside at one stage for one reason, with one of them."""

    stage: str
    reason: str
    count: int
    example: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """A run and its figures: what the report page, the artifacts in Prefect and `copydesk runs` all tell from."""

    run: Run
    sources: tuple[SourceOutcomes, ...]
    near_duplicates: int = 0
    rejected: tuple[RejectionCount, ...] = ()
    seconds_by_stage: Mapping[str, float] = field(default_factory=dict)  # in the order of the pipeline
    gates: tuple[Gate, ...] = ()
    warnings: tuple[str, ...] = ()
    scope: Scope = Scope.DATASET  # of the tables the page is drawn from
    corrections: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # mended places, by source and rule

    @property
    def inputs(self) -> int:
        """How many inputs the run had, over all sources."""
        return sum(source.inputs for source in self.sources)

    def count(self, outcome: Outcome | str) -> int:
        """Return how many inputs of the run had this outcome, over all sources."""
        return sum(source.count(outcome) for source in self.sources)

    @property
    def broken_gates(self) -> tuple[Gate, ...]:
        """The gates that failed: the run is not to be trusted until someone has looked."""
        return tuple(gate for gate in self.gates if gate.status is GateStatus.FAILED)

    @property
    def corrections_by_rule(self) -> Mapping[str, int]:
        """How many places each rule mended in the articles that the run wrote, the busiest first."""
        counted: Counter[str] = Counter()
        for rules in self.corrections.values():
            counted.update(rules)
        return dict(counted.most_common())

    def to_json(self) -> str:
        """Return the summary as JSON, to keep beside the page; `from_json` takes it back."""
        return _adapter().dump_json(self, indent=2).decode()

    @staticmethod
    def from_json(text: str | bytes) -> "RunSummary":
        """Read a summary that `to_json` wrote."""
        return _adapter().validate_json(text)


@cache
def _adapter() -> TypeAdapter[RunSummary]:
    return TypeAdapter(RunSummary)


def summarise(
    run: Run,
    outcomes: pa.Table,
    *,
    inputs: Mapping[str, int] | None = None,
    near_duplicates: int = 0,
    rejected: Sequence[RejectionCount] = (),
    seconds_by_stage: Mapping[str, float] | None = None,
    gates: Sequence[Gate] = (),
    warnings: Sequence[str] = (),
    scope: Scope = Scope.DATASET,
    corrections: Mapping[str, Mapping[str, int]] | None = None,
) -> RunSummary:
    """Count a run's outcomes, a row an input with `source` and `outcome`, into its summary.

    `inputs` says how many inputs discovery handed on, by source, and is held against the outcomes: a source that
    brought nothing still has its line, and an input that got lost on the way raises `SummaryError`.
    """
    counted = outcomes_by_source(outcomes)
    expected = inputs if inputs is not None else {source: sum(counts.values()) for source, counts in counted.items()}
    return RunSummary(
        run=run,
        sources=tuple(
            SourceOutcomes(source=source, inputs=expected.get(source, 0), outcomes=counted.get(source, {}))
            for source in sorted(expected.keys() | counted.keys())
        ),
        near_duplicates=near_duplicates,
        rejected=tuple(rejected),
        seconds_by_stage=dict(seconds_by_stage or {}),
        gates=tuple(gates),
        warnings=tuple(warnings),
        scope=scope,
        corrections=dict(corrections or {}),
    )


def outcomes_by_source(outcomes: pa.Table) -> dict[str, dict[Outcome, int]]:
    """Count the rows of an outcome table by source and outcome."""
    pairs = pa.table({name: pc.cast(outcomes[name], pa.string()) for name in ("source", "outcome")})
    counted: dict[str, dict[Outcome, int]] = {}
    for row in pairs.group_by(["source", "outcome"]).aggregate([([], "count_all")]).to_pylist():
        counted.setdefault(row["source"], {})[Outcome(row["outcome"])] = row["count_all"]
    return counted
