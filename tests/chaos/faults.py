"""What can befall the platform: one row a fault, with what brings it about.

An act is given the run under way, strikes when the marked call is where it should be, heals, and answers. It restores
what a supervisor would restore; the rest the platform must do by itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from tests.chaos import database_faults, link_faults, process_faults
from tests.chaos.bounds import RESTARTS_S, TAKES_OVER_S
from tests.chaos.brokers import PACKAGES, is_installed
from tests.chaos.points import POINTS, Point
from tests.chaos.running import Run
from tests.chaos.site import FAKETIME, SERVERS
from tests.chaos.windows import Was

Act = Callable[[Run], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One row. `point` is where in a call's life it strikes, `flow` what the marked call does."""

    name: str
    kind: str
    act: Act
    flow: str = "menu"
    point: str = ""
    others: tuple[str, ...] = ("second",)  # "second": another call server is there; "restart": only this one
    lasts_s: tuple[float, float] = (0.0, 0.0)  # about, in the short form and in the long one: calls go on all the while
    has_fake_clock: bool = False
    has_own_way: bool = False  # each call server to the database (database_way.py)
    broker: str = ""  # the worker's (brokers.py); its own memory where none is named

    @property
    def missing_package(self) -> str:
        """What has to be installed before this can be made; "" if nothing."""
        if self.has_fake_clock and FAKETIME is None:
            return "faketime"
        return "" if not self.broker or is_installed(self.broker) else PACKAGES[self.broker]


async def _kill_at(point: Point, run: Run) -> None:
    await run.kill_at(point)
    at_s = run.killed_at_s or 0.0
    is_alone = not any(run.site.programs[name].is_running for name in SERVERS)
    if is_alone:
        await run.driving.start()
    within_s, who = (
        (RESTARTS_S, "the call server, started again") if is_alone else (TAKES_OVER_S, "another call server")
    )
    end_s = await run.recover(run.taken_over(), at_s, within_s, who)
    run.windows.add(at_s, end_s, Was.UNSEEN, *((Was.UNAVAILABLE,) if is_alone else ()))
    run.heal()


_KILLS = [
    Fault(
        f"kill-{point.name}", "call-server-sigkill", partial(_kill_at, point), point.flow, point.name,
        others=("second", "restart"),
    )
    for point in POINTS.values()
]  # fmt: skip

_LINKS = [
    Fault("cut-events", "event-link-cut", link_faults.cut_events, "dial"),
    Fault("cut-commands", "command-link-cut", link_faults.cut_commands, "dial"),
    Fault("half-open", "links-half-open", link_faults.half_open, lasts_s=(6.0, 36.0)),
    Fault("half-open-events", "event-link-half-open", link_faults.half_open_events, "dial", lasts_s=(6.0, 36.0)),
    Fault("slow-links", "links-slow", link_faults.slow, lasts_s=(link_faults.SHORT_S, link_faults.LONG_S)),
    Fault("links-by-bytes", "links-by-bytes", link_faults.by_bytes, lasts_s=(link_faults.SHORT_S, link_faults.LONG_S)),
]
_PROCESSES = [
    Fault("freeze", "call-server-sigstop", process_faults.freeze, "vigil", lasts_s=(8.0, 30.0)),
    Fault(
        "freeze-container",
        "call-server-and-watchdog-sigstop",
        process_faults.freeze_container,
        "vigil",
        lasts_s=(8.0, 30.0),
    ),
    Fault("kill-twice", "call-servers-sigkill", process_faults.kill_twice),
    Fault("kill-all", "all-sigkill", process_faults.kill_all, lasts_s=(3.0, 3.0)),
    Fault("kill-node", "node-sigkill", process_faults.kill_node, "dial", lasts_s=(4.0, 4.0)),
    Fault("stop-postgres", "postgres-stopped", process_faults.stop_postgres, lasts_s=(8.0, 60.0)),
    Fault("restart-postgres", "postgres-restarted", process_faults.restart_postgres),
    Fault("cut-postgres", "postgres-sessions-ended", process_faults.cut_postgres),
    Fault("hang-postgres", "postgres-hangs", database_faults.hang_postgres, lasts_s=(8.0, 60.0)),
    Fault(
        "cut-off",
        "one-call-server-without-postgres",
        database_faults.cut_off,
        "vigil",
        lasts_s=(12.0, 30.0),
        has_own_way=True,
    ),
    Fault(
        "kill-without-postgres",
        "postgres-stopped-call-server-sigkill",
        database_faults.kill_without_postgres,
        lasts_s=(3.0, 30.0),
    ),
    Fault("fill-disk", "postgres-stopped-disk-full", database_faults.fill_disk, lasts_s=(4.0, 30.0)),
    Fault("kill-worker", "worker-sigkill", process_faults.kill_worker, lasts_s=(3.0, 3.0)),
    *(
        Fault(f"kill-{kind}", "broker-sigkill", process_faults.kill_broker, lasts_s=(8.0, 60.0), broker=kind)
        for kind in PACKAGES
    ),
    *(
        Fault(f"hang-{kind}", "broker-hangs", process_faults.hang_broker, lasts_s=(8.0, 60.0), broker=kind)
        for kind in PACKAGES
    ),
    Fault("stop-webhooks", "webhook-endpoint-dead", process_faults.stop_webhooks, lasts_s=(8.0, 60.0)),
    Fault("step-clock", "clock-step", process_faults.step_clock, lasts_s=(4.0, 30.0), has_fake_clock=True),
]

_ALL = (*_KILLS, *_LINKS, *_PROCESSES)
FAULTS = {fault.name: fault for fault in _ALL}
assert len(FAULTS) == len(_ALL), "two faults of one name: one of them would never be made"

# The short form: one of each kind, with what company; what takes long to prepare comes last.
SHORT = (
    ("kill-in-document", "second"),
    ("stop-postgres", "second"),
    ("half-open", "second"),
    ("kill-node", "second"),
    ("freeze-container", "second"),
    ("stop-webhooks", "second"),
    ("kill-dial-bridged", "second"),
    ("cut-events", "second"),
    ("kill-worker", "second"),
    ("kill-in-gather", "restart"),
    ("fill-disk", "second"),
    ("step-clock", "second"),
    ("slow-links", "second"),
)
