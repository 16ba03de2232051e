"""SIP messages as text."""

from __future__ import annotations

import pytest

from controlplane.emulator.phones.sip_text import (
    NotSip,
    Request,
    Response,
    branch_of,
    cause_in,
    every,
    header,
    method_of,
    parse,
    tag_in,
    uri_in,
    user_in,
    write,
)


def test_a_request_is_read_as_it_was_written() -> None:
    request = Request(
        "INVITE", "sip:+1555@127.0.0.1:5080", (("Via", "a;branch=z9hG4bK1"), ("Call-ID", "x")), b"v=0\r\n"
    )
    read = parse(write(request))
    assert read == Request(request.method, request.uri, (*request.headers, ("Content-Length", "5")), b"v=0\r\n")
    assert branch_of(read) == "z9hG4bK1"


def test_a_response_says_which_request_it_answers() -> None:
    response = parse(b'SIP/2.0 486 Busy Here\r\nCSeq: 1 INVITE\r\nReason: Q.850;cause=17;text="USER_BUSY"\r\n\r\n')
    assert isinstance(response, Response)
    assert (response.status, response.reason, method_of(response)) == (486, "Busy Here", "INVITE")
    assert cause_in(response) == "USER_BUSY"


def test_compact_names_and_repeated_headers_are_found() -> None:
    message = parse(b"OPTIONS sip:a SIP/2.0\r\ni: id\r\nRoute: <sip:b>\r\nroute: <sip:c>\r\n\r\n")
    assert header(message, "Call-ID") == "id"
    assert every(message, "Route") == ["<sip:b>", "<sip:c>"]
    assert header(message, "Contact") == ""


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"SIP/2.0 x y\r\n\r\n", b"\xff\xfe"])
def test_what_is_no_sip_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(NotSip):
        parse(data)


@pytest.mark.parametrize(
    ("value", "uri", "user", "tag"),
    [
        (
            '"A <b>" <sip:%2B1555@127.0.0.1:5080;transport=udp>;tag=t1',
            "sip:%2B1555@127.0.0.1:5080;transport=udp",
            "+1555",
            "t1",
        ),
        ("<sip:%2B1555@127.0.0.1:5080>;tag=t2;x=y", "sip:%2B1555@127.0.0.1:5080", "+1555", "t2"),
        ("sip:alice@example.com;tag=t3", "sip:alice@example.com", "alice", "t3"),
        ("<sip:127.0.0.1:5080>", "sip:127.0.0.1:5080", "", ""),
    ],
)
def test_parts_of_an_address_are_found(value: str, uri: str, user: str, tag: str) -> None:
    assert (uri_in(value), user_in(uri_in(value)), tag_in(value)) == (uri, user, tag)
