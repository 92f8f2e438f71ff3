"""The user's regular expressions: how much they may cost at worst, and what must stand in a text for them to match.

Python's engine tries one way after the other, and an expression such as `(a+)+$` has more ways through a line of forty
letters than there is time for. So an expression is judged when it is read, by its parse: the steps that it may take
from one place are counted, each repetition as long as the longest piece of text there is. Too many, and it is refused.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import import_module
from itertools import combinations
from typing import Any, Final, TypeAlias

LONGEST_PIECE: Final = 400  # characters of a line that an expression sees at once
STRIDE: Final = 200  # where the next piece of a longer line begins: what is found may be as long as that
MOST_STEPS: Final = 400_000  # from one place: room for two repetitions of which each may take what the other takes

_parser: Any = import_module("re._parser")

Chars: TypeAlias = frozenset[str]
Node: TypeAlias = tuple[Any, Any]
Needle: TypeAlias = tuple[str, bool]
"""A literal, and whether it may stand in any case: then it is folded."""

# What tells classes of characters apart: Latin letters, and of other scripts one of each sort.
_ALPHABET: Final = frozenset(
    (*map(chr, range(0x250)), *"αЯяאبक中ひ한ก٣²\u0301\u2009\u2014\u3000\u3002\ue000\U0001f600")
)
_FOLDABLE: Final = frozenset("abcdefghjklmnopqrtuvwxyz0123456789")  # less i and s, which have further forms: ı, ſ
_CATEGORIES: Final[Mapping[str, Callable[[str], bool]]] = {
    "CATEGORY_DIGIT": str.isdecimal,
    "CATEGORY_SPACE": str.isspace,
    "CATEGORY_WORD": lambda character: character.isalnum() or character == "_",
}


class CostlyError(Exception):
    """An expression may take too long; the message says what may be the cause, and what helps."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A regular expression, and the literals of which one stands in whatever it finds; none where that is not known."""

    compiled: re.Pattern[str]
    needles: tuple[Needle, ...]

    def may_match(self, whole: str, folded: str) -> bool:
        """Tell whether a text can hold what is looked for, by its literals."""
        return not self.needles or any(text in (folded if any_case else whole) for text, any_case in self.needles)

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where the expression matches in the lines of a text; each line is a text of its own.

        >>> list(expression(r"^\\d+ tons").spans("12 tons\\n7 tons"))
        [(0, 7), (8, 14)]
        """
        start = 0
        for line in text.split("\n"):
            for match in self._in_line(line):
                if match.end() > match.start():
                    yield start + match.start(), start + match.end()
            start += len(line) + 1

    def _in_line(self, line: str) -> Iterator[re.Match[str]]:
        start = 0
        while len(line) - start > LONGEST_PIECE:
            next_start = start + STRIDE
            for match in self.compiled.finditer(line, start, start + LONGEST_PIECE):
                if match.start() >= next_start:
                    break
                yield match
                next_start = max(next_start, match.end())
            start = next_start
        yield from self.compiled.finditer(line, start)


@lru_cache(maxsize=1024)
def expression(written: str) -> Expression:
    """Read an expression.

    Raises `re.error` for what is none, and `CostlyError` for what may take more than `MOST_STEPS` from one place of a
    text.

    >>> expression("(?i)local [0-9]+").needles
    (('local', True),)
    """
    compiled = re.compile(written)
    parsed = list(_parser.parse(written))
    if _Judge(parsed).before(parsed, _END, compiled.flags).total > MOST_STEPS:
        raise CostlyError(_COSTLY)
    return Expression(compiled, _best(_needles(parsed, compiled.flags)))


_COSTLY: Final = (
    "may take too long: it has a repetition in a repetition, or several side by side that take the same characters; "
    "say how long each may be, as in \\w{1,30}, or what stands between them"
)


# What it costs


@dataclass(frozen=True, slots=True)
class _Rest:
    """What follows a place of an expression: how it may begin (None: with anything), and what it takes to try it.

    `runs` are steps along the text that are taken once however often their loop comes round; `steps` are all others.
    """

    runs: int = 0
    steps: int = 0
    first: Chars | None = None
    can_fail: bool = False

    @property
    def total(self) -> int:
        return self.runs + self.steps

    def is_apart_from(self, other: "_Rest") -> bool:
        """Tell whether one character decides between the two."""
        return self.first is not None and other.first is not None and not self.first & other.first

    def or_else(self, other: "_Rest") -> "_Rest":
        """Return what it takes to try this, and the other where this fails."""
        first = None if self.first is None or other.first is None else self.first | other.first
        can_fail = self.can_fail and other.can_fail
        if self.is_apart_from(other):
            return _Rest(max(self.runs, other.runs), 1 + max(self.steps, other.steps), first, can_fail)
        if not self.can_fail:
            return replace(self, first=first)
        return _Rest(self.runs, 1 + self.steps + other.total, first, can_fail)


_END: Final = _Rest()


class _Judge:
    """Counts the steps of an expression, from its end to its beginning."""

    def __init__(self, parsed: Sequence[Node]) -> None:
        self._alphabet = _ALPHABET | frozenset(_mentioned(parsed))
        self._known: dict[tuple[str, int, int], Chars] = {}

    def before(self, nodes: Iterable[Node], rest: _Rest, flags: int) -> _Rest:
        """Return what the nodes take with what follows them."""
        for name, argument in reversed(list(nodes)):
            if rest.total > MOST_STEPS:
                return rest
            rest = self._node(str(name), argument, rest, flags)
        return rest

    def _node(self, name: str, argument: Any, rest: _Rest, flags: int) -> _Rest:
        match name, argument:
            case "LITERAL" | "NOT_LITERAL" | "ANY" | "IN", _:
                return _Rest(rest.runs, rest.steps + 1, self._chars(name, argument, flags), can_fail=True)
            case "SUBPATTERN", (_, added, removed, nodes):
                return self.before(nodes, rest, flags & ~removed | added)
            case "BRANCH", (_, alternatives):
                return self._branch([self.before(nodes, rest, flags) for nodes in alternatives])
            case "MAX_REPEAT" | "MIN_REPEAT", (least, most, nodes):
                return self._repeat(least, most, nodes, rest, flags)
            case "POSSESSIVE_REPEAT", (least, most, nodes):
                alone = self._repeat(least, most, nodes, _END, flags)
                return _Rest(rest.runs, rest.steps + alone.total, alone.first, can_fail=True)
            case "ATOMIC_GROUP", nodes:
                return self._by_itself(nodes, rest, flags)
            case "ASSERT" | "ASSERT_NOT", (_, nodes):
                return self._by_itself(nodes, rest, flags)
            case "AT", _:
                return replace(rest, steps=rest.steps + 1, can_fail=True)
            case "GROUPREF_EXISTS", (_, yes, no):
                return self._branch([self.before(nodes or (), rest, flags) for nodes in (yes, no)])
            case _:  # a back reference, which is compared once
                return _Rest(rest.runs + LONGEST_PIECE, rest.steps + 1, None, can_fail=True)

    def _by_itself(self, nodes: Iterable[Node], rest: _Rest, flags: int) -> _Rest:
        """Return what a part takes of which only one way is tried once it has matched."""
        return _Rest(rest.runs, 1 + rest.steps + self.before(nodes, _END, flags).total, None, can_fail=True)

    @staticmethod
    def _branch(alternatives: Sequence[_Rest]) -> _Rest:
        if all(one.is_apart_from(other) for one, other in combinations(alternatives, 2)):
            chosen = alternatives[0]
            for other in alternatives[1:]:
                chosen = chosen.or_else(other)
            return chosen
        firsts = [each.first for each in alternatives if each.first is not None]
        return _Rest(
            runs=0,
            steps=sum(1 + each.total for each in alternatives),
            first=frozenset().union(*firsts) if len(firsts) == len(alternatives) else None,
            can_fail=all(each.can_fail for each in alternatives),
        )

    def _repeat(self, least: int, most: int, nodes: Sequence[Node], rest: _Rest, flags: int) -> _Rest:
        most = min(int(most), LONGEST_PIECE)
        least = min(int(least), most)
        if len(nodes) == 1 and str(nodes[0][0]) in _SINGLE:
            return self._run(least, most, self._chars(str(nodes[0][0]), nodes[0][1], flags), rest)
        state = self._rounds(most - least, nodes, rest, rest, flags)
        return self._rounds(least, nodes, state, None, flags)

    def _rounds(self, count: int, nodes: Sequence[Node], rest: _Rest, leaving: _Rest | None, flags: int) -> _Rest:
        """Return what some rounds of a loop take, of which each may be the last where there is a way of `leaving`."""
        runs = self.before(nodes, rest, flags).runs  # the text is gone along once, in however many rounds
        growth = -1
        for left in range(count - 1, -1, -1):
            again = self.before(nodes, rest, flags)
            if again.total > MOST_STEPS:
                return again
            again = replace(again, runs=min(again.runs, runs))
            again = again.or_else(leaving) if leaving else again
            if again.first == rest.first and again.steps - rest.steps == growth:
                return replace(again, steps=again.steps + left * growth)  # so it goes on
            rest, growth = again, again.steps - rest.steps
        return rest

    @staticmethod
    def _run(least: int, most: int, chars: Chars, rest: _Rest) -> _Rest:
        """Return what a repeated character takes: one way where what follows cannot begin with it, else many."""
        taken = _Rest(first=chars, can_fail=least > 0)
        first = chars if least else (None if rest.first is None else chars | rest.first)
        can_fail = rest.can_fail or least > 0
        if not rest.can_fail or taken.is_apart_from(rest) or most == least:
            return _Rest(rest.runs + most, rest.steps + 1, first, can_fail)
        return _Rest(0, most + (1 + most - least) * (1 + rest.total), first, can_fail)

    def _chars(self, name: str, argument: Any, flags: int) -> Chars:
        key = name, argument if isinstance(argument, int) else id(argument), flags
        if key not in self._known:
            self._known[key] = frozenset(self._of_class(name, argument, flags))
        return self._known[key]

    def _of_class(self, name: str, argument: Any, flags: int) -> Iterator[str]:
        parts = {"LITERAL": [("LITERAL", argument)], "ANY": [("NEGATE", None)]}.get(name, argument)
        if name == "NOT_LITERAL":
            parts = [("NEGATE", None), ("LITERAL", argument)]
        is_negated = str(parts[0][0]) == "NEGATE"
        for character in self._alphabet:
            if any(_has(parts, form, flags) for form in _forms(character, flags)) != is_negated:
                yield character


_SINGLE: Final = frozenset({"LITERAL", "NOT_LITERAL", "ANY", "IN"})


def _forms(character: str, flags: int) -> Iterable[str]:
    return {character, character.lower(), character.upper()} if flags & re.IGNORECASE else (character,)


def _has(parts: Iterable[Node], character: str, flags: int) -> bool:
    """Tell whether a character is of a class, be it negated or not."""
    for name, argument in parts:
        match str(name), argument:
            case "LITERAL", code:
                if character == chr(code):
                    return True
            case "RANGE", (low, high):
                if len(character) == 1 and low <= ord(character) <= high:
                    return True
            case "CATEGORY", category:
                if _is_of(str(category), character, flags):
                    return True
    return False


def _is_of(category: str, character: str, flags: int) -> bool:
    if flags & re.ASCII and not character.isascii():
        return "_NOT_" in category
    is_of = _CATEGORIES[category.replace("_NOT_", "_")](character)
    return is_of != ("_NOT_" in category)


def _mentioned(nodes: Any) -> Iterator[str]:
    """Yield the characters that an expression names, with those beside them."""
    if isinstance(nodes, int) and not isinstance(nodes, bool):
        for code in range(max(0, nodes - 1), nodes + 2):
            if code <= 0x10FFFF:
                yield from {chr(code), chr(code).lower()[:1], chr(code).upper()[:1]}
    elif isinstance(nodes, tuple | list) or hasattr(nodes, "data"):
        for node in nodes:
            yield from _mentioned(node)


# What must stand in a text


def _needles(nodes: Iterable[Node], flags: int) -> Iterator[tuple[Needle, ...]]:
    """Yield sets of literals; of each of them one stands in whatever the nodes match."""
    run: list[str] = []
    any_case = bool(flags & re.IGNORECASE)

    def literal() -> Iterator[tuple[Needle, ...]]:
        if run:
            yield (("".join(run), any_case),)
            run.clear()

    for name, argument in nodes:
        if str(name) == "LITERAL" and (not any_case or chr(argument).lower() in _FOLDABLE):
            run.append(chr(argument).lower() if any_case else chr(argument))
            continue
        yield from literal()
        match str(name), argument:
            case "SUBPATTERN", (_, added, removed, inner):
                yield from _needles(inner, flags & ~removed | added)
            case "ATOMIC_GROUP", inner:
                yield from _needles(inner, flags)
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT", (least, _, inner) if least:
                yield from _needles(inner, flags)
            case "BRANCH", (_, alternatives):
                each = [_best(_needles(inner, flags)) for inner in alternatives]
                if all(each):
                    yield tuple(needle for needles in each for needle in needles)
    yield from literal()


def _best(several: Iterable[tuple[Needle, ...]]) -> tuple[Needle, ...]:
    """Return the set whose shortest literal is the longest; none where a set would find nearly any text."""
    telling = [needles for needles in several if all(_is_telling(text) for text, _ in needles)]
    return max(telling, key=lambda needles: min(len(text) for text, _ in needles), default=())


def _is_telling(text: str) -> bool:
    return len(text) > 1 or not (text.isalnum() or text.isspace())
