"""Fetching from public addresses alone: a name is resolved once, judged, and what was judged is connected to.

Belongs here: which addresses are public, and the transport of a client that connects to no other. So it does not matter
what a name resolves to a moment later. Which hosts of one's own network are let through is said by the connection file.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Collection, Iterable, Sequence

import httpcore
import httpx

Resolve = Callable[[str, int], Sequence[str]]
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class PrivateAddress(Exception):
    """A host that is not to be asked: ``str`` says where it leads."""


def is_public(address: str) -> bool:
    """Whether an address is one of the internet; of one that carries an IPv4 address inside, what that one is."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inside = _inside(ip)
        if inside is not None:
            return is_public(str(inside))
        if ip.is_site_local:
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _inside(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour


def resolve(host: str, port: int) -> list[str]:
    """Every address of a name, in the system's order."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class PublicOnly(httpcore.NetworkBackend):
    """Connects to public addresses, and to the ``private_hosts`` by their names as they stand in an address."""

    def __init__(
        self,
        private_hosts: Collection[str],
        resolve: Resolve = resolve,
        beneath: httpcore.NetworkBackend | None = None,
    ) -> None:
        self._private_hosts, self._resolve = frozenset(private_hosts), resolve
        self._beneath = beneath or httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to what the host resolves to now; PrivateAddress when any of it is not public."""
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in self._addresses(host, port):
            try:
                return self._beneath.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def _addresses(self, host: str, port: int) -> Sequence[str]:
        try:
            found = self._resolve(host, port)
        except OSError as error:
            raise httpcore.ConnectError(f"{host} cannot be resolved") from error
        bad = [each for each in found if not is_public(each)]
        if bad and host not in self._private_hosts:
            raise PrivateAddress(f"{host!r} leads to {bad[0]}, which is no public address")
        return found


class PublicTransport(httpx.HTTPTransport):
    """What an httpx client sends by; httpx itself lets nobody choose what it connects with."""

    def __init__(self, private_hosts: Collection[str]) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            max_connections=100,
            network_backend=PublicOnly(private_hosts),
        )
