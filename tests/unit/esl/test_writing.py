"""What FreeSWITCH writes, where no recorded conversation shows it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from controlplane.esl.connection import ClientConnection
from controlplane.esl.frames import EslEvent
from controlplane.esl.writing import encode_api_response, encode_event_json, encode_event_plain, quote_value

NAMES = st.text("abcdefghijklmnopqrstuvwxyzABC-_0123456789", min_size=1, max_size=20)
VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def event_of(raw: bytes) -> EslEvent:
    [frame] = ClientConnection().feed(raw)
    return frame.event()


def test_an_encoded_byte_that_stands_in_a_value_is_left_alone() -> None:
    assert quote_value("%41 %4a %4A 100% %") == "%41%20%254a%20%4A%20100%25%20%25"


def test_an_answer_that_says_nothing_says_so() -> None:
    assert encode_api_response("") == b"Content-Type: api/response\nContent-Length: 14\n\n-ERR no reply\n"


@given(st.dictionaries(NAMES, VALUES, min_size=1), VALUES)
def test_a_json_event_comes_back_as_it_was_written(headers: dict[str, str], body: str) -> None:
    event = event_of(encode_event_json(headers.items(), body))
    assert {name: event.get(name) for name in headers} == headers
    assert event.body == body


@given(st.dictionaries(NAMES, VALUES.filter(lambda value: "%" not in value and value != "_undef_")), VALUES)
def test_a_plain_event_without_percent_signs_comes_back_as_it_was_written(headers: dict[str, str], body: str) -> None:
    event = event_of(encode_event_plain([("Event-Name", "CUSTOM"), *headers.items()], body))
    assert {name: event.get(name) for name in headers} == headers
    assert event.body == body
