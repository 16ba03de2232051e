"""Reading calls: many, one, its legs, its timeline."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated, Literal

from fastapi import Query, Request, Response
from pydantic import Field

from controlplane.api.gathered import gathered_of
from controlplane.api.keys import holder_of
from controlplane.api.openapi import problems, v1_router
from controlplane.api.requests import parts_of, read, to_json
from controlplane.api.v1.call_shapes import (
    CallShape,
    LegShape,
    State,
    Status,
    TimelineShape,
    call_shape,
    leg_shapes,
    moment_shape,
    statuses_of,
)
from controlplane.api.v1.fields import Text, Time
from controlplane.api.v1.paging import Paged, PageOf, page_of
from controlplane.base.ids import CALL, AccountId, CallId, bits_of
from controlplane.calls.timeline import tell
from controlplane.services.calls import CallFilter, list_calls, read_timeline
from controlplane.services.load_live_calls import JournalLine
from controlplane.services.whole_calls import WholeCall
from controlplane.store.database import Transaction, unknown_is_not_found
from controlplane.store.pages import Window

router = v1_router("calls")

_TEXT = "text/plain"
_DIRECTION = {"inbound": "inbound", "outbound": "outbound-api"}


class CallQuery(Paged):
    """Which calls."""

    state: Annotated[State | Status | None, Field(description="A `state` or a `status`.")] = None
    direction: Literal["inbound", "outbound"] | None = None
    from_number: Text | None = None
    to_number: Text | None = None
    created_after: Annotated[Time | None, Field(description="Not before this.")] = None
    created_before: Annotated[Time | None, Field(description="Before this.")] = None


@router.get("/voice/calls/{call_id}", name="get_call", response_model=CallShape, responses=problems(404))
async def show_call(request: Request, call_id: str) -> Response:
    """One call, with its legs."""
    whole = await _whole_call(request, call_id)
    shape = call_shape(whole.call, leg_shapes(whole))
    return Response(to_json(shape, CallShape), media_type="application/json")


@router.get("/voice/calls", name="list_calls", response_model=PageOf[CallShape])
async def show_calls(request: Request, asked: Annotated[CallQuery, Query()]) -> Response:
    """Calls, newest first, without their legs."""
    which = CallFilter(
        statuses=() if asked.state is None else statuses_of(asked.state),
        direction=None if asked.direction is None else _DIRECTION[asked.direction],
        from_number=asked.from_number,
        to_number=asked.to_number,
        created_after=asked.created_after,
        created_before=asked.created_before,
    )
    return await read(request, partial(_calls, asked.window(), which), PageOf[CallShape])


@router.get("/voice/calls/{call_id}/legs", name="list_legs", response_model=PageOf[LegShape], responses=problems(404))
async def show_legs(request: Request, call_id: str) -> Response:
    """A call's legs, the first one first, all on one page."""
    page = PageOf(leg_shapes(await _whole_call(request, call_id)))
    return Response(to_json(page, PageOf[LegShape]), media_type="application/json")


@router.get(
    "/voice/calls/{call_id}/timeline",
    name="get_timeline",
    response_model=TimelineShape,
    responses=problems(404) | {200: {"content": {_TEXT: {"example": "12:00:00.000 caller: rings"}}}},
)
async def show_timeline(request: Request, call_id: str) -> Response:
    """What happened in a call, line by line; with `Accept: text/plain` to be read by people."""
    async with parts_of(request).db.autocommit() as tx:
        journal = await read_timeline(tx, holder_of(request).account_id, call_id)
    shape = await asyncio.to_thread(_timeline, call_id, journal.lines)
    if _TEXT in request.headers.get("accept", ""):
        return Response(_as_text(shape), media_type=f"{_TEXT}; charset=utf-8")
    return Response(to_json(shape, TimelineShape), media_type="application/json")


async def _calls(window: Window, which: CallFilter, tx: Transaction, account_id: AccountId) -> PageOf[CallShape]:
    return page_of(await list_calls(tx, account_id, window, which), call_shape)


async def _whole_call(request: Request, call_id: str) -> WholeCall:
    with unknown_is_not_found():
        bits_of(CALL, call_id)
    return await gathered_of(request).calls.ask((holder_of(request).account_id, CallId(call_id)))


def _timeline(call_id: str, lines: tuple[JournalLine, ...]) -> TimelineShape:
    entries = (entry for line in lines if (entry := line.maybe_entry()) is not None)
    return TimelineShape(call_id, [moment_shape(moment) for moment in tell(entries)])


def _as_text(shape: TimelineShape) -> str:
    width = max((len(moment.actor) for moment in shape.data), default=0)
    return "".join(
        f"{moment.at}  {moment.actor:{width}}  {_marked(moment.level)}{moment.text}\n" for moment in shape.data
    )


def _marked(level: str) -> str:
    return "" if level == "info" else f"{level}: "
