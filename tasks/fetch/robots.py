"""robots.txt by RFC 9309: what a host lets be fetched, and how fast."""

import re
from dataclasses import dataclass

from protego import Protego

from tasks.documents import Reason

PRODUCT = "copydesk"  # the name that robots.txt files know this crawler by
MOST_BYTES = 500 * 1024
_LONGEST_CRAWL_DELAY = 120.0

# Two places where the parser and RFC 9309 part ways: a line of an unknown kind does not end a group (section 2.2.4),
# and of a user agent only the product token counts (section 2.2.1). Misspellings that crawlers forgive stay.
_OTHER_LINE = re.compile(
    r"^[ \t]*(?!user|dis|dia|allow|crawl|site|host)[\w-]+[ \t]*:.*\n?", re.IGNORECASE | re.MULTILINE
)
_USER_AGENT = re.compile(r"^([ \t]*user[- ]?agent[ \t]*:[ \t]*[a-z_-]+).*$", re.IGNORECASE | re.MULTILINE)


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
        return self.rules is None or bool(self.rules.can_fetch(url, agent))


ALLOW_ALL = Robots()


def robots_from_body(body: bytes) -> Robots:
    """Read a robots.txt: only its first 500 KiB count, and nothing in it can make this fail.

    >>> robots = robots_from_body(b"User-agent: *\\nDisallow: /private/\\nCrawl-delay: 3")
    >>> robots.allows("http://example.com/private/x"), robots.allows("http://example.com/"), robots.delay
    (False, True, 3.0)
    """
    if len(body) > MOST_BYTES:
        body = body[:MOST_BYTES].rpartition(b"\n")[0]
    text = "\n".join(body.decode("utf-8-sig", errors="replace").splitlines())
    rules = Protego.parse(_USER_AGENT.sub(r"\1", _OTHER_LINE.sub("", text)))
    return Robots(rules=rules, delay=_usable_delay(rules.crawl_delay(PRODUCT)))


def _usable_delay(delay: float | None) -> float:
    """A crawl delay of more than two minutes is taken for a mistake, as is a negative one."""
    return delay if delay is not None and 0 <= delay <= _LONGEST_CRAWL_DELAY else 0.0
