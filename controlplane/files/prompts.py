"""Makes what is said and played into files on a media node: rendered or fetched once, kept, placed where it is needed.

A prompt goes through two steps, each done once however many calls ask: *make* (speak it, or fetch and convert it, into
the folder of this process) and *place* (onto the shelf of a node). What was made and placed is remembered for a while,
so that a call that plays what others played asks nobody: `ready_now` only looks into two tables.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeAlias, TypeVar

from controlplane.base.clock import Clock
from controlplane.base.errors import CallplaneError
from controlplane.files.errors import INTERNAL, PromptUnavailable, disk_trouble
from controlplane.files.flights import Flights
from controlplane.files.folder import Folder
from controlplane.files.freshness import fresh_s
from controlplane.files.names import prompt_name
from controlplane.files.pcm import open_pcm
from controlplane.files.shelf import Shelf
from controlplane.verbs.documents import Pause, Play, Prompt, Say

_V = TypeVar("_V")
_CONVERSION = "decode.1"  # part of a Play's name: another way to convert makes other files
FAILED_S = 1.0
PLACED_S = 600.0  # a shelf keeps a prompt for an hour from when it was placed last (files/shelf.py)
MOST_KNOWN = 20_000


@dataclass(frozen=True, slots=True)
class Audio:
    """A file that a media node can play, by the path that the node knows."""

    node_path: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing to hear for a while, and no file for it."""

    duration_ms: int


Ready: TypeAlias = Audio | Silence


class Speech(Protocol):
    """Speaks."""

    @property
    def name(self) -> str:
        """Names the sound: one name and one text, one sound."""
        ...

    async def say(self, say: Say) -> bytes:
        """A WAV file of 8 kHz, one channel, 16 bit. Raises CallplaneError; a number in `facts["code"]` is passed on."""
        ...


@dataclass(frozen=True, slots=True)
class Media:
    """What a server answered for a file. Headers are as they came, "" if they did not.

    `content_type` is in lower case without parameters; `is_unchanged` says that it was 304 and nothing was written.
    """

    content_type: str = ""
    etag: str = ""
    last_modified: str = ""
    cache_control: str = ""
    age: str = ""
    is_unchanged: bool = False


class FetchMedia(Protocol):
    """Asks tenants' servers for audio, with everything that keeps us safe from their addresses and sizes."""

    async def __call__(self, url: str, into: Path, *, etag: str, last_modified: str) -> Media:
        """Write the file into `into`, unless it still is what `etag` and `last_modified` ("" for none) stand for.

        Raises CallplaneError; a number in `facts["code"]` is passed on.
        """
        ...


class Converter(Protocol):
    """Decodes strangers' files (files/workshop.py)."""

    async def convert(self, source: Path, target: Path, media_type: str) -> int:
        """Write WAV of 8 kHz, one channel, 16 bit; answer its length in ms. Raises UnusableAudio."""
        ...


@dataclass(frozen=True, slots=True)
class _Made:
    """A prompt in our folder. It stands for its URL until `fresh_until_s`; after that the server is asked."""

    name: str
    duration_ms: int
    fresh_until_s: float
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class _Placed:
    node_path: str
    until_s: float


