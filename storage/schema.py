"""Every dataset, every column, its type and its meaning: the contract with whoever reads the files.

The descriptions travel in the files themselves (field metadata), and `docs/dataset.md` is printed from them.
Columns are added, never renamed; a new meaning is a new column. Structs are closed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import pyarrow as pa

SCHEMA_VERSION: Final = "3"
ADDED: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "2": {"articles": ("gone_at",)},
    "3": {
        "articles": (
            "published_offset",
            "standfirst",
            "blocks",
            "live_entries",
            "captions",
            "tables",
            "next_page",
            "amp_url",
            "encoding",
            "unreadable",
        ),
        "article_stories": ("contained", "containing", "kind"),
    },
}
"""What each version after the first added, by dataset: columns that may be null, and are null in older rows."""

KNOWN_VERSIONS: Final = ("1", *ADDED)
VERSION_KEY: Final = b"copydesk.schema"
VERSIONS_KEY: Final = b"copydesk.versions"
DATASET_KEY: Final = b"copydesk.dataset"
PART: Final = "part-000.parquet"

INSTANT: Final = pa.timestamp("us", tz="UTC")


def column(name: str, type_: pa.DataType, description: str, *, required: bool = False) -> pa.Field:
    """Return a field that carries its description; a required one is never null."""
    return pa.field(name, type_, nullable=not required, metadata={"description": description})


def required(name: str, type_: pa.DataType, description: str) -> pa.Field:
    """Return a described field that is never null."""
    return column(name, type_, description, required=True)


def list_of(type_: pa.DataType) -> pa.DataType:
    """Return a list type whose entries have the name that Parquet gives them, so that a file reads back as written."""
    return pa.list_(pa.field("element", type_))


LANGUAGE_SHARE: Final = pa.struct(
    [
        column("language", pa.string(), "BCP 47 tag."),
        column("share", pa.float64(), "Share of the document's letters, 0 to 1."),
    ]
)

ARTIFACT: Final = pa.struct(
    [
        column("field", pa.string(), "Where it was found: `title`, `summary` or `text`."),
        column("rule", pa.string(), "Id of the rule that saw it (docs/rules.md)."),
        column("category", pa.string(), "Family of the rule, such as `punctuation`."),
        column("action", pa.string(), "`mended`, or `reported` and left as it is."),
        column("start", pa.int32(), "Where `before` starts in the field before mending, in code points."),
        column("before", pa.string(), "The characters as they were."),
        column("start_in_text", pa.int32(), "Where `after` starts in the field as stored, in code points."),
        column("after", pa.string(), "The characters as they are now; null where only reported."),
        column("confidence", pa.float64(), "How sure the rule is, 0 to 1."),
    ]
)

KIND_COUNT: Final = pa.struct(
    [
        column("kind", pa.string(), "Id of a rule, or name of a page marker."),
        column("count", pa.int32(), "How often it was seen."),
    ]
)

MT_EVIDENCE: Final = pa.struct(
    [
        column("kinds", list_of(KIND_COUNT), "Kinds of evidence and how often each was seen, listed or not."),
        column("service", pa.string(), "Translation service that marked the page."),
        column("source_language", pa.string(), "Language the service says it translated from."),
        column("seen_in", pa.string(), "What carried the service's mark, such as `html lang`."),
        column("gate", pa.string(), "Why context-dependent rules acted; null where they did not."),
    ]
)

TOPIC_EVIDENCE: Final = pa.struct(
    [
        column("field", pa.string(), "`title` or `text`."),
        column("phrase", pa.string(), "The phrase that decided."),
        column("start", pa.int32(), "Where it starts in the field as stored, in code points."),
    ]
)

TOPIC: Final = pa.struct(
    [
        column(
            "id",
            pa.string(),
            "IPTC Media Topic, such as `medtop:20000002`, or a watchlist, such as `watch:port-strikes`.",
        ),
        column("label", pa.string(), "The topic's English label, or the watchlist's."),
        column("score", pa.float64(), "How sure the tagger is, 0 to 1; 1 for a watchlist."),
        column("evidence", list_of(TOPIC_EVIDENCE), "The phrases that decided; none where the model alone saw it."),
    ]
)

BLOCK: Final = pa.struct(
    [
        column(
            "kind",
            pa.string(),
            "`standfirst`, `paragraph`, `heading`, `list-item`, `quote`, `table-row`, or `caption` where captions are "
            "the article.",
        ),
        column("start", pa.int32(), "Where it starts in `text`, in code points."),
        column("end", pa.int32(), "Where it ends: the place after its last code point."),
    ]
)

LIVE_ENTRY: Final = pa.struct(
    [
        column("published_at", INSTANT, "When it was posted."),
        column("start", pa.int32(), "Where it starts in `text`, in code points."),
        column("end", pa.int32(), "Where it ends: the place after its last code point."),
    ]
)

TABLE: Final = pa.struct(
    [
        column("caption", pa.string(), "What the page calls it."),
        column("header_rows", pa.int32(), "How many of the first rows are headings."),
        column(
            "rows",
            list_of(list_of(pa.string())),
            "Its rows, all of as many cells; of the places that a cell spans, all but the first are empty.",
        ),
    ]
)

EXTRACTION: Final = pa.struct(
    [
        column("strategy", pa.string(), "Which strategy found the body."),
        column("confidence", pa.float64(), "How sure it is, 0 to 1."),
    ]
)

PAGE: Final = pa.struct(
    [
        column("file", pa.string(), "WARC file, relative to `pages/`."),
        column("offset", pa.int64(), "Where the record starts in that file, in bytes."),
        column("sha256", pa.string(), "SHA-256 of the body once its encodings were undone, in hex."),
    ]
)

VERSIONS: Final = pa.struct(
    [
        column("pipeline", pa.string(), "Version of copydesk."),
        column("rules", pa.string(), "Version of the rule book."),
        column("taxonomy", pa.string(), "Version of the topic taxonomy."),
        column("tagger", pa.string(), "Version of the topic tagger."),
        column("score_model", pa.string(), "Version of the model behind `translated_score`."),
        column("watchlists", pa.string(), "Digest of the watchlists; null where there were none."),
    ]
)


@dataclass(frozen=True, slots=True)
class Dataset:
    """A folder of Parquet files, one a day.

    `key` names the columns that make a row unique, and orders the rows of a file. Two rows are equal when all columns
    but `uncounted` are. `dictionary` names the leaves worth a dictionary.
    """

    name: str
    meaning: str
    folder: str
    schema: pa.Schema
    key: tuple[str, ...]
    partition_key: str
    partition_meaning: str
    uncounted: frozenset[str] = frozenset()
    dictionary: tuple[str, ...] = ()

    def path(self, partition: date) -> str:
        """Return where the file of a day lies, relative to the store's root.

        >>> ARTICLES_DATASET.path(date(2024, 2, 26))
        'articles/published_date=2024-02-26/part-000.parquet'
        """
        return f"{self.folder}/{self.partition_key}={partition.isoformat()}/{PART}"

    @property
    def partitioned(self) -> pa.Schema:
        """The schema as readers see it: the columns of the files, and the partition's date last."""
        return self.schema.append(required(self.partition_key, pa.date32(), self.partition_meaning))


