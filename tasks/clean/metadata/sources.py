"""What a page says about its article and where it says it, before any of it is weighed."""

import re
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from tasks.clean.metadata.jsonld import LinkedData, read_linked_data
from tasks.clean.metadata.lines import Lines
from tasks.clean.metadata.tags import MetaTags, read_meta_tags
from tasks.clean.nodes import Tree, attribute
from tasks.clean.whitespace import flat

_COPYRIGHT_SIGN = re.compile(r"©|\(c\)|copyright|版权所有|版權所有|rights reserved", re.IGNORECASE)
_COPYRIGHT = re.compile(
    rf"{_COPYRIGHT_SIGN.pattern}|all(?=\s+rights reserved)|\b(?:19|20)\d\d(?:\s*[-–—]\s*(?:19|20)\d\d)?\b",
    re.IGNORECASE,
)

# One of the machines that share a site's load.
_FARM = re.compile(r"^www\d*\.")


@dataclass(frozen=True, slots=True)
class Sources:
    """A page with its declarations. `tree` still holds its scripts."""

    tree: Tree
    url: str
    tags: MetaTags
    linked: LinkedData
    lines: Lines

    @property
    def site_name(self) -> str:
        """What the site calls itself; empty where it does not say."""
        names = map(_without_copyright, (*self.tags.all("site_name"), self.linked.publisher))
        return next((name for name in names if name and not name.startswith(("http", "@", "www."))), "")

    @property
    def site_names(self) -> tuple[str, ...]:
        """All that the site may be called, after its host, too."""
        return tuple(filter(None, (self.site_name, self.linked.publisher, *host_names(self.url))))


def read_sources(tree: Tree, url: str) -> Sources:
    """Read what a page declares; its lines are read when somebody asks for them."""
    return Sources(tree, url, read_meta_tags(tree), read_linked_data(tree), Lines(tree))


def _without_copyright(name: str) -> str:
    """Cut from a site's name what says that it holds rights, and since when.

    >>> _without_copyright("Copyright (c) 2017 Daily Bridge. All rights reserved.")
    'Daily Bridge'
    """
    return _COPYRIGHT.sub(" ", name).strip(" .,;:|-–—") if _COPYRIGHT_SIGN.search(name) else name


def absolute(base: str, reference: str) -> str | None:
    """Return an http(s) address, made absolute; None where there is none.

    >>> absolute("https://news.example/a/b", "/c"), absolute("", "javascript:alert(1)")
    ('https://news.example/c', None)
    """
    if not reference:
        return None
    try:
        address = flat(urljoin(base, reference))
    except ValueError:
        return None
    return address if _is_address(address) else None


def base_of(tree: Tree, url: str) -> str:
    """Return the address by which a page's links are read: its own, unless it names another.

    >>> base_of(Tree('<head><base href="/print/"></head>'), "https://news.example/a/b")
    'https://news.example/print/'
    """
    node = tree.head.css_first("base[href]") if tree.head is not None else None
    return (absolute(url, attribute(node, "href")) or url) if node is not None else url


def host_names(url: str) -> tuple[str, ...]:
    """Return what a site may call itself after its host.

    >>> host_names("https://www1.bridge.example/a")
    ('bridge.example', 'bridge')
    """
    if not _is_address(url):
        return ()
    host = _FARM.sub("", urlsplit(url).hostname or "")
    return host, host.split(".")[0]


def _is_address(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False
