"""One URL on its way: the addresses it passes, and the setbacks that end or delay it."""

from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urljoin

from tasks.documents import Reason
from tasks.fetch.guard import ForbiddenPort, Refused, check_url
from tasks.fetch.results import Request
from tasks.urls import BadUrl, UrlTrouble, fetchable_url, host_of

_LONGEST_COOKIE = 4096


class Setback(Exception):  # noqa: N818 - named after the situation
    """Why a request came to nothing. A `passing` one may be cured by a retry, at `again_at` where the server says.

    One that `is_ours` lies on this side (no network, no name server) and is not held against the host.
    """

    def __init__(
        self,
        reason: Reason,
        detail: str,
        *,
        passing: bool = False,
        again_at: datetime | None = None,
        is_ours: bool = False,
    ) -> None:
        super().__init__(detail)
        self.reason = reason
        self.passing = passing
        self.again_at = again_at
        self.is_ours = is_ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one exchange brought: the head, and where the status is 200 the payload as received and the decoded body."""

    status: int
    reason_phrase: str
    headers: tuple[tuple[str, str], ...]
    payload: bytes = field(repr=False)
    body: bytes = field(repr=False)
    received_at: datetime

    def header(self, name: str) -> str | None:
        """Return the first value of a header, or None."""
        for key, value in self.headers:
            if key.lower() == name:
                return value
        return None

    def header_values(self, name: str) -> list[str]:
        """Return all values of a header."""
        return [value for key, value in self.headers if key.lower() == name]

    def location(self) -> str:
        """Return where a redirect leads; two different answers to that are no answer."""
        targets = {value.strip() for value in self.header_values("location")}
        if len(targets) != 1 or targets == {""}:
            raise Setback(Reason.HTTP_ERROR, f"{self.status_line} with {len(targets - {''})} usable Location headers")
        return targets.pop()

    @property
    def status_line(self) -> str:
        """The status as a person reads it: "404 Not Found"."""
        return f"{self.status} {self.reason_phrase}".strip()


@dataclass(slots=True, kw_only=True)
class Journey:
    """One URL on its way through redirects and retries."""

    request: Request
    url: str
    seconds_left: float
    attempts_left: int
    passed: list[str] = field(default_factory=list)
    cookies: dict[str, str] = field(default_factory=dict)
    seen: set[tuple[str, str]] = field(default_factory=set)
    was_refreshed: bool = False
    host: str = field(init=False)  # of `url`
    _own_hosts: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        source, asked = self.request.source, self.request.candidate.url or ""
        self.host = host_of(self.url)
        self._own_hosts = frozenset()
        if source.allow_private:
            self._own_hosts = frozenset((host_of(asked), host_of(source.location)))

    @property
    def allows_private(self) -> bool:
        """Whether the address now asked for may be private: only at hosts that the source itself names.

        A redirect to another host is under the same rules as on the open network.
        """
        return self.host in self._own_hosts

    def check_address(self) -> None:
        """Raise `Setback` where the address now asked for is forbidden."""
        try:
            check_url(self.url, allow_private=self.allows_private)
        except Refused as refused:
            raise forbidden(refused) from refused

    def resolve(self, target: str) -> str:
        """Return the address that a link on the page now asked for leads to."""
        try:
            return checked_url(urljoin(self.url, target))
        except ValueError as error:
            raise Setback(Reason.BAD_URL, f"{target[:200]!r} is not a URL: {error}") from error

    def move(self, target: str, limit: int) -> None:
        """Go on at the address of a redirect; cookies stay with their host."""
        moved = self.resolve(target)
        host = host_of(moved)
        if host != self.host:
            self.cookies.clear()
        self.passed.append(self.url)
        self.url, self.host = moved, host
        if len(self.passed) > limit:
            raise Setback(Reason.TOO_MANY_REDIRECTS, f"more than {limit}, the last one to {moved}")
        self.note()

    def note(self) -> None:
        """Remember this step; raise `Setback` when the way leads in a circle."""
        step = (self.url, self.cookie_header)
        if step in self.seen:
            raise Setback(Reason.TOO_MANY_REDIRECTS, f"in a circle, back to {self.url}")
        self.seen.add(step)

    @property
    def cookie_header(self) -> str:
        """The cookies that redirects have set on the way: some sites turn in circles without them."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())[:_LONGEST_COOKIE]

    def keep_cookies(self, answer: Answer) -> None:
        """Keep what a redirect sets, for this journey only."""
        for cookie in answer.header_values("set-cookie")[:20]:
            name, separator, value = cookie.partition(";")[0].strip().partition("=")
            if separator and name and len(value) < 1024 and value.isascii():
                self.cookies[name] = value


def checked_url(url: str) -> str:
    """Return a URL as it can be asked for; raise `Setback` for one that cannot."""
    try:
        return fetchable_url(url)
    except BadUrl as error:
        odd = error.trouble is UrlTrouble.ODD_ADDRESS
        raise Setback(Reason.PRIVATE_ADDRESS if odd else Reason.BAD_URL, str(error)) from error


def forbidden(refused: Refused) -> Setback:
    """Return the setback that a forbidden address is."""
    is_port = isinstance(refused, ForbiddenPort)
    return Setback(Reason.FORBIDDEN_PORT if is_port else Reason.PRIVATE_ADDRESS, str(refused))
