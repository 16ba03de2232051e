"""Dial strings: legs at once or in turn, with variables of their own and of all."""

from __future__ import annotations

import pytest

from controlplane.base.causes import Cause
from controlplane.esl import apps
from controlplane.esl.dialstring import DialledLeg, DialString, Order, bridge
from controlplane.esl.errors import UnsafeValue
from controlplane.esl.sip_uri import Endpoint, Hop, SipUri
from controlplane.esl.values import NodeFile, SipHeader, SipLogin
from controlplane.esl.variables import Setting, Variable, mark

UUID = "01890a5d-ac96-774b-bcce-b302099a8057"
BOB = Endpoint("internal", SipUri("bob", Hop("192.0.2.1", 5060)))
EVE = Endpoint("internal", SipUri("eve", Hop("192.0.2.2")))


def test_legs_at_once_with_everything() -> None:
    bob = DialledLeg(
        BOB,
        (Setting(Variable.ORIGINATION_UUID, UUID), Setting(Variable.CALLER_NAME, "Alice Smith")),
        (SipHeader("X-Trace", "a=b; c"),),
        SipLogin("bob", "p@ss"),
        (apps.sched_hangup(60, Cause.ALLOTTED_TIMEOUT), apps.send_dtmf("1w2"), apps.record_session(NodeFile("/a.wav"))),
    )
    settings = (Setting(Variable.ORIGINATE_TIMEOUT_S, "30"), mark("call", "cs_1"))
    assert bridge(DialString((bob, DialledLeg(EVE)), settings=settings)).argument == (
        "{originate_timeout=30,callplane_call=cs_1}"
        f"[origination_uuid={UUID},origination_caller_id_name='Alice Smith',sip_h_X-Trace='a=b; c',"
        "sip_auth_username=bob,sip_auth_password=p@ss,"
        "execute_on_answer_1='sched_hangup +60 ALLOTTED_TIMEOUT',execute_on_answer_2='send_dtmf 1w2@100',"
        "execute_on_answer_3='record_session /a.wav +86400']"
        "sofia/internal/sip:bob@192.0.2.1:5060,sofia/internal/sip:eve@192.0.2.2"
    )


def test_legs_in_turn() -> None:
    dial = DialString((DialledLeg(BOB), DialledLeg(EVE)), Order.IN_TURN)
    assert str(dial) == "sofia/internal/sip:bob@192.0.2.1:5060|sofia/internal/sip:eve@192.0.2.2"


@pytest.mark.parametrize("count", [0, 17])
def test_a_dial_string_has_1_to_16_legs(count: int) -> None:
    with pytest.raises(UnsafeValue):
        DialString((DialledLeg(BOB),) * count)


def test_variables_without_value_are_refused() -> None:
    with pytest.raises(UnsafeValue):
        DialledLeg(BOB, (mark("a", ""),))
    with pytest.raises(UnsafeValue):
        DialString((DialledLeg(BOB),), settings=(mark("a", ""),))


def test_a_uuid_is_of_one_leg() -> None:
    with pytest.raises(UnsafeValue):
        DialString((DialledLeg(BOB),), settings=(Setting(Variable.ORIGINATION_UUID, UUID),))


@pytest.mark.parametrize("app", [apps.park(), apps.playback([NodeFile("/a.wav")]), apps.sleep(1)])
def test_an_answered_leg_runs_only_what_ends_at_once(app: apps.App) -> None:
    with pytest.raises(UnsafeValue):
        DialledLeg(BOB, on_answer=(app,))


def test_what_freeswitch_would_read_as_several_dial_strings_is_refused() -> None:
    header = SipHeader("X-A", "origination_nested_vars=true")
    with pytest.raises(UnsafeValue):
        str(DialString((DialledLeg(BOB, headers=(header,)),)))


def test_a_password_is_not_shown() -> None:
    leg = DialledLeg(BOB, login=SipLogin("bob", "secret"))
    assert "secret" not in repr(leg) + repr(bridge(DialString((leg,))))
