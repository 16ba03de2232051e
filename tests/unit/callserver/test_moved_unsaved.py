"""A node dies whose calls go on on another one, driven by the same process, before their last entries are on record."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from controlplane.calls.events import Moved
from controlplane.emulator.clock import VirtualClock
from controlplane.emulator.memory import MemoryNetwork
from controlplane.emulator.node import Node
from controlplane.emulator.rules import Door
from controlplane.emulator.scenarios import ExpectEnd, Hear, Press

from .cluster import Cluster, Tables
from .platform import Pages, Sounds
from .test_taken_twice import Lagging

PAGES = {
    "/": "<Gather numDigits='1' action='/pressed' timeout='60'><Say>Press</Say></Gather>",
    "/pressed": "<Say>Bye</Say>",
}


@pytest.mark.parametrize("lag_ms", [0, 100, 400])
async def test_a_call_moves_to_another_node_once_what_its_last_owner_wrote_of_it_is_on_record(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, lag_ms: int
) -> None:
    """The same process drives both nodes: what it let go of for the one it reads, at once, for the other."""
    caplog.set_level(logging.INFO)
    clock = VirtualClock()
    made = {name: Node(clock, seed=seed, name=name, door=Door("inbound")) for seed, name in enumerate(("n1", "n2"))}
    for node in made.values():
        node.left = {}
    pages, sounds = Pages(PAGES, thinking=asyncio.Event()), Sounds(folder=str(tmp_path))
    journal = Lagging(clock=clock)
    networks = {name: MemoryNetwork(node) for name, node in made.items()}
    here = Cluster(clock, made, networks, pages, sounds, Tables(made), journal=journal)

    def answer() -> None:
        assert pages.thinking is not None
        journal.lag_ms = lag_ms
        pages.thinking.set()

    server = await here.start_server("first", databases=here.tables)
    log = here.call("n1", Hear("*Press*"), Press("5"), Hear("*Bye*", 30), ExpectEnd())
    await here.until(lambda: len(pages.asked) == 2)
    await clock.sleep(0.5)
    clock.call_at_ms(clock.monotonic_ms() + 120, answer)  # before the node counts as lost
    here.nodes["n1"].die()
    await here.until(lambda: bool(here.verdicts))
    await server.stop()
    lost = [one for one in caplog.records if one.message == "call_lost"]
    assert (log.problems, here.events(Moved), lost) == ([], [Moved("n2", 1)], [])
