"""Requests to addresses that strangers chose: a webhook must never reach into the operator's own network.

The name is resolved here, every address it stands for is held against a deny list, and the connection goes to an
address that was checked: a name that resolves otherwise the second time gains nothing. No proxy of the environment is
used, no redirect followed, no compressed answer asked for, and of an answer no more than 64 kB is read.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from regulars_kit.outbound_exchange import READ_AT_MOST, Answer, ConnectionBroken, Exchange

__all__ = ["READ_AT_MOST", "AddressDenied", "Answer", "Network", "OutboundClient", "OutboundFailed", "is_denied"]

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Place = tuple[str, str, int]
"""Scheme, host and port."""

_PORTS = {"http": 80, "https": 443}

KEPT_ALIVE_S = 30.0

# `is_global` is not enough: it lets multicast, 6to4, NAT64 and a cloud's own service addresses through.
DENIED: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # this network (RFC 1122)
        "10.0.0.0/8",  # private (RFC 1918)
        "100.64.0.0/10",  # shared by carriers (RFC 6598), and some clouds' metadata
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's own services to each of its machines
        "169.254.0.0/16",  # link-local (RFC 3927), where most clouds' metadata is
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments (RFC 6890)
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4 (RFC 7526)
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # measuring (RFC 2544)
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "2001::/23",  # Teredo, ORCHID, measuring (RFC 2928)
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "3fff::/20",  # documentation (RFC 9637)
    )
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
"""Outside of it lie loopback, IPv4-compatible and IPv4-mapped, NAT64, local, link-local, site-local and multicast."""


class AddressDenied(Exception):
    """The name stands for an address that nothing is sent to."""


def is_denied(address: Address, allowed: Sequence[Network] = ()) -> bool:
    """Whether nothing may be sent to the address, unless one of the operator's `allowed` networks holds it."""
    if any(address in network for network in allowed if network.version == address.version):
        return False
    if isinstance(address, IPv6Address) and (address.scope_id or address not in _GLOBAL_UNICAST):
        return True
    return any(address in network for network in DENIED if network.version == address.version)


async def checked_addresses(host: str, port: int, allowed: Sequence[Network] = ()) -> list[str]:
    """The addresses that a name stands for, once each. Raises `AddressDenied`, and OSError for one that has none.

    One denied address denies the name: among public ones it was put there on purpose.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError("the name cannot be resolved") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if any(is_denied(ip_address(address), allowed) for address in addresses):
        raise AddressDenied("the address is private, local or reserved")
    return addresses


class OutboundFailed(Exception):
    """No answer came: `code` says why, in one stable word that names neither address nor content."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class OutboundClient:
    """Posts to strangers' addresses over connections that are kept open. Close it at the end.

    `allowed` are the networks that the operator permits beyond the public ones; `timeout_s` bounds a whole exchange,
    from the name to the last byte.
    """

    def __init__(self, allowed: Sequence[Network] = (), *, timeout_s: float = 10.0) -> None:
        self._allowed = tuple(allowed)
        self._timeout_s = timeout_s
        self._tls: ssl.SSLContext | None = None
        self._idle: dict[Place, list[Exchange]] = {}

    async def post(self, url: str, headers: Mapping[str, str], content: bytes) -> Answer:
        """The answer to one POST; a redirect is an answer like any other. Raises `OutboundFailed`."""
        try:
            target = _target_of(url)
            async with asyncio.timeout(self._timeout_s):
                return await self._exchange(target, _request(target, headers, content))
        except TimeoutError:
            raise OutboundFailed("timeout") from None
        except AddressDenied:
            raise OutboundFailed("address_denied") from None
        except ConnectionBroken:
            raise OutboundFailed("connection_broken") from None
        except OSError:
            raise OutboundFailed("cannot_connect") from None
        except ValueError:
            raise OutboundFailed("bad_address") from None

    async def close(self) -> None:
        """Close the connections that lie idle."""
        for kept in self._idle.values():
            for connection in kept:
                connection.close()
        self._idle.clear()
        await asyncio.sleep(0)  # the loop closes sockets in its next round

    async def _exchange(self, target: Target, request: bytes) -> Answer:
        connection = self._kept(target.place)
        if connection is not None:
            try:
                return await self._send(connection, target.place, request)
            except ConnectionBroken:
                # Closed by the other side while it lay idle: nothing was answered, and another one may do.
                if connection.has_answered:
                    raise
        return await self._send(await self._connect(target.place), target.place, request)

    async def _send(self, connection: Exchange, place: Place, request: bytes) -> Answer:
        try:
            answer = await connection.ask(request)
        except BaseException:
            connection.close()
            raise
        if connection.is_reusable:
            self._idle.setdefault(place, []).append(connection)
            connection.rest(KEPT_ALIVE_S)
        else:
            connection.close()
        return answer

    def _kept(self, place: Place) -> Exchange | None:
        kept = self._idle.get(place, [])
        while kept:
            connection = kept.pop()
            if connection.is_reusable:
                return connection
        self._idle.pop(place, None)
        return None

    async def _connect(self, place: Place) -> Exchange:
        scheme, host, port = place
        tls = self._context() if scheme == "https" else None
        loop, failure = asyncio.get_running_loop(), OSError("the name has no address")
        for address in await checked_addresses(host, port, self._allowed):
            try:
                name = host if tls else None
                _, connection = await loop.create_connection(Exchange, address, port, ssl=tls, server_hostname=name)
                return connection
            except TimeoutError:
                raise
            except OSError as error:
                failure = error
        raise failure

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls


@dataclass(frozen=True, slots=True)
class Target:
    place: Place
    host_header: str
    path: str


@lru_cache(maxsize=1_000)
def _target_of(url: str) -> Target:
    """Raises ValueError for what cannot be called."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname or any(not "!" <= character <= "~" for character in url):
        raise ValueError("not an address of the web")
    usual = _PORTS[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = usual if parts.port is None else parts.port
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target((parts.scheme, parts.hostname, port), host if port == usual else f"{host}:{port}", path)


def _request(target: Target, headers: Mapping[str, str], content: bytes) -> bytes:
    lines = [
        f"POST {target.path} HTTP/1.1",
        f"Host: {target.host_header}",
        "Accept-Encoding: identity",
        f"Content-Length: {len(content)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + content