class PromptMaker:
    """Prompts for the calls of one process. `folder` may be shared with other processes, and with a DirectoryShelf."""

    def __init__(self, speech: Speech, fetch: FetchMedia, converter: Converter, folder: Folder, clock: Clock) -> None:
        self._speech, self._fetch, self._converter, self._folder, self._clock = speech, fetch, converter, folder, clock
        self._made: OrderedDict[str, _Made] = OrderedDict()
        self._placed: OrderedDict[tuple[Shelf, str], _Placed] = OrderedDict()
        self._making: Flights[_Made] = Flights(clock, failed_s=FAILED_S)
        self._placing: Flights[_Placed] = Flights(clock, failed_s=FAILED_S)

    def ready_now(self, prompt: Prompt, shelf: Shelf) -> Ready | None:
        """The prompt if a call can play it at once; else None: `prepare` it. Never waits, asks or reads anything.

        A Play without a URL (only digits) is no sound: silence of no length.
        """
        match prompt:
            case Pause(length_s):
                return Silence(length_s * 1000)
            case Play(""):
                return Silence(0)
            case Say() | Play():
                return self._known(prompt, shelf)

    async def prepare(self, prompt: Prompt, shelf: Shelf) -> Ready:
        """Make the prompt and place it on a shelf, unless both are done. Raises PromptUnavailable.

        A failure is the answer for a second, so that a document that asks in a loop does not hammer anyone.
        """
        ready = self.ready_now(prompt, shelf)
        if ready is not None or isinstance(prompt, Pause):
            return ready or Silence(0)
        try:
            made = await self._making.once(self._key(prompt), lambda: self._make(prompt))
            placed = await self._placing.once((shelf, made.name), lambda: self._place(made.name, shelf))
        except CallplaneError as error:
            code = error.facts.get("code")
            raise PromptUnavailable(code if isinstance(code, int) else INTERNAL, error.message) from error
        return Audio(placed.node_path, made.duration_ms)

    async def close(self) -> None:
        """Give up what is being made."""
        await self._making.close()
        await self._placing.close()

    def _known(self, prompt: Say | Play, shelf: Shelf) -> Ready | None:
        now_s = self._clock.monotonic_s()
        key = self._key(prompt)
        made = self._made.get(key)
        if made is None or made.fresh_until_s <= now_s:
            return None
        placed = self._placed.get((shelf, made.name))
        if placed is None or placed.until_s <= now_s:
            return None
        self._made.move_to_end(key)
        self._placed.move_to_end((shelf, made.name))
        return Audio(placed.node_path, made.duration_ms)

    def _key(self, prompt: Say | Play) -> str:
        return prompt.url if isinstance(prompt, Play) else prompt_name(prompt, made_by=self._speech.name)

    async def _make(self, prompt: Say | Play) -> _Made:
        key = self._key(prompt)
        made = self._made.get(key)
        is_there = made is not None and await self._find(made.name) is not None
        if made is None or not is_there or made.fresh_until_s <= self._clock.monotonic_s():
            known = made if is_there else None
            made = await (self._speak(prompt) if isinstance(prompt, Say) else self._get(prompt, known))
        _remember(self._made, key, made)
        return made

    async def _speak(self, say: Say) -> _Made:
        name = self._key(say)
        path = await self._find(name)
        if path is None:
            wav = await self._speech.say(say)
            async with self._folder.partial() as partial:
                with disk_trouble("a prompt cannot be written"):
                    await asyncio.to_thread(partial.write_bytes, wav)
                path = await asyncio.to_thread(self._folder.take, partial, name)
        return _Made(name, await _duration_ms(path), float("inf"))

    async def _get(self, play: Play, known: _Made | None) -> _Made:
        """Fetch a URL, or learn that what is `known` (and still in the folder) is still right."""
        async with self._folder.partial() as fetched:
            etag, last_modified = (known.etag, known.last_modified) if known else ("", "")
            media = await self._fetch(play.url, fetched, etag=etag, last_modified=last_modified)
            fresh_until_s = self._clock.monotonic_s() + fresh_s(media.cache_control, media.age)
            if media.is_unchanged and known is not None:
                return replace(known, fresh_until_s=fresh_until_s)
            content = await asyncio.to_thread(_digest, fetched)
            name = prompt_name(play, made_by=f"{_CONVERSION} {media.content_type} {content}")
            path = await self._find(name)
            if path is None:
                path = await self._convert(fetched, name, media.content_type)
        return _Made(name, await _duration_ms(path), fresh_until_s, media.etag, media.last_modified)

    async def _convert(self, fetched: Path, name: str, media_type: str) -> Path:
        async with self._folder.partial() as converted:
            await self._converter.convert(fetched, converted, media_type)
            return await asyncio.to_thread(self._folder.take, converted, name)

    async def _place(self, name: str, shelf: Shelf) -> _Placed:
        """The time it stays counts from before it was placed."""
        until_s = self._clock.monotonic_s() + PLACED_S
        placed = _Placed(await shelf.place(name, self._folder.path / name), until_s)
        _remember(self._placed, (shelf, name), placed)
        return placed

    async def _find(self, name: str) -> Path | None:
        return await asyncio.to_thread(self._folder.maybe_find, name)


_K = TypeVar("_K", bound=Hashable)


def _remember(table: OrderedDict[_K, _V], key: _K, value: _V) -> None:
    table[key] = value
    table.move_to_end(key)
    while len(table) > MOST_KNOWN:
        table.popitem(last=False)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def _duration_ms(path: Path) -> int:
    with disk_trouble("a prompt cannot be read"):
        return (await asyncio.to_thread(open_pcm, path)).duration_ms
