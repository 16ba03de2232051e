"""Everything that attempts are made on: whole processes on a real FreeSWITCH, with ears everywhere.

The media node has our configuration but for three lines: programs may be started from it (`system`), and arguments may
run commands of the API (`${…}`), which production forbids. So a value that gets through does harm that is seen, and the
builder stands alone.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp
from yarl import URL

from controlplane.cli.freeswitch import loopback_node
from controlplane.cli.processes import Supervisor
from controlplane.render import MediaNode
from tests.acceptance.media_node import passing_freeswitch
from tests.acceptance.platform import PASSWORD, Platform, Tenant, running_platform
from tests.injection.application import Answer, Asked, serving
from tests.injection.callees import Callees
from tests.injection.canaries import Canaries, watching_canaries
from tests.injection.telephones import Line, Telephones
from tests.injection.watcher import Watcher
from tests.injection.wiretap import Wiretap, tapping

NUMBER = "+15550001000"
# What production closes, by the file it stands in; each stands there once.
_CLOSED = {
    "freeswitch.xml": ("disable_system_api_commands=true", "disable_system_app_commands=true"),
    "autoload/switch.conf.xml": ('name="api-expansion" value="false"',),
}


@dataclass(slots=True)
class Stage:
    """What runs. `answer` is what the application does; whoever uses the stage sets it."""

    canaries: Canaries
    node: MediaNode
    watcher: Watcher
    tap: Wiretap
    telephones: Telephones
    callees: Callees
    tap_port: int = 0
    app_url: str = ""
    platform: Platform | None = None
    tenant: Tenant | None = None
    app_id: str = ""
    http: aiohttp.ClientSession | None = None
    answers: list[Callable[[Asked], Answer]] = field(default_factory=list)

    def answer(self, asked: Asked) -> Answer:
        """What the application answers: what the latest user of the stage says, or that it took note."""
        return self.answers[-1](asked) if self.answers else Answer(status=204)

    @property
    def sip_peer(self) -> tuple[str, int]:
        """Where the node takes calls."""
        return self.node.sip_address, self.node.sip_port

    def dial(self, caller: str) -> Line:
        """Somebody calls the tenant's number."""
        return self.telephones.dial(NUMBER, self.sip_peer, From=f"<sip:{caller}@{self.telephones.contact}>")

    async def make_app(self, *, takes_number: bool) -> str:
        """An app whose documents the application gives; the tenant's number may lead to it. Answers its id."""
        assert self.tenant is not None
        wanted = {
            "name": "Injection",
            "flow_url": f"{self.app_url}/next",
            "fallback_url": f"{self.app_url}/fallback",
            "webhook_url": f"{self.app_url}/events",
            "vn_ids": [self.tenant.number_id] if takes_number else [],
        }
        status, _, body = await self.ask("POST", "/api/v1/voice/apps", json=wanted)
        assert status == 201, body
        return str(json.loads(body)["id"])

    async def ask(self, method: str, path: str, **more: object) -> tuple[int, str, bytes]:
        """Ask the API as the tenant: status, content type, body."""
        assert self.http is not None
        async with self.http.request(method, URL(path, encoded=True), **more) as answer:  # type: ignore[arg-type]
            return answer.status, answer.content_type, await answer.read()


@asynccontextmanager
async def bare_stage(folder: Path, program: Path) -> AsyncIterator[Stage]:
    """The media node, telephones, application and ears, without a platform."""
    node = loopback_node(
        folder / "fs", esl_password=PASSWORD, prompts=folder / "prompts", recordings=folder / "recordings"
    )
    async with AsyncExitStack() as stack:
        canaries = await stack.enter_async_context(watching_canaries(folder / "c"))
        supervisor = await stack.enter_async_context(Supervisor(lambda _name, _line: None))
        child = passing_freeswitch(program, node)
        child = replace(child, argv=(*child.argv, "-np"))  # it gives way to nodes on which people talk
        _open_what_is_closed(Path(node.folders.conf))
        await supervisor.start(child)
        callees = Callees(canaries)
        loop = asyncio.get_running_loop()
        _, telephones = await loop.create_datagram_endpoint(lambda: Telephones(callees.take), ("127.0.0.1", 0))
        stack.callback(telephones.close)
        watcher = Watcher(canaries)
        await watcher.start(node)
        stack.push_async_callback(watcher.stop)
        tap, port = await stack.enter_async_context(tapping(canaries, (node.esl_address, node.esl_port)))
        stage = Stage(canaries, node, watcher, tap, telephones, callees)
        stage.tap_port = port
        stage.app_url = await stack.enter_async_context(serving(canaries, stage.answer))
        yield stage


@asynccontextmanager
async def whole_stage(folder: Path, server_url: str, program: Path) -> AsyncIterator[Stage]:
    """The same with API, call server and worker as processes, and a tenant whose number leads to the application."""
    async with bare_stage(folder, program) as stage, AsyncExitStack() as stack:
        platform = running_platform(
            folder,
            server_url=server_url,
            node=f"127.0.0.1:{stage.tap_port}",
            gateway=stage.telephones.contact,
            call_servers=1,
            more={"CALLPLANE_GATEWAY_CPS_LIMIT": "10000", "CALLPLANE_CHANNEL_CAP": "1000"},
        )
        stage.platform = await stack.enter_async_context(platform)
        stage.tenant = await stage.platform.add_tenant("Injection", NUMBER)
        stage.http = await stack.enter_async_context(_session(stage.platform.url, stage.tenant))
        stage.app_id = await stage.make_app(takes_number=True)
        await stage.platform.until_all_know(1)
        yield stage


def _open_what_is_closed(conf: Path) -> None:
    for name, words in _CLOSED.items():
        lines = (conf / name).read_text().splitlines(keepends=True)
        kept = [line for line in lines if not any(word in line for word in words)]
        assert len(lines) - len(kept) == len(words)
        (conf / name).write_text("".join(kept))


def _session(url: str, tenant: Tenant) -> aiohttp.ClientSession:
    timeout = aiohttp.ClientTimeout(total=30)
    return aiohttp.ClientSession(url, headers={"x-api-key": tenant.api_key}, timeout=timeout)