def _schema(dataset: str, fields: list[pa.Field]) -> pa.Schema:
    return pa.schema(fields, metadata={VERSION_KEY: SCHEMA_VERSION.encode(), DATASET_KEY: dataset.encode()})


ARTICLES: Final = _schema(
    "articles",
    [
        required(
            "article_id", pa.string(), "Identity: hash of the canonical URL (of the content where there is none)."
        ),
        required("source", pa.string(), "Name of the source that brought it first."),
        required("input", pa.string(), "What that source named it: a URL, or a path below the folder it came from."),
        column("url", pa.string(), "Address after redirects; null for a document from disk that names none."),
        column("canonical_url", pa.string(), "Address the page claims for itself, where the claim is believed."),
        required("title", pa.string(), "Headline, mended."),
        column("summary", pa.string(), "Standfirst or description, mended."),
        required(
            "text", pa.string(), "Body, mended: paragraphs separated by one blank line. `artifacts` takes it back."
        ),
        required("authors", list_of(pa.string()), "Who wrote it, in the page's order."),
        required("published_at", INSTANT, "When it was published; 00:00 UTC of the day where only the day is known."),
        required("published_precision", pa.string(), "How exactly that is known: `instant`, `day` or `fetched`."),
        required("published_source", pa.string(), "Where the date was found, such as `json-ld`."),
        column(
            "published_offset",
            pa.int32(),
            "Minutes east of UTC of the clock that the page wrote `published_at` by; null where it names no zone. "
            "Of a time in UTC on a page that shows another day and no hour, the fewest whole hours that give this day.",
        ),
        column("modified_at", INSTANT, "When the page says it was last changed, once it was published."),
        required("fetched_at", INSTANT, "When the page behind this row was fetched."),
        required("first_seen_at", INSTANT, "When the article was first stored."),
        required("updated_at", INSTANT, "When its content last changed here."),
        required("revision", pa.int32(), "1 when first stored, one more with each change of content."),
        column("gone_at", INSTANT, "When the page was first found gone (404 or 410); null while it answers."),
        required("language", pa.string(), "Language of the text, BCP 47; `und` where it cannot be told."),
        required("language_confidence", pa.float64(), "How sure that is, 0 to 1."),
        column("language_declared", pa.string(), "Language the page declares."),
        required("languages", list_of(LANGUAGE_SHARE), "Languages seen in the text, largest share first."),
        required("artifacts", list_of(ARTIFACT), "Machine-translation residue: what was found, where, what was done."),
        required("mt_evidence", MT_EVIDENCE, "What speaks for machine translation."),
        column(
            "translated_score", pa.float64(), "How likely the text is machine-translated, 0 to 1; null: not judged."
        ),
        required("topics", list_of(TOPIC), "What it is about, highest score first; then the user's own watchlists."),
        required("keywords", list_of(pa.string()), "The page's own keywords."),
        column("section", pa.string(), "The page's own section."),
        column("site_name", pa.string(), "Name of the site."),
        column("lead_image", pa.string(), "Address of the main picture."),
        required("word_count", pa.int32(), "Words in `text`."),
        required("is_paywalled", pa.bool_(), "The page says that the rest is for subscribers."),
        required("is_truncated", pa.bool_(), "The text is only the beginning of the article."),
        column(
            "standfirst", pa.string(), "Sentences between headline and body, where the page marks them: as in `text`."
        ),
        column("blocks", list_of(BLOCK), "What `text` is made of, in order; a blank line stands between two."),
        column("live_entries", list_of(LIVE_ENTRY), "Entries of a live blog, in the order of `text`."),
        column("captions", list_of(pa.string()), "What stands under the pictures, as found on the page."),
        column("tables", list_of(TABLE), "Tables in the body, as found on the page; their rows stand in `text`, too."),
        column("next_page", pa.string(), "Address of this article's next page; `text` is that of this page."),
        column("amp_url", pa.string(), "Address of the page's AMP twin."),
        required("extraction", EXTRACTION, "How the body was found."),
        column(
            "encoding",
            pa.string(),
            "Character encoding that the page was read in, by its name in Python, whatever the page says.",
        ),
        column("unreadable", pa.int32(), "Characters of the page that could not be read in it, and became U+FFFD."),
        column("page", PAGE, "Where the fetched bytes are kept."),
        required("versions", VERSIONS, "What made this row; stale when these differ from today's."),
    ],
)

