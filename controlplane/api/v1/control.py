"""Steering live calls. Every request is written down for the call server that drives the call, and answered at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import Request, Response
from pydantic import Field, StringConstraints, model_validator

from controlplane.api.document_schema import InlineDocument
from controlplane.api.openapi import v1_router
from controlplane.api.requests import change, read
from controlplane.api.v1.fields import Body, Id, Url, iso, maybe_iso
from controlplane.api.v1.placing import inline_of
from controlplane.base.errors import InvalidId
from controlplane.base.ids import PLAYBACK, AccountId, CallId, LegId, leg_of_call, leg_of_public_id
from controlplane.calls.events import DigitsAsked, HangUpAsked, MuteAsked, PlayAsked, Redirected
from controlplane.services.ask_control import (
    CallNotControllable,
    LegNotFound,
    Wish,
    ask_control,
    get_request,
)
from controlplane.services.cancel_queued_call import CallNotQueued, cancel_queued_call
from controlplane.store.database import Transaction, unknown_is_not_found
from controlplane.store.minting import new_id
from controlplane.verbs.documents import Link, Method

router = v1_router("live control", 404, 409)

LegField = Annotated[Id | None, Field(description="One leg of the call; left out: its first.")]


class HangUp(Body):
    """End a call, or one leg of it."""

    leg_id: LegField = None
    reason: Annotated[
        str, StringConstraints(max_length=64, pattern=r"^[A-Z0-9_]*$"), Field(description="For the call's record.")
    ] = ""


class Mute(Body):
    """Let nobody hear a leg, or let it be heard again."""

    leg_id: Id
    on: bool


class Keys(Body):
    """Send keys to a leg."""

    digits: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[0-9*#A-D]+$")]
    leg_id: LegField = None
    duration_ms: Annotated[int, Field(ge=40, le=1000, description="How long each key is held.")] = 100


class Play(Body):
    """Play audio to a leg, over whatever it hears."""

    media_url: Url
    leg_id: LegField = None
    loop: Annotated[int, Field(ge=1, le=10)] = 1
    on_dtmf: Annotated[Literal["stop", "ignore"], Field(description="What a key of the leg's does to it.")] = "stop"


class Redirect(Body):
    """Give a call another document."""

    flow_url: Annotated[Url | None, Field(description="Asked for the document.")] = None
    method: Method = "POST"
    document: Annotated[InlineDocument | None, Field(description="The document itself.")] = None

    @model_validator(mode="after")
    def _one_document(self) -> Redirect:
        if (self.flow_url is None) == (self.document is None):
            raise ValueError("give either flow_url or document")
        return self


@dataclass(frozen=True, slots=True)
class Accepted:
    """The request was written down; the call does it in its own time."""

    request_id: Annotated[str, Field(examples=["req_01HF7YAT00V1R6E8ZZ1AH3GX8N"])]


@dataclass(frozen=True, slots=True)
class PlayAccepted:
    """The request was written down; `playback_id` names what will be played."""

    request_id: str
    playback_id: str


@dataclass(frozen=True, slots=True)
class RequestShape:
    """What became of a request."""

    request_id: str
    call_id: str
    kind: str
    state: Literal["asked", "done", "failed"]
    problem: Annotated[str | None, Field(examples=["call_not_live"])]
    created_at: str
    done_at: str | None


_ACCEPTED: dict[str, Any] = {"response_model": Accepted, "status_code": 202}


@router.post("/voice/calls/{call_id}/hangup", **_ACCEPTED)
async def hang_up(request: Request, call_id: str, body: HangUp | None = None) -> Response:
    """End a call or one of its legs. A call that waits to be dialled is canceled."""
    return await change(request, partial(_hang_up, call_id, body or HangUp()), Accepted, status=202)


@router.post("/voice/calls/{call_id}/mute", **_ACCEPTED)
async def mute(request: Request, call_id: str, body: Mute) -> Response:
    """Let nobody hear a leg, or let it be heard again."""
    return await _ask(request, call_id, body.leg_id, lambda leg: MuteAsked("", leg, body.on))


@router.post("/voice/calls/{call_id}/dtmf", **_ACCEPTED)
async def send_dtmf(request: Request, call_id: str, body: Keys) -> Response:
    """Send keys to a leg."""
    return await _ask(request, call_id, body.leg_id, lambda leg: DigitsAsked("", leg, body.digits, body.duration_ms))


@router.post("/voice/calls/{call_id}/play", response_model=PlayAccepted, status_code=202)
async def play(request: Request, call_id: str, body: Play) -> Response:
    """Play audio to a leg, over whatever it hears."""
    return await change(request, partial(_play, call_id, body), PlayAccepted, status=202)


@router.post("/voice/calls/{call_id}/redirect", **_ACCEPTED)
async def redirect(request: Request, call_id: str, body: Redirect) -> Response:
    """Break off what a call does and give it another document."""
    document = Link(body.flow_url, body.method) if body.flow_url is not None else inline_of(body.document or "")
    return await change(
        request, partial(_wish, call_id, None, lambda _: Redirected("", document)), Accepted, status=202
    )


@router.get("/voice/requests/{request_id}", name="get_request", response_model=RequestShape)
async def show_request(request: Request, request_id: str) -> Response:
    """What became of a request to a live call."""
    return await read(request, partial(_request, request_id), RequestShape)


async def _ask(request: Request, call_id: str, leg_id: str | None, wish: Callable[[LegId], Wish]) -> Response:
    return await change(request, partial(_wish, call_id, leg_id, wish), Accepted, status=202)


async def _wish(
    call_id: str, leg_id: str | None, wish: Callable[[LegId], Wish], tx: Transaction, account_id: AccountId
) -> Accepted:
    return Accepted(await ask_control(tx, account_id, call_id, wish(_leg(call_id, leg_id))))


async def _hang_up(call_id: str, body: HangUp, tx: Transaction, account_id: AccountId) -> Accepted:
    leg = None if body.leg_id is None else _leg(call_id, body.leg_id)
    wish = HangUpAsked("", leg, body.reason)
    try:
        return Accepted(await ask_control(tx, account_id, call_id, wish))
    except CallNotControllable:
        if leg is not None and leg != leg_of_call(CallId(call_id)):
            raise LegNotFound from None
        try:
            return Accepted(await cancel_queued_call(tx, account_id, call_id, body.reason))
        except CallNotQueued:  # claimed in between
            return Accepted(await ask_control(tx, account_id, call_id, wish))


async def _play(call_id: str, body: Play, tx: Transaction, account_id: AccountId) -> PlayAccepted:
    playback, stops = new_id(PLAYBACK), body.on_dtmf == "stop"
    wish = PlayAsked("", _leg(call_id, body.leg_id), playback, body.media_url, body.loop, stops)
    return PlayAccepted(await ask_control(tx, account_id, call_id, wish), playback)


async def _request(request_id: str, tx: Transaction, account_id: AccountId) -> RequestShape:
    found = await get_request(tx, account_id, request_id)
    return RequestShape(
        found.request_id, found.call_id, found.kind, found.state, found.problem, iso(found.created_at),  # type: ignore[arg-type]
        maybe_iso(found.done_at),
    )  # fmt: skip


def _leg(call_id: str, leg_id: str | None) -> LegId:
    """The leg that is meant; one that is none of the call's is for the service to find out."""
    with unknown_is_not_found():
        first = leg_of_call(CallId(call_id))
    if leg_id is None:
        return first
    try:
        return leg_of_public_id(leg_id)
    except InvalidId as error:
        raise LegNotFound from error
