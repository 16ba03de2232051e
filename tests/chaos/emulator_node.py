"""The emulator as a process of its own, which can be killed, with callers and telephones who keep a log of their own.

    python -m tests.chaos.emulator_node FOLDER PORT PASSWORD

Who calls when stands in FOLDER/loads/*.json, `{"begins_at": s, "scenario": {…}}`, read as soon as a file is there; what
lies in the past by then is over. What each party meets with is written to FOLDER/parties.jsonl at once, as it would be
known to people who outlive the node: `{"leg", "at", "what": "invited"|"ringing"|"answered"|"ended", …}`.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import signal
import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from controlplane.emulator.channel import Channel
from controlplane.emulator.clock import RealClock
from controlplane.emulator.detail import write_details
from controlplane.emulator.node import Node
from controlplane.emulator.parties import Cast
from controlplane.emulator.profiles import Profile
from controlplane.emulator.reading import parse_scenario
from controlplane.emulator.rules import Door, LinkRules
from controlplane.emulator.scenarios import CallerPlan, Scenario
from controlplane.emulator.server import Server

LOOK_S = 0.05
DOOR_WATCHDOG_S = 10
# mod_sofia's words for causes (mod_sofia.c, hangup_cause_to_sip), as far as callers meet them here.
_STATUS = {
    "UNALLOCATED_NUMBER": 404, "USER_BUSY": 486, "CALL_REJECTED": 603, "ORIGINATOR_CANCEL": 487,
    "RECOVERY_ON_TIMER_EXPIRE": 504, "NORMAL_TEMPORARY_FAILURE": 503, "SWITCH_CONGESTION": 503,
    "NORMAL_CIRCUIT_CONGESTION": 503, "NO_ROUTE_DESTINATION": 404,
}  # fmt: skip


class WatchedNode(Node):
    """A node whose channels' far ends write down what they meet with."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            RealClock(), seed=secrets.randbits(64), name="local", door=Door("inbound", DOOR_WATCHDOG_S),
            recorder=write_details(folder / "records"),
        )  # fmt: skip
        self._log = folder / "parties.jsonl"

    def create(self, profile: Profile, variables: Mapping[str, str]) -> Channel:
        channel = super().create(profile, variables)
        role, numbers = "caller" if channel.is_inbound else "callee", (profile.cid_number, profile.destination)
        call_id = channel.variables.get("sip_call_id")
        self._tell(
            channel, "invited", sip_call_id=call_id, role=role, **dict(zip(("from", "to"), numbers, strict=True))
        )
        told: set[str] = set()
        channel.watchers.append(lambda: self._notice(channel, told))
        return channel

    def _notice(self, channel: Channel, told: set[str]) -> None:
        now = {"ringing": channel.is_ringing, "answered": channel.is_answered, "ended": channel.is_down}
        for what in [what for what, is_so in now.items() if is_so and what not in told]:
            told.add(what)
            facts = _end_of(channel) if what == "ended" else {}
            self._tell(channel, what, **facts)

    def _tell(self, channel: Channel, what: str, **facts: Any) -> None:
        with self._log.open("a") as file:
            file.write(json.dumps({"leg": channel.uuid, "at": time.time(), "what": what, **facts}) + "\n")


def _end_of(channel: Channel) -> dict[str, Any]:
    by = "us" if channel.ended_by_far_end else "platform"
    if channel.is_answered:
        return {"ended_by": by, "final_status": 200}
    given = channel.variables.get("sip_term_status")
    return {"ended_by": by, "final_status": int(given) if given else _STATUS.get(channel.cause, 480)}


class People:
    """Everybody of every load so far."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._cast = Cast(node, Scenario(callees={}))
        node.far_ends = self._cast.take_invite

    def join(self, load: Mapping[str, Any]) -> None:
        """Let the callers of a load call in their time, and their telephones ring."""
        scenario = parse_scenario(json.dumps(load["scenario"]))
        self._cast.scenario = Scenario((), {**self._cast.scenario.callees, **scenario.callees})
        for plan in scenario.callers:
            in_s = load["begins_at"] + plan.at_s - time.time()
            if in_s > 0:
                at_ms = self._node.clock.monotonic_ms() + round(in_s * 1000)
                self._node.clock.call_at_ms(at_ms, partial(self._call, plan))

    def _call(self, plan: CallerPlan) -> None:
        self._cast.call(plan)


async def main(folder: Path, port: int, password: str) -> None:
    """Be a media node until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    node = WatchedNode(folder)
    people = People(node)
    server = Server(node, LinkRules(password=password))
    await server.start("127.0.0.1", port)
    print(json.dumps({"ready": {"port": port, "core": node.core_uuid}}), flush=True)
    known: set[Path] = set()
    while not stop.is_set():
        for path in sorted(set((folder / "loads").glob("*.json")) - known):
            known.add(path)
            people.join(json.loads(path.read_text()))
        await asyncio.wait({asyncio.ensure_future(stop.wait())}, timeout=LOOK_S)
    await server.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
