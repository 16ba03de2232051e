"""Dialling: making legs, waiting for one to answer, ending the rest (switch_ivr_originate.c).

Time-outs count whole seconds of the clock, as FreeSWITCH does: `originate_timeout` ends the attempt up to a second
early with NO_ANSWER, `leg_timeout` ends a leg up to a second late with ALLOTTED_TIMEOUT.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controlplane.emulator import signalling
from controlplane.emulator.causes import dialstatus_of, read_cause
from controlplane.emulator.channel import FRAME_MS, Channel
from controlplane.emulator.dialling import DialledTarget, DialPlan, address_of
from controlplane.emulator.fibers import Fiber, pause
from controlplane.emulator.hearing import RINGBACK
from controlplane.emulator.legs import make_leg
from controlplane.emulator.thread import run_messages

if TYPE_CHECKING:
    from controlplane.emulator.node import Node

_DEFAULT_TIMEOUT_S = 60


@dataclass(slots=True)
class Attempt:
    """One turn of dialling: the legs that ring at once, and when it began."""

    node: Node
    caller: Channel | None
    variables: Mapping[str, str]
    legs: list[Channel]
    began_s: int
    timeout_s: int
    failures: list[str] = field(default_factory=list)
    winner: Channel | None = None
    is_timed_out: bool = False
    has_rung: bool = False

    def elapsed_s(self) -> int:
        """Whole seconds gone, by the clock's seconds."""
        return self.node.clock.now_ms() // 1000 - self.began_s

    def is_true(self, name: str) -> bool:
        """Say whether a variable of the dial string, or else of the caller, is on."""
        value = self.variables.get(name)
        if value is None and self.caller is not None:
            return self.caller.variables.is_true(name)
        return value is not None and value.lower() in ("true", "yes", "on", "1")


@dataclass(frozen=True, slots=True)
class Result:
    """How dialling ended: the leg that answered, or None and the cause."""

    leg: Channel | None
    cause: str


async def originate(node: Node, caller: Channel | None, plan: DialPlan, fiber: Fiber | None) -> Result:
    """Dial turn after turn until a leg is taken. Runs in the caller's fiber, or in `fiber`."""
    fiber = caller.fiber if caller is not None else fiber
    result = Result(None, "DESTINATION_OUT_OF_ORDER")
    for turn in plan.turns:
        attempt = _begin(node, caller, plan.variables, turn)
        watch = _waker(node, caller, fiber)
        for leg in attempt.legs:
            leg.watchers.append(watch)
        await _wait(attempt)
        for leg in attempt.legs:
            leg.watchers.remove(watch)
        result = _settle(attempt)
        if result.leg is not None or (caller is not None and not caller.is_ready):
            break
        if attempt.is_timed_out and not attempt.is_true("originate_continue_on_timeout"):
            break
    return result


