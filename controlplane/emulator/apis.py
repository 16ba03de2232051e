"""The api commands that the emulator knows, and what they answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from controlplane.emulator.causes import read_cause
from controlplane.emulator.channel import Channel
from controlplane.emulator.channel_apis import CHANNEL_APIS, Api
from controlplane.emulator.dialling import parse_dial_string
from controlplane.emulator.fibers import Fiber
from controlplane.emulator.joining import transfer
from controlplane.emulator.originating import Result, originate
from controlplane.emulator.recovery import recover
from controlplane.emulator.texts import VERSION, uptime_text

if TYPE_CHECKING:
    from controlplane.emulator.node import Node

Done = Callable[[str], None]

_NO_CHANNEL = "-ERR No such channel!\n"
_OK = "+OK\n"
_LATE_JOB_MS = 5
_ORIGINATE_USAGE = (
    "-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>] [<cid_name>] [<cid_num>] "
    "[<timeout_sec>]\n"
)


def run_api(node: Node, name: str, argument: str, done: Done) -> None:
    """Carry out `api <name> <argument>` and give its answer to `done`; all but originate before this returns."""
    if name == "originate":
        _originate(node, argument, done)
    elif (api := APIS.get(name)) is not None:
        done(api(node, argument))
    else:
        done(f"-ERR {name} Command not found!\n")


def _originate(node: Node, argument: str, done: Done) -> None:
    dial, _, rest = _cut(argument.strip())
    if not rest:
        done(_ORIGINATE_USAGE)
        return

    async def job() -> None:
        result = await originate(node, None, parse_dial_string(dial), fiber)
        _finish(node, result, rest, done)

    fiber = Fiber(node.clock, job)
    # A job has a thread of its own: when many begin, a command that was sent behind one may come before its leg is
    # there (1 in 300, 100 at once, 1.10.12).
    fiber.wake_at(node.clock.monotonic_ms() + (_LATE_JOB_MS if node.races.is_unusual() else 0))


def _finish(node: Node, result: Result, rest: str, done: Done) -> None:
    """Tell the job's result and let the leg run; which of the two is seen first is a race."""
    leg = result.leg
    if leg is None:
        done(f"-ERR {result.cause}\n")
        return
    if rest.startswith("&"):
        app, _, data = rest[1:].rstrip(")").partition("(")
        leg.extension.append((app, data))
        leg.go_to("CS_EXECUTE")
    else:
        transfer(leg, rest.split(" "))
    if node.races.is_unusual():
        node.clock.call_at_ms(leg.next_frame_ms() + 1, lambda: done(f"+OK {leg.uuid}\n"))
    else:
        done(f"+OK {leg.uuid}\n")


def _cut(argument: str) -> tuple[str, str, str]:
    """The dial string and the rest: cut at the first blank outside brackets and quotes."""
    depth, quotes = 0, False
    for place, letter in enumerate(argument):
        if letter == "'":
            quotes = not quotes
        elif letter in "{[":
            depth += 1
        elif letter in "}]":
            depth -= 1
        elif letter == " " and depth == 0 and not quotes:
            return argument[:place], " ", argument[place + 1 :].strip().strip("'")
    return argument, "", ""


def _exists(node: Node, argument: str) -> str:
    return "true" if argument.strip() in node.channels else "false"


def _sched_hangup(node: Node, argument: str) -> str:
    when, uuid, cause = ([*argument.split(" "), "", ""])[:3]
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
    return f"+OK Deleted: {node.schedule.drop(argument.strip())}\n"


def _hupall(node: Node, argument: str) -> str:
    cause = read_cause(argument.split(" ")[0]) if argument else "MANAGER_REQUEST"
    for channel in list(node.channels.values()):
        channel.hang_up(cause)
    return f"+OK hangup all channels with cause {cause}\n"


def _status(node: Node, _argument: str) -> str:
    count = len(node.channels)
    return (
        f"UP {uptime_text(node.clock.monotonic_ms() - node.began_ms)}\n"
        "FreeSWITCH (Version 1.10.12-release git a88d069 2024-08-02 21:02:27Z 64bit) is ready\n"
        f"{node.sessions} session(s) since startup\n{count} session(s) - peak {count}, last 5min {count} \n"
        "0 session(s) per Sec out of max 1000, peak 0, last 5min 0 \n5000 session(s) max\n"
        "min idle cpu 0.00/99.93\nCurrent Stack Size/Max 240K/8192K\n"
    )


def _uptime(node: Node, argument: str) -> str:
    uptime_ms = node.clock.monotonic_ms() - node.began_ms
    return f"{uptime_ms if argument.strip() == 'ms' else uptime_ms // 1000}\n"


def _global_getvar(node: Node, argument: str) -> str:
    values = {"hostname": node.name, "switchname": node.name, "core_uuid": node.core_uuid, **node.globals}
    if not argument:
        return "".join(f"{name}={value}\n" for name, value in values.items())
    return values.get(argument.strip(), "") or "-ERR no reply\n"


