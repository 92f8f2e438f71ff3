"""Meta tags by name: OpenGraph, Twitter, Dublin Core, Parse.ly and their kin, and microdata."""

from collections.abc import Iterator
from dataclasses import dataclass

from tasks.clean.data import vocabulary
from tasks.clean.nodes import LONGEST_VALUE, Tree
from tasks.clean.whitespace import tidy

_NAMES = vocabulary("meta")


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

    def all(self, purpose: str) -> Iterator[str]:
        """Yield all values that serve a purpose, the most trusted name first."""
        for name in _NAMES[purpose]:
            yield from self.values.get(name, ())


def read_meta_tags(tree: Tree) -> MetaTags:
    """Collect a page's meta tags."""
    found: dict[str, list[str]] = {}
    for node in tree.css("meta[content]"):
        attributes = node.attributes
        value = tidy((attributes.get("content") or "")[:LONGEST_VALUE])
        if value:
            for key in ("property", "name", "itemprop", "http-equiv"):
                if name := attributes.get(key):
                    found.setdefault(name.strip().lower(), []).append(value)
                    break
    return MetaTags({name: tuple(values) for name, values in found.items()})
