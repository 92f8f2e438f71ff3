"""Say figures, times and commands in words a reader takes in at a glance."""

import re
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from urllib.parse import urlsplit

from tasks.documents import Outcome
from tasks.phrasing import counted
from tasks.report.summary import RunSummary

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

# Between double quotes a POSIX shell still reads these.
SHELL_SPECIAL = re.compile(r'["$`\\!]')
LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*\Z")


def number(count: float) -> str:
    """Write a count with its thousands apart.

    >>> number(1204)
    '1,204'
    """
    return f"{count:,}"


def moment(instant: datetime) -> str:
    """Write an instant as a newspaper dates itself, to the minute.

    >>> moment(datetime(2026, 11, 24, 5, 36))
    'Tuesday 24 November 2026, 05:36 UTC'
    """
    return f"{WEEKDAYS[instant.weekday()]} {day(instant)}, {instant:%H:%M} UTC"


def day(instant: datetime) -> str:
    """Write the day of an instant.

    >>> day(datetime(2026, 11, 24, 5, 36))
    '24 November 2026'
    """
    return f"{instant.day} {MONTHS[instant.month - 1]} {instant.year}"


def duration(span: timedelta | float) -> str:
    """Write a time span (a number is seconds) in its two largest units.

    >>> duration(0.042), duration(7.31), duration(102), duration(timedelta(days=1, hours=2))
    ('42 ms', '7.3 s', '1 min 42 s', '1 d 2 h')
    """
    seconds = span.total_seconds() if isinstance(span, timedelta) else span
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    amounts = _amounts(round(seconds))
    largest = next(place for place, (amount, _) in enumerate(amounts) if amount)
    return " ".join(f"{amount} {unit}" for amount, unit in amounts[largest : largest + 2] if amount)


def _amounts(seconds: int) -> list[tuple[int, str]]:
    """Split seconds into days, hours, minutes and seconds."""
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return [(days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")]


def verdict(summary: RunSummary) -> str:
    """Say in one sentence what became of the run's inputs.

    The gates are told apart from it: a run may have done its work and still be suspicious.
    """
    new, updated, rejected = (summary.count(outcome) for outcome in (Outcome.NEW, Outcome.UPDATED, Outcome.REJECTED))
    if not summary.inputs:
        return "Nothing came in: the sources offered no input."
    if not new and not updated and not rejected:
        return f"Nothing new: {counted(summary.inputs, 'input')} looked at, and no article had changed."
    became = [
        counted(new, "new article") if new else "",
        (f"{number(updated)} updated" if new else counted(updated, "updated article")) if updated else "",
        f"{number(rejected)} set aside" if rejected else "",
    ]
    return f"{counted(summary.inputs, 'input')} came in: {_listed([part for part in became if part])}."


def _listed(parts: list[str]) -> str:
    """Join parts as a sentence does.

    >>> _listed(["a"]), _listed(["a", "b"]), _listed(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


@cache
def _language_names() -> dict[str, str]:
    """Read the language names, a tag and a name a line."""
    lines = files("tasks.report").joinpath("languages.tsv").read_text("utf-8").splitlines()
    return dict(line.split("\t") for line in lines if not line.startswith("#"))


def language_name(tag: str) -> str:
    """Return the English name of a language, or the tag where it has none here.

    >>> language_name("pt-BR"), language_name("de-CH"), language_name("xx")
    ('Portuguese, Brazil', 'German (de-CH)', 'xx')
    """
    names = _language_names()
    root = tag.partition("-")[0]
    return names.get(tag) or (f"{names[root]} ({tag})" if root in names else tag)


def language_tag(tag: str | None) -> str:
    """Return a tag that may stand in a `lang` attribute: empty, "unknown", for anything else.

    >>> language_tag("zh-Hans"), language_tag("und"), language_tag('" onload="')
    ('zh-Hans', '', '')
    """
    return tag if tag and tag != "und" and LANGUAGE_TAG.match(tag) else ""


def safe_link(url: str | None) -> str | None:
    """Return a URL that may be clicked: http or https with a host, else None.

    >>> safe_link("https://example.org/a"), safe_link("javascript:alert(1)"), safe_link("https://[")
    ('https://example.org/a', None, None)
    """
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.netloc else None


def clipped(text: str, longest: int = 240) -> str:
    """Cut a text that nobody reads to its end.

    >>> clipped("abcdef", 4)
    'abc…'
    """
    return text if len(text) <= longest else text[: longest - 1] + "…"


def shell_word(text: str) -> str:
    """Quote a word for a POSIX shell, in double quotes where that is easier on the eye.

    >>> shell_word("data"), shell_word("SELECT 'a'"), shell_word("it costs $5")
    ('data', '"SELECT \\'a\\'"', "'it costs $5'")
    """
    if re.fullmatch(r"[\w@%+=:,./-]+", text, re.ASCII) and not text.startswith("-"):
        return text
    if not SHELL_SPECIAL.search(text):
        return f'"{text}"'
    return "'" + text.replace("'", "'\"'\"'") + "'"


def sql_text(text: str) -> str:
    """Quote a text for SQL.

    >>> sql_text("l'aube")
    "'l''aube'"
    """
    return "'" + text.replace("'", "''") + "'"
