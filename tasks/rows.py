"""Documents ↔ Arrow tables: the one translator between tasks and storage."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import pyarrow as pa

from storage.schema import ARTICLE_STORIES, FINGERPRINTS, INSTANT, PAGE, STAGED_ARTICLES, STAGED_REJECTIONS
from tasks.documents import (
    Action,
    Article,
    Artifact,
    Hints,
    Outcome,
    PageKind,
    PageRef,
    Precision,
    Rejection,
    Topic,
    Versions,
)
from tasks.fingerprint import NearDuplicate, fingerprint
from tasks.topics.watchlists import NAMESPACE

# What a staged table holds, as its name says.
PAGES, KEPT, SETTLED, COUNTED = "pages", "kept", "settled", "counted"  # kept: pages of earlier runs, edited anew
ARTICLES, REJECTIONS, INTAKE_REJECTIONS = "articles", "rejections", "intake-rejections"
REJECTED = frozenset({REJECTIONS, INTAKE_REJECTIONS})
COMMITTED = REJECTED | {ARTICLES}

_NO_HINTS = Hints()
_PLAIN = frozenset({str, int, float, bool, type(None), datetime})  # most values: nothing in them need be looked for
HINTS = pa.struct(
    [
        ("title", pa.string()),
        ("authors", pa.list_(pa.string())),
        ("published_at", INSTANT),
        ("published_precision", pa.string()),
        ("language", pa.string()),
        ("summary", pa.string()),
    ]
)
ARCHIVED_SCHEMA = pa.schema(
    [
        ("number", pa.int64()),
        ("input", pa.string()),
        ("source", pa.string()),
        ("kind", pa.string()),
        ("page", PAGE),
        ("hints", HINTS),
        ("article_id", pa.string()),
    ],
    metadata={"copydesk.dataset": "archived_pages"},
)
SETTLED_SCHEMA = pa.schema(
    [
        ("number", pa.int64()),
        ("input", pa.string()),
        ("source", pa.string()),
        ("outcome", pa.string()),
        ("article_id", pa.string()),
        ("detail", pa.string()),
    ],
    metadata={"copydesk.dataset": "settled"},
)
COUNTED_SCHEMA = pa.schema(
    [("source", pa.string()), ("left_out", pa.string()), ("count", pa.int64())],
    metadata={"copydesk.dataset": "counted"},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedPage:
    """A page that waits in the archive to be edited: what its record does not tell. `number` orders a run's inputs.

    `article_id` is the article that was made of it before, if any.
    """

    number: int
    input: str
    source: str
    kind: PageKind
    page: PageRef
    hints: Hints
    article_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """An input whose outcome is known without editing it."""

    number: int
    input: str
    source: str
    outcome: Outcome
    article_id: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How many inputs a source brought; or, with a reason in `left_out`, how many of its entries were none."""

    source: str
    count: int
    left_out: str | None = None


def _plain(value: Any) -> Any:
    """Return a value as Arrow takes it in: a dataclass as a dict, a tuple as a list, and what they hold likewise.

    `asdict` copies in depth what is frozen anyway, at several times the cost.
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    if hasattr(kind, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in kind.__slots__}
    return [*map(_plain, value)] if isinstance(value, tuple) else value


def articles_table(articles: Sequence[tuple[int, Article]]) -> pa.Table:
    """Return staged rows, each with its number in the run."""
    return pa.Table.from_pylist(
        [{**_plain(article), "number": number} for number, article in articles], STAGED_ARTICLES
    )


def restaged_table(
    stored: pa.Table, watched: Sequence[Sequence[Topic]], watchlists: str | None, number: int
) -> pa.Table:
    """Return stored articles as staged rows, numbered from `number`, with these watchlists in place of theirs."""
    rows = stored.to_pylist()
    for place, (row, own) in enumerate(zip(rows, watched, strict=True)):
        of_iptc = [topic for topic in row["topics"] if not topic["id"].startswith(f"{NAMESPACE}:")]
        row |= {
            "topics": [*of_iptc, *map(_plain, own)],
            "versions": row["versions"] | {"watchlists": watchlists},
            "fallback_id": row["article_id"],
            "fingerprint": fingerprint(row["text"]),
            "number": number + place,
        }
    return pa.Table.from_pylist(rows, STAGED_ARTICLES)


def rejections_table(rejections: Sequence[tuple[int, Rejection]], versions: Versions) -> pa.Table:
    """Return staged rows, each with its number in the run; `versions` is what judged them."""
    judged = _plain(versions)
    rows = [
        {
            "number": number,
            "source": rejection.source,
            "input": rejection.input,
            "url": rejection.url,
            "stage": rejection.stage,
            "reason": rejection.reason,
            "detail": rejection.detail,
            "page": _plain(rejection.ref),
            "versions": judged,
        }
        for number, rejection in rejections
    ]
    return pa.Table.from_pylist(rows, STAGED_REJECTIONS)


def artifacts_of(rows: Sequence[Mapping[str, Any]]) -> list[Artifact]:
    """Return a row's artifacts as values."""
    return [Artifact(**{**row, "action": Action(row["action"])}) for row in rows]


