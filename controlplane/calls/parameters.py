"""What applications are told with each request: names and values of the TwiML reference, section 2.1 and 3.2."""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import formatdate
from functools import lru_cache
from typing import TypeAlias

from controlplane.base.causes import Verdict
from controlplane.base.e164 import region_of
from controlplane.base.ids import sid_of
from controlplane.calls.scene import CallState, Leg
from controlplane.verbs.documents import StatusEvent

API_VERSION = "2010-04-01"

Parameters: TypeAlias = tuple[tuple[str, str], ...]


def call_sid(leg: Leg) -> str:
    """The CallSid of a leg; the A-leg's is the call's."""
    return sid_of("CA", leg.id)


def standard(state: CallState, leg: Leg, status: str) -> Parameters:
    """The parameters that go with every request about a leg."""
    facts = state.facts
    own = [
        ("CallSid", call_sid(leg)),
        ("AccountSid", sid_of("AC", facts.account)),
        ("From", leg.from_number),
        ("To", leg.to_number),
        ("Caller", leg.from_number),
        ("Called", leg.to_number),
        ("CallStatus", status),
        ("ApiVersion", API_VERSION),
        ("Direction", leg.direction.value),
    ]
    if leg.id != facts.a_leg:
        own.append(("ParentCallSid", sid_of("CA", facts.a_leg)))
    if facts.app is not None:
        own.append(("ApplicationSid", sid_of("AP", facts.app)))
    if facts.caller_name and leg.id == facts.a_leg:
        own.append(("CallerName", facts.caller_name))
    return (*own, *_places(leg.from_number, leg.to_number), *_sip_headers(facts.sip_headers), *facts.parameters)


def progress(
    state: CallState, leg: Leg, event: StatusEvent, status: str, verdict: Verdict | None, extra: Parameters = ()
) -> Parameters:
    """The parameters of a status callback (section 3.2)."""
    told = [
        *standard(state, leg, status),
        ("Timestamp", formatdate(state.now_ms / 1000, usegmt=False, localtime=False)),
        ("CallbackSource", "call-progress-events"),
        ("SequenceNumber", str(leg.callbacks_sent)),
    ]
    if event is StatusEvent.COMPLETED:
        seconds = leg.talked_s(state.now_ms)
        told.append(("CallDuration", str(seconds)))
        if verdict is not None and verdict.result == "completed":
            told.append(("Duration", str(-(-seconds // 60))))
        if leg.sip_status is not None or leg.is_answered:
            told.append(("SipResponseCode", str(leg.sip_status or 200)))
    return (*told, *extra)


def merged(*groups: Iterable[tuple[str, str]]) -> Parameters:
    """Join groups of parameters; of one name only the last value stays, in the place of the first."""
    together: dict[str, str] = {}
    for group in groups:
        together.update(group)
    return tuple(together.items())


@lru_cache(maxsize=4096)
def _places(from_number: str, to_number: str) -> Parameters:
    """Where the parties are: the country by the number, the rest unknown and therefore empty."""
    places: list[tuple[str, str]] = []
    for names, number in ((("From", "Caller"), from_number), (("To", "Called"), to_number)):
        country = region_of(number)
        if not country:
            continue
        for name in names:
            places += [(f"{name}City", ""), (f"{name}State", ""), (f"{name}Zip", ""), (f"{name}Country", country)]
    return tuple(places)


def _sip_headers(headers: Parameters) -> Parameters:
    return tuple((f"SipHeader_{name}", value) for name, value in headers)
