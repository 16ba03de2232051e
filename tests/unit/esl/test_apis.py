"""What stands on the wire for each request to a node."""

from __future__ import annotations

import pytest

from controlplane.base.causes import Cause
from controlplane.esl import apis
from controlplane.esl.apis import Hearer
from controlplane.esl.commands import Command
from controlplane.esl.dialstring import DialledLeg
from controlplane.esl.errors import UnsafeValue
from controlplane.esl.sip_uri import Endpoint, Hop, SipUri
from controlplane.esl.sounds import Silence
from controlplane.esl.values import NodeFile
from controlplane.esl.variables import Setting, Variable, mark

A = "01890a5d-ac96-774b-bcce-b302099a8057"
B = "01890a5d-ac96-774b-bcce-b302099a8058"
FILE = NodeFile("/srv/a.wav")
SOUNDS = (FILE, Silence(5))
JOINED = "file_string:///srv/a.wav!silence_stream://5"


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (apis.sched_del(A), f"sched_del {A}"),
        (apis.sched_hangup(A, 60, Cause.ALLOTTED_TIMEOUT), f"sched_hangup +60 {A} ALLOTTED_TIMEOUT"),
        (
            apis.uuid_setvar_multi(A, [mark("a", "1"), mark("b", "")]),
            f"uuid_setvar_multi {A} ^^|callplane_a=1|callplane_b=",
        ),
        (apis.uuid_getvar(A, "callplane_a"), f"uuid_getvar {A} callplane_a"),
        (apis.uuid_exists(A), f"uuid_exists {A}"),
        (apis.uuid_dump(A), f"uuid_dump {A} json"),
        (apis.uuid_kill(A, Cause.USER_BUSY), f"uuid_kill {A} USER_BUSY"),
        (apis.uuid_break(A), f"uuid_break {A} all"),
        (apis.uuid_bridge(A, B), f"uuid_bridge {A} {B}"),
        (apis.uuid_answer(A), f"uuid_answer {A}"),
        (apis.uuid_send_dtmf(A, "1#", 200), f"uuid_send_dtmf {A} 1#@200"),
        (apis.mute(A), f"uuid_audio {A} start read mute 1"),
        (apis.unmute(A), f"uuid_audio {A} stop"),
        (apis.play_over(A, SOUNDS), f"uuid_displace {A} start {JOINED} 0 mux"),
        (apis.stop_playing_over(A, SOUNDS), f"uuid_displace {A} stop {JOINED}"),
        (apis.uuid_broadcast(A, SOUNDS, Hearer.BOTH), f"uuid_broadcast {A} {JOINED} both"),
        (apis.show_channels(), "show channels as json"),
        (apis.core_uuid(), "global_getvar core_uuid"),
        (apis.recover_legs("internal"), "sofia profile internal recover"),
        (apis.hang_up_all(Cause.NORMAL_TEMPORARY_FAILURE), "hupall NORMAL_TEMPORARY_FAILURE"),
        (apis.refuse_new_legs(), "fsctl pause"),
        (apis.status(), "status"),
        (apis.ping(), "uptime"),
    ],
)
def test_requests(command: Command, text: str) -> None:
    assert command.data == f"api {text}\n\n".encode()
    assert command.name == f"api {text.split(' ')[0]}"


def test_a_leg_is_originated_and_parked() -> None:
    leg = DialledLeg(Endpoint("internal", SipUri("bob", Hop("h"))), (Setting(Variable.ORIGINATION_UUID, A),))
    command = apis.originate(leg, (Setting(Variable.ORIGINATE_TIMEOUT_S, "30"),), "job-1")
    assert command.name == "bgapi originate"
    assert (
        command.data
        == (
            f"bgapi originate {{originate_timeout=30}}[origination_uuid={A}]sofia/internal/sip:bob@h &park()\n"
            "Job-UUID: job-1\n\n"
        ).encode()
    )


@pytest.mark.parametrize("leg", ["", "all", f"{A} x", f"{A}\n", A.upper(), "1"])
def test_only_channels_can_be_named(leg: str) -> None:
    for request in (apis.sched_del, apis.uuid_exists, apis.uuid_break, apis.mute):
        with pytest.raises(UnsafeValue):
            request(leg)
