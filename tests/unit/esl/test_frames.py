"""How frames are read: what names a header, what is decoded, what is not."""

from __future__ import annotations

import pytest

from controlplane.esl.connection import ClientConnection
from controlplane.esl.errors import RemoteEslError
from controlplane.esl.frames import EslEvent, Frame
from controlplane.esl.writing import encode_event_json, encode_event_plain


def read(raw: bytes) -> Frame:
    [frame] = ClientConnection().feed(raw)
    return frame


def plain(block: bytes) -> EslEvent:
    return read(b"Content-Length: %d\nContent-Type: text/event-plain\n\n%b" % (len(block), block)).event()


def as_json(text: bytes) -> EslEvent:
    return read(b"Content-Length: %d\nContent-Type: text/event-json\n\n%b" % (len(text), text)).event()


def test_an_events_values_are_decoded() -> None:
    event = plain(b"Event-Name: CHANNEL_PARK\nCaller-Caller-ID-Name: A%20%26%20B\nvariable_x: J%C3%BCrgen\n\n")
    assert event.name == "CHANNEL_PARK"
    assert event.get("Caller-Caller-ID-Name") == "A & B"
    assert event.variable("x") == "Jürgen"
    assert event.variable("y") is None


def test_a_newline_in_a_value_names_no_header() -> None:
    event = plain(b"Event-Name: DTMF\nCaller-Caller-ID-Name: x%0AUnique-ID: evil%0A%0AJob-UUID: j\nUnique-ID: good\n\n")
    assert event.get("Unique-ID") == "good"
    assert event.get("Job-UUID") is None
    assert [name for name, _ in event.headers.items()] == ["Event-Name", "Caller-Caller-ID-Name", "Unique-ID"]


def test_the_first_header_of_a_name_wins() -> None:
    assert plain(b"Event-Name: DTMF\nUnique-ID: a\nUnique-ID: b\n\n").get("Unique-ID") == "a"
    assert as_json(b'{"Unique-ID": "a", "Unique-ID": "b"}').get("Unique-ID") == "a"


def test_a_name_is_not_found_inside_another_or_inside_a_value() -> None:
    event = plain(b"Event-Name: DTMF\nOther-Leg-Unique-ID: b\nX: Unique-ID: c\n\n")
    assert event.get("Unique-ID") is None


@pytest.mark.parametrize("first", [b"", b"variable_sip_h_X-A: 0\n"])
def test_headers_of_a_kind_are_those_whose_names_begin_so(first: bytes) -> None:
    raw = b"Event-Name: DTMF\nvariable_sip_h_X-B: a%20b\nother_variable_sip_h_X-C: 1\nY: variable_sip_h_X-D: 2\n"
    event = plain(first + raw + b"variable_sip_h_X-B: 3\nvariable_sip_h_X-E\n\n")
    wanted = [each for each in event.headers.items() if each[0].startswith("variable_sip_h_X-")]
    assert event.headers.beginning("variable_sip_h_X-") == wanted
    assert wanted[-2:] == [("variable_sip_h_X-B", "a b"), ("variable_sip_h_X-B", "3")]
    exact = as_json(b'{"X": "1", "variable_sip_h_X-A": "2"}')
    assert exact.headers.beginning("variable_sip_h_X-") == [("variable_sip_h_X-A", "2")]


def test_the_inner_body_names_no_header() -> None:
    inner = "+OK\nUnique-ID: evil\n\nJob-UUID: evil\n\n"
    event = read(encode_event_plain([("Event-Name", "BACKGROUND_JOB")], inner)).event()
    assert (event.get("Unique-ID"), event.get("Job-UUID"), event.body) == (None, None, inner)


def test_headers_end_at_the_first_blank_line_wherever_the_length_stands() -> None:
    event = plain(b"Content-Length: 9\n\nJob: evil\n\n")
    assert (event.get("Job"), event.body) == (None, "Job: evil\n\n")


def test_an_empty_value_is_empty_in_both_formats() -> None:
    headers = [("Event-Name", "DTMF"), ("variable_digits", "")]
    assert b"variable_digits: _undef_\n" in encode_event_plain(headers)
    for raw in (encode_event_plain(headers), encode_event_json(headers)):
        assert read(raw).event().variable("digits") == ""


def test_replies_are_not_decoded() -> None:
    frame = read(b"Content-Type: command/reply\nReply-Text: -ERR 100%25 _undef_\n\n")
    assert frame.reply_text == "-ERR 100%25 _undef_"


def test_the_reply_to_connect_is_decoded_and_is_an_event() -> None:
    frame = read(b"Event-Name: CHANNEL_DATA\nContent-Type: command/reply\nReply-Text: %2BOK%0A\n\n")
    assert (frame.content_type, frame.reply_text, frame.event().name) == ("command/reply", "+OK\n", "CHANNEL_DATA")


def test_bytes_that_are_no_utf_8_do_not_hurt() -> None:
    event = plain(b"Event-Name: DTMF\nA: %FFx\nB: \xff\n\n")
    assert (event.get("A"), event.get("B")) == ("�x", "�")


def test_a_percent_sign_that_encodes_nothing_stays() -> None:
    assert plain(b"Event-Name: DTMF\nA: 5%\nB: %zz\n\n").get("A") == "5%"


def test_a_value_with_several_parts_reads_alike_in_both_formats() -> None:
    assert as_json(b'{"Event-Name": "DTMF", "A": ["x", "y"]}').get("A") == "ARRAY::x|:y"
    assert plain(b"Event-Name: DTMF\nA: ARRAY%3A%3Ax%7C%3Ay\n\n").get("A") == "ARRAY::x|:y"


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b'{"a": 1', b"[" * 100_000, b"1" * 5000, b"\xff"])
def test_an_event_that_is_no_json_object_is_the_peers_fault(body: bytes) -> None:
    with pytest.raises(RemoteEslError):
        as_json(body)


def test_half_a_character_in_json_can_be_encoded_again() -> None:
    value = as_json(b'{"A": "\\ud83d"}').get("A")
    assert value is not None
    assert value.encode()


def test_a_frame_without_an_event_has_none() -> None:
    with pytest.raises(RemoteEslError):
        read(b"Content-Type: auth/request\n\n").event()


def test_the_text_of_an_answer_is_its_body() -> None:
    assert read(b"Content-Type: api/response\nContent-Length: 5\n\ntrue\n").text == "true\n"


def test_a_long_value_and_one_seen_before_read_the_same() -> None:
    long = "v%3D0%0D%0A" * 50
    event = plain(f"Event-Name: DTMF\nA: {long}\nB: a%20b\nC: a%20b\nD: _undef_\n\n".encode())
    expected = [("Event-Name", "DTMF"), ("A", "v=0\r\n" * 50), ("B", "a b"), ("C", "a b"), ("D", "")]
    assert list(event.headers.items()) == expected
    assert [event.get(name) for name, _ in expected] == [value for _, value in expected]
