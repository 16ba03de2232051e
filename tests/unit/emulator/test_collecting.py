"""read and play_and_get_digits, as a real 1.10.12 was seen to do them."""

from __future__ import annotations

import pytest

from controlplane.emulator.channel import Channel, Digit
from controlplane.emulator.node import Node
from tests.unit.emulator.conftest import MakeSound
from tests.unit.emulator.links import Link, parked

RESULTS = ("callplane_digits", "read_result", "read_terminator_used")


def press_at(channel: Channel, *keys: tuple[int, str]) -> None:
    """Let keys be pressed so many milliseconds from now."""
    clock = channel.node.clock
    for in_ms, key in keys:
        clock.call_at_ms(clock.monotonic_ms() + in_ms, lambda key=key: channel.receive_digit(Digit(key)))  # type: ignore[misc]


async def collect(link: Link, channel: Channel, argument: str) -> dict[str, str]:
    """Run read and answer what it left in the channel's variables."""
    await link.run(channel.uuid, "read", argument, "r")
    done = await link.completed("r")
    return {name: value for name in RESULTS if (value := done.variable(name)) is not None}


async def test_a_key_stops_the_prompt_and_the_finish_key_ends_it(link: Link, node: Node, make_sound: MakeSound) -> None:
    channel = await parked(link, node)
    prompt = make_sound("prompt", 5000)
    press_at(channel, (1000, "1"), (1500, "2"), (2000, "#"))
    assert await collect(link, channel, f"1 4 {prompt} callplane_digits 3000 # 2000") == {
        "callplane_digits": "12",
        "read_result": "success",
        "read_terminator_used": "#",
    }
    assert link.story() == [
        "PLAYBACK_START",
        "DTMF 1",
        "PLAYBACK_STOP break",
        "DTMF 2",
        "DTMF #",
        "CHANNEL_EXECUTE_COMPLETE read _none_",
    ]


async def test_enough_keys_end_it(link: Link, node: Node) -> None:
    channel = await parked(link, node)
    press_at(channel, (100, "1"), (200, "2"), (300, "3"))
    assert await collect(link, channel, "1 2 silence callplane_digits 3000 # 2000") == {
        "callplane_digits": "12",
        "read_result": "success",
    }


async def test_silence_after_some_keys_is_a_timeout_with_these_keys(link: Link, node: Node) -> None:
    channel = await parked(link, node)
    press_at(channel, (100, "5"))
    began_ms = node.clock.monotonic_ms()
    assert await collect(link, channel, "1 4 silence callplane_digits 3000 # 2000") == {
        "callplane_digits": "5",
        "read_result": "timeout",
    }
    assert 2100 <= node.clock.monotonic_ms() - began_ms <= 2200


async def test_nothing_pressed_is_a_failure_without_digits(link: Link, node: Node, make_sound: MakeSound) -> None:
    channel = await parked(link, node)
    began_ms = node.clock.monotonic_ms()
    assert await collect(link, channel, f"1 4 {make_sound('p', 500)} callplane_digits 1500 # 1000") == {
        "read_result": "failure"
    }
    assert 2000 <= node.clock.monotonic_ms() - began_ms <= 2080


@pytest.mark.parametrize(
    ("most", "result"), [(4, {"read_result": "failure", "read_terminator_used": "#"}), (1, {"read_result": "success"})]
)
async def test_a_finish_key_alone_leaves_no_digits(
    link: Link, node: Node, make_sound: MakeSound, most: int, result: dict[str, str]
) -> None:
    channel = await parked(link, node)
    press_at(channel, (300, "#"))
    assert await collect(link, channel, f"1 {most} {make_sound('p', 5000)} callplane_digits 1500 # 1000") == result


async def test_a_prompt_that_is_not_there_ends_it_without_a_result(link: Link, node: Node) -> None:
    channel = await parked(link, node)
    assert await collect(link, channel, "1 3 /no/such.wav callplane_digits 1500 # 1000") == {}


async def test_a_break_stops_the_prompt_only_and_collecting_goes_on(
    link: Link, node: Node, make_sound: MakeSound
) -> None:
    channel = await parked(link, node)
    await link.run(channel.uuid, "read", f"1 4 {make_sound('p', 5000)} callplane_digits 1500 # 1000", "r")
    await link.until("PLAYBACK_START")
    await link.ask(f"api uuid_break {channel.uuid}")
    stopped_ms = node.clock.monotonic_ms()
    await link.ask(f"api uuid_break {channel.uuid}")
    await link.completed("r")
    assert node.clock.monotonic_ms() - stopped_ms >= 1500


async def test_keys_pressed_in_a_playback_before_it_are_lost_and_in_a_sleep_are_kept(link: Link, node: Node) -> None:
    results: list[str | None] = []
    for before, argument in (("playback", "silence_stream://1000"), ("sleep", "1000")):
        channel = await parked(link, node, f"+1555000{len(results)}111")
        await link.run(channel.uuid, before, argument, "before")
        press_at(channel, (500, "7"))
        await link.run(channel.uuid, "read", "1 1 silence callplane_digits 1500 # 1000", "r")
        results.append((await link.completed("r")).variable("callplane_digits"))
        link.events.clear()
    assert results == [None, "7"]


async def test_play_and_get_digits_plays_bad_input_and_tries_again(
    link: Link, node: Node, make_sound: MakeSound
) -> None:
    channel = await parked(link, node)
    prompt, bad = make_sound("prompt", 100), make_sound("bad", 100)
    press_at(channel, (300, "9"), (1200, "1"))
    await link.run(channel.uuid, "play_and_get_digits", f"1 1 3 1000 # {prompt} {bad} d [1-3] 1000", "r")
    done = await link.completed("r")
    assert (done.variable("d"), done.variable("d_invalid")) == ("1", "9")
    files = [(event.get("Playback-File-Path") or "")[-8:-4] for event in link.events if event.name == "PLAYBACK_START"]
    assert files == ["ompt", "/bad", "ompt"]
