"""English verb forms, from the base and back, for mending a form a machine got wrong."""

from functools import cache

from tasks.artifacts.words import listed, table

_VOWELS = "aeiou"


def past(base: str) -> str:
    """Return the simple past of a verb.

    >>> past("declare"), past("tell"), past("stop"), past("deny")
    ('declared', 'told', 'stopped', 'denied')
    """
    return _irregular().get(base) or _with_ending(base, "ed")


def base_of_gerund(form: str) -> str | None:
    """Return the base of an -ing form, or None for a word that is not one (`evening`).

    >>> base_of_gerund("breaking"), base_of_gerund("making"), base_of_gerund("evening")
    ('break', 'make', None)
    """
    return _gerunds().get(form)


def base_of_past(form: str) -> str | None:
    """Return the base of a past form that is no base itself.

    >>> base_of_past("went"), base_of_past("announced"), base_of_past("put")
    ('go', 'announce', None)
    """
    return _pasts().get(form)


@cache
def _irregular() -> dict[str, str]:
    return {base: simple for base, simple, _ in table("irregular_verbs")} | {
        base: base for base in ("cost", "cut", "hit", "hurt", "let", "put", "quit", "read", "set", "shut", "spread")
    }


@cache
def _gerunds() -> dict[str, str]:
    return {_with_ending(base, "ing"): base for base in listed("verbs")}


@cache
def _pasts() -> dict[str, str]:
    verbs = listed("verbs")
    return {form: base for base in verbs if (form := past(base)) not in verbs}


def _with_ending(base: str, ending: str) -> str:
    """Join `ed` or `ing` to a base by the rules of English spelling."""
    if base.endswith("ie") and ending == "ing":
        return f"{base[:-2]}ying"
    if base.endswith("e") and not (ending == "ing" and base.endswith(("ee", "oe", "ye"))) and base != "be":
        return base[:-1] + ending
    if base.endswith("y") and base[-2] not in _VOWELS and ending == "ed":
        return f"{base[:-1]}ied"
    if _doubles(base):
        return base + base[-1] + ending
    return base + ending


def _doubles(base: str) -> bool:
    """Say whether the last consonant is doubled: one short syllable (`stop`), or listed (`admit`)."""
    if base in listed("doubling_verbs"):
        return True
    vowels = sum(letter in _VOWELS for letter in base)
    closed = len(base) > 2 and base[-1] not in "aeiouwxy" and base[-2] in _VOWELS and base[-3] not in _VOWELS
    return vowels == 1 and closed
