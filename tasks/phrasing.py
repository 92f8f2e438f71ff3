"""Say counts in words."""

from collections.abc import Mapping


def counted(count: int, noun: str, nouns: str | None = None) -> str:
    """Return a count with its noun.

    >>> counted(1, "partition"), counted(1204, "story", "stories")
    ('1 partition', '1,204 stories')
    """
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


def listed(counts: Mapping[str, int]) -> str:
    """List counts, the largest first.

    >>> listed({"duplicate": 3, "other-site": 1200})
    '1,200 other-site, 3 duplicate'
    """
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return ", ".join(f"{count:,} {name}" for name, count in ordered if count)
