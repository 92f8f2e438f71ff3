"""Count what a report tells, over whole tables, with Arrow: no row becomes a Python object but the few shown."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

LIKELY_TRANSLATED = 0.5
EXAMPLES = 3  # of each kind of rejection
STORIES = 60  # near-duplicate stories that are shown
TELLINGS = 8  # articles shown of one story


@dataclass(frozen=True, slots=True)
class Tally:
    """A value and how many have it."""

    label: str
    count: int


@dataclass(frozen=True, slots=True)
class RuleTally:
    """A rule, and how often it mended or only reported."""

    rule: str
    category: str
    mended: int
    reported: int

    @property
    def count(self) -> int:
        """How often the rule found something."""
        return self.mended + self.reported


@dataclass(frozen=True, slots=True)
class Freshness:
    """The newest publication, and the median delay between publication and first sight where the hour is known."""

    newest: datetime
    median_delay: timedelta | None


@dataclass(frozen=True, slots=True)
class Translation:
    """What speaks for machine translation, over all articles."""

    documents: int
    kinds: tuple[Tally, ...]  # counts findings, not documents
    services: tuple[Tally, ...]
    source_languages: tuple[Tally, ...]
    scored: int
    likely: int


@dataclass(frozen=True, slots=True)
class SetAside:
    """An input that was set aside, as an example."""

    source: str
    input: str
    url: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class RejectionTally:
    """A stage and a reason, how many inputs ended there, and a few of them."""

    stage: str
    reason: str
    count: int
    examples: tuple[SetAside, ...]


@dataclass(frozen=True, slots=True)
class Telling:
    """One article of a story; `similarity` is to the original, None for the original itself."""

    title: str
    source: str
    url: str | None
    published_at: datetime | None
    language: str | None
    similarity: float | None


@dataclass(frozen=True, slots=True)
class Story:
    """A story told more than once: the original first, then the others; `left_out` tellings are not shown."""

    tellings: tuple[Telling, ...]
    left_out: int


def tally(column: pa.ChunkedArray) -> tuple[Tally, ...]:
    """Count the values of a text column, the most frequent first, nulls left out.

    >>> tally(pa.chunked_array([["fr", "en", None, "fr"]]))
    (Tally(label='fr', count=2), Tally(label='en', count=1))
    """
    counted = pc.value_counts(pc.drop_null(pc.cast(column, pa.string()))).to_pylist()
    return _most_first(Tally(row["values"], row["counts"]) for row in counted)


def _most_first(tallies: Iterable[Tally]) -> tuple[Tally, ...]:
    return tuple(sorted(tallies, key=lambda tally: (-tally.count, tally.label)))


def _laid_flat(column: pa.ChunkedArray, *names: str) -> pa.Table:
    """Return the named fields of a list of structs as a table, a row an entry."""
    entries = pc.list_flatten(column)
    return pa.table({name: pc.struct_field(entries, name) for name in names})


def topics(articles: pa.Table) -> tuple[Tally, ...]:
    """Count articles by topic, the most frequent first."""
    flat = _laid_flat(articles["topics"], "id", "label")
    return tally(pc.coalesce(flat["label"], flat["id"]))


def articles_per_day(articles: pa.Table) -> dict[date, int]:
    """Count articles by the UTC day of their publication."""
    days = pc.cast(pc.floor_temporal(pc.drop_null(articles["published_at"]), unit="day"), pa.date32())
    return {row["values"]: row["counts"] for row in pc.value_counts(days).to_pylist()}


def findings_by_rule(articles: pa.Table) -> tuple[RuleTally, ...]:
    """Count what each rule mended and reported, the busiest rule first."""
    flat = _laid_flat(articles["artifacts"], "rule", "category", "action")
    flat = pa.table({name: pc.cast(flat[name], pa.string()) for name in flat.column_names})
    mended: dict[tuple[str, str], int] = {}
    reported: dict[tuple[str, str], int] = {}
    for row in flat.group_by(flat.column_names).aggregate([([], "count_all")]).to_pylist():
        counts = mended if row["action"] == "mended" else reported
        counts[row["rule"], row["category"]] = row["count_all"]
    rules = [RuleTally(*rule, mended.get(rule, 0), reported.get(rule, 0)) for rule in mended.keys() | reported.keys()]
    return tuple(sorted(rules, key=lambda tally: (-tally.count, tally.rule)))


def articles_with_findings(articles: pa.Table) -> int:
    """Count the articles in which something was mended or reported."""
    lengths = pc.fill_null(pc.list_value_length(articles["artifacts"]), 0)
    return pc.sum(pc.greater(lengths, 0)).as_py() or 0


def freshness(articles: pa.Table) -> Freshness | None:
    """Tell how new the newest article is, and how soon articles were seen; None where there is no article."""
    newest = pc.max(articles["published_at"]).as_py()
    if newest is None:
        return None
    exact = articles.filter(pc.equal(pc.cast(articles["published_precision"], pa.string()), "instant"))
    delays = pc.cast(pc.subtract(exact["first_seen_at"], exact["published_at"]), pa.int64())
    middle = pc.quantile(delays, 0.5)[0].as_py()
    return Freshness(newest, None if middle is None else max(timedelta(), timedelta(microseconds=middle)))


def translation(articles: pa.Table) -> Translation:
    """Gather the evidence for machine translation over all articles."""
    evidence = articles["mt_evidence"]
    kinds, service = pc.struct_field(evidence, "kinds"), pc.struct_field(evidence, "service")
    has_kinds = pc.greater(pc.fill_null(pc.list_value_length(kinds), 0), 0)
    scores = pc.drop_null(articles["translated_score"])
    return Translation(
        documents=pc.sum(pc.or_(has_kinds, pc.is_valid(service))).as_py() or 0,
        kinds=_kinds(kinds),
        services=tally(service),
        source_languages=tally(pc.struct_field(evidence, "source_language")),
        scored=len(scores),
        likely=pc.sum(pc.greater_equal(scores, LIKELY_TRANSLATED)).as_py() or 0,
    )


def _kinds(kinds: pa.ChunkedArray) -> tuple[Tally, ...]:
    """Add up the kinds of evidence over all articles."""
    flat = _laid_flat(kinds, "kind", "count")
    flat = pa.table({"kind": pc.cast(flat["kind"], pa.string()), "count": flat["count"]})
    summed = flat.group_by("kind").aggregate([("count", "sum")])
    return _most_first(Tally(row["kind"], row["count_sum"]) for row in summed.to_pylist())


def rejections_by_reason(rejections: pa.Table) -> tuple[RejectionTally, ...]:
    """Count the inputs set aside by stage and reason, the most frequent first, each with a few examples."""
    keys = pa.table({name: pc.cast(rejections[name], pa.string()) for name in ("stage", "reason")})
    counted = keys.group_by(["stage", "reason"]).aggregate([([], "count_all")]).to_pylist()
    tallies = [
        RejectionTally(
            row["stage"], row["reason"], row["count_all"], _examples(rejections, keys, row["stage"], row["reason"])
        )
        for row in counted
    ]
    return tuple(sorted(tallies, key=lambda tally: (-tally.count, tally.stage, tally.reason)))


def _examples(rejections: pa.Table, keys: pa.Table, stage: str, reason: str) -> tuple[SetAside, ...]:
    here = pc.and_(pc.equal(keys["stage"], stage), pc.equal(keys["reason"], reason))
    columns = ["source", "input", "url", "detail"]
    rows = rejections.select(columns).take(pc.indices_nonzero(here)[:EXAMPLES]).to_pylist()
    return tuple(SetAside(row["source"], row["input"], row["url"], row["detail"] or "") for row in rows)


def retold_stories(stories: pa.Table, articles: pa.Table) -> tuple[Story, ...]:
    """Return the newest stories that more than one article tells, each original before its reprints.

    `stories` has `article_id`, `story_id`, `duplicate_of` (null for an original) and `similarity`.
    """
    sizes = stories.group_by("story_id").aggregate([([], "count_all")])
    retold = sizes.filter(pc.greater(sizes["count_all"], 1))["story_id"]
    members = stories.filter(pc.is_in(stories["story_id"], value_set=retold.combine_chunks()))
    columns = ["article_id", "title", "source", "url", "published_at", "language"]
    told = members.join(_plain(articles.select(columns)), keys="article_id", join_type="inner")
    newest = told.group_by("story_id").aggregate([("published_at", "max"), ([], "count_all")])
    newest = newest.filter(pc.greater(newest["count_all"], 1))
    newest = newest.sort_by([("published_at_max", "descending"), ("story_id", "ascending")])[:STORIES]
    return tuple(_story(told, story_id) for story_id in newest["story_id"].to_pylist())


def _plain(table: pa.Table) -> pa.Table:
    """Return the table with dictionaries laid open, which a join does not take."""
    plain = [
        field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field
        for field in table.schema
    ]
    return table.cast(pa.schema(plain))


def _story(told: pa.Table, story_id: str) -> Story:
    members = told.filter(pc.equal(told["story_id"], story_id))
    by_age = [("published_at", "ascending"), ("article_id", "ascending")]
    originals = members.filter(pc.is_null(members["duplicate_of"])).sort_by(by_age)
    reprints = members.filter(pc.is_valid(members["duplicate_of"])).sort_by(by_age)
    rows = pa.concat_tables([originals, reprints])[:TELLINGS].to_pylist()
    return Story(
        tellings=tuple(
            Telling(
                title=(row["title"] or "").strip() or "Untitled",
                source=row["source"],
                url=row["url"],
                published_at=row["published_at"],
                language=row["language"],
                similarity=row["similarity"] if row["duplicate_of"] else None,
            )
            for row in rows
        ),
        left_out=len(members) - len(rows),
    )
