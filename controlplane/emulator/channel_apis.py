"""The api commands about one channel (mod_commands.c), and what they answer, letter by letter."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from controlplane.emulator.apps.playing import send_keys
from controlplane.emulator.bridging import hear_each_other
from controlplane.emulator.causes import read_cause
from controlplane.emulator.channel import Channel, Digit, Message
from controlplane.emulator.joining import join, transfer
from controlplane.emulator.recording import bug_headers, start_recording, stop_recording
from controlplane.emulator.signalling import answer, ring
from controlplane.emulator.sounds import parts_of

if TYPE_CHECKING:
    from controlplane.emulator.node import Node

Api = Callable[["Node", str], str]

_NO_CHANNEL = "-ERR No such channel!\n"
_NO_SESSION = "-ERR Cannot locate session!\n"
_OK = "+OK\n"
_SILENCE_WHEN_IDLE = "send_silence_when_idle"
_LEAD_FRAMES = 5  # how many frames a broadcast lets pass before it begins


def _of_channel(run: Callable[[Channel, str], str], missing: str = _NO_CHANNEL) -> Api:
    """An api whose first word is a channel's UUID."""

    def api(node: Node, argument: str) -> str:
        uuid, _, rest = argument.strip().partition(" ")
        channel = node.channels.get(uuid)
        return missing if channel is None else run(channel, rest.strip())

    return api


def _getvar(channel: Channel, rest: str) -> str:
    value = channel.variables.get(rest) if rest else None
    return value if value is not None else "_undef_"


def _setvar(channel: Channel, rest: str) -> str:
    name, _, value = rest.partition(" ")
    channel.variables.set(name, value)
    channel.changed()
    return _OK


def _setvar_multi(channel: Channel, rest: str) -> str:
    # `^^` and a character name another separator (switch_utils.c, switch_separate_string).
    separator, pairs = (rest[2], rest[3:]) if rest.startswith("^^") and len(rest) > 2 else (";", rest)
    for pair in pairs.split(separator):
        name, _, value = pair.partition("=")
        if name:
            channel.variables.set(name, value)
    channel.changed()
    return _OK


def _dump(channel: Channel, rest: str) -> str:
    pairs = [("Event-Name", "CHANNEL_DATA"), ("Core-UUID", channel.node.core_uuid)]
    pairs.append(("Event-Date-Timestamp", str(channel.node.now_us())))
    pairs += [pair for block in (*channel.state_blocks(), channel.variables.block()) for pair in block.pairs]
    if rest == "json":
        return json.dumps(dict(pairs), separators=(",", ":"), ensure_ascii=False)
    return "".join(f"{name}: {value}\n" for name, value in pairs)


def _kill(channel: Channel, rest: str) -> str:
    channel.hang_up(read_cause(rest) if rest else "NORMAL_CLEARING")
    return _OK


def _break(channel: Channel, rest: str) -> str:
    channel.stop(everything="all" in rest)
    if "both" in rest and channel.partner is not None:
        channel.partner.stop(everything="all" in rest)
    return _OK


def _answer(channel: Channel, _rest: str) -> str:
    answer(channel)
    return _OK


def _ring_ready(channel: Channel, _rest: str) -> str:
    ring(channel)
    return _OK


def _send_dtmf(channel: Channel, rest: str) -> str:
    send_keys(channel, rest)
    return f"+OK {channel.uuid} sent DTMF {rest}.\n"


def _recv_dtmf(channel: Channel, rest: str) -> str:
    keys, _, length = rest.partition("@")
    for key in keys:
        if key in "0123456789*#ABCD":
            channel.receive_digit(Digit(key, int(length) * 8 if length.isdigit() else 2000, "APP"))
    return f"+OK {channel.uuid} received DTMF {rest}.\n"


def _audio(channel: Channel, rest: str) -> str:
    words = rest.split(" ")
    if words[0] == "stop":
        _set_mute(channel, is_mute=False, is_deaf=False)
        return _OK
    if len(words) < 4 or words[0] != "start" or words[1] not in ("read", "write") or words[2] not in ("mute", "level"):
        return "-USAGE: <uuid> [start [read|write] [mute|level <level>]|stop]\n"
    is_muted = words[2] == "mute" and words[3] not in ("0", "-0")
    if words[1] == "read":
        _set_mute(channel, is_mute=is_muted, is_deaf=channel.is_deaf)
    else:
        _set_mute(channel, is_mute=channel.is_mute, is_deaf=is_muted)
    return _OK


