"""What the sample newspapers printed: stories from `articles/`, and oddities from `oddities.toml`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from tasks.documents import Outcome, Reason, Stage

HERE: Traversable = files("flows.sample")


class Listing(StrEnum):
    """Where a page is announced."""

    RSS = "rss"
    ATOM = "atom"
    SITEMAP = "sitemap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Residue:
    """A piece of machine-translation residue as printed, and what a good editor would put there.

    `after` is None where a careful editor leaves it alone: what stands there is doubtful, or it is the only kind of
    residue in a story that shows no other sign of a machine.
    """

    kind: str
    before: str
    after: str | None = None
    field: str = "text"  # or title


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """An article as its newspaper printed it, and how its page is made.

    The three charsets may disagree: `charset` is what the bytes are, `http_charset` and `meta_charset` what the
    header and the page say they are; empty where they say nothing.
    """

    slug: str
    path: str
    title: str
    summary: str
    text: str  # paragraphs, separated by one blank line
    authors: tuple[str, ...]
    published: datetime
    modified: datetime | None = None
    language: str
    section: str
    topic: str  # the IPTC Media Topic it is chiefly about, on the first level
    keywords: tuple[str, ...] = ()
    listed: frozenset[Listing]
    residue: tuple[Residue, ...] = ()
    reprint_of: str | None = None  # the slug of the story this one repeats
    template: str
    charset: str = "utf-8"
    http_charset: str = "utf-8"
    meta_charset: str = "utf-8"
    marks: str = ""  # the translation service whose page markers the page carries
    translated_from: str = ""  # the language those markers name
    small_print: str = ""  # what stands under the story: an agency's credit, a translation service's notice
    canonical: str = ""  # a rel=canonical that is wrong; empty: the true one
    cut_after: str = ""  # the page breaks off after these words

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """The text as printed, paragraph by paragraph."""
        return tuple(self.text.split("\n\n"))

    @property
    def shows_translation(self) -> bool:
        """Whether it shows enough of a machine for context-dependent mending: page markers, or two kinds of residue."""
        return bool(self.marks) or len({residue.kind for residue in self.residue}) > 1

    @property
    def mended_text(self) -> str:
        """The text as a good mender leaves it."""
        return self._mended("text", self.text)

    @property
    def mended_title(self) -> str:
        """The title as a good mender leaves it."""
        return self._mended("title", self.title)

    def _mended(self, field: str, text: str) -> str:
        for residue in self.residue:
            if residue.field == field and residue.after is not None:
                text = text.replace(residue.before, residue.after)
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """A listed address behind which there is no article, or not at once."""

    link: str  # a path of the site, or a whole address elsewhere
    title: str
    published: datetime
    listed: frozenset[Listing]
    outcome: Outcome | None = Outcome.REJECTED  # None: dropped, no input of a run
    stage: Stage | None = None
    reason: Reason | None = None
    status: int = 200
    content_type: str = "text/html; charset=utf-8"
    file: str = ""  # in `pages/`; empty: a body of no bytes, or a body `pages.py` makes
    location: str = ""  # where the address redirects to
    fault: str = ""  # how the server fails: `cut-body`, `cut-gzip` or `nested`

    @property
    def leads_to(self) -> str | None:
        """The path of the site this address redirects to, if it does."""
        return self.location if self.location.startswith("/") else None


@cache
def stories() -> tuple[Story, ...]:
    """Return every story, newest first."""
    paths = (path for path in HERE.joinpath("articles").iterdir() if path.name.endswith(".toml"))
    return tuple(sorted(map(_read_story, paths), key=lambda story: (story.published, story.slug), reverse=True))


@cache
def oddities() -> tuple[Oddity, ...]:
    """Return every listed address that is not simply an article, in the order of the file."""
    return tuple(_oddity(entry) for entry in tomllib.loads(_text("oddities.toml"))["page"])


@cache
def labels(language: str) -> Mapping[str, Any]:
    """Return the newspaper's furniture in one language: its name, menu, months, and what it asks of its readers."""
    table: dict[str, dict[str, Any]] = tomllib.loads(_text("labels.toml"))
    return table[language]


def _read_story(path: Traversable) -> Story:
    entry = tomllib.loads(path.read_text(encoding="utf-8"))
    charset = entry.get("charset", "utf-8")
    return Story(
        **{"http_charset": charset, "meta_charset": charset}
        | entry
        | {
            "slug": path.name.removesuffix(".toml"),
            "text": entry["text"].strip(),
            "authors": tuple(entry["authors"]),
            "keywords": tuple(entry.get("keywords", ())),
            "listed": frozenset(map(Listing, entry["listed"])),
            "residue": tuple(Residue(**residue) for residue in entry.get("residue", ())),
        }
    )


def _oddity(entry: dict[str, Any]) -> Oddity:
    outcome = entry.get("outcome", "rejected")
    return Oddity(
        **entry
        | {
            "listed": frozenset(map(Listing, entry["listed"])),
            "outcome": None if outcome == "dropped" else Outcome(outcome),
            "stage": Stage(entry["stage"]) if "stage" in entry else None,
            "reason": Reason(entry["reason"]) if "reason" in entry else None,
        }
    )


def _text(name: str) -> str:
    return HERE.joinpath(name).read_text(encoding="utf-8")
