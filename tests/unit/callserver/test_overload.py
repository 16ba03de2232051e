"""More calls than the process can serve in time: new ones are refused, those that live do not suffer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from controlplane.base.ids import CallId
from controlplane.calls.commands import Command
from controlplane.calls.events import CallPlaced, Entry
from controlplane.calls.machine import CallMachine
from controlplane.callserver.admission import Bounds
from controlplane.callserver.gate import LOOK_S, Gate, TimedJournal
from controlplane.emulator.clock import VirtualClock
from controlplane.emulator.parties import Cast, PartyLog
from controlplane.emulator.scenarios import CallerPlan, HangUp, Scenario, Step, Wait
from controlplane.metrics.registry import Metrics
from controlplane.settings import Settings
from controlplane.switch.pinging import MOST_LOOKS, PING_S
from controlplane.wiring.calls import bounds_of
from controlplane.wiring.memory import MemoryJournal
from controlplane.wiring.recording import PATIENCE_S
from tests.unit.calls.conversation import OUTBOUND

from .platform import NODE, Platform, platform

NO_BOUNDS = Bounds(0, 0, 0, 0)
STRICT = Bounds(commit_s=0.5)
PAGES = {"/": "<Pause/><Redirect>/</Redirect>"}


@dataclass
class OneAtATime(MemoryJournal):
    """A database that takes a while for each entry, one after the other. `waits` are (entry's time, seconds)."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    each_s: float = 0.01
    free_at_s: float = 0.0
    waits: dict[CallId, list[tuple[float, float]]] = field(default_factory=dict)

    def submit(
        self, machine: CallMachine, entry: Entry, commands: tuple[Command, ...], *, is_urgent: bool
    ) -> asyncio.Future[None]:
        done = super().submit(machine, entry, commands, is_urgent=is_urgent)
        now_s = self.clock.monotonic_s()
        self.free_at_s = max(self.free_at_s, now_s) + self.each_s
        if is_urgent:
            self.waits.setdefault(machine.facts.call, []).append((now_s, self.free_at_s - now_s))
        later: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.clock.call_at_ms(round(self.free_at_s * 1000), lambda: later.set_result(done.result()))
        return later

    def p99_s(self, calls: set[CallId], from_s: float, to_s: float) -> float:
        """Of how long entries of these calls took."""
        waits = sorted(wait for call in calls for at_s, wait in self.waits.get(call, ()) if from_s <= at_s < to_s)
        return waits[int(len(waits) * 0.99)]


def calls(count: int, every_s: float, *script: Step, at_s: float = 0.0) -> list[CallerPlan]:
    return [
        CallerPlan(f"+1555{number:07}", "+15550002222", script, at_s=at_s + number * every_s) for number in range(count)
    ]


async def perform(here: Platform, plans: list[CallerPlan]) -> list[PartyLog]:
    return await Cast(here.node, Scenario(tuple(plans))).perform()


LIVE, FLOOD = 15, 200  # the flood comes within FLOOD_S
FLOOD_S, BEGINS_S = 5.0, 6.0


def everybody() -> list[CallerPlan]:
    """Calls that live and ask for a page a second each, and then a flood of others that would stay for a while."""
    live = calls(LIVE, 0.05, Wait(20), HangUp())
    return [*live, *calls(FLOOD, FLOOD_S / FLOOD, Wait(5), HangUp(), at_s=BEGINS_S)]


async def test_beyond_the_limit_calls_are_refused_and_those_that_live_go_on_in_time(tmp_path: Path) -> None:
    journal = OneAtATime()
    async with platform(tmp_path, PAGES, journal=journal, clock=journal.clock) as here:
        here.servers[0].keepers[NODE].gate.bounds = STRICT
        begin_s = journal.clock.monotonic_s()
        logs = await perform(here, everybody())
        causes = [log.cause for log in logs]
        live = set(list(journal.entries)[:LIVE])
        assert set(causes[:LIVE]) == {"NORMAL_CLEARING"}
        assert set(causes[LIVE:]) == {"SWITCH_CONGESTION", "NORMAL_CLEARING"}
        assert len(journal.entries) == causes.count("NORMAL_CLEARING")  # what is refused leaves nothing behind
        waits_s = [journal.p99_s(live, begin_s + at_s, begin_s + at_s + 4) for at_s in (2, BEGINS_S, 15)]
        assert waits_s[0] < 0.2
        assert waits_s[1] < 1.5
        assert waits_s[2] < 0.2


async def test_without_a_bound_the_same_load_does_nobody_good(tmp_path: Path) -> None:
    """What the test above would look like if nothing were refused: else it would show nothing."""
    journal = OneAtATime()
    async with platform(tmp_path, PAGES, journal=journal, clock=journal.clock) as here:
        here.servers[0].keepers[NODE].gate.bounds = NO_BOUNDS
        begin_s = journal.clock.monotonic_s()
        await perform(here, everybody())
        assert journal.p99_s(set(journal.entries), begin_s + BEGINS_S, begin_s + BEGINS_S + FLOOD_S) > 3.0


async def test_what_is_refused_and_why_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    journal = OneAtATime()
    async with platform(tmp_path, PAGES, journal=journal, clock=journal.clock) as here:
        here.servers[0].keepers[NODE].gate.bounds = STRICT
        await perform(here, calls(60, 0.02, Wait(2), HangUp()))
        await here.until(lambda: here.servers[0].keepers[NODE].gate.is_open)
    told = [record for record in caplog.records if record.name == "controlplane.callserver.gate"]
    assert [record.message for record in told] == ["new_calls_refused", "new_calls_taken_again"]
    assert vars(told[0])["node"] == NODE
    assert vars(told[0])["commit_s_share"] >= 1 > vars(told[0])["loop_lag_s_share"]


async def test_calls_of_the_queue_wait_while_new_calls_are_refused(tmp_path: Path) -> None:
    async with platform(tmp_path, {"/": "<Redirect>/slow</Redirect>", "/slow": "<Pause length='60'/>"}) as here:
        here.pages.thinking = asyncio.Event()
        gate = here.servers[0].keepers[NODE].gate
        gate.bounds = Bounds(documents=1)
        asyncio.get_running_loop().create_task(here.call(Wait(30), HangUp()))
        await here.until(lambda: not gate.is_open)
        here.inbox.calls.append(replace(OUTBOUND, node=NODE))
        here.servers[0].queue_changed()
        await here.clock.sleep(5)
        assert len(here.inbox.calls) == 1
        here.pages.thinking.set()
        await here.until(lambda: gate.is_open)
        await here.clock.sleep(0.01)
        assert here.inbox.calls == []


async def test_a_link_that_is_not_read_for_too_long_is_closed_and_opened_again(tmp_path: Path) -> None:
    async with platform(tmp_path, PAGES) as here:
        node = here.servers[0].keepers[NODE].node
        _, transport = here.network.transports  # commands, events
        await here.clock.sleep(1)
        assert node.delay_s < 0.05
        transport.pause_reading()
        await here.clock.sleep(2)
        assert 1.5 < node.delay_s <= 2.05
        await here.clock.sleep(MOST_LOOKS * PING_S)
        assert transport.is_closing()
        assert node.is_up
        assert node.delay_s < 0.05


async def test_a_command_that_takes_long_does_not_end_the_links(tmp_path: Path) -> None:
    """Bringing up the calls of a node that died (`sofia … recover`) is one command, answered when it is through."""
    async with platform(tmp_path, PAGES) as here:
        node = here.servers[0].keepers[NODE].node
        commands, _ = here.network.transports
        commands.pause_reading()
        await here.clock.sleep(2 * MOST_LOOKS * PING_S)
        commands.resume_reading()
        await here.clock.sleep(1)
        assert node.is_up
        assert not commands.is_closing()
        assert node.delay_s < 0.05


@dataclass
class Hung(MemoryJournal):
    """A database that hangs, and then takes all at once, or a disk does in its stead."""

    held: list[asyncio.Future[None]] = field(default_factory=list)

    def submit(
        self, machine: CallMachine, entry: Entry, commands: tuple[Command, ...], *, is_urgent: bool
    ) -> asyncio.Future[None]:
        super().submit(machine, entry, commands, is_urgent=is_urgent)
        self.held.append(asyncio.get_running_loop().create_future())
        return self.held[-1]


async def closes(gate: Gate, look_at_s: float, until_s: float) -> bool:
    """Entries come every 20 ms while the database hangs; the first look is at `look_at_s`."""
    clock, hung = VirtualClock(), Hung()
    timed, closed = TimedJournal(hung, clock), False

    async def submit() -> None:
        while clock.monotonic_s() < until_s:
            entry = Entry(0, 0, CallPlaced(OUTBOUND))
            machine = CallMachine()
            timed.submit(machine, entry, machine.handle(entry), is_urgent=True)
            await clock.sleep(0.02)
        for one in hung.held:
            one.set_result(None)

    submitting = asyncio.create_task(submit())
    await clock.sleep(look_at_s)
    for _ in range(12):
        gate.look(loop_lag_s=0, commit_s=timed.take_worst_s(), documents=0)
        closed |= not gate.is_open
        await clock.sleep(LOOK_S)
    await submitting
    return closed


@pytest.mark.parametrize(("disk_s", "refuses"), [(0.01, False), (0.25, False), (1.5, True)])
async def test_new_calls_are_taken_while_the_database_hangs_and_the_disk_does_not(disk_s: float, refuses: bool) -> None:
    """A review found it: whether they were refused for a second depended on when somebody looked."""
    bounds = bounds_of(Settings())
    for look_ms in range(0, 250, 50):
        gate = Gate(NODE, bounds, Metrics(), lambda: 0.0)
        assert await closes(gate, look_ms / 1000, PATIENCE_S + disk_s) is refuses
