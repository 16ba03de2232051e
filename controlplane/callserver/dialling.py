"""Legs that we dial ourselves, from the command until they are parked and bursts can run on them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from controlplane.base.ids import LegId, Token
from controlplane.calls.commands import Burst, Originate
from controlplane.calls.events import OriginateFailed, PromptFailed
from controlplane.calls.facts import Facts
from controlplane.calls.runs import Branch, Bridge, Run
from controlplane.callserver.call import LiveCall
from controlplane.callserver.outlet import Outlet
from controlplane.callserver.ports import Numbers
from controlplane.switch.link import LinkLost

_Dialled = TypeVar("_Dialled", Bridge, Originate)

TOLD_WITHIN_S = 0.2  # how long the end of a leg may take to be told after the dialling has failed
MOVES_S = 2.0  # a leg dialled so lately need not be in the node's list yet


@dataclass(slots=True)
class Dialling:
    """Of one node. `calls` says whose each leg is."""

    outlet: Outlet
    calls: Mapping[LegId, LiveCall]
    _on_the_way: set[LegId] = field(default_factory=set)  # dialled, and not parked yet
    _unsent: dict[LegId, Originate] = field(default_factory=dict)  # said while no link was up

    def originate(self, call: LiveCall, command: Originate) -> None:
        """Dial a leg. Raises LinkLost, and dials it later then (`say_again`)."""

        def finished(answer: str) -> None:
            if answer.startswith("-ERR"):
                failed = OriginateFailed(command.leg, answer[len("-ERR ") :].strip() or "NORMAL_UNSPECIFIED")
                call.start(f"failed {command.leg}", lambda: asyncio.create_task(_say_failed(call, failed)))

        self._on_the_way.add(command.leg)
        try:
            self.outlet.originate(call, self.outlet.writer.originate(command, call.id), command.token, finished)
        except LinkLost:
            self._unsent[command.leg] = command
            raise

    def say_again(self, call: LiveCall) -> None:
        """Dial what was to be dialled while no link was up. Raises LinkLost."""
        for leg, command in [*self._unsent.items()]:
            if self.calls.get(leg) is call:
                del self._unsent[leg]
                if call.machine.is_alive(leg):
                    self.originate(call, command)

    def is_yet_to_come(self, call: LiveCall, leg: LegId) -> bool:
        """Say whether a leg cannot be on the node, as nobody was told to dial it yet."""
        waiting = any(isinstance(command, Originate) and command.leg == leg for _, command in call.held)
        return waiting or leg in self._unsent

    def is_on_the_way(self, leg: LegId) -> bool:
        """Say whether a leg will be parked, which would cut what it was sent before that."""
        return leg in self._on_the_way

    def found(self, leg: LegId) -> None:
        """A leg that was dialled, perhaps by somebody before us, is on the node and not parked."""
        self._on_the_way.add(leg)

    def forget(self, leg: LegId) -> None:
        """A leg is parked, or gone."""
        self._on_the_way.discard(leg)
        self._unsent.pop(leg, None)


async def _say_failed(call: LiveCall, failed: OriginateFailed) -> None:
    """A leg that was there has its own end, with the SIP status; that comes over the other link, and is the word."""
    await call.clock.sleep(TOLD_WITHIN_S)
    call.feed(failed)


def was_dialled_lately(call: LiveCall, leg: LegId) -> bool:
    """Say whether the node may be about to have a leg that it does not list."""
    known = next((one for one in call.machine.living_legs if one.id == leg), None)
    return known is not None and call.clock.now_ms() - known.dialled_ms < MOVES_S * 1000


def with_own_number(call: LiveCall, burst: Burst, numbers: Numbers) -> Burst:
    """The same burst, its legs dialled under numbers that may be shown."""
    runs = [under_own_number(call, run, burst.token, numbers) if isinstance(run, Bridge) else run for run in burst.runs]
    return replace(burst, runs=tuple(runs))


def under_own_number(call: LiveCall, dialled: _Dialled, token: Token, numbers: Numbers) -> _Dialled:
    """Dial under the call's own number where the document's is not the account's to show (Twilio's warning 13214)."""
    shown = number_shown(call.machine.facts, dialled.caller_id, numbers)
    if shown == dialled.caller_id:
        return dialled
    problem = "callerId is neither of this call's numbers nor one of the account's"
    call.feed(PromptFailed(token, "Dial@callerId", problem, 13214))
    return replace(dialled, caller_id=shown)


def number_shown(facts: Facts, caller_id: str, numbers: Numbers) -> str:
    """The number under which a party is dialled: the one asked for if the account may show it, else the call's own."""
    own = {facts.from_number, facts.to_number}
    return caller_id if caller_id in own or numbers.may_show(facts.account, caller_id) else facts.from_number


def branches_of(runs: tuple[Run, ...]) -> tuple[Branch, ...]:
    """The legs that these runs will make."""
    return tuple(branch for run in runs if isinstance(run, Bridge) for branch in run.branches)
