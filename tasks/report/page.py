"""Draw a run as one self-contained HTML page: it opens from disk, asks the network for nothing, and prints."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

import pyarrow as pa
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tasks.documents import Outcome
from tasks.gates import GateStatus
from tasks.partitions import Partition
from tasks.phrasing import counted
from tasks.report import figures, glyphs, plots, words
from tasks.report.corrections import COLUMNS, corrected_articles, specimen
from tasks.report.days import days_of
from tasks.report.figures import Tally
from tasks.report.summary import RunSummary, SourceOutcomes

# All that is read of the articles, for callers who load no more than that.
ARTICLE_COLUMNS = (*COLUMNS, "topics", "mt_evidence", "translated_score", "published_precision", "first_seen_at")

# What one page has room for; the rest is counted, and the page says how to see it.
DOCUMENTS = 300
CORRECTIONS = 2_500
CORRECTIONS_PER_DOCUMENT = 40
SOURCES = 60
ROWS = 40  # of rules, of reasons for rejection
NOTICES = 30
BARS = 12

OUTCOME_MEANINGS = {
    Outcome.NEW: "seen for the first time",
    Outcome.UPDATED: "known, and changed since",
    Outcome.UNCHANGED: "known, and still the same",
    Outcome.REPEATED: "met twice in this run",
    Outcome.SKIPPED: "left alone on purpose",
    Outcome.DEFERRED: "put off to a later run",
    Outcome.REJECTED: "set aside with a reason",
}

# The worst first.
GATE_ORDER = (GateStatus.FAILED, GateStatus.WARNED, GateStatus.PASSED)

NEWEST = "SELECT published_date, source, title FROM articles ORDER BY published_at DESC LIMIT 10"
BUSIEST_RULES = (
    "SELECT a.rule, a.action, count(*) AS times "
    "FROM (SELECT unnest(artifacts) AS a FROM articles) GROUP BY ALL ORDER BY times DESC"
)
OLDER_CORRECTIONS = (
    "SELECT title, a.rule, a.action, a.before, a.after FROM (SELECT title, unnest(artifacts) AS a FROM (FROM articles "
    "WHERE len(artifacts) > 0 ORDER BY published_at DESC, article_id OFFSET {shown}))"
)
ONE_ARTICLE = "SELECT unnest(artifacts, recursive := true) FROM articles WHERE article_id = {article_id}"
REJECTIONS = "SELECT source, stage, reason, input, detail FROM rejections ORDER BY stage, reason"
STORIES = "SELECT story_id, count(*) AS tellings FROM article_stories GROUP BY story_id HAVING tellings > 1"
TO_MEND = "“The bridge will hold” , the mayor insisted."


@dataclass(frozen=True, slots=True)
class Command:
    """Something to try next: what it shows, and the line to type."""

    purpose: str
    line: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """The drawn calendar, and how many articles are older or later than the days it has room for."""

    drawing: Markup
    outside: int


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """A source's line in the table of outcomes."""

    source: str
    inputs: int
    counts: tuple[int, ...]  # in the order of the columns
    bar: Markup


def render(
    summary: RunSummary,
    articles: pa.Table,
    rejections: pa.Table,
    stories: pa.Table | None = None,
    partitions: Sequence[Partition] = (),
) -> str:
    """Return the report of a run as an HTML page.

    `articles` has the columns of the dataset, of which `ARTICLE_COLUMNS` are read; `rejections` has `source`, `input`,
    `url`, `stage`, `reason` and `detail`; `stories` has `article_id`, `story_id`, `duplicate_of` and `similarity`.

    The page stays small however large the tables: everything is counted, and the newest documents are shown.
    """
    bounds = {"documents": DOCUMENTS, "per_document": CORRECTIONS_PER_DOCUMENT, "in_all": CORRECTIONS}
    corrected = tuple(corrected_articles(articles, **bounds))
    columns = outcome_columns(summary)
    translation = figures.translation(articles)
    return (
        _environment()
        .get_template("report.html")
        .render(
            summary=summary,
            run=summary.run,
            policy=_content_policy(),
            verdict=words.verdict(summary),
            gates=sorted(summary.gates, key=lambda gate: GATE_ORDER.index(gate.status)),
            columns=columns,
            meanings=OUTCOME_MEANINGS,
            outcome_rows=outcome_rows(summary, columns),
            article_count=len(articles),
            freshness=figures.freshness(articles),
            calendar=_calendar(articles),
            days=days_of(partitions),
            mend_days=_mend_days(summary, partitions),
            languages=_named_languages(figures.tally(articles["language"])),
            topics=figures.topics(articles),
            translation=translation,
            source_languages=_named_languages(translation.source_languages),
            rules=figures.findings_by_rule(articles),
            in_this_run=summary.corrections_by_rule,
            found_in=figures.articles_with_findings(articles),
            corrected=corrected,
            shown_rules=sorted({found.rule for article in corrected for found in article.corrections}),
            shown_sources=sorted({article.source for article in corrected}),
            specimen=specimen(corrected),
            stories=figures.retold_stories(stories, articles) if stories is not None else (),
            rejections=figures.rejections_by_reason(rejections),
            stage_bars=[
                plots.Bar(stage, seconds, words.duration(seconds))
                for stage, seconds in summary.seconds_by_stage.items()
            ],
            older=_query(summary, OLDER_CORRECTIONS.format(shown=len(corrected))),
            one_article={
                article.article_id: _query(summary, ONE_ARTICLE.format(article_id=words.sql_text(article.article_id)))
                for article in corrected
                if article.left_out
            },
            all_rejections=_query(summary, REJECTIONS),
            all_stories=_query(summary, STORIES),
            try_next=_try_next(summary),
        )
    )


