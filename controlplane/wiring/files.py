"""Shelves, storage and the keeper of recordings, as the settings have them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from controlplane.base.errors import BadInput
from controlplane.files.errors import FilesUnavailable
from controlplane.files.folder import Folder
from controlplane.files.recordings import Absent as NothingKept
from controlplane.files.recordings import Finished, Why, keep_recording
from controlplane.files.remote_shelf import RemoteShelf
from controlplane.files.shelf import DirectoryShelf, NodeFolders, Shelf
from controlplane.files.shelf_server import ShelfServer
from controlplane.files.storage import Bucket, Storage, parse_bucket, storage_in_bucket, storage_in_folder
from controlplane.files.workshop import Workshop
from controlplane.services.finish_recording import Absent, Failed, Outcome, Stored
from controlplane.services.recordings import DueRecording
from controlplane.settings import Settings
from controlplane.tasks.recordings import NotYet
from controlplane.wiring.http import serve_http
from controlplane.wiring.meters import measured
from controlplane.wiring.places import nodes_of, prompts_folder, recordings_folder

SHORTEST_TOKEN = 16
GIVE_UP_AFTER = 40  # attempts, a quarter of a minute apart: a node that was away so long has lost its files


def shelves_of(settings: Settings) -> Mapping[str, Shelf]:
    """How the files of each media node are reached: over HTTP where CALLPLANE_NODE_FILES names it, else a folder."""
    prompts, recordings = prompts_folder(settings), recordings_folder(settings)
    folders = NodeFolders(settings.node_prompts or str(prompts), settings.node_recordings or str(recordings))
    shared = DirectoryShelf(Folder(prompts), recordings, folders)
    remote = _remote(settings)
    names = {node.name for node in nodes_of(settings)}
    if unknown := set(remote) - names:
        raise BadInput(f"CALLPLANE_NODE_FILES names {', '.join(sorted(unknown))}, which CALLPLANE_NODES does not")
    token = settings.node_files_token.get_secret_value() if settings.node_files_token is not None else ""
    if remote and not token:
        raise BadInput("CALLPLANE_NODE_FILES needs CALLPLANE_NODE_FILES_TOKEN")
    return {name: RemoteShelf(remote[name], token, folders) if name in remote else shared for name in names}


async def serve_files(settings: Settings, host: str, port: int, *, on_ready: Callable[[dict[str, Any]], None]) -> None:
    """Serve a media node's prompts and recordings to call servers and workers. Raises BadInput."""
    token = settings.node_files_token.get_secret_value() if settings.node_files_token is not None else ""
    if len(token) < SHORTEST_TOKEN:
        raise BadInput(f"CALLPLANE_NODE_FILES_TOKEN must be set, to {SHORTEST_TOKEN} characters or more")
    prompts, recordings = prompts_folder(settings), recordings_folder(settings)
    for folder in (prompts, recordings):
        folder.mkdir(parents=True, exist_ok=True)
    async with measured(settings):
        await serve_http(ShelfServer(Folder(prompts), recordings, token), host, port, on_ready=on_ready)


def _remote(settings: Settings) -> dict[str, str]:
    found = {}
    for text in filter(None, (part.strip() for part in settings.node_files.split(","))):
        name, equals, url = text.partition("=")
        if not (name and equals and url.startswith(("http://", "https://"))):
            raise BadInput(f"CALLPLANE_NODE_FILES: {text!r} is not name=http://host:port")
        found[name] = url
    return found


def storage_of(settings: Settings) -> Storage:
    """Where recordings are kept."""
    bucket = parse_bucket(settings.storage) if settings.storage else None
    if bucket is None:
        return storage_in_folder(Path(settings.storage) if settings.storage else settings.data / "storage")
    name, prefix = bucket
    return storage_in_bucket(
        Bucket(
            name=name,
            prefix=prefix,
            endpoint=settings.s3_endpoint,
            region=settings.s3_region,
            access_key=settings.s3_access_key.get_secret_value() if settings.s3_access_key else "",
            secret_key=settings.s3_secret_key.get_secret_value() if settings.s3_secret_key else "",
        )
    )


@dataclass(slots=True)
class RecordingKeeper:
    """Brings recordings from their nodes into the storage."""

    shelves: Mapping[str, Shelf]
    storage: Storage
    workshop: Workshop

    async def keep(self, due: DueRecording) -> Outcome:
        """See tasks.recordings.Keeper."""
        shelf = self.shelves.get(due.node)
        if shelf is None:
            return Failed(f"the media node {due.node} is not known here any more")
        finished = Finished(due.recording_id, key_of(due), due.is_trimmed)
        try:
            kept = await keep_recording(finished, shelf, self.storage, self.workshop)
        except FilesUnavailable as error:
            if due.attempts >= GIVE_UP_AFTER:
                return Failed(str(error))
            raise NotYet(str(error)) from error
        if isinstance(kept, NothingKept):
            return Failed("the file cannot be read") if kept.why is Why.UNREADABLE else Absent()
        return Stored(kept.key, kept.duration_ms, kept.size_bytes)


def key_of(due: DueRecording) -> str:
    """Where the storage keeps a recording: below its account."""
    return f"{due.account_id}/{due.recording_id}.wav"


@asynccontextmanager
async def keeper_of(settings: Settings) -> AsyncIterator[RecordingKeeper]:
    """A keeper, while the block runs."""
    workshop = Workshop()
    try:
        yield RecordingKeeper(shelves_of(settings), storage_of(settings), workshop)
    finally:
        await workshop.close()
