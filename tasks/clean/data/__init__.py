"""Vocabulary of the web: class words, phrases, names of months, as files of plain words."""

import tomllib
from functools import cache
from importlib.resources import files


@cache
def vocabulary(name: str) -> dict[str, tuple[str, ...]]:
    """Return the word lists of `data/<name>.toml`, list by list."""
    lists = tomllib.loads(files("tasks.clean.data").joinpath(f"{name}.toml").read_text("utf-8"))
    return {key: tuple(words) for key, words in lists.items()}
