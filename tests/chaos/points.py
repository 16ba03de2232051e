"""The points of a call's life at which something can be done to its call server.

A point is a message between call server and node (or the request for a document) of one marked call. `goes_on` says
whether the message still arrives; what is done happens `after_s` seconds after it, or, where `is_spread`, another time
after it in each run: what a call server does with the message takes it some milliseconds, and each of them is a place
to die in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos.proxy import Message

Match = Callable[[Message, str], bool]  # the message, the marked call's A-leg

SPREAD_S = (0.0005, 0.02)
SPREADS = 20
_STRIDE = 7  # so that the first few runs lie far apart, too


@dataclass(frozen=True, slots=True)
class Point:
    """Where in a call's life. `match` None: while its first document is asked for."""

    name: str
    flow: str
    match: Match | None
    goes_on: bool = True
    after_s: float = 0.0
    is_spread: bool = False

    def after_s_in(self, number: int) -> float:
        """How long after the message in the run of this number: SPREADS of them are as many times, evenly by ratio."""
        if not self.is_spread:
            return self.after_s
        first_s, last_s = SPREAD_S
        return float(first_s * (last_s / first_s) ** (number * _STRIDE % SPREADS / (SPREADS - 1)))


def leg_offered(message: Message, caller: str) -> str:
    """The channel of a caller's call if this is its offer, else ""."""
    frame = message.frame
    is_offer = (
        message.is_from_node and frame.tells("Event-Name: CHANNEL_PARK") and frame.tells("variable_callplane_door")
    )
    if not is_offer or frame.header("Caller-Caller-ID-Number").lstrip("+") != caller.lstrip("+"):
        return ""
    return frame.header("Unique-ID")


def _event(name: str, header: str = "Unique-ID", more: str = "") -> Match:
    """An event of this name in which the header names the leg."""

    def match(message: Message, leg: str) -> bool:
        frame = message.frame
        is_it = message.is_from_node and frame.tells(f"Event-Name: {name}\n") and frame.tells(more)
        return is_it and frame.header(header) == leg

    return match


def _command(begins: str, more: str = "") -> Match:
    """A command of these first words about the leg."""

    def match(message: Message, leg: str) -> bool:
        is_it = message.frame.line.startswith(f"{begins} ") and leg in message.frame.line
        return not message.is_from_node and is_it and message.frame.tells(more)

    return match


POINTS = {
    point.name: point
    for point in (
        Point("offered", "menu", _event("CHANNEL_PARK", more="variable_callplane_door"), goes_on=False),
        Point("before-claim", "menu", _command("api sched_del"), goes_on=False),
        Point("after-claim", "menu", _command("api sched_del"), is_spread=True),
        Point("before-document", "menu", _command("api sched_hangup"), is_spread=True),
        Point("in-document", "menu", None),
        Point("after-document", "menu", _command("api uuid_setvar_multi", "callplane_sent="), goes_on=False),
        Point(
            "between-verbs", "menu", _event("CHANNEL_EXECUTE_COMPLETE", more="\nApplication-UUID: cs_"), is_spread=True
        ),
        Point("in-gather", "menu", _command("sendmsg", "execute-app-name: read\n"), after_s=0.4),
        Point("dial-ringing", "dial", _event("CHANNEL_PROGRESS", "Other-Leg-Unique-ID"), after_s=0.3),
        Point("dial-bridged", "dial", _event("CHANNEL_BRIDGE"), after_s=0.3),
        Point("in-record", "record", _command("sendmsg", "execute-app-name: record\n"), after_s=0.5),
        Point("after-hangup", "menu", _event("CHANNEL_HANGUP_COMPLETE"), is_spread=True),
    )
}