REJECTIONS: Final = _schema(
    "rejections",
    [
        required("source", pa.string(), "Name of the source."),
        required("input", pa.string(), "What the run was given: a URL, or a path below the folder it came from."),
        column("url", pa.string(), "Address after redirects, where there is one."),
        required("stage", pa.string(), "Where it was set aside: `discover`, `fetch`, `decode`, `clean` or `edit`."),
        required("reason", pa.string(), "Why, as a code to group by."),
        required("detail", pa.string(), "Why, in words."),
        column("page", PAGE, "Where the fetched bytes are kept, if any came."),
        required("first_seen_at", INSTANT, "When this input was first set aside."),
        required("updated_at", INSTANT, "When the cause last changed."),
        required("run", pa.string(), "Run that set it aside with this cause."),
        column("versions", VERSIONS, "What judged it."),
    ],
)

ARTICLE_TOPICS: Final = _schema(
    "article_topics",
    [
        required("article_id", pa.string(), "Article."),
        required("position", pa.int32(), "Place in the article's `topics`, from 0."),
        required("source", pa.string(), "The article's source."),
        required("language", pa.string(), "The article's language."),
        column(
            "topic_id",
            pa.string(),
            "IPTC Media Topic, such as `medtop:20000002`, or a watchlist, such as `watch:port-strikes`.",
        ),
        column("label", pa.string(), "The topic's English label, or the watchlist's."),
        column("score", pa.float64(), "How sure the tagger is, 0 to 1; 1 for a watchlist."),
        column("evidence", list_of(TOPIC_EVIDENCE), "The phrases that decided; none where the model alone saw it."),
    ],
)

