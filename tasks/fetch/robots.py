"""robots.txt by RFC 9309: what a host lets be fetched, and how fast."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from protego import Protego

from tasks.documents import Reason

PRODUCT = "copydesk"  # the name that robots.txt files know this crawler by
MOST_BYTES = 500 * 1024
_LONGEST_CRAWL_DELAY = 120.0
_FRESH_FOR = timedelta(days=1)  # RFC 9309, section 2.4
# Trouble closes a whole host, and most of it passes within minutes: a run an hour later finds the host open again,
# and a host in trouble is asked 24 times a day at most.
_TROUBLE_FOR = timedelta(hours=1)

# Three places where the parser and RFC 9309 part ways: a line of an unknown kind does not end a group (section 2.2.4),
# and of a user agent only the product token counts, and all of it (section 2.2.1): "copy" is not "copydesk". The parser
# looks for the token at the beginning of words, so brackets are put around it. Misspellings that crawlers forgive stay.
_OTHER_LINE = re.compile(
    r"^[ \t]*(?!user|dis|dia|allow|crawl|site|host)[\w-]+[ \t]*:.*\n?", re.IGNORECASE | re.MULTILINE
)
_USER_AGENT = re.compile(r"^([ \t]*user[- ]?agent[ \t]*:[ \t]*)([a-z_-]+).*$", re.IGNORECASE | re.MULTILINE)
_DISALLOW = re.compile(r"[ \t]*dis[a-z]*[ \t]*:[ \t]*/([^*$#\s]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Robots:
    """What one origin's robots.txt says. `rules` None: everything is allowed, or nothing where `trouble` says why."""

    rules: Protego | None = None
    trouble: str = ""
    reason: Reason = Reason.ROBOTS_UNREACHABLE  # the kind of trouble
    delay: float = 0.0

    def allows(self, url: str, agent: str = PRODUCT) -> bool:
        """Tell whether a URL of this origin may be fetched."""
        if self.trouble:
            return False
        return self.rules is None or bool(self.rules.can_fetch(url, _token(agent)))


ALLOW_ALL = Robots()


class RobotsRecord(Protocol):
    """What an origin answered when asked for its robots.txt: the text, or why nothing there may be fetched."""

    @property
    def fetched_at(self) -> datetime: ...
    @property
    def text(self) -> str | None: ...
    @property
    def trouble(self) -> str | None: ...
    @property
    def reason(self) -> str | None: ...


