"""Events as the emulator keeps them: blocks of headers, put into text once and used by many.

An event of a channel is its own few headers around two blocks, state and variables, that stay the same from event to
event. Text is made only for events that somebody subscribed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from urllib.parse import unquote

from controlplane.esl.writing import encode_event_json, quote_value

Pairs = tuple[tuple[str, str], ...]

# Where FreeSWITCH 1.10.12 fires each event: the Event-Calling-* headers.
_FIRED_AT = {
    "BACKGROUND_JOB": ("mod_event_socket.c", "api_exec", 1572),
    "CHANNEL_ANSWER": ("switch_channel.c", "switch_channel_perform_mark_answered", 3846),
    "CHANNEL_BRIDGE": ("switch_ivr_bridge.c", "switch_ivr_multi_threaded_bridge", 1689),
    "CHANNEL_CALLSTATE": ("switch_channel.c", "switch_channel_perform_set_callstate", 301),
    "CHANNEL_CREATE": ("switch_core_state_machine.c", "switch_core_session_run", 626),
    "CHANNEL_EXECUTE": ("switch_core_session.c", "switch_core_session_exec", 2942),
    "CHANNEL_EXECUTE_COMPLETE": ("switch_core_session.c", "switch_core_session_exec", 2967),
    "CHANNEL_HANGUP": ("switch_channel.c", "switch_channel_perform_hangup", 3433),
    "CHANNEL_HANGUP_COMPLETE": ("switch_core_state_machine.c", "switch_core_session_reporting_state", 943),
    "CHANNEL_OUTGOING": ("switch_core_session.c", "switch_core_session_outgoing_channel", 768),
    "CHANNEL_PARK": ("switch_ivr.c", "switch_ivr_park", 1002),
    "CHANNEL_PROGRESS": ("switch_channel.c", "switch_channel_perform_mark_ring_ready_value", 3505),
    "CHANNEL_PROGRESS_MEDIA": ("switch_channel.c", "switch_channel_perform_mark_pre_answered", 3602),
    "CHANNEL_STATE": ("switch_channel.c", "switch_channel_perform_set_running_state", 2408),
    "CHANNEL_UNBRIDGE": ("switch_ivr_bridge.c", "switch_ivr_multi_threaded_bridge", 1836),
    "CHANNEL_UNPARK": ("switch_ivr.c", "switch_ivr_park", 1214),
    "DTMF": ("switch_channel.c", "switch_channel_dequeue_dtmf", 677),
    "HEARTBEAT": ("switch_core.c", "send_heartbeat", 95),
    "PLAYBACK_START": ("switch_ivr_play_say.c", "switch_ivr_play_file", 1655),
    "PLAYBACK_STOP": ("switch_ivr_play_say.c", "switch_ivr_play_file", 2020),
    "RECORD_START": ("switch_ivr_play_say.c", "switch_ivr_record_file_event", 715),
    "RECORD_STOP": ("switch_ivr_play_say.c", "switch_ivr_record_file_event", 1030),
}
_ELSEWHERE = ("switch_channel.c", "switch_channel_event_set_data", 0)

# Events that carry the channel's variables (switch_channel.c, switch_channel_event_set_extended_data).
WITH_VARIABLES = frozenset({
    "CHANNEL_CREATE", "CHANNEL_ORIGINATE", "CHANNEL_ANSWER", "CHANNEL_PARK", "CHANNEL_UNPARK", "CHANNEL_BRIDGE",
    "CHANNEL_UNBRIDGE", "CHANNEL_PROGRESS", "CHANNEL_PROGRESS_MEDIA", "CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE",
    "CHANNEL_DATA", "CHANNEL_EXECUTE", "CHANNEL_EXECUTE_COMPLETE", "CHANNEL_DESTROY", "RECORD_START", "RECORD_STOP",
    "PLAYBACK_START", "PLAYBACK_STOP", "CALL_UPDATE", "MEDIA_BUG_START", "MEDIA_BUG_STOP",
})  # fmt: skip

_quoted = lru_cache(maxsize=1 << 16)(quote_value)


def line_of(name: str, value: str) -> str:
    """One header as it stands in a plain event."""
    return f"{name}: {_quoted(value)}\n"


def lines_of(pairs: Iterable[tuple[str, str]]) -> bytes:
    """Headers as they stand in a plain event."""
    return "".join([f"{name}: {_quoted(value)}\n" for name, value in pairs]).encode()


class Block:
    """A run of headers: pairs, or how to make them, and their text once somebody needed it."""

    __slots__ = ("_lines", "_pairs")

    def __init__(self, pairs: Pairs | Callable[[], Pairs], lines: bytes | None = None) -> None:
        self._pairs = pairs
        self._lines = lines

    @property
    def pairs(self) -> Pairs:
        """The headers, exactly."""
        if not isinstance(self._pairs, tuple):
            self._pairs = self._pairs()
        return self._pairs

    @property
    def lines(self) -> bytes:
        """The headers as they stand in a plain event."""
        if self._lines is None:
            self._lines = lines_of(self.pairs)
        return self._lines


class Event:
    """One event. `uuid` is its Unique-ID ("" for none); `head` are its first headers, in plain text."""

    __slots__ = ("_plain", "blocks", "body", "head", "name", "subclass", "uuid")

    def __init__(self, name: str, uuid: str, head: bytes, blocks: tuple[Block, ...], body: str = "") -> None:
        self.name, self.uuid, self.head, self.blocks, self.body = name, uuid, head, blocks, body
        self.subclass = ""
        self._plain: bytes | None = None

    def plain(self) -> bytes:
        """The whole frame as it goes to a link that asked for `event plain`."""
        if self._plain is None:
            lines = self.head + b"".join([block.lines for block in self.blocks])
            inner = self.body.encode()
            block = lines + (b"Content-Length: %d\n\n%b" % (len(inner), inner) if inner else b"\n")
            self._plain = b"Content-Length: %d\nContent-Type: text/event-plain\n\n%b" % (len(block), block)
        return self._plain

    def json(self) -> bytes:
        """The whole frame as it goes to a link that asked for `event json`."""
        return encode_event_json(self.pairs(), self.body or None)

    def pairs(self) -> Iterator[tuple[str, str]]:
        """All headers, exactly."""
        for line in self.head.decode().splitlines():
            name, _, value = line.partition(": ")
            yield name, unquote(value)
        for block in self.blocks:
            yield from block.pairs

    def get(self, header: str) -> str | None:
        """The first value of a header, whatever the case of its name; None if there is none."""
        wanted = header.lower()
        if wanted == "unique-id":
            return self.uuid or None
        return next((value for name, value in self.pairs() if name.lower() == wanted), None)


@lru_cache(maxsize=128)
def fired_at(name: str) -> str:
    """The Event-Calling-* headers of an event."""
    file, function, line = _FIRED_AT.get(name, _ELSEWHERE)
    return f"Event-Calling-File: {file}\nEvent-Calling-Function: {function}\nEvent-Calling-Line-Number: {line}\n"
