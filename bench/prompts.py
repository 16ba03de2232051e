"""What a prompt costs a call that is in progress: one that was made before, and one that nobody said yet.

The first is looked up on the event loop for every Say and Play of every call; its peer is what it cannot be less than,
one digest of the text. The second waits for the engine; its peer is the engine alone, started in the same way.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

from bench.measurement import Measurement, print_all, rates
from controlplane.files.folder import Folder
from controlplane.files.prompts import Media, PromptMaker
from controlplane.files.shelf import DirectoryShelf, NodeFolders
from controlplane.files.workshop import Workshop
from controlplane.speech.speaker import Speaker, provider_named
from controlplane.verbs.documents import Say
from controlplane.wiring.clock import SystemClock

LOOKED_UP = 2000
SPOKEN = 15
TEXTS = {
    "61_characters": "Welcome to our company. Press one for sales, two for support.",
    "4096_characters": "x " * 2048,
}


def measure() -> Iterator[Measurement]:
    """Look up a prompt that is ready; say one that is new."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _looked_up(Path(folder) / "tone")
        if shutil.which("espeak-ng"):
            yield asyncio.run(_spoken(Path(folder) / "espeak"))


def _looked_up(folder: Path) -> Iterator[Measurement]:
    maker, shelf = _maker(folder, "tone")
    for name, text in TEXTS.items():
        say, content = Say(text), text.encode()
        ready = asyncio.run(maker.prepare(say, shelf))
        if maker.ready_now(say, shelf) != ready:
            raise AssertionError("the prompt is not ready")
        ours, theirs = partial(maker.ready_now, say, shelf), partial(_digest, content)
        sides = partial(_many_times, ours), partial(_many_times, theirs)
        yield rates(f"prompt_looked_up_{name}", LOOKED_UP, "prompts/s", "sha256 alone", *sides)


async def _spoken(folder: Path) -> Measurement:
    maker, shelf = _maker(folder, "espeak-ng")
    ours = await _median_ms(lambda number: maker.prepare(Say(f"Your code is {number}."), shelf))
    theirs = await _median_ms(_engine_alone)
    await maker.close()
    return Measurement("prompt_said_anew", ours, "ms", "espeak-ng alone", theirs, ours / theirs)


async def _engine_alone(number: int) -> None:
    null = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        "espeak-ng", "--stdin", "-w", "/dev/null", stdin=asyncio.subprocess.PIPE, stdout=null, stderr=null
    )
    await process.communicate(f"Your code is {number}.".encode())


async def _median_ms(work: Callable[[int], Awaitable[object]]) -> float:
    spent_ms = []
    for number in range(SPOKEN):
        begin_s = time.perf_counter()
        await work(number)
        spent_ms.append((time.perf_counter() - begin_s) * 1000)
    return statistics.median(spent_ms)


def _maker(folder: Path, engine: str) -> tuple[PromptMaker, DirectoryShelf]:
    prompts = Folder(folder, spare_disk=0.0)
    shelf = DirectoryShelf(prompts, folder, NodeFolders(str(folder), str(folder)))
    return PromptMaker(Speaker(provider_named(engine)), _no_web, Workshop(), prompts, SystemClock()), shelf


async def _no_web(url: str, into: Path, *, etag: str, last_modified: str) -> Media:
    raise AssertionError(f"{url} is not fetched into {into} here ({etag} {last_modified})")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _many_times(work: Callable[[], object]) -> None:
    for _ in range(LOOKED_UP):
        work()


if __name__ == "__main__":
    print_all(measure())
