"""All that a page says about its article, from every source, in one value."""

import re
from dataclasses import dataclass
from datetime import datetime

from tasks.clean.data import vocabulary
from tasks.clean.metadata.authors import find_authors
from tasks.clean.metadata.headline import document_title, find_headline
from tasks.clean.metadata.jsonld import LinkedData, Update
from tasks.clean.metadata.published import Publication, find_modification, find_publication
from tasks.clean.metadata.sources import Sources, absolute, base_of, read_sources
from tasks.clean.metadata.tags import MetaTags
from tasks.clean.nodes import Tree, attribute
from tasks.clean.whitespace import flat
from tasks.documents import Reason

_CLOSED_TIERS = frozenset({"locked", "paid", "premium", "closed", "false", "subscriber"})
_LONGEST_LANGUAGE_TAG = 35
_FRONT_PAGES = vocabulary("meta")["front_page"]
_BETWEEN_KEYWORDS = re.compile(r"[,;،、，]")
# What is longer is a sentence.
_LONGEST_SECTION, _LONGEST_KEYWORD = 40, 80
# Names in og:type (ogp.me) and in JSON-LD (schema.org).
_OTHERS = {
    frozenset({"product", "Product", "ProductGroup"}): Reason.PRODUCT_PAGE,
    frozenset({"video", "VideoObject", "Movie", "TVEpisode", "BroadcastEvent"}): Reason.VIDEO_PAGE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What a page says about its article."""

    title: str
    summary: str | None
    authors: tuple[str, ...]
    publication: Publication | None
    modified_at: datetime | None
    canonical_url: str | None
    language: str | None
    keywords: tuple[str, ...]
    section: str | None
    site_name: str | None
    lead_image: str | None
    is_paywalled: bool
    walled: tuple[str, ...]  # selectors of the parts that are for subscribers
    quoted_body: str  # the text as JSON-LD quotes it, a paragraph a line; often cut
    word_count: int  # as JSON-LD counts; 0 where it does not
    updates: tuple[Update, ...]  # the entries of a live blog as JSON-LD quotes them
    document_title: str
    is_declared_article: bool
    declared_other: Reason | None  # what the page declares itself to be, where that is no article


def gather_metadata(tree: Tree, url: str, fetched_at: datetime) -> Metadata:
    """Read a page's metadata. `tree` must still hold its scripts."""
    sources = read_sources(tree, url)
    tags, linked = sources.tags, sources.linked
    base = base_of(tree, url)
    language = _language(tree, tags, linked)
    headline = find_headline(sources)
    publication = find_publication(sources, headline, language=language, fetched_at=fetched_at)
    return Metadata(
        title=headline.text,
        summary=linked.description or tags.first("summary") or None,
        authors=find_authors(sources, headline),
        publication=publication,
        modified_at=find_modification(sources, publication, fetched_at),
        canonical_url=_canonical(tree, tags, linked, base),
        language=language or None,
        keywords=_keywords(tags, linked),
        section=linked.section or tags.first("section") or _first_step(sources, headline.text),
        site_name=sources.site_name or None,
        lead_image=absolute(base, tags.first("image") or linked.image),
        is_paywalled=linked.is_free is False or tags.first("free").lower() in _CLOSED_TIERS,
        walled=linked.walled,
        quoted_body=linked.body,
        word_count=linked.word_count,
        updates=linked.updates,
        document_title=document_title(tree),
        is_declared_article=linked.is_article or _og_type(tags) == "article",
        declared_other=_other(_og_type(tags), linked),
    )


def _og_type(tags: MetaTags) -> str:
    return tags.values.get("og:type", ("",))[0].lower()


def _other(og_type: str, linked: LinkedData) -> Reason | None:
    """Return for what a page would be rejected that declares a product or a video, and no article.

    >>> _other("video.other", LinkedData()), _other("article", LinkedData(others=frozenset({"Product"})))
    (<Reason.VIDEO_PAGE: 'video-page'>, None)
    """
    if linked.is_article or og_type == "article":
        return None
    kinds = {og_type.partition(".")[0], *linked.others}
    return next((reason for names, reason in _OTHERS.items() if kinds & names), None)


def _first_step(sources: Sources, title: str) -> str | None:
    """Return the first step from the front page to the article that is neither of them."""
    steps = sources.linked.breadcrumbs
    others = {name.casefold() for name in (*_FRONT_PAGES, *sources.site_names, title)}
    return next((step for step in steps if step.casefold() not in others and len(step) <= _LONGEST_SECTION), None)


def _keywords(tags: MetaTags, linked: LinkedData) -> tuple[str, ...]:
    listed = [word for value in tags.all("keywords") for word in map(flat, _BETWEEN_KEYWORDS.split(value))]
    words = linked.keywords or tuple(tags.all("tags")) or listed
    return tuple(dict.fromkeys(word for word in words if 0 < len(word) <= _LONGEST_KEYWORD))[:50]


def _language(tree: Tree, tags: MetaTags, linked: LinkedData) -> str:
    root = tree.css_first("html")
    declared = (attribute(root, "lang") or attribute(root, "xml:lang")) if root is not None else ""
    tag = (declared or linked.language or tags.first("language")).split(",")[0].strip().replace("_", "-")
    return tag if len(tag) <= _LONGEST_LANGUAGE_TAG and tag.replace("-", "").isalnum() and tag.isascii() else ""


def _canonical(tree: Tree, tags: MetaTags, linked: LinkedData, base: str) -> str | None:
    node = tree.css_first('link[rel~="canonical" i][href]')
    claims = (attribute(node, "href") if node is not None else "", tags.first("canonical"), linked.url)
    return next((address for claim in claims if (address := absolute(base, claim))), None)
