"""The people at the far ends: callers and callees who follow a script, without SIP.

A party sees only what a telephone would: ringing, audio, the end. What it saw and did is kept in its own log, which is
the truth from outside that a test can hold the call's own records against.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from controlplane.emulator import signalling
from controlplane.emulator.channel import Channel, Digit
from controlplane.emulator.fibers import Fiber, pause
from controlplane.emulator.hearing import Heard
from controlplane.emulator.node import Node
from controlplane.emulator.scenarios import (
    DEFAULT_PATIENCE_S,
    GREETING,
    CalleePlan,
    CallerPlan,
    ExpectEnd,
    HangUp,
    Hear,
    Press,
    Say,
    Scenario,
    Step,
    Then,
    Wait,
)

# Says what a sound is: the words of a prompt, the URL it came from. What it answers is matched beside the name itself.
Describe = Callable[[str], Iterable[str]]

_KEY_MS = 100
_REFUSALS = {Then.BUSY: 486, Then.REJECT: 603, Then.NOT_FOUND: 404}
_EARLY_MEDIA_MS = 1000


@dataclass(frozen=True, slots=True)
class Noted:
    """One line of a party's log. `at_ms` is of the node's monotonic clock."""

    at_ms: int
    what: str
    detail: str = ""


@dataclass(slots=True)
class PartyLog:
    """What a party did and met with: `problems` are what its script expected in vain."""

    party: str
    leg: str = ""
    notes: list[Noted] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    cause: str = ""

    def words(self) -> list[str]:
        """The log without times."""
        return [f"{note.what} {note.detail}".strip() for note in self.notes]


class Party:
    """One party on one channel."""

    def __init__(self, channel: Channel, log: PartyLog, describe: Describe) -> None:
        self._channel, self.log, self._describe = channel, log, describe
        self._node = channel.node
        self._heard_count = 0
        self._spoken_counts: dict[str, int] = {}
        self._fiber: Fiber | None = None
        log.leg = channel.uuid
        channel.watchers.append(self._notice)
        self._was_answered = False

    def follow(self, script: tuple[Step, ...], begin: Callable[[Party], object], on_end: Callable[[], None]) -> None:
        """Act: first `begin` (until the call is up), then the script, then wait for the end."""
        self._fiber = Fiber(self._node.clock, lambda: self._live(script, begin), on_end)
        self._fiber.wake_at(self._now_ms())

    def note(self, what: str, detail: str = "") -> None:
        """Write into the log."""
        self.log.notes.append(Noted(self._now_ms(), what, detail))

    def _now_ms(self) -> int:
        return self._node.clock.monotonic_ms()

    def _notice(self) -> None:
        if self._channel.is_answered and not self._was_answered:
            self._was_answered = True
            self.note("answered")
        if self._fiber is not None:
            self._fiber.wake_at(self._now_ms())

    async def _live(self, script: tuple[Step, ...], begin: Callable[[Party], object]) -> None:
        result = begin(self)
        if hasattr(result, "__await__"):
            await result
        for step in script:
            if self._channel.is_down:
                break
            await self._do(step)
        if not await self._when(lambda: self._channel.is_down, DEFAULT_PATIENCE_S):
            self.log.problems.append(f"nobody ended the call within {DEFAULT_PATIENCE_S:g} s of the script's end")
            self._hang_up()
        await self._when(lambda: self._channel.uuid not in self._node.channels, DEFAULT_PATIENCE_S)
        self.log.cause, self.log.heard = self._channel.cause, self._channel.hears.until(self._now_ms())
        self.note("ended", self._channel.cause)

    async def _when(self, condition: Callable[[], bool], within_s: float | None) -> bool:
        """Wait until something holds; False if it did not in time."""
        until_ms = None if within_s is None else self._now_ms() + round(within_s * 1000)
        while not condition():
            if until_ms is not None and self._now_ms() >= until_ms:
                return False
            await pause(until_ms)
        return True

    async def rest(self, seconds: float) -> None:
        """Let time pass, less if the call ends."""
        await self._when(lambda: self._channel.is_down, seconds)

    async def _do(self, step: Step) -> None:
        match step:
            case Wait(seconds):
                await self.rest(seconds)
            case Press(keys, gap_s):
                await self._press(keys, gap_s)
            case Say(text, seconds):
                await self._say(text, seconds)
            case Hear():
                await self._hear(step)
            case HangUp():
                self._hang_up()
            case ExpectEnd():
                await self._expect_end(step)

    async def _press(self, keys: str, gap_s: float) -> None:
        for key in keys:
            await self.rest(_KEY_MS / 1000)
            if self._channel.is_down:
                return
            self.note("pressed", key)
            self._channel.receive_digit(Digit(key, _KEY_MS * 8))
            await self.rest(max(0.0, gap_s - _KEY_MS / 1000))

    async def _say(self, text: str, seconds: float) -> None:
        self.note("said", text)
        self._speak(f"say:{text}")
        await self.rest(seconds)
        self._speak(None)

    def _speak(self, what: str | None) -> None:
        self._channel.says.begin(what, self._now_ms())
        if self._channel.partner is not None:
            self._channel.partner.changed()

    async def _hear(self, step: Hear) -> None:
        if not await self._when(lambda: self._hears(step.pattern) or self._channel.is_down, step.within_s):
            self.log.problems.append(f"did not hear {step.pattern!r} within {step.within_s:g} s")
        elif self._channel.is_down and self.log.notes[-1].what != "heard":
            self.log.problems.append(f"the call ended before {step.pattern!r} was heard")

    def _hears(self, pattern: str) -> bool:
        """Say whether such a sound began since the last one that was waited for."""
        begun = self._channel.hears.begun
        while self._heard_count < len(begun):
            what = begun[self._heard_count]
            self._heard_count += 1
            if self._is_match(what, pattern):
                self.note("heard", what)
                return True
        return self._hears_partner(pattern)

    def _hears_partner(self, pattern: str) -> bool:
        partner = self._channel.partner
        if partner is None or partner.is_mute:
            return False
        said, known = partner.says.begun, self._spoken_counts.get(partner.uuid, 0)
        self._spoken_counts[partner.uuid] = len(said)
        found = next((what for what in said[known:] if self._is_match(what, pattern)), None)
        if found is not None:
            self.note("heard", found)
        return found is not None

    def _is_match(self, what: str, pattern: str) -> bool:
        wanted = pattern.lower()
        is_glob = "*" in wanted or "?" in wanted
        for name in (what, *self._describe(what)):
            actual = name.lower()
            if fnmatchcase(actual, wanted) if is_glob else wanted in actual:
                return True
        return False

    def _hang_up(self) -> None:
        if not self._channel.is_down:
            self.note("hung up")
            signalling.far_end_hangs_up(self._channel)

    async def _expect_end(self, step: ExpectEnd) -> None:
        if not await self._when(lambda: self._channel.is_down, step.within_s):
            self.log.problems.append(f"the call did not end within {step.within_s:g} s")
        elif step.cause and self._channel.cause != step.cause:
            self.log.problems.append(f"the call ended with {self._channel.cause}, not {step.cause}")


@dataclass(slots=True)
class Cast:
    """Everybody of a scenario, brought on by `perform`."""

    node: Node
    scenario: Scenario
    describe: Describe = lambda _what: ()
    logs: list[PartyLog] = field(default_factory=list)
    _open: int = 0
    _done: asyncio.Future[None] | None = None

    async def perform(self) -> list[PartyLog]:
        """Let all callers call; ends when all parties' calls have ended. Answers the logs, callers first."""
        self.node.far_ends = self.take_invite
        self._done = asyncio.get_running_loop().create_future()
        begin_ms = self.node.clock.monotonic_ms()
        for plan in self.scenario.callers:
            self._open += 1
            log = PartyLog(plan.from_number)
            self.logs.append(log)
            at_ms = begin_ms + round(plan.at_s * 1000)
            self.node.clock.call_at_ms(at_ms, lambda plan=plan, log=log: self._call(plan, log))  # type: ignore[misc]
        if self._open:
            await self._done
        return self.logs

    def call(self, plan: CallerPlan) -> PartyLog:
        """Let somebody call now, whatever the scenario has; answers the log that is being written."""
        self._open += 1
        log = PartyLog(plan.from_number)
        self.logs.append(log)
        self._call(plan, log)
        return log

    def _call(self, plan: CallerPlan, log: PartyLog) -> None:
        headers = {f"sip_h_{name}": value for name, value in plan.headers.items()}
        channel = self.node.ring(plan.from_number, plan.to_number, caller_name=plan.name, headers=headers)
        party = Party(channel, log, self.describe)
        party.note("dialled", plan.to_number)
        party.follow(plan.script, lambda _party: None, self._one_ended)

    def take_invite(self, leg: Channel, names: list[str]) -> None:
        """The node dials: whoever is known under one of these names gets the call, else there is no such number."""
        found = next((name for name in names if name in self.scenario.callees), None)
        if found is None:
            signalling.far_end_refuses(leg, 404)
            return
        plan = self.scenario.callees[found]
        log = PartyLog(found)
        self.logs.append(log)
        self._open += 1
        party = Party(leg, log, self.describe)
        party.note("called by", leg.profile.cid_number)
        script = (GREETING, *plan.after_answer) if plan.then is Then.VOICEMAIL else plan.after_answer
        party.follow(script, lambda one: _pick_up(one, leg, plan), self._one_ended)

    def _one_ended(self) -> None:
        self._open -= 1
        if self._open == 0 and self._done is not None and not self._done.done():
            self._done.set_result(None)


async def _pick_up(party: Party, leg: Channel, plan: CalleePlan) -> None:
    if plan.ring_s > 0:
        signalling.ring(leg)
        party.note("rings")
        await party.rest(plan.ring_s)
    if leg.is_down:
        return
    match plan.then:
        case Then.NO_ANSWER:
            await party.rest(1_000_000)
        case Then.BUSY | Then.REJECT | Then.NOT_FOUND:
            signalling.far_end_refuses(leg, _REFUSALS[plan.then])
        case Then.EARLY_MEDIA:
            signalling.pre_answer(leg)
            await party.rest(_EARLY_MEDIA_MS / 1000)
            signalling.answer(leg)
        case Then.ANSWER | Then.VOICEMAIL:
            signalling.answer(leg)
