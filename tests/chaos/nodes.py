"""Media nodes of a chaos run, with the people around them."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TextIO

from controlplane.cli.ports import free_port
from tests.acceptance.platform import PASSWORD
from tests.chaos.flows import DIDS, FLOWS, RING_S, Planned, callee_of
from tests.chaos.programs import Program

LOOK_S = 0.1


class ChaosNode(Protocol):
    """A media node and those who call and are called."""

    @property
    def kind(self) -> str:
        """emulator or freeswitch."""

    @property
    def gateway(self) -> str:
        """Where calls to numbers go."""

    @property
    def esl_port(self) -> int: ...

    @property
    def is_running(self) -> bool: ...

    async def start(self) -> None:
        """Start it, again if it was killed."""

    def kill(self) -> None: ...

    async def close(self) -> None: ...

    def play(self, load: Sequence[Planned], begins_at_s: float) -> None:
        """Have everybody of a load call in their time, and their telephones ready."""

    async def until_quiet(self, load: Sequence[Planned], within_s: float) -> bool:
        """Wait until everybody who called or was called is through; False if they were not in time."""

    def callers(self) -> list[dict[str, Any]]:
        """What everybody met with since `forget`, a dialog each (callers.jsonl)."""

    def keep_records(self, folder: Path) -> None:
        """Move the node's call records there."""

    def forget(self) -> None:
        """A run is over: nobody asks for its parties again."""


@dataclass(slots=True)
class EmulatorNode:
    """The emulator in a process of its own."""

    folder: Path
    kind: str = "emulator"
    gateway: str = "gateway.invalid"
    esl_port: int = field(default_factory=free_port)
    _program: Program = field(init=False)
    _loads: int = 0
    _read_bytes: int = 0

    def __post_init__(self) -> None:
        for name in ("loads", "records"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "parties.jsonl").touch()
        argv = (sys.executable, "-m", "tests.chaos.emulator_node", str(self.folder), str(self.esl_port), PASSWORD)
        self._program = Program("node", argv, lambda _name, line: print(line, file=sys.stderr))

    @property
    def is_running(self) -> bool:
        return self._program.is_running

    async def start(self) -> None:
        await self._program.start()

    def kill(self) -> None:
        self._program.kill()
        with (self.folder / "parties.jsonl").open() as file:
            open_legs = {leg: one for leg, one in _by_leg(file, self._read_bytes).items() if one["ended_at"] is None}
        with (self.folder / "parties.jsonl").open("a") as file:
            for leg, one in open_legs.items():  # their telephones hear nothing any more
                status = 200 if one["answered_at"] is not None else None
                end = {"leg": leg, "at": time.time(), "what": "ended", "ended_by": None, "final_status": status}
                file.write(json.dumps(end) + "\n")

    async def close(self) -> None:
        await self._program.stop()

    def play(self, load: Sequence[Planned], begins_at_s: float) -> None:
        callers = [
            {"from": one.caller, "to": DIDS[one.flow], "at_s": one.at_s, "script": FLOWS[one.flow].caller_script}
            for one in load
            if not FLOWS[one.flow].is_placed
        ]
        callees = {
            callee_of(one.caller): {"ring_s": RING_S, "after_answer": FLOWS[one.flow].callee_script} for one in load
        }
        self._loads += 1
        path = self.folder / "loads" / f"{self._loads:06}.json"
        new = path.with_suffix(".new")
        new.write_text(json.dumps({"begins_at": begins_at_s, "scenario": {"callers": callers, "callees": callees}}))
        new.rename(path)

    async def until_quiet(self, load: Sequence[Planned], within_s: float) -> bool:
        until_s = time.monotonic() + within_s
        while time.monotonic() < until_s:
            if all(one["ended_at"] is not None for one in self.callers()):
                return True
            await asyncio.sleep(LOOK_S)  # people act, in another process
        return False

    def callers(self) -> list[dict[str, Any]]:
        with (self.folder / "parties.jsonl").open() as file:
            return [*_by_leg(file, self._read_bytes).values()]

    def keep_records(self, folder: Path) -> None:
        (folder / "local").mkdir(parents=True, exist_ok=True)
        for path in (self.folder / "records").iterdir():
            shutil.move(path, folder / "local" / path.name)

    def forget(self) -> None:
        self._read_bytes = (self.folder / "parties.jsonl").stat().st_size


def _by_leg(file: TextIO, start: int) -> dict[str, dict[str, Any]]:
    """What parties met with, line by line from a place in the file, as one object a dialog."""
    file.seek(start)
    found: dict[str, dict[str, Any]] = {}
    for line in [json.loads(text) for text in file if text.endswith("\n")]:
        what, at_s, leg = line.pop("what"), line.pop("at"), line.pop("leg")
        if what == "invited":
            found[leg] = {**EMPTY, **line, "invited_at": at_s}
        elif leg in found:
            found[leg] |= {f"{what}_at": at_s, **line}
    return found


EMPTY: Mapping[str, Any] = {
    "ringing_at": None, "answered_at": None, "ended_at": None, "final_status": None, "ended_by": None, "node": "local",
}  # fmt: skip
