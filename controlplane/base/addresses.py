"""Which addresses are the public internet, which are an operator's own network, and which are nobody's business.

The table is the IANA special-purpose registries (RFC 6890 and its updates) and the metadata services of clouds. It is
written out, because `ipaddress.is_global` changes its answers between Python versions. An IPv6 address that carries an
IPv4 address (mapped, NAT64, 6to4, compatible) is judged by what it carries as well.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address


class Reach(Enum):
    """Where an address leads."""

    PUBLIC = "public"
    PRIVATE = "private"  # loopback and networks of an operator's own: allowed only where the operator says so
    NEVER = "never"  # metadata, link-local, multicast, documentation, unspecified: no application lives there


_NEVER_4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this host (RFC 1122 §3.2.1.3); Linux connects 0.0.0.0 to loopback
        "100.100.100.200/32",  # Alibaba Cloud metadata, inside the shared space
        "168.63.129.16/32",  # Azure's wire server, a public address by its looks
        "169.254.0.0/16",  # link-local (RFC 3927): the metadata services
        "192.0.0.0/24",  # IETF protocol assignments (RFC 6890)
        "192.0.2.0/24",  # documentation (RFC 5737)
        "192.88.99.0/24",  # 6to4 relays, withdrawn (RFC 7526)
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_PRIVATE_4 = tuple(
    IPv4Network(text)
    for text in (
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT (RFC 6598)
        "127.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarking (RFC 2544)
    )
)
_GLOBAL_6 = IPv6Network("2000::/3")
_NEVER_6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # IETF protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation (RFC 3849)
        "3ffe::/16",  # the old 6bone (RFC 3701)
        "3fff::/20",  # documentation (RFC 9637)
        "fd00:ec2::/32",  # metadata of AWS
        "fd20:ce::/32",  # metadata of Google Cloud
    )
)
_PRIVATE_6 = (IPv6Network("::1/128"), IPv6Network("fc00::/7"))
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052; a network with DNS64 gets these for every IPv4 host
_COMPATIBLE = IPv6Network("::/96")  # RFC 4291 §2.5.5.1, withdrawn

_NUMERIC_LABEL = re.compile(r"(?:\d+|0x[0-9a-f]*)\Z", re.ASCII | re.IGNORECASE)


@lru_cache(4096)
def reach_of(address: Address) -> Reach:
    """Say where an address leads; never raises."""
    if isinstance(address, IPv4Address):
        return _reach_of_4(address)
    if address.scope_id is not None:
        return Reach.NEVER
    carried = _carried_by(address)
    if carried is not None:
        return _reach_of_4(carried)
    if any(address in network for network in _NEVER_6):
        return Reach.NEVER
    if any(address in network for network in _PRIVATE_6):
        return Reach.PRIVATE
    return Reach.PUBLIC if address in _GLOBAL_6 else Reach.NEVER


@lru_cache(4096)
def parse_address(text: str) -> Address | None:
    """Read an address as a resolver or a URL writes it (no brackets; a zone id is kept), or None if it is a name."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def is_spelled_as_number(host: str) -> bool:
    """Say whether a C library would take a host for an IPv4 address: `2130706433`, `0x7f.1`, `0177.0.0.1`, `127.1`.

    WHATWG URL §3.5: a host whose last label is a number is an IPv4 address or nothing.
    """
    labels = host.removesuffix(".").rsplit(".", 1)
    return _NUMERIC_LABEL.match(labels[-1]) is not None


def reach_of_host(host: str) -> Reach | None:
    """Say where a host leads as far as its spelling tells, None for a name that has to be looked up.

    A number that is no address leads nowhere: what a C library makes of it is not for us to guess.
    """
    address = parse_address(host)
    if address is not None:
        return reach_of(address)
    if is_spelled_as_number(host):
        return Reach.NEVER
    name = f".{host.lower().removesuffix('.')}"
    return Reach.PRIVATE if name.endswith(".localhost") else None  # RFC 6761 §6.3


def _reach_of_4(address: IPv4Address) -> Reach:
    if any(address in network for network in _NEVER_4):
        return Reach.NEVER
    if any(address in network for network in _PRIVATE_4):
        return Reach.PRIVATE
    return Reach.PUBLIC


def _carried_by(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.sixtofour
