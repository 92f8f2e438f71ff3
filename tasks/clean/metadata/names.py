"""Authors as people: split, stripped of "By", posts and places, without the site's own name."""

import re
import unicodedata
from collections.abc import Iterable
from itertools import islice

from tasks.clean.data import vocabulary
from tasks.clean.whitespace import flat

_WORDS = vocabulary("names")
_BEFORE = re.compile(
    r"^\W*(?:(?:" + "|".join(sorted(map(re.escape, _WORDS["before"]), key=len, reverse=True)) + r")(?:\s*:\s*|\s+))+",
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    r"\s*[;|•·/]\s*|\s+[&+]\s+|\s+(?:"
    + "|".join(map(re.escape, _WORDS["between"]))
    + r")\s+(?=[^\W\d_a-z])|\s*[、，]\s*"
)
# "Text & Fotos: Ana Ruiz": what stands before a colon says what somebody did.
_TASK = re.compile(r"^([^:：\n]{2,30})[:：]\s*(?=\S)")
_COLON = re.compile(r"[:：]")
_PICTURES = re.compile("|".join(map(re.escape, _WORDS["pictures"])), re.IGNORECASE)
_OTHERS = re.compile(
    r"(?:" + "|".join(map(re.escape, _WORDS["pictures"])) + r")\w*\s+(?:by|von|de|di|par|por|av)\s", re.IGNORECASE
)
_TEXTS = re.compile("|".join(map(re.escape, _WORDS["texts"])), re.IGNORECASE)
_PLACE = re.compile(r"(?<=\w\s)(\S+)\s+(?:in|at|for|from|aus|für)\s+(?=[^\W\d_a-z]).*$")
_COMMA = re.compile(r",|\s[–—-]\s")
_PARTICLES = frozenset(_WORDS["particles"])
_ROLES = frozenset((*_WORDS["roles"], *_WORDS["days"]))
_POSTS = frozenset(_WORDS["posts"])
_NO_NAMES = _POSTS | frozenset(_WORDS["agencies"])
_ADDRESS = re.compile(r"https?://\S*|www\.\S+|\S+@\S+\.\w+|(?<!\w)@\w+")
_BRACKETS = re.compile(r"\s*[(\[（][^)\]）]*[)\]）]")
_AROUND = " ,;:|-–—'\"()[]（）／"
# The end of a sentence, not of an initial.
_STOP = re.compile(r"(?<!\b\w)\.+$|^\.+")
_NOT_WORD = re.compile(r"\W+")
_LONGEST_BYLINE = 1_000
_LONGEST_NAME, _MOST_WORDS = 60, 5
_MOST_BYLINES, _MOST_AUTHORS = 100, 20


def people(bylines: Iterable[str], site_names: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the people named in bylines, each once.

    >>> people(["By Ana Ruiz and Tom Lee, Staff Writer", "The Daily Bridge"], site_names=["Daily Bridge"])
    ('Ana Ruiz', 'Tom Lee')
    """
    sites = {_fold(name) for name in site_names if name}
    names: dict[str, str] = {}
    for byline in islice(bylines, _MOST_BYLINES):
        for name in _split(byline):
            folded = _fold(name)
            if folded and folded not in sites and _is_name(name):
                names.setdefault(_without_accents(folded), name)
    return _without_desks(tuple(names.values()), sites)[:_MOST_AUTHORS]


def _without_desks(names: tuple[str, ...], sites: set[str]) -> tuple[str, ...]:
    """Drop a part of the house ("Courier Sports") beside a person: a name that begins with the site's."""
    return tuple(name for at, name in enumerate(names) if not at or _fold(name.split()[0]) not in sites)


def people_shown(bylines: Iterable[str], site_names: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the people named in bylines as a page shows them: what does not read like a name is none.

    >>> people_shown(["Von Karl Groß", "Bridge closes in storm"])
    ('Karl Groß',)
    """
    return tuple(name for name in people(bylines, site_names) if _has_shape_of_name(name))


def _has_shape_of_name(name: str) -> bool:
    words = name.split()
    if len(words) == 1:
        return True
    has_case = all(not word[0].islower() or word in _PARTICLES for word in words)
    return has_case and len(words) <= _MOST_WORDS and not any(word.lower() in _POSTS for word in words[1:])


def is_user_name(name: str) -> bool:
    """Tell whether a name is an account rather than a person's name.

    >>> is_user_name("wpadmin2"), is_user_name("Ana"), is_user_name("新間")
    (True, False, False)
    """
    return name.isascii() and name.islower() and " " not in name


def _split(byline: str) -> Iterable[str]:
    byline = _BRACKETS.sub("", _ADDRESS.sub(" ", flat(byline[:_LONGEST_BYLINE])))
    byline = _BEFORE.sub("", _without_task(byline))
    for part in _BETWEEN.split(byline):
        for name in map(_without_task, _commas(part)):
            yield _STOP.sub("", _PLACE.sub(r"\1", _BEFORE.sub("", name)).strip(_AROUND)).strip(_AROUND)


def _without_task(part: str) -> str:
    """Cut what somebody did from before a name; who only took the pictures is no author.

    >>> _without_task("Interview: Ana Ruiz"), _without_task("Foto: Tom Lee")
    ('Ana Ruiz', '')
    """
    if _OTHERS.match(part):
        return ""
    task = _TASK.match(part)
    if task is None or len(_COLON.findall(part)) > 1:
        return part
    if _PICTURES.search(task[1]) and not _TEXTS.search(task[1]):
        return ""
    return part[task.end() :]


def _commas(part: str) -> list[str]:
    """Split at commas between names; what follows a comma and is a post or place is dropped.

    >>> _commas("Ana Ruiz, Tom Lee, Political Editor")
    ['Ana Ruiz', 'Tom Lee']
    """
    first, *rest = (piece.strip() for piece in _COMMA.split(part))
    return [first, *(piece for piece in rest if _reads_as_full_name(piece))]


def _reads_as_full_name(piece: str) -> bool:
    words = piece.split()
    return 2 <= len(words) <= 5 and words[0][:1].isupper() and not any(word.lower() in _NO_NAMES for word in words)


def _is_name(name: str) -> bool:
    return (
        len(name) <= _LONGEST_NAME
        and name.lower() not in _ROLES
        and not all(word.strip(".").lower() in _POSTS for word in name.split())
        and not (is_user_name(name) and "admin" in name)
        and any(map(str.isalpha, name))
        and not any(character.isdigit() or character in ":：" for character in name)
        and len(name.split()) <= 7
    )


def _without_accents(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(character for character in decomposed if not unicodedata.combining(character)) or text


def _fold(name: str) -> str:
    return _NOT_WORD.sub("", name.casefold().removeprefix("the "))
