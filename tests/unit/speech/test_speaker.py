"""The voice of a process."""

from __future__ import annotations

import asyncio

import pytest

from controlplane.speech.speaker import Speaker
from controlplane.speech.tone import Tone
from controlplane.speech.utterance import SpeechFailed, Utterance
from controlplane.speech.wav import as_wav
from controlplane.verbs.documents import Say


class SlowTone(Tone):
    """Beeps when it is told to go on, and counts who is in at once."""

    def __init__(self) -> None:
        self.may_go_on = asyncio.Event()
        self.inside, self.most_inside = 0, 0

    async def render(self, utterance: Utterance) -> bytes:
        self.inside += 1
        self.most_inside = max(self.inside, self.most_inside)
        try:
            await self.may_go_on.wait()
            return await super().render(utterance)
        finally:
            self.inside -= 1


async def test_a_say_is_spoken_by_the_engine() -> None:
    speaker = Speaker(Tone())

    assert await speaker.say(Say("abcde")) == await Tone().render(Utterance("abcde", "en-us", "male"))  # type: ignore[arg-type]
    assert (speaker.name, speaker.missing()) == ("tone.1", [])


async def test_blank_text_is_a_frame_of_silence() -> None:
    assert await Speaker(Tone()).say(Say(" \n\x00")) == as_wav(bytes(320))


async def test_only_so_many_engines_run_at_once() -> None:
    engine = SlowTone()
    speaker = Speaker(engine, at_once=3)
    tasks = [asyncio.create_task(speaker.say(Say(f"text {number}"))) for number in range(20)]
    while engine.inside < 3:
        await asyncio.sleep(0)

    engine.may_go_on.set()

    assert len(await asyncio.gather(*tasks)) == 20
    assert engine.most_inside == 3


async def test_a_text_that_waits_too_long_for_its_turn_is_not_spoken() -> None:
    engine = SlowTone()
    speaker = Speaker(engine, at_once=1, wait_s=0.05)
    first = asyncio.create_task(speaker.say(Say("first")))
    while not engine.inside:
        await asyncio.sleep(0)

    with pytest.raises(SpeechFailed, match="too many texts are waiting"):
        await speaker.say(Say("second"))

    engine.may_go_on.set()
    assert await first


async def test_a_canceled_text_gives_its_turn_back() -> None:
    engine = SlowTone()
    speaker = Speaker(engine, at_once=1)
    first = asyncio.create_task(speaker.say(Say("first")))
    while not engine.inside:
        await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first

    engine.may_go_on.set()

    assert await speaker.say(Say("second"))
