"""Scenario files, and the people who follow them."""

from __future__ import annotations

import asyncio

import pytest

from controlplane.emulator.clock import VirtualClock
from controlplane.emulator.node import Node
from controlplane.emulator.parties import Cast, PartyLog
from controlplane.emulator.reading import ScenarioError, parse_scenario
from controlplane.emulator.scenarios import (
    CalleePlan,
    CallerPlan,
    ExpectEnd,
    HangUp,
    Hear,
    Press,
    Say,
    Scenario,
    Then,
    Wait,
)
from tests.unit.emulator.conftest import MakeSound
from tests.unit.emulator.links import Link

WHOLE = """
callers:
  - from: "+15550001111"
    to: "+15550002222"
    name: Alice
    at_s: 0.5
    headers: {X-Campaign: spring}
    script:
      - {wait_s: 1}
      - {hear: "welcome*", within_s: 10}
      - {press: "12#"}
      - {say: hello there, seconds: 2}
      - {silence_s: 3}
      - {expect_end: {within_s: 5, cause: NORMAL_CLEARING}}
      - {hang_up: true}
callees:
  "+15550003333": {ring_s: 2, then: voicemail, after_answer: [{wait_s: 4}]}
  "sip:agent@example.com": {then: busy}
"""


def test_a_scenario_file_is_read_into_typed_steps() -> None:
    assert parse_scenario(WHOLE) == Scenario(
        callers=(
            CallerPlan(
                "+15550001111",
                "+15550002222",
                (
                    Wait(1.0),
                    Hear("welcome*", 10.0),
                    Press("12#"),
                    Say("hello there", 2.0),
                    Wait(3.0, is_silence=True),
                    ExpectEnd(5.0, "NORMAL_CLEARING"),
                    HangUp(),
                ),
                name="Alice",
                at_s=0.5,
                headers={"X-Campaign": "spring"},
            ),
        ),
        callees={
            "+15550003333": CalleePlan(2.0, Then.VOICEMAIL, (Wait(4.0),)),
            "sip:agent@example.com": CalleePlan(then=Then.BUSY),
        },
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "line 1: the file is empty"),
        ("callers: [", "line 1: no YAML: expected the node content, but found '<stream end>'"),
        ("calers: []", "line 1: calers: unknown; known here are application, callers, callees"),
        ("callers:\n  - to: '1'", "line 2: callers[0]: from is missing"),
        ("callers: {}", "line 1: callers: a list is wanted here"),
        (
            "callers:\n- from: '1'\n  to: '2'\n  script:\n  - {wait_s: 1}\n  - {press: 12x}",
            "line 6: callers[0].script[1].press: keys are 0 to 9, *, #, A to D (write them in quotes)",
        ),
        (
            "callers:\n- from: '1'\n  to: '2'\n  script:\n  - {wait_s: soon}",
            "line 5: callers[0].script[0].wait_s: a number of seconds is wanted here",
        ),
        (
            "callers:\n- from: '1'\n  to: '2'\n  script:\n  - {dance: 1}",
            "line 5: callers[0].script[0]: a step has exactly one of wait_s, silence_s, press, say, hear, hang_up, "
            "expect_end",
        ),
        (
            "callees:\n  '1': {then: sleep}",
            "line 2: callees.1.then: one of answer, early_media, voicemail, busy, no_answer, reject, not_found is "
            "wanted here",
        ),
        ("callees:\n  '1': {ring_s: -1}", "line 2: callees.1.ring_s: a number of seconds, 0 or more, is wanted here"),
        ("callees:\n  '1': {}\n  '1': {}", "line 3: callees: 1 stands here twice"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_place(text: str, problem: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text)
    assert caught.value.message == problem


def drive_in_background(link: Link, sounds: list[str], dials: int = 1) -> asyncio.Task[None]:
    return asyncio.create_task(drive(link, sounds, dials))


async def drive(link: Link, sounds: list[str], dials: int) -> None:
    """The other side of the tests below: answer what comes in, play, dial the agent, hang up."""
    uuid = (await link.until("CHANNEL_PARK")).get("Unique-ID") or ""
    await link.ask(f"api sched_del {uuid}")
    await link.run(uuid, "multiset", "^^;playback_terminators=none;hangup_after_bridge=false;continue_on_fail=true")
    await link.run(uuid, "answer")
    for sound in sounds:
        await link.run(uuid, "playback", sound)
    for _ in range(dials):
        await link.run(uuid, "bridge", "sofia/external/+15550003333@192.0.2.9")
    await link.run(uuid, "hangup", "NORMAL_CLEARING", "end")


async def test_a_caller_hears_presses_and_speaks_in_turn(link: Link, node: Node, make_sound: MakeSound) -> None:
    scenario = parse_scenario(
        """
        callers:
          - from: "+15550001111"
            to: "+15550002222"
            script: [{hear: welcome}, {press: "1"}, {hear: "*menu*"}, {say: agent please}, {expect_end: 20}]
        callees:
          "+15550003333": {ring_s: 1, after_answer: [{say: "agent speaking", seconds: 3}, {hang_up: true}]}
        """
    )
    welcome, menu = make_sound("a", 3000), make_sound("b", 4000)
    words = {welcome: ("Welcome to Example.",), menu: ("https://app.example/menu.mp3",)}
    cast = Cast(node, scenario, lambda what: words.get(what, ()))
    driving = drive_in_background(link, [welcome, menu])
    caller, callee = await cast.perform()
    await driving
    assert (caller.problems, callee.problems) == ([], [])
    assert caller.words() == [
        "dialled +15550002222",
        "answered",
        f"heard {welcome}",
        "pressed 1",
        f"heard {menu}",
        "said agent please",
        "ended NORMAL_CLEARING",
    ]
    assert callee.words() == [
        "called by +15550001111",
        "rings",
        "answered",
        "said agent speaking",
        "hung up",
        "ended NORMAL_CLEARING",
    ]
    assert [item.what for item in caller.heard] == [welcome, menu, f"leg:{callee.leg}"]


async def test_what_was_expected_in_vain_is_told(link: Link, node: Node, make_sound: MakeSound) -> None:
    scenario = parse_scenario(
        """
        callers:
          - from: "+15550001111"
            to: "+15550002222"
            script: [{hear: something else, within_s: 2}, {expect_end: 1}, {hang_up: true}]
        """
    )
    driving = drive_in_background(link, [make_sound("a", 9000)])
    [caller] = await Cast(node, scenario).perform()
    await driving
    assert caller.problems == ["did not hear 'something else' within 2 s", "the call did not end within 1 s"]


async def test_two_callees_may_say_the_same_one_after_another(link: Link, node: Node) -> None:
    scenario = parse_scenario(
        """
        callers:
          - from: "+15550001111"
            to: "+15550002222"
            script: [{hear: how can I help}, {hear: how can I help}, {expect_end: 20}]
        callees:
          "+15550003333": {ring_s: 1, after_answer: [{say: how can I help}, {hang_up: true}]}
        """
    )
    driving = drive_in_background(link, [], dials=2)
    logs = await Cast(node, scenario).perform()
    await driving
    assert [log.problems for log in logs] == [[], [], []]


async def test_a_caller_whom_nobody_serves_waits_until_the_end(node: Node) -> None:
    scenario = Scenario(callers=(CallerPlan("+15550001111", "+15550002222"),))
    [caller] = await Cast(node, scenario).perform()
    assert (caller.cause, caller.words()) == (
        "RECOVERY_ON_TIMER_EXPIRE",
        ["dialled +15550002222", "ended RECOVERY_ON_TIMER_EXPIRE"],
    )


async def test_a_scenario_gives_the_same_calls_each_time() -> None:
    runs = [await one_run() for _ in range(2)]
    assert runs[0] == runs[1]
    assert len(runs[0]) == 3


async def one_run() -> list[PartyLog]:
    node = Node(VirtualClock(), seed=7)
    callers = tuple(CallerPlan(f"+1555000111{n}", "+15550002222", (HangUp(),), at_s=n) for n in range(3))
    return await Cast(node, Scenario(callers)).perform()
