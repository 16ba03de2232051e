"""One call server at a time drives a leg: whoever was thought dead does nothing to it when it wakes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tests.chaos.ledger.commands import Command
from tests.chaos.ledger.evidence import Evidence, Problem
from tests.chaos.ledger.ids import name_of
from tests.chaos.ledger.run import Run

# Whoever gives shards back leaves them to others for 2 s (controlplane/callserver/balancing.py). Who gets some back
# that it has lost does not wait, but makes the calls its own first.
_BACK_S = 1.5


def one_server_drives(evidence: Evidence) -> Iterator[Problem]:
    """Between two commands of one server that come soon after each other there is none of another.

    There may be if the second makes the call its own anew, once in that time: who got back what it had lost.
    """
    for call, leg, commands in _by_leg(evidence):
        for told in _between(commands):
            yield Problem("two-servers-drive", call, f"the leg {leg}: {told}")


def only_who_claimed_drives(evidence: Evidence) -> Iterator[Problem]:
    """Of a call that came in each server makes itself the owner before it does anything to it, whoever had it before.

    What a server had when it stood still is not its own when it wakes: others have taken it meanwhile, and if they have
    not, it does not know. (Calls that were placed and legs that were dialled are claimed by nobody: for these there is
    `one_server_drives` alone.)
    """
    for call, leg, commands in _by_leg(evidence):
        owner: Command | None = None
        for command in commands:
            if command.is_claim:
                owner = command
            elif owner is not None and (why := _why_not(evidence.run, owner, command)):
                told = f'the leg {leg}: {command.server} told the node "{command.line}", {why}'
                yield Problem("drives-unclaimed", call, told)


def who_woke_had_something_to_harm(evidence: Evidence) -> Iterator[Problem]:
    """Of a server that stood still a call lives on when it wakes; else nothing is seen of what it does then."""
    run = evidence.run
    if run.fault_at_s is None or run.healed_at_s is None or not any(one.was_frozen for one in evidence.commands):
        return
    had = {one.leg for one in evidence.commands if one.was_frozen and one.is_claim and one.at_s < run.fault_at_s}
    if not any(one.leg in had and one.at_s > run.healed_at_s for one in evidence.commands):
        told = "none of its calls was alive when a server that had stood still woke: this shows nothing"
        yield Problem("evidence-in-doubt", None, told)


def _why_not(run: Run, owner: Command, command: Command) -> str:
    """Why a command should not have been given, "" if it was right."""
    if command.server != owner.server:
        return f"{command.at_s - owner.at_s:.2f} s after {owner.server} had made it its own"
    if not command.was_frozen or run.fault_at_s is None or run.healed_at_s is None:
        return ""
    is_old = command.line_since_s < run.fault_at_s and owner.at_s < run.healed_at_s < command.at_s
    return f"{command.at_s - run.healed_at_s:.2f} s after it woke, and had not made it its own again" if is_old else ""


def _by_leg(evidence: Evidence) -> Iterator[tuple[str | None, str, list[Command]]]:
    """The name of the call, if one is known, the leg, and what was done to it in the order of time."""
    by_leg: dict[str, list[Command]] = defaultdict(list)
    for command in evidence.commands:
        by_leg[command.leg].append(command)
    calls = {leg.leg: leg.call for leg in evidence.tables.legs} | {
        call.leg: call.call for call in evidence.tables.calls
    }
    for leg, commands in by_leg.items():
        call = calls.get(leg)
        yield name_of(call) if call else None, leg, commands


def _between(commands: list[Command]) -> Iterator[str]:
    last: dict[str, float] = {}
    claimed: dict[str, float] = {}
    before: Command | None = None
    for command in commands:
        since = claimed if command.is_claim else last
        came_s = command.at_s - since.get(command.server, float("-inf"))
        if before is not None and before.server != command.server and came_s < _BACK_S:
            yield (
                f'{before.server} told the node "{before.line}" between two commands of {command.server}'
                f" that came within {came_s:.2f} s"
            )
        last[command.server] = command.at_s
        if command.is_claim:
            claimed[command.server] = command.at_s
        before = command
