"""Bring the tags that pages and people write for a language to the one that rows have."""

from functools import cache
from pathlib import Path
from typing import Final

_TABLE: Final = Path(__file__).with_suffix(".tsv")
_REGIONS: Final = {
    **dict.fromkeys(("zh-cn", "zh-sg", "zh-hans"), "zh-Hans"),
    **dict.fromkeys(("zh-tw", "zh-hk", "zh-mo", "zh-hant"), "zh-Hant"),
    "pt-br": "pt-BR",
}
"""All that rows say beyond the language itself."""


def same_language(code: str) -> str:
    """Return the code of a language that rows have, for any that ISO 639 gives it.

    >>> same_language("deu"), same_language("nb"), same_language("haw")
    ('de', 'no', 'haw')
    """
    return _same().get(code, code)


def tag_in_rows(tag: str) -> str:
    """Return what rows say of articles in the language of a tag; the tag itself where they say that.

    >>> tag_in_rows("eng"), tag_in_rows("zh-CN"), tag_in_rows("en-GB"), tag_in_rows("pt-BR")
    ('en', 'zh-Hans', 'en', 'pt-BR')
    """
    language, *others = tag.lower().split("-")
    language = same_language(language)
    for count in range(len(others), 0, -1):
        if found := _REGIONS.get("-".join((language, *others[:count]))):
            return found
    return language


@cache
def _same() -> dict[str, str]:
    lines = _TABLE.read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t") for line in lines if not line.startswith("#"))
