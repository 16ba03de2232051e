"""The media node's side of the protocol and nothing else: no audio, no SIP, no timers but those a measurement asks for.

A process that plays thousands of parked calls without being what is measured: events are recorded ones of a real
FreeSWITCH with other ids in them, commands are read just far enough. What a call runs (`execute` with an Event-UUID)
goes on until the measurement has it completed. Each event that asks for an answer is timed: from when it is written to
when the first command for its call has been read.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from uuid import UUID

from bench.peers.recorded_events import Templates
from bench.peers.server_links import LinkOfServer

PASSWORD = "for-bench"  # noqa: S105
MOST_TRIES = 10
CORE = "11111111-2222-4333-8444-555555555555"


@dataclass(slots=True)
class Call:
    """One channel. `token` is of what runs there; `asked_s` is when it told something that is not answered, or 0."""

    uuid: str
    link: LinkOfServer | None = None
    token: str = ""
    sent: str = ""
    is_answered: bool = False
    asked_s: float = 0.0


@dataclass(slots=True)
class Switchboard:
    """All calls and links. `took_s`: from an event to the next command; `found_s`: when a lost call was found."""

    dialled: str
    templates: Templates = field(default_factory=Templates)
    calls: dict[str, Call] = field(default_factory=dict)
    links: set[LinkOfServer] = field(default_factory=set)
    took_s: list[float] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    found_s: list[float] = field(default_factory=list)
    ended: int = 0
    every_s: float = 0.0  # how long what a call runs takes; 0: until further notice
    hold_s: float = 0.0  # how long until the far end hangs up; 0: until further notice
    _random: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311

    # What a measurement asks for

    async def fill(self, count: int, per_s: float) -> int:
        """Let calls come in until so many are there; who is refused calls again. Answers how many there are."""
        for _ in range(MOST_TRIES):
            missing = count - len(self.calls)
            if missing <= 0:
                break
            await self.offer(missing, per_s)
        return len(self.calls)

    async def offer(self, count: int, per_s: float) -> int:
        """Let calls come in; answers how many were answered within a while after the last."""
        loop = asyncio.get_running_loop()
        begin_s = loop.time()
        new = []
        for number in range(count):
            await asyncio.sleep(max(0.0, begin_s + number / per_s - loop.time()))
            call = Call(str(UUID(int=self._random.getrandbits(128), version=4)))
            self.calls[call.uuid] = call
            new.append(call)
            self.tell(call, self.templates.parked(call.uuid, self.dialled))
        for _ in range(300):
            if all(call.token or call.uuid not in self.calls for call in new):
                break
            await asyncio.sleep(0.1)
        return sum(call.is_answered for call in new)

    async def run(self, duration_s: float, every_s: float) -> list[float]:
        """Have what every call runs end every so often, for a time; answers what was timed.

        An event that has no command yet took as long as it has waited: without those the slowest would not count.
        """
        self.took_s.clear()
        self.every_s = every_s
        for call in list(self.calls.values()):
            self._end_later(call, self._random.random() * every_s)
        await asyncio.sleep(duration_s)
        self.every_s = 0.0
        await asyncio.sleep(0.5)
        now_s = time.monotonic()
        return self.took_s + [now_s - call.asked_s for call in self.calls.values() if call.asked_s]

    def forget_lost(self) -> None:
        """From here on calls that lose their server count as lost."""
        self.lost.clear()
        self.found_s.clear()

    async def until_found(self) -> list[float]:
        """Wait until another server has found the calls of one that is gone; answers when, by the machine's clock."""
        for _ in range(300):
            if self.found_s and not self.lost:
                break
            await asyncio.sleep(0.05)
        assert not self.lost, f"{len(self.lost)} calls were not found"
        return list(self.found_s)

    async def hang_up(self) -> int:
        """Every far end hangs up; answers how many calls that ended."""
        count = len(self.calls)
        for number, call in enumerate(list(self.calls.values())):
            self.end(call)
            if number % 50 == 49:
                await asyncio.sleep(0.05)
        await asyncio.sleep(1)
        return count

    def count_calls(self) -> int:
        """How many calls there are."""
        return len(self.calls)

    # What happens to calls

    def tell(self, call: Call, event: bytes) -> None:
        """Send an event of a call to whoever watches its shard, and wait for a command."""
        call.asked_s = time.monotonic()
        self._send(call, event)

    def _send(self, call: Call, event: bytes) -> None:
        digit = call.uuid[-1]
        for link in self.links:
            if digit in link.watched:
                link.write(event)

    def commanded(self, call: Call, link: LinkOfServer) -> None:
        """A command for a call was read."""
        if call.asked_s:
            self.took_s.append(time.monotonic() - call.asked_s)
            call.asked_s = 0.0
        if call.uuid in self.lost:
            self.lost.discard(call.uuid)
            self.found_s.append(time.monotonic())
        call.link = link

    def execute(self, call: Call, app: str, token: str) -> None:
        """Run an application; only the last of a burst has a token, and says when it is over."""
        if app == "answer" and not call.is_answered:
            call.is_answered = True
            self._send(call, self.templates.answered(call.uuid))
            if self.hold_s:
                asyncio.get_running_loop().call_later(self.hold_s, self.end, call)
        if token.startswith("look-"):
            asyncio.get_running_loop().call_soon(self._complete, call, token)
        elif token:
            call.token = token
            if self.every_s:
                self._end_later(call, self.every_s)

    def _end_later(self, call: Call, after_s: float) -> None:
        asyncio.get_running_loop().call_later(after_s, self._end_if_still, call, call.token)

    def _end_if_still(self, call: Call, token: str) -> None:
        if self.every_s and token and call.token == token and call.uuid in self.calls:
            call.token = ""
            self._complete(call, token)

    def _complete(self, call: Call, token: str) -> None:
        event = self.templates.completed(call.uuid, token, call.sent)
        if token.startswith("look-"):
            self._send(call, event)
        else:
            self.tell(call, event)

    def end(self, call: Call) -> None:
        """A channel is gone."""
        if self.calls.pop(call.uuid, None) is not None:
            self.ended += 1
            call.asked_s = 0.0
            self._send(call, self.templates.ended(call.uuid))

    def leave(self, link: LinkOfServer) -> None:
        """A link is gone; who had its calls is to be found out."""
        self.links.discard(link)
        self.lost |= {call.uuid for call in self.calls.values() if call.link is link}

    def api(self, line: str, link: LinkOfServer) -> str:
        """Answer an `api` command."""
        name, _, rest = line.partition(" ")
        if name == "show":
            rows = [self._row(call) for call in self.calls.values()]
            return json.dumps({"row_count": len(rows), "rows": rows} if rows else {"row_count": 0})
        if name == "global_getvar":
            return CORE
        if name == "uptime":
            return "1000"
        if name == "global_setvar":
            return "+OK"
        call = next((self.calls[word] for word in rest.split(" ", 3)[:2] if word in self.calls), None)
        if name == "uuid_exists":
            return "true" if call is not None else "false"
        if call is None:
            return "-ERR No such channel!\n"
        self.commanded(call, link)
        match name:
            case "uuid_setvar_multi" if "callplane_sent=" in rest:
                call.sent = rest.partition("callplane_sent=")[2].partition(";")[0]
            case "uuid_getvar":
                return call.sent if rest.endswith("callplane_sent") and call.sent else "_undef_"
            case "uuid_dump":
                return self.templates.dump(call.uuid, self.dialled)
            case "uuid_kill":
                asyncio.get_running_loop().call_soon(self.end, call)
        return "+OK Success\n"

    def _row(self, call: Call) -> dict[str, str]:
        return self.templates.row(call.uuid, "read" if call.token else "park", is_answered=call.is_answered)


def serve(pipe: Connection, dialled: str) -> None:
    """The process: tells its port, then does what it is asked, one thing after the other."""
    import uvloop

    uvloop.run(_serve(pipe, dialled))


async def _serve(pipe: Connection, dialled: str) -> None:
    board = Switchboard(dialled)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: LinkOfServer(board), "127.0.0.1", 0)
    pipe.send(server.sockets[0].getsockname()[1])
    while (asked := await asyncio.to_thread(pipe.recv)) is not None:
        name, *arguments = asked
        if name == "set":
            setattr(board, *arguments)
            pipe.send(None)
            continue
        method: Callable[..., object] = getattr(board, name)
        result = method(*arguments)
        pipe.send(await result if asyncio.iscoroutine(result) else result)
