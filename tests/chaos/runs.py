"""One run from beginning to end: load, fault, rest, ledger, and the line that is printed of it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import psycopg

from controlplane.cli.processes import ChildEnded, NotReady
from tests.acceptance.platform import PASSWORD
from tests.chaos.asking_ledger import ask_ledger
from tests.chaos.faults import Fault
from tests.chaos.flows import FLOWS, MIX, Planned, callee_of, caller_number, long_form
from tests.chaos.running import Run
from tests.chaos.site import Site
from tests.chaos.windows import Was

LEAD_S = 0.4  # before the first call
APART_S = 0.3
MARKED_AT_S = 1.0
AFTERWARDS_S = 1.0  # for calls that begin when a fault that lasts is over
LAST_FLOWS = (("dial", "menu"), ("record", "placed"))  # of those who call when all is whole, by turns
BEGUN_S = 0.5  # after their time whoever calls is known to have called
LEDGER_WITHIN_S = 120.0
RECORDED_WITHIN_S = 0.5
QUIET_WITHIN_S = 90.0


@dataclass(frozen=True, slots=True)
class Wish:
    """A run that is asked for."""

    fault: Fault
    others: str
    number: int
    calls: int
    rest_s: float
    is_long: bool

    @property
    def lasts_s(self) -> float:
        """About how long the fault lasts."""
        return self.fault.lasts_s[self.is_long]

    @property
    def name(self) -> str:
        """The run's name, and its folder's."""
        return f"{self.fault.name}-{self.others}-{self.number:04}"


async def run_once(site: Site, wish: Wish, folder: Path) -> dict[str, Any]:
    """Make a run on a site; answers its line: the ledger's, and what the harness saw itself."""
    folder.mkdir(parents=True)
    site.lines.clear()
    site.unasked.clear()
    try:
        return await _run(site, wish, folder)
    except (ChildEnded, NotReady) as error:
        return without_evidence(wish, site.node.kind, str(error))
    finally:
        (folder / "processes.log").write_text("\n".join(site.lines))


def without_evidence(wish: Wish, node: str, why: str) -> dict[str, Any]:
    """The line of a run that came to nothing."""
    told = {"run": wish.name, "fault": wish.fault.name, "others": wish.others, "node": node}
    return {**told, "balanced": False, "problems": [], "notes": [why], "takeover_ms": None}


async def _run(site: Site, wish: Wish, folder: Path) -> dict[str, Any]:
    await _restore(site, wish)
    site.receiver.log = folder / "webhooks.jsonl"
    site.receiver.log.touch()
    run = _new_run(site, wish, folder)
    began_at_s = time.time()
    run.watch()
    site.node.play(run.load, run.begins_at_s)
    placing, last = asyncio.create_task(_place(run, run.load)), asyncio.create_task(_call_last(run, site))
    problem = await _strike(run, wish.fault.act)
    await placing
    if problem:
        last.cancel()
    with suppress(asyncio.CancelledError):
        await last
    is_quiet = await _until_quiet(run)
    await asyncio.sleep(RECORDED_WITHIN_S)  # a node writes its record of a leg when its party knows of the end
    if problem or not is_quiet:
        run.notes.append(problem or "not everybody's call came to an end")
    await _restore(site, wish)
    _write(run, wish, began_at_s)
    line = await _look(run, wish)
    run.watch_no_more()
    line |= {"run": wish.name, "fault": wish.fault.name, "point": wish.fault.point, "others": wish.others}
    line |= {"node": site.node.kind, "notes": run.notes, "takeover_ms": _takeover_ms(run)}
    line |= {"recovered_s": run.recovered_s, "took_s": _since(began_at_s)}
    run.notes += [how for how in site.unasked if "SIGKILL" not in how]  # a watchdog kills
    line["balanced"] = bool(line["balanced"]) and not run.notes
    (folder / "line.json").write_text(json.dumps(line))
    return line


async def _restore(site: Site, wish: Wish) -> None:
    servers = 2 if wish.others == "second" else 1
    fault = wish.fault
    await site.restore(servers, has_fake_clock=fault.has_fake_clock, has_own_way=fault.has_own_way, broker=fault.broker)


def _new_run(site: Site, wish: Wish, folder: Path) -> Run:
    first = site.next_caller
    site.next_caller += wish.calls + 1 + len(LAST_FLOWS[0])
    flow = long_form(wish.fault.flow) if wish.is_long else wish.fault.flow
    marked = Planned(MARKED_AT_S, flow, caller_number(first))
    flows = cycle(MIX)
    apart_s = max(APART_S, (wish.lasts_s + AFTERWARDS_S) / max(1, wish.calls))
    others = [Planned(index * apart_s, next(flows), caller_number(first + 1 + index)) for index in range(wish.calls)]
    begins_at_s = time.time() + LEAD_S
    return Run(wish.name, wish.number, site, folder, [marked, *others], marked, wish.is_long, begins_at_s)


