"""bridge: who answers first, how it ends, and what the caller's channel does after it."""

from __future__ import annotations

import pytest

from controlplane.emulator.channel import Digit
from controlplane.emulator.clock import VirtualClock
from controlplane.emulator.memory import MemoryNetwork
from controlplane.emulator.node import Node
from controlplane.emulator.rules import Races
from controlplane.emulator.scenarios import CalleePlan, HangUp, Say, Then, Wait
from tests.unit.emulator.conftest import MakeSound
from tests.unit.emulator.conversations import B1, B2, KEPT, bridged, leg, people, told
from tests.unit.emulator.links import Link, open_link, parked


async def test_a_callee_answers_talks_and_hangs_up(link: Link, node: Node) -> None:
    people(node, agent=CalleePlan(after_answer=(Say("hello", 2), HangUp())))
    channel = await parked(link, node)
    assert await bridged(link, channel, leg("agent")) == {
        "originate_disposition": "SUCCESS",
        "DIALSTATUS": "SUCCESS",
        "last_bridge_to": B1,
        "bridge_hangup_cause": "NORMAL_CLEARING",
    }
    assert told(link, B1) == ["CHANNEL_PROGRESS", "CHANNEL_ANSWER", "CHANNEL_HANGUP_COMPLETE NORMAL_CLEARING"]
    assert told(link, channel.uuid) == [
        "CHANNEL_BRIDGE",
        "CHANNEL_UNBRIDGE",
        "CHANNEL_EXECUTE_COMPLETE bridge _none_",
    ]
    bridge = await link.until("CHANNEL_BRIDGE")
    assert (bridge.get("Bridge-A-Unique-ID"), bridge.get("Bridge-B-Unique-ID")) == (channel.uuid, B1)
    assert (channel.hears.items[-1].what, channel.hears.items[-1].to_ms - channel.hears.items[-1].from_ms) == (
        f"leg:{B1}",
        1980,
    )


@pytest.mark.parametrize(
    ("then", "disposition", "status", "sip_status"),
    [
        (Then.BUSY, "USER_BUSY", "BUSY", "486"),
        (Then.REJECT, "CALL_REJECTED", "DONTCALL", "603"),
        (Then.NOT_FOUND, "UNALLOCATED_NUMBER", "UNALLOCATED_NUMBER", "404"),
    ],
)
async def test_a_refusal_is_told_and_the_caller_stays(
    link: Link, node: Node, then: Then, disposition: str, status: str, sip_status: str
) -> None:
    people(node, agent=CalleePlan(then=then))
    channel = await parked(link, node)
    assert await bridged(link, channel, leg("agent")) == {
        "originate_disposition": disposition,
        "DIALSTATUS": status,
        "originate_failed_cause": disposition,
    }
    assert (await link.until("CHANNEL_HANGUP_COMPLETE")).variable("sip_term_status") == sip_status
    assert channel.uuid in node.channels


async def test_a_refusal_ends_the_caller_who_is_not_to_go_on(link: Link, node: Node) -> None:
    people(node, agent=CalleePlan(then=Then.BUSY))
    channel = await parked(link, node)
    await link.run(channel.uuid, "bridge", leg("agent"), "b")
    assert (await link.until("CHANNEL_HANGUP_COMPLETE", Unique_ID=channel.uuid)).get("Hangup-Cause") == "USER_BUSY"


async def test_nobody_answers_in_time(link: Link, node: Node) -> None:
    people(node, agent=CalleePlan(then=Then.NO_ANSWER))
    channel = await parked(link, node)
    began_ms = node.clock.monotonic_ms()
    result = await bridged(link, channel, "{originate_timeout=3}" + leg("agent"))
    assert (result["originate_disposition"], result["DIALSTATUS"]) == ("NO_ANSWER", "NOANSWER")
    assert 2000 <= node.clock.monotonic_ms() - began_ms <= 3100
    ended = await link.until("CHANNEL_HANGUP_COMPLETE", Unique_ID=B1)
    assert (ended.get("Hangup-Cause"), ended.variable("sip_hangup_disposition")) == ("NO_ANSWER", "send_cancel")


