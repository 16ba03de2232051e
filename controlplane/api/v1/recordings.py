"""Recordings: what there is, links to listen to it, and taking it away."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

from fastapi import Query, Request, Response
from pydantic import Field

from controlplane.api import links
from controlplane.api.keys import holder_of
from controlplane.api.openapi import problems, v1_router
from controlplane.api.parts import ApiParts
from controlplane.api.requests import parts_of, read, to_json
from controlplane.api.v1.fields import Id, iso, maybe_iso
from controlplane.api.v1.paging import Paged, PageOf, page_of
from controlplane.api.v1.results import Done
from controlplane.base.errors import NotFound
from controlplane.base.ids import AccountId, public_leg_id
from controlplane.services.recordings import (
    Recording,
    RecordingNotReady,
    delete_recording,
    get_recording,
    list_recordings,
)
from controlplane.store.database import Transaction
from controlplane.store.pages import Window

router = v1_router("recordings")

_LOCATION = {"Location": {"schema": {"type": "string"}, "description": "Where the file is, for a while."}}


class RecordingQuery(Paged):
    """Which recordings, or which one to listen to."""

    recording_id: Annotated[Id | None, Field(description="Answer with a signed link to this recording.")] = None
    expires_in: Annotated[int, Field(ge=60, le=86_400, description="Seconds that the link is good for.")] = 900
    call_id: Annotated[Id | None, Field(description="Recordings of this call.")] = None


@dataclass(frozen=True, slots=True)
class RecordingShape:
    """A recording."""

    id: Annotated[str, Field(examples=["rec_01HF7YAT00V1R6E8ZZ1AH3GX8N"])]
    account_id: str
    call_id: str
    leg_id: str
    state: Literal["processing", "completed", "absent", "failed"]
    source: Annotated[str, Field(description="RecordVerb, DialVerb or OutboundAPI.")]
    channels: int
    duration_seconds: float | None
    size_bytes: int | None
    problem: Annotated[str | None, Field(description="Why there is none.")]
    created_at: str
    finished_at: str | None


@router.get(
    "/recordings",
    name="list_recordings",
    response_model=PageOf[RecordingShape],
    responses=problems(404, 409) | {307: {"description": "With `recording_id`: its file.", "headers": _LOCATION}},
)
async def show_recordings(request: Request, asked: Annotated[RecordingQuery, Query()]) -> Response:
    """Recordings, newest first; or with `recording_id` a redirect to the file of one, which needs no key."""
    if asked.recording_id is not None:
        return await _redirect(request, asked.recording_id, asked.expires_in)
    return await read(request, partial(_list, asked.window(), asked.call_id), PageOf[RecordingShape])


@router.get("/recordings/{recording_id}", name="get_recording", response_model=RecordingShape, responses=problems(404))
async def show_recording(request: Request, recording_id: str) -> Response:
    """One recording."""
    return await read(request, partial(_get, recording_id), RecordingShape)


@router.delete("/recordings/{recording_id}", name="delete_recording", response_model=Done, responses=problems(404, 409))
async def remove_recording(request: Request, recording_id: str) -> Response:
    """Take a recording and its file away for good.

    The file goes first: if that fails the row is still there, and whoever asked can ask again.
    """
    parts, account_id = parts_of(request), holder_of(request).account_id
    recording = await _find(parts, account_id, recording_id)
    if recording.storage_key is not None:
        await parts.storage.delete(recording.storage_key)
    async with parts.db.transaction() as tx:
        await delete_recording(tx, account_id, recording_id)
    return Response(to_json(Done("The recording is gone."), Done), media_type="application/json")


def recording_shape(recording: Recording) -> RecordingShape:
    """A recording as it is shown."""
    return RecordingShape(
        id=recording.recording_id,
        account_id=recording.account_id,
        call_id=recording.call_id,
        leg_id=public_leg_id(recording.leg),
        state=recording.state,  # type: ignore[arg-type]  # the column holds no other words
        source=recording.source,
        channels=recording.channels,
        duration_seconds=None if recording.duration_ms is None else recording.duration_ms / 1000,
        size_bytes=recording.size_bytes,
        problem=recording.problem,
        created_at=iso(recording.created_at),
        finished_at=maybe_iso(recording.finished_at),
    )


async def _redirect(request: Request, recording_id: str, expires_in_s: int) -> Response:
    parts = parts_of(request)
    recording = await _find(parts, holder_of(request).account_id, recording_id)
    if recording.storage_key is None:
        raise NotFound("There is no file of this recording.")
    location = await parts.storage.signed_url(recording.storage_key, expires_in_s)
    return Response(None, 307, {"Location": location or _own_link(parts, recording, expires_in_s)})


def _own_link(parts: ApiParts, recording: Recording, expires_in_s: int) -> str:
    path = links.path_of(recording.account_id, recording.recording_id)
    return (
        f"{parts.public_url}{path}?{links.sign(parts.link_keys[0], path, parts.clock.now_ms() // 1000 + expires_in_s)}"
    )


async def _list(window: Window, call_id: str | None, tx: Transaction, account_id: AccountId) -> PageOf[RecordingShape]:
    return page_of(await list_recordings(tx, account_id, window, call_id), recording_shape)


async def _get(recording_id: str, tx: Transaction, account_id: AccountId) -> RecordingShape:
    return recording_shape(await get_recording(tx, account_id, recording_id))


async def _find(parts: ApiParts, account_id: AccountId, recording_id: str) -> Recording:
    """A recording that is through, whether there is a file or not; raises NotFound, RecordingNotReady."""
    async with parts.db.autocommit() as tx:
        recording = await get_recording(tx, account_id, recording_id)
    if recording.state == "processing":
        raise RecordingNotReady
    return recording