class RobotsRecords(Protocol):
    """Answers of earlier runs; the ledger keeps them."""

    def robots(self, origins: Iterable[str]) -> Mapping[str, RobotsRecord]:
        """Return what these origins last answered, of those that were asked at all."""
        ...

    def record_robots(
        self,
        origin: str,
        fetched_at: datetime,
        *,
        text: str | None = None,
        trouble: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Keep this as an origin's last answer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotsAnswer:
    """What an origin has answered now."""

    fetched_at: datetime
    text: str | None = None
    trouble: str | None = None
    reason: Reason | None = None


class RobotsBook:
    """What the robots.txt of each origin says: asked once, used for a day, by this run and by later ones.

    Without `records` it is known to this run only. What an origin is found to be under the rules of one source (on a
    private network, say) is not held against another: the rules are part of the key.
    """

    def __init__(self, clock: Callable[[], datetime], records: RobotsRecords | None) -> None:
        self._clock = clock
        self._records = records
        self._recalled: dict[str, RobotsRecord | None] = {}
        self._read: dict[tuple[str, bool], tuple[datetime, Robots]] = {}

    def recall(self, origins: Iterable[str]) -> None:
        """Look up what earlier runs were told by these origins, all at once, and each only once."""
        new = dict.fromkeys(origin for origin in origins if origin not in self._recalled)
        self._recalled |= new
        if new and self._records is not None:
            self._recalled |= self._records.robots(new)

    def find(self, origin: str, *, allow_private: bool) -> Robots | None:
        """Return what an origin's robots.txt says, or None where it has to be asked for."""
        key = origin, allow_private
        if key not in self._read:
            self.recall([origin])
            record, self._recalled[origin] = self._recalled[origin], None  # its text may be long
            if record is not None:
                self._note(key, record)
        until, robots = self._read.get(key, (self._clock(), None))
        return robots if until > self._clock() else None

    def keep(self, origin: str, answer: RobotsAnswer, *, allow_private: bool) -> Robots:
        """Keep an answer, and return what it says.

        Later runs are told of it where the host gave it: that it could not be reached may be a trouble on this side.
        """
        if self._records is not None and answer.reason in {None, Reason.ROBOTS_UNREACHABLE}:
            self._records.record_robots(
                origin, answer.fetched_at, text=answer.text, trouble=answer.trouble, reason=answer.reason
            )
        return self._note((origin, allow_private), answer)

    def _note(self, key: tuple[str, bool], record: RobotsRecord) -> Robots:
        robots = _robots_of(record)
        self._read[key] = record.fetched_at + (_TROUBLE_FOR if robots.trouble else _FRESH_FOR), robots
        return robots


def _robots_of(record: RobotsRecord) -> Robots:
    if record.text is None:
        return Robots(trouble=record.trouble or "no answer", reason=Reason(record.reason or Reason.ROBOTS_UNREACHABLE))
    return robots_from_text(record.text) if record.text else ALLOW_ALL


def robots_text(body: bytes) -> str:
    """Return the text of a robots.txt: only its first 500 KiB count, and no byte can make this fail.

    >>> robots_text(b"\\xef\\xbb\\xbfUser-agent: *\\r\\nDisallow: /caf\\xe9")
    'User-agent: *\\nDisallow: /caf\ufffd'
    """
    if len(body) > MOST_BYTES:
        body = body[:MOST_BYTES].rpartition(b"\n")[0]
    # A database takes no NUL.
    return "\n".join(body.decode("utf-8-sig", errors="replace").replace("\0", "\ufffd").splitlines())


def robots_from_text(text: str) -> Robots:
    """Read a robots.txt; nothing in it can make this fail.

    >>> robots = robots_from_text("User-agent: *\\nDisallow: /private/\\nCrawl-delay: 3")
    >>> robots.allows("http://example.com/private/x"), robots.allows("http://example.com/"), robots.delay
    (False, True, 3.0)
    """
    rules = Protego.parse(_USER_AGENT.sub(r"\1<\2>", _OTHER_LINE.sub("", text)))
    return Robots(rules=rules, delay=_usable_delay(rules.crawl_delay(_token(PRODUCT))))


def disallowing_line(text: str, url: str) -> str:
    """Return the line of a robots.txt that by itself keeps a URL from being fetched; "" where there is none.

    >>> disallowing_line("User-agent: *\\nDisallow: /a/\\nDisallow: /b/", "http://example.com/b/x")
    'line 3: Disallow: /b/'
    """
    lines = text.splitlines()
    rules = {number: match for number, line in enumerate(lines) if (match := _DISALLOW.match(line))}
    path = url.partition("://")[2].partition("/")[2]
    for number, match in rules.items():
        if path.startswith(match[1]):
            alone = [line for at, line in enumerate(lines) if at == number or at not in rules]
            if not robots_from_text("\n".join(alone)).allows(url):
                return f"line {number + 1}: {lines[number].strip()[:200]}"
    return ""


def robots_from_body(body: bytes) -> Robots:
    """Read a robots.txt as it was received."""
    return robots_from_text(robots_text(body))


def _token(agent: str) -> str:
    """Return a product token as the parser is to compare it: whole."""
    return f"<{agent}>"


def _usable_delay(delay: float | None) -> float:
    """A crawl delay of more than two minutes is taken for a mistake, as is a negative one."""
    return delay if delay is not None and 0 <= delay <= _LONGEST_CRAWL_DELAY else 0.0
