"""What call servers told nodes, as it should not be, and as it may well be."""

from __future__ import annotations

from typing import Any

from tests.postgres.ledger.mutation import Mutation
from tests.postgres.ledger.scene import BEGAN_S, TALKS, Scene, b_leg_of


def command(leg: str, server: str, after_s: float) -> dict[str, Any]:
    """A line of commands.jsonl; seconds count from the beginning of the run."""
    return {"at": BEGAN_S + after_s, "server": server, "leg": leg, "line": f"sendmsg {leg}"}


def takes_over(scene: Scene) -> None:
    """A call goes from one server to another, and seconds later back again."""
    leg = scene.uuid(TALKS)
    scene.commands = [
        *(command(leg, "calls-a", after_s) for after_s in (0.1, 0.2)),
        *(command(leg, "calls-b", after_s) for after_s in (0.3, 0.4, 2.3)),
        *(command(leg, "calls-a", after_s) for after_s in (2.4, 2.5)),
    ]


def _wakes(scene: Scene) -> None:
    takes_over(scene)
    scene.commands.append(command(scene.uuid(TALKS), "calls-a", 0.35))


def _wakes_for_a_telephone(scene: Scene) -> None:
    leg = b_leg_of(scene.calls[TALKS])
    scene.commands = [command(leg, server, after_s) for server, after_s in (("b", 1.0), ("a", 1.1), ("b", 1.2))]


SPOILT_COMMANDS = (
    Mutation("a server wakes and goes on with a call", frozenset({"two-servers-drive"}), _wakes, TALKS),
    Mutation(
        "a server wakes and ends a telephone's leg", frozenset({"two-servers-drive"}), _wakes_for_a_telephone, TALKS
    ),
)
