"""Three ways to serve a call on a real FreeSWITCH: Callplane, the node's own dialplan, a greenswitch application.

The peers have a FreeSWITCH of their own with the same configuration: links of a call server would send them events that
they would pay for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.application import WAV, XML, Application, running_application
from bench.callers import Load, call
from bench.media_nodes import RealNode, running_greenswitch, running_node, write_tone
from bench.node import NUMBER, PASSWORD
from bench.platform import running_call_servers, running_database
from bench.processes import cpu_s_of
from bench.sameness import why_not_served
from controlplane.cli.ports import free_port

DIALPLAN_NUMBER, GREENSWITCH_NUMBER = "+15550003333", "+15550004444"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one round took. CPU times are milliseconds a call; `unlike` is why it counts for nothing, if so."""

    load: Load
    node_ms: float
    control_ms: float
    database_ms: float
    unlike: str | None


@dataclass(frozen=True, slots=True)
class Side:
    """One way to serve calls: its node and number, and the CPU seconds that its control and its database have taken.

    `file_ms` is what each call is played, `documents` how many the application was asked for, where there is one.
    """

    name: str
    node: RealNode
    number: str
    control_cpu_s: Callable[[], float]
    database_cpu_s: Callable[[], float]
    file_ms: float
    documents: Callable[[], int] | None = None

    async def round(self, calls: int, per_s: float) -> Cost:
        """Serve some calls."""
        await self.node.until_idle()
        asked_before = self.documents() if self.documents else 0
        before = self.node.cpu_s(), self.control_cpu_s(), self.database_cpu_s()
        load = await call(self.node.node, self.number, calls=calls, per_s=per_s)
        after = self.node.cpu_s(), self.control_cpu_s(), self.database_cpu_s()
        asked = self.documents() - asked_before if self.documents else None
        node_ms, control_ms, database_ms = (
            (now - then) * 1000 / calls for now, then in zip(after, before, strict=True)
        )
        unlike = why_not_served(load, file_ms=self.file_ms, documents=asked)
        return Cost(load, node_ms, control_ms, database_ms, unlike)


@asynccontextmanager
async def sides(body: bytes, tone_ms: int, plays: int) -> AsyncIterator[tuple[Side, Side, Side]]:
    """Callplane with a document, the dialplan and greenswitch with the same file played so often, while the block runs.

    The document finds the file at /tone.wav.
    """
    async with AsyncExitStack() as stack:
        folder, database = stack.enter_context(running_database())
        tone, port = folder / "tone.wav", free_port()
        pages = {"/flow": (XML, body), "/tone.wav": (WAV, write_tone(tone, tone_ms))}
        application = stack.enter_context(running_application(pages))
        node = await stack.enter_async_context(running_node(folder, "ours"))
        other = await stack.enter_async_context(running_node(folder, "peer", dialplan=_dialplan(tone, plays, port)))
        green_pid = await stack.enter_async_context(running_greenswitch(port, tone))
        flows = {NUMBER: f"{application.url}/flow"}
        running = running_call_servers(folder, database, node.address, PASSWORD, flows)
        servers = await stack.enter_async_context(running)
        file_ms = tone_ms * plays
        yield (
            Side("Callplane", node, NUMBER, servers.cpu_s, database.cpu_s, file_ms, partial(_documents, application)),
            Side("its own dialplan", other, DIALPLAN_NUMBER, lambda: 0.0, lambda: 0.0, file_ms),
            Side("greenswitch", other, GREENSWITCH_NUMBER, lambda: cpu_s_of(green_pid), lambda: 0.0, file_ms),
        )


def _documents(application: Application) -> int:
    return application.counts().requests.get("/flow", 0)


def _dialplan(tone: Path, plays: int, port: int) -> dict[str, tuple[tuple[str, str], ...]]:
    return {
        DIALPLAN_NUMBER: (("answer", ""), *[("playback", str(tone))] * plays, ("hangup", "")),
        GREENSWITCH_NUMBER: (("socket", f"127.0.0.1:{port} async full"),),
    }
