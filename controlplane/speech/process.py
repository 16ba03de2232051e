"""Running a speech engine as a process of its own.

Engines are C programs that read what strangers wrote, and have had holes (CVE-2023-49990 to -49994 are overflows of
espeak-ng on crafted text), so they get as little as possible: no shell, a bare environment, no text in arguments,
bounds on time, memory and output. Output goes to a file in memory: flite reads back what it wrote when a text has
several sentences, which on a pipe waits for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
from collections.abc import Iterator
from dataclasses import dataclass

from controlplane.speech.utterance import TOO_LONG, SpeechFailed

_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
_COMPLAINT_BYTES = 200


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an engine may use up. `output_bytes` is above 64 MiB: PulseAudio's part of espeak-ng makes a file as big."""

    time_s: float = 20.0
    memory_bytes: int = 512 << 20
    output_bytes: int = 128 << 20


DEFAULT_BOUNDS = Bounds()


async def run_engine(argv: tuple[str, ...], text: bytes, bounds: Bounds) -> bytes:
    """Answer what a program writes to the file that `{out}` in `argv` stands for; raises SpeechFailed.

    `text` is its standard input. The program and whatever it started are gone when this returns, raises or is canceled.
    """
    with _file_in_memory("speech") as out, _file_in_memory("complaint") as complaint:
        process = await _start(argv, out, complaint)
        try:
            async with asyncio.timeout(bounds.time_s):
                status = await _speak(process, text, bounds)
        except TimeoutError as error:
            raise SpeechFailed(f"speaking took longer than {bounds.time_s:g} s", TOO_LONG) from error
        finally:
            await _end(process)
        if status == -signal.SIGXFSZ:
            raise SpeechFailed("the speech is too long", TOO_LONG)
        if status != 0:
            said = os.pread(complaint, _COMPLAINT_BYTES, 0).decode(errors="replace").strip()
            raise SpeechFailed(f"the speech engine ended with {status}: {said}")
        return await asyncio.to_thread(os.pread, out, os.fstat(out).st_size, 0)


@contextlib.contextmanager
def _file_in_memory(name: str) -> Iterator[int]:
    descriptor = os.memfd_create(name, os.MFD_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


async def _start(argv: tuple[str, ...], out: int, complaint: int) -> asyncio.subprocess.Process:
    program, *arguments = (part.replace("{out}", f"/proc/self/fd/{out}") for part in argv)
    pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    try:
        return await asyncio.create_subprocess_exec(
            program, *arguments, stdin=pipe, stdout=null, stderr=complaint, env=_ENVIRONMENT, cwd="/",
            pass_fds=[out], start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise SpeechFailed(f"{os.path.basename(program)} cannot be run: {error.strerror}") from error


async def _speak(process: asyncio.subprocess.Process, text: bytes, bounds: Bounds) -> int:
    """Answer the exit status. Bounds first, then the text: nothing of a stranger is read without them."""
    assert process.stdin is not None
    with contextlib.suppress(ProcessLookupError):
        _bound(process.pid, bounds)
    process.stdin.write(text)
    process.stdin.close()
    return await process.wait()


def _bound(pid: int, bounds: Bounds) -> None:
    limits = (
        (resource.RLIMIT_CPU, int(bounds.time_s) + 1),
        (resource.RLIMIT_AS, bounds.memory_bytes),
        (resource.RLIMIT_FSIZE, bounds.output_bytes),
        (resource.RLIMIT_CORE, 0),
    )
    for kind, most in limits:
        resource.prlimit(pid, kind, (most, most))


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
