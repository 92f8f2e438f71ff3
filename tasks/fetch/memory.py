"""What discovery is told of listings that were visited before."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tasks.fetch.feeds import Listing
from tasks.fetch.results import Validator
from tasks.fetch.sources import SourceKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """A listing as it was when it was last read: what an answer "not modified" stands for."""

    listing: Listing
    kind: SourceKind
    base: str


class Memory(Protocol):
    """Listings by their addresses, as the last visits left them."""

    def validator(self, url: str) -> Validator | None:
        """Return what to ask a listing with whether it has changed; None to have it whole."""
        ...

    def recall(self, url: str) -> Remembered | None:
        """Return a listing as it was when it was last read."""
        ...

    def passes_over(self, url: str, modified_at: datetime | None) -> bool:
        """Tell whether a sitemap that its index dates so need not be asked at all; it can be recalled then."""
        ...


class NoMemory:
    """The memory of one who was never here: every listing is read whole."""

    def validator(self, _url: str) -> Validator | None:
        """Ask for the whole listing."""
        return None

    def recall(self, _url: str) -> Remembered | None:
        """Recall nothing."""
        return None

    def passes_over(self, _url: str, _modified_at: datetime | None) -> bool:
        """Ask every sitemap."""
        return False
