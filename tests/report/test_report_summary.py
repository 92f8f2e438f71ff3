"""A run's figures sum, or there is no summary."""

from datetime import timedelta
from types import SimpleNamespace

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.documents import Outcome
from tasks.gates import Gate, GateStatus
from tasks.report.summary import RunSummary, Scope, SourceOutcomes, SummaryError, summarise
from tasks.report.words import verdict

outcome_rows = st.lists(st.tuples(st.sampled_from(["harbour-post", "lagoon-news", "été"]), st.sampled_from(Outcome)))


def outcome_table(rows: list[tuple[str, Outcome]]) -> pa.Table:
    schema = pa.schema({"source": pa.string(), "outcome": pa.string()})
    return pa.Table.from_pylist([{"source": source, "outcome": outcome} for source, outcome in rows], schema=schema)


@given(outcome_rows)
def test_outcomes_sum_to_inputs(paper: SimpleNamespace, rows: list[tuple[str, Outcome]]) -> None:
    summary = summarise(paper.run(), outcome_table(rows))
    assert summary.inputs == len(rows)
    assert sum(summary.count(outcome) for outcome in Outcome) == len(rows)
    for source in summary.sources:
        assert source.inputs == sum(1 for name, _ in rows if name == source.source)


def test_counts_by_source_and_outcome(paper: SimpleNamespace) -> None:
    rows = [("lagoon-news", Outcome.NEW), ("lagoon-news", Outcome.NEW), ("harbour-post", Outcome.REJECTED)]
    summary = summarise(paper.run(), outcome_table(rows))
    assert summary.sources == (
        SourceOutcomes(source="harbour-post", inputs=1, outcomes={Outcome.REJECTED: 1}),
        SourceOutcomes(source="lagoon-news", inputs=2, outcomes={Outcome.NEW: 2}),
    )


def test_counts_dictionary_columns(paper: SimpleNamespace) -> None:
    table = outcome_table([("lagoon-news", Outcome.NEW)])
    encoded = pa.table({name: table[name].dictionary_encode() for name in table.column_names})
    assert summarise(paper.run(), encoded).count("new") == 1


def test_a_source_that_brought_nothing_keeps_its_line(paper: SimpleNamespace) -> None:
    summary = summarise(paper.run(), outcome_table([]), inputs={"silent-gazette": 0})
    assert [source.source for source in summary.sources] == ["silent-gazette"]


def test_refuses_a_lost_input(paper: SimpleNamespace) -> None:
    with pytest.raises(SummaryError, match=r"'lagoon-news' took in 3 inputs, but its outcomes sum to 1"):
        summarise(paper.run(), outcome_table([("lagoon-news", Outcome.NEW)]), inputs={"lagoon-news": 3})


def test_refuses_an_outcome_of_a_source_nobody_announced(paper: SimpleNamespace) -> None:
    with pytest.raises(SummaryError, match="took in 0 inputs"):
        summarise(paper.run(), outcome_table([("lagoon-news", Outcome.NEW)]), inputs={})


def test_json_gives_the_summary_back(paper: SimpleNamespace) -> None:
    summary = paper.summary(
        near_duplicates=2,
        seconds_by_stage={"fetch": 1.5, "edit": 0.25},
        gates=(Gate(name="volume", status=GateStatus.FAILED, detail="2 of 40"),),
        warnings=("one feed was silent",),
        scope=Scope.RUN,
    )
    assert RunSummary.from_json(summary.to_json()) == summary


def test_tells_broken_gates_and_duration(paper: SimpleNamespace) -> None:
    broken = Gate(name="volume", status=GateStatus.FAILED)
    summary = paper.summary(gates=(Gate(name="dates", status=GateStatus.WARNED), broken))
    assert summary.broken_gates == (broken,)
    assert summary.run.duration == timedelta(seconds=102)


@pytest.mark.parametrize(
    ("outcomes", "sentence"),
    [
        ({}, "Nothing came in: the sources offered no input."),
        ({Outcome.UNCHANGED: 2}, "Nothing new: 2 inputs looked at, and no article had changed."),
        ({Outcome.NEW: 1}, "1 input came in: 1 new article."),
        ({Outcome.UPDATED: 1, Outcome.REJECTED: 1}, "2 inputs came in: 1 updated article and 1 set aside."),
        ({Outcome.NEW: 2000, Outcome.UPDATED: 3, Outcome.REJECTED: 4, Outcome.SKIPPED: 5},
         "2,012 inputs came in: 2,000 new articles, 3 updated and 4 set aside."),
    ],
)  # fmt: skip
def test_verdict_is_one_sentence(paper: SimpleNamespace, outcomes: dict[Outcome, int], sentence: str) -> None:
    source = SourceOutcomes(source="harbour-post", inputs=sum(outcomes.values()), outcomes=outcomes)
    assert verdict(paper.summary(sources=(source,))) == sentence
