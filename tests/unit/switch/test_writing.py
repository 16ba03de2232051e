"""The machine's commands in FreeSWITCH's words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controlplane.base.causes import Cause
from controlplane.base.e164 import E164
from controlplane.base.ids import LegId, Token, call_of_leg
from controlplane.calls.commands import Burst, Originate
from controlplane.calls.runs import AnswerLeg, Branch, Bridge, HangUpLeg, Wait
from controlplane.esl.commands import Command
from controlplane.esl.errors import UnsafeValue
from controlplane.esl.sip_uri import Hop
from controlplane.switch.terms import OWN_HEADERS, TERMS
from controlplane.switch.writing import STEP, Writer
from controlplane.verbs.documents import Number, Sip, Target

A_LEG = LegId("0199c0de-0000-7000-8000-00000000000a")
B_LEG = LegId("0199c0de-0000-7000-8000-00000000001a")
WRITER = Writer("internal", Hop("127.0.0.1", 5090), "/recordings")


def bridge_to(target: Target) -> Burst:
    burst = bridge_under()
    [bridge] = burst.runs
    assert isinstance(bridge, Bridge)
    return replace(burst, runs=(replace(bridge, branches=(Branch(B_LEG, target),)),))


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


def dials(host: str, writer: Writer = WRITER) -> bool:
    burst = bridge_to(Sip(f"sip:alice@{host}"))
    try:
        return f"sip:alice@{host}" in writer.burst(burst, burst.runs, {}, left=0)[-1].data.decode()
    except UnsafeValue:
        return False


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8021;transport=tcp", "10.0.0.1", "192.168.1.1", "localhost", "a.localhost:5080"]
)
def test_a_sip_address_inside_is_dialled_where_the_operator_says_so(host: str) -> None:
    opened = replace(WRITER, allow_private=True)

    assert (dials(host), dials(host, opened)) == (False, True)


@pytest.mark.parametrize("host", ["169.254.169.254", "0.0.0.0", "2130706433", "127.1", "0x7f.1", "0177.0.0.1"])
def test_a_sip_address_that_is_nobodys_or_no_address_is_never_dialled(host: str) -> None:
    assert not dials(host, replace(WRITER, allow_private=True))


@pytest.mark.parametrize("host", ["8.8.8.8", "example.com:5061;transport=tls"])
def test_a_sip_address_outside_is_dialled(host: str) -> None:
    assert dials(host)


def test_headers_of_one_partys_messages_are_not_put_into_the_others() -> None:
    """A caller could set headers of the INVITE to whoever is dialled, which only the tenant may."""
    burst = bridge_under()
    commands = WRITER.burst(burst, burst.runs, {}, left=0)
    assert OWN_HEADERS in TERMS
    assert ",sip_copy_custom_headers=false" in commands[-1].data.decode().partition("}")[0]


def test_only_the_last_command_of_a_burst_says_when_it_is_over() -> None:
    burst = Burst(A_LEG, Token("token"), (AnswerLeg(), Wait(500), Wait(100)))
    commands = WRITER.burst(burst, burst.runs, {}, left=0)
    assert [token_in(command) for command in commands] == [None, STEP, STEP, "token"]
    assert [token_in(command) for command in WRITER.burst(burst, burst.runs[:1], {}, left=2)] == [None, STEP]


def test_a_burst_that_ends_its_leg_says_only_that_it_ended() -> None:
    burst = Burst(A_LEG, Token("token"), (AnswerLeg(), HangUpLeg(Cause.USER_BUSY)))
    sent, *commands = WRITER.burst(burst, burst.runs, {}, left=0)
    assert sent.data.decode() == (f"api uuid_setvar_multi {A_LEG} ^^|callplane_sent=token|playback_terminators=\n\n")
    assert [token_in(command) for command in commands] == [STEP, None]
    assert commands[-1].data.decode() == (
        f"sendmsg {A_LEG}\ncall-command: hangup\nhangup-cause: USER_BUSY\nevent-lock: true\n\n"
    )


def test_what_a_burst_collects_is_not_what_another_did_before() -> None:
    burst = Burst(A_LEG, Token("token"), (Wait(100),))
    assert WRITER.burst(burst, burst.runs, {}, left=0)[0].data.decode() == (
        f"api uuid_setvar_multi {A_LEG} ^^|callplane_sent=token|playback_terminators=|callplane_digits="
        "|read_terminator_used=\n\n"
    )


def test_what_a_dialling_came_to_is_forgotten_before_the_next() -> None:
    burst = bridge_under()
    assert b"|originate_disposition=|" in WRITER.burst(burst, burst.runs, {}, left=0)[0].data
    assert WRITER.burst(burst, burst.runs, {}, left=1)[0].data.endswith(b"|originate_disposition=\n\n")


def token_in(command: Command) -> str | None:
    _, name, rest = command.data.decode().partition("\nEvent-UUID: ")
    return rest.partition("\n")[0] if name else None


def test_who_is_dialled_cannot_send_the_call_elsewhere() -> None:
    """FreeSWITCH follows a 302: to any address, or, where that is the node's own, with the caller's leg to the door."""
    bridged = WRITER.burst(bridge_under(), bridge_under().runs, {}, left=0)[-1]
    placed = Originate(A_LEG, Token("token"), Number(E164("+15550003333")), "+15550001111", "", 60, 60)
    for command in (bridged, WRITER.originate(placed, call_of_leg(A_LEG))):
        assert "outbound_redirect_fatal=true" in command.data.decode().partition("}")[0]
