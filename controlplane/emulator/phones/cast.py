"""Everybody of a scenario, with telephones: callers dial a media node, callees take the calls that it makes.

    cast = PhoneCast(exchange, peer, scenario, sounds)      # `exchange` hands its calls to `cast.take_call`
    logs = await cast.perform()

What a party hears it knows from the audio alone (phones/recognition.py).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Protocol

from controlplane.emulator.hearing import Heard
from controlplane.emulator.parties import Noted, PartyLog
from controlplane.emulator.phones.calls import PhoneCall, State
from controlplane.emulator.phones.exchange import Address, Exchange
from controlplane.emulator.phones.recognition import KnownSound, head_length, maybe_begins, recognise
from controlplane.emulator.phones.rtp import RATE_HZ, Samples
from controlplane.emulator.phones.sip_text import header, uri_in, user_in
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

_KEY_MS = 100
_LISTEN_S = 0.06  # between two looks at what was heard
_EARLY_MEDIA_S = 1.0
_LAST_AUDIO_S = 2.0  # to be told by the process that takes it
_REFUSALS = {Then.BUSY: 486, Then.REJECT: 603, Then.NOT_FOUND: 404}


class Sounds(Protocol):
    """The sounds that there are in a scenario."""

    @property
    def known(self) -> list[KnownSound]:
        """All that may be heard, by the words or the URL that scripts know it by; it may grow."""
        ...

    def voice(self, text: str) -> Samples:
        """What a party says."""
        ...


@dataclass(slots=True)
class Party:
    """One party and its telephone."""

    call: PhoneCall
    log: PartyLog
    sounds: Sounds
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _heard_to: int = 0

    def __post_init__(self) -> None:
        self.log.leg = self.call.call_id
        self.call.watchers.append(self._notice)

    def note(self, what: str, detail: str = "") -> None:
        """Write into the log."""
        self.log.notes.append(Noted(int(time.monotonic() * 1000), what, detail))

    def _notice(self) -> None:
        if self.call.state is State.ANSWERED:
            self.note("answered")
        self._changed.set()

    @property
    def is_down(self) -> bool:
        return self.call.state is State.ENDED

    async def live(self, script: tuple[Step, ...]) -> None:
        """Follow the script, then wait for the end."""
        for step in script:
            if self.is_down:
                break
            await self._do(step)
        if not await self.when(lambda: self.is_down, DEFAULT_PATIENCE_S):
            self.log.problems.append(f"nobody ended the call within {DEFAULT_PATIENCE_S:g} s of the script's end")
            self._hang_up()
        self.note("ended", self.call.cause)
        self.log.cause = self.call.cause
        self.log.heard = await asyncio.to_thread(self._all_heard)

    async def when(self, condition: Callable[[], bool], within_s: float) -> bool:
        """Wait until something holds; False if it did not in time."""
        try:
            async with asyncio.timeout(within_s):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return condition()
        return True

    async def rest(self, seconds: float) -> None:
        """Let time pass, less if the call ends."""
        await self.when(lambda: self.is_down, seconds)

    async def _do(self, step: Step) -> None:
        match step:
            case Wait(seconds):
                await self.rest(seconds)
            case Press(keys, gap_s):
                for key in keys:
                    self.note("pressed", key)
                    self.call.stream.press(key, _KEY_MS)
                    await self.rest(gap_s)
            case Say(text, seconds):
                await self._say(text, seconds)
            case Hear():
                await self._hear(step)
            case HangUp():
                self._hang_up()
            case ExpectEnd():
                await self._expect_end(step)

    async def _say(self, text: str, seconds: float) -> None:
        self.note("said", text)
        self.call.stream.say(self.sounds.voice(text)[: round(seconds * RATE_HZ)])
        await self.rest(seconds)

    async def _hear(self, step: Hear) -> None:
        until_s = time.monotonic() + step.within_s
        while not (found := await asyncio.to_thread(self._maybe_heard, step.pattern)):
            if self.is_down:
                self.log.problems.append(f"the call ended before {step.pattern!r} was heard")
                return
            if time.monotonic() > until_s:
                self.log.problems.append(f"did not hear {step.pattern!r} within {step.within_s:g} s")
                return
            await self.rest(_LISTEN_S)
        self.note("heard", found)

    def _maybe_heard(self, pattern: str) -> str:
        """The name of one that began since the last one that was waited for, "" if none did."""
        wanted = [sound for sound in self.sounds.known if is_match(sound.name, pattern)]
        if not wanted:
            return ""
        heard = self.call.stream.heard
        length = heard.length
        found = maybe_begins(heard.samples(self._heard_to, length), wanted)
        if found is None:
            self._heard_to = max(self._heard_to, length - head_length(wanted))
            return ""
        self._heard_to += found[1]
        return found[0].name

    def _hang_up(self) -> None:
        if not self.is_down:
            self.note("hung up")
            self.call.hang_up()

    async def _expect_end(self, step: ExpectEnd) -> None:
        if not await self.when(lambda: self.is_down, step.within_s):
            self.log.problems.append(f"the call did not end within {step.within_s:g} s")
        elif step.cause and self.call.cause != step.cause:
            self.log.problems.append(f"the call ended with {self.call.cause}, not {step.cause}")

    def _all_heard(self) -> list[Heard]:
        self.call.stream.closed.wait(_LAST_AUDIO_S)
        return heard_in(self.call.stream.heard.samples(), self.sounds.known)


@dataclass(slots=True)
class PhoneCast:
    """Everybody. `peer` is the SIP address that callers call; `parties` have the telephones with what they heard."""

    exchange: Exchange
    peer: Address
    scenario: Scenario
    sounds: Sounds
    parties: list[Party] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def perform(self) -> list[PartyLog]:
        """Let all callers call; ends when all parties' calls have ended. Answers the logs, callers first."""
        for plan in self.scenario.callers:
            self._begin(self._call(plan))
        return await self.perform_rest()

    async def perform_rest(self) -> list[PartyLog]:
        """Wait for those who are still at it: callees may be dialled at any time."""
        while self._tasks:
            await asyncio.gather(*self._tasks)
        return [party.log for party in self.parties]

    def take_call(self, call: PhoneCall) -> None:
        """The node dials: whoever is known by the number or address gets the call, else there is no such number."""
        name = self.maybe_callee(call)
        if name is None:
            call.refuse(404)
            return
        plan = self.scenario.callees[name]
        party = Party(call, PartyLog(name), self.sounds)
        self.parties.append(party)
        party.note("called by", user_in(uri_in(header(call.invite, "From"))))
        script = (GREETING, *plan.after_answer) if plan.then is Then.VOICEMAIL else plan.after_answer
        self._begin(_take(party, plan, script))

    def maybe_callee(self, call: PhoneCall) -> str | None:
        """By which name the scenario knows whom a call is for; None if it does not."""
        uri = call.invite.uri
        names = (user_in(uri), f"sip:{uri.partition(':')[2].partition(';')[0]}", f"sip:{user_in(uri)}")
        return next((name for name in names if name in self.scenario.callees), None)

    async def _call(self, plan: CallerPlan) -> None:
        await asyncio.sleep(plan.at_s)
        call = self.exchange.dial(
            plan.from_number, plan.to_number, peer=self.peer, name=plan.name, headers=plan.headers
        )
        party = Party(call, PartyLog(plan.from_number), self.sounds)
        self.parties.insert(sum(party.call.is_ours for party in self.parties), party)
        party.note("dialled", plan.to_number)
        await party.live(plan.script)

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def heard_in(samples: Samples, known: Iterable[KnownSound]) -> list[Heard]:
    """What was heard in a recording, in milliseconds since it began."""
    return [
        Heard(one.at * 1000 // RATE_HZ, one.end * 1000 // RATE_HZ, one.sound.name) for one in recognise(samples, known)
    ]


def is_match(name: str, pattern: str) -> bool:
    """Say whether a sound's name holds or matches a pattern, as scenario files mean it."""
    actual, wanted = name.lower(), pattern.lower()
    return fnmatchcase(actual, wanted) if "*" in wanted or "?" in wanted else wanted in actual


async def _take(party: Party, plan: CalleePlan, script: tuple[Step, ...]) -> None:
    if plan.ring_s > 0:
        party.call.ring()
        party.note("rings")
        await party.rest(plan.ring_s)
    if not party.is_down:
        match plan.then:
            case Then.BUSY | Then.REJECT | Then.NOT_FOUND:
                party.call.refuse(_REFUSALS[plan.then])
            case Then.EARLY_MEDIA:
                party.call.begin_early_media()
                await party.rest(_EARLY_MEDIA_S)
                party.call.answer()
            case Then.ANSWER | Then.VOICEMAIL:
                party.call.answer()
            case Then.NO_ANSWER:
                await party.rest(DEFAULT_PATIENCE_S)
    await party.live(script)
