"""Legs that we dial, in FreeSWITCH's words: where they go, as whom, and what runs when they answer."""

from __future__ import annotations

from dataclasses import dataclass

from controlplane.base.addresses import Reach, reach_of_host
from controlplane.base.causes import Cause
from controlplane.base.e164 import E164
from controlplane.calls.runs import Branch
from controlplane.esl import apps
from controlplane.esl.dialstring import DialledLeg
from controlplane.esl.errors import UnsafeValue
from controlplane.esl.sip_uri import Endpoint, Hop, SipUri, number_at, parse_sip_uri
from controlplane.esl.values import SipHeader, SipLogin, tame_name, tame_number
from controlplane.esl.variables import Setting, Variable
from controlplane.verbs.documents import Number, Sip, Target

KEY_MS = 100
_PAUSE_MS = {"w": 500, "W": 1000}
# No display name in From (sofia_glue.c). With none set, the leg would inherit whatever name the caller's INVITE had:
# FreeSWITCH puts it between quotes as it is, and cannot dial if there are quotes in it.
NO_NAME = "_undef_"


@dataclass(frozen=True, slots=True)
class Dialler:
    """Writes for the profile that calls leave by; `gateway` None: numbers cannot be dialled.

    A SIP address is the tenant's word, and FreeSWITCH stands inside: an INVITE over TCP says much of what a tenant
    likes to any port there. So hosts that are written as addresses must be public ones; `allow_private` opens the
    operator's own networks. What a name stands for FreeSWITCH looks up itself, beyond what can be judged here.
    """

    profile: str
    gateway: Hop | None
    allow_private: bool

    def leg(
        self, branch: Branch, caller_id: str, caller_name: str, time_limit_s: int, timeout_s: int | None = None
    ) -> DialledLeg:
        """A leg with its own UUID, its caller's name and number, its limits, and what runs when it answers."""
        target = branch.target
        settings = [
            Setting(Variable.ORIGINATION_UUID, branch.leg),
            Setting(Variable.CALLER_NUMBER, tame_number(caller_id)),
            Setting(Variable.CALLER_NAME, tame_name(caller_name) or NO_NAME),
        ]
        if timeout_s is not None:
            settings.append(Setting(Variable.LEG_TIMEOUT_S, str(timeout_s)))
        on_answer = [apps.sched_hangup(at_least_s(time_limit_s), Cause.ALLOTTED_TIMEOUT)]
        if target.send_digits:
            on_answer.append(apps.send_dtmf(target.send_digits, KEY_MS))
        return DialledLeg(
            Endpoint(self.profile, self._address(target)),
            tuple(settings),
            headers=tuple(SipHeader(*header) for header in _headers(target)),
            login=_login(target),
            on_answer=tuple(on_answer),
        )

    def _address(self, target: Target) -> SipUri:
        match target:
            case Number(number):
                if self.gateway is None:
                    raise UnsafeValue("No gateway is set, so numbers cannot be dialled (CALLPLANE_GATEWAY).")
                return number_at(E164(number), self.gateway)
            case Sip(uri):
                address = parse_sip_uri(uri)
                reach = reach_of_host(address.hop.host)
                if reach is Reach.NEVER or (reach is Reach.PRIVATE and not self.allow_private):
                    raise UnsafeValue("The host of a SIP address is not on the public internet.")
                return address


def at_least_s(limit_s: int) -> int:
    """The limit to give to FreeSWITCH, whose scheduler counts whole seconds of the epoch: it is up to one early."""
    return limit_s + 1


def duration_of_keys_ms(digits: str) -> int:
    """How long FreeSWITCH takes to send keys, with as much between them."""
    return sum(_PAUSE_MS.get(key, 2 * KEY_MS) for key in digits)


def _headers(target: Target) -> tuple[tuple[str, str], ...]:
    return target.headers if isinstance(target, Sip) else ()


def _login(target: Target) -> SipLogin | None:
    if isinstance(target, Sip) and target.username:
        return SipLogin(target.username, target.password)
    return None
