"""What a rule is: one kind of machine-translation residue, how to see it, what belongs there, and its proof."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tasks.artifacts.habits import Habits

Replacement = str | Callable[[re.Match[str], Habits], str | None] | None
"""A template for `Match.expand`, a function that answers for one match (None: report it), or None: report only."""

Finder = Callable[[str, Habits], Iterator[tuple[int, int, str | None]]]
"""For residue no single pattern can see: yields start, end, and what belongs there (None: report it)."""


class Category(StrEnum):
    """What kind of error an editor would call it, by the classes of MQM (themqm.org)."""

    PUNCTUATION = "punctuation"
    SPELLING = "spelling"
    GRAMMAR = "grammar"
    WORD_ORDER = "word-order"
    CHARACTER_ENCODING = "character-encoding"
    MARKUP = "markup"
    NUMBER_FORMAT = "number-format"
    CURRENCY_FORMAT = "currency-format"
    DATE_FORMAT = "date-format"
    UNTRANSLATED = "untranslated"
    ADDITION = "addition"
    OMISSION = "omission"
    UNIDIOMATIC = "unidiomatic"
    INCONSISTENCY = "inconsistency"
    NON_TRANSLATION = "non-translation"


class Mechanism(StrEnum):
    """How the residue came about: which step of a translation pipeline left it."""

    ENCODING = "encoding"
    MARKUP = "markup"
    TOKENISATION = "tokenisation"
    PLACEHOLDER = "placeholder"
    PUNCTUATION = "punctuation"
    QUOTATION = "quotation"
    SEGMENTATION = "segmentation"
    WORD_ORDER = "word-order"
    INFLECTION = "inflection"
    NUMBERS = "numbers"
    CASING = "casing"
    REPETITION = "repetition"
    UNTRANSLATED = "untranslated"
    CALQUE = "calque"
    INCONSISTENCY = "inconsistency"
    PROVENANCE = "provenance"


class Safety(StrEnum):
    """When a rule may act: `always`; `gated`, only in a document shown to be machine-translated; `detect`, never."""

    ALWAYS = "always"
    GATED = "gated"
    DETECT = "detect"


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """A place where a rule sees residue; `after` is what belongs there, None where only an editor can say."""

    rule: "Rule"
    start: int
    end: int
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rule:
    """One kind of residue. Give it a `pattern` (and perhaps `unless`), or a `finder` for what a pattern cannot see.

    `id` names the residue, not the cure, and is for ever: it stands in published rows. `cues` are literals of which
    one must stand in the text, so that a clean text costs next to nothing; an `anchored` pattern is tried only where a
    cue begins, since each of its matches begins with one. `languages` are those of the text (None: any), `sources`
    those it tends to come from. Some houses write as a rule finds: `house` says whether a document does so throughout,
    and then only evidence lets the rule act. A `telling` rule answers to what people do not write: two such kinds
    open the gate. What is not `listed` is counted as evidence and never shown.
    """

    id: str
    category: Category
    mechanism: Mechanism
    safety: Safety
    why: str
    reference: str
    languages: frozenset[str] | None = None
    sources: frozenset[str] = frozenset()
    cues: tuple[str, ...] = ()
    anchored: bool = False
    pattern: re.Pattern[str] | None = None
    unless: Callable[[re.Match[str], Habits], bool] | None = None
    house: Callable[[Habits], bool] | None = None
    replacement: Replacement = None
    finder: Finder | None = None
    telling: bool = False
    listed: bool = True
    confidence: float = 0.9
    mends: Mapping[str, str] = field(default_factory=dict)
    finds: tuple[str, ...] = ()
    keeps: tuple[str, ...] = ()

    def speaks(self, language: str) -> bool:
        """Say whether the rule is for texts in this language (a BCP 47 tag; `pt-BR` counts as `pt`)."""
        return self.languages is None or language.partition("-")[0] in self.languages

    @property
    def home(self) -> str:
        """The language its examples are written in: English where the rule speaks it, else the first it speaks."""
        return "en" if self.languages is None or "en" in self.languages else min(self.languages)

    def search(self, text: str, habits: Habits) -> Iterator[Finding]:
        """Yield what the rule sees in a text, from left to right; residue that is right already is not residue."""
        if not self.cues or any(cue in text for cue in self.cues):
            yield from self.look(text, habits)

    def look(self, text: str, habits: Habits, anchors: Iterable[int] | None = None) -> Iterator[Finding]:
        """Do what `search` does in a text that is known to hold one of the cues, perhaps at known places."""
        places = self.finder(text, habits) if self.finder else self._matches(self._candidates(text, anchors), habits)
        for start, end, after in places:
            if after != text[start:end]:
                yield Finding(self, start, end, after)

    def _candidates(self, text: str, anchors: Iterable[int] | None) -> Iterator[re.Match[str]]:
        """Yield the matches of the pattern that do not overlap, tried where its cues begin if these are known."""
        assert self.pattern is not None, f"rule {self.id} has neither pattern nor finder"
        if anchors is None or not self.anchored:
            yield from self.pattern.finditer(text)
            return
        end = 0
        for start in anchors:
            if start >= end and (match := self.pattern.match(text, start)):
                end = max(match.end(), start + 1)
                yield match

    def _matches(self, candidates: Iterable[re.Match[str]], habits: Habits) -> Iterator[tuple[int, int, str | None]]:
        for match in candidates:
            if self.unless is None or not self.unless(match, habits):
                yield match.start(), match.end(), self._after(match, habits)

    def _after(self, match: re.Match[str], habits: Habits) -> str | None:
        if self.safety is Safety.DETECT or self.replacement is None:
            return None
        if isinstance(self.replacement, str):
            return match.expand(self.replacement)
        return self.replacement(match, habits)
