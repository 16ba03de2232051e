"""What stands on the wire for each application."""

from __future__ import annotations

import pytest

from controlplane.base.causes import Cause
from controlplane.esl import apps
from controlplane.esl.apps import App, execute, hang_up
from controlplane.esl.connection import SwitchConnection
from controlplane.esl.errors import UnsafeValue
from controlplane.esl.frames import CommandFrame
from controlplane.esl.sounds import Beep, Cadence, RingBack, Silence, Sound, ringing, sound_path
from controlplane.esl.values import NodeFile
from controlplane.esl.variables import mark

LEG = "01890a5d-ac96-774b-bcce-b302099a8057"
FILE = NodeFile("/srv/a.wav")


def test_an_application_with_an_argument_is_one_block_with_a_counted_body() -> None:
    command = execute(LEG, apps.playback([FILE]), "cs_1.2.3")
    assert command.name == "execute playback"
    assert command.data == (
        b"sendmsg 01890a5d-ac96-774b-bcce-b302099a8057\n"
        b"call-command: execute\nexecute-app-name: playback\nevent-lock: true\nEvent-UUID: cs_1.2.3\n"
        b"content-type: text/plain\ncontent-length: 10\n\n/srv/a.wav"
    )


def test_an_application_without_argument_has_no_body() -> None:
    command = execute(LEG, apps.answer())
    assert command.name == "execute answer"
    assert command.data == (
        b"sendmsg 01890a5d-ac96-774b-bcce-b302099a8057\n"
        b"call-command: execute\nexecute-app-name: answer\nevent-lock: true\n\n"
    )


def test_a_hang_up_is_no_application() -> None:
    command = hang_up(LEG, Cause.USER_BUSY)
    assert command.name == "hang up"
    assert command.data == (
        b"sendmsg 01890a5d-ac96-774b-bcce-b302099a8057\n"
        b"call-command: hangup\nhangup-cause: USER_BUSY\nevent-lock: true\n\n"
    )


def test_the_codec_reads_what_the_builder_writes() -> None:
    data = execute(LEG, apps.sleep(500), "t").data + execute(LEG, apps.park(), "u").data
    first, second = SwitchConnection().feed(data)
    assert (first.line, first.get("execute-app-name"), first.body) == (f"sendmsg {LEG}", "sleep", "500")
    assert second == CommandFrame(
        f"sendmsg {LEG}",
        (("call-command", "execute"), ("execute-app-name", "park"), ("event-lock", "true"), ("Event-UUID", "u")),
        "",
    )


@pytest.mark.parametrize(
    ("app", "text"),
    [
        (apps.answer(), "answer"),
        (apps.pre_answer(), "pre_answer"),
        (apps.ring_ready(), "ring_ready"),
        (apps.park(), "park"),
        (apps.sleep(1500), "sleep 1500"),
        (apps.send_dtmf("12w#", 200), "send_dtmf 12w#@200"),
        (
            apps.read([FILE], most_digits=4, finish_keys="", timeout_ms=5000, digit_timeout_ms=2000),
            "read 1 4 /srv/a.wav callplane_digits 5000 none 2000",
        ),
        (
            apps.read([FILE, Beep()], most_digits=1, finish_keys="#*", timeout_ms=5000, digit_timeout_ms=2000),
            "read 1 1 file_string:///srv/a.wav!tone_stream://%(300,100,1000) callplane_digits 5000 #* 2000",
        ),
        (apps.record(FILE, limit_s=60), "record /srv/a.wav 60"),
        (apps.record(FILE, limit_s=60, silence_s=5), "record /srv/a.wav 60 200 5"),
        (apps.record_session(FILE, limit_s=7200), "record_session /srv/a.wav +7200"),
        (apps.stop_record_session(FILE), "stop_record_session /srv/a.wav"),
        (apps.multiset([mark("a", "1"), mark("b", "2")]), "multiset ^^|callplane_a=1|callplane_b=2"),
        (apps.sched_hangup(60, Cause.ALLOTTED_TIMEOUT), "sched_hangup +60 ALLOTTED_TIMEOUT"),
    ],
)
def test_applications_with_their_arguments(app: App, text: str) -> None:
    assert str(app) == text


@pytest.mark.parametrize(
    ("sounds", "path"),
    [
        ([FILE], "/srv/a.wav"),
        ([Silence(250)], "silence_stream://250"),
        ([RingBack(Cadence.BRITAIN)], "tone_stream://%(400,200,400,450);%(400,2000,400,450);loops=-1"),
        ([FILE, Silence(1), FILE], "file_string:///srv/a.wav!silence_stream://1!/srv/a.wav"),
    ],
)
def test_sounds_have_names(sounds: list[Sound], path: str) -> None:
    assert sound_path(sounds) == path


def test_there_is_a_ringing_tone_for_every_country_that_documents_know() -> None:
    codes = (
        "at au bg br be ch cl cn cz de dk ee es fi fr gr hu il in it lt jp mx my nl no nz ph pl pt ru se sg th uk us "
        "us-old tw ve za"
    )
    assert all(ringing(code).value.startswith("%(") for code in codes.split())
    assert ringing(None) is Cadence.AMERICA
    with pytest.raises(UnsafeValue):
        ringing("xx")


@pytest.mark.parametrize(
    "make",
    [
        lambda: execute("x", apps.answer()),
        lambda: execute(LEG, apps.answer(), "a b"),
        lambda: execute(LEG, apps.answer(), ""),
        lambda: apps.playback([]),
        lambda: apps.playback([FILE] * 129),
        lambda: apps.sleep(0),
        lambda: Silence(3_600_001),
        lambda: apps.send_dtmf("1", 49),
        lambda: apps.read([FILE], most_digits=128, finish_keys="", timeout_ms=1, digit_timeout_ms=1),
        lambda: apps.read([FILE], most_digits=1, finish_keys="x", timeout_ms=1, digit_timeout_ms=1),
        lambda: apps.record(FILE, limit_s=0),
        lambda: hang_up(LEG, Cause.LOST),
        lambda: hang_up("x", Cause.NORMAL_CLEARING),
        lambda: apps.sched_hangup(0, Cause.NORMAL_CLEARING),
    ],
)
def test_arguments_out_of_bounds_are_refused(make: object) -> None:
    with pytest.raises(UnsafeValue):
        make()  # type: ignore[operator]


def test_an_argument_is_not_shown() -> None:
    assert "/srv" not in repr(apps.playback([FILE]))
