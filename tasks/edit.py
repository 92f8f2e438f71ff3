"""The desk: `Page` → `Article`, or the `Rejection` that says why not."""

from dataclasses import dataclass
from datetime import datetime

from tasks.artifacts.markers import page_markers
from tasks.artifacts.mend import Mended, Mode, mend
from tasks.artifacts.rulebook import RULES_VERSION
from tasks.clean.bounds import MOST_TEXT
from tasks.clean.decoding import Decoded, decode
from tasks.clean.extract import clean
from tasks.clean.plaintext import read_document
from tasks.clean.whitespace import is_noise
from tasks.documents import (
    Article,
    Draft,
    Language,
    Page,
    PageKind,
    Precision,
    Reason,
    Rejection,
    Stage,
    Topic,
    Versions,
)
from tasks.fingerprint import fingerprint
from tasks.language import detect_language
from tasks.layout import lay_out
from tasks.topics.tagger import TAGGER_VERSION
from tasks.topics.taxonomy import TAXONOMY_VERSION
from tasks.topics.watching import topics_of
from tasks.topics.watchlists import Watchlists
from tasks.translated.score import SCORE_MODEL_VERSION, translated_score
from tasks.urls import article_id, believable_canonical, canonical_url, content_id
from tasks.words import count_words

PIPELINE_VERSION = "0.1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the whole desk works by: how boldly text is mended, which languages are expected, the user's own topics."""

    mode: Mode = Mode.STANDARD
    expected_languages: tuple[str, ...] = ()
    watchlists: Watchlists | None = None


def versions(desk: Desk) -> Versions:
    """Return the versions of everything that makes a row at a desk."""
    return Versions(
        pipeline=PIPELINE_VERSION,
        rules=RULES_VERSION,
        taxonomy=TAXONOMY_VERSION,
        tagger=TAGGER_VERSION,
        score_model=SCORE_MODEL_VERSION,
        watchlists=None if desk.watchlists is None else desk.watchlists.digest,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """An article with what each stage made of it on the way; `copydesk inspect` shows these."""

    draft: Draft
    language: Language
    mended: Mended
    topics: tuple[Topic, ...]
    article: Article


def edit(page: Page, desk: Desk) -> Article | Rejection:
    """Turn a fetched page into an article, or say why not."""
    edited = edit_in_full(page, desk)
    return edited if isinstance(edited, Rejection) else edited.article


def edit_in_full(page: Page, desk: Desk) -> Edited | Rejection:
    """Do what `edit` does, and keep what each stage concluded."""
    decoded = decode(page.body, page.content_type)
    if is_noise(decoded.text):
        return page.reject(Stage.DECODE, Reason.UNDECODABLE, "these bytes are no text in any charset")
    draft = clean(page, decoded.text) if page.kind is PageKind.HTML else read_document(page, decoded.text)
    if isinstance(draft, Rejection):
        return draft
    if (length := len(draft.title) + len(draft.text)) > MOST_TEXT:
        return page.reject(Stage.CLEAN, Reason.TOO_LARGE, f"{length:,} characters of text")
    declared = tuple(tag for tag in (draft.language_declared, page.hints.language) if tag)
    language = detect_language(draft.text, declared=declared, prior=desk.expected_languages)
    mended = mend(
        title=draft.title,
        summary=draft.summary,
        text=draft.text,
        language=language.tag,
        markers=page_markers(decoded.text, page.url),
        mode=desk.mode,
    )
    topics = topics_of(mended.title, mended.text, language.tag, desk.watchlists)
    return Edited(
        draft=draft,
        language=language,
        mended=mended,
        topics=topics,
        article=_article(page, decoded, draft, language, mended, topics, versions(desk)),
    )


def _article(
    page: Page,
    decoded: Decoded,
    draft: Draft,
    language: Language,
    mended: Mended,
    topics: tuple[Topic, ...],
    made_by: Versions,
) -> Article:
    """Lay out what the stages concluded as one row."""
    url, canonical, identity, fallback = _identity(page, draft)
    published_at, precision, published_source = _publication(page, draft)
    layout = lay_out(draft, mended)
    return Article(
        input=page.input,
        source=page.source,
        url=url,
        canonical_url=canonical,
        article_id=identity,
        fallback_id=fallback,
        title=mended.title,
        summary=mended.summary,
        text=mended.text,
        authors=draft.authors,
        published_at=published_at,
        published_precision=precision,
        published_source=published_source,
        published_offset=draft.published_offset,
        modified_at=draft.modified_at,
        fetched_at=page.fetched_at,
        language=language.tag,
        language_confidence=language.confidence,
        language_declared=draft.language_declared,
        languages=language.shares,
        artifacts=mended.artifacts,
        mt_evidence=mended.evidence,
        translated_score=translated_score(draft.text, language.tag),
        topics=topics,
        keywords=draft.keywords,
        section=draft.section,
        site_name=draft.site_name,
        lead_image=draft.lead_image,
        word_count=count_words(mended.text),
        is_paywalled=draft.is_paywalled,
        is_truncated=draft.is_truncated,
        standfirst=layout.standfirst,
        blocks=layout.blocks,
        live_entries=layout.live_entries,
        captions=draft.captions,
        tables=draft.tables,
        next_page=draft.next_page,
        amp_url=draft.amp_url,
        extraction=draft.extraction,
        encoding=decoded.encoding,
        unreadable=decoded.replacements,
        page=page.ref,
        fingerprint=fingerprint(mended.text),
        versions=made_by,
    )


def _identity(page: Page, draft: Draft) -> tuple[str | None, str | None, str, str]:
    """Return the article's URL, the canonical URL it claims if believed, its id by that, and its id without it."""
    if page.kind is PageKind.TEXT and draft.canonical_url:  # a header that the operator wrote is no claim of a page
        identity = article_id(canonical_url(draft.canonical_url))
        return draft.canonical_url, None, identity, identity
    fallback = article_id(canonical_url(page.url) if page.url else content_id(page.sha256))
    claimed = draft.canonical_url
    if claimed is None or not believable_canonical(page.url, claimed):
        return page.url, None, fallback, fallback
    canonical = canonical_url(claimed)
    return page.url, canonical, article_id(canonical), fallback


def _publication(page: Page, draft: Draft) -> tuple[datetime, Precision, str]:
    """Return when it was published; where nothing says so, the day it was fetched."""
    if draft.published_at is None:
        day = page.fetched_at.replace(hour=0, minute=0, second=0, microsecond=0)
        return day, Precision.FETCHED, "fetched"
    return draft.published_at, draft.published_precision or Precision.INSTANT, draft.published_source or "page"
