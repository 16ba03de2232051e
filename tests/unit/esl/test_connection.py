"""How a stream is cut into frames and commands, and when it is given up."""

from __future__ import annotations

import pytest

from controlplane.esl.connection import ClientConnection, Limits, SwitchConnection
from controlplane.esl.errors import RemoteEslError
from controlplane.esl.frames import CommandFrame, Frame, Headers

SMALL = Limits(header_bytes=40, body_bytes=10)


def test_a_reply_is_a_frame_without_body() -> None:
    assert ClientConnection().feed(b"Content-Type: command/reply\nReply-Text: +OK\n\n") == [
        Frame(Headers(b"Content-Type: command/reply\nReply-Text: +OK"), b"")
    ]


def test_a_body_is_counted_not_looked_at() -> None:
    body = b"a\n\nContent-Length: 99\n\n"
    frames = ClientConnection().feed(b"Content-Length: %d\n\n%bContent-Type: x\n\n" % (len(body), body))
    assert frames == [Frame(Headers(b"Content-Length: 23"), body), Frame(Headers(b"Content-Type: x"), b"")]


def test_newlines_between_frames_are_nothing() -> None:
    connection = ClientConnection()
    assert connection.feed(b"\n\r\n\nContent-Type: x\n\n\n") == [Frame(Headers(b"Content-Type: x"), b"")]
    assert not connection.eof()


def test_the_end_of_the_stream_inside_a_block_is_noticed() -> None:
    connection = ClientConnection()
    assert connection.feed(b"Content-Type: x") == []
    assert connection.eof()


def test_the_end_of_the_stream_inside_a_body_is_noticed() -> None:
    connection = ClientConnection()
    assert connection.feed(b"Content-Length: 4\n\nabc") == []
    assert connection.eof()


def test_the_first_content_length_counts() -> None:
    [frame, _] = ClientConnection().feed(b"Content-Length: 1\nContent-Length: 5\n\nxyz\n\n")
    assert frame.body == b"x"


@pytest.mark.parametrize("length", [b"-1", b"+1", b"1.0", b"0x1", b"ten", b"", b"1 x", b"9" * 19, "١".encode()])
def test_a_content_length_that_is_no_number_ends_the_connection(length: bytes) -> None:
    with pytest.raises(RemoteEslError):
        ClientConnection().feed(b"Content-Length: %b\n\n" % length)
    with pytest.raises(RemoteEslError):
        SwitchConnection().feed(b"sendmsg\nContent-Length: %b\n\n" % length)


def test_a_body_over_the_limit_ends_the_connection() -> None:
    assert ClientConnection(SMALL).feed(b"Content-Length: 10\n\n0123456789")
    with pytest.raises(RemoteEslError):
        ClientConnection(SMALL).feed(b"Content-Length: 11\n\n")


def test_an_answer_may_be_longer_than_what_comes_unasked() -> None:
    """A list of channels of more than 4 MiB once ended every link that asked for it, again and again."""
    body = b"x" * (5 * 1024 * 1024)
    head = b"Content-Type: %b\nContent-Length: %d\n\n"
    answer = head % (b"api/response", len(body)) + body
    (frame,) = ClientConnection().feed(answer)
    assert frame.body == body
    with pytest.raises(RemoteEslError):
        ClientConnection().feed(head % (b"text/event-plain", len(body)))
    with pytest.raises(RemoteEslError):
        ClientConnection().feed(head % (b"api/response", 256 * 1024 * 1024 + 1))


@pytest.mark.parametrize("is_slow", [True, False])
def test_a_block_over_the_limit_ends_the_connection(is_slow: bool) -> None:
    for size, is_refused in ((40, False), (41, True)):
        stream = b"x" * size + b"\n\n"
        chunks = [bytes([byte]) for byte in stream] if is_slow else [stream]
        connection = ClientConnection(SMALL)
        if is_refused:
            with pytest.raises(RemoteEslError):
                [connection.feed(chunk) for chunk in chunks]
        else:
            frames = [frame for chunk in chunks for frame in connection.feed(chunk)]
            assert frames == [Frame(Headers(b"x" * 40), b"")]


def test_an_endless_block_is_not_kept() -> None:
    connection = ClientConnection()
    with pytest.raises(RemoteEslError):
        connection.feed(b"x" * (256 * 1024 + 3))
    assert connection.eof()


def test_a_broken_connection_stays_broken_and_first_gives_what_was_whole() -> None:
    connection = ClientConnection()
    stream = b"Content-Type: x\n\nContent-Length: no\n\nContent-Type: y\n\n"
    assert connection.feed(stream) == [Frame(Headers(b"Content-Type: x"), b"")]
    assert connection.eof()
    for _ in range(2):
        with pytest.raises(RemoteEslError):
            connection.feed(b"")


def test_a_command_is_a_line_headers_and_a_counted_body() -> None:
    stream = b"sendmsg abc\ncall-command: execute\ncontent-type: text/plain\ncontent-length: 5\n\na\n\nbcexit\n\n"
    headers = (("call-command", "execute"), ("content-type", "text/plain"), ("content-length", "5"))
    assert SwitchConnection().feed(stream) == [
        CommandFrame("sendmsg abc", headers, "a\n\nbc"),
        CommandFrame("exit", (), ""),
    ]


def test_headers_of_a_command_are_found_in_any_case() -> None:
    [command] = SwitchConnection().feed(b"sendmsg\nEvent-UUID:  t1\nevent-uuid: t2\nno header\n\n")
    assert command == CommandFrame("sendmsg", (("Event-UUID", "t1"), ("event-uuid", "t2")), "")
    assert command.get("event-Uuid") == "t1"
    assert command.get("event-lock") is None


def test_bare_newlines_are_no_commands() -> None:
    connection = SwitchConnection()
    assert connection.feed(b"\n\n\r\n\napi status\r\n\r\n\n") == [CommandFrame("api status", (), "")]
    assert not connection.eof()


def test_a_body_ends_at_nul_as_in_c() -> None:
    [command] = SwitchConnection().feed(b"sendmsg\ncontent-length: 3\n\na\0b")
    assert command.body == "a"
