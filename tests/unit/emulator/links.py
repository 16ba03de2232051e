"""A client of the event socket for these tests: says what it is told, keeps what it hears."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from controlplane.emulator.channel import Channel
from controlplane.emulator.memory import MemoryNetwork, MemoryTransport
from controlplane.emulator.node import Node
from controlplane.esl.connection import ClientConnection
from controlplane.esl.frames import EslEvent, Frame

ENGINE_EVENTS = (
    "CHANNEL_PARK CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_ANSWER CHANNEL_EXECUTE_COMPLETE CHANNEL_BRIDGE "
    "CHANNEL_UNBRIDGE CHANNEL_HANGUP_COMPLETE BACKGROUND_JOB RECORD_STOP PLAYBACK_START PLAYBACK_STOP DTMF"
)


class Link(asyncio.Protocol):
    """One link: `ask` sends a command and waits for its answer, `until` waits for an event."""

    def __init__(self) -> None:
        self._connection = ClientConnection()
        self.transport: MemoryTransport | None = None
        self.frames: list[Frame] = []
        self.events: list[EslEvent] = []
        self.replies: list[Frame] = []
        self.is_lost = False
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    def data_received(self, data: bytes) -> None:
        for frame in self._connection.feed(data):
            self.frames.append(frame)
            if frame.content_type in ("command/reply", "api/response"):
                self.replies.append(frame)
            elif frame.content_type.startswith("text/event"):
                self.events.append(frame.event())
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True
        self._look()

    def _look(self) -> None:
        for one in list(self._waiting):
            if one[0]() and not one[1].done():
                one[1].set_result(None)
                self._waiting.remove(one)

    async def when(self, condition: Callable[[], bool]) -> None:
        """Wait until something holds."""
        if not condition():
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((condition, future))
            await future

    def send(self, text: str) -> None:
        """Send a command without waiting."""
        assert self.transport is not None
        self.transport.write(text.encode() + b"\n\n")

    async def ask(self, text: str) -> str:
        """Send a command and answer what FreeSWITCH said to it."""
        wanted = len(self.replies) + 1
        self.send(text)
        await self.when(lambda: len(self.replies) >= wanted)
        reply = self.replies[wanted - 1]
        return reply.text if reply.content_type == "api/response" else reply.reply_text

    async def run(self, uuid: str, app: str, data: str = "", token: str = "", *, is_locked: bool = True) -> str:
        """Run an application on a channel."""
        lines = [f"sendmsg {uuid}", "call-command: execute", f"execute-app-name: {app}"]
        lines += [f"execute-app-arg: {data}"] if data else []
        lines += [f"Event-UUID: {token}"] if token else []
        lines += ["event-lock: true"] if is_locked else []
        return await self.ask("\n".join(lines))

    async def until(self, name: str, after: int = 0, **headers: str) -> EslEvent:
        """Wait for an event with these headers (underscores stand for hyphens), or take one that came already."""

        def found() -> EslEvent | None:
            wanted = {key.replace("_", "-"): value for key, value in headers.items()}
            return next(
                (
                    event
                    for event in self.events[after:]
                    if event.name == name and all(event.get(key) == value for key, value in wanted.items())
                ),
                None,
            )

        await self.when(lambda: found() is not None)
        event = found()
        assert event is not None
        return event

    async def completed(self, token: str) -> EslEvent:
        """Wait until what runs under a token is through."""
        return await self.until("CHANNEL_EXECUTE_COMPLETE", Application_UUID=token)

    def story(self, uuid: str = "") -> list[str]:
        """What was told of a channel: name, application, response, digit or cause of each event."""
        keys = ("Application", "Application-Response", "DTMF-Digit", "Playback-Status", "Hangup-Cause")
        return [
            " ".join([event.name, *(value for key in keys if (value := event.get(key)))])
            for event in self.events
            if not uuid or event.get("Unique-ID") == uuid
        ]


async def open_link(network: MemoryNetwork, events: str = ENGINE_EVENTS) -> Link:
    """A link that is signed in and subscribed."""
    transport, link = await network.connect(Link)
    link.transport = transport
    await link.when(lambda: bool(link.frames))
    assert await link.ask("auth ClueCon") == "+OK accepted"
    if events:
        assert (await link.ask(f"event plain {events}")).startswith("+OK")
    return link


async def parked(link: Link, node: Node, caller: str = "+15550001111", *, answered: bool = True) -> Channel:
    """A call that came in, is parked and claimed, and answered unless it is not to be."""
    channel = node.ring(caller, "+15550002222")
    await link.until("CHANNEL_PARK", Unique_ID=channel.uuid)
    await link.ask(f"api sched_del {channel.uuid}")
    if answered:
        await link.run(channel.uuid, "answer", "", f"answer-{channel.uuid}")
        await link.completed(f"answer-{channel.uuid}")
    link.events.clear()
    return channel