def _global_setvar(node: Node, argument: str) -> str:
    name, _, value = argument.strip().partition("=")
    if not name:
        return "-USAGE: <var>=<value> [=<value2>]\n"
    node.globals[name] = value
    return "+OK"


def _sofia(node: Node, argument: str) -> str:
    words = argument.split()
    if words[:1] != ["profile"] or words[2:] != ["recover"]:
        return f"-USAGE: {argument}\n"
    count = recover(node)
    return f"Recovered {count} session(s)\n" if count else "No sessions to recover.\n"


def _fsctl(node: Node, argument: str) -> str:
    if argument.strip() not in ("pause", "resume"):
        return f"-USAGE: {argument}\n"
    node.is_paused = argument.strip() == "pause"
    return _OK


def _show(node: Node, argument: str) -> str:
    words = argument.split()
    if words[:1] == ["channels"] and words[1:2] == ["count"]:
        count = len(node.channels)
        return f'{{"row_count":{count}}}\n' if words[-1] == "json" else f"\n{count} total.\n"
    if words == ["channels", "as", "json"]:
        return _rows([_channel_row(channel) for uuid, channel in node.channels.items() if uuid not in node.unlisted])
    if words == ["tasks", "as", "json"]:
        return _rows([
            {
                "task_id": str(task.id), "task_desc": task.description, "task_group": task.group,
                "task_runtime": str(task.at_s), "task_sql_manager": "0", "hostname": node.name,
            }
            for task in node.schedule
        ])  # fmt: skip
    return f"-USAGE: {argument}\n"


def _rows(rows: list[dict[str, str]]) -> str:
    if not rows:
        return '{"row_count": 0}\n'
    return json.dumps({"row_count": len(rows), "rows": rows}, separators=(",", ":"), ensure_ascii=False)


def _listed_application(channel: Channel) -> str:
    """The same for what runs there."""
    is_news = channel.node.list_lag_ms * 1000 > channel.node.now_us() - channel.profile.times.created
    return "" if is_news else channel.variables.get("current_application") or ""


def _listed_callstate(channel: Channel) -> str:
    """What the list says of a channel: FreeSWITCH writes it in a thread of its own, a little late."""
    answered_us, lag_us = channel.profile.times.answered, channel.node.list_lag_ms * 1000
    is_news = channel.is_answered and lag_us > channel.node.now_us() - answered_us
    return "RINGING" if is_news else channel.callstate


def _channel_row(channel: Channel) -> dict[str, str]:
    profile, values = channel.profile, channel.variables
    created_s = profile.times.created // 1_000_000
    codec = ("PCMU", "8000", "64000") if channel.has_media else ("", "", "")
    return {
        "uuid": channel.uuid, "direction": profile.direction,
        "created": datetime.fromtimestamp(created_s, UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "created_epoch": str(created_s), "name": profile.channel_name, "state": channel.running_state,
        "cid_name": profile.cid_name, "cid_num": profile.cid_number, "ip_addr": profile.network_addr,
        "dest": profile.destination, "application": _listed_application(channel),
        "application_data": values.get("current_application_data") or "", "dialplan": profile.dialplan,
        "context": profile.context, "read_codec": codec[0], "read_rate": codec[1], "read_bit_rate": codec[2],
        "write_codec": codec[0], "write_rate": codec[1], "write_bit_rate": codec[2], "secure": "",
        "hostname": channel.node.name, "presence_id": "", "presence_data": values.get("presence_data") or "",
        "accountcode": values.get("accountcode") or "", "callstate": _listed_callstate(channel),
        "callee_name": profile.callee_name, "callee_num": profile.callee_number, "callee_direction": "",
        "call_uuid": values.get("call_uuid") or "", "sent_callee_name": "", "sent_callee_num": "",
        "initial_cid_name": profile.orig_cid_name, "initial_cid_num": profile.orig_cid_number,
        "initial_ip_addr": profile.network_addr, "initial_dest": profile.destination,
        "initial_dialplan": profile.dialplan, "initial_context": profile.context,
    }  # fmt: skip


APIS: Mapping[str, Api] = {
    **CHANNEL_APIS,
    "create_uuid": lambda node, _argument: node.make_uuid(),
    "fsctl": _fsctl,
    "global_getvar": _global_getvar,
    "global_setvar": _global_setvar,
    "hostname": lambda node, _argument: node.name,
    "hupall": _hupall,
    "reloadacl": lambda _node, _argument: "+OK acl reloaded\n",
    "reloadxml": lambda _node, _argument: "+OK [Success]\n",
    "sched_del": _sched_del,
    "sched_hangup": _sched_hangup,
    "show": _show,
    "sofia": _sofia,
    "status": _status,
    "strepoch": lambda node, _argument: str(node.clock.now_ms() // 1000),
    "uptime": _uptime,
    "uuid_exists": _exists,
    "version": lambda _node, _argument: VERSION,
}
