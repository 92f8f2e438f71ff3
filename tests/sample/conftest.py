"""A running sample site, and a bare HTTP client that follows nothing and decodes nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection

import pytest

from flows.sample.site import SampleSite


@dataclass(frozen=True, slots=True)
class Answer:
    """What came over the wire."""

    status: int
    headers: Message
    body: bytes


Ask = Callable[..., Answer]


@pytest.fixture
def site() -> Iterator[SampleSite]:
    with SampleSite() as running:
        yield running


@pytest.fixture
def ask(site: SampleSite) -> Iterator[Ask]:
    """Return a function that asks the site for a path over one connection kept open."""
    connection = HTTPConnection(site.base_url.removeprefix("http://"), timeout=10)

    def ask(path: str, method: str = "GET", **headers: str) -> Answer:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())

    yield ask
    connection.close()
