"""The dialplan applications that the emulator knows, one coroutine each."""

from __future__ import annotations

from collections.abc import Mapping

from controlplane.emulator.apps.answering import answer, hangup, park, pre_answer, ring_ready
from controlplane.emulator.apps.playing import echo, playback, send_dtmf, sleep
from controlplane.emulator.apps.setting import sched_hangup, set_many, set_one, unset
from controlplane.emulator.thread import App

APPS: Mapping[str, App] = {
    "answer": App(answer),
    "echo": App(echo, needs_media=True),
    "hangup": App(hangup),
    "multiset": App(set_many),
    "park": App(park),
    "playback": App(playback, needs_media=True),
    "pre_answer": App(pre_answer),
    "ring_ready": App(ring_ready),
    "sched_hangup": App(sched_hangup),
    "send_dtmf": App(send_dtmf),
    "set": App(set_one),
    "sleep": App(sleep),
    "unset": App(unset),
}