async def _call_last(run: Run, site: Site) -> None:
    """When everything is whole again, some more call: for them nothing is excused. Answers when they have begun."""
    await run.is_whole.wait()
    flows = LAST_FLOWS[run.number % len(LAST_FLOWS) - 1]
    first, at_s = site.next_caller - len(flows), run.last_at_s - run.begins_at_s
    last = [Planned(at_s, flow, caller_number(first + index)) for index, flow in enumerate(flows)]
    run.load += last
    site.node.play(last, run.begins_at_s)
    await _place(run, last)
    await asyncio.sleep(max(0.0, run.begins_at_s + at_s + BEGUN_S - time.time()))


async def _strike(run: Run, act: Callable[[Run], Awaitable[None]]) -> str:
    """Let the fault happen; answers what went wrong with that."""
    try:
        await act(run)
    except TimeoutError:
        return "the fault never came to happen"
    return ""


async def _place(run: Run, load: Sequence[Planned]) -> None:
    """Have the API place what is to be placed, and write down what it said."""
    for one in sorted(load, key=lambda one: one.at_s):
        if not FLOWS[one.flow].is_placed:
            continue
        await asyncio.sleep(max(0.0, run.begins_at_s + one.at_s - time.time()))
        to_number, asked_at_s = callee_of(one.caller), time.time()
        told = {"to": to_number, "asked_at": asked_at_s, **await run.site.place(to_number), "at": time.time()}
        with (run.folder / "placements.jsonl").open("a") as file:
            file.write(json.dumps(told) + "\n")


async def _until_quiet(run: Run) -> bool:
    """Wait until everybody is through, also those who are called late, as their calls had to wait for something."""
    until_s = time.monotonic() + QUIET_WITHIN_S
    while time.monotonic() < until_s:
        is_quiet = await run.site.node.until_quiet(run.load, within_s=until_s - time.monotonic())
        with suppress(psycopg.OperationalError):
            [(live,)] = await run.site.database.rows("SELECT count(*) FROM calls WHERE ended_at IS NULL")
            if is_quiet and not live:
                return True
        await asyncio.sleep(0.2)  # other processes have to do it
    return False


def _write(run: Run, wish: Wish, began_at_s: float) -> None:
    """What the ledger reads (tests/chaos/ledger)."""
    run.site.node.keep_records(run.folder / "node")
    run.commands.write(run.folder)
    with (run.folder / "callers.jsonl").open("w") as file:
        for one in run.site.node.callers():
            file.write(json.dumps(one) + "\n")
    with (run.folder / "plans.jsonl").open("w") as file:
        for planned in run.load:
            if FLOWS[planned.flow].is_placed and run.windows.holds(Was.UNDIALLED, run.begins_at_s + planned.at_s):
                continue
            file.write(json.dumps(_plan(planned, run.begins_at_s)) + "\n")
    told = {
        "run": run.name, "fault": wish.fault.kind, "point": wish.fault.point, "others": wish.others,
        "node": run.site.node.kind, "began_at": began_at_s, "fault_at": run.fault_at_s, "healed_at": run.healed_at_s,
        "dead_nodes": run.dead_nodes, **{was.value: run.windows.of(was) for was in Was},
    }  # fmt: skip
    (run.folder / "run.json").write_text(json.dumps(told))
    run.site.node.forget()


def _plan(planned: Planned, begins_at_s: float) -> dict[str, Any]:
    flow, callee = FLOWS[planned.flow], callee_of(planned.caller)
    return {
        "number": callee if flow.is_placed else planned.caller, "role": "callee" if flow.is_placed else "caller",
        "at": begins_at_s + planned.at_s, "asks": flow.paths, "rings": callee if flow.is_dialling else None,
        "is_recorded": flow.is_recording, "calls_back": flow.calls_back,
    }  # fmt: skip


async def _look(run: Run, wish: Wish) -> dict[str, Any]:
    """Run the ledger; answers its line."""
    site = run.site
    return await ask_ledger(
        run.folder,
        database=site.database.url,
        nodes={"local": f"127.0.0.1:{site.node.esl_port}:{PASSWORD}"},
        rest_s=wish.rest_s,
        within_s=LEDGER_WITHIN_S,
        spool=site.folder / "spool",
    )


def _takeover_ms(run: Run) -> int | None:
    lost_at_s = run.killed_at_s or run.fault_at_s
    if run.takeover_at_s is None or lost_at_s is None:
        return None
    return round((run.takeover_at_s - lost_at_s) * 1000)


def _since(at_s: float) -> float:
    return round(time.time() - at_s, 1)
