"""What calls of a run do: for each flow the documents, what the caller does, and what the dialled telephone does.

Every caller has a number of its own, and the telephone that is dialled on its behalf has the same with another prefix,
so that documents can be made of the caller's number alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CALLER_PREFIX, CALLEE_PREFIX = "+15550", "+15559"
DIDS = {
    "menu": "+15551110001", "dial": "+15551110002", "record": "+15551110003", "vigil": "+15551110005",
    "long-vigil": "+15551110006",
}  # fmt: skip
SHOWN = "+15551110004"  # what calls that the API places come from
MIX = ("menu", "dial", "record", "placed")  # what everybody does beside the marked call
CALLED_BACK = ("initiated", "ringing", "answered", "completed")
RING_S = 1.2
KEYS = "42"

NEVER_S = 80.0  # longer than any call of a run
TALK_S = 2.5


@dataclass(frozen=True, slots=True)
class Flow:
    """One kind of call. Who dials in presses keys some time after the answer, or speaks all the time; a telephone that
    is dialled rings for RING_S, answers, and leaves after `talk_s`, or waits to be hung up on.
    """

    name: str
    pages: Mapping[str, str]
    press_after_s: float = NEVER_S
    is_speaking: bool = False
    talk_s: float = NEVER_S

    @property
    def paths(self) -> list[str]:
        """Where its documents are; a call that goes on to its end asks for each."""
        return [f"/app/{self.name}{path}" for path in self.pages]

    @property
    def is_placed(self) -> bool:
        """Say whether the API places it, and nobody dials in."""
        return self.name not in DIDS

    @property
    def is_dialling(self) -> bool:
        """Say whether a telephone is dialled for a caller."""
        return any("<Dial" in page for page in self.pages.values())

    @property
    def calls_back(self) -> list[str]:
        """What status callbacks are to tell of the telephone that is dialled for a caller."""
        return [*CALLED_BACK] if self.is_dialling else []

    @property
    def is_recording(self) -> bool:
        """Say whether a recording comes of it."""
        return any("<Record" in page for page in self.pages.values())

    @property
    def caller_script(self) -> list[dict[str, Any]]:
        """What the caller does, as scenario files have it."""
        if self.is_speaking:
            return [{"say": "And another thing.", "seconds": NEVER_S}, {"expect_end": {"within_s": NEVER_S}}]
        keys: list[dict[str, Any]] = (
            [{"wait_s": self.press_after_s}, {"press": KEYS}] if self.press_after_s < NEVER_S else []
        )
        return [*keys, {"expect_end": {"within_s": NEVER_S}}]

    @property
    def callee_script(self) -> list[dict[str, Any]]:
        """The same for the telephone."""
        is_leaving = self.talk_s < NEVER_S
        return [{"wait_s": self.talk_s}, {"hang_up": True}] if is_leaving else [{"expect_end": {"within_s": NEVER_S}}]


@dataclass(frozen=True, slots=True)
class Planned:
    """One call of a load: `at_s` after the load begins, `caller` dials its flow's number (or the API dials it)."""

    at_s: float
    flow: str
    caller: str


def callee_of(caller: str) -> str:
    """The telephone that is dialled on behalf of a caller."""
    return CALLEE_PREFIX + caller.removeprefix(CALLER_PREFIX)


def caller_number(index: int) -> str:
    """The number of the caller of this index."""
    return f"{CALLER_PREFIX}{index:06}"


def long_form(flow: str) -> str:
    """What the marked call does where faults last long."""
    return f"long-{flow}" if f"long-{flow}" in FLOWS else flow


def _vigil(name: str, rounds: int) -> Flow:
    """Somebody hears something every three seconds, and is asked something in between: each server is soon told."""
    ask = "<Gather numDigits='1' timeout='1'/><Say>Still here.</Say><Pause length='1'/>"
    pages = {
        "": f"<Response>{ask * rounds}<Redirect>/app/{name}/done</Redirect></Response>",
        "/done": "<Response><Say>Good bye.</Say></Response>",
    }
    return Flow(name, pages)


FLOWS = {
    flow.name: flow
    for flow in (
        Flow(
            "menu",
            {
                "": "<Response><Say>First of all.</Say><Say>Then more.</Say>"
                "<Redirect>/app/menu/ask</Redirect></Response>",
                "/ask": "<Response><Gather numDigits='2' timeout='3' action='/app/menu/got'><Say>Two digits.</Say>"
                "</Gather><Say>None then.</Say><Redirect>/app/menu/got</Redirect></Response>",
                "/got": "<Response><Say>Thank you.</Say></Response>",
            },
            press_after_s=2.8,
        ),
        Flow(
            "dial",
            {
                "": "<Response><Say>One moment.</Say><Dial timeout='20' action='/app/dial/done'>"
                f"<Number statusCallback='/events/leg' statusCallbackEvent='{' '.join(CALLED_BACK)}'>"
                "{callee}</Number></Dial></Response>",
                "/done": "<Response><Say>Good bye.</Say></Response>",
            },
            talk_s=TALK_S,
        ),
        Flow(
            "record",
            {
                "": "<Response><Say>Speak.</Say><Record maxLength='3' timeout='10' playBeep='false' "
                "action='/app/record/done'/></Response>",
                "/done": "<Response><Say>Kept.</Say></Response>",
            },
            is_speaking=True,
        ),
        Flow(
            "placed",
            {"": "<Response><Say>You were called.</Say><Pause length='1'/><Say>By us.</Say></Response>"},
        ),
        _vigil("vigil", 6),
        _vigil("long-vigil", 14),
    )
}


def page(path: str, parameters: Mapping[str, str]) -> str | None:
    """The document at a path `/app/<flow>[/…]`."""
    _, _, name, *rest = path.split("/")
    flow = FLOWS.get(name)
    document = flow.pages.get("".join(f"/{part}" for part in rest)) if flow is not None else None
    return document.replace("{callee}", callee_of(parameters.get("From", ""))) if document is not None else None
