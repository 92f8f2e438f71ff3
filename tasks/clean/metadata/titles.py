"""The headline: what the page shows, unless all that it declares agrees on something else."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

_WORD = re.compile(r"\w+")
_SEPARATOR = re.compile(r"\s+[|•·»:–—-]\s+|\s*[|｜]\s*")
# A headline belongs to the article when it shares this part of its words with a declared title.
_AGREES = 0.5
# A part of a title that consists of the site's name to this degree is no part of the headline.
_NAMES_SITE = 0.6
# What the page shows counts as much as two declarations. A kicker inside the h1 is outvoted so.
_SHOWN_WEIGHT = 2.0
# Where JSON-LD and OpenGraph agree on something else, an editor chose it: the h1 needs more voices than the page title.
_OUTVOTED = 1.4


def choose_title(
    headlines: Sequence[str], declared: Sequence[tuple[str, float]], site_name: str, *, introducing: str = ""
) -> str:
    """Return the page's headline, given its h1 texts and the declared titles with their weights.

    The h1 that introduces the article, where one does, is believed though no declaration speaks for it.

    >>> choose_title(["Menu", "Bridge holds after storm"], [("Bridge holds", 1.0)], "Daily")
    'Bridge holds after storm'
    >>> choose_title([], [("Bridge holds | Daily", 0.5)], "Daily")
    'Bridge holds'
    """
    voices = [(_declared_title(title, weight, site_name), weight) for title, weight in declared if title]
    trusted = [_fold(title) for title, weight in voices if weight >= 1.0]
    if shown := _shown(headlines, declared) or introducing:
        voices.insert(0, (shown, _OUTVOTED if 1 < len(trusted) > len(set(trusted)) else _SHOWN_WEIGHT))
    votes: dict[str, float] = {}
    for title, weight in voices:
        votes[_fold(title)] = votes.get(_fold(title), 0.0) + weight
    return max(voices, key=lambda voice: votes[_fold(voice[0])], default=("", 0.0))[0]


def _declared_title(title: str, weight: float, site_name: str) -> str:
    """Cut the site's name from a declared title; of the less trusted, any short last part."""
    return without_site_name(title, site_name, only_names=weight >= 1.0)


def _shown(headlines: Sequence[str], declared: Sequence[tuple[str, float]]) -> str:
    """Return the h1 that agrees most with what is declared; a sole h1 needs to agree only with the metadata."""
    references = [title for title, _ in declared if title]
    best = max(headlines, key=lambda headline: agreement(headline, references), default="")
    is_undisputed = len(headlines) == 1 and not any(title for title, weight in declared if weight >= 1.0)
    return best if not references or is_undisputed or agreement(best, references) >= _AGREES else ""


def agreement(headline: str, references: Iterable[str]) -> float:
    """Return the largest share of words that a headline has in common with one of the references (0 to 1).

    >>> agreement("Bridge holds after storm", ["The bridge holds"])
    0.6666666666666666
    """
    words = set(_words(headline))
    best = 0.0
    for reference in references:
        others = set(_words(reference))
        if words and others:
            # One word in common says little, however short the headline.
            certainty = min(1.0, len(words) / 2)
            best = max(best, certainty * len(words & others) / min(len(words), len(others)))
    return best


def without_site_name(title: str, site_name: str, *, only_names: bool = False) -> str:
    """Cut the site's name from a title's end or beginning; unless `only_names`, any short last part, too.

    >>> without_site_name("Bridge holds - again - The Daily Bridge", "Daily Bridge")
    'Bridge holds - again'
    >>> without_site_name("Daily Bridge » Archive » Storm is over", "Daily Bridge")
    'Storm is over'
    """
    separators = list(_SEPARATOR.finditer(title))
    if not separators:
        return title
    head, tail = title[: separators[-1].start()], title[separators[-1].end() :]
    if names_site(tail, site_name):
        return head
    if names_site(title[: separators[0].start()], site_name):
        return tail if len(separators) == 2 else title[separators[0].end() :]
    return head if not only_names and len(tail.split()) <= 4 and len(head.split()) >= 4 else title


def names_site(part: str, site_name: str) -> bool:
    """Tell whether most words of a title's part are the site's name.

    >>> names_site("The Daily Bridge", "Daily Bridge"), names_site("Why the bridge held", "Daily Bridge")
    (True, False)
    """
    words, name = _words(part), set(_words(site_name))
    return bool(words and name) and sum(word in name for word in words) >= len(words) * _NAMES_SITE


def parts_of(title: str) -> list[str]:
    """Return the parts that a separator cuts from a title, the longest first; none where there is no separator.

    >>> parts_of("The Daily Bridge - Storm ends")
    ['The Daily Bridge', 'Storm ends']
    """
    cuts = list(_SEPARATOR.finditer(title))
    parts = [part for cut in cuts for part in (title[: cut.start()], title[cut.end() :])]
    return sorted(dict.fromkeys(parts), key=len, reverse=True)


def without_kicker(whole: str, pieces: Sequence[str], declared: Iterable[str]) -> str:
    """Return the part of an h1 that is declared as title: without a kicker before all, then without a second line.

    >>> without_kicker("Weather: Bridge holds", ["Weather", ": Bridge holds"], ["Bridge holds"])
    'Bridge holds'
    """
    titles = {_fold(title) for title in declared if title}
    cuts = range(1, len(pieces))
    without_first = (" ".join(pieces[cut:]).lstrip(" :|-–—") for cut in cuts)
    without_last = (" ".join(pieces[:cut]) for cut in cuts)
    return next((text for text in (*without_first, whole, *without_last) if _fold(text) in titles), whole)


def _fold(title: str) -> str:
    return " ".join(_words(title))


@lru_cache(maxsize=64)
def _words(title: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(title.casefold()))
