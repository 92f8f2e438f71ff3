"""Meta tags by name: OpenGraph, Twitter, Dublin Core, Parse.ly and their kin, and microdata."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tasks.clean.data import vocabulary
from tasks.clean.nodes import LONGEST_VALUE, Tree
from tasks.clean.whitespace import tidy

_NAMES = vocabulary("meta")
_CATALOGUES = frozenset(_NAMES["catalogues"])
_FAMILY_FIRST = re.compile(r"([^\W\d_][\w’'-]*),\s*([^\W\d_][\w.’'-]*[^\W\dA-Z_]\w*\.?(?:\s[^\W\d_][\w.]*)?)")


@dataclass(frozen=True, slots=True)
class MetaTags:
    """All values of each meta tag of a page, in their order, by lower-case name."""

    values: dict[str, tuple[str, ...]]

    def first(self, purpose: str) -> str:
        """Return the first value that serves a purpose (a list of `data/meta.toml`); empty where none does.

        >>> read_meta_tags(Tree('<meta property="og:title" content="Bridge holds">')).first("title")
        'Bridge holds'
        """
        return next(self.all(purpose), "")

    def authors(self) -> Iterator[str]:
        """Yield what names authors, given names first.

        >>> list(read_meta_tags(Tree('<meta name="citation_author" content="Ruiz, Ana">')).authors())
        ['Ana Ruiz']
        """
        for name in _NAMES["authors"]:
            for value in self.values.get(name, ()):
                inverted = _FAMILY_FIRST.fullmatch(value) if name in _CATALOGUES else None
                yield f"{inverted[2]} {inverted[1]}" if inverted else value

    def all(self, purpose: str) -> Iterator[str]:
        """Yield all values that serve a purpose, the most trusted name first."""
        for name in _NAMES[purpose]:
            yield from self.values.get(name, ())


def read_meta_tags(tree: Tree) -> MetaTags:
    """Collect a page's meta tags."""
    found: dict[str, list[str]] = {}
    for node in tree.css("meta[content]"):
        attributes = node.attributes
        value = (attributes.get("content") or "")[:LONGEST_VALUE]
        # Publishers escape what is escaped already.
        value = tidy(html.unescape(value) if "&" in value else value)
        if value:
            for key in ("property", "name", "itemprop", "http-equiv"):
                if name := attributes.get(key):
                    found.setdefault(name.strip().lower(), []).append(value)
                    break
    return MetaTags({name: tuple(values) for name, values in found.items()})
