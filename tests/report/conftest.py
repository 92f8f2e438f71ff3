"""Tables as the dataset holds them, filled with a small paper of our own."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from tasks.documents import Outcome
from tasks.report.page import render
from tasks.report.summary import Run, RunSummary, SourceOutcomes

INSTANT = pa.timestamp("us", tz="UTC")
ARTIFACT = pa.struct(
    {
        "field": pa.string(),
        "rule": pa.string(),
        "category": pa.string(),
        "action": pa.string(),
        "start": pa.int32(),
        "before": pa.string(),
        "start_in_text": pa.int32(),
        "after": pa.string(),
        "confidence": pa.float32(),
    }
)
EVIDENCE = pa.struct(
    {
        "kinds": pa.list_(pa.struct({"kind": pa.string(), "count": pa.int32()})),
        "service": pa.string(),
        "source_language": pa.string(),
        "seen_in": pa.string(),
        "gate": pa.string(),
    }
)
SPAN = pa.struct({"field": pa.string(), "phrase": pa.string(), "start": pa.int32()})
TOPIC = pa.struct(
    {"id": pa.string(), "label": pa.string(), "score": pa.float32(), "evidence": pa.list_(SPAN)},
)
ARTICLES = pa.schema(
    {
        "article_id": pa.string(),
        "source": pa.string(),
        "url": pa.string(),
        "title": pa.string(),
        "summary": pa.string(),
        "text": pa.string(),
        "published_at": INSTANT,
        "published_precision": pa.string(),
        "first_seen_at": INSTANT,
        "language": pa.string(),
        "artifacts": pa.list_(ARTIFACT),
        "mt_evidence": EVIDENCE,
        "translated_score": pa.float32(),
        "topics": pa.list_(TOPIC),
        "published_date": pa.date32(),
    }
)
REJECTIONS = pa.schema({name: pa.string() for name in ("source", "input", "url", "stage", "reason", "detail")})
STORIES = pa.schema(
    {"article_id": pa.string(), "story_id": pa.string(), "duplicate_of": pa.string(), "similarity": pa.float32()}
)
MORNING = datetime(2026, 11, 24, 5, 36, tzinfo=UTC)

Row = dict[str, Any]


def article(**changes: Any) -> Row:
    """Return a plain article's row, with changes."""
    row: Row = {
        "article_id": "a1",
        "source": "harbour-post",
        "url": "https://harbour.example/ferry",
        "title": "Ferry returns to the northern pier",
        "summary": None,
        "text": "The ferry docked at noon.\n\nNobody was late.",
        "published_at": MORNING - timedelta(hours=2),
        "published_precision": "instant",
        "first_seen_at": MORNING,
        "language": "en",
        "artifacts": [],
        "mt_evidence": {"kinds": [], "service": None, "source_language": None, "seen_in": None, "gate": None},
        "translated_score": None,
        "topics": [],
    } | changes
    return row | {"published_date": row["published_at"].date()}


def artifact(text: str, before: str, after: str | None, **changes: Any) -> Row:
    """Return a finding in a stored text, which holds `after` (or `before`, where it was only reported)."""
    start = text.index(before if after is None else after)
    return {
        "field": "text",
        "rule": "space-before-comma",
        "category": "punctuation",
        "action": "reported" if after is None else "mended",
        "start": start,
        "before": before,
        "start_in_text": start,
        "after": after,
        "confidence": 1.0,
    } | changes


def articles_table(*rows: Row) -> pa.Table:
    """Lay rows out as the dataset's table."""
    return pa.Table.from_pylist(list(rows), schema=ARTICLES)


def a_run(**changes: Any) -> Run:
    """Return a morning's run, with changes."""
    values: Row = {
        "run_id": "7f3c",
        "run_name": "brisk-heron",
        "flow": "ingest",
        "started_at": MORNING - timedelta(seconds=102),
        "finished_at": MORNING,
        "copydesk_version": "0.1.0",
        "rules_version": "2026.11",
        "taxonomy_version": "IPTC 2026-10",
        "data_folder": "./data",
    }
    return Run(**(values | changes))


def a_summary(**changes: Any) -> RunSummary:
    """Return a summary of that run with two sources, with changes."""
    values: Row = {
        "run": a_run(),
        "sources": (
            SourceOutcomes(
                source="harbour-post",
                inputs=1204,
                outcomes={Outcome.NEW: 1100, Outcome.UNCHANGED: 90, Outcome.REJECTED: 14},
            ),
            SourceOutcomes(source="gazette-du-lac", inputs=8, outcomes={Outcome.NEW: 5, Outcome.REJECTED: 3}),
        ),
    }
    return RunSummary(**(values | changes))


def drawn(*rows: Row, rejections: list[Row] | None = None, stories: list[Row] | None = None, **changes: Any) -> str:
    """Render a report of the given rows."""
    return render(
        a_summary(**changes),
        articles_table(*rows),
        pa.Table.from_pylist(rejections or [], schema=REJECTIONS),
        None if stories is None else pa.Table.from_pylist(stories, schema=STORIES),
    )


@pytest.fixture(scope="session")
def paper() -> SimpleNamespace:
    """Everything above, for tests to build their own paper with."""
    return SimpleNamespace(
        article=article,
        artifact=artifact,
        articles=articles_table,
        run=a_run,
        summary=a_summary,
        draw=drawn,
        morning=MORNING,
    )
