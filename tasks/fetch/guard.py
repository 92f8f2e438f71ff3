"""Which addresses may be connected to: public ones, and private ones only where the operator said so."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult

from tasks.urls import host_of

Address = IPv4Address | IPv6Address
Lookup = Callable[[str, int], Awaitable[list[str]]]

_PUBLIC_PORTS = frozenset({None, 80, 443})
_NAT64 = IPv6Network("64:ff9b::/96")
_TRANSLATED = IPv6Network("::ffff:0:0:0/96")  # RFC 7915
_SITE_LOCAL = IPv6Network("fec0::/10")  # the private addresses of old; Python takes them for public ones
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")
# Where cloud machines keep their credentials, on networks that are otherwise merely private.
_METADATA = (ip_network("169.254.0.0/16"), ip_network("fd00:ec2::/32"), ip_network("100.100.100.200/32"))


class Refused(Exception):  # noqa: N818 - named after the situation
    """An address that must not be connected to, with the reason."""


class ForbiddenPort(Refused):
    """A port that is not one of the web's, at a host that is not the operator's own."""


@lru_cache(maxsize=4096)
def refusal(address: Address, *, allow_private: bool) -> str:
    """Return why an address must not be connected to, or "" where it may.

    >>> refusal(ip_address("10.0.0.1"), allow_private=False)
    '10.0.0.1 is not a public address'
    >>> refusal(ip_address("169.254.169.254"), allow_private=True)
    '169.254.169.254 is never fetched from'
    """
    inner = _unwrapped(address)
    if inner.is_multicast or inner.is_unspecified or inner.is_link_local or _is_metadata(inner):
        return f"{address} is never fetched from"
    if not allow_private and (not inner.is_global or inner in _SITE_LOCAL):
        return f"{address} is not a public address"
    return ""


def check_url(url: str, *, allow_private: bool) -> None:
    """Raise `Refused` where a URL's port or literal address is forbidden; a name is checked when it is resolved."""
    if not allow_private and (port := urlsplit(url).port) not in _PUBLIC_PORTS:
        raise ForbiddenPort(f"port {port} is not 80 or 443")
    if literal := literal_address(host_of(url)):
        _check(literal, allow_private)


@lru_cache(maxsize=4096)
def literal_address(host: str) -> Address | None:
    """Return the address that a host in canonical form spells out, or None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


class GuardedResolver(AbstractResolver):
    """Resolve a name and check every address it has; the connection then goes to those very addresses.

    One private address among public ones is enough to refuse the name: that is what rebinding looks like.
    """

    def __init__(self, *, allow_private: bool, lookup: Lookup | None = None) -> None:
        self._allow_private = allow_private
        self._lookup = lookup or system_lookup

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the checked addresses of a host; raise `Refused` where one of them is not to be connected to."""
        addresses = [ip_address(text) for text in await self._lookup(host, port)]
        for address in addresses:
            _check(address, self._allow_private)
        return [_result(host, port, address) for address in addresses if family in {socket.AF_UNSPEC, _family(address)}]

    async def close(self) -> None:
        """Nothing is held open."""


async def system_lookup(host: str, port: int) -> list[str]:
    """Return the addresses of a host as the operating system resolves it."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]).partition("%")[0] for *_, address in found))


def _check(address: Address, allow_private: bool) -> None:
    if reason := refusal(address, allow_private=allow_private):
        raise Refused(reason)


def _unwrapped(address: Address) -> Address:
    """Return the IPv4 address inside an IPv6 one (mapped, translated, NAT64, 6to4, Teredo), where there is one."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64 or address in _TRANSLATED or (int(address) >> 32 == 0 and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _LOCAL_NAT64:
        return IPv4Address("0.0.0.0")  # noqa: S104 - whatever a local translator makes of it, it is not public
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)


def _is_metadata(address: Address) -> bool:
    return any(address.version == network.version and address in network for network in _METADATA)


def _family(address: Address) -> socket.AddressFamily:
    return socket.AF_INET if address.version == 4 else socket.AF_INET6


def _result(host: str, port: int, address: Address) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=str(address),
        port=port,
        family=_family(address),
        proto=socket.IPPROTO_TCP,
        flags=socket.AI_NUMERICHOST,
    )
