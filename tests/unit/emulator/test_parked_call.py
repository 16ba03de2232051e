"""A parked call driven over a link: the design's way, as in the transcript link_drives_parked_call."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from controlplane.emulator.clock import VirtualClock
from controlplane.emulator.memory import MemoryNetwork
from controlplane.emulator.node import Node
from tests.unit.emulator.links import Link, open_link


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def node(clock: VirtualClock) -> Node:
    return Node(clock)


@pytest.fixture
async def link(node: Node) -> Link:
    return await open_link(MemoryNetwork(node))


@pytest.fixture
def half_second(tmp_path: Path) -> str:
    path = tmp_path / "half.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(8000))
    return str(path)


async def test_a_burst_runs_back_to_back_and_each_part_completes_under_its_token(
    link: Link, node: Node, half_second: str
) -> None:
    node.ring("+15550001111", "+15550002222")
    uuid = (await link.until("CHANNEL_PARK")).get("Unique-ID") or ""
    await link.run(uuid, "answer", "", "t1")
    await link.run(uuid, "playback", half_second, "t2")
    await link.run(uuid, "hangup", "NORMAL_CLEARING", "t3")
    await link.until("CHANNEL_HANGUP_COMPLETE")
    assert link.story(uuid) == [
        "CHANNEL_EXECUTE_COMPLETE set _none_",
        "CHANNEL_EXECUTE_COMPLETE sched_hangup _none_",
        "CHANNEL_PARK",
        "CHANNEL_PROGRESS_MEDIA",
        "CHANNEL_ANSWER",
        "CHANNEL_EXECUTE_COMPLETE answer _none_",
        "PLAYBACK_START",
        "PLAYBACK_STOP done",
        "CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED",
        "CHANNEL_EXECUTE_COMPLETE hangup _none_ NORMAL_CLEARING",
        "CHANNEL_EXECUTE_COMPLETE park _none_ NORMAL_CLEARING",
        "CHANNEL_HANGUP_COMPLETE NORMAL_CLEARING",
    ]
    [record] = node.records
    assert (record.cause, record.ended_ms - (record.answered_ms or 0)) == ("NORMAL_CLEARING", 500)
    assert [(item.what, item.to_ms - item.from_ms) for item in record.heard] == [(half_second, 500)]


async def test_an_unclaimed_call_ends_with_the_watchdogs_cause(link: Link, node: Node) -> None:
    node.ring("+15550001111", "+15550002222")
    ended = await link.until("CHANNEL_HANGUP_COMPLETE")
    assert (ended.get("Hangup-Cause"), node.clock.monotonic_ms()) == ("RECOVERY_ON_TIMER_EXPIRE", 10_040)


async def test_a_claimed_call_lives_on(link: Link, node: Node) -> None:
    channel = node.ring("+15550001111", "+15550002222")
    await link.until("CHANNEL_PARK")
    assert await link.ask(f"api sched_del {channel.uuid}") == "+OK Deleted: 1\n"
    await link.run(channel.uuid, "answer", "", "t1")
    await link.run(channel.uuid, "sleep", "15000", "t2")
    await link.completed("t2")
    assert await link.ask(f"api uuid_exists {channel.uuid}") == "true"


async def test_an_unknown_application_ends_the_call_and_no_event_says_it_ran(link: Link, node: Node) -> None:
    channel = node.ring("+15550001111", "+15550002222")
    await link.until("CHANNEL_PARK")
    await link.run(channel.uuid, "no_such_app", "x", "t1")
    await link.until("CHANNEL_HANGUP_COMPLETE")
    assert link.story()[3:] == [
        "CHANNEL_EXECUTE_COMPLETE park _none_ DESTINATION_OUT_OF_ORDER",
        "CHANNEL_HANGUP_COMPLETE DESTINATION_OUT_OF_ORDER",
    ]
    assert await link.run(channel.uuid, "set", "x=1") == f"-ERR invalid session id [{channel.uuid}]"
