"""A leg that came in by the door: whose number it dialled, and the facts of the call it becomes."""

from __future__ import annotations

import re

from controlplane.base.causes import Cause
from controlplane.base.ids import call_of_leg
from controlplane.calls.facts import Direction, Facts
from controlplane.callserver.ports import Route
from controlplane.switch.translation import Offered

_DIGITS = re.compile(r"\+?[1-9]\d{6,14}\Z", re.ASCII)
ANONYMOUS = "anonymous"
NO_SUCH_NUMBER = Cause.UNALLOCATED_NUMBER
ALL_BUSY = Cause.USER_BUSY  # 486: the app has as many calls as it may, and would on every node


def number_of(text: str) -> str:
    """A number of a SIP message as E.164 where it is one (with or without its plus sign), else the text itself."""
    if not _DIGITS.match(text):
        return text or ANONYMOUS
    return text if text.startswith("+") else f"+{text}"


def facts_of(offered: Offered, route: Route, *, node: str, salt: str, public_url: str) -> Facts:
    """The facts of an inbound call."""
    return Facts(
        call=call_of_leg(offered.leg),
        account=route.account,
        a_leg=offered.leg,
        node=node,
        direction=Direction.INBOUND,
        from_number=number_of(offered.caller_number),
        to_number=number_of(offered.dialled_number),
        app=route.app,
        document=route.document,
        fallback=route.fallback,
        status_callback=route.status_callback,
        webhook_url=route.webhook_url,
        sip_headers=offered.sip_headers,
        record=route.record,
        salt=salt,
        public_url=public_url,
    )
