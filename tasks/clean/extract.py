"""An HTML page in, a draft out: the one door to this room."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

from tasks.clean.body import Body, find_body
from tasks.clean.bounds import excess
from tasks.clean.metadata.gather import Metadata, gather_metadata
from tasks.clean.neighbours import Neighbours, find_neighbours
from tasks.clean.nodes import Tree
from tasks.clean.outline import STRIPPED_TAGS, Outline, outline_of
from tasks.clean.reading import Reading, read_page
from tasks.clean.verdict import Impression, verdict
from tasks.clean.wall import is_truncated, read_wall
from tasks.clean.whitespace import flat, tidy
from tasks.documents import Draft, Page, Reason, Rejection, Stage

# Characters of a page's text, with its white space, that a verdict looks at.
_IMPRESSION = 20_000
# Where a page has less running text, the article may stand in a menu left open, or in what only shows without scripts.
_HARDLY_ANY = 300
_MORE_BY = 2
_PUT_AWAY = re.compile(r"<(/?)(?:nav|noscript|template|dialog|button|select)(?=[\s/>])", re.IGNORECASE)
_TEASER_TAGS = frozenset({"h2", "h3", "h4"})


def clean(page: Page, html: str) -> Draft | Rejection:
    """Find the article on a page, its text and its metadata, or say why there is none."""
    if problem := excess(html):
        return page.reject(Stage.CLEAN, Reason.HOSTILE_HTML, problem)
    if "<" not in html or html.startswith("%PDF-"):
        return page.reject(Stage.CLEAN, Reason.NOT_HTML if tidy(html[:_IMPRESSION]) else Reason.EMPTY)
    tree = Tree(html)
    metadata = gather_metadata(tree, page.url or "", page.fetched_at)
    neighbours = find_neighbours(tree, page.url or metadata.canonical_url or "")
    reading = _read(tree, html, metadata.title)
    if reading is None:
        return page.reject(Stage.CLEAN, Reason.EMPTY, "the page shows no text")
    outline = reading.outline
    page_text = flat(outline.nodes[0].text(deep=True, separator=" ")[:_IMPRESSION])
    wall = read_wall(tree, metadata.walled, is_barred=any(traits.is_paywall for traits in outline.traits))
    body = find_body(reading, metadata, page.fetched_at)
    if reason := verdict(_impression(page, metadata, outline, body.text, page_text)):
        return page.reject(Stage.CLEAN, reason, page_text[:120] or "the page shows no text")
    goes_on = neighbours.next_page is not None or is_truncated(body.text, metadata, wall)
    return _draft(page, metadata, body, neighbours, is_truncated=goes_on)


def _read(tree: Tree, html: str, title: str) -> Reading | None:
    """Read a page; once more without regard to what is hidden away where there is hardly any text in sight."""
    reading = _read_stripped(tree, title)
    shown = reading.prose(0) if reading is not None else 0
    if shown < _HARDLY_ANY and _PUT_AWAY.search(html):
        again = _read_stripped(Tree(_PUT_AWAY.sub(r"<\1div", html)), title)
        if again is not None and again.prose(0) > max(_HARDLY_ANY, _MORE_BY * shown):
            return again
    return reading


def _read_stripped(tree: Tree, title: str) -> Reading | None:
    tree.strip_tags(STRIPPED_TAGS)
    outline = outline_of(tree)
    return read_page(outline, title) if outline is not None else None


def _impression(page: Page, metadata: Metadata, outline: Outline, text: str, page_text: str) -> Impression:
    return Impression(
        headlines=(metadata.title, metadata.document_title),
        text=text,
        page_text=page_text,
        is_declared_article=metadata.is_declared_article,
        declared_other=metadata.declared_other,
        link_density=outline.link_density(0),
        path=urlsplit(page.url).path if page.url else "/-",
        teasers=sum(
            tag in _TEASER_TAGS and outline.length[index] > 0 and outline.link_density(index) > 0.8
            for index, tag in enumerate(outline.tags)
        ),
        longest=max((own - linked for own, linked in zip(outline.own, outline.own_linked, strict=True)), default=0),
    )


def _minutes(offset: timedelta | None) -> int | None:
    return None if offset is None else int(offset.total_seconds() // 60)


def _draft(page: Page, metadata: Metadata, body: Body, neighbours: Neighbours, *, is_truncated: bool) -> Draft:
    """Join what the page says with what was said about it; the page has the first word."""
    hints, publication = page.hints, metadata.publication
    moment = publication.moment if publication is not None else None
    hinted = hints.published_precision if hints.published_at is not None else None
    return Draft(
        title=metadata.title or hints.title or "",
        text=body.text,
        summary=metadata.summary or hints.summary,
        authors=metadata.authors or hints.authors,
        published_at=moment.instant if moment is not None else hints.published_at,
        published_precision=moment.precision if moment is not None else hinted,
        published_source=publication.source if publication is not None else "feed" if hinted is not None else None,
        published_offset=_minutes(moment.offset) if moment is not None else None,
        modified_at=metadata.modified_at,
        canonical_url=metadata.canonical_url,
        language_declared=metadata.language or hints.language,
        keywords=metadata.keywords,
        section=metadata.section,
        site_name=metadata.site_name,
        lead_image=metadata.lead_image,
        is_paywalled=metadata.is_paywalled,
        is_truncated=is_truncated,
        blocks=body.blocks,
        live_entries=body.live_entries,
        captions=body.captions,
        tables=body.tables,
        next_page=neighbours.next_page,
        amp_url=neighbours.amp_url,
        extraction=body.extraction,
    )
