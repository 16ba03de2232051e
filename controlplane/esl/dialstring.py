"""Dial strings: who is called, how, and with which variables; the argument of `bridge` and of `originate`.

`{variables of all}[variables of one]endpoint,[…]endpoint` rings all at once, `|` between them tries one after another.
Blanks in a value need quotes, as `originate` cuts its argument at blanks first; nothing else in a value needs any,
because values with `,`, `|`, quotes or brackets are refused where they are made. `:_:` anywhere makes FreeSWITCH read
the whole as several dial strings, so that is refused here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from controlplane.esl.apps import App, AppName
from controlplane.esl.errors import UnsafeValue
from controlplane.esl.sip_uri import Endpoint
from controlplane.esl.values import SipHeader, SipLogin
from controlplane.esl.variables import Setting, Variable

MOST_LEGS = 16
# What a leg may run when it is answered, before it is joined or parked: these end at once.
_ON_ANSWER = frozenset({AppName.SCHED_HANGUP, AppName.RECORD_SESSION, AppName.SEND_DTMF, AppName.MULTISET})


class Order(Enum):
    """How several legs are dialled."""

    AT_ONCE = ","
    IN_TURN = "|"


@dataclass(frozen=True, slots=True)
class DialledLeg:
    """One party to call: where, with which variables, headers and login, and what runs when it answers.

    What runs then, runs in order, in FreeSWITCH's originating thread, before the leg is parked or joined. Keys sent
    there are not certain to arrive: 4 of some 200 tries were lost on 1.10.12, whether they began with a pause or not.
    """

    endpoint: Endpoint
    settings: tuple[Setting, ...] = ()
    headers: tuple[SipHeader, ...] = ()
    login: SipLogin | None = None
    on_answer: tuple[App, ...] = ()

    def __post_init__(self) -> None:
        if any(not setting.value for setting in self.settings):
            raise UnsafeValue("A variable of a dial string has no value.")
        if any(app.name not in _ON_ANSWER for app in self.on_answer):
            raise UnsafeValue("Not what a leg may run when it is answered.")


@dataclass(frozen=True, slots=True)
class DialString:
    """Legs to call. `settings` hold for all of them."""

    legs: tuple[DialledLeg, ...]
    order: Order = Order.AT_ONCE
    settings: tuple[Setting, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= len(self.legs) <= MOST_LEGS:
            raise UnsafeValue("Too many legs to dial, or none.", most=MOST_LEGS)
        if any(not setting.value or setting.name in _OF_ONE_LEG for setting in self.settings):
            raise UnsafeValue("Not a variable for all legs of a dial string.")

    def __str__(self) -> str:
        legs = self.order.value.join(_leg(leg) for leg in self.legs)
        text = _brackets("{", (_quoted(setting.name, setting.value) for setting in self.settings), "}") + legs
        if ":_:" in text or "origination_nested_vars" in text:
            raise UnsafeValue("A dial string would be read as several.")
        return text


_OF_ONE_LEG = frozenset({Variable.ORIGINATION_UUID.value, Variable.LEG_TIMEOUT_S.value})


def _leg(leg: DialledLeg) -> str:
    variables = [(setting.name, setting.value) for setting in leg.settings]
    variables += [(f"sip_h_{header.name}", header.value) for header in leg.headers]
    if leg.login is not None:
        variables += [("sip_auth_username", leg.login.username), ("sip_auth_password", leg.login.password)]
    variables += [(f"execute_on_answer_{place}", f"{app}") for place, app in enumerate(leg.on_answer, 1)]
    return _brackets("[", (_quoted(name, value) for name, value in variables), "]") + str(leg.endpoint)


def _brackets(before: str, items: Iterable[str], after: str) -> str:
    inner = ",".join(items)
    return f"{before}{inner}{after}" if inner else ""


def _quoted(name: str, value: str) -> str:
    return f"{name}='{value}'" if " " in value else f"{name}={value}"


def bridge(dial: DialString) -> App:
    """Call legs and join the first that answers with the leg that runs this; ends when they part."""
    return App(AppName.BRIDGE, str(dial))
