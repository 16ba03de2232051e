"""A real FreeSWITCH with SIPp around it: a process a caller, and one for all telephones.

What they meet with they log themselves (sipp/*.xml): `invited|ringing|answered|ended <Call-ID> <s> <us> …`.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from controlplane.cli.freeswitch import freeswitch_child, loopback_node
from controlplane.cli.ports import free_port, is_free
from controlplane.render import MediaNode
from tests.acceptance.platform import PASSWORD
from tests.acceptance.sipp_caller import keys_packets, voice_packets, write_capture
from tests.chaos.flows import DIDS, FLOWS, KEYS, NEVER_S, RING_S, SHOWN, TALK_S, Planned
from tests.chaos.nodes import EMPTY, LOOK_S
from tests.chaos.programs import Program
from tests.chaos.twins.flows import tone

HOST = "127.0.0.1"
SPEAK_AFTER_S, VOICE_HZ = 0.1, 600
SCENARIOS = Path(__file__).parent / "sipp"
# Where util-linux is there the kernel ends SIPp when we are killed: it would listen for ever.
_TIED_TO_US = ("setpriv", "--pdeathsig", "KILL", "--") if shutil.which("setpriv") else ()


@dataclass(slots=True)
class FreeswitchNode:
    """The node, in a folder with a short name: paths of sockets and FreeSWITCH's own buffers have limits."""

    folder: Path
    site: Path
    program: Path
    kind: str = "freeswitch"
    gateway: str = ""
    is_running: bool = False
    _node: MediaNode = field(init=False)
    _process: Program = field(init=False)
    _telephones: subprocess.Popen[bytes] | None = None
    _callers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _timers: list[asyncio.TimerHandle] = field(default_factory=list)
    _killed_at_s: float | None = None
    _forgotten: int = 0  # lines of the telephones' log that are of former runs

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._node = loopback_node(
            self.folder / "fs", esl_password=PASSWORD, prompts=self.site / "prompts",
            recordings=self.site / "recordings", call_records=self.folder / "records",
        )  # fmt: skip
        child = freeswitch_child(self.program, self._node)
        self._process = Program("freeswitch", child.argv, lambda _name, _line: None, probe=child.probe)
        self.gateway = f"{HOST}:{free_port()}"
        write_capture(self.folder / "keys.pcap", keys_packets(KEYS))
        write_capture(self.folder / "voice.pcap", voice_packets(tone(VOICE_HZ, round(NEVER_S))))

    @property
    def esl_port(self) -> int:
        return self._node.esl_port

    async def start(self) -> None:
        await self._process.start()
        self.is_running = True
        if self._telephones is None:
            self._write_scenario("telephone", "telephone", RING_MS=RING_S * 1000, TALK_MS=TALK_S * 1000, SHOWN=SHOWN)
            port = self.gateway.rpartition(":")[2]
            self._telephones = self._sipp("telephone", "-p", port)

    def kill(self) -> None:
        """Kill the node; whoever is on the line hears nothing any more, and callers give up."""
        self._process.kill()
        self.is_running = False
        self._killed_at_s = time.time()
        self._end_calls()

    async def close(self) -> None:
        self._end_callers()
        if self._telephones is not None:
            self._telephones.terminate()
            self._telephones.wait()
        await self._process.stop()

    def play(self, load: Sequence[Planned], begins_at_s: float) -> None:
        loop = asyncio.get_running_loop()
        for one in load:
            if not FLOWS[one.flow].is_placed:
                in_s = begins_at_s + one.at_s - time.time()
                self._timers.append(loop.call_later(max(0.0, in_s), self._call, one))

    def _call(self, one: Planned) -> None:
        if not self.is_running:
            return
        name = one.caller.lstrip("+")
        flow = FLOWS[one.flow]
        after_s, played = (SPEAK_AFTER_S, "voice") if flow.is_speaking else (flow.press_after_s, "keys")
        self._write_scenario("caller", name, PLAY_AFTER_MS=after_s * 1000, PLAYED=played)
        words = ("-key", "caller", one.caller, "-s", DIDS[one.flow], "-m", "1", "-mp", str(_media_port()))
        peer = f"{HOST}:{self._node.sip_port}"
        self._callers[one.caller] = self._sipp(name, *words, peer)

    def _sipp(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        """Start one in the node's folder; its scenario is `<name>.xml`, its log `<name>.log`."""
        argv = [*_TIED_TO_US, "sipp", "-sf", str(self.folder / f"{name}.xml"), "-i", HOST, "-mi", HOST, "-nostdin"]
        argv += ["-trace_logs", "-log_file", f"{name}.log", "-timeout_error", *words]
        with (self.folder / f"{name}.out").open("wb") as out:
            return subprocess.Popen(argv, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def _write_scenario(self, scenario: str, name: str, **values: object) -> None:
        """For one SIPp alone: another one may still be reading its own."""
        text = (SCENARIOS / f"{scenario}.xml").read_text()
        for word, value in values.items():
            text = text.replace(word, str(int(value) if isinstance(value, float) else value))
        (self.folder / f"{name}.xml").write_text(text)

    async def until_quiet(self, load: Sequence[Planned], within_s: float) -> bool:
        until_s = time.monotonic() + within_s
        while time.monotonic() < until_s:
            is_over = all(process.poll() is not None for process in self._callers.values())
            if is_over and all(one["ended_at"] is not None for one in self.callers()):
                return True
            await asyncio.sleep(LOOK_S)  # people act, in other processes
        return False

    def callers(self) -> list[dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for name in self._callers:
            _read(found, self._lines(name.lstrip("+")), "caller")
        _read(found, self._lines("telephone")[self._forgotten :], "callee")
        for one in found.values():
            if one["ended_at"] is None and self._killed_at_s is not None and one["invited_at"] < self._killed_at_s:
                one |= {"ended_at": self._killed_at_s, "final_status": 200 if one["answered_at"] else None}
        return [*found.values()]

    def _lines(self, name: str) -> list[str]:
        with suppress(FileNotFoundError):
            return (self.folder / f"{name}.log").read_text("utf-8", "replace").splitlines()
        return []

    def keep_records(self, folder: Path) -> None:
        (folder / "local").mkdir(parents=True, exist_ok=True)
        for path in (self.folder / "records").iterdir():
            shutil.move(path, folder / "local" / path.name)

    def forget(self) -> None:
        self._end_callers()
        for name in self._callers:
            if not self._lines(name.lstrip("+")):
                print(f"{name} never called: {self._last_words(name.lstrip('+'))}", file=sys.stderr)
            for kind in ("xml", "log", "out"):
                (self.folder / f"{name.lstrip('+')}.{kind}").unlink(missing_ok=True)
        self._callers.clear()
        self._forgotten, self._killed_at_s = len(self._lines("telephone")), None

    def _last_words(self, name: str) -> str:
        """What SIPp complained of, or else the last of its screens."""
        lines = (self.folder / f"{name}.out").read_text("utf-8", "replace").split("\n")
        complaints = [line for line in lines if "nable to" in line or "rror" in line]
        return next((line for line in reversed(complaints or lines) if line.strip()), "")

    def _end_callers(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._end_calls()

    def _end_calls(self) -> None:
        """Who is to call later still will."""
        for process in self._callers.values():
            if process.poll() is None:
                process.kill()
                process.wait()


def _media_port() -> int:
    """SIPp takes the next three, too, for RTCP and for video."""
    while True:
        port = free_port()
        if all(is_free(port + more) for more in (1, 2, 3)):
            return port


def _read(found: dict[str, dict[str, Any]], lines: Sequence[str], role: str) -> None:
    """Add what a log says of its dialogs; what comes after the end of one is not worth a word."""
    for what, call_id, at_s, more in _told(lines):
        if what == "invited":
            numbers = {"from": unquote(more[0]), "to": unquote(more[1])}
            found[call_id] = {**EMPTY, "sip_call_id": call_id, "role": role, **numbers, "invited_at": at_s}
        elif call_id in found and found[call_id]["ended_at"] is None:
            end = {"ended_by": more[0], "final_status": int(more[1])} if what == "ended" else {}
            found[call_id] |= {f"{what}_at": at_s, **end}


def _told(lines: Sequence[str]) -> Iterator[tuple[str, str, float, list[str]]]:
    for line in lines:
        words = line.split()
        if len(words) >= 4 and words[0] in ("invited", "ringing", "answered", "ended"):
            yield words[0], words[1], float(words[2]) + float(words[3]) / 1e6, words[4:]
        elif words:
            print(f"SIPp says: {line}", file=sys.stderr)
