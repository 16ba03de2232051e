"""`callplane simulate SCENARIO.yaml`: calls without telephones, as fast as the application answers.

With `--freeswitch` the same file is played on a real FreeSWITCH, by telephones.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

if TYPE_CHECKING:
    from controlplane.calls.timeline import Moment
    from controlplane.emulator.parties import PartyLog
    from controlplane.settings import Settings
    from controlplane.verbs.documents import Link
    from controlplane.wiring.rehearsal import Rehearsal


SIGNED_WITH = "simulation"  # the auth token where none is given


class Stage(Protocol):
    """Where a scenario was performed."""

    def timelines(self) -> dict[str, list[Moment]]:
        """Every call's timeline."""
        ...

    def words(self, what: str) -> str:
        """What is known of something that was heard."""
        ...


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("simulate")(_simulate)


def _simulate(
    scenario: Annotated[Path, typer.Argument(help="A scenario file: who calls whom, and what they do.", exists=True)],
    *,
    app: Annotated[str, typer.Option(help="URL of the application; else the one that the file names.")] = "",
    token: Annotated[str, typer.Option(help="Auth token that signs the requests.")] = "",
    freeswitch: Annotated[
        bool, typer.Option("--freeswitch", help="On a real FreeSWITCH, in real time, heard by telephones.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, not lines.")] = False,
) -> None:
    """Run a scenario against a real application, on a clock that jumps, and print what everybody heard.

    With --freeswitch the same people call a real one, in real time, and know by ear what they hear.

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
    settings, signed_with = read_settings(), token or SIGNED_WITH

    async def run() -> list[PartyLog]:
        run = _on_freeswitch(settings, Link(url), signed_with) if freeswitch else None
        async with run or simulating(settings, Link(url), token=signed_with) as stage:
            logs = await stage.perform(plan)
            if as_json:
                print(json.dumps(_facts(stage, logs), indent=2))
            else:
                _print(stage, logs)
            return logs

    raise typer.Exit(1 if problems(asyncio.run(run())) else 0)


@asynccontextmanager
async def _on_freeswitch(settings: Settings, application: Link, token: str) -> AsyncIterator[Rehearsal]:
    """A FreeSWITCH of our own while the block runs, all of it in a folder that goes with it."""
    from controlplane.base.errors import Unavailable
    from controlplane.cli.freeswitch import find_freeswitch, freeswitch_child, loopback_node
    from controlplane.cli.processes import Supervisor
    from controlplane.wiring.in_memory import in_folder
    from controlplane.wiring.places import prompts_folder, recordings_folder
    from controlplane.wiring.rehearsal import rehearsing

    program = find_freeswitch(settings.freeswitch)
    if program is None:
        raise Unavailable("No FreeSWITCH is on the PATH: name one in CALLPLANE_FREESWITCH, or leave out --freeswitch.")
    with TemporaryDirectory(prefix="callplane-") as name:
        settings = in_folder(settings, Path(name))
        node = loopback_node(
            Path(name, "freeswitch"),
            esl_password=secrets.token_hex(16),
            prompts=prompts_folder(settings),
            recordings=recordings_folder(settings),
        )
        async with Supervisor(lambda _name, _line: None) as supervisor:
            await supervisor.start(freeswitch_child(program, node))
            async with rehearsing(settings, application, token=token, node=node) as rehearsal:
                yield rehearsal


def _facts(stage: Stage, logs: list[PartyLog]) -> dict[str, object]:
    return {
        "parties": [
            {
                "party": log.party,
                "ended": log.cause,
                "problems": log.problems,
                "heard": [
                    {"from_ms": heard.from_ms, "to_ms": heard.to_ms, "what": stage.words(heard.what)}
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
            for call, moments in stage.timelines().items()
        ],
    }


def _print(stage: Stage, logs: list[PartyLog]) -> None:
    for log in logs:
        print(f"{log.party} heard:")
        for heard in log.heard:
            print(f"  {heard.from_ms / 1000:8.2f} s  {heard.to_ms / 1000:8.2f} s  {stage.words(heard.what)}")
        for problem in log.problems:
            print(f"  PROBLEM: {problem}")
        print(f"  ended: {log.cause}\n")
    for call, moments in stage.timelines().items():
        print(f"{call}:")
        for moment in moments:
            print(f"  {(moment.at_ms - moments[0].at_ms) / 1000:8.2f} s  {moment.actor:12} {moment.text}")
        print()
