"""The user's own topics, read from a TOML file and checked: what each is looked for by.

A list is a table of the file, `[watch.port-strikes]`, and stands in rows as `watch:port-strikes`. How the file is
written is told in `docs/topics.md`.
"""

import difflib
import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any, Final

from tasks.language_tags import tag_in_rows
from tasks.topics.expressions import CostlyError, expression
from tasks.topics.taxonomy import taxonomy

NAMESPACE: Final = "watch"
MATCHING: Final = 2  # raise it when the same file finds something else: rows made before are stale then
WIDEST: Final = 100  # words between the two sides of a combination
MOST_STARS: Final = 3  # in a word

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_TAG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_EXAMPLE: Final = 'phrases = ["dock* strike*", "port closure"]'


class WatchlistError(Exception):
    """A file of watchlists cannot be used: the message says where, what, and what would be right."""

    exit_code = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """A combination: a phrase of the one side, and one of the other at most `within` words on, in one paragraph."""

    a: tuple[str, ...]
    b: tuple[str, ...]
    within: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchlist:
    """A topic of the user's own, and what in an article speaks for it.

    Phrases are found in any case, `exact` ones as they are written; a star stands for any letters. What lies within a
    phrase of `besides` does not count; an article with one of `unless` is not meant at all.
    """

    id: str
    label: str
    phrases: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    near: tuple[Near, ...] = ()
    besides: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    iptc: tuple[str, ...] = ()

    def covers(self, language: str) -> bool:
        """Tell whether articles in a language are looked at; `pt` covers `pt-BR`.

        >>> Watchlist(id="watch:ports", label="Ports", languages=("pt",)).covers("pt-BR")
        True
        """
        return not self.languages or any(f"{language}-".startswith(f"{tag}-") for tag in self.languages)


@dataclass(frozen=True, slots=True)
class Watchlists:
    """All lists of a file. `digest` tells them from others: it changes with what is looked for, not with a comment."""

    digest: str
    lists: tuple[Watchlist, ...] = field(compare=False, repr=False)


def read_watchlists(text: str, name: str) -> Watchlists:
    """Read the text of a file; `name` is what errors call it.

    Raises `WatchlistError`, which names the table and the key, for whatever does not fit.

    >>> text = '[watch.port-strikes]\\nlabel = "Strikes at ports"\\nphrases = ["dock* strike*"]'
    >>> [each.id for each in read_watchlists(text, "watchlists.toml").lists]
    ['watch:port-strikes']
    """
    try:
        written = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WatchlistError(f"{name}: this is not valid TOML: {error}.") from None
    for key in written.keys() - {NAMESPACE}:
        raise WatchlistError(f"{name}: `{key}` is unknown here; a list begins with [{NAMESPACE}.its-name].")
    tables = written.get(NAMESPACE, {})
    if not isinstance(tables, dict):
        raise WatchlistError(f"{name}: `{NAMESPACE}` is no table; a list begins with [{NAMESPACE}.its-name].")
    lists = tuple(_Table(name, key, tables[key]).watchlist() for key in sorted(tables))
    told = json.dumps([MATCHING, *map(asdict, lists)], sort_keys=True)
    return Watchlists(sha256(told.encode()).hexdigest()[:12], lists)


