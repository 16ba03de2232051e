"""`callplane simulate SCENARIO.yaml`: calls without telephones, as fast as the application answers."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from controlplane.emulator.parties import PartyLog
    from controlplane.wiring.simulation import Simulation


SIGNED_WITH = "simulation"  # the auth token where none is given


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("simulate")(_simulate)


def _simulate(
    scenario: Annotated[Path, typer.Argument(help="A scenario file: who calls whom, and what they do.", exists=True)],
    *,
    app: Annotated[str, typer.Option(help="URL of the application; else the one that the file names.")] = "",
    token: Annotated[str, typer.Option(help="Auth token that signs the requests.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, not lines.")] = False,
) -> None:
    """Run a scenario against a real application, on a clock that jumps, and print what everybody heard.

    The exit code is 0 if nobody's script expected something in vain.
    """
    from controlplane.base.errors import BadInput
    from controlplane.cli.environment import read_settings
    from controlplane.emulator.reading import parse_scenario
    from controlplane.verbs.documents import Link
    from controlplane.wiring.simulation import problems, simulating

    plan = parse_scenario(scenario.read_text())
    url = app or plan.application
    if not url:
        raise BadInput("which application answers? Name it with --app URL, or as `application:` in the file")

    async def run() -> list[PartyLog]:
        async with simulating(read_settings(), Link(url), token=token or SIGNED_WITH) as simulation:
            logs = await simulation.perform(plan)
            if as_json:
                print(json.dumps(_facts(simulation, logs), indent=2))
            else:
                _print(simulation, logs)
            return logs

    raise typer.Exit(1 if problems(asyncio.run(run())) else 0)


def _facts(simulation: Simulation, logs: list[PartyLog]) -> dict[str, object]:
    return {
        "parties": [
            {
                "party": log.party,
                "ended": log.cause,
                "problems": log.problems,
                "heard": [
                    {"from_ms": heard.from_ms, "to_ms": heard.to_ms, "what": _words(simulation, heard.what)}
                    for heard in log.heard
                ],
                "did": [{"at_ms": note.at_ms, "what": note.what, "detail": note.detail} for note in log.notes],
            }
            for log in logs
        ],
        "calls": [
            {
                "call": call,
                "timeline": [
                    {"at_ms": moment.at_ms - moments[0].at_ms, "actor": moment.actor, "text": moment.text}
                    for moment in moments
                ],
            }
            for call, moments in simulation.timelines().items()
        ],
    }


def _print(simulation: Simulation, logs: list[PartyLog]) -> None:
    for log in logs:
        print(f"{log.party} heard:")
        for heard in log.heard:
            print(f"  {heard.from_ms / 1000:8.2f} s  {heard.to_ms / 1000:8.2f} s  {_words(simulation, heard.what)}")
        for problem in log.problems:
            print(f"  PROBLEM: {problem}")
        print(f"  ended: {log.cause}\n")
    for call, moments in simulation.timelines().items():
        print(f"{call}:")
        for moment in moments:
            print(f"  {(moment.at_ms - moments[0].at_ms) / 1000:8.2f} s  {moment.actor:12} {moment.text}")
        print()


def _words(simulation: Simulation, what: str) -> str:
    return next(iter(simulation.prompts.describe(what)), what)