def _begin(
    node: Node, caller: Channel | None, variables: Mapping[str, str], targets: tuple[DialledTarget, ...]
) -> Attempt:
    attempt = Attempt(node, caller, variables, [], node.clock.now_ms() // 1000, _timeout_s(caller, variables))
    if caller is not None:
        caller.variables.update({"originate_disposition": "failure", "DIALSTATUS": "INVALIDARGS"})
    for target in targets:
        address = _address(node, target.endpoint)
        if isinstance(address, str):
            attempt.failures.append(read_cause(address))
            continue
        leg = make_leg(node, caller, address, dict(variables) | dict(target.variables), target.endpoint)
        if leg is None:
            attempt.failures.append("DESTINATION_OUT_OF_ORDER")
        else:
            attempt.legs.append(leg)
    return attempt


def _address(node: Node, endpoint: str) -> tuple[str, list[str]] | str:
    gateway = endpoint.removeprefix("sofia/gateway/").partition("/")[0]
    if endpoint.startswith("sofia/gateway/") and node.gateways is not None and gateway not in node.gateways:
        return "INVALID_GATEWAY"
    return address_of(endpoint)


def _timeout_s(caller: Channel | None, variables: Mapping[str, str]) -> int:
    text = variables.get("originate_timeout") or (caller.variables.get("call_timeout") if caller else None)
    return int(text) if text and text.isdigit() and int(text) else _DEFAULT_TIMEOUT_S


def _waker(node: Node, caller: Channel | None, fiber: Fiber | None) -> Callable[[], None]:
    def wake() -> None:
        if caller is not None:
            caller.wake()
        elif fiber is not None:
            fiber.wake_at(node.clock.monotonic_ms() + FRAME_MS)

    return wake


async def _wait(attempt: Attempt) -> None:
    """Look at the legs frame by frame until one is taken, all are gone, the time is up or the caller is."""
    caller = attempt.caller
    while True:
        if caller is not None:
            if not caller.is_ready:
                return
            await run_messages(caller)
        _end_late_legs(attempt)
        alive = [leg for leg in attempt.legs if not leg.is_down]
        attempt.winner = next((leg for leg in alive if _is_taken(attempt, leg)), None)
        if attempt.winner is not None or not alive:
            return
        if attempt.elapsed_s() >= attempt.timeout_s:
            attempt.is_timed_out = True
            return
        _let_caller_hear(attempt, alive)
        await pause(_next_look_ms(attempt, alive))


def _is_taken(attempt: Attempt, leg: Channel) -> bool:
    return leg.is_answered or (leg.has_early_media and not attempt.is_true("ignore_early_media"))


def _end_late_legs(attempt: Attempt) -> None:
    for leg in attempt.legs:
        limit = leg.variables.get("leg_timeout")
        if not leg.is_down and limit and limit.isdigit() and attempt.elapsed_s() > int(limit):
            leg.hang_up("ALLOTTED_TIMEOUT")
        limit = leg.variables.get("leg_progress_timeout")
        has_progress = leg.is_ringing or leg.has_media
        if not leg.is_down and not has_progress and limit and limit.isdigit() and attempt.elapsed_s() > int(limit):
            leg.hang_up("PROGRESS_TIMEOUT")


def _next_look_ms(attempt: Attempt, alive: list[Channel]) -> int:
    """When the next time-out is due, in milliseconds of the monotonic clock."""
    seconds = [attempt.timeout_s]
    for leg in alive:
        for name in ("leg_timeout", "leg_progress_timeout"):
            limit = leg.variables.get(name)
            if limit and limit.isdigit() and int(limit) >= attempt.elapsed_s():
                seconds.append(int(limit) + 1)
    clock = attempt.node.clock
    due_ms = (attempt.began_s + min(seconds)) * 1000
    return clock.monotonic_ms() + max(FRAME_MS, due_ms - clock.now_ms())


def _let_caller_hear(attempt: Attempt, alive: list[Channel]) -> None:
    """Pass ringing on: 180, or audio of our own where the caller's channel has a ringback."""
    caller = attempt.caller
    if caller is None or not caller.is_ready:
        return
    is_ringing = any(leg.is_ringing or leg.has_early_media for leg in alive)
    if not (is_ringing or attempt.is_true("instant_ringback")) or attempt.has_rung:
        return
    attempt.has_rung = True
    ringback = caller.variables.get("transfer_ringback") if caller.is_answered else None
    ringback = ringback or caller.variables.get("ringback")
    if ringback:
        signalling.pre_answer(caller)
        caller.hears.begin(RINGBACK, attempt.node.clock.monotonic_ms())
    elif not caller.has_media:
        signalling.ring(caller)
    if is_ringing:
        caller.set_callstate("RING_WAIT")
    caller.changed()


def _settle(attempt: Attempt) -> Result:
    """End the legs that were not taken, and tell the caller's channel how it went."""
    caller, winner = attempt.caller, attempt.winner
    is_gone = caller is not None and not caller.is_ready
    if winner is not None and is_gone:
        winner = None
    if winner is not None and caller is not None:
        (signalling.answer if winner.is_answered else signalling.pre_answer)(caller)
    for leg in attempt.legs:
        if leg is not winner and not leg.is_down:
            leg.hang_up(_reason(attempt, is_gone=is_gone))
    cause = "SUCCESS" if winner is not None else _cause(attempt, is_gone=is_gone)
    if caller is not None:
        _tell(caller, attempt, winner, cause)
    return Result(winner, cause)


def _reason(attempt: Attempt, *, is_gone: bool) -> str:
    if attempt.is_timed_out:
        return "NO_ANSWER"
    if is_gone:
        return "ORIGINATOR_CANCEL"
    return "LOSE_RACE" if len(attempt.legs) > 1 else "NO_ANSWER"


def _cause(attempt: Attempt, *, is_gone: bool) -> str:
    if is_gone:
        return "ORIGINATOR_CANCEL"
    if attempt.is_timed_out:
        return "NO_ANSWER"
    causes = [leg.cause for leg in attempt.legs] + attempt.failures
    return causes[0] if causes else "DESTINATION_OUT_OF_ORDER"


def _tell(caller: Channel, attempt: Attempt, winner: Channel | None, cause: str) -> None:
    caller.hears.begin(None, attempt.node.clock.monotonic_ms())
    if caller.callstate == "RING_WAIT" and not caller.is_down:
        caller.set_callstate("ACTIVE" if caller.is_answered else "EARLY" if caller.has_media else "RINGING")
    values = caller.variables
    for leg in attempt.legs:
        values.push("originate_causes", f"{leg.uuid};{leg.cause or 'NONE'}")
        if leg.cause and winner is None:
            values.set("last_bridge_hangup_cause", leg.cause)
            values.set("last_bridge_proto_specific_hangup_cause", leg.variables.get("proto_specific_hangup_cause"))
    values.update({"originate_disposition": cause, "DIALSTATUS": dialstatus_of(cause)})
    if winner is not None:
        values.set("signal_bond", winner.uuid)
        values.set("originate_signal_bond", None)
        caller.other_leg = ("originatee", winner.profile)
        caller.profile.callee_number, caller.profile.callee_name = (
            winner.profile.callee_number,
            winner.profile.callee_name,
        )
    caller.changed()
