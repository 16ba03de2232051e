"""The dialplan applications that the emulator knows, one coroutine each."""

from __future__ import annotations

from collections.abc import Mapping

from controlplane.emulator.apps.answering import answer, hangup, park, pre_answer, ring_ready
from controlplane.emulator.apps.bridging import bridge
from controlplane.emulator.apps.collecting import play_and_get_digits, read
from controlplane.emulator.apps.playing import echo, playback, send_dtmf, sleep
from controlplane.emulator.apps.recording import record, record_session, stop_record_session
from controlplane.emulator.apps.setting import sched_hangup, set_many, set_one, unset
from controlplane.emulator.thread import App

APPS: Mapping[str, App] = {
    "answer": App(answer),
    "bridge": App(bridge),
    "echo": App(echo, needs_media=True),
    "hangup": App(hangup),
    "multiset": App(set_many, runs_when_down=True),
    "park": App(park),
    "play_and_get_digits": App(play_and_get_digits, needs_media=True),
    "playback": App(playback, needs_media=True),
    "pre_answer": App(pre_answer),
    "read": App(read, needs_media=True),
    "record": App(record, needs_media=True),
    "record_session": App(record_session, needs_media=True),
    "ring_ready": App(ring_ready),
    "sched_hangup": App(sched_hangup),
    "send_dtmf": App(send_dtmf),
    "set": App(set_one, runs_when_down=True),
    "sleep": App(sleep),
    "stop_record_session": App(stop_record_session, needs_media=True),
    "unset": App(unset, runs_when_down=True),
}
