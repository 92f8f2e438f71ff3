"""A look at a source without visiting it: what to read of an index, and what robots.txt said on the way."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from tasks.documents import Reason
from tasks.fetch.feeds import Listing
from tasks.fetch.memory import NoMemory, Remembered
from tasks.fetch.robots import RobotsAnswer, RobotsRecord, RobotsRecords, disallowing_line, robots_from_text
from tasks.fetch.sources import SourceKind

MOST_PARTS: Final = 20  # sitemaps of an index that are looked into
STALE: Final = timedelta(days=30)  # sitemaps that have not changed for so long are not


class Glance(NoMemory):
    """Has an index of sitemaps read only as far as it takes to see what is new."""

    def __init__(self, now: datetime) -> None:
        self._since = now - STALE
        self._left = MOST_PARTS

    def recall(self, url: str) -> Remembered:
        """Take a sitemap that is passed over for an empty one."""
        return Remembered(listing=Listing(), kind=SourceKind.SITEMAP, base=url)

    def passes_over(self, _url: str, modified_at: datetime | None) -> bool:
        """Pass over what is old, and what is too much."""
        if self._left <= 0 or (modified_at is not None and modified_at < self._since):
            return True
        self._left -= 1
        return False


class RobotsSeen:
    """The robots.txt files that were used on the way: `RobotsRecords` that pass on to others, if there are any."""

    def __init__(self, records: RobotsRecords | None) -> None:
        self._records = records
        self._seen: dict[str, RobotsRecord] = {}

    def robots(self, origins: Iterable[str]) -> Mapping[str, RobotsRecord]:
        """Return what these origins last answered, of those that were asked at all."""
        found: Mapping[str, RobotsRecord] = {} if self._records is None else self._records.robots(origins)
        self._seen |= found
        return found

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
        self._seen[origin] = RobotsAnswer(
            fetched_at=fetched_at, text=text, trouble=trouble, reason=None if reason is None else Reason(reason)
        )
        if self._records is not None:
            self._records.record_robots(origin, fetched_at, text=text, trouble=trouble, reason=reason)

    def say(self, url: str) -> str:
        """Say what the robots.txt of a URL's origin means for it; "" where it was not had."""
        record = self._seen.get(_origin(url))
        if record is None:
            return ""
        if record.text is None:
            return f"unreachable, so that nothing may be fetched ({record.trouble})"
        if not record.text:
            return "there is none, so that everything is allowed"
        if robots_from_text(record.text).allows(url):
            return "allowed"
        return f"disallowed, {disallowing_line(record.text, url) or 'by several lines together'}"

    def delay(self, url: str) -> float:
        """Return the crawl delay that it asks for."""
        record = self._seen.get(_origin(url))
        return robots_from_text(record.text).delay if record is not None and record.text else 0.0


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
