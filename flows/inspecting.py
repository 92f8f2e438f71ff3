"""`copydesk inspect`: one document through every stage of the desk, nothing stored."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from datetime import timedelta, timezone
from itertools import islice
from random import Random

from rich.padding import Padding
from rich.rule import Rule as Line
from rich.table import Table as Grid
from rich.text import Text

from flows.clock import utc_now
from flows.console import artifact_table, diff, out
from flows.desks import desk_of
from flows.endings import DONE, NOT_DONE
from flows.settings import Settings
from tasks.clean.blocks import BETWEEN
from tasks.documents import Article, BlockKind, Candidate, Page, Rejection, Table
from tasks.edit import Edited, edit_in_full
from tasks.fetch.client import Fetcher
from tasks.fetch.local import read_local
from tasks.fetch.results import Deferred, Fetched, Request, Result
from tasks.fetch.sources import Source, SourceError, source_from_argument


def inspect_document(argument: str, *, mode: str, allow_private: bool, as_json: bool) -> int:
    """Show what each stage makes of one document; return 1 where it is set aside."""
    settings = Settings.load()
    source = source_from_argument(argument, delay=0, allow_private=allow_private)
    page = _from_disk(source) if source.is_local else _from_web(source, settings.contact)
    desk = desk_of(settings, mode)
    edited = page if isinstance(page, Rejection) else edit_in_full(page, desk)
    if as_json:
        made = edited if isinstance(edited, Rejection) else edited.article
        out.print_json(json.dumps(asdict(made), default=_plain))
    elif isinstance(edited, Rejection):
        out.print(f"[bold]set aside[/bold] at {edited.stage}: [red]{edited.reason}[/red]  {edited.detail}")
    else:
        assert isinstance(page, Page)
        _show(page, edited)
    return NOT_DONE if isinstance(edited, Rejection) else DONE


def _from_disk(source: Source) -> Page | Rejection:
    documents = [found for found in islice(read_local(source), 3) if isinstance(found, Page | Rejection)]
    if len(documents) != 1:
        raise SourceError(
            f"{source.location} holds {'no document' if not documents else 'more than one document'}; "
            "`copydesk inspect` shows one. Name a single .html, .html.gz or .txt file, or a page's address."
        )
    return documents[0]


def _from_web(source: Source, contact: str) -> Page | Rejection:
    result = asyncio.run(_fetch(source, contact))
    if isinstance(result, Fetched):
        return result.page()
    if isinstance(result, Rejection):
        return result
    detail = result.detail if isinstance(result, Deferred) else "it has not changed"
    raise SourceError(f"{source.location} was not fetched: {detail}. Try again later.")


async def _fetch(source: Source, contact: str) -> Result:
    chance = Random(0)  # noqa: S311 - for the jitter of retries
    candidate = Candidate(input=source.location, source=source.name, url=source.location)
    async with Fetcher(contact=contact, clock=utc_now, random=chance) as fetcher:
        return await fetcher.fetch(Request(candidate=candidate, source=source))


def _show(page: Page, edited: Edited) -> None:
    """Print a document stage by stage, the way a copy editor would look at it."""
    draft, language, mended, article = edited.draft, edited.language, edited.mended, edited.article
    _section(
        "page",
        address=page.url or page.input,
        type=page.content_type,
        size=f"{len(page.body):,} bytes",
        sha256=page.sha256,
        read_as=article.encoding + (f", {article.unreadable:,} characters unreadable" if article.unreadable else ""),
    )
    _section(
        "clean",
        title=draft.title,
        summary=draft.summary,
        authors=", ".join(draft.authors),
        published=f"{article.published_at:%Y-%m-%d %H:%M} UTC, {article.published_precision}",
        date_from=article.published_source,
        its_clock=None if draft.published_offset is None else str(timezone(timedelta(minutes=draft.published_offset))),
        canonical=draft.canonical_url,
        section=draft.section,
        strategy=f"{draft.extraction.strategy} ({draft.extraction.confidence:.2f})",
        words=f"{article.word_count:,}",
        paywall=_paywall(article),
    )
    _section(
        "content",
        standfirst=article.standfirst,
        blocks=_counts(block.kind for block in article.blocks),
        live_entries=_entries(article),
        captions="\n".join(article.captions),
        tables="\n".join(map(_outlined, article.tables)),
        next_page=article.next_page,
        amp=article.amp_url,
    )
    _section(
        "language",
        detected=f"{language.tag} ({language.confidence:.2f})",
        declared=draft.language_declared,
        shares=", ".join(f"{share.language} {share.share:.0%}" for share in language.shares),
    )
    evidence = mended.evidence
    _section(
        "artifacts",
        service=evidence.service,
        translated_from=evidence.source_language,
        translated=None
        if article.translated_score is None
        else f"{article.translated_score:.2f} by its phrasing alone",
        gate=evidence.gate or "shut: only what is safe in any text is mended",
    )
    if mended.artifacts:
        out.print(Padding(artifact_table(mended.artifacts), (1, 0, 0, 2)))
    _section("topics")
    table = Grid(box=None, pad_edge=False, show_header=False)
    for topic in edited.topics:
        phrases = ", ".join(dict.fromkeys(evidence.phrase for evidence in topic.evidence))
        table.add_row(f"{topic.score:.2f}", topic.label, Text(topic.id, style="dim"), Text(phrases, style="dim"))
    out.print(Padding(table, (0, 0, 0, 2)))
    _section("text")
    in_text = [artifact for artifact in mended.artifacts if artifact.field == "text"]
    out.print(Padding(diff(mended.text, in_text), (1, 2, 1, 2)))


def _paywall(article: Article) -> str:
    said = "declared" if article.is_paywalled else ""
    return ", ".join(filter(None, (said, "only the beginning is here" if article.is_truncated else "")))


def _counts(kinds: Iterable[BlockKind]) -> str:
    return ", ".join(f"{count:,} {kind}" for kind, count in Counter(kinds).items())


def _entries(article: Article) -> str:
    return "\n".join(
        f"{entry.published_at:%Y-%m-%d %H:%M} UTC  {article.text[entry.start : entry.end].partition(BETWEEN)[0]}"
        for entry in article.live_entries
    )


def _outlined(table: Table) -> str:
    """Return a table as a line: its size, its name, and what its first row says."""
    size = f"{len(table.rows):,} × {len(table.rows[0]):,}"
    return "  ".join(filter(None, (size, table.caption, " | ".join(filter(None, table.rows[0])))))


def _section(name: str, **facts: str | None) -> None:
    out.print(Line(f"[bold]{name}", align="left", style="dim"))
    table = Grid(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 2))
    for label, fact in facts.items():
        if fact:
            table.add_row(Text(label.replace("_", " "), style="dim"), Text(fact))
    if table.row_count:
        out.print(table)


def _plain(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
