"""Between the call servers and the media node: everything that is written to its event socket passes here.

Each command must be of one of the few shapes that the engine has use for, written down here a second time and apart
from its builder; and FreeSWITCH must answer as many times as it was told something: a reply more or less than that is a
command within a value, or one that another swallowed.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from controlplane.esl.connection import ClientConnection, SwitchConnection
from controlplane.esl.errors import RemoteEslError
from controlplane.esl.frames import CommandFrame
from tests.injection.canaries import Canaries

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
# What the engine sets on a leg that is there, and on one that it dials; any other name was made by a value.
_SET = (
    r"(?:callplane_(?:sent|look|digits)|originate_disposition|playback_terminators|read_terminator_used"
    r"|hangup_after_bridge|continue_on_fail|max_session_transfers|record_fill_cng|send_silence_when_idle"
    r"|park_after_bridge|uuid_bridge_park_on_cancel"
    r"|ringback|transfer_ringback|bridge_terminate_key"
    r"|RECORD_(?:BRIDGE_REQ|STEREO|READ_ONLY|WRITE_ONLY))"
)
_DIALLED = (
    r"(?:origination_(?:uuid|caller_id_number|caller_id_name)|(?:leg|originate)_timeout|ignore_early_media"
    r"|sip_copy_custom_headers|outbound_redirect_fatal|callplane_call|sip_auth_(?:username|password)"
    r"|execute_on_answer_[12]"
    r"|sip_h_(?:X-[A-Za-z0-9-]+|User-to-User|Remote-Party-ID|P-Preferred-Identity|P-Called-Party-ID))"
)
_VARIABLES = rf"{_SET}=[^|\r\n$]*(?:\|{_SET}=[^|\r\n$]*)*"
_PATH = r"/[A-Za-z0-9._/-]+\.wav"
_PLAIN = rf"(?:{_PATH}|silence_stream://\d+|tone_stream://[%(),;\d]+(?:;loops=-1)?)"
_SOUNDS = rf"(?:file_string://)?{_PLAIN}(?:!{_PLAIN})*"
_PARTY = r"sofia/internal/sips?:[A-Za-z0-9_.~*+!()-]+@[A-Za-z0-9.-]+(?::\d+)?(?:;transport=(?:udp|tcp|tls))?"
_BLOCK = rf"{_DIALLED}=(?:'[^'\r\n\[\]{{}}$|,]*'|[^ '\r\n\[\]{{}}$|,]*)"
_DIAL = (
    rf"(?:\{{{_BLOCK}(?:,{_BLOCK})*\}})?(?:\[{_BLOCK}(?:,{_BLOCK})*\])?{_PARTY}"
    rf"(?:[,|](?:\[{_BLOCK}(?:,{_BLOCK})*\])?{_PARTY})*"
)
_LINES = [
    r"auth \S+", r"event plain [A-Z_ ]+", r"noevents", r"filter Unique-ID /\[[0-9a-f]+\]\$/",
    r"filter delete Unique-ID /\[[0-9a-f]+\]\$/", r"filter Job-UUID /\^cs/",
    r"filter Application -(?:set|sched_hangup|park)", r"filter Application-UUID -step",
    r"exit", rf"api global_setvar (?:sip_copy_custom_headers|{_SET})=(?:true|false|none|-1|1000000000)",
    r"api global_setvar callplane_(?:term|shard_\d+)=\d+", r"api global_getvar callplane_(?:term|shard_\d+)",
    r"api (?:uptime|global_getvar core_uuid|show channels as json|show channels count)",
    rf"api (?:sched_del|uuid_exists|uuid_ring_ready|uuid_answer) {_UUID}", rf"api uuid_break {_UUID} all",
    rf"api uuid_dump {_UUID} json", rf"api uuid_getvar {_UUID} [a-z_]+", rf"api uuid_kill {_UUID} [A-Z_]+",
    rf"api sched_hangup \+\d+ {_UUID} [A-Z_]+", rf"api uuid_transfer {_UUID} park inline",
    rf"api uuid_bridge {_UUID} {_UUID}", rf"api uuid_send_dtmf {_UUID} [0-9A-D*#wW]+@\d+",
    rf"api uuid_audio {_UUID} (?:start read mute 1|stop)", rf"api uuid_setvar_multi {_UUID} \^\^\|{_VARIABLES}",
    rf"api uuid_displace {_UUID} (?:start {_SOUNDS} 0 mux|stop {_SOUNDS})",
    rf"bgapi originate {_DIAL} &park\(\)", rf"sendmsg {_UUID}",
]  # fmt: skip
_APPS = {
    "answer": "", "sleep": r"\d+", "multiset": rf"\^\^\|{_VARIABLES}", "playback": _SOUNDS,
    "send_dtmf": r"[0-9A-D*#wW]+@\d+", "record": rf"{_PATH} \d+(?: \d+ \d+)?", "record_session": rf"{_PATH} \+\d+",
    "stop_record_session": _PATH, "bridge": _DIAL,
    "read": rf"1 \d+ {_SOUNDS} callplane_digits \d+ (?:none|[0-9A-D*#]+) \d+",
}  # fmt: skip
_HEADERS = {
    "sendmsg": {
        *("call-command", "execute-app-name", "event-lock", "event-uuid", "content-type", "content-length"),
        "hangup-cause",
    },
    "bgapi": {"job-uuid"},
}
ANSWERED_WITHIN_S = 10
_TWICE = re.compile(r"[\[{,](?!sip_h_)(\w+)=[^\[\]{}]*,\1=")
_ODD = re.compile(r"[\x00-\x1f\x7f]|\$\{")
_LINE, _APP = re.compile("|".join(_LINES)), {name: re.compile(shape) for name, shape in _APPS.items()}


@dataclass(slots=True)
class Line:
    """One event socket: how many commands went over it, and how many replies came back."""

    asked: int = 0
    answered: int = 0

    @property
    def owed(self) -> int:
        return self.asked - self.answered


@dataclass(slots=True)
class Wiretap:
    """What was heard. `last_word_s` is when a leg was last spoken of.

    `left_unread` counts replies that a call server did not wait for: it closed the line.
    """

    canaries: Canaries
    left_unread: int = 0
    by_name: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    last_word_s: dict[str, float] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    open_lines: dict[asyncio.Task[None], Line] = field(default_factory=dict)

    @property
    def asked(self) -> int:
        return sum(line.asked for line in self.lines)

    @property
    def answered(self) -> int:
        return sum(line.answered for line in self.lines)

    def take_command(self, frame: CommandFrame, line: Line) -> None:
        """Look at a command that a call server wrote."""
        if not frame.line:
            return
        line.asked += 1
        words = frame.line.split(" ")
        self.by_name[" ".join(words[: 2 if words[0] in ("api", "bgapi") else 1])] += 1
        for word in words:
            if len(word) == 36:
                self.last_word_s[word] = asyncio.get_running_loop().time()
        if problem := problem_of(frame):
            self.canaries.sing(f"{problem}: {frame.line[:200]} {frame.headers} {frame.body[:200]!r}")

    def take_reply(self, line: Line) -> None:
        """One more than commands were written is an answer to something that a value told."""
        line.answered += 1
        if line.owed < 0:
            self.canaries.sing(f"{line.asked} commands had {line.answered} replies")

    async def settle(self) -> None:
        """Wait until the node has answered all it was told on the lines that are open; what it owes then sings."""
        until_s = asyncio.get_running_loop().time() + ANSWERED_WITHIN_S
        while (owed := sum(line.owed for line in self.open_lines.values())) and (
            asyncio.get_running_loop().time() < until_s
        ):
            await asyncio.sleep(0.01)  # another process answers
        if owed:
            self.canaries.sing(f"{owed} commands had no reply within {ANSWERED_WITHIN_S} s")


def problem_of(frame: CommandFrame) -> str:
    """What is wrong with a command, "" for nothing."""
    headers = {name.lower(): value for name, value in frame.headers}
    kind = frame.line.split(" ")[0]
    if not _LINE.fullmatch(frame.line):
        return "a command of no shape of ours"
    if set(headers) - _HEADERS.get(kind, set()) or len(headers) != len(frame.headers):
        return "a command with a header that is not ours"
    body = frame.body
    if _ODD.search("".join((frame.line, body, *headers.values()))):
        return "a command with control characters or an expansion"
    if _TWICE.search(frame.line) or _TWICE.search(body):
        return "a command that sets a variable twice"
    if kind == "sendmsg":
        if headers.get("call-command") == "hangup":
            shape = {"call-command", "hangup-cause", "event-lock"}
            is_ours = set(headers) == shape and re.fullmatch("[A-Z_]+", headers["hangup-cause"]) and not body
            return "" if is_ours else "a hang-up that is not ours"
        app = headers.get("execute-app-name", "")
        if headers.get("call-command") != "execute" or app not in _APP or not _APP[app].fullmatch(body):
            return f"an application that is not ours, or not its argument ({app})"
    return ""


@asynccontextmanager
async def tapping(canaries: Canaries, node: tuple[str, int]) -> AsyncIterator[tuple[Wiretap, int]]:
    """Listen in on the way to a node; answers the port that call servers are to be told instead of the node's."""
    tap = Wiretap(canaries)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        line = tap.open_lines[task] = Line()
        tap.lines.append(line)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await _pass_on(tap, line, reader, writer, *await asyncio.open_connection(*node))
        writer.close()
        del tap.open_lines[task]

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield tap, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        tasks = list(tap.open_lines)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pass_on(
    tap: Wiretap,
    line: Line,
    from_server: asyncio.StreamReader,
    to_server: asyncio.StreamWriter,
    from_node: asyncio.StreamReader,
    to_node: asyncio.StreamWriter,
) -> None:
    commands, answers = SwitchConnection(), ClientConnection()

    def said(data: bytes) -> None:
        for frame in commands.feed(data):
            tap.take_command(frame, line)

    def replied(data: bytes) -> None:
        for frame in answers.feed(data):
            if frame.content_type in ("command/reply", "api/response"):
                tap.take_reply(line)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hear: Callable[[bytes], None]) -> None:
        while data := await reader.read(1 << 16):
            try:
                hear(data)
            except RemoteEslError as error:
                tap.canaries.sing(f"an event socket that nobody can read: {error.message}")
            writer.write(data)
            await writer.drain()

    told = asyncio.create_task(pump(from_server, to_node, said))
    heard = asyncio.create_task(pump(from_node, to_server, replied))
    try:
        await asyncio.wait({told, heard}, return_when=asyncio.FIRST_COMPLETED)
        if told.done():
            tap.left_unread += line.owed
        elif line.owed:
            tap.canaries.sing(f"the node closed an event socket on which it owed {line.owed} replies")
    finally:
        for task in (told, heard):
            task.cancel()
        to_node.close()
        await asyncio.gather(told, heard, return_exceptions=True)