ARTICLE_ARTIFACTS: Final = _schema(
    "article_artifacts",
    [
        required("article_id", pa.string(), "Article."),
        required("position", pa.int32(), "Place in the article's `artifacts`, from 0."),
        required("source", pa.string(), "The article's source."),
        required("language", pa.string(), "The article's language."),
        *ARTIFACT.fields,
    ],
)

ARTICLE_STORIES: Final = _schema(
    "article_stories",
    [
        required("article_id", pa.string(), "Article."),
        required("story_id", pa.string(), "Article id of the story's earliest telling."),
        required("is_original", pa.bool_(), "This article is that earliest telling."),
        column("duplicate_of", pa.string(), "Article id of what it repeats; null for an original."),
        column("similarity", pa.float64(), "The larger of `contained` and `containing`, 0 to 1; null for an original."),
        column("contained", pa.float64(), "The part of this article's words that stand in the original, 0 to 1."),
        column("containing", pa.float64(), "The part of the original's words that stand in this article, 0 to 1."),
        column(
            "kind",
            pa.string(),
            "What it makes of the original: `reprint` (nearly all of each stands in the other), `excerpt` (nearly all "
            "of it stands in the original, which has more), `extension` (it holds nearly all of the original, and "
            "more), `reworking` (they share a part of each).",
        ),
    ],
)

FINGERPRINTS: Final = _schema(
    "fingerprints",
    [
        required("article_id", pa.string(), "Article."),
        required("published_at", INSTANT, "When it was published."),
        required("language", pa.string(), "The article's language."),
        required("fingerprint", pa.binary(), "Fingerprint of the content, for matching near-duplicates."),
    ],
)

COMMIT_FILLS: Final = ("first_seen_at", "updated_at", "revision", "gone_at", "run")
"""Columns that a staged row does not have: the commit knows them."""


def _staged(name: str, schema: pa.Schema, *added: pa.Field) -> pa.Schema:
    return _schema(name, [*(field for field in schema if field.name not in COMMIT_FILLS), *added])


_NUMBER: Final = required("number", pa.int64(), "Place of the input in the run, from 0.")

STAGED_ARTICLES: Final = _staged(
    "staged_articles",
    ARTICLES,
    required("fallback_id", pa.string(), "The identity when the claimed canonical URL is not believed."),
    required("fingerprint", pa.binary(), "Fingerprint of the content."),
    _NUMBER,
)
STAGED_REJECTIONS: Final = _staged("staged_rejections", REJECTIONS, _NUMBER)

_BOOKKEEPING: Final = frozenset(
    {"fetched_at", "first_seen_at", "updated_at", "revision", "gone_at", "encoding", "unreadable", "page", "versions"}
)
_PUBLISHED: Final = "UTC day of `published_at` when the article was first stored."

