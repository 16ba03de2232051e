"""What calls of a run do: for each flow the documents, what the caller does, and what the dialled telephone does.

Every caller has a number of its own, and the telephone that is dialled on its behalf has the same with another prefix,
so that documents can be made of the caller's number alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CALLER_PREFIX, CALLEE_PREFIX = "+15550", "+15559"
DIDS = {"menu": "+15551110001", "dial": "+15551110002", "record": "+15551110003"}
SHOWN = "+15551110004"  # what calls that the API places come from
RING_S = 1.2

Script = tuple[Mapping[str, Any], ...]  # steps as scenario files have them


@dataclass(frozen=True, slots=True)
class Flow:
    """One kind of call. `caller` is what who dials in does, `callee` what a dialled telephone does once it answers."""

    name: str
    pages: Mapping[str, str]
    caller: Script = ()
    callee: Script = ()

    @property
    def is_placed(self) -> bool:
        """Say whether the API places it, and nobody dials in."""
        return self.name not in DIDS


def callee_of(caller: str) -> str:
    """The telephone that is dialled on behalf of a caller."""
    return CALLEE_PREFIX + caller.removeprefix(CALLER_PREFIX)


def caller_number(index: int) -> str:
    """The number of the caller of this index."""
    return f"{CALLER_PREFIX}{index:06}"


FLOWS = {
    flow.name: flow
    for flow in (
        Flow(
            "menu",
            {
                "": "<Response><Say>First of all.</Say><Say>Then more.</Say>"
                "<Redirect>/app/menu/ask</Redirect></Response>",
                "/ask": "<Response><Gather numDigits='2' timeout='3' action='/app/menu/got'><Say>Two digits.</Say>"
                "</Gather><Say>None then.</Say></Response>",
                "/got": "<Response><Say>Thank you.</Say></Response>",
            },
            caller=({"wait_s": 3.2}, {"press": "42"}, {"expect_end": {"within_s": 60}}),
        ),
        Flow(
            "dial",
            {
                "": "<Response><Say>One moment.</Say><Dial timeout='20' action='/app/dial/done'>"
                "<Number>{callee}</Number></Dial></Response>",
                "/done": "<Response><Say>Good bye.</Say></Response>",
            },
            caller=({"expect_end": {"within_s": 60}},),
            callee=({"wait_s": 2.5}, {"hang_up": True}),
        ),
        Flow(
            "record",
            {
                "": "<Response><Say>Speak.</Say><Record maxLength='3' timeout='10' playBeep='false' "
                "action='/app/record/done'/></Response>",
                "/done": "<Response><Say>Kept.</Say></Response>",
            },
            caller=({"expect_end": {"within_s": 60}},),
        ),
        Flow(
            "placed",
            {"": "<Response><Say>You were called.</Say><Pause length='1'/><Say>By us.</Say></Response>"},
            callee=({"expect_end": {"within_s": 60}},),
        ),
    )
}


def page(path: str, parameters: Mapping[str, str]) -> str | None:
    """The document at a path `/app/<flow>[/…]`."""
    _, _, name, *rest = path.split("/")
    flow = FLOWS.get(name)
    document = flow.pages.get("".join(f"/{part}" for part in rest)) if flow is not None else None
    return document.replace("{callee}", callee_of(parameters.get("From", ""))) if document is not None else None
