"""Where legs are dialled: what is read, what is written, what is refused."""

from __future__ import annotations

import pytest

from controlplane.base.errors import InvalidNumber
from controlplane.esl.errors import UnsafeValue
from controlplane.esl.sip_uri import Endpoint, Hop, SipUri, Transport, number_at, parse_hop, parse_sip_uri


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("sip:bob@example.com", SipUri("bob", Hop("example.com"))),
        ("SIP:b.o-b_~!*()+1@a-b.c1", SipUri("b.o-b_~!*()+1", Hop("a-b.c1"))),
        ("sips:bob@192.0.2.1:5061", SipUri("bob", Hop("192.0.2.1", 5061), is_secure=True)),
        ("sip:bob@h:5060;transport=TCP;user=phone", SipUri("bob", Hop("h", 5060, Transport.TCP))),
    ],
)
def test_addresses_are_read(text: str, uri: SipUri) -> None:
    assert parse_sip_uri(text) == uri


@pytest.mark.parametrize(
    "text",
    [
        "bob@h",
        "sip:h",
        "sip:@h",
        "sip:bob@",
        "sip:bob:secret@h",
        "sip:bob@h@i",
        "sip:bob@[::1]",
        "sip:bob@h:0",
        "sip:bob@h:65536",
        "sip:bob@h:",
        "sip:bob@h:+5",
        "sip:bob@h?X-A=1",
        "sip:bob@h;fs_path=sip:evil",
        "sip:bob@h;transport=ws",
        "sip:bob@h;transport=tcp;port=1",
        "sip:bob@h;",
        "sip:fs_path@h",
        "sip:FS_Path@h",
        "sip:bob%40x@h",
        "sip:bob/x@h",
        "sip:bob,x@h",
        "sip:bob|x@h",
        "sip:bob;x=y@h",
        "sip:bob^x@h",
        "sip:${x}@h",
        "sip:bob@h_i",
        "sip:bob@-h",
        "sip:bob@h..i",
        "sip:bob@" + "a" * 64,
        "sip:bob@h\n",
        "sip:bo b@h",
        "tel:+15550001111",
        "sofia/internal/bob@h",
    ],
)
def test_other_addresses_are_refused(text: str) -> None:
    with pytest.raises(UnsafeValue):
        parse_sip_uri(text)


def test_what_is_written_reads_the_same() -> None:
    uri = SipUri("bob", Hop("example.com", 5070, Transport.TLS), is_secure=True)
    assert str(uri) == "sips:bob@example.com:5070;transport=tls"
    assert parse_sip_uri(str(uri)) == uri


def test_a_gateway_is_a_host_with_port_and_transport() -> None:
    assert parse_hop("gw.example.com:5080;transport=udp") == Hop("gw.example.com", 5080, Transport.UDP)
    assert parse_hop("192.0.2.7") == Hop("192.0.2.7")


def test_a_number_is_dialled_at_a_gateway() -> None:
    endpoint = Endpoint("internal", number_at("+15550001111", parse_hop("192.0.2.7:5080")))
    assert str(endpoint) == "sofia/internal/sip:+15550001111@192.0.2.7:5080"
    with pytest.raises(InvalidNumber):
        number_at("15550001111", Hop("h"))


@pytest.mark.parametrize("profile", ["gateway", "a/b", "", "a b", "a,b"])
def test_other_profiles_are_refused(profile: str) -> None:
    with pytest.raises(UnsafeValue):
        Endpoint(profile, SipUri("bob", Hop("h")))
