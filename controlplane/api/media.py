"""Recordings to listen to. No key is asked for here: the link itself says that one may."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse, StreamingResponse
from starlette.background import BackgroundTask

from controlplane.api import links
from controlplane.api.lean import WholeRoute
from controlplane.api.links import FileName, id_of_sid, parse_file
from controlplane.api.openapi import name_operation, problems
from controlplane.api.parts import ApiParts
from controlplane.api.problems import respond
from controlplane.api.ranges import RangeNotMet, maybe_part, part_of
from controlplane.api.requests import parts_of
from controlplane.base.errors import BadInput, NotFound
from controlplane.base.ids import ACCOUNT, RECORDING
from controlplane.services.recordings import Recording, get_recording

_TYPES = {"wav": "audio/wav", "mp3": "audio/mpeg"}
_AUDIO: dict[str, Any] = {name: {"schema": {"type": "string", "format": "binary"}} for name in _TYPES.values()}
router = APIRouter(
    tags=["recordings"],
    route_class=WholeRoute,
    generate_unique_id_function=name_operation,
    responses=problems(403, 404, 422, 503) | {200: {"description": "The recording.", "content": _AUDIO}},
)

Channels = Annotated[int | None, Query(alias="RequestedChannels", ge=1, le=2)]


class OneChannel(BadInput):
    """16113: the recording has one channel."""

    slug = "recording-has-one-channel"
    http_status = 400


@router.head("/media/recordings/{account_id}/{file}", include_in_schema=False)
@router.get("/media/recordings/{account_id}/{file}", response_class=Response, responses=problems(410))
async def download(request: Request, account_id: str, file: str, expires: str = "", signature: str = "") -> Response:
    """A recording, by a link that `GET /api/v1/recordings?recording_id=…` gave."""
    parts = parts_of(request)
    links.check(parts.link_keys, request.url.path, expires, signature, parts.clock.now_ms() // 1000)
    name = parse_file(file)
    return await _play(request, await _completed(parts, account_id, name.name), name)


_TWIML_PATH = "/2010-04-01/Accounts/{account_sid}/Recordings/{file}"


@router.head(_TWIML_PATH, include_in_schema=False)
@router.get(_TWIML_PATH, response_class=Response, responses=problems(400))
async def listen(request: Request, account_sid: str, file: str, channels: Channels = None) -> Response:
    """A recording, by the link that applications get: WAV, or with `.mp3` MP3; `RequestedChannels=1` mixes two."""
    name = parse_file(file)
    account_id, recording_id = id_of_sid(ACCOUNT, account_sid), id_of_sid(RECORDING, name.name)
    recording = await _completed(parts_of(request), account_id, recording_id)
    if channels == 2 and recording.channels == 1:
        raise OneChannel
    return await _play(request, recording, name, mixes=channels == 1 and recording.channels == 2)


async def _completed(parts: ApiParts, account_id: str, recording_id: str) -> Recording:
    async with parts.db.autocommit() as tx:
        recording = await get_recording(tx, account_id, recording_id)
    if recording.state != "completed" or recording.storage_key is None:
        raise NotFound
    return recording


async def _play(request: Request, recording: Recording, name: FileName, *, mixes: bool = False) -> Response:
    if name.form == "wav" and not mixes:
        return await _stream(request, recording)
    return await _made(parts_of(request), recording, name.form, mixes=mixes)


def _headers(recording: Recording, form: str) -> dict[str, str]:
    return {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, max-age=3600",
        "Content-Disposition": f'inline; filename="{recording.recording_id}.{form}"',
    }


async def _stream(request: Request, recording: Recording) -> Response:
    """The file as it is kept, whole or a part of it."""
    storage, key = parts_of(request).storage, recording.storage_key or ""
    size_bytes = await storage.size(key)
    try:
        part = maybe_part(request.headers.get("range", ""), size_bytes)
    except RangeNotMet as error:
        return respond(error, request.url.path, {"Content-Range": f"bytes */{size_bytes}"})
    start, end = part or (0, size_bytes)
    headers = _headers(recording, "wav") | {"Content-Length": str(end - start)}
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size_bytes}"
    content: AsyncIterator[bytes] = part_of(storage.open_stream(key), start, end)
    if request.method == "HEAD":
        return Response(None, 200, headers, _TYPES["wav"])
    return StreamingResponse(content, 200 if part is None else 206, headers, _TYPES["wav"])


async def _made(parts: ApiParts, recording: Recording, form: str, *, mixes: bool) -> Response:
    """A file made of the one that is kept; it goes when the answer is through."""
    temporary = TemporaryDirectory(prefix="callplane-media-")
    try:
        made = Path(temporary.name) / "kept.wav"
        await parts.storage.get_file(recording.storage_key or "", made)
        if mixes:
            source, made = made, made.with_name("mixed.wav")
            await parts.editor.mix(source, made)
        if form == "mp3":
            source, made = made, made.with_suffix(".mp3")
            await parts.editor.make_mp3(source, made)
    except BaseException:
        temporary.cleanup()
        raise
    return FileResponse(
        made, headers=_headers(recording, form), media_type=_TYPES[form], background=BackgroundTask(temporary.cleanup)
    )
