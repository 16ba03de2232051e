"""Where a caller's value can stand once the call is answered: requests in its dialog. Each is a call of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from controlplane.emulator.phones.sip_text import Headers
from tests.injection.telephones import SDP


@dataclass(frozen=True, slots=True)
class Later:
    """A request that is sent in the dialog as soon as it is answered."""

    method: str
    headers: Headers = ()
    body: str = ""


def _info(kind: str, body: str) -> Later:
    return Later("INFO", (("Content-Type", kind),), body)


def _again(headers: Headers = (), body: str = SDP) -> Later:
    return Later("INVITE", (("Content-Type", "application/sdp"), *headers), body)


def _identity(text: str) -> Headers:
    return (("P-Asserted-Identity", f'"{text}" <sip:{text}@127.0.0.1>'),)


LATER_PLACES: dict[str, Callable[[str], Later]] = {
    "BYE Reason": lambda text: Later("BYE", (("Reason", f'Q.850;cause=16;text="{text}"'),)),
    "BYE Reason protocol": lambda text: Later("BYE", (("Reason", f"{text};cause={text}"),)),
    "BYE X-Stored": lambda text: Later("BYE", (("X-Stored", text),)),
    "BYE User-to-User": lambda text: Later("BYE", (("User-to-User", text),)),
    "BYE P-Asserted-Identity": lambda text: Later("BYE", _identity(text)),
    "re-INVITE X-Stored": lambda text: _again((("X-Stored", text),)),
    "re-INVITE P-Asserted-Identity": lambda text: _again(_identity(text)),
    "re-INVITE Contact": lambda text: _again((("Contact", f"<sip:{text}@127.0.0.1>"),)),
    "re-INVITE session name": lambda text: _again(body=SDP.replace("s=-", f"s={text}")),
    "re-INVITE attribute": lambda text: _again(body=f"{SDP}a=canary:{text}\r\na={text}\r\n"),
    "UPDATE P-Asserted-Identity": lambda text: Later("UPDATE", _identity(text)),
    "UPDATE X-Stored": lambda text: Later("UPDATE", (("X-Stored", text),)),
    "INFO Signal": lambda text: _info("application/dtmf-relay", f"Signal={text}\r\nDuration=100\r\n"),
    "INFO Duration": lambda text: _info("application/dtmf-relay", f"Signal=1\r\nDuration={text}\r\n"),
    "INFO digit": lambda text: _info("application/dtmf", text),
    "INFO type": lambda text: _info(text, text),
    "INFO X-Stored": lambda text: Later("INFO", (("X-Stored", text),)),
    "MESSAGE": lambda text: Later("MESSAGE", (("Content-Type", "text/plain"),), text),
    "REFER Refer-To": lambda text: Later("REFER", (("Refer-To", f"<sip:{text}@127.0.0.1>"),)),
    "REFER Referred-By": lambda text: Later(
        "REFER", (("Refer-To", "<sip:1@127.0.0.1>"), ("Referred-By", f"<sip:{text}@127.0.0.1>"))
    ),
    "REFER Replaces": lambda text: Later("REFER", (("Refer-To", f"<sip:1@127.0.0.1?Replaces={text}>"),)),
    "NOTIFY Event": lambda text: Later("NOTIFY", (("Event", text), ("Subscription-State", text)), text),
    "OPTIONS Accept": lambda text: Later("OPTIONS", (("Accept", text),)),
}
