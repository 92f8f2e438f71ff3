"""The rule book: every rule, in order of precedence, and the version of it that rows carry."""

from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

from tasks.artifacts.rule import Rule
from tasks.artifacts.rules import (
    amounts,
    calque,
    casing,
    dates,
    encoding,
    house,
    inconsistency,
    inflection,
    markup,
    numbers,
    people,
    periods,
    prices,
    provenance,
    punctuation,
    quotation,
    repetition,
    segmentation,
    speech,
    tokenisation,
    untranslated,
    word_order,
)

RULEBOOK: tuple[Rule, ...] = (
    *provenance.RULES,
    *encoding.RULES,
    *markup.RULES,
    *tokenisation.RULES,
    *repetition.RULES,
    *word_order.RULES,
    *segmentation.RULES,
    *speech.RULES,
    *quotation.RULES,
    *dates.RULES,
    *periods.RULES,
    *prices.RULES,
    *amounts.RULES,
    *numbers.RULES,
    *punctuation.RULES,
    *casing.RULES,
    *people.RULES,
    *inflection.RULES,
    *house.RULES,
    *untranslated.RULES,
    *inconsistency.RULES,
    *calque.RULES,
)
"""Where two rules want one place, the earlier has it: what is specific stands before what is general."""


def _version() -> str:
    """Return a digest of everything that decides what the rules do: the room's source and its word lists.

    Line endings do not count, so that every checkout of one commit has one version.
    """
    digest = sha256()
    for name, file in sorted(_sources(files("tasks.artifacts"))):
        digest.update(f"{name}\n".encode())
        digest.update(file.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:12]


def _sources(folder: Traversable, prefix: str = "") -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name != "__pycache__":
            found += _sources(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith((".py", ".txt", ".tsv")) and entry.name != "book.py":
            found.append((prefix + entry.name, entry))
    return found


RULES_VERSION = _version()
"""What made a row's text: rows made by another version are stale."""
