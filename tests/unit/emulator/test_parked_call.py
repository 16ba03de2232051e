"""A parked call driven over a link: the design's way, as in the transcript link_drives_parked_call."""

from __future__ import annotations

from controlplane.emulator.node import Node
from controlplane.emulator.signalling import far_end_hangs_up
from tests.unit.emulator.conftest import MakeSound
from tests.unit.emulator.links import Link, parked


async def test_a_burst_runs_back_to_back_and_each_part_completes_under_its_token(
    link: Link, node: Node, make_sound: MakeSound
) -> None:
    half_second = make_sound("half", 500)
    uuid = node.ring("+15550001111", "+15550002222").uuid
    await link.until("CHANNEL_PARK")
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


async def test_an_unlocked_message_runs_inside_the_application_that_runs(
    link: Link, node: Node, make_sound: MakeSound
) -> None:
    channel = await parked(link, node)
    await link.run(channel.uuid, "playback", make_sound("long", 5000), "outer", is_locked=False)
    await link.until("PLAYBACK_START")
    await link.run(channel.uuid, "playback", make_sound("half", 500), "inner", is_locked=False)
    await link.completed("outer")
    tokens = [event.get("Application-UUID") for event in link.events if event.name == "CHANNEL_EXECUTE_COMPLETE"]
    assert tokens == ["inner", "outer"]
    outer, *_ = (event for event in link.events if event.name == "PLAYBACK_START")
    assert node.clock.monotonic_ms() >= 5500, "a file that is not read stands still"
    assert (outer.get("Playback-File-Path") or "").endswith("long.wav")


async def test_an_unlocked_hangup_waits_while_a_locked_prompt_plays(
    link: Link, node: Node, make_sound: MakeSound
) -> None:
    channel = await parked(link, node)
    await link.run(channel.uuid, "playback", make_sound("long", 5000), "p", is_locked=True)
    await link.until("PLAYBACK_START")
    await link.run(channel.uuid, "hangup", "USER_BUSY", "h", is_locked=False)
    await link.until("CHANNEL_HANGUP_COMPLETE")
    assert link.story()[-5:-2] == [
        "PLAYBACK_STOP done",
        "CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED",
        "CHANNEL_EXECUTE_COMPLETE hangup _none_ USER_BUSY",
    ]


async def test_an_unlocked_hangup_cuts_an_unlocked_prompt(link: Link, node: Node, make_sound: MakeSound) -> None:
    channel = await parked(link, node)
    await link.run(channel.uuid, "playback", make_sound("long", 5000), "p", is_locked=False)
    await link.until("PLAYBACK_START")
    await link.run(channel.uuid, "hangup", "USER_BUSY", "h", is_locked=False)
    await link.until("CHANNEL_HANGUP_COMPLETE")
    [record] = node.records
    assert record.heard[0].to_ms - record.heard[0].from_ms < 100


async def test_a_break_ends_what_runs_and_the_next_begins_a_frame_later(
    link: Link, node: Node, make_sound: MakeSound
) -> None:
    channel = await parked(link, node)
    await link.run(channel.uuid, "playback", make_sound("long", 5000), "p1")
    await link.run(channel.uuid, "playback", make_sound("half", 500), "p2")
    await link.until("PLAYBACK_START")
    assert await link.ask(f"api uuid_break {channel.uuid}") == "+OK\n"
    await link.completed("p2")
    assert link.story() == [
        "PLAYBACK_START",
        "PLAYBACK_STOP break",
        "CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED",
        "PLAYBACK_START",
        "PLAYBACK_STOP done",
        "CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED",
    ]
    first, second = channel.hears.items
    assert second.from_ms - first.to_ms == 20


async def test_break_all_forgets_what_is_queued(link: Link, node: Node, make_sound: MakeSound) -> None:
    channel = await parked(link, node)
    await link.run(channel.uuid, "playback", make_sound("long", 5000), "p1")
    await link.run(channel.uuid, "playback", make_sound("half", 500), "p2")
    await link.until("PLAYBACK_START")
    await link.ask(f"api uuid_break {channel.uuid} all")
    await link.completed("p1")
    await link.run(channel.uuid, "set", "x=1", "after")
    await link.completed("after")
    assert [event.get("Application-UUID") for event in link.events if event.name == "CHANNEL_EXECUTE_COMPLETE"] == [
        "p1",
        "after",
    ]


