"""The codec on everything that a real FreeSWITCH was seen to send and to be sent."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.esl.connection import ClientConnection, SwitchConnection
from controlplane.esl.frames import CommandFrame, EslEvent, Frame
from controlplane.esl.writing import (
    encode_api_response,
    encode_auth_request,
    encode_command_reply,
    encode_disconnect_notice,
    encode_event_json,
    encode_event_plain,
)
from tests.transcripts.recorded import Stream, streams

ALL = streams()
FROM_SWITCH = [stream for stream in ALL if stream.is_from_switch]
FROM_CLIENT = [stream for stream in ALL if not stream.is_from_switch]


def by_name(stream: Stream) -> str:
    return stream.name


def frames_of(*chunks: bytes) -> list[Frame]:
    connection = ClientConnection()
    frames = [frame for chunk in chunks for frame in connection.feed(chunk)]
    assert not connection.eof()
    return frames


def commands_of(*chunks: bytes) -> list[CommandFrame]:
    connection = SwitchConnection()
    frames = [frame for chunk in chunks for frame in connection.feed(chunk)]
    assert not connection.eof()
    return frames


def rewritten(frame: Frame) -> bytes | None:
    """The frame written anew from what was read of it; None for those that only sockets of calls get."""
    match frame.content_type:
        case "text/event-plain":
            event = frame.event()
            headers = ((name, value) for name, value in event.headers.items() if name != "Content-Length")
            return encode_event_plain(headers, event.body)
        case "api/response":
            return encode_api_response(frame.text)
        case "auth/request":
            return encode_auth_request()
        case "command/reply" if not frame.headers.is_encoded:
            extra = [pair for pair in frame.headers.items() if pair[0] not in ("Content-Type", "Reply-Text")]
            return encode_command_reply(frame.reply_text, extra)
        case "text/disconnect-notice" if frame.headers.get("Controlled-Session-UUID") is None:
            return encode_disconnect_notice()
    return None


@pytest.mark.parametrize("stream", FROM_SWITCH, ids=by_name)
def test_frames_of_a_stream_are_those_recorded(stream: Stream) -> None:
    one_by_one = [frame for raw in stream.frames for frame in frames_of(raw)]
    assert len(one_by_one) == len(stream.frames)
    assert frames_of(b"".join(stream.frames)) == one_by_one


@pytest.mark.parametrize("stream", FROM_SWITCH, ids=by_name)
def test_writing_a_frame_anew_gives_the_same_bytes(stream: Stream) -> None:
    for raw, frame in zip(stream.frames, frames_of(b"".join(stream.frames)), strict=True):
        assert rewritten(frame) in (raw, None)


@pytest.mark.parametrize("stream", FROM_CLIENT, ids=by_name)
def test_commands_of_a_stream_are_those_recorded(stream: Stream) -> None:
    commands = commands_of(b"".join(stream.frames))
    assert [command.line for command in commands] == [raw.decode().split("\n")[0] for raw in stream.frames]


def test_a_stream_may_come_byte_by_byte() -> None:
    for stream in ALL[::9]:
        whole = b"".join(stream.frames)
        single = [whole[i : i + 1] for i in range(len(whole))]
        if stream.is_from_switch:
            assert frames_of(*single) == frames_of(whole)
        else:
            assert commands_of(*single) == commands_of(whole)


@settings(max_examples=60)
@given(st.sampled_from(ALL), st.data())
def test_a_stream_may_come_in_any_slices(stream: Stream, data: st.DataObject) -> None:
    whole = b"".join(stream.frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=30)))
    slices = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    if stream.is_from_switch:
        assert frames_of(*slices) == frames_of(whole)
    else:
        assert commands_of(*slices) == commands_of(whole)


def test_json_and_plain_events_read_alike() -> None:
    for frame in frames_of(*(raw for stream in FROM_SWITCH[::5] for raw in stream.frames)):
        if frame.content_type == "text/event-plain":
            plain = frame.event()
            [again] = frames_of(encode_event_json(plain.headers.items(), plain.body or None))
            expected = dict(reversed(list(plain.headers.items())))
            assert dict(again.event().headers.items()) == expected
            assert again.event().body == plain.body


def test_every_header_that_is_listed_can_be_asked_for() -> None:
    for frame in frames_of(*FROM_SWITCH[0].frames):
        first: dict[str, str] = {}
        for name, value in frame.headers.items():
            first.setdefault(name, value)
        assert {name: frame.headers.get(name) for name in first} == first


def job_results(name: str) -> list[EslEvent]:
    [stream] = [stream for stream in FROM_SWITCH if stream.name == name]
    events = [frame.event() for frame in frames_of(*stream.frames) if frame.content_type == "text/event-plain"]
    return [event for event in events if event.name == "BACKGROUND_JOB"]


def test_the_inner_body_of_a_background_job_is_its_answer() -> None:
    answers = [event.body.split(" ")[0] for event in job_results("originate_results/inbound/fs>app")]
    assert answers[:3] == ["+OK", "-ERR", "-ERR"]


def test_a_caller_who_tried_to_forge_headers_gave_none() -> None:
    [stream] = [s for s in FROM_SWITCH if s.name == "injected_newline_in_caller_name/outbound/fs>app"]
    events = [frame.event() for frame in frames_of(*stream.frames) if frame.content_type == "text/event-plain"]
    for event in events:
        names = [name for name, _ in event.headers.items()]
        assert names.count("Event-Name") == 1
        assert event.get("Caller-Caller-ID-Name") in (" X", None)