async def test_the_first_answer_wins_and_the_other_loses_the_race(link: Link, node: Node) -> None:
    people(node, slow=CalleePlan(ring_s=5), quick=CalleePlan(ring_s=2, after_answer=(Wait(1), HangUp())))
    channel = await parked(link, node)
    result = await bridged(link, channel, f"{leg('slow', B1)},{leg('quick', B2)}")
    assert (result["originate_disposition"], result["last_bridge_to"]) == ("SUCCESS", B2)
    causes = [event.get("Hangup-Cause") for event in link.events if event.name == "CHANNEL_HANGUP_COMPLETE"]
    assert causes == ["LOSE_RACE", "NORMAL_CLEARING"]


async def test_legs_in_turn_after_a_leg_timeout(link: Link, node: Node) -> None:
    people(node, nobody=CalleePlan(then=Then.NO_ANSWER), agent=CalleePlan(after_answer=(Wait(1), HangUp())))
    channel = await parked(link, node)
    result = await bridged(link, channel, f"{leg('nobody', B1, leg_timeout='2')}|{leg('agent', B2)}")
    assert result["last_bridge_to"] == B2
    assert (await link.until("CHANNEL_HANGUP_COMPLETE", Unique_ID=B1)).get("Hangup-Cause") == "ALLOTTED_TIMEOUT"


async def test_an_unanswered_caller_hears_our_ringback_and_is_answered_with_the_callee(link: Link, node: Node) -> None:
    people(node, agent=CalleePlan(ring_s=2, after_answer=(Wait(1), HangUp())))
    channel = await parked(link, node, answered=False)
    await bridged(link, channel, leg("agent"), f"{KEPT};ringback=%(2000,4000,440,480)")
    assert told(link, channel.uuid)[:3] == ["CHANNEL_PROGRESS_MEDIA", "CHANNEL_ANSWER", "CHANNEL_BRIDGE"]
    assert [item.what for item in channel.hears.items] == ["ringback", f"leg:{B1}"]


async def test_without_a_ringback_the_caller_gets_180(link: Link, node: Node) -> None:
    people(node, agent=CalleePlan(then=Then.BUSY))
    channel = await parked(link, node, answered=False)
    await bridged(link, channel, leg("agent"))
    assert told(link, channel.uuid)[0] == "CHANNEL_PROGRESS"


async def test_early_media_is_an_answer_unless_it_is_ignored(link: Link, node: Node) -> None:
    people(node, agent=CalleePlan(then=Then.EARLY_MEDIA, after_answer=(Wait(1), HangUp())))
    order = []
    for number, dial in enumerate((leg("agent"), "{ignore_early_media=true}" + leg("agent"))):
        channel = await parked(link, node, f"+155500011{number}1")
        await bridged(link, channel, dial)
        names = [event.name for event in link.events if event.name in ("CHANNEL_BRIDGE", "CHANNEL_ANSWER")]
        order.append(names)
        link.events.clear()
    assert order == [["CHANNEL_BRIDGE", "CHANNEL_ANSWER"], ["CHANNEL_ANSWER", "CHANNEL_BRIDGE"]]


async def test_the_star_key_ends_the_conversation_and_the_caller_stays(link: Link, node: Node) -> None:
    people(node, agent=CalleePlan())
    channel = await parked(link, node)
    await link.run(channel.uuid, "multiset", f"{KEPT};bridge_terminate_key=*")
    await link.run(channel.uuid, "bridge", leg("agent"), "b")
    await link.until("CHANNEL_BRIDGE")
    channel.receive_digit(Digit("5"))
    channel.receive_digit(Digit("*"))
    await link.completed("b")
    assert [event.get("DTMF-Digit") for event in link.events if event.name == "DTMF"] == ["5", "*"]
    assert (await link.until("CHANNEL_HANGUP_COMPLETE", Unique_ID=B1)).get("Hangup-Cause") == "NORMAL_CLEARING"
    [record] = [one for one in node.records if one.uuid == B1]
    assert [key for _, key in record.digits_sent] == ["5"]


