"""record and record_session: when they end, what they say, what is in the file."""

from __future__ import annotations

import wave
from pathlib import Path

from controlplane.emulator.channel import Channel, Digit
from controlplane.emulator.node import Node
from tests.unit.emulator.links import Link, parked


def speak(channel: Channel, from_ms: int, to_ms: int) -> None:
    """Let the caller speak between two times from now."""
    clock = channel.node.clock
    now_ms = clock.monotonic_ms()
    clock.call_at_ms(now_ms + from_ms, lambda: channel.says.begin("say:hello", clock.monotonic_ms()))
    clock.call_at_ms(now_ms + to_ms, lambda: channel.says.begin(None, clock.monotonic_ms()))


def loud_ms(path: Path, track: int = 0) -> list[int]:
    """In which tenths of a second a track sounds, as a list of 0 and 1."""
    with wave.open(str(path)) as file:
        channels, frames = file.getnchannels(), file.readframes(file.getnframes())
    samples = memoryview(frames).cast("h")[track::channels].tolist()
    return [int(any(abs(one) > 500 for one in samples[at : at + 800])) for at in range(0, len(samples), 800)]


async def record(link: Link, channel: Channel, argument: str) -> dict[str, str | None]:
    await link.run(channel.uuid, "record", argument, "r")
    done = await link.completed("r")
    names = ("record_ms", "record_samples", "playback_terminator_used", "silence_hits_exhausted")
    return {name: value for name in names if (value := done.variable(name)) is not None}


async def test_it_ends_after_silence_and_the_file_holds_what_was_said(link: Link, node: Node, tmp_path: Path) -> None:
    channel = await parked(link, node)
    speak(channel, 500, 1500)
    path = tmp_path / "message.wav"
    assert await record(link, channel, f"{path} 30 200 2") == {
        "record_ms": "3500",
        "record_samples": "28000",
        "silence_hits_exhausted": "true",
    }
    assert loud_ms(path) == [0] * 5 + [1] * 10 + [0] * 20


async def test_it_ends_at_a_key_of_the_terminators_and_not_at_another(link: Link, node: Node, tmp_path: Path) -> None:
    channel = await parked(link, node)
    await link.run(channel.uuid, "set", "playback_terminators=#")
    clock = node.clock
    for in_ms, key in ((700, "1"), (1400, "#")):
        clock.call_at_ms(clock.monotonic_ms() + in_ms, lambda key=key: channel.receive_digit(Digit(key)))  # type: ignore[misc]
    result = await record(link, channel, f"{tmp_path / 'm.wav'} 30 200 5")
    assert (result["playback_terminator_used"], result["silence_hits_exhausted"]) == ("#", "false")
    assert [line for line in link.story() if line.startswith("DTMF")] == ["DTMF 1", "DTMF #"]


async def test_a_limit_counts_whole_seconds(link: Link, node: Node, tmp_path: Path) -> None:
    channel = await parked(link, node)
    speak(channel, 0, 9000)
    length_ms = int((await record(link, channel, f"{tmp_path / 'm.wav'} 2 200 5"))["record_ms"] or 0)
    assert 2000 <= length_ms <= 3020


async def test_a_file_that_cannot_be_made_ends_the_call(link: Link, node: Node) -> None:
    channel = await parked(link, node)
    await link.run(channel.uuid, "record", "/no/such/folder/m.wav 30 200 2", "r")
    assert (await link.until("CHANNEL_HANGUP_COMPLETE")).get("Hangup-Cause") == "DESTINATION_OUT_OF_ORDER"


async def test_a_session_is_recorded_with_the_caller_left_and_the_prompt_right(
    link: Link, node: Node, tmp_path: Path
) -> None:
    channel = await parked(link, node)
    path = tmp_path / "session.wav"
    await link.run(channel.uuid, "multiset", "^^;RECORD_STEREO=true")
    await link.run(channel.uuid, "record_session", f"{path} +60")
    speak(channel, 500, 1000)
    await link.run(channel.uuid, "playback", "tone_stream://%(400,100,440)")
    await link.run(channel.uuid, "playback", "silence_stream://1000")
    await link.run(channel.uuid, "stop_record_session", str(path), "s")
    await link.completed("s")
    stopped = await link.until("RECORD_STOP")
    assert (stopped.get("Record-File-Path"), stopped.variable("record_ms")) == (str(path), "1500")
    assert sum(loud_ms(path, 0)) in (5, 6)
    assert loud_ms(path, 1)[:6] == [1, 1, 1, 1, 1, 0]


async def test_a_session_that_the_hangup_ends_is_written_too(link: Link, node: Node, tmp_path: Path) -> None:
    channel = await parked(link, node)
    path = tmp_path / "session.wav"
    assert await link.ask(f"api uuid_record {channel.uuid} start {path}") == "+OK Success\n"
    await link.run(channel.uuid, "hangup", "NORMAL_CLEARING")
    assert (await link.until("RECORD_STOP")).get("Record-File-Path") == str(path)
    await link.until("CHANNEL_HANGUP_COMPLETE")
    assert path.exists()