@dataclass(frozen=True, slots=True)
class _Table:
    """One table of the file, while it is checked."""

    file: str
    name: str
    written: Any

    def watchlist(self) -> Watchlist:
        """Return the list that the table describes."""
        if not _NAME.fullmatch(self.name):
            raise self._error("has a name that is not small letters, digits and hyphens, such as port-strikes")
        if not isinstance(self.written, dict):
            raise self._error("is no table")
        self._check_keys(self.written, _KEYS)
        found = Watchlist(
            id=f"{NAMESPACE}:{self.name}",
            label=self._label(),
            phrases=self._phrases(self.written, "phrases"),
            exact=self._phrases(self.written, "exact"),
            patterns=tuple(map(self._pattern, self._strings(self.written, "patterns"))),
            near=tuple(self._near(place, each) for place, each in enumerate(self._list("near"), start=1)),
            besides=self._phrases(self.written, "except"),
            unless=self._phrases(self.written, "unless"),
            languages=self._languages(),
            iptc=self._known(
                "iptc", taxonomy().__contains__, "a topic of IPTC; `copydesk topics QUERY` finds their ids"
            ),
        )
        if not (found.phrases or found.exact or found.patterns or found.near):
            raise self._error(f"looks for nothing; give it for example `{_EXAMPLE}`")
        return found

    def _label(self) -> str:
        label = self.written.get("label")
        if not isinstance(label, str) or not label.strip():
            raise self._error('`label` is missing; write for example `label = "Strikes at ports"`')
        return label.strip()

    def _near(self, place: int, written: Any) -> Near:
        where = f"near[{place}]"
        if not isinstance(written, dict):
            raise self._error(f'`{where}` is no table; write for example `{{ a = ["port*"], b = ["strike*"] }}`')
        self._check_keys(written, _NEAR_KEYS, where)
        within = written.get("within", 10)
        if not isinstance(within, int) or isinstance(within, bool) or not 1 <= within <= WIDEST:
            raise self._error(f"`{where}.within` = {within!r}: it is a number of words, from 1 to {WIDEST}")
        sides = [self._phrases(written, side, where) for side in ("a", "b")]
        for side, phrases in zip("ab", sides, strict=True):
            if not phrases:
                raise self._error(f"`{where}.{side}` is missing; it holds phrases")
        return Near(a=sides[0], b=sides[1], within=within)

    def _phrases(self, table: Mapping[str, Any], key: str, where: str = "") -> tuple[str, ...]:
        phrases = self._strings(table, key, where)
        for phrase in phrases:
            named = f"`{self._place(key, where)}`: {phrase!r}"
            if not any(character.isalnum() for character in phrase):
                raise self._error(f"{named} has neither a letter nor a digit")
            if any(set(word) == {"*"} for word in phrase.split()):
                raise self._error(f"{named} has a star by itself; it stands for the rest of a word, as in harbour*")
            if any(word.count("*") > MOST_STARS for word in phrase.split()):
                raise self._error(
                    f"{named} has more than {MOST_STARS} stars in a word, which takes too long to look for"
                )
        return phrases

    def _pattern(self, pattern: str) -> str:
        try:
            found = expression(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            raise self._error(f"`patterns`: {pattern!r} is no regular expression of Python ({error})") from None
        except CostlyError as error:
            raise self._error(f"`patterns`: {pattern!r} {error}") from None
        if found.compiled.search(""):
            raise self._error(f"`patterns`: {pattern!r} finds the empty text, so it would find everything")
        return pattern

    def _known(self, key: str, is_known: Callable[[str], object], what: str) -> tuple[str, ...]:
        values = self._strings(self.written, key)
        for value in values:
            if not is_known(value):
                raise self._error(f"`{key}`: {value!r} is not {what}")
        return values

    def _languages(self) -> tuple[str, ...]:
        tags = self._known("languages", _TAG.fullmatch, "a language tag (BCP 47), such as en or pt-BR")
        for tag in tags:
            if (in_rows := tag_in_rows(tag)) != tag:
                raise self._error(f"`languages`: no row has {tag!r}; articles in it have {in_rows!r}, so write that")
        return tags

    def _strings(self, table: Mapping[str, Any], key: str, where: str = "") -> tuple[str, ...]:
        values = table.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise self._error(f'`{self._place(key, where)}` = {values!r}: it is a list of texts, ["…", "…"]')
        return tuple(dict.fromkeys(value.strip() for value in values))

    def _list(self, key: str) -> list[Any]:
        values = self.written.get(key, [])
        if not isinstance(values, list):
            raise self._error(f"`{key}` = {values!r}: it is a list of tables, [{{ … }}, {{ … }}]")
        return values

    def _check_keys(self, table: Mapping[str, Any], known: tuple[str, ...], where: str = "") -> None:
        for key in table:
            if key not in known:
                close = difflib.get_close_matches(key, known, n=1)
                hint = f"did you mean `{close[0]}`?" if close else f"known here: {', '.join(known)}"
                raise self._error(f"unknown key `{self._place(key, where)}`; {hint}")

    @staticmethod
    def _place(key: str, where: str) -> str:
        return f"{where}.{key}" if where else key

    def _error(self, what: str) -> WatchlistError:
        return WatchlistError(f"{self.file}: [{NAMESPACE}.{self.name}] {what}{'' if what.endswith('?') else '.'}")


_KEYS: Final = (
    *("label", "phrases", "exact", "patterns", "near"),
    *("except", "unless", "languages", "iptc"),
)
_NEAR_KEYS: Final = ("a", "b", "within")
