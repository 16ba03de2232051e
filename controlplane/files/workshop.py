"""A few processes that touch sound, so that a decoder that crashes, hangs or bloats harms nothing but its own job.

Not concurrent.futures.ProcessPoolExecutor: one dead worker breaks that whole pool, with the jobs of everyone else in
it, and it has no way to end a worker that hangs (before Python 3.14). Here a job has a worker for itself, and one that
fails takes only that worker along.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import controlplane
from controlplane.files.errors import FilesUnavailable, UnusableAudio
from controlplane.files.voice_edits import Measured

_USES = 500  # after that a worker is replaced, whatever its libraries leaked
_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "PYTHONPATH": str(Path(controlplane.__file__).parents[1]),
    "OPENBLAS_NUM_THREADS": "1",
}


class Workshop:
    """Does jobs on sound files in at most `workers` processes; a job that takes longer than `time_s` is given up."""

    def __init__(self, *, workers: int = 2, time_s: int = 60) -> None:
        self._time_s = self._cpu_s = time_s
        self._places = asyncio.Semaphore(workers)
        self._idle: list[_Worker] = []

    async def convert(self, source: Path, target: Path, media_type: str) -> int:
        """See decode.convert. Every job raises UnusableAudio for a file that cannot be read, however it fails, and
        FilesUnavailable for a disk that cannot be read or written."""
        return int(await self._do("convert", source, target, media_type))

    async def measure(self, source: Path) -> Measured:
        """See voice_edits.measure."""
        done = await self._do("measure", source)
        return Measured(**{**done, "voice_ms": done["voice_ms"] and tuple(done["voice_ms"])})

    async def mend(self, source: Path, target: Path) -> int:
        """See voice_edits.mend."""
        return int(await self._do("mend", source, target))

    async def trim(self, source: Path, target: Path) -> int:
        """See voice_edits.trim."""
        return int(await self._do("trim", source, target))

    async def split(self, source: Path, first: Path, second: Path) -> None:
        """See voice_edits.split."""
        await self._do("split", source, first, second)

    async def join(self, first: Path, second: Path, target: Path) -> None:
        """See voice_edits.join."""
        await self._do("join", first, second, target)

    async def mix(self, source: Path, target: Path) -> None:
        """See voice_edits.mix."""
        await self._do("mix", source, target)

    async def make_mp3(self, source: Path, target: Path) -> None:
        """See voice_edits.make_mp3."""
        await self._do("make_mp3", source, target)

    async def close(self) -> None:
        """End the processes. Jobs that are under way are given up."""
        while self._idle:
            await self._idle.pop().end()

    async def _do(self, job: str, *arguments: Path | str) -> Any:
        async with self._places:
            worker = await self._take()
            try:
                async with asyncio.timeout(self._time_s):
                    answer = await worker.do(job, [str(part) for part in arguments])
            except TimeoutError as error:
                raise UnusableAudio(f"the file took longer than {self._time_s} s to read") from error
            finally:
                await self._put_back(worker)
        match answer:
            case {"unusable": str(problem)}:
                raise UnusableAudio(problem)
            case {"failed": str(problem)}:
                raise FilesUnavailable(f"a sound file could not be read or written: {problem}")
            case {"done": done}:
                return done
        raise UnusableAudio("the file cannot be decoded")

    async def _take(self) -> _Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.is_ready:
                return worker
            await worker.end()
        return await _Worker.start(self._cpu_s)

    async def _put_back(self, worker: _Worker) -> None:
        if worker.is_ready:
            self._idle.append(worker)
        else:
            await worker.end()


class _Worker:
    """One process. It is ready for a job unless the last one did not end well, or it has done enough."""

    def __init__(
        self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._process, self._reader, self._writer = process, reader, writer
        self._uses, self._is_busy = 0, False

    @classmethod
    async def start(cls, cpu_s: int) -> _Worker:
        """Its standard input and output are one socket of ours: unlike a pipe of asyncio's it can be closed unread."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-P", "-m", "controlplane.files.workbench", str(cpu_s), stdin=theirs.fileno(),
                    stdout=theirs.fileno(),
                    stderr=asyncio.subprocess.DEVNULL, env=_ENVIRONMENT, cwd="/", start_new_session=True,
                )  # fmt: skip
            except BaseException:
                ours.close()
                raise
        return cls(process, *await asyncio.open_connection(sock=ours))

    @property
    def is_ready(self) -> bool:
        return not self._is_busy and self._uses < _USES and self._process.returncode is None

    async def do(self, job: str, arguments: list[str]) -> dict[str, Any]:
        """Answer what the process answers, nothing if it died or talks nonsense."""
        self._is_busy = True
        self._uses += 1
        self._writer.write(json.dumps({"job": job, "arguments": arguments}).encode() + b"\n")
        try:
            answer: dict[str, Any] = json.loads(await self._reader.readline())
        except (ValueError, ConnectionError):
            return {}
        self._is_busy = False
        return answer

    async def end(self) -> None:
        self._writer.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()
