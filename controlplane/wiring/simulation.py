"""Calls without telephones: the call server on the emulator, in one process, on a clock that jumps.

The application is asked over real HTTP; while it thinks the clock stands still. Nothing is kept.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from controlplane.calls.timeline import Moment
from controlplane.callserver.building import NodeParts
from controlplane.emulator.clock import VirtualClock
from controlplane.emulator.hearing import BEEP
from controlplane.emulator.memory import MemoryNetwork
from controlplane.emulator.node import Node
from controlplane.emulator.parties import Cast, PartyLog
from controlplane.emulator.rules import LinkRules
from controlplane.emulator.scenarios import Scenario
from controlplane.esl.sip_uri import Hop
from controlplane.esl.sounds import Beep, sound_path
from controlplane.settings import Settings
from controlplane.switch.writing import Writer
from controlplane.verbs.documents import Link
from controlplane.wiring.in_memory import NODE, Lobby, in_folder, in_memory
from controlplane.wiring.memory import MemoryInbox, MemoryJournal
from controlplane.wiring.prompts import NodePrompts

_BEEP = sound_path([Beep()]).replace("tone_stream://", "tone:")  # as the emulator calls it
PASSWORD = "emulator"  # noqa: S105 - nobody but this process can reach it


@dataclass(slots=True)
class Simulation:
    """A platform in memory. `perform` lets a scenario's callers call; the rest is read afterwards."""

    clock: VirtualClock
    node: Node
    network: MemoryNetwork
    journal: MemoryJournal
    inbox: MemoryInbox
    prompts: NodePrompts
    logs: list[PartyLog] = field(default_factory=list)

    async def perform(self, scenario: Scenario) -> list[PartyLog]:
        """Let everybody of a scenario act until all calls are over; answers what each party met with."""
        cast = Cast(self.node, scenario, self._describe)
        self.logs = await cast.perform()
        await self.clock.sleep(1)
        return self.logs

    def words(self, what: str) -> str:
        """What is known of something that was heard: the words of a prompt, the URL it came from; else its own name."""
        if what.startswith("leg:"):
            party = next((log.party for log in self.logs if what == f"leg:{log.leg}"), "")
            return f"the line of {party}" if party else what
        return next(iter(self._describe(what)), what)

    def _describe(self, what: str) -> Iterable[str]:
        return (BEEP,) if what == _BEEP else self.prompts.describe(what)

    def timelines(self) -> dict[str, list[Moment]]:
        """Every call's timeline, in the order they began."""
        return self.journal.timelines()


@asynccontextmanager
async def simulating(
    settings: Settings, application: Link, *, token: str, fallback: Link | None = None
) -> AsyncIterator[Simulation]:
    """A platform on which every number leads to one application, while the block runs."""
    clock = VirtualClock()
    node = Node(clock)
    network = MemoryNetwork(node, LinkRules(password=PASSWORD))

    def parts(prompts: NodePrompts) -> NodeParts:
        return NodeParts(
            network.connect,
            PASSWORD,
            Writer("internal", Hop("gateway.invalid"), prompts.recordings_of(NODE), allow_private=True),
        )

    with TemporaryDirectory(prefix="callplane-") as folder:
        settings = in_folder(settings, Path(folder))
        lobby = Lobby(application, token, fallback)
        async with in_memory(settings, lobby, clock, parts) as memory:
            yield Simulation(clock, node, network, memory.journal, memory.inbox, memory.prompts)


def problems(logs: Sequence[PartyLog]) -> list[str]:
    """What the parties' scripts expected in vain."""
    return [f"{log.party}: {problem}" for log in logs for problem in log.problems]
