"""Requests to addresses that strangers chose: a webhook must never reach into the operator's own network.

The name is resolved here, every address it stands for is held against a deny list, and the connection goes to an
address that was checked: a name that resolves otherwise the second time gains nothing. No proxy of the environment is
used, no redirect followed, no compressed answer asked for, and of an answer no more than 64 kB is read.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import httpcore

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

READ_AT_MOST = 64 * 1024
"""Bytes read of an answer; a connection whose answer is longer is closed."""

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


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects to checked addresses alone; `allowed` are the networks that the operator permits beyond the public."""

    def __init__(self, allowed: Sequence[Network] = ()) -> None:
        self._allowed = tuple(allowed)
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Raises `AddressDenied`, httpcore's ConnectError when the name or the host is away, or its ConnectTimeout."""
        deadline = time.monotonic() + (timeout or 30.0)
        failure: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in await self._checked(host, port, deadline):
            left_s = max(0.001, deadline - time.monotonic())
            try:
                return await self._inner.connect_tcp(address, port, left_s, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError("the name has no address")

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        raise AddressDenied("nothing is sent to a socket of this machine")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _checked(self, host: str, port: int, deadline: float) -> list[str]:
        """The addresses of the name, once each. One that is denied denies the name: it was put there on purpose."""
        try:
            async with asyncio.timeout(max(0.001, deadline - time.monotonic())):
                found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except TimeoutError:
            raise httpcore.ConnectTimeout("the name was not resolved in time") from None
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError("the name cannot be resolved") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if any(is_denied(ip_address(address), self._allowed) for address in addresses):
            raise AddressDenied("the address is private, local or reserved")
        return addresses


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `headers` by lower-case name, of a repeated one the last; `body` at most `READ_AT_MOST` bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class OutboundFailed(Exception):
    """No answer came: `code` says why, in one stable word that names neither address nor content."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class OutboundClient:
    """Posts to strangers' addresses over connections that are kept open. Close it at the end.

    `timeout_s` bounds a whole exchange, from the name to the last byte.
    """

    def __init__(self, allowed: Sequence[Network] = (), *, timeout_s: float = 10.0, connections: int = 256) -> None:
        self._timeout_s = timeout_s
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(),
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=KEPT_ALIVE_S,
            network_backend=GuardedBackend(allowed),
        )

    async def post(self, url: str, headers: Mapping[str, str], content: bytes) -> Answer:
        """The answer to one POST; a redirect is an answer like any other. Raises `OutboundFailed`."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._exchange(url, headers, content)
        except (TimeoutError, httpcore.TimeoutException):
            raise OutboundFailed("timeout") from None
        except AddressDenied:
            raise OutboundFailed("address_denied") from None
        except httpcore.ConnectError:
            raise OutboundFailed("cannot_connect") from None
        except (httpcore.ProtocolError, httpcore.NetworkError, httpcore.UnsupportedProtocol):
            raise OutboundFailed("connection_broken") from None
        except (ssl.SSLError, OSError):
            raise OutboundFailed("connection_broken") from None
        except (ValueError, TypeError, UnicodeError):
            raise OutboundFailed("bad_address") from None

    async def close(self) -> None:
        await self._pool.aclose()

    async def _exchange(self, url: str, headers: Mapping[str, str], content: bytes) -> Answer:
        target = httpcore.URL(url)
        sent = [
            (b"Host", _host(target)),
            (b"Accept-Encoding", b"identity"),
            (b"Content-Length", str(len(content)).encode()),
            *((name.encode(), value.encode()) for name, value in headers.items()),
        ]
        limits = {"connect": self._timeout_s, "read": self._timeout_s, "write": self._timeout_s, "pool": 1.0}
        async with self._pool.stream(
            "POST", target, headers=sent, content=content, extensions={"timeout": limits}
        ) as response:
            body = await _start_of(response)
        received = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        return Answer(response.status, received, body)


async def _start_of(response: httpcore.Response) -> bytes:
    body = b""
    async for part in response.aiter_stream():
        body += part
        if len(body) >= READ_AT_MOST:
            break  # closing the response closes its connection: the rest of a body without end is never read
    return body[:READ_AT_MOST]


def _host(url: httpcore.URL) -> bytes:
    host = b"[%b]" % url.host if b":" in url.host else url.host
    usual = {b"http": 80, b"https": 443}.get(url.scheme)
    return host if url.port in (None, usual) else b"%b:%d" % (host, url.port or 0)
