"""What call servers told nodes, as it should not be, and as it may well be."""

from __future__ import annotations

from typing import Any

from tests.postgres.ledger.cast import BEGAN_S, DIED_S, TALKS
from tests.postgres.ledger.journals import b_leg_of
from tests.postgres.ledger.mutation import Mutation
from tests.postgres.ledger.scene import Scene

FROZE_S, WOKE_S = DIED_S - BEGAN_S, DIED_S + 5 - BEGAN_S


def command(
    leg: str, server: str, after_s: float, what: str = "sendmsg", *, line_since_s: float = -10.0
) -> dict[str, Any]:
    """A line of commands.jsonl; seconds count from the beginning of the run."""
    told = {"at": BEGAN_S + after_s, "server": server, "leg": leg, "line": f"{what} {leg}"}
    return told | {"line_since": BEGAN_S + line_since_s, "was_frozen": False}


def claim(leg: str, server: str, after_s: float) -> dict[str, Any]:
    """The same: a call that came in is this server's now."""
    return command(leg, server, after_s, "api sched_del")


def takes_over(scene: Scene) -> None:
    """A call goes from one server to another, and seconds later back again."""
    leg = scene.uuid(TALKS)
    scene.commands = [
        claim(leg, "calls-a", 0.1),
        command(leg, "calls-a", 0.2),
        claim(leg, "calls-b", 0.3),
        *(command(leg, "calls-b", after_s) for after_s in (0.4, 2.3)),
        claim(leg, "calls-a", 2.4),
        command(leg, "calls-a", 2.5),
    ]


def gets_back(scene: Scene) -> None:
    """A call goes to another server, which gives it back at once to the one that had lost it."""
    leg = scene.uuid(TALKS)
    scene.commands = [
        claim(leg, "calls-a", 0.1),
        command(leg, "calls-a", 2.0),
        claim(leg, "calls-b", 2.02),
        command(leg, "calls-b", 2.03),
        claim(leg, "calls-a", 2.2),
        command(leg, "calls-a", 2.3),
    ]


def freezes(scene: Scene) -> None:
    """A server stands still and wakes; its call is another's meanwhile, and comes back to it."""
    leg = scene.uuid(TALKS)
    scene.commands = [
        claim(leg, "calls-a", FROZE_S - 2),
        command(leg, "calls-a", FROZE_S - 1),
        claim(leg, "calls-b", FROZE_S + 4),
        *(command(leg, "calls-b", after_s) for after_s in (FROZE_S + 4.1, WOKE_S - 1, WOKE_S + 0.2)),
        claim(leg, "calls-a", WOKE_S + 3),
        command(leg, "calls-a", WOKE_S + 3.1),
    ]
    _mark(scene)


def _mark(scene: Scene) -> None:
    scene.commands = [one | {"was_frozen": one["server"] == "calls-a"} for one in scene.commands]


def _wakes(scene: Scene) -> None:
    takes_over(scene)
    scene.commands.append(command(scene.uuid(TALKS), "calls-a", 0.35))


def _fights(scene: Scene) -> None:
    gets_back(scene)
    leg = scene.uuid(TALKS)
    scene.commands += [claim(leg, "calls-b", 2.4), command(leg, "calls-b", 2.5)]


def _wakes_for_a_telephone(scene: Scene) -> None:
    leg = b_leg_of(scene.calls[TALKS])
    scene.commands = [command(leg, server, after_s) for server, after_s in (("b", 1.0), ("a", 1.1), ("b", 1.2))]


def _hangs_up(scene: Scene) -> None:
    """It looks at nothing; the owner had nothing to do for long."""
    freezes(scene)
    leg = scene.uuid(TALKS)
    scene.commands = [one for one in scene.commands if not WOKE_S - 2 < one["at"] - BEGAN_S < WOKE_S + 2.9]
    scene.commands.append(command(leg, "calls-a", WOKE_S + 0.01, "api uuid_kill"))
    _mark(scene)


def _goes_on(scene: Scene) -> None:
    """Nobody took over, which it did not know."""
    freezes(scene)
    scene.commands = [one for one in scene.commands if one["server"] == "calls-a" and one["at"] < DIED_S]
    scene.commands.append(command(scene.uuid(TALKS), "calls-a", WOKE_S + 0.01))
    _mark(scene)


def _wakes_to_nothing(scene: Scene) -> None:
    freezes(scene)
    scene.commands = [one for one in scene.commands if one["at"] < BEGAN_S + WOKE_S]


_TWO, _UNCLAIMED = "two-servers-drive", "drives-unclaimed"

SPOILT_COMMANDS = (
    Mutation("a server wakes and goes on with a call", frozenset({_TWO, _UNCLAIMED}), _wakes, TALKS),
    Mutation("two servers take a call from each other by turns", frozenset({_TWO}), _fights, TALKS),
    Mutation("a server wakes and ends a telephone's leg", frozenset({_TWO}), _wakes_for_a_telephone, TALKS),
    Mutation("a server wakes and hangs up on another's caller", frozenset({_UNCLAIMED}), _hangs_up, TALKS),
    Mutation("a server wakes and does not look whose its calls are", frozenset({_UNCLAIMED}), _goes_on, TALKS),
    Mutation("a server wakes when all of its calls are over", frozenset({"evidence-in-doubt"}), _wakes_to_nothing),
)