def _set_mute(channel: Channel, *, is_mute: bool, is_deaf: bool) -> None:
    was_on = channel.is_mute or channel.is_deaf
    channel.is_mute, channel.is_deaf = is_mute, is_deaf
    if (is_mute or is_deaf) != was_on:
        name = "MEDIA_BUG_STOP" if was_on else "MEDIA_BUG_START"
        channel.fire(name, after=bug_headers("audio", ""))
    hear_each_other(channel)


def _displace(channel: Channel, rest: str) -> str:
    """Play over what a leg hears. A leg that is sent nothing at that moment hears nothing of it (seen)."""
    action, _, rest = rest.partition(" ")
    path = rest.partition(" ")[0]
    parts = parts_of(path)
    if action == "stop":
        channel.fire("MEDIA_BUG_STOP", after=bug_headers("displace", path))
        for part in parts or []:
            channel.hears.lift(part.what, channel.node.clock.monotonic_ms())
        return "+OK Success\n"
    if action != "start" or parts is None or not channel.has_media:
        return "-ERR Cannot displace session!\n"
    channel.fire("MEDIA_BUG_START", after=bug_headers("displace", path))
    at_ms = channel.node.clock.monotonic_ms()
    is_sent_something = channel.hears.current is not None or int(channel.variables.get(_SILENCE_WHEN_IDLE) or 0)
    for part in parts if is_sent_something else []:
        end_ms = at_ms + (part.duration_ms or 0)
        channel.hears.lay_over(part.what, at_ms, end_ms)
        at_ms = end_ms
    channel.changed()
    return "+OK Success\n"


def _broadcast(channel: Channel, rest: str) -> str:
    path, _, hearer = rest.partition(" ")
    app, mark, data = path.partition("::")
    message = Message(
        app=app if mark else "playback", data=data if mark else path, is_locked=True, lead_frames=_LEAD_FRAMES
    )
    if hearer in ("bleg", "both") and channel.partner is not None:
        channel.partner.send(message)
    if hearer != "bleg":
        channel.send(message)
    return "+OK Message sent\n"


def _record(channel: Channel, rest: str) -> str:
    action, path, limit = ([*rest.split(" "), "", ""])[:3]
    if action == "start":
        is_done = start_recording(channel, path, int(limit) if limit.isdigit() else 0)
        return "+OK Success\n" if is_done else "-ERR Cannot record session!\n"
    if action == "stop":
        return "+OK Success\n" if stop_recording(channel, path) else "-ERR Cannot stop record session!\n"
    return "-USAGE: <uuid> [start|stop|mask|unmask] <path> [<limit>] [<recording_vars>]\n"


def _transfer(channel: Channel, rest: str) -> str:
    words = rest.replace("'", "").split(" ")
    if words[0] in ("-both", "-bleg"):
        which = words.pop(0)
        other = channel.partner
        if other is not None and words:
            transfer(other, words)
        if which == "-bleg":
            return _OK
    if not words or not words[0]:
        return "-USAGE: <uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]\n"
    transfer(channel, words)
    return _OK


def _bridge(node: Node, argument: str) -> str:
    words = argument.split(" ")
    legs = [node.channels.get(uuid) for uuid in words[:2]]
    if len(legs) < 2 or legs[0] is None or legs[1] is None or not join(legs[0], legs[1]):
        return "-ERR Invalid uuid\n"
    return f"+OK {words[1]}\n"


CHANNEL_APIS: Mapping[str, Api] = {
    "uuid_answer": _of_channel(_answer, "-ERROR\n"),
    "uuid_audio": _of_channel(_audio),
    "uuid_break": _of_channel(_break),
    "uuid_bridge": _bridge,
    "uuid_broadcast": _of_channel(_broadcast, "-ERR invalid uuid\n"),
    "uuid_displace": _of_channel(_displace, _NO_SESSION),
    "uuid_dump": _of_channel(_dump),
    "uuid_getvar": _of_channel(_getvar),
    "uuid_kill": _of_channel(_kill),
    "uuid_record": _of_channel(_record, _NO_SESSION),
    "uuid_recv_dtmf": _of_channel(_recv_dtmf, _NO_SESSION),
    "uuid_ring_ready": _of_channel(_ring_ready, "-ERROR\n"),
    "uuid_send_dtmf": _of_channel(_send_dtmf, _NO_SESSION),
    "uuid_setvar": _of_channel(_setvar),
    "uuid_setvar_multi": _of_channel(_setvar_multi),
    "uuid_transfer": _of_channel(_transfer),
}
