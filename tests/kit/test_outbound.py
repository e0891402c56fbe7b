"""The guarded way out: no name, no spelling and no redirect leads into the operator's own network."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from typing import Any

import httpcore
import pytest

from gateway.receiver import Reply, Webhook, a_receiver, always
from regulars_kit.outbound import READ_AT_MOST, AddressDenied, GuardedBackend, OutboundClient, OutboundFailed, is_denied

HERE = (ip_network("127.0.0.0/8"),)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::a00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:a00:1::1",
        "3fff::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
    ],
)
def test_nothing_is_sent_to_private_local_or_reserved_addresses(address: str) -> None:
    assert is_denied(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "172.32.0.1", "2606:4700::1111", "2a00:1450:4001::1"])
def test_public_addresses_are_reached(address: str) -> None:
    assert not is_denied(ip_address(address))


def test_the_operator_allows_a_network_and_no_other() -> None:
    allowed = (ip_network("10.1.0.0/16"), ip_network("fd00::/8"))
    assert not is_denied(ip_address("10.1.2.3"), allowed)
    assert not is_denied(ip_address("fd12::1"), allowed)
    assert is_denied(ip_address("10.2.0.1"), allowed)
    assert is_denied(ip_address("::ffff:10.1.2.3"), allowed)


@pytest.mark.parametrize("host", ["localhost", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "[::1]", "[::]"])
async def test_no_spelling_of_this_machine_is_called(host: str) -> None:
    async with a_receiver() as here, an_outbound() as client:
        with pytest.raises(OutboundFailed) as refused:
            await client.post(f"http://{host}:{here.port}/", {}, b"{}")
        assert refused.value.code in {"address_denied", "cannot_connect"}
        assert here.connections == 0


async def test_a_name_with_one_private_address_among_public_ones_is_denied(monkeypatch: pytest.MonkeyPatch) -> None:
    connected = connections_of(monkeypatch, ["8.8.8.8", "10.0.0.1"])
    with pytest.raises(AddressDenied):
        await GuardedBackend().connect_tcp("partner.example", 443, 1)
    assert connected == []


async def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    connected = connections_of(monkeypatch, ["8.8.8.8", "1.1.1.1"])
    with pytest.raises(httpcore.ConnectError):
        await GuardedBackend().connect_tcp("partner.example", 443, 1)
    assert connected == ["8.8.8.8", "1.1.1.1"], "each address in turn, never the name"


async def test_no_socket_of_this_machine_is_opened() -> None:
    with pytest.raises(AddressDenied):
        await GuardedBackend().connect_unix_socket("/run/docker.sock")


async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    async with a_receiver() as inner, an_outbound(HERE) as client:
        async with a_receiver(always(Reply(302, {"Location": inner.url}))) as outer:
            assert (await client.post(outer.url, {}, b"{}")).status == 302
        assert inner.connections == 0


async def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_receiver() as proxy, a_receiver() as partner, an_outbound(HERE) as client:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setitem(os.environ, name, f"http://127.0.0.1:{proxy.port}")
        assert (await client.post(partner.url, {"X-Own": "1"}, b"hello")).status == 204
        assert proxy.connections == 0
        (got,) = partner.got
        assert (got.body, got.headers["x-own"], got.headers["accept-encoding"]) == (b"hello", "1", "identity")
        assert got.headers["host"] == f"127.0.0.1:{partner.port}"


async def test_of_a_long_answer_64_kb_are_read() -> None:
    async with a_receiver(always(Reply(200, body=b"x" * 1_000_000))) as partner, an_outbound(HERE) as client:
        assert len((await client.post(partner.url, {}, b"")).body) == READ_AT_MOST
        assert len((await client.post(partner.url, {}, b"")).body) == READ_AT_MOST
        assert partner.connections == 2, "a connection with an unread rest is not used again"


async def test_the_time_bounds_the_whole_exchange() -> None:
    async def hang(webhook: Webhook) -> Reply:
        await asyncio.sleep(60)
        return Reply()

    async with a_receiver(hang) as partner, an_outbound(HERE, timeout_s=0.1) as client:
        with pytest.raises(OutboundFailed, match="timeout"):
            await client.post(partner.url, {}, b"")


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://127.0.0.1:9/", "cannot_connect"),
        ("http://nowhere.invalid/", "cannot_connect"),
        ("http://" + "x" * 300 + ".example/", "cannot_connect"),
        ("gopher://127.0.0.1/", "connection_broken"),
    ],
)
async def test_what_cannot_be_reached_is_said_in_one_word(url: str, code: str) -> None:
    async with an_outbound(HERE) as client:
        with pytest.raises(OutboundFailed, match=f"^{code}$"):
            await client.post(url, {}, b"")


async def test_what_is_not_http_is_a_broken_connection() -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server, an_outbound(HERE) as client:
        port = server.sockets[0].getsockname()[1]
        for scheme in ("http", "https"):
            with pytest.raises(OutboundFailed):
                await client.post(f"{scheme}://127.0.0.1:{port}/", {}, b"")


class an_outbound:  # noqa: N801
    def __init__(self, allowed: Sequence[Any] = (), timeout_s: float = 5) -> None:
        self.client = OutboundClient(allowed, timeout_s=timeout_s)

    async def __aenter__(self) -> OutboundClient:
        return self.client

    async def __aexit__(self, *_: object) -> None:
        await self.client.close()


def connections_of(monkeypatch: pytest.MonkeyPatch, addresses: Sequence[str]) -> list[str]:
    """A name that stands for these addresses, none of which answers; returns where connections were tried."""
    connected: list[str] = []

    async def resolve(*_: object, **__: object) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]

    async def connect(self: object, host: str, *_: object, **__: object) -> httpcore.AsyncNetworkStream:
        connected.append(host)
        raise httpcore.ConnectError("nobody there")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", connect)
    return connected
