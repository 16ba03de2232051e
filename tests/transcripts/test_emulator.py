"""The emulator held against a real FreeSWITCH 1.10.12: the same commands, the same story, at the same times.

Each transcript that is about what the call server uses is said to the emulator over again. What is told of each channel
must be the same event by event: name, states, application and its data, response, cause, key, token. Differences are
named in `stories.py`, where they are left out. The others of the recorded conversations are about what is not used:
sockets of a call's own that are lost or moved, conferences, speech, audio over UDP, intercept.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from controlplane.esl.frames import EslEvent
from tests.transcripts.replaying import Replay
from tests.transcripts.stories import Told, compared

HELD_AGAINST = (
    "answer_play_hangup", "break_and_broadcast", "bridge_answered_a_hangs_up", "bridge_answered_b_hangs_up",
    "bridge_busy", "bridge_no_answer", "bridge_ring_all", "caller_cancels_before_answer", "caller_hangs_up_mid_play",
    "claim_by_cancelling_the_watchdog", "duplicate_origination_uuid", "gather_digits_events",
    "injected_newline_in_caller_name", "link_drives_parked_call", "link_filter_by_uuid_suffix",
    "links_lost_while_bridged", "originate_results", "park_timeout_cleared", "play_and_get_digits",
    "pre_answer_reject", "queue_several_commands", "record_message", "record_session", "resync_channels",
)  # fmt: skip

# Two frames of 20 ms; in the lab a frame was late now and then.
TOLERANCE_MS = 40
# Time-outs of whole seconds depend on where in a second the call began.
WITH_WHOLE_SECONDS = {"bridge_no_answer", "originate_results", "park_timeout_cleared"}
# A broadcast waits for five frames of the caller's voice, ten at most: people of the emulator always send frames, the
# recorded caller was parked and sent none.
MORE_TOLERANCE_MS = {"break_and_broadcast": 120}


async def stories(name: str, folder: Path) -> list[tuple[str, list[Told], list[Told]]]:
    """For each wire and channel what FreeSWITCH told and what the emulator told."""
    replay = Replay(name, folder)
    await replay.run()
    pairs = []
    is_socket = any(wire.startswith("outbound") for wire in replay.links)
    for wire, link in replay.links.items():
        events = [one.event for one in replay.lines if one.wire == wire and one.event is not None]
        real = compared([event for event in events if event.name != "CHANNEL_DATA"], replay.wanted, is_socket=is_socket)
        ours = compared(link.events, replay.wanted, is_socket=is_socket)
        legs = sorted(set(real) | set(ours))
        pairs += [(f"{wire} {leg}", real.get(leg, []), ours.get(leg, [])) for leg in legs]
    return pairs


@pytest.mark.parametrize("name", HELD_AGAINST)
async def test_the_emulator_tells_the_story_that_freeswitch_told(name: str, tmp_path: Path) -> None:
    pairs = await stories(name, tmp_path)
    assert [(place, real) for place, real, _ in pairs] == [(place, ours) for place, _, ours in pairs]
    assert any(real for _, real, _ in pairs)


@pytest.mark.parametrize("name", [name for name in HELD_AGAINST if name not in WITH_WHOLE_SECONDS])
async def test_the_emulator_takes_the_time_that_freeswitch_took(name: str, tmp_path: Path) -> None:
    for place, real, ours in await stories(name, tmp_path):
        late_ms = [
            (mine.at_ms - ours[0].at_ms) - (theirs.at_ms - real[0].at_ms)
            for theirs, mine in zip(real, ours, strict=True)
        ]
        assert max(map(abs, late_ms), default=0) <= MORE_TOLERANCE_MS.get(name, TOLERANCE_MS), (place, late_ms)


# Headers that an event may lack or have more of, because they tell of SIP and audio that are not there.
_OF_SIP = (
    "variable_sip_",
    "variable_rtp_",
    "variable_switch_",
    "variable_remote_",
    "variable_local_",
    "variable_write_",
)


def headers_of(events: list[EslEvent], leg: str) -> dict[tuple[str, str], set[str]]:
    """For each event and state of a channel the headers that it always has, variables of SIP and audio left out."""
    found: dict[tuple[str, str], set[str]] = {}
    for event in events:
        if event.get("Unique-ID") == leg and event.get("Application") not in ("socket", "park"):
            names = {name for name, _ in event.headers.items() if not name.startswith(_OF_SIP)}
            key = (event.name, f"{event.get('Channel-State')} {event.get('Answer-State')}")
            found[key] = found.get(key, names) & names
    return found


# What the call server reads of each event (switch/translation.py, switch/link.py).
READ = ("Event-Name", "Core-UUID", "Unique-ID", "Caller-Caller-ID-Number", "Caller-Caller-ID-Name",
        "Caller-Destination-Number", "Call-Direction", "Answer-State", "Channel-Call-UUID")  # fmt: skip
READ_OF = {
    "CHANNEL_BRIDGE": ("Bridge-A-Unique-ID", "Bridge-B-Unique-ID"),
    "CHANNEL_UNBRIDGE": ("Bridge-A-Unique-ID", "Bridge-B-Unique-ID", "variable_last_bridge_to"),
    "CHANNEL_EXECUTE_COMPLETE": ("Application", "Application-Response", "Application-UUID"),
    "CHANNEL_HANGUP_COMPLETE": ("Hangup-Cause", "variable_endpoint_disposition", "variable_hangup_cause",
                                "variable_hangup_cause_q850", "variable_sip_hangup_disposition", "variable_billmsec"),
    "DTMF": ("DTMF-Digit", "DTMF-Duration", "DTMF-Source"),
    "PLAYBACK_STOP": ("Playback-Status", "Playback-File-Path", "variable_playback_ms"),
    "RECORD_STOP": ("Record-File-Path", "variable_record_ms", "variable_record_seconds", "variable_record_samples"),
}  # fmt: skip


# Headers that the emulator does not give: which dialplan moved a channel, which profile of the other leg's it was.
_NOT_GIVEN = {"Caller-Transfer-Source", "Other-Leg-Profile-Index"}


@pytest.mark.parametrize(
    "name", ["link_drives_parked_call", "gather_digits_events", "record_session", "bridge_answered_b_hangs_up"]
)
async def test_an_event_has_the_headers_that_freeswitch_gives_it(name: str, tmp_path: Path) -> None:
    replay = Replay(name, tmp_path)
    await replay.run()
    for wire, link in replay.links.items():
        real_events = [one.event for one in replay.lines if one.wire == wire and one.event is not None]
        for leg in sorted(replay.wanted):
            real, ours = headers_of(real_events, leg), headers_of(link.events, leg)
            for key in real.keys() & ours.keys():
                wanted = {*READ, *READ_OF.get(key[0], ())} & real[key]
                assert wanted <= ours[key], (key, wanted - ours[key])
                plain = {header for header in real[key] if not header.startswith("variable_")}
                assert plain - _NOT_GIVEN <= ours[key], (key, plain - ours[key])
