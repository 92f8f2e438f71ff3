"""Which addresses may be connected to."""

import asyncio
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.fetch.client import Fetcher
from tasks.fetch.guard import ForbiddenPort, GuardedResolver, Refused, check_url, refusal

PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:8.8.8.8", "64:ff9b::808:808"]
PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "::1",
    "fd12::1",
    "100.64.0.1",
    "::ffff:10.0.0.1",
    "::ffff:0:a00:1",
    "fec0::1",
]
NEVER = [
    *("169.254.169.254", "0.0.0.0", "224.0.0.1", "::", "fe80::1", "ff02::1", "fd00:ec2::254", "100.100.100.200"),
    *(
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "::a9fe:a9fe",
        "64:ff9b:1::1",
        "::ffff:0:a9fe:a9fe",
    ),
]
REFUSED_IN_PUBLIC = ["255.255.255.255", "240.0.0.1", "192.0.2.1", "2001:db8::1", "2002:a00:1::1", "64:ff9b::a00:1"]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_open(address):
    assert refusal(ip_address(address), allow_private=False) == ""


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_need_the_operators_word(address):
    assert refusal(ip_address(address), allow_private=False)
    assert refusal(ip_address(address), allow_private=True) == ""


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_open(address):
    assert refusal(ip_address(address), allow_private=False)
    assert refusal(ip_address(address), allow_private=True)


@pytest.mark.parametrize("address", REFUSED_IN_PUBLIC)
def test_other_odd_addresses_are_closed_to_the_public(address):
    assert refusal(ip_address(address), allow_private=False)


@given(st.ip_addresses())
def test_the_public_rule_is_the_stricter_one(address):
    assert refusal(address, allow_private=False) or not refusal(address, allow_private=True)


@pytest.mark.parametrize("url", ["http://example.com:8080/", "https://example.com:22/"])
def test_other_ports_are_for_private_sources(url):
    with pytest.raises(ForbiddenPort):
        check_url(url, allow_private=False)
    check_url(url, allow_private=True)


def test_one_private_address_among_public_ones_closes_a_name():
    async def rebinding(host: str, port: int) -> list[str]:
        return ["93.184.216.34", "127.0.0.1"]

    resolver = GuardedResolver(allow_private=False, lookup=rebinding)
    with pytest.raises(Refused, match=r"127\.0\.0\.1"):
        asyncio.run(resolver.resolve("example.com", 80))


def test_the_checked_address_is_the_one_connected_to(server, client):
    """A name that is public when checked and private when connected to would be asked for twice: it is not."""
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    server.answer("/dam")
    url = server.url("/dam", host="news.example")

    async def run() -> object:
        fetcher = Fetcher(
            contact="https://example.org/bot",
            clock=client.fetcher()._clock,
            random=client.fetcher()._random,
            limits=client.limits,
            lookup=rebinding,
        )
        async with fetcher:
            return await fetcher.fetch(client.request(url))

    result = asyncio.run(run())
    assert result.url == url
    assert asked == ["news.example"]
