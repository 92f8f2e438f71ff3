"""Word lists, a line each, with their source on top; `listed` and `table` read them."""

from functools import cache
from importlib.resources import files


@cache
def listed(name: str) -> frozenset[str]:
    """Return the entries of `words/<name>.txt`.

    >>> "so that" in listed("conjunctions")
    True
    """
    return frozenset(lines(f"{name}.txt"))


@cache
def table(name: str) -> tuple[tuple[str, ...], ...]:
    """Return the rows of `words/<name>.tsv`, split at tabs.

    >>> ("fr", "janvier", "January") in table("months")
    True
    """
    return tuple(tuple(line.split("\t")) for line in lines(f"{name}.tsv"))


def lines(file: str) -> list[str]:
    """Return the lines of a file but the blank ones and those that begin with #."""
    text = files(__package__).joinpath(file).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]