async def test_a_caller_who_hangs_up_ends_ringing_and_talking_legs(link: Link, node: Node) -> None:
    causes = []
    for number, plan in enumerate((CalleePlan(then=Then.NO_ANSWER), CalleePlan())):
        people(node, agent=plan)
        channel = await parked(link, node, f"+155500011{number}1")
        await link.run(channel.uuid, "bridge", leg("agent"), "b")
        await link.until("CHANNEL_PROGRESS" if number == 0 else "CHANNEL_BRIDGE")
        await link.ask(f"api uuid_kill {channel.uuid}")
        causes.append((await link.until("CHANNEL_HANGUP_COMPLETE", Unique_ID=B1)).get("Hangup-Cause"))
        await link.until("CHANNEL_HANGUP_COMPLETE", Unique_ID=channel.uuid)
        link.events.clear()
    assert causes == ["ORIGINATOR_CANCEL", "NORMAL_CLEARING"]


async def test_what_is_queued_behind_a_bridge_runs_after_it(link: Link, node: Node, make_sound: MakeSound) -> None:
    people(node, agent=CalleePlan(after_answer=(Wait(1), HangUp())))
    channel = await parked(link, node)
    await link.run(channel.uuid, "multiset", KEPT)
    await link.run(channel.uuid, "bridge", leg("agent"), "b")
    await link.run(channel.uuid, "playback", make_sound("half", 500), "p")
    assert (await link.completed("p")).get("Application-Response") == "FILE PLAYED"


async def test_park_after_bridge_spoils_what_is_queued_behind_the_bridge(
    link: Link, node: Node, make_sound: MakeSound
) -> None:
    people(node, agent=CalleePlan(after_answer=(Wait(1), HangUp())))
    channel = await parked(link, node)
    await link.run(channel.uuid, "multiset", f"{KEPT};park_after_bridge=true")
    await link.run(channel.uuid, "bridge", leg("agent", B1), "b1")
    await link.run(channel.uuid, "playback", make_sound("half", 500), "p")
    await link.run(channel.uuid, "bridge", leg("agent", B2), "b2")
    await link.until("CHANNEL_PARK")
    assert (await link.completed("p")).get("Application-Response") == "PLAYBACK ERROR"
    assert (await link.completed("b2")).variable("originate_disposition") == "ORIGINATOR_CANCEL"


async def test_a_second_bridge_with_park_after_bridge_leaves_a_deaf_channel(link: Link, node: Node) -> None:
    people(node, agent=CalleePlan(after_answer=(Wait(1), HangUp())))
    channel = await parked(link, node)
    await link.run(channel.uuid, "multiset", f"{KEPT};park_after_bridge=true")
    await link.run(channel.uuid, "bridge", leg("agent", B1), "b1")
    await link.until("CHANNEL_PARK")
    await link.run(channel.uuid, "bridge", leg("agent", B2), "b2")
    await link.completed("b2")
    await link.run(channel.uuid, "set", "x=1", "never")
    await node.clock.sleep(30)
    assert [event.get("Application-UUID") for event in link.events if event.get("Application-UUID") == "never"] == []
    await link.ask(f"api uuid_kill {channel.uuid}")
    await link.until("CHANNEL_HANGUP_COMPLETE", Unique_ID=channel.uuid)


async def test_what_runs_when_the_callee_answers_ends_before_the_two_are_joined(link: Link, node: Node) -> None:
    people(node, agent=CalleePlan(after_answer=(Wait(20),)))
    channel = await parked(link, node)
    await bridged(link, channel, leg("agent", execute_on_answer_1="'sched_hangup +5 ALLOTTED_TIMEOUT'"))
    assert told(link, B1)[:3] == [
        "CHANNEL_PROGRESS",
        "CHANNEL_ANSWER",
        "CHANNEL_EXECUTE_COMPLETE sched_hangup _none_",
    ]
    assert (await link.until("CHANNEL_HANGUP_COMPLETE", Unique_ID=B1)).get("Hangup-Cause") == "ALLOTTED_TIMEOUT"


