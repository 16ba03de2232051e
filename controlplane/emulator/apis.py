"""The api commands that the emulator knows (mod_commands.c), and what they answer, letter by letter."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from controlplane.emulator.apps.playing import send_keys
from controlplane.emulator.causes import read_cause
from controlplane.emulator.channel import Channel, Digit
from controlplane.emulator.signalling import answer

if TYPE_CHECKING:
    from controlplane.emulator.node import Node

Done = Callable[[str], None]

_NO_CHANNEL = "-ERR No such channel!\n"
_OK = "+OK\n"


def run_api(node: Node, name: str, argument: str, done: Done) -> None:
    """Carry out `api <name> <argument>` and give its answer to `done`, most of them before this returns."""
    if (api := APIS.get(name)) is not None:
        done(api(node, argument))
    else:
        done(f"-ERR {name} Command not found!\n")


def _of_channel(run: Callable[[Channel, str], str], missing: str = _NO_CHANNEL) -> Callable[[Node, str], str]:
    """An api whose first word is a channel's UUID."""

    def api(node: Node, argument: str) -> str:
        uuid, _, rest = argument.partition(" ")
        channel = node.channels.get(uuid)
        return missing if channel is None else run(channel, rest.strip())

    return api


def _exists(node: Node, argument: str) -> str:
    return "true" if argument.strip() in node.channels else "false"


def _getvar(channel: Channel, rest: str) -> str:
    value = channel.variables.get(rest) if rest else None
    return value if value is not None else "_undef_"


def _setvar(channel: Channel, rest: str) -> str:
    name, _, value = rest.partition(" ")
    channel.variables.set(name, value)
    channel.changed()
    return _OK


def _setvar_multi(channel: Channel, rest: str) -> str:
    for pair in rest.split(";"):
        name, _, value = pair.partition("=")
        if name:
            channel.variables.set(name, value)
    channel.changed()
    return _OK


def _dump(channel: Channel, rest: str) -> str:
    pairs = [("Event-Name", "CHANNEL_DATA"), ("Core-UUID", channel.node.core_uuid)]
    pairs += [*channel.state_block().pairs, *channel.variables.block().pairs]
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


def _send_dtmf(channel: Channel, rest: str) -> str:
    send_keys(channel, rest)
    return f"+OK {channel.uuid} sent DTMF {rest}.\n"


def _recv_dtmf(channel: Channel, rest: str) -> str:
    keys, _, length = rest.partition("@")
    for key in keys:
        if key in "0123456789*#ABCD":
            channel.receive_digit(Digit(key, int(length) * 8 if length.isdigit() else 2000, "APP"))
    return f"+OK {channel.uuid} received DTMF {rest}.\n"


def _sched_hangup(node: Node, argument: str) -> str:
    when, _, rest = argument.partition(" ")
    uuid, _, cause = rest.partition(" ")
    channel = node.channels.get(uuid)
    if channel is None:
        return _NO_CHANNEL
    in_s = int(when.lstrip("+") or 0) - (0 if when.startswith("+") else node.clock.now_ms() // 1000)
    cause = read_cause(cause) if cause else "ALLOTTED_TIMEOUT"
    if in_s <= 0:
        channel.hang_up(cause)
    else:
        node.hang_up_in(channel, in_s, cause)
    return _OK


def _sched_del(node: Node, argument: str) -> str:
    return f"+OK Deleted: {node.unschedule(argument.strip())}\n"


def _hupall(node: Node, argument: str) -> str:
    cause = read_cause(argument.split(" ")[0]) if argument else "MANAGER_REQUEST"
    for channel in list(node.channels.values()):
        channel.hang_up(cause)
    return f"+OK hangup all channels with cause {cause}\n"


def _status(node: Node, _argument: str) -> str:
    from controlplane.emulator.node import uptime_text

    count = len(node.channels)
    return (
        f"UP {uptime_text(node.clock.monotonic_ms() - node.began_ms)}\n"
        "FreeSWITCH (Version 1.10.12-release git a88d069 2024-08-02 21:02:27Z 64bit) is ready\n"
        f"{node.sessions} session(s) since startup\n{count} session(s) - peak {count}, last 5min {count} \n"
        "0 session(s) per Sec out of max 1000, peak 0, last 5min 0 \n5000 session(s) max\n"
        "min idle cpu 0.00/99.93\nCurrent Stack Size/Max 240K/8192K\n"
    )


def _global_getvar(node: Node, argument: str) -> str:
    values = {"core_uuid": node.core_uuid, "hostname": node.name, "switchname": node.name}
    if not argument:
        return "".join(f"{name}={value}\n" for name, value in values.items())
    return values.get(argument.strip(), "")


APIS: Mapping[str, Callable[[Node, str], str]] = {
    "create_uuid": lambda node, _argument: node.make_uuid(),
    "global_getvar": _global_getvar,
    "hupall": _hupall,
    "sched_del": _sched_del,
    "sched_hangup": _sched_hangup,
    "status": _status,
    "uuid_answer": _of_channel(_answer, "-ERROR\n"),
    "uuid_break": _of_channel(_break),
    "uuid_dump": _of_channel(_dump),
    "uuid_exists": _exists,
    "uuid_getvar": _of_channel(_getvar),
    "uuid_kill": _of_channel(_kill),
    "uuid_recv_dtmf": _of_channel(_recv_dtmf, "-ERR Cannot locate session!\n"),
    "uuid_send_dtmf": _of_channel(_send_dtmf, "-ERR Cannot locate session!\n"),
    "uuid_setvar": _of_channel(_setvar),
    "uuid_setvar_multi": _of_channel(_setvar_multi),
}
