"""SIP addresses to dial."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from controlplane.verbs.kinds import Unfit
from controlplane.verbs.sip import Passed, SipAddress, parse_sip


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("sip:alice@example.com", SipAddress("sip:alice@example.com")),
        (" SIPS:Alice-1@192.0.2.1:5061;transport=TLS\n", SipAddress("sips:Alice-1@192.0.2.1:5061;transport=tls")),
        ("sip:+15550001111@example.com;user=phone;region=de1", SipAddress("sip:+15550001111@example.com")),
        (
            "sip:a@b.example?X-Id=1%202&User-to-User=0A%3Bencoding%3Dhex&",
            SipAddress("sip:a@b.example", (("X-Id", "1 2"), ("User-to-User", "0A;encoding=hex"))),
        ),
        (
            "sip:a@b.example;fs_path=sip:evil;maddr=192.0.2.9",
            None,
        ),
        (
            "sip:a@b.example;maddr=192.0.2.9",
            SipAddress("sip:a@b.example", (), (Passed("parameter 'maddr' of the address is not known", 32110),)),
        ),
        ("sip:a@" + "b" * 63 + ".example", SipAddress("sip:a@" + "b" * 63 + ".example")),
    ],
)
def test_an_address_is_read_into_its_one_way_of_writing(text: str, address: SipAddress | None) -> None:
    if address is None:
        with pytest.raises(Unfit):
            parse_sip(text)
    else:
        assert parse_sip(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "alice@example.com",
        "sip:example.com",
        "sip:@example.com",
        "tel:+15550001111",
        "sip:a:secret@example.com",
        "sip:a@exa_mple.com",
        "sip:a@-example.com",
        "sip:a@example.com.",
        "sip:a@[2001:db8::1]",
        "sip:a@example.com:0",
        "sip:a@example.com:65536",
        "sip:a@example.com;transport=ws",
        "sip:a@b@example.com",
        "sip:a b@example.com",
        "sip:a%0d%0a@example.com",
        "sip:a;fs_path=x@example.com",
        "sip:fs_path@example.com",
        "sip:" + "a" * 129 + "@example.com",
        "sip:a@" + "b" * 64 + ".example",
        "sip:a@" + ".".join(["b" * 60] * 5),
        *(f"sip:a{mark}@example.com" for mark in "\"'`<>()[]{}$|,^\\\x00\n\x7f;é"),
        *(f"sip:a@example{mark}.com" for mark in "\"'`<>()[]{}$|,^\\\x00\n\x7fé%*"),
    ],
)
def test_what_a_dial_string_gives_meaning_to_is_refused(text: str) -> None:
    with pytest.raises(Unfit):
        parse_sip(text)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("Via=x", 13252),
        ("=x", 13252),
        ("X-=x", 13252),
        ("X-a%0d%0ab=x", 13252),
        ("X-A=", 32112),
        ("X-A=a%0d%0aVia%3a b", 32112),
        ("X-A=%22a%22", 32112),
        ("X-A=${global_getvar(x)}", 32112),
        ("X-A=a,b", 32112),
        ("X-A=a|b", 32112),
        ("X-A=ab}", 32112),
        ("X-A=ab,", 32112),
        ("X-A=%FF", 32112),
        ("X-A=a:_:b", 32112),
        ("X-A=" + "a" * 257, 32112),
    ],
)
def test_a_header_that_cannot_be_sent_is_passed_over(query: str, code: int) -> None:
    address = parse_sip(f"sip:a@b.example?{query}")

    assert address.headers == ()
    assert [passed.code for passed in address.passed] == [code]


def test_headers_are_1024_characters_at_most_and_each_is_set_once() -> None:
    query = "&".join(f"X-{name}={'a' * 250}" for name in ("A", "B", "C", "D", "E")) + "&x-a=again"

    address = parse_sip(f"sip:a@b.example?{query}")

    assert [name for name, _ in address.headers] == ["X-A", "X-B", "X-C", "X-D"]
    assert [passed.code for passed in address.passed] == [13253, 13252]


def test_32_headers_are_set_at_most() -> None:
    address = parse_sip("sip:a@b.example?" + "&".join(f"X-{number}=1" for number in range(40)))

    assert len(address.headers) == 32
    assert address.passed == (Passed("has more than 32 headers", 13251),)


@given(st.text(max_size=80) | st.text("sip:a@b.exmple;=?%&0X-$|,{}[]\r\n", max_size=80).map("sip:a@b".__add__))
@example("sip:a@b?X-A=%0a")
def test_nothing_that_a_dial_string_gives_meaning_to_comes_through(text: str) -> None:
    try:
        address = parse_sip(text)
    except Unfit:
        return
    assert re.fullmatch(r"sips?:[A-Za-z0-9_.~*+!-]+@[A-Za-z0-9.-]+(:\d+)?(;transport=(udp|tcp|tls))?", address.uri)
    assert parse_sip(address.uri) == SipAddress(address.uri)
    for name, value in address.headers:
        assert re.fullmatch(r"[A-Za-z0-9-]+", name)
        assert re.fullmatch(r"[A-Za-z0-9 ._~:/@+=;*()!%#?&-]+", value)
