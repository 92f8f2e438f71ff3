"""All that a page says about its article, from every source, in one value."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urljoin, urlsplit

from tasks.clean.metadata.bylines import visible_bylines
from tasks.clean.metadata.jsonld import LinkedData, Update, read_linked_data
from tasks.clean.metadata.names import is_user_name, people
from tasks.clean.metadata.published import Publication, find_modification, find_publication
from tasks.clean.metadata.tags import MetaTags, read_meta_tags
from tasks.clean.metadata.titles import agreement, choose_title, parts_of
from tasks.clean.nodes import Node, Tree, ancestors, attribute, text_of
from tasks.clean.whitespace import flat

_MOST_HEADINGS = 20
# What old pages set a headline in instead of an h1.
_HEADLINE_TAGS = "h2, h3, font, b, strong, big"
_MOST_HEADLINES = 200
_TITLE_WEIGHTS = {"og:title": 1.0, "twitter:title": 0.5}
_CLOSED_TIERS = frozenset({"locked", "paid", "premium", "closed", "false", "subscriber"})
_LONGEST_LANGUAGE_TAG = 35


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


def gather_metadata(tree: Tree, url: str, fetched_at: datetime) -> Metadata:
    """Read a page's metadata. `tree` must still hold its scripts."""
    tags, linked = read_meta_tags(tree), read_linked_data(tree)
    base = _base(tree, url)
    language = _language(tree, tags, linked)
    site_name = tags.first("site_name") or linked.publisher
    title, headline = _headline(tree, tags, linked, site_name)
    return Metadata(
        title=title,
        summary=linked.description or tags.first("summary") or None,
        authors=_authors(tree, tags, linked, (site_name, linked.publisher, *_host_names(url)), headline),
        publication=find_publication(tree, linked, tags, headline, url=url, language=language, fetched_at=fetched_at),
        modified_at=find_modification(linked, tags, fetched_at),
        canonical_url=_canonical(tree, tags, linked, base),
        language=language or None,
        keywords=_keywords(tags, linked),
        section=linked.section or tags.first("section") or None,
        site_name=site_name or None,
        lead_image=_absolute(base, tags.first("image") or linked.image),
        is_paywalled=linked.is_free is False or tags.first("free").lower() in _CLOSED_TIERS,
        walled=linked.walled,
        quoted_body=linked.body,
        word_count=linked.word_count,
        updates=linked.updates,
        document_title=_document_title(tree),
        is_declared_article=linked.is_article or tags.values.get("og:type", ("",))[0].lower() == "article",
    )


def _document_title(tree: Tree) -> str:
    node = tree.css_first("head title") or tree.css_first("title")
    return text_of(node) if node is not None else ""


def _headline(tree: Tree, tags: MetaTags, linked: LinkedData, site_name: str) -> tuple[str, Node | None]:
    """Return the title, and the element that shows it."""
    shown = {text: heading for heading in tree.css("h1")[:_MOST_HEADINGS] if len(text := text_of(heading)) > 3}
    declared = [(linked.headline, 1.0)]
    for name, weight in _TITLE_WEIGHTS.items():
        declared += [(title, weight) for title in tags.values.get(name, ())[:1]]
    declared.append((_document_title(tree), 0.5))
    if not any(title for title, _ in declared):
        declared = [(title, 1.0) for title in tags.all("title")][:1]
    title = choose_title(list(shown), declared, site_name) if shown or any(title for title, _ in declared[:-1]) else ""
    if not title and (alone := _part_shown_alone(tree, _document_title(tree))):
        return alone
    title = title or choose_title([], declared, site_name)
    return title, max(shown.items(), key=lambda pair: agreement(pair[0], [title]), default=("", None))[1]


def _part_shown_alone(tree: Tree, title: str) -> tuple[str, Node] | None:
    """Return the longest part of a document's title that an element shows as all its text: an old page's headline."""
    if not (parts := parts_of(title)):
        return None
    alone = {text_of(node): node for node in tree.css(_HEADLINE_TAGS)[:_MOST_HEADLINES] if not _is_link(node)}
    return next(((part, alone[part]) for part in parts if part in alone), None)


def _is_link(node: Node) -> bool:
    """Tell whether a node is or stands in a link: a newspaper's own name usually does."""
    return node.tag == "a" or any(above.tag == "a" for above in ancestors(node, limit=4))


def _authors(
    tree: Tree, tags: MetaTags, linked: LinkedData, site_names: tuple[str, ...], headline: Node | None
) -> tuple[str, ...]:
    """Return the people named as authors; user names only where nobody is named in full."""
    declared = (people(linked.authors, site_names), people(tags.all("authors"), site_names))
    for names in declared:
        if names and not all(map(is_user_name, names)):
            return names
    return people(visible_bylines(tree, headline), site_names) or declared[0] or declared[1]


def _keywords(tags: MetaTags, linked: LinkedData) -> tuple[str, ...]:
    listed = [word for value in tags.all("keywords") for word in map(flat, value.split(","))]
    words = linked.keywords or tuple(tags.all("tags")) or listed
    return tuple(dict.fromkeys(word for word in words if word))[:50]


def _language(tree: Tree, tags: MetaTags, linked: LinkedData) -> str:
    root = tree.css_first("html")
    declared = (attribute(root, "lang") or attribute(root, "xml:lang")) if root is not None else ""
    tag = (declared or linked.language or tags.first("language")).split(",")[0].strip().replace("_", "-")
    return tag if len(tag) <= _LONGEST_LANGUAGE_TAG and tag.replace("-", "").isalnum() and tag.isascii() else ""


def _base(tree: Tree, url: str) -> str:
    node = tree.css_first("base[href]")
    return _absolute(url, attribute(node, "href")) or url if node is not None else url


def _canonical(tree: Tree, tags: MetaTags, linked: LinkedData, base: str) -> str | None:
    node = tree.css_first('link[rel~="canonical" i][href]')
    claims = (attribute(node, "href") if node is not None else "", tags.first("canonical"), linked.url)
    return next((address for claim in claims if (address := _absolute(base, claim))), None)


def _absolute(base: str, reference: str) -> str | None:
    """Return an http(s) address, made absolute; None where there is none.

    >>> _absolute("https://news.example/a/b", "/c"), _absolute("", "javascript:alert(1)")
    ('https://news.example/c', None)
    """
    if not reference:
        return None
    try:
        address = flat(urljoin(base, reference))
    except ValueError:
        return None
    return address if _is_address(address) else None


def _host_names(url: str) -> tuple[str, ...]:
    """Return what a site may call itself after its host.

    >>> _host_names("https://www.bridge.example/a")
    ('bridge.example', 'bridge')
    """
    if not _is_address(url):
        return ()
    host = (urlsplit(url).hostname or "").removeprefix("www.")
    return host, host.split(".")[0]


def _is_address(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False
