"""A maker of prompts with everything around it: real folders, shelves and decoders; a voice and a web that count."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from controlplane.base.errors import CallplaneError
from controlplane.files.folder import Folder
from controlplane.files.names import prompt_name
from controlplane.files.prompts import Media, PromptMaker
from controlplane.files.shelf import DirectoryShelf, NodeFolders
from controlplane.files.workshop import Workshop
from controlplane.verbs.documents import Say
from tests.unit.files.clocks import HandClock
from tests.unit.files.sounds import tone, write_wav


class CountingVoice:
    """Says a text as long as it is, 100 ms a character."""

    name = "voice.1"

    def __init__(self, folder: Path) -> None:
        self.said: list[str] = []
        self.failure: CallplaneError | None = None
        self._folder = folder

    async def say(self, say: Say) -> bytes:
        self.said.append(say.text)
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        return write_wav(self._folder / "said.wav", tone(len(say.text) * 0.1)).read_bytes()


class Web:
    """One file on a server that answers what it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self.content = b""
        self.answer = Media("audio/wav")
        self.failure: CallplaneError | None = None

    async def __call__(self, url: str, into: Path, *, etag: str, last_modified: str) -> Media:
        self.asked.append((url, etag, last_modified))
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        if etag and etag == self.answer.etag:
            return replace(self.answer, is_unchanged=True)
        into.write_bytes(self.content)
        return self.answer


class CountingWorkshop(Workshop):
    """The real one, counted."""

    def __init__(self) -> None:
        super().__init__(workers=1)
        self.converted = 0

    async def convert(self, source: Path, target: Path, media_type: str) -> int:
        self.converted += 1
        return await super().convert(source, target, media_type)


class Bench:
    """A maker with everything around it."""

    def __init__(self, folder: Path) -> None:
        (folder / "recordings").mkdir()
        self.path = folder
        self.clock, self.web, self.voice = HandClock(), Web(), CountingVoice(folder)
        self.web.content = write_wav(folder / "web.wav", tone(2.0, 500)).read_bytes()
        self.workshop = CountingWorkshop()
        self.folder = Folder(folder / "made", max_bytes=200_000, spare_disk=0.0)
        self.maker = self.new_maker()
        self.shelf = self.new_shelf("shelf")

    def new_maker(self) -> PromptMaker:
        return PromptMaker(self.voice, self.web, self.workshop, self.folder, self.clock)

    def new_shelf(self, name: str) -> DirectoryShelf:
        node = NodeFolders(f"/{name}/prompts", f"/{name}/recordings")
        return DirectoryShelf(Folder(self.path / name, spare_disk=0.0), self.path / "recordings", node)

    def made(self) -> list[str]:
        return sorted(os.listdir(self.folder.path))


@asynccontextmanager
async def opened_bench(folder: Path) -> AsyncIterator[Bench]:
    bench = Bench(folder)
    yield bench
    await bench.maker.close()
    await bench.workshop.close()


def named(say: Say) -> str:
    return prompt_name(say, made_by="voice.1")
