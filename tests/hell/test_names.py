"""Names that do not resolve as they should, and a port that takes nobody, in real time."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from controlplane.hooks.client import HookClient
from controlplane.hooks.errors import Code
from tests.hell.measuring import feeling_the_pulse
from tests.hell.running import AMPLE, DEADLINE_S, SHORT
from tests.hell.server import full_listener
from tests.hell.test_hell import CPU_S, LATE_S
from tests.hell.uses import USES, uses_of
from tests.unit.hooks.servers import serving

INSIDE, SHUT = "169.254.169.254", "127.1.2.3"


class Answers:
    """A resolver; what it was asked is counted."""

    def __init__(self, *answers: Sequence[str] | OSError) -> None:
        self._answers, self.asked = answers, 0

    async def __call__(self, host: str) -> Sequence[str]:
        answer = self._answers[min(self.asked, len(self._answers) - 1)]
        self.asked += 1
        if isinstance(answer, OSError):
            raise answer
        return answer


async def never_answers(host: str) -> Sequence[str]:
    await asyncio.Event().wait()
    return []


@pytest.mark.parametrize("use", USES)
async def test_a_name_server_that_is_silent_keeps_nobody_beyond_the_deadline(use: str, tmp_path: Path) -> None:
    async with feeling_the_pulse() as pulse, HookClient(limits=SHORT, lookup=never_answers) as client:
        began_s = time.monotonic()

        assert await uses_of(client, tmp_path)[use]("http://silent.test/") == Code.CONNECTION_FAILURE
        over_s = time.monotonic() - began_s - DEADLINE_S
        await pulse.next_beat()
        assert over_s - pulse.taken_s(began_s + DEADLINE_S) <= LATE_S
        assert pulse.longest_cpu_s(began_s) <= CPU_S


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port whose backlog is full: the handshake of TCP is never finished."""
    sockets = full_listener()
    yield sockets[0].getsockname()[1]
    for one in sockets:
        one.close()


@pytest.mark.parametrize("use", USES)
async def test_a_port_that_accepts_nobody_keeps_nobody_beyond_the_deadline(
    use: str, full_port: int, tmp_path: Path
) -> None:
    async with feeling_the_pulse() as pulse, HookClient(allow_private=True, limits=SHORT) as client:
        began_s = time.monotonic()

        ending = await uses_of(client, tmp_path)[use](f"http://127.0.0.1:{full_port}/")
        over_s = time.monotonic() - began_s - DEADLINE_S
        await pulse.next_beat()
        assert ending == Code.CONNECTION_FAILURE
        assert over_s - pulse.taken_s(began_s + DEADLINE_S) <= LATE_S
        assert pulse.longest_cpu_s(began_s) <= CPU_S


@pytest.mark.parametrize(
    ("answers", "ending", "asked"),
    [
        ([socket.gaierror(socket.EAI_NONAME, "none")], Code.BAD_HOST, 1),
        ([socket.gaierror(socket.EAI_AGAIN, "later")], Code.BAD_HOST, 2),
        ([socket.gaierror(socket.EAI_AGAIN, "later"), ["127.0.0.1"]], None, 2),
        ([OSError("no name servers")], Code.BAD_HOST, 1),
        ([[]], Code.BAD_HOST, 1),
        ([[INSIDE]], Code.BAD_HOST, 1),
        ([["127.0.0.1", INSIDE]], Code.BAD_HOST, 1),
        ([[f"127.0.{high}.{low}" for high in range(4) for low in range(256)] + [INSIDE]], Code.BAD_HOST, 1),
        ([["::ffff:169.254.169.254"]], Code.BAD_HOST, 1),
        ([["64:ff9b::a9fe:a9fe"]], Code.BAD_HOST, 1),
        ([["127.0.0.1\0"]], Code.BAD_HOST, 1),
        ([["localhost"]], Code.BAD_HOST, 1),
        ([[SHUT] * 50 + ["127.0.0.1"]], None, 1),
        ([[f"127.2.3.{number}" for number in range(1, 200)] + ["127.0.0.1"]], None, 1),
    ],
    ids=["is not", "is not now", "comes back", "no servers", "empty", "inside", "also inside", "a thousand, one inside",
         "mapped", "translated", "a NUL", "a name for a name", "one shut many times", "two hundred shut"],
)  # fmt: skip
async def test_a_name_is_judged_by_all_it_stands_for(
    answers: list[Sequence[str] | OSError], ending: Code | None, asked: int, tmp_path: Path
) -> None:
    lookup = Answers(*answers)
    async with serving() as server, HookClient(allow_private=True, limits=AMPLE, lookup=lookup) as client:
        url = server.url(host="name.test")

        assert await uses_of(client, tmp_path)["document"](url) == ending
        assert (lookup.asked, server.connections) == (asked, int(ending is None))
