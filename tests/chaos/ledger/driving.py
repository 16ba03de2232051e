"""One call server at a time drives a leg: whoever was thought dead does nothing to it when it wakes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tests.chaos.ledger.commands import Command
from tests.chaos.ledger.evidence import Evidence, Problem
from tests.chaos.ledger.ids import name_of

# Whoever gives shards back leaves them to others for 2 s (controlplane/callserver/balancing.py).
_BACK_S = 1.5


def one_server_drives(evidence: Evidence) -> Iterator[Problem]:
    """Between two commands of one server that come soon after each other there is none of another."""
    by_leg: dict[str, list[Command]] = defaultdict(list)
    for command in evidence.commands:
        by_leg[command.leg].append(command)
    calls = {leg.leg: leg.call for leg in evidence.tables.legs} | {
        call.leg: call.call for call in evidence.tables.calls
    }
    for leg, commands in by_leg.items():
        call = calls.get(leg)
        for told in _between(commands):
            yield Problem("two-servers-drive", name_of(call) if call else None, f"the leg {leg}: {told}")


def _between(commands: list[Command]) -> Iterator[str]:
    last: dict[str, float] = {}
    before: Command | None = None
    for command in commands:
        came_s = command.at_s - last.get(command.server, float("-inf"))
        if before is not None and before.server != command.server and came_s < _BACK_S:
            yield (
                f'{before.server} told the node "{before.line}" between two commands of {command.server}'
                f" that came within {came_s:.2f} s"
            )
        last[command.server] = command.at_s
        before = command
