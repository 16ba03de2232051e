"""The machine's commands in FreeSWITCH's words."""

from __future__ import annotations

import pytest

from controlplane.base.e164 import E164
from controlplane.base.ids import LegId, Token
from controlplane.calls.commands import Burst
from controlplane.calls.runs import Branch, Bridge
from controlplane.esl.sip_uri import Hop
from controlplane.switch.writing import Writer
from controlplane.verbs.documents import Number

A_LEG = LegId("0199c0de-0000-7000-8000-00000000000a")
B_LEG = LegId("0199c0de-0000-7000-8000-00000000001a")
WRITER = Writer("internal", Hop("127.0.0.1", 5090), "/recordings")


def bridge_under(caller_name: str = "", caller_id: str = "+15550001111") -> Burst:
    bridge = Bridge(
        (Branch(B_LEG, Number(E164("+15550003333"))),),
        is_sequential=False,
        timeout_s=15,
        time_limit_s=60,
        caller_id=caller_id,
        caller_name=caller_name,
        hangs_up_on_star=False,
        ring_tone=None,
        recording=None,
    )
    return Burst(A_LEG, Token("token"), (bridge,))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("", "_undef_"),
        ("Alice", "Alice"),
        ('A "quoted" name', "'A quoted name'"),
        ('"', "_undef_"),
        ("%0d%0aX:", "'0d 0aX'"),
    ],
)
def test_a_dialled_leg_never_inherits_the_name_of_the_callers_invite(name: str, shown: str) -> None:
    burst = bridge_under(name)
    commands = WRITER.burst(burst, burst.runs, {}, left=0)
    assert f",origination_caller_id_name={shown}," in commands[-1].data.decode()


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+15550001111", "+15550001111"),
        ("1001", "1001"),
        ("anonymous", "anonymous"),
        ("+12345", "anonymous"),
        ("*100", "anonymous"),
        ("o'brien", "anonymous"),
        ("${hostname}", "anonymous"),
    ],
)
def test_a_caller_of_whatever_number_can_be_put_through(number: str, shown: str) -> None:
    burst = bridge_under(caller_id=number)
    commands = WRITER.burst(burst, burst.runs, {}, left=0)
    assert f",origination_caller_id_number={shown}," in commands[-1].data.decode()
