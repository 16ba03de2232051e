"""A case run in one process, on a clock that jumps: the call server on the emulator, the application over real HTTP."""

from __future__ import annotations

from collections.abc import Iterable

from controlplane.calls.commands import Command, Finish, Note
from controlplane.calls.events import Entry, Resumed
from controlplane.calls.machine import CallMachine
from controlplane.calls.timeline import tell
from controlplane.emulator.parties import Cast
from controlplane.emulator.phones.sounds import spoken
from controlplane.settings import Settings
from controlplane.verbs.documents import Link
from controlplane.wiring.simulation import Simulation, simulating
from tests.acceptance.application import Application
from tests.acceptance.cases import Case
from tests.acceptance.outcomes import EndedCall, Outcome
from tests.acceptance.sounds import CaseSounds, sounds_of

TOKEN = "token-for-tests"


async def run_in_memory(case: Case) -> Outcome:
    """Perform a case."""
    sounds = await sounds_of(case.pages.values(), spoken(case.scenario))
    application = Application(case.pages, TOKEN)
    try:
        fallback = Link(f"{application.url}{case.fallback}") if case.fallback else None
        async with simulating(Settings(), Link(f"{application.url}/"), token=TOKEN, fallback=fallback) as simulation:
            return await _perform(case, simulation, application, sounds)
    finally:
        application.close()


async def _perform(case: Case, simulation: Simulation, application: Application, sounds: CaseSounds) -> Outcome:
    logs = await Cast(simulation.node, case.scenario, sounds.describe).perform()
    sounds.name(logs)
    await simulation.clock.sleep(1)
    calls, more = [], []
    for entries, commands in zip(
        simulation.journal.entries.values(), simulation.journal.commands.values(), strict=True
    ):
        calls.append(ended_call(entries, commands))
        more += _replay_problems(entries, commands)
    return Outcome(case, logs, application.log, calls, sounds, more=more)


def ended_call(entries: list[Entry], commands: Iterable[tuple[Command, ...]]) -> EndedCall:
    """A call as its journal tells it; `commands` are those that each entry gave."""
    given = [command for some in commands for command in some]
    machine = CallMachine()
    for entry in entries:
        machine.handle(entry)
    facts = machine.facts
    verdict = next((command.verdict for command in given if isinstance(command, Finish)), None)
    began_ms = entries[0].at_ms
    return EndedCall(
        facts.call,
        facts.direction.value,
        facts.from_number,
        facts.to_number,
        machine.status,
        verdict.reason if verdict is not None else "",
        tuple(command.code for command in given if isinstance(command, Note)),
        tuple(f"{moment.at_ms - began_ms:6} {moment.actor:12} {moment.text}" for moment in tell(entries)),
        sum(isinstance(entry.event, Resumed) for entry in entries),
    )


def _replay_problems(entries: list[Entry], commands: list[tuple[Command, ...]]) -> list[str]:
    """The journal of a call must give the commands that were given when it lived."""
    machine = CallMachine()
    return [
        f"entry {entry.seq} gives other commands when it is replayed"
        for entry, given in zip(entries, commands, strict=True)
        if machine.handle(entry) != given
    ]
