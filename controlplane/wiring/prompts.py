"""Prompts for the call server: speech, tenants' audio, and the shelves of the media nodes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from controlplane.base.clock import Clock
from controlplane.callserver.ports import PromptFailedError, Sound
from controlplane.files.errors import PromptUnavailable
from controlplane.files.folder import Folder
from controlplane.files.media_types import MEDIA_TYPES
from controlplane.files.names import recording_name
from controlplane.files.prompts import Audio, Media, PromptMaker
from controlplane.files.shelf import Shelf
from controlplane.files.workshop import Workshop
from controlplane.hooks.client import HookClient
from controlplane.hooks.messages import MediaRequest, MediaUnchanged, Validators
from controlplane.settings import Settings
from controlplane.speech.speaker import Speaker, provider_named
from controlplane.verbs.documents import Play, Say
from controlplane.wiring.clock import SystemClock
from controlplane.wiring.files import shelves_of
from controlplane.wiring.places import prompts_folder

MAX_MEDIA_BYTES = 64 * 1024 * 1024


@dataclass(slots=True)
class NodePrompts:
    """Makes prompts and puts them on the shelf of the node that plays them. `hold` keeps a virtual clock still."""

    maker: PromptMaker
    shelves: Mapping[str, Shelf]
    hold: Callable[[], AbstractContextManager[None]] = nullcontext
    keeps_words: bool = False
    _words: dict[str, str] = field(default_factory=dict)

    def maybe_sound(self, node: str, prompt: Say | Play) -> Sound | None:
        ready = self.maker.ready_now(prompt, self.shelves[node])
        return self._sound(prompt, ready) if isinstance(ready, Audio) else None

    async def make_sound(self, node: str, prompt: Say | Play) -> Sound:
        try:
            with self.hold():
                ready = await self.maker.prepare(prompt, self.shelves[node])
        except PromptUnavailable as error:
            raise PromptFailedError(error.code, error.message) from error
        if not isinstance(ready, Audio):
            raise PromptFailedError(13420, "no sound")
        return self._sound(prompt, ready)

    def recording_path(self, node: str, recording: str) -> str:
        return self.shelves[node].folders.recording_path(recording_name(recording))

    def recordings_of(self, node: str) -> str:
        """The folder that a node records into, as it sees it."""
        return self.shelves[node].folders.recordings

    def describe(self, path: str) -> Iterable[str]:
        """What a file says or where it came from, where that is remembered (simulations)."""
        return (self._words[path],) if path in self._words else ()

    def made(self) -> Mapping[str, str]:
        """Every file that was made so far and what it says, where that is remembered."""
        return dict(self._words)

    def _sound(self, prompt: Say | Play, ready: Audio) -> Sound:
        if self.keeps_words:
            self._words[ready.node_path] = prompt.text if isinstance(prompt, Say) else prompt.url
        return Sound(ready.node_path, ready.duration_ms)


@dataclass(slots=True)
class MediaFetcher:
    """Tenants' audio through the guarded client."""

    hooks: HookClient

    async def __call__(self, url: str, into: Path, *, etag: str, last_modified: str) -> Media:
        known = Validators(etag, last_modified) if etag or last_modified else None
        request = MediaRequest(url, into, MAX_MEDIA_BYTES, MEDIA_TYPES, known)
        fetched = await self.hooks.fetch_media(request)
        etag, last_modified = fetched.validators.etag, fetched.validators.last_modified
        cache_control, age = fetched.freshness.cache_control, fetched.freshness.age
        if isinstance(fetched, MediaUnchanged):
            return Media("", etag, last_modified, cache_control, age, is_unchanged=True)
        return Media(fetched.content_type, etag, last_modified, cache_control, age)


@asynccontextmanager
async def building_prompts(
    settings: Settings,
    hooks: HookClient,
    *,
    shelves: Mapping[str, Shelf] | None = None,
    clock: Clock | None = None,
    hold: Callable[[], AbstractContextManager[None]] = nullcontext,
    keeps_words: bool = False,
) -> AsyncIterator[NodePrompts]:
    """Prompts, while the block runs."""
    speaker = Speaker(provider_named(settings.tts))
    workshop = Workshop()
    maker = PromptMaker(
        speaker, MediaFetcher(hooks), workshop, Folder(prompts_folder(settings)), clock or SystemClock()
    )
    try:
        yield NodePrompts(maker, shelves if shelves is not None else shelves_of(settings), hold, keeps_words)
    finally:
        await maker.close()
        await workshop.close()
