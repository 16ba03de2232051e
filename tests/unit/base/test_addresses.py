from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.base.addresses import Reach, is_spelled_as_number, parse_address, reach_of, reach_of_host

PUBLIC = """
    1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255
    169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0
    223.255.255.255 2001:4860:4860::8888 2606:4700:4700::1111 2a00:1450:4001::1 ::ffff:8.8.8.8 64:ff9b::808:808
    2002:808:808::1
"""
PRIVATE = """
    10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.1 127.255.255.254 172.16.0.0 172.31.255.255 192.168.0.1
    198.18.0.0 198.19.255.255 ::1 fc00::1 fd12:3456:789a::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::7f00:1
    64:ff9b::a00:1 2002:7f00:1:: ::127.0.0.1 ::10.0.0.1
"""
NEVER = """
    0.0.0.0 0.1.2.3 100.100.100.200 168.63.129.16 169.254.0.1 169.254.169.254 169.254.170.2 192.0.0.192 192.0.2.1
    192.88.99.1 198.51.100.1 203.0.113.255 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 :: fe80::1 fe80::1%eth0
    fec0::1 ff02::1 ff0e::1 2001::1 2001:0:7f00:1:: 2001:db8::1 2001:10::1 3ffe::1 3fff::1 100::1 64:ff9b:1::1
    fd00:ec2::254 fd20:ce::254 ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe 2002:a9fe:a9fe:: ::ffff:0.0.0.0 5f00::1
    4000::1 2606:4700::1%1 ::2
"""


def verdicts(addresses: str) -> set[Reach]:
    parsed = [parse_address(text) for text in addresses.split()]
    return {reach_of(address) for address in parsed if address is not None}


def test_public_addresses_are_public() -> None:
    assert verdicts(PUBLIC) == {Reach.PUBLIC}


def test_operators_own_networks_are_private_however_they_are_carried() -> None:
    assert verdicts(PRIVATE) == {Reach.PRIVATE}


def test_nobodys_addresses_are_never_asked_however_they_are_carried() -> None:
    assert verdicts(NEVER) == {Reach.NEVER}


@given(st.ip_addresses(v=4))
def test_what_python_calls_private_is_never_public_here(address: IPv4Address) -> None:
    if not address.is_global or address.is_multicast:
        assert reach_of(address) is not Reach.PUBLIC


@given(st.ip_addresses(v=4))
def test_an_address_carried_in_ipv6_is_judged_as_itself(address: IPv4Address) -> None:
    carriers = [0xFFFF << 32, 0x64FF9B << 96]
    carried = [IPv6Address(carrier | int(address)) for carrier in carriers]

    assert [reach_of(carrier) for carrier in carried] == [reach_of(address)] * 2
    assert reach_of(IPv6Address(0x2002 << 112 | int(address) << 80)) is reach_of(address)


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "0x", "1.2.3.0X1f", "1.2.3.4.", "a.b.1"]
)
def test_hosts_that_end_in_a_number_are_spelled_as_numbers(host: str) -> None:
    assert is_spelled_as_number(host)


@pytest.mark.parametrize("host", ["example.com", "1.example", "0x7f.com", "7f", "x1", "3com.com", "localhost."])
def test_names_are_not_spelled_as_numbers(host: str) -> None:
    assert not is_spelled_as_number(host)


@pytest.mark.parametrize(
    ("host", "reach"),
    [
        ("8.8.8.8", Reach.PUBLIC),
        ("127.0.0.1", Reach.PRIVATE),
        ("169.254.169.254", Reach.NEVER),
        ("2130706433", Reach.NEVER),
        ("0x7f.1", Reach.NEVER),
        ("127.1", Reach.NEVER),
        ("localhost", Reach.PRIVATE),
        ("LOCALHOST.", Reach.PRIVATE),
        ("a.localhost", Reach.PRIVATE),
        ("notlocalhost", None),
        ("example.com", None),
    ],
)
def test_a_hosts_spelling_tells_where_it_leads(host: str, reach: Reach | None) -> None:
    assert reach_of_host(host) is reach