ARTICLES_DATASET: Final = Dataset(
    name="articles",
    meaning="One row an article: the product.",
    folder="articles",
    schema=ARTICLES,
    key=("article_id",),
    partition_key="published_date",
    partition_meaning=_PUBLISHED,
    uncounted=_BOOKKEEPING | {"source", "input"},
    dictionary=(
        "source",
        "published_precision",
        "published_source",
        "language",
        "language_declared",
        "section",
        "site_name",
        "languages.list.element.language",
        "artifacts.list.element.field",
        "artifacts.list.element.rule",
        "artifacts.list.element.category",
        "artifacts.list.element.action",
        "mt_evidence.kinds.list.element.kind",
        "topics.list.element.id",
        "topics.list.element.label",
        "topics.list.element.evidence.list.element.field",
        "blocks.list.element.kind",
        "extraction.strategy",
        "page.file",
        "versions.pipeline",
        "versions.rules",
        "versions.taxonomy",
        "versions.tagger",
        "versions.score_model",
        "versions.watchlists",
    ),
)
REJECTIONS_DATASET: Final = Dataset(
    name="rejections",
    meaning="One row an input that was set aside, with stage and reason; gone once the input succeeds.",
    folder="rejections",
    schema=REJECTIONS,
    key=("source", "input"),
    partition_key="rejected_date",
    partition_meaning="UTC day on which the input was first set aside.",
    uncounted=_BOOKKEEPING | {"run"},
    dictionary=("source", "stage", "reason", "run"),
)
ARTICLE_TOPICS_DATASET: Final = Dataset(
    name="article_topics",
    meaning="The articles' `topics` laid flat: one row a topic of an article.",
    folder="article_topics",
    schema=ARTICLE_TOPICS,
    key=("article_id", "position"),
    partition_key="published_date",
    partition_meaning=_PUBLISHED,
    dictionary=("source", "language", "topic_id", "label"),
)
ARTICLE_ARTIFACTS_DATASET: Final = Dataset(
    name="article_artifacts",
    meaning="The articles' `artifacts` laid flat: one row a finding in an article.",
    folder="article_artifacts",
    schema=ARTICLE_ARTIFACTS,
    key=("article_id", "position"),
    partition_key="published_date",
    partition_meaning=_PUBLISHED,
    dictionary=("source", "language", "field", "rule", "category", "action"),
)
ARTICLE_STORIES_DATASET: Final = Dataset(
    name="article_stories",
    meaning="Which articles tell the same story: one row an article.",
    folder="article_stories",
    schema=ARTICLE_STORIES,
    key=("article_id",),
    partition_key="published_date",
    partition_meaning=_PUBLISHED,
)
FINGERPRINTS_DATASET: Final = Dataset(
    name="fingerprints",
    meaning="Fingerprints of the articles, for matching near-duplicates; not part of the product.",
    folder="state/fingerprints",
    schema=FINGERPRINTS,
    key=("article_id",),
    partition_key="published_date",
    partition_meaning=_PUBLISHED,
    dictionary=("language",),
)

PRODUCT: Final = (
    ARTICLES_DATASET,
    REJECTIONS_DATASET,
    ARTICLE_TOPICS_DATASET,
    ARTICLE_ARTIFACTS_DATASET,
    ARTICLE_STORIES_DATASET,
)
"""What analysts read, in the order of docs/dataset.md."""

DATASETS: Final = {dataset.name: dataset for dataset in (*PRODUCT, FINGERPRINTS_DATASET)}


def added_since(dataset: Dataset, version: str) -> tuple[str, ...]:
    """Return the columns that a file of an older version lacks; a version nobody knows is a ValueError.

    >>> added_since(ARTICLES_DATASET, "1")[:2], added_since(REJECTIONS_DATASET, "1")
    (('gone_at', 'published_offset'), ())
    """
    later = KNOWN_VERSIONS[KNOWN_VERSIONS.index(version) + 1 :]
    return tuple(name for each in later for name in ADDED[each].get(dataset.name, ()))
