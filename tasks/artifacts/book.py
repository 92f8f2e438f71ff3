"""The rule book as a page to read: `docs/rules.md`."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from tasks.artifacts.rule import Rule, Safety
from tasks.artifacts.rulebook import RULEBOOK

_INTRODUCTION = """\
# The rule book

Printed from the rules themselves by `python -m tasks.artifacts.book > docs/rules.md`; do not edit it by hand.

A rule acts **always**, where people do not write so; **gated**, where the document shows itself to be
machine-translated (two or more distinct telling kinds of residue, or a translation service's mark on the
page); or it only **detects**, where a careful editor would hesitate. What a rule may not mend it reports;
what is marked *evidence only* is counted in `mt_evidence.kinds` and not listed. A *telling* rule is one of
the kinds that open the gate.

What a document writes in two ways (a name, an article, the order of its dates) is reported at each of its places
and never mended. In `article_artifacts`, entries of one `article_id` and one `rule` belong together: of names those
whose `before` begins with the same letter (`left(before, 1)`), of Al- and El- those that go on alike
(`substr(before, 4)`), of dates all of them.

`·` stands for a no-break space, `¶` for a new line.
"""

_SAFETY = {Safety.ALWAYS: "always", Safety.GATED: "gated", Safety.DETECT: "detects"}


def rules_markdown(rules: Sequence[Rule] = RULEBOOK) -> str:
    """Return docs/rules.md: every rule with its reason, its reference and its examples."""
    parts = [_INTRODUCTION, *_contents(rules)]
    for mechanism, group in groupby(rules, key=lambda rule: rule.mechanism):
        parts += [f"## {mechanism.capitalize()}\n", *(_section(rule) for rule in group)]
    return "\n".join(parts)


def _contents(rules: Sequence[Rule]) -> Iterator[str]:
    yield f"{len(rules)} rules:\n"
    yield "| rule | category | acts | languages | typical sources |\n|---|---|---|---|---|"
    for rule in rules:
        row = (f"[{rule.id}](#{rule.id})", rule.category, _acts(rule), _tags(rule.languages), _tags(rule.sources))
        yield f"| {' | '.join(row)} |"
    yield ""


def _section(rule: Rule) -> str:
    lines = [f"### {rule.id}\n", f"*{rule.category}, {_acts(rule)}.* {rule.why} ({rule.reference})\n"]
    lines += [f"- mends {_code(before)} → {_code(after)}" for before, after in rule.mends.items()]
    lines += [f"- finds {_code(text)}" for text in rule.finds]
    lines += [f"- keeps {_code(text)}" for text in rule.keeps]
    return "\n".join((*lines, ""))


def _acts(rule: Rule) -> str:
    """Return when a rule acts and what its findings are worth.

    >>> next(_acts(rule) for rule in RULEBOOK if rule.id == "odd-straight-quote")
    'detects, evidence only'
    """
    return ", ".join([_SAFETY[rule.safety], *["telling"] * rule.telling, *["evidence only"] * (not rule.listed)])


def _tags(languages: Iterable[str] | None) -> str:
    return "any" if languages is None else " ".join(sorted(languages)) or "any"


def _code(text: str) -> str:
    """Return a text as Markdown code, its invisible characters shown.

    >>> _code("5\\u00a0%\\n`x`")
    '`` 5·%¶`x` ``'
    """
    shown = "".join(_shown(character) for character in text).replace("|", "\\|")
    return f"`` {shown} ``" if "`" in shown else f"`{shown}`"


def _shown(character: str) -> str:
    if character in "\u00a0\u202f":
        return "·"
    if character == "\n":
        return "¶"
    return character if character.isprintable() else f"\\u{ord(character):04x}"


if __name__ == "__main__":
    print(rules_markdown(), end="")  # noqa: T201 - the page goes to standard output
