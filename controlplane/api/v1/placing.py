"""Placing calls: Teler's way, and ours, which answers with the whole call."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import Request, Response
from pydantic import Field, StringConstraints, model_validator

from controlplane.api.document_schema import InlineDocument
from controlplane.api.gathered import gathered_of
from controlplane.api.keys import holder_of
from controlplane.api.openapi import v1_router
from controlplane.api.requests import change, parts_of, to_json
from controlplane.api.v1.call_shapes import CallShape, State, Status, call_shape
from controlplane.api.v1.fields import Address, Body, Id, Number, Url
from controlplane.base.ids import AccountId
from controlplane.calls.facts import Inline
from controlplane.services.calls import Call
from controlplane.services.place_call import Placing, Wanted, place_call
from controlplane.store.database import Transaction
from controlplane.verbs.documents import Link, Method, StatusCallback, StatusEvent
from controlplane.verbs.parsing import parse_document

router = v1_router("calls", 404, 409)

Progress = Literal["initiated", "ringing", "answered", "completed"]


class CallBody(Body):
    """A call to be placed. What it does once it is answered is `flow_url`, `document`, or the app's to say."""

    from_number: Annotated[Number, Field(description="One of your numbers; the callee sees it.")]
    to_number: Annotated[Address, Field(description="Whom to call: a number, or a SIP address.")]
    flow_url: Annotated[Url | None, Field(description="Asked for the call's document once it is answered.")] = None
    method: Annotated[Method, Field(description="How `flow_url` is asked.")] = "POST"
    document: Annotated[
        InlineDocument | None,
        Field(
            description="The document itself instead of a URL: TwiML, or our JSON as text or as it is.",
            examples=["<Response><Say>Hello!</Say></Response>", [{"say": "Hello!"}, {"hangup": {}}]],
        ),
    ] = None
    fallback_url: Annotated[Url | None, Field(description="Asked where `flow_url` gives no document.")] = None
    fallback_method: Method = "POST"
    app_id: Annotated[Id | None, Field(description="An app whose settings hold for whatever is left open here.")] = None
    status_callback_url: Annotated[
        Url | None,
        Field(
            description="Told the call's events as JSON, in the place of the app's `webhook_url`; with "
            "`status_callback_events` told these instead, as form parameters."
        ),
    ] = None
    status_callback_events: Annotated[list[Progress] | None, Field(min_length=1, max_length=4)] = None
    status_callback_method: Method = "POST"
    timeout_s: Annotated[int, Field(ge=1, le=600, description="Seconds it may ring.")] = 60
    time_limit_s: Annotated[int, Field(ge=1, le=14_400, description="Seconds it may last.")] = 14_400
    send_digits: Annotated[
        str,
        StringConstraints(max_length=64, pattern=r"^[0-9A-D*#wW]*$"),
        Field(description="Keys to send once it is answered; w waits half a second, W a second.", examples=["ww123#"]),
    ] = ""
    record: Annotated[bool | None, Field(description="Record the call. Left open: true, or for ours as the app.")] = (
        None
    )

    @model_validator(mode="after")
    def _one_document(self) -> CallBody:
        if self.flow_url is not None and self.document is not None:
            raise ValueError("flow_url and document exclude each other")
        if self.status_callback_events is not None and self.status_callback_url is None:
            raise ValueError("status_callback_events needs a status_callback_url")
        return self


@dataclass(frozen=True, slots=True)
class Initiated:
    """A call as Teler's clients are told of it."""

    id: str
    from_number: str
    to_number: str
    status_callback_url: str | None
    record: bool
    state: State
    status: Status
    created_at: str


@dataclass(frozen=True, slots=True)
class InitiatedShape:
    """The call waits to be dialled."""

    data: Initiated
    message: str = "Call initiated."
    success: Literal[True] = True


async def initiate_call(request: Request, body: CallBody) -> Response:
    """Place a call; it is dialled as soon as your limits allow."""
    placing = _placing(body, parts_of(request).public_url, record=body.record is not False)
    return await _place(request, placing, partial(_initiated, body), InitiatedShape, status=202)


async def create_call(request: Request, body: CallBody) -> Response:
    """Place a call; the same as initiate, answered with the whole call."""
    placing = _placing(body, parts_of(request).public_url, record=body.record)
    return await _place(request, placing, call_shape, CallShape, status=201)


_MADE: dict[str, Any] = {"response_model": InitiatedShape, "status_code": 202}
router.post("/voice/calls/initiate", **_MADE)(initiate_call)
router.post("/calls/initiate", name="initiate_call_deprecated", deprecated=True, **_MADE)(initiate_call)
router.post("/voice/calls", response_model=CallShape, status_code=201)(create_call)


def inline_of(document: str | list[Any] | dict[str, Any]) -> Inline:
    """A document as it came, checked; raises DocumentError."""
    text = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
    inline = Inline("application/xml" if text.lstrip().startswith("<") else "application/json", text)
    parse_document(text.encode("utf-8", "surrogatepass"), inline.content_type, source_url=None)
    return inline


async def _place(
    request: Request, placing: Placing, show: Callable[[Call], object], shape: Any, *, status: int
) -> Response:
    """Place a call. Without an Idempotency-Key its transaction may be shared with those of other requests."""
    if "idempotency-key" in request.headers:
        return await change(request, partial(_place_alone, placing, show), shape, status=status)
    call = await gathered_of(request).placings.ask(Wanted(holder_of(request).account_id, placing))
    return Response(to_json(show(call), shape), status, media_type="application/json")


async def _place_alone(
    placing: Placing, show: Callable[[Call], object], tx: Transaction, account_id: AccountId
) -> object:
    return show(await place_call(tx, account_id, placing))


def _initiated(body: CallBody, call: Call) -> InitiatedShape:
    shape = call_shape(call)
    return InitiatedShape(
        Initiated(
            shape.id, shape.from_number, shape.to_number, body.status_callback_url, body.record is not False,
            shape.state, shape.status, shape.created_at,
        )
    )  # fmt: skip


def _placing(body: CallBody, public_url: str, *, record: bool | None) -> Placing:
    told_as_form = body.status_callback_events is not None
    return Placing(
        from_number=body.from_number,
        to_number=body.to_number,
        app_id=body.app_id,
        document=_document(body),
        fallback=None if body.fallback_url is None else Link(body.fallback_url, body.fallback_method),
        status_callback=_status_callback(body),
        webhook_url=None if told_as_form else body.status_callback_url,
        ring_timeout_s=body.timeout_s,
        time_limit_s=body.time_limit_s,
        record=record,
        send_digits=body.send_digits,
        public_url=public_url,
    )


def _document(body: CallBody) -> Link | Inline | None:
    if body.flow_url is not None:
        return Link(body.flow_url, body.method)
    return None if body.document is None else inline_of(body.document)


def _status_callback(body: CallBody) -> StatusCallback | None:
    if body.status_callback_url is None or body.status_callback_events is None:
        return None
    link = Link(body.status_callback_url, body.status_callback_method)
    return StatusCallback(link, frozenset(map(StatusEvent, body.status_callback_events)))
