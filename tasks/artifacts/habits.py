"""How a document writes: its quotes, apostrophes and phrases, read before anything is mended."""

import re
from dataclasses import dataclass
from functools import cached_property

from tasks.artifacts.spellings import in_two_spellings

ABOUT_CODE = re.compile(
    r"(?i)`|\b(?:html5?|css|xml|javascript|php|markup|markdown|wikitext|source code|web ?page|templates?"
    r"|tags?|entit(?:y|ies)|code)\b"
)
"""Words that show a text to speak of markup."""

_MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_MONTH_FIRST = re.compile(rf"\b{_MONTH} \d{{1,2}}\b")
_DAY_FIRST = re.compile(rf"\b\d{{1,2}} {_MONTH}\b")
_LOW_QUOTATION = re.compile(r"„([^„“”\n]{1,400})[“”]")


GROUPS = {
    ",": re.compile(r"\d(?<![\w.,]\d)\d{0,2}(?:,\d{3})+(?![\d,])"),
    " ": re.compile(
        r"[1-9](?<![\w.,+/)-][1-9])(?<!\d [1-9])\d{0,2}(?: \d{3})+\b(?![ -]?\d|[,/]\d|\.\d(?!\d?\b(?!\.\d)))"
    ),
}
"""Numbers whose thousands are parted, by the mark that parts them."""

_PERCENT = re.compile(r"\d(?P<gap>[ \u00a0\u202f]?)%(?!\d)")
_SLASH = re.compile(r"[a-z\d](?P<gap> ?)/ ?(?=[a-z\d])")

_MOST_PHRASES = 1_000
"""Looked up in a document. One more costs a pass over it; so many are met only in texts made to be slow."""


@dataclass(frozen=True)
class Habits:
    """What a document shows of its own style, so that mended places look like the rest of it. Read lazily.

    >>> Habits("“It’s raining,” she said.").quotes
    ('“', '”')
    >>> Habits('It\\'s "raining".').apostrophe
    "'"
    """

    text: str

    @cached_property
    def quotes(self) -> tuple[str, str]:
        """The double quotation marks it uses: curly, or straight. Foreign pairs („…“) have no say."""
        own = _LOW_QUOTATION.sub(r"\1", self.text) if "„" in self.text else self.text
        curly = own.count("“") + own.count("”")
        straight = own.count('"')
        if curly == straight == 0:
            return ("“", "”") if self.apostrophe == "’" else ('"', '"')
        return ("“", "”") if curly >= straight else ('"', '"')

    @cached_property
    def apostrophe(self) -> str:
        """The apostrophe it uses: curly where most are, else straight."""
        return "’" if self.text.count("’") > self.text.count("'") else "'"

    @cached_property
    def single_quotes(self) -> tuple[str, str]:
        """The marks for a quotation inside a quotation, after the fashion of the double ones."""
        return ("‘", "’") if self.quotes[0] == "“" else ("'", "'")

    @cached_property
    def folded(self) -> str:
        """The text in lower case, for looking up phrases."""
        return self.text.lower()

    def count(self, phrase: str) -> int:
        """Count a phrase as written, between word borders; 0 once too many were asked for."""
        if len(self._counts) >= _MOST_PHRASES:
            return self._counts.get(phrase, 0)
        if phrase not in self._counts:
            self._counts[phrase] = len(re.findall(rf"(?<!\w){re.escape(phrase)}(?!\w)", self.text))
        return self._counts[phrase]

    def has(self, phrase: str) -> bool:
        """Say whether the document has a phrase, in any case, between word borders; no once too many were asked for."""
        phrase = phrase.lower()
        if len(self._known) >= _MOST_PHRASES:
            return self._known.get(phrase, False)
        if phrase not in self._known:
            self._known[phrase] = phrase in self.folded and bool(
                re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", self.folded)
            )
        return self._known[phrase]

    @cached_property
    def sets_month_first(self) -> bool:
        """Whether most of its dates are written as March 12, not as 12 March."""
        return len(_MONTH_FIRST.findall(self.text)) > len(_DAY_FIRST.findall(self.text))

    def groups(self, mark: str) -> int:
        """Count the numbers whose thousands are parted by a mark: a comma or a space."""
        return len(GROUPS[mark].findall(self.text))

    @cached_property
    def groups_with_commas(self) -> bool:
        """Whether it parts thousands with commas; a space there is not its own."""
        return 0 < self.groups(",") >= self.groups(" ")

    @cached_property
    def groups_with_spaces(self) -> bool:
        """Whether it parts thousands with spaces throughout, as papers in South Africa and texts of science do."""
        return self.groups(" ") > 1 and not self.groups(",")

    @cached_property
    def tight_and_spaced_percents(self) -> tuple[int, int]:
        """How many percent signs follow their number at once, and how many after a space."""
        gaps = [match["gap"] for match in _PERCENT.finditer(self.text)]
        return gaps.count(""), len(gaps) - gaps.count("")

    @cached_property
    def spaces_slashes(self) -> bool:
        """Whether it sets spaces around its slashes throughout."""
        gaps = [match["gap"] for match in _SLASH.finditer(self.text)]
        return len(gaps) > 1 and "" not in gaps

    @cached_property
    def names_in_two_spellings(self) -> frozenset[str]:
        """The names it writes in more than one transliteration, in all their spellings."""
        return in_two_spellings(self.text)

    @cached_property
    def repeats_itself(self) -> bool:
        """Whether five words in a row stand twice anywhere: without that, no sentence does, and no phrase loops."""
        return len(set(self._rows)) < len(self._rows)

    def repeats_within(self, distance: int) -> bool:
        """Say whether five words in a row stand again so many words later, or sooner."""
        last: dict[int, int] = {}
        for place, row in enumerate(self._rows if self.repeats_itself else ()):
            if place - last.get(row, -distance - 1) <= distance:
                return True
            last[row] = place
        return False

    @cached_property
    def _rows(self) -> list[int]:
        """The hashes of each five words in a row: rows themselves would all be looked through by the collector."""
        words = self.folded.split()
        return list(map(hash, zip(*(words[start:] for start in range(5)), strict=False)))

    @cached_property
    def is_in_pieces(self) -> bool:
        """Whether byte-level pieces (Ġ) are so many that the letter is no name's."""
        return 5 * self.text.count("Ġ") >= self.text.count(" ")

    @cached_property
    def speaks_of_code(self) -> bool:
        """Whether the text speaks of markup anywhere: there a tag may be what is talked about."""
        return ABOUT_CODE.search(self.text) is not None

    @cached_property
    def _counts(self) -> dict[str, int]:
        return {}

    @cached_property
    def _known(self) -> dict[str, bool]:
        return {}