def archived_table(pages: Sequence[ArchivedPage]) -> pa.Table:
    """Return pages that wait to be edited as a table."""
    return pa.Table.from_pylist([_plain(page) for page in pages], ARCHIVED_SCHEMA)


def archived_pages(table: pa.Table) -> Iterator[ArchivedPage]:
    """Yield the pages of a table that `archived_table` made."""
    for row in table.to_pylist():
        changes = {"kind": PageKind(row["kind"]), "page": PageRef(**row["page"]), "hints": hints_of(row["hints"])}
        yield ArchivedPage(**{**row, **changes})


def hints_of(row: Mapping[str, Any]) -> Hints:
    """Return hints as they were before they became a struct."""
    changes = {"authors": tuple(row["authors"]), "published_precision": Precision(row["published_precision"])}
    return Hints(**{**row, **changes})


def hints_text(hints: Hints) -> str | None:
    """Return hints as the ledger keeps them; None where nothing was hinted.

    >>> hints_text(Hints(title="The dam holds"))
    '{"title": "The dam holds"}'
    """
    if hints == _NO_HINTS:
        return None
    told = {name: value for name, value in _plain(hints).items() if value != _plain(getattr(_NO_HINTS, name))}
    return json.dumps(told, ensure_ascii=False, default=datetime.isoformat)


def hints_from_text(text: str | None) -> Hints:
    """Return hints as they were before `hints_text` wrote them down.

    >>> hints_from_text(hints_text(Hints(authors=("A. Writer",)))).authors
    ('A. Writer',)
    """
    told = json.loads(text) if text else {}
    if "published_at" in told:
        told["published_at"] = datetime.fromisoformat(told["published_at"])
    return hints_of(_plain(_NO_HINTS) | told)


def settled_table(settled: Sequence[Settled]) -> pa.Table:
    """Return inputs whose outcome is known as a table."""
    return pa.Table.from_pylist([_plain(each) for each in settled], SETTLED_SCHEMA)


def counted_table(counted: Sequence[Counted]) -> pa.Table:
    """Return counts as a table."""
    return pa.Table.from_pylist([_plain(each) for each in counted], COUNTED_SCHEMA)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprinted:
    """An article's fingerprint with what orders tellings of a story."""

    id: str
    published_at: datetime
    fingerprint: bytes


def fingerprinted(table: pa.Table) -> list[Fingerprinted]:
    """Return the rows of `fingerprints` as values."""
    columns = (table[name].to_pylist() for name in ("article_id", "published_at", "fingerprint"))
    return [
        Fingerprinted(id=id_, published_at=published_at, fingerprint=made)
        for id_, published_at, made in zip(*columns, strict=True)
    ]


def fingerprints_table(articles: pa.Table) -> pa.Table:
    """Return the rows of `fingerprints` for stored articles, made anew from their texts."""
    rows = articles.select(["article_id", "published_at", "language", "text"]).to_pylist()
    return pa.Table.from_pylist([{**row, "fingerprint": fingerprint(row.pop("text"))} for row in rows], FINGERPRINTS)


_LIKENESS = ("similarity", "contained", "containing", "kind")


def stories_table(articles: pa.Table, duplicates: Mapping[str, NearDuplicate]) -> pa.Table:
    """Return the rows of `article_stories` for articles of one day."""
    found = ((id_, duplicates.get(id_)) for id_ in articles["article_id"].to_pylist())
    rows = [
        {
            "article_id": id_,
            "story_id": id_ if duplicate is None else duplicate.original_id,
            "is_original": duplicate is None,
            "duplicate_of": None if duplicate is None else duplicate.original_id,
            **{name: None if duplicate is None else getattr(duplicate, name) for name in _LIKENESS},
        }
        for id_, duplicate in found
    ]
    return pa.Table.from_pylist(rows, ARTICLE_STORIES)


def contents(path: str) -> str:
    """Return what a staged table holds, from its path.

    >>> contents("state/staging/run~00001~settled.arrow")
    'settled'
    """
    return path.rsplit("~", 1)[-1].removesuffix(".arrow")


def versions_key(versions: Versions) -> str:
    """Return one text that differs whenever any version differs; the ledger compares by it.

    >>> versions_key(Versions(pipeline="1", rules="2", taxonomy="3", tagger="4"))
    '1|2|3|4||'
    """
    return "|".join(getattr(versions, field.name) or "" for field in fields(versions))