async def test_an_application_for_the_conversation_waits_behind_a_locked_bridge(link: Link, node: Node) -> None:
    people(node, agent=CalleePlan(after_answer=(Wait(2), HangUp())))
    settings = f"{KEPT};bridge_pre_execute_aleg_app=set;bridge_pre_execute_aleg_data=seen=1"
    for is_locked, expected in ((True, ["bridge", "set"]), (False, ["set", "bridge"])):
        channel = await parked(link, node, f"+1555000{int(is_locked)}111")
        await link.run(channel.uuid, "multiset", settings)
        await link.run(channel.uuid, "bridge", leg("agent"), "b", is_locked=is_locked)
        await link.until("CHANNEL_EXECUTE_COMPLETE", Application="bridge")
        await link.until("CHANNEL_EXECUTE_COMPLETE", Application="set")
        apps = [event.get("Application") for event in link.events if event.name == "CHANNEL_EXECUTE_COMPLETE"]
        assert [app for app in apps if app in ("bridge", "set")] == expected
        link.events.clear()


async def test_a_break_does_not_end_a_bridge_but_a_transfer_does(link: Link, node: Node) -> None:
    people(node, agent=CalleePlan())
    channel = await parked(link, node)
    await link.run(channel.uuid, "multiset", KEPT)
    await link.run(channel.uuid, "bridge", leg("agent"), "b")
    await link.until("CHANNEL_BRIDGE")
    await link.ask(f"api uuid_break {channel.uuid} all")
    await node.clock.sleep(2)
    assert channel.partner is not None
    await link.ask(f"api uuid_transfer {channel.uuid} park inline")
    await link.until("CHANNEL_PARK")
    assert told(link, channel.uuid) == [
        "CHANNEL_BRIDGE",
        "CHANNEL_UNBRIDGE",
        "CHANNEL_EXECUTE_COMPLETE bridge _none_",
        "CHANNEL_EXECUTE_COMPLETE park _none_",
        "CHANNEL_PARK",
    ]


async def test_the_conversation_goes_on_when_all_links_are_lost() -> None:
    clock = VirtualClock()
    node = Node(clock)
    network = MemoryNetwork(node)
    people(node, agent=CalleePlan(after_answer=(Wait(5), HangUp())))
    link = await open_link(network)
    channel = await parked(link, node)
    await link.run(channel.uuid, "multiset", KEPT)
    await link.run(channel.uuid, "bridge", leg("agent"), "b")
    await link.until("CHANNEL_BRIDGE")
    network.sever_all()
    await link.when(lambda: link.is_lost)
    second = await open_link(network)
    assert await second.ask(f"api uuid_getvar {channel.uuid} current_application") == "bridge"
    await second.completed("b")
    assert channel.uuid in node.channels


async def test_with_races_either_channel_may_tell_first_that_the_callee_is_gone(clock: VirtualClock) -> None:
    orders = set()
    for seed in range(8):
        node = Node(clock, races=Races(seed))
        people(node, agent=CalleePlan(after_answer=(Wait(1), HangUp())))
        link = await open_link(MemoryNetwork(node))
        channel = await parked(link, node)
        await bridged(link, channel, leg("agent"))
        await link.until("CHANNEL_HANGUP_COMPLETE")
        names = [event.name for event in link.events if event.name in ("CHANNEL_UNBRIDGE", "CHANNEL_HANGUP_COMPLETE")]
        orders.add(tuple(names))
    assert orders == {
        ("CHANNEL_UNBRIDGE", "CHANNEL_HANGUP_COMPLETE"),
        ("CHANNEL_HANGUP_COMPLETE", "CHANNEL_UNBRIDGE"),
    }
