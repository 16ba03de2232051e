"""`callplane replay CALL_ID`: run a call's journal through the machine again."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from controlplane.wiring.replay import Replayed


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("replay")(_replay)


def _replay(
    call_id: Annotated[str, typer.Argument(help="The call's id (cs_…).")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, not lines.")] = False,
) -> None:
    """Show what a call's machine did, entry by entry, and check that it would do the same again.

    The exit code is 0 if every entry gives the commands that were given when it was written.
    """
    from controlplane.cli.environment import read_settings
    from controlplane.wiring.places import with_running_database
    from controlplane.wiring.replay import replay_call

    replayed = asyncio.run(replay_call(with_running_database(read_settings()), call_id))
    if as_json:
        print(json.dumps(_facts(replayed), indent=2))
    else:
        _print(replayed)
    raise typer.Exit(0 if replayed.is_same else 1)


def _facts(replayed: Replayed) -> dict[str, object]:
    return {
        "call": replayed.call,
        "status": replayed.status,
        "same": replayed.is_same,
        "entries": [
            {
                "seq": step.seq,
                "at_ms": step.at_ms,
                "event": step.event,
                "commands": list(step.commands),
                "same": step.is_same,
            }
            for step in replayed.steps
        ],
    }


def _print(replayed: Replayed) -> None:
    for step in replayed.steps:
        mark = " " if step.is_same else "!"
        print(f"{mark}{step.seq:4} +{step.at_ms - replayed.steps[0].at_ms:>7} ms  {step.event}")
        for command in step.commands:
            print(f"{'':20}-> {command}")
    verdict = "the same commands as then" if replayed.is_same else "NOT the commands of then: see the lines marked !"
    print(f"\n{replayed.call}: {replayed.status}; {len(replayed.steps)} entries, {verdict}")
