"""Every place where a tenant's URL can stand. Each row makes of a URL what is asked of the API to have it used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import quoteattr

CALLEE = "+15550003333"
_PROGRESS = ["initiated", "ringing", "answered", "completed"]


@dataclass(frozen=True, slots=True)
class Order:
    """The body of a request to place a call; and the document that the application outside gives it, if it is asked."""

    body: Mapping[str, Any]
    document: str = ""


Place = Callable[[str, str], Order]  # takes the URL, and the application's own URL for this order


def _in_document(text: str) -> Place:
    """`{url}` is an attribute's value, quotes and all."""

    def order(url: str, own: str) -> Order:
        written = text.replace("{url}", quoteattr(url)).replace("{bye}", quoteattr(f"{own}/bye"))
        return Order({"flow_url": own}, f"<Response>{written}</Response>")

    return order


def _with_text(before: str, after: str) -> Place:
    def order(url: str, own: str) -> Order:
        text = url.replace("&", "&amp;").replace("<", "&lt;")
        return Order({"flow_url": own}, f"<Response>{before}{text}{after}</Response>")

    return order


def _at_sip(url: str, own: str) -> Order:
    return _with_text("<Dial timeout='2' timeLimit='1'><Sip>", "</Sip></Dial>")(sip_of(url), own)


def sip_of(url: str) -> str:
    """The same host and port in a SIP address."""
    return f"sip:canary@{url.partition('://')[2].partition('/')[0]};transport=tcp"


PLACES: dict[str, Place] = {
    "flow_url": lambda url, own: Order({"flow_url": url}),
    "fallback_url": lambda url, own: Order({"flow_url": f"{own}/broken", "fallback_url": url}),
    "status callback": lambda url, own: Order(
        {"flow_url": own, "status_callback_url": url, "status_callback_events": _PROGRESS}, "<Response/>"
    ),
    "events": lambda url, own: Order({"flow_url": own, "status_callback_url": url}, "<Response/>"),
    "to_number": lambda url, own: Order({"flow_url": own, "to_number": sip_of(url)}, "<Response/>"),
    "Play": _with_text("<Play>", "</Play>"),
    "Redirect": _with_text("<Redirect>", "</Redirect>"),
    "Gather action": _in_document('<Gather timeout="1" actionOnEmptyResult="true" action={url}/>'),
    "Record action": _in_document('<Record maxLength="1" timeout="1" action={url}/>'),
    "recording callback": _in_document(
        '<Record maxLength="1" timeout="1" recordingStatusCallback={url} action={bye} '
        'recordingStatusCallbackEvent="in-progress completed absent"/>'
    ),
    "Dial action": _in_document(f'<Dial timeout="2" timeLimit="1" action={{url}}><Number>{CALLEE}</Number></Dial>'),
    "Dial status callback": _in_document(
        '<Dial timeout="2" timeLimit="1"><Number statusCallback={url} statusCallbackEvent="initiated completed">'
        f"{CALLEE}</Number></Dial>"
    ),
    "Number url": _in_document(f'<Dial timeout="2" timeLimit="1"><Number url={{url}}>{CALLEE}</Number></Dial>'),
    "Sip": _at_sip,
    "location": lambda url, own: Order({"flow_url": f"{own}/hop"}),
    "Play's location": lambda url, own: Order({"flow_url": own}, f"<Response><Play>{own}/hop</Play></Response>"),
}
