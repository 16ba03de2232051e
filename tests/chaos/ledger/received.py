"""What the tenant's server was told: events of the account's log as JSON, callbacks as forms.

Of both the ledger takes what tells them apart from others of their kind: an event's id (header X-Teler-Event-Id), a
callback's token (header I-Twilio-Idempotency-Token, `<call>.c<number>`), which are the same at every attempt.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.chaos.ledger.ids import uuid_of
from tests.chaos.ledger.reading import lines_of, whole_or_none

_CALLBACK_TOKEN = re.compile(r"(cs_[0-9A-Z]{26})\.c(\d+)\Z")


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """A request with an event; `is_taken`: answered 2xx. `sequence` None: its version of the API has none.

    `leg` is the B-leg's that it is about, None where it is about the call.
    """

    at_s: float
    event_id: str
    call: str | None
    kind: str
    sequence: int | None
    is_taken: bool
    leg: str | None = None


@dataclass(frozen=True, slots=True)
class ReceivedCallback:
    """A request with a status callback. `number` is its place among the call's callbacks, `leg_sid` whom it is about.

    `sequence` is the leg's SequenceNumber, None where the callback is about a recording.
    """

    at_s: float
    call: str | None
    number: int
    leg_sid: str
    status: str
    sequence: int | None
    is_taken: bool

    @property
    def leg(self) -> str | None:
        """The UUID of the leg's channel."""
        return uuid_of(self.leg_sid)


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request for a document that was answered 2xx."""

    at_s: float
    call: str
    path: str


@dataclass(frozen=True, slots=True)
class Received:
    """Everything the server was told, in the order of its log."""

    events: tuple[ReceivedEvent, ...] = ()
    callbacks: tuple[ReceivedCallback, ...] = ()
    requests: tuple[ReceivedRequest, ...] = ()


def read_received(folder: Path) -> Received:
    """webhooks.jsonl; what belongs to no call is passed over."""
    events: list[ReceivedEvent] = []
    callbacks: list[ReceivedCallback] = []
    requests: list[ReceivedRequest] = []
    for line in lines_of(folder / "webhooks.jsonl"):
        headers = {str(name).lower(): str(value) for name, value in line.get("headers", {}).items()}
        if (event_id := headers.get("x-teler-event-id")) is not None:
            events.append(_event(line, event_id))
        elif (token := _CALLBACK_TOKEN.match(headers.get("i-twilio-idempotency-token", ""))) is not None:
            callbacks.append(_callback(line, token))
        elif _is_taken(line) and (call := uuid_of(_told(line).get("CallSid"))) is not None:
            requests.append(ReceivedRequest(float(line["at"]), call, str(line["path"])))
    return Received(tuple(events), tuple(callbacks), tuple(requests))


def _event(line: Mapping[str, Any], event_id: str) -> ReceivedEvent:
    body = line["body"] if isinstance(line.get("body"), dict) else {}
    data = body["data"] if isinstance(body.get("data"), dict) else {}
    return ReceivedEvent(
        float(line["at"]),
        event_id,
        uuid_of(body.get("call_id") or data.get("call_id")),
        str(body.get("type") or body.get("event") or ""),
        whole_or_none(body.get("sequence")),
        _is_taken(line),
        uuid_of(body.get("leg_id") or data.get("leg_id")),
    )


def _callback(line: Mapping[str, Any], token: re.Match[str]) -> ReceivedCallback:
    told = _told(line)
    return ReceivedCallback(
        float(line["at"]),
        uuid_of(token[1]),
        int(token[2]),
        str(told.get("CallSid", "")),
        str(told.get("CallStatus", "")),
        whole_or_none(told.get("SequenceNumber")),
        _is_taken(line),
    )


def _told(line: Mapping[str, Any]) -> Mapping[str, Any]:
    """The parameters of a request."""
    query = parse_qsl(urlsplit(str(line["path"])).query, keep_blank_values=True)
    return {**dict(query), **(line["body"] if isinstance(line.get("body"), dict) else {})}


def _is_taken(line: Mapping[str, Any]) -> bool:
    status = whole_or_none(line.get("answered"))
    return status is not None and 200 <= status < 300
