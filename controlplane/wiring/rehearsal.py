"""A scenario on a real FreeSWITCH, in real time: people with telephones, who know by ear what they hear.

The call server keeps nothing, as in a simulation; the media node is somebody else's to start and to stop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from controlplane.calls.timeline import Moment
from controlplane.callserver.building import NodeParts
from controlplane.emulator.clock import RealClock
from controlplane.emulator.hearing import BEEP
from controlplane.emulator.parties import PartyLog
from controlplane.emulator.phones.calls import PhoneCall
from controlplane.emulator.phones.cast import PhoneCast
from controlplane.emulator.phones.exchange import Exchange
from controlplane.emulator.phones.recognition import KnownSound
from controlplane.emulator.phones.rtp import Samples
from controlplane.emulator.phones.sounds import beep, samples_of, spoken
from controlplane.emulator.scenarios import Scenario
from controlplane.esl.sip_uri import Hop
from controlplane.render import MediaNode
from controlplane.settings import Settings
from controlplane.speech.speaker import Speaker, provider_named
from controlplane.switch.writing import Writer
from controlplane.verbs.documents import Link
from controlplane.verbs.documents import Say as SayVerb
from controlplane.wiring.calls import connect_to
from controlplane.wiring.in_memory import InMemory, Lobby, in_memory
from controlplane.wiring.prompts import NodePrompts

_SETTLE_S, _LOOK_S = 5.0, 0.02


@dataclass(slots=True)
class _Sounds:
    """What may be heard: the prompts that were made so far, the beep, and what people say."""

    prompts: NodePrompts
    voices: Mapping[str, Samples]
    _known: dict[str, KnownSound] = field(default_factory=dict)

    @property
    def known(self) -> list[KnownSound]:
        for path, words in self.prompts.made().items():
            if path not in self._known:
                self._known[path] = KnownSound(words, samples_of(Path(path).read_bytes()))
        return [*self._known.values(), KnownSound(BEEP, beep()), *(KnownSound(*one) for one in self.voices.items())]

    def voice(self, text: str) -> Samples:
        return self.voices[text]


@dataclass(slots=True)
class Rehearsal:
    """A platform in memory on a real media node, and a telephone exchange. `perform` lets people call."""

    memory: InMemory
    exchange: Exchange
    peer: tuple[str, int]
    speaker: Speaker
    cast: PhoneCast | None = None

    async def perform(self, scenario: Scenario) -> list[PartyLog]:
        """Let everybody of a scenario act until all calls are over; answers what each party met with."""
        texts = dict.fromkeys(spoken(scenario))
        voices = {text: samples_of(await self.speaker.say(SayVerb(text, "man", "en-GB"))) for text in texts}
        self.cast = PhoneCast(self.exchange, self.peer, scenario, _Sounds(self.memory.prompts, voices))
        logs = await self.cast.perform()
        until_s = time.monotonic() + _SETTLE_S
        while not self.memory.journal.all_are_over() and time.monotonic() < until_s:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_S)  # FreeSWITCH has to say so
        return logs

    def timelines(self) -> dict[str, list[Moment]]:
        """Every call's timeline, in the order they began."""
        return self.memory.journal.timelines()

    def words(self, what: str) -> str:
        """What is known of something that was heard: its name, for telephones know sounds by that."""
        return what

    def take(self, call: PhoneCall) -> None:
        """The node dials somebody."""
        if self.cast is None:
            call.refuse(404)
        else:
            self.cast.take_call(call)


@asynccontextmanager
async def rehearsing(settings: Settings, application: Link, *, token: str, node: MediaNode) -> AsyncIterator[Rehearsal]:
    """A platform on which every number leads to one application, while the block runs.

    `settings` name the folders that the node plays from and records into.
    """
    stage: list[Rehearsal] = []

    def take(call: PhoneCall) -> None:
        stage[0].take(call)

    exchange = Exchange(take)
    await exchange.start()

    def parts(prompts: NodePrompts) -> NodeParts:
        gateway = Hop(exchange.host, exchange.port)
        writer = Writer(node.sip_profile, gateway, prompts.recordings_of(node.name), allow_private=True)
        return NodeParts(connect_to(node.esl_address, node.esl_port), node.esl_password, writer)

    try:
        async with in_memory(settings, Lobby(application, token), RealClock(), parts, name=node.name) as memory:
            peer = (node.sip_address, node.sip_port)
            stage.append(Rehearsal(memory, exchange, peer, Speaker(provider_named(settings.tts))))
            yield stage[0]
    finally:
        await exchange.stop()