async def test_a_sound_that_is_played_twice_is_heard_twice(link: Link, node: Node, make_sound: MakeSound) -> None:
    channel, half = await parked(link, node), make_sound("half", 500)
    await link.run(channel.uuid, "playback", f"file_string://{half}!{half}", "p")
    await link.completed("p")
    first, second = channel.hears.items
    assert [first.what, second.what] == [half, half]
    assert [first.to_ms - first.from_ms, second.from_ms - first.to_ms, second.to_ms - second.from_ms] == [500, 0, 500]


async def test_a_prompt_that_is_not_there_is_told_and_the_next_goes_on(
    link: Link, node: Node, make_sound: MakeSound
) -> None:
    channel = await parked(link, node)
    await link.run(channel.uuid, "playback", "/no/such/file.wav", "p1")
    await link.run(channel.uuid, "playback", f"file_string:///no/such.wav!{make_sound('half', 500)}", "p2")
    await link.completed("p2")
    assert link.story() == [
        "CHANNEL_EXECUTE_COMPLETE playback FILE NOT FOUND",
        "PLAYBACK_START",
        "PLAYBACK_STOP done",
        "CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED",
    ]


async def test_a_prompt_is_told_played_when_we_end_the_call_and_an_error_when_the_caller_does(
    link: Link, node: Node, make_sound: MakeSound
) -> None:
    responses = []
    for ends_it in ("us", "caller"):
        channel = await parked(link, node)
        await link.run(channel.uuid, "playback", make_sound("long", 5000), "p")
        await link.until("PLAYBACK_START")
        if ends_it == "us":
            await link.ask(f"api uuid_kill {channel.uuid}")
        else:
            far_end_hangs_up(channel)
        responses.append((await link.completed("p")).get("Application-Response"))
    assert responses == ["FILE PLAYED", "PLAYBACK ERROR"]


async def test_an_unanswered_call_gets_early_media_for_a_prompt(link: Link, node: Node, make_sound: MakeSound) -> None:
    channel = await parked(link, node, answered=False)
    await link.run(channel.uuid, "playback", make_sound("half", 500), "p")
    await link.run(channel.uuid, "answer", "", "a")
    await link.completed("a")
    assert link.story() == [
        "CHANNEL_PROGRESS_MEDIA",
        "PLAYBACK_START",
        "PLAYBACK_STOP done",
        "CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED",
        "CHANNEL_ANSWER",
        "CHANNEL_EXECUTE_COMPLETE answer _none_",
    ]


async def test_a_caller_who_gives_up_before_the_answer_has_cancelled(link: Link, node: Node) -> None:
    channel = await parked(link, node, answered=False)
    far_end_hangs_up(channel)
    ended = await link.until("CHANNEL_HANGUP_COMPLETE")
    assert (ended.get("Hangup-Cause"), ended.variable("sip_term_status"), ended.variable("sip_hangup_disposition")) == (
        "ORIGINATOR_CANCEL",
        "487",
        "recv_cancel",
    )


async def test_transfer_to_park_leaves_what_runs_and_keeps_the_queue(
    link: Link, node: Node, make_sound: MakeSound
) -> None:
    channel = await parked(link, node)
    await link.run(channel.uuid, "playback", make_sound("long", 5000), "p1")
    await link.until("PLAYBACK_START")
    assert await link.ask(f"api uuid_transfer {channel.uuid} park inline") == "+OK\n"
    await link.until("CHANNEL_PARK")
    await link.run(channel.uuid, "playback", make_sound("half", 500), "p2")
    await link.completed("p2")
    assert link.story() == [
        "PLAYBACK_START",
        "PLAYBACK_STOP done",
        "CHANNEL_EXECUTE_COMPLETE playback PLAYBACK ERROR",
        "CHANNEL_EXECUTE_COMPLETE park PLAYBACK ERROR",
        "CHANNEL_PARK",
        "PLAYBACK_START",
        "PLAYBACK_STOP done",
        "CHANNEL_EXECUTE_COMPLETE playback FILE PLAYED",
    ]