def outcome_columns(summary: RunSummary) -> tuple[Outcome, ...]:
    """Return the outcomes the table has a column for: those that happened, new and rejected always."""
    always = {Outcome.NEW, Outcome.REJECTED}
    return tuple(outcome for outcome in Outcome if outcome in always or summary.count(outcome))


def outcome_rows(summary: RunSummary, columns: Sequence[Outcome]) -> tuple[OutcomeRow, ...]:
    """Return a row for each source, the largest first; beyond the room of the page, the rest share one."""
    ordered = sorted(summary.sources, key=lambda source: (-source.inputs, source.source))
    shown, rest = ordered[:SOURCES], ordered[SOURCES:]
    if rest:
        shown.append(_together(rest))
    return tuple(_outcome_row(source, columns) for source in shown)


def _together(sources: Sequence[SourceOutcomes]) -> SourceOutcomes:
    """Add several sources up into one line."""
    return SourceOutcomes(
        source=counted(len(sources), "more source"),
        inputs=sum(source.inputs for source in sources),
        outcomes={outcome: sum(source.count(outcome) for source in sources) for outcome in Outcome},
    )


def _outcome_row(source: SourceOutcomes, columns: Sequence[Outcome]) -> OutcomeRow:
    counts = tuple(source.count(outcome) for outcome in columns)
    shares = [plots.Share(outcome, count, f"o-{outcome}") for outcome, count in zip(columns, counts, strict=True)]
    bar = plots.stacked_bar(shares, total=source.inputs, title=source.source)
    return OutcomeRow(source.source, source.inputs, counts, bar)


def _calendar(articles: pa.Table) -> Calendar | None:
    """Draw the days of publication up to the newest; None where there is no article."""
    days = figures.articles_per_day(articles)
    if not days:
        return None
    last = max(days)
    first = plots.first_monday(days, last)
    inside = {day: count for day, count in days.items() if day >= first}
    return Calendar(
        plots.calendar(inside, last=last, description=_calendar_in_words(inside)), _sum(days) - _sum(inside)
    )


def _sum(days: dict[date, int]) -> int:
    return sum(days.values())


def _calendar_in_words(days: dict[date, int]) -> str:
    """Say what the calendar shows, for those who do not see it."""
    busiest = max(days, key=lambda day: (days[day], day))
    return (
        f"{counted(_sum(days), 'article')} on {counted(len(days), 'day')}, "
        f"from {min(days).isoformat()} to {max(days).isoformat()}; "
        f"most on {busiest.isoformat()}: {words.number(days[busiest])}."
    )


def _named_languages(languages: Sequence[Tally]) -> tuple[Tally, ...]:
    return tuple(Tally(words.language_name(language.label), language.count) for language in languages)


def _tally_bars(tallies: Sequence[Tally], title: str) -> Markup:
    """Draw the first tallies as bars; a screen reader hears the first five."""
    shown = [plots.Bar(words.clipped(tally.label, 60), tally.count, words.number(tally.count)) for tally in tallies]
    told = ", ".join(f"{bar.label} {bar.shown}" for bar in shown[:5])
    return plots.bars(shown[:BARS], title=title, description=f"The most frequent: {told}.")


def _stage_bars(stages: Sequence[plots.Bar]) -> Markup:
    told = ", ".join(f"{bar.label} {bar.shown}" for bar in stages)
    return plots.bars(stages, title="Time by stage", description=told)


def _query(summary: RunSummary, sql: str) -> str:
    """Return the command that runs a query over the run's dataset."""
    return f"copydesk query{_data_option(summary)} {words.shell_word(sql)}"


def _mend_days(summary: RunSummary, partitions: Sequence[Partition]) -> str:
    """Return the command that brings the days shown up to date."""
    days = [each.day for each in partitions]
    return f"copydesk backfill{_data_option(summary)} --from {min(days)} --to {max(days)}" if days else ""


def _data_option(summary: RunSummary) -> str:
    folder = summary.run.data_folder
    return "" if folder.rstrip("/") in ("data", "./data") else f" --data {words.shell_word(folder)}"


def _try_next(summary: RunSummary) -> tuple[Command, ...]:
    return (
        Command("The newest headlines", _query(summary, NEWEST)),
        Command("Which rules were busiest", _query(summary, BUSIEST_RULES)),
        Command("The desk on a sentence of your own", f"echo {words.shell_word(TO_MEND)} | copydesk mend -"),
    )


def _content_policy() -> str:
    """Return the page's own content policy: its styles and its one script, and nothing from anywhere else."""
    script = _environment().get_template("report.js").render()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


@cache
def _environment() -> Environment:
    """Return the template environment: everything is escaped unless it was made as markup here."""
    environment = Environment(
        loader=PackageLoader("tasks", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"BARS": BARS, "NOTICES": NOTICES, "ROWS": ROWS}
    environment.filters |= {
        "clipped": words.clipped,
        "day": words.day,
        "duration": words.duration,
        "language_name": words.language_name,
        "language_tag": words.language_tag,
        "legible": glyphs.legible,
        "moment": words.moment,
        "number": words.number,
        "counted": counted,
        "reveal": glyphs.reveal,
        "safe_link": words.safe_link,
        "stage_bars": _stage_bars,
        "tally_bars": _tally_bars,
    }
    return environment
