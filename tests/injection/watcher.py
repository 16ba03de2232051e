"""A link of its own to the media node, that sees every channel: what runs there, and which variables there are."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field

from controlplane.esl.commands import Command, auth, line
from controlplane.esl.connection import ClientConnection
from controlplane.esl.frames import EslEvent, Frame
from controlplane.render import MediaNode
from tests.injection.canaries import NAME, Canaries

# What the door runs and what call servers send; anything else was begun by a value.
_WORDS = (
    "answer bridge hangup multiset park playback read record record_session sched_hangup send_dtmf set sleep"
    " stop_record_session uuid_bridge"
)
_APPLICATIONS = frozenset(_WORDS.split())
_EVENTS = "CHANNEL_CREATE CHANNEL_EXECUTE CHANNEL_HANGUP_COMPLETE"
# What callers may name: headers X-…, and parameters of three headers, all behind a prefix (sofia.c:11913).
_CALLERS_OWN = "sip_h_X-|sip_from_|sip_to_|sip_referred_by_"
_VARIABLE = re.compile(rf"^variable_(?!{_CALLERS_OWN})[^:\n]*{NAME}[^:\n]*:.*$".encode(), re.IGNORECASE | re.MULTILINE)


@dataclass(slots=True)
class Watcher:
    """Reads in a task of its own. `counts` are events that came, by name; `calls` the Call-IDs that channels had."""

    canaries: Canaries
    calls: set[str] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=dict)
    _writer: asyncio.StreamWriter | None = None
    _answers: asyncio.Queue[Frame] = field(default_factory=asyncio.Queue)
    _task: asyncio.Task[None] | None = None

    async def start(self, node: MediaNode) -> None:
        """Connect, and see everything from here on."""
        reader, self._writer = await asyncio.open_connection(node.esl_address, node.esl_port)
        self._task = asyncio.create_task(self._read(reader))
        await self._answers.get()
        await self.ask(auth(node.esl_password))
        await self.ask(line("event", f"plain {_EVENTS}"))

    async def stop(self) -> None:
        """Leave."""
        if self._writer is not None and self._task is not None:
            self._writer.close()
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def ask(self, command: Command) -> str:
        """Tell the node something that is no value of anybody's, and wait for the answer."""
        return (await self.write(command.data)).text

    async def write(self, data: bytes) -> Frame:
        """Write anything at all: how the control fires what must never sing."""
        assert self._writer is not None
        self._writer.write(data)
        return await asyncio.wait_for(self._answers.get(), 10)

    async def look(self) -> None:
        """Look at what no event tells: variables of the whole node."""
        variables = await self.ask(line("api", "global_getvar"))
        for text in variables.splitlines():
            if text.partition("=")[0].lower().startswith(NAME):
                self.canaries.sing(f"a variable of the whole node: {text[:80]}")

    async def _read(self, reader: asyncio.StreamReader) -> None:
        codec = ClientConnection()
        while data := await reader.read(1 << 16):
            for frame in codec.feed(data):
                if frame.content_type == "text/event-plain":
                    self._take(frame.event(), frame.body)
                else:
                    self._answers.put_nowait(frame)
        self.canaries.sing("the media node closed the watcher's link")

    def _take(self, event: EslEvent, body: bytes) -> None:
        self.counts[event.name] = self.counts.get(event.name, 0) + 1
        if event.name not in _EVENTS:
            self.canaries.sing(f"an event that nobody asked for: {event.name}")
        if event.name == "CHANNEL_CREATE":
            self.calls.add(event.variable("sip_call_id") or "")
        application = event.get("Application") or ""
        if event.name == "CHANNEL_EXECUTE" and application not in _APPLICATIONS:
            self.canaries.sing(f"an application that nobody asked for: {application} {event.get('Application-Data')}")
        for found in _VARIABLE.findall(body):
            self.canaries.sing(f"a variable that nobody set: {found[:100]!r}")
