"""Kill a media node with calls on it, again and again: how long nobody heard anything, and whether the ledger balances.

    python -m tests.chaos.node_kills --kills 20 --calls 50 --json

Two real FreeSWITCH behind a record-routing Kamailio. One JSON line a kill: silence as the callers' and callees' own
recordings have it (all who talk or hear a prompt; milliseconds), what happened when (twins/moments.py), and what
the ledger says. Exit status 0: all balanced; 1: not; 2: something is not installed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections import deque
from dataclasses import dataclass
from itertools import count, cycle, islice
from pathlib import Path
from typing import Any

from controlplane.cli.freeswitch import find_freeswitch
from tests.acceptance.platform import PASSWORD
from tests.chaos.asking_ledger import ask_ledger
from tests.chaos.flows import callee_of, caller_number
from tests.chaos.signals import end_as_by_ctrl_c
from tests.chaos.twins.flows import ASKS, FILES, MIX, NUMBERS, UP, page, plan
from tests.chaos.twins.moments import moments_of, table
from tests.chaos.twins.people import People
from tests.chaos.twins.silence import AFTER_S, LISTENING, measure, sentence
from tests.chaos.twins.sip_proxy import find_kamailio
from tests.chaos.twins.site import NAMES, Twins, running_twins

KILLED, ADOPTING = NAMES  # new calls go to the first
APART_S = 0.2
UP_WITHIN_S, OVER_WITHIN_S, LEDGER_WITHIN_S = 45.0, 30.0, 150.0
CALLED_WITHIN_S, REFUSED_WITHIN_S = 45.0, 1.0
CANCEL_WITHIN_S = 2.0


@dataclass(slots=True)
class Kill:
    """One run."""

    twins: Twins
    people: People
    number: int
    calls: int
    rest_s: float
    first: int  # index of the first caller's number

    @property
    def name(self) -> str:
        return f"node-kill-{self.number:04}"

    async def run(self, folder: Path) -> dict[str, Any]:
        """Let people call, kill the node, let them end; answers the line."""
        folder.mkdir(parents=True)
        self.twins.lines.clear()
        self.twins.receiver.log = folder / "webhooks.jsonl"
        self.twins.receiver.log.touch()
        began_at = time.time()
        flows = await self._call_all()
        are_up = await _until(lambda: self._are_up(flows), UP_WITHIN_S)
        await asyncio.sleep(1.5)  # rows reach the core database in their own time
        notes = [] if are_up else ["not all calls came up before the kill"]
        fault_at, fault_s = time.time(), time.monotonic()
        self.twins.kill_node(KILLED)
        await asyncio.sleep(AFTER_S)
        listeners = [one for one in self.people.everybody if one.flow in LISTENING and not one.was_refused]
        heard = [(one.flow, one.call.stream.heard) for one in listeners]
        measured = measure(heard, fault_s) | {"moments_ms": self._moments(fault_s, fault_at)}
        notes += [f"{measured['gone']} listeners heard nothing any more"] if measured["gone"] else []
        notes += await self._end_all()
        await self.twins.start_node(KILLED)
        self._write(folder, began_at, fault_at)
        line = await self._look(folder)
        (folder / "processes.log").write_text("\n".join(self.twins.lines))
        line |= {"run": self.name, "node": "freeswitch", "notes": notes, **measured}
        line["balanced"] = bool(line["balanced"]) and not notes
        (folder / "line.json").write_text(json.dumps(line))
        return line

    async def _call_all(self) -> list[str]:
        flows = [*islice(cycle(MIX), self.calls)]
        by_callee: dict[str, str] = {}
        self.people.everybody.clear()
        self.people.flow_of = by_callee.__getitem__
        waiting, until_s = deque(flows), time.monotonic() + CALLED_WITHIN_S
        for index in count(self.first):
            if not waiting or time.monotonic() > until_s:
                break
            caller, flow = caller_number(index), waiting.popleft()
            by_callee[callee_of(caller)] = flow
            self.people.dialled(self.twins.dial(caller, NUMBERS[flow]), flow, caller, NUMBERS[flow])
            await asyncio.sleep(APART_S)
            if not waiting:
                await asyncio.sleep(REFUSED_WITHIN_S)
            waiting.extend(self._refused())
        return flows

    def _refused(self) -> list[str]:
        """What those were to be in the middle of whom a busy call server refused since this was last asked."""
        over = [one for one in self.people.of("caller", *NUMBERS) if one.is_over and not one.was_refused]
        for one in over:
            one.was_refused = True
        return [one.flow for one in over]

    def _are_up(self, flows: list[str]) -> bool:
        answered = [one for one in self.people.everybody if one.is_up]
        rings = sum(one.role == "callee" for one in self.people.everybody)
        are_dialled = rings == sum(flow in ("talk", "ring", "early") for flow in flows)
        return are_dialled and len(answered) == sum(UP[flow] for flow in flows)

    def _moments(self, fault_s: float, fault_at: float) -> dict[str, int]:
        offers = ((at_s for at_s in one.call.offered_s if at_s >= fault_s) for one in self.people.everybody)
        offered_ms = [round(1000 * (at_s - fault_s)) for some in offers for at_s in islice(some, 1)]
        return moments_of(self.twins.lines, offered_ms, node=KILLED, killed_at=fault_at)

    async def _end_all(self) -> list[str]:
        """People hang up: who was called first, then who called; what rang is given up by the platform."""
        for person in self.people.of("callee", "talk", "ring", "early"):
            person.hang_up()
        for person in self.people.of("caller", "prompt", "record", "early"):
            person.hang_up()
        early = self.people.of("caller", "early")
        await _until(lambda: all(one.is_over for one in early), CANCEL_WITHIN_S)
        for person in early:
            person.give_up()
        if await _until(lambda: all(one.is_over for one in self.people.everybody), OVER_WITHIN_S):
            return []
        left = [one for one in self.people.everybody if not one.is_over]
        for person in left:
            person.hang_up()
        return [f"{len(left)} calls did not come to an end: {', '.join(f'{one.role} {one.flow}' for one in left[:5])}"]

    def _write(self, folder: Path, began_at: float, fault_at: float) -> None:
        with (folder / "callers.jsonl").open("w") as file:
            for person in self.people.everybody:
                file.write(json.dumps(person.line(ADOPTING)) + "\n")
        with (folder / "plans.jsonl").open("w") as file:
            for person in self.people.of("caller", *ASKS):
                if not person.was_refused:
                    file.write(json.dumps(plan(person.flow, person.from_number, person.invited_at)) + "\n")
        for name in NAMES:
            (folder / "node" / name).mkdir(parents=True)
            for path in (self.twins.folder / "node" / name).iterdir():
                shutil.move(path, folder / "node" / name / path.name)
        told = {
            "run": self.name, "fault": "media-node-sigkill", "point": "", "others": "second", "node": "freeswitch",
            "began_at": began_at, "fault_at": fault_at, "healed_at": time.time(), "dead_nodes": [KILLED],
            "unavailable": [],
        }  # fmt: skip
        (folder / "run.json").write_text(json.dumps(told))

    async def _look(self, folder: Path) -> dict[str, Any]:
        """Run the ledger; answers its line."""
        nodes = {name: f"127.0.0.1:{node.esl_port}:{PASSWORD}" for name, node in self.twins.nodes.items()}
        database = self.twins.database.url
        return await ask_ledger(folder, database=database, nodes=nodes, rest_s=self.rest_s, within_s=LEDGER_WITHIN_S)


async def _until(condition: Any, within_s: float) -> bool:
    until_s = time.monotonic() + within_s
    while time.monotonic() < until_s:
        if condition():
            return True
        await asyncio.sleep(0.05)  # other processes have to do it
    return bool(condition())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.node_kills", description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=3, help="how often a node is killed")
    parser.add_argument("--calls", type=int, default=20, help="how many calls it has then")
    parser.add_argument("--rest-s", type=float, default=30, help="how long everything may take to come to rest")
    parser.add_argument("--json", action="store_true", help="only the lines, no summary")
    parser.add_argument("--keep", type=Path, help="where runs are kept; else only those that did not balance, in /tmp")
    return parser.parse_args()


async def _run_all(given: argparse.Namespace, folder: Path, freeswitch: Path, kamailio: Path) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    people = People()
    site: list[Twins] = []

    def pages(path: str, parameters: Any) -> str | None:
        return page(site[0].receiver.url, path, parameters)

    async with running_twins(
        folder / "site", freeswitch, kamailio, numbers=NUMBERS, pages=pages, files=FILES, on_call=people.take
    ) as twins:
        site.append(twins)
        for number in range(1, given.kills + 1):
            kill = Kill(twins, people, number, given.calls, given.rest_s, first=number * 1000)
            line = await kill.run(folder / kill.name)
            lines.append(line)
            print(json.dumps(line), flush=True)
            await twins.database.empty()
    return lines


def main() -> int:
    """Run what is asked for; answers the exit status."""
    given = _arguments()
    freeswitch, kamailio = find_freeswitch(), find_kamailio()
    if freeswitch is None or kamailio is None:
        print("needs a real FreeSWITCH and Kamailio on the PATH", file=sys.stderr)
        return 2
    folder = Path(tempfile.mkdtemp(prefix="callplane-kills-")) if given.keep is None else given.keep.resolve()
    (folder / "site").mkdir(parents=True, exist_ok=True)
    for made in (folder, folder / "site"):
        made.chmod(0o755)  # as root the database runs as another user
    end_as_by_ctrl_c()
    lines = asyncio.run(_run_all(given, folder, freeswitch, kamailio))
    if not given.json:
        print(summary(lines), file=sys.stderr)
    is_balanced = all(line["balanced"] for line in lines)
    if is_balanced and given.keep is None:
        shutil.rmtree(folder)
    return 0 if is_balanced else 1


def summary(lines: list[dict[str, Any]]) -> str:
    """All kills in one line, and what happened when below it."""
    unbalanced = sum(not line["balanced"] for line in lines)
    heard = f"{len(lines)} kills, {unbalanced} unbalanced; {sentence(lines)}"
    return f"{heard}\n{table([line['moments_ms'] for line in lines])}"


if __name__ == "__main__":
    sys.exit(main())
