"""Outbound addresses: where an event may be sent.

Owns the list of what is refused: anything but https, and addresses that are not public, unless the
installation's setting ``outbound_hosts`` names the host. Resolves, but opens no connection. The
address that was checked is the one to connect to: a name is not resolved a second time.
"""

import ipaddress
import socket  # safe: resolves names of receivers; ``rpm.outbound`` connects to what is checked
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

LONGEST_URL = 500
_PORTS = {"https": 443, "http": 80}
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
"""IPv4 addresses behind a translator: they may be any."""
_TRANSLATED_LOCALLY = ipaddress.ip_network("64:ff9b:1::/48")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressRefusedError(ValueError):
    """Where nothing may be sent; the text names no address."""


@dataclass(frozen=True)
class Receiver:
    """Where a receiver's URL leads; ``listed``: the installation's setting names its host."""

    url: str
    host: str
    port: int
    listed: bool


def receiver_of(url: str, listed_hosts: Collection[str]) -> Receiver:
    """The receiver of a URL; ``AddressRefusedError`` for one that may not be used.

    A listed host, written ``host`` or ``host:port``, may be private and may be plain http: it is
    in the installation's own network.
    """
    if len(url) > LONGEST_URL or not url.isascii() or any(c <= " " or c == "\x7f" for c in url):
        raise AddressRefusedError("the address is too long, or holds spaces or other characters")
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        raise AddressRefusedError("the address cannot be read") from None
    host = (parts.hostname or "").rstrip(".").lower()
    if parts.scheme not in _PORTS or not host:
        raise AddressRefusedError("the address must begin with https:// and name a host")
    if "@" in parts.netloc or parts.fragment or "\\" in url:
        raise AddressRefusedError("the address must hold no user, password or fragment")
    listed = bool({host, f"{host}:{port}"} & {one.lower() for one in listed_hosts})
    if parts.scheme != "https" and not listed:
        raise AddressRefusedError("the address must begin with https://")
    literal = _literal(host)
    if literal is not None and not listed and not is_public(literal):
        raise AddressRefusedError("the address is not a public one")
    return Receiver(url, host, port, listed)


def resolved(receiver: Receiver) -> str:
    """The one address to connect to; ``AddressRefusedError`` when any it resolves to is refused.

    ``OSError`` when the name cannot be resolved.
    """
    found = socket.getaddrinfo(receiver.host, receiver.port, type=socket.SOCK_STREAM)
    return first_allowed([str(entry[4][0]) for entry in found], listed=receiver.listed)


def first_allowed(addresses: Sequence[str], *, listed: bool) -> str:
    """The first address where all may be used; ``AddressRefusedError`` otherwise."""
    known = [ipaddress.ip_address(text.partition("%")[0]) for text in addresses]
    if not known or not (listed or all(is_public(address) for address in known)):
        raise AddressRefusedError("the name does not lead to a public address")
    return str(known[0])


def is_public(address: Address) -> bool:
    """Whether an address is reachable by everybody and nobody's own: no private or odd one."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is not None:
            return is_public(inner)
        if address.teredo or address in _TRANSLATED or address in _TRANSLATED_LOCALLY:
            return False
        if address.is_site_local:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _literal(host: str) -> Address | None:
    """The address that a host is written as, in the short and octal forms of old too."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None
