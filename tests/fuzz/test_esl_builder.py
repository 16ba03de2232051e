"""Whatever text comes in: UnsafeValue, or exactly one command that FreeSWITCH reads as it was meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from controlplane.base.causes import Cause
from controlplane.base.errors import BadInput
from controlplane.esl import apis, apps, commands, values
from controlplane.esl.apps import execute
from controlplane.esl.commands import Command
from controlplane.esl.connection import SwitchConnection
from controlplane.esl.dialstring import DialledLeg, DialString, Order, bridge
from controlplane.esl.errors import UnsafeValue
from controlplane.esl.frames import CommandFrame
from controlplane.esl.sip_uri import Endpoint, Hop, SipUri, number_at, parse_hop, parse_sip_uri
from controlplane.esl.values import NodeFile, SipHeader, SipLogin
from controlplane.esl.variables import Setting, Variable, mark
from tests.fuzz.freeswitch_reading import ReadDial, ReadLeg, read_dial, words

LEG = "01890a5d-ac96-774b-bcce-b302099a8057"
HARM = st.sampled_from(
    [
        "\n",
        "\n\napi system x\n\n",
        "\r",
        "\0",
        "\u2028",
        "\x85",
        "${",
        "}",
        "$${x}",
        "$",
        "{",
        "[",
        "]",
        "<",
        ">",
        "^^;",
    ]
) | st.sampled_from(
    ["|", ",", ":_:", "'", '"', "\\", "%0A", "@", ";fs_path=", "=", " ", "undef", "&park()", "::", "!", "é", "/../"]
)
PLAIN = st.sampled_from(
    ["a", "1", "+15550001111", "sip:", "bob@h", "/srv/a.wav", LEG, "X-A", "callplane_x", "true", "#"]
)
TEXT = st.lists(HARM | PLAIN | st.text(max_size=3), max_size=6).map("".join)

FILE = NodeFile("/srv/a.wav")
BOB = Endpoint("internal", SipUri("bob", Hop("h")))
MAKERS: dict[str, Callable[[str], Command]] = {
    "leg": lambda text: apis.uuid_exists(text),
    "other leg": lambda text: apis.uuid_bridge(LEG, text),
    "token": lambda text: execute(LEG, apps.answer(), text),
    "job": lambda text: apis.originate(DialledLeg(BOB), (), text),
    "jobs": commands.see_only_jobs,
    "password": commands.auth,
    "variable": lambda text: apis.uuid_getvar(LEG, text),
    "mark": lambda text: apis.uuid_setvar_multi(LEG, [mark("x", text)]),
    "mark name": lambda text: execute(LEG, apps.multiset([mark(text, "x")])),
    "setting name": lambda text: execute(LEG, apps.multiset([Setting(text, "x")])),
    "caller name": lambda text: execute(LEG, apps.multiset([Setting(Variable.EFFECTIVE_CALLER_NAME, text)])),
    "caller number": lambda text: execute(LEG, apps.multiset([Setting(Variable.EFFECTIVE_CALLER_NUMBER, text)])),
    "tamed": lambda text: dialled(settings=(Setting(Variable.CALLER_NAME, values.tame_name(text) or "x"),)),
    "file": lambda text: execute(LEG, apps.playback([FILE, NodeFile(text)])),
    "digits": lambda text: execute(LEG, apps.send_dtmf(text)),
    "finish": lambda text: execute(
        LEG, apps.read([FILE], most_digits=1, finish_keys=text, timeout_ms=1, digit_timeout_ms=1)
    ),
    "header": lambda text: dialled(headers=(SipHeader("X-A", text),)),
    "header name": lambda text: dialled(headers=(SipHeader(text, "a"),)),
    "user": lambda text: dialled(login=SipLogin(text, "a")),
    "secret": lambda text: dialled(login=SipLogin("a", text)),
    "address": lambda text: dialled(Endpoint("internal", parse_sip_uri(text))),
    "address user": lambda text: dialled(Endpoint("internal", SipUri(text, Hop("h")))),
    "hop": lambda text: dialled(Endpoint("internal", number_at("+15550001111", parse_hop(text)))),
    "number": lambda text: dialled(Endpoint("internal", number_at(text, Hop("h")))),
    "profile": lambda text: dialled(Endpoint(text, SipUri("bob", Hop("h")))),
}
# The variables that are meant by the makers that set any.
MEANT: dict[str, Callable[[str], dict[str, str]]] = {
    "mark": lambda text: {"callplane_x": text},
    "mark name": lambda text: {f"callplane_{text}": "x"},
    "setting name": lambda text: {text: "x"},
    "caller name": lambda text: {"effective_caller_id_name": text},
    "caller number": lambda text: {"effective_caller_id_number": text},
    "tamed": lambda text: {"origination_caller_id_name": values.tame_name(text) or "x"},
    "header": lambda text: {"sip_h_X-A": text},
    "header name": lambda text: {f"sip_h_{text}": "a"},
    "user": lambda text: {"sip_auth_username": text, "sip_auth_password": "a"},
    "secret": lambda text: {"sip_auth_username": "a", "sip_auth_password": text},
}
Value = TypeVar("Value")


def dialled(
    endpoint: Endpoint = BOB,
    settings: tuple[Setting, ...] = (),
    headers: tuple[SipHeader, ...] = (),
    login: SipLogin | None = None,
) -> Command:
    return execute(LEG, bridge(DialString((DialledLeg(endpoint, settings, headers, login),))))


def one_command(maker: str, text: str) -> None:
    """UnsafeValue, or a command that is read as one, sets what was meant and nothing that FreeSWITCH would expand."""
    try:
        command = MAKERS[maker](text)
    except BadInput:
        return
    connection = SwitchConnection()
    [frame] = connection.feed(command.data)
    assert not connection.eof()
    written = command.data.decode()
    assert "${" not in written
    assert frame.line.startswith("auth ") or not set(written) & set('\r\0\\"<>')
    assert len(written.splitlines()) == written.count("\n") + bool(frame.body)
    assert {name for name, _ in frame.headers} <= {
        *("call-command", "execute-app-name", "event-lock", "Event-UUID", "Job-UUID", "content-type", "content-length")
    }
    assert variables_in(frame) == tuple(MEANT[maker](text).items() if maker in MEANT else ())


def variables_in(frame: CommandFrame) -> tuple[tuple[str, str], ...]:
    """The variables that FreeSWITCH sets on a command: those of a dial string, which has one leg, or of a list."""
    if frame.line.startswith("bgapi originate "):
        dial, app = words(frame.line.removeprefix("bgapi originate "))
        assert app == "&park()"
        return of_one_leg(read_dial(dial))
    if frame.get("execute-app-name") == "bridge":
        return of_one_leg(read_dial(frame.body))
    argument = frame.line if frame.line.startswith("api uuid_setvar_multi ") else frame.body
    before, begins, items = argument.partition("^^|")
    assert not begins or before in ("", f"api uuid_setvar_multi {LEG} ")
    pairs = (item.partition("=") for item in items.split("|") if begins)
    return tuple((name, value) for name, _, value in pairs)


def of_one_leg(dial: ReadDial) -> tuple[tuple[str, str], ...]:
    [[leg]] = dial.groups
    assert leg.endpoint.startswith("sofia/")
    assert not set(leg.endpoint) & set("[]{}<>|,'^ ")
    return (*dial.variables, *leg.variables)


@pytest.mark.parametrize("maker", list(MAKERS))
@settings(max_examples=120)
@given(text=TEXT)
def test_any_text_is_refused_or_makes_one_command(maker: str, text: str) -> None:
    one_command(maker, text)


def safe(make: Callable[[str], Value]) -> st.SearchStrategy[Value]:
    """What a constructor makes of texts that it takes."""

    def maybe(text: str) -> Value | None:
        try:
            return make(text)
        except UnsafeValue:
            return None

    letters = st.text("abcXYZ019 .-_~:/@+=;*()!#?&%é,'[]{}|^$\"\\<>", min_size=1, max_size=14)
    letters = letters | st.text("abcXYZ019 .-_~:/@+=;*()!#?&%", min_size=1, max_size=14)  # more of these are taken
    return letters.map(maybe).filter(lambda value: value is not None)  # type: ignore[return-value]


NAMES = safe(lambda text: Setting(Variable.CALLER_NAME, text))
MARKS = st.text("abc019._-", min_size=1, max_size=9).map(lambda text: mark("x", text))
LEGS = st.builds(
    DialledLeg,
    endpoint=safe(lambda text: Endpoint("internal", SipUri(text, Hop("h", 5060)))),
    settings=st.lists(NAMES | MARKS, max_size=3).map(tuple),
    headers=st.lists(safe(lambda text: SipHeader("X-A", text)), max_size=2).map(tuple),
    login=st.none() | safe(lambda text: SipLogin(text, text)),
    on_answer=st.sampled_from([(), (apps.sched_hangup(9, Cause.ALLOTTED_TIMEOUT), apps.send_dtmf("1w2"))]),
)


def meant(leg: DialledLeg) -> ReadLeg:
    variables = [(str(setting.name), setting.value) for setting in leg.settings]
    variables += [(f"sip_h_{header.name}", header.value) for header in leg.headers]
    if leg.login is not None:
        variables += [("sip_auth_username", leg.login.username), ("sip_auth_password", leg.login.password)]
    variables += [(f"execute_on_answer_{place}", str(app)) for place, app in enumerate(leg.on_answer, 1)]
    return ReadLeg(str(leg.endpoint), tuple(variables))


@settings(max_examples=300)
@given(st.lists(LEGS, min_size=1, max_size=4), st.sampled_from(Order), st.lists(MARKS, max_size=2))
def test_a_dial_string_is_read_as_it_was_meant(legs: list[DialledLeg], order: Order, everyone: list[Setting]) -> None:
    try:
        text = bridge(DialString(tuple(legs), order, tuple(everyone))).argument
    except UnsafeValue:
        assume(False)
    understood = [meant(leg) for leg in legs]
    groups = (tuple(understood),) if order is Order.AT_ONCE else tuple((leg,) for leg in understood)
    assert read_dial(text) == ReadDial(tuple((str(item.name), item.value) for item in everyone), groups)


@settings(max_examples=200)
@given(LEGS, st.lists(MARKS, max_size=2))
def test_an_originated_leg_is_read_as_it_was_meant(leg: DialledLeg, everyone: list[Setting]) -> None:
    try:
        [frame] = SwitchConnection().feed(apis.originate(leg, everyone, "job").data)
    except UnsafeValue:
        assume(False)
    dial, app = words(frame.line.removeprefix("bgapi originate "))
    assert app == "&park()"
    assert read_dial(dial) == ReadDial(tuple((str(item.name), item.value) for item in everyone), ((meant(leg),),))


@given(TEXT)
def test_taming_a_name_twice_changes_nothing_more(text: str) -> None:
    assert values.tame_name(values.tame_name(text)) == values.tame_name(text)


def test_a_variable_more_than_was_meant_is_seen() -> None:
    data = b"bgapi originate [sip_h_X-A=1,sip_h_Canary=1]sofia/internal/sip:bob@h &park()\n\n"
    [frame] = SwitchConnection().feed(data)

    assert variables_in(frame) == (("sip_h_X-A", "1"), ("sip_h_Canary", "1"))
