"""The ways to run cases against whole processes: on the emulator over TCP, or on a real FreeSWITCH."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from controlplane.cli.freeswitch import loopback_node
from controlplane.cli.processes import Supervisor
from controlplane.emulator.clock import RealClock
from controlplane.emulator.node import Node
from controlplane.emulator.parties import Cast, PartyLog
from controlplane.emulator.phones.calls import PhoneCall
from controlplane.emulator.phones.cast import PhoneCast
from controlplane.emulator.phones.exchange import Exchange
from controlplane.emulator.rules import Door, LinkRules
from controlplane.emulator.scenarios import Scenario
from controlplane.emulator.server import Server
from controlplane.esl.commands import line
from controlplane.render import MediaNode
from tests.acceptance.cases import Case
from tests.acceptance.in_processes import Collect, Perform, Performed, Prepared
from tests.acceptance.media_node import logged_in, passing_freeswitch
from tests.acceptance.platform import PASSWORD, Platform, running_platform
from tests.acceptance.sounds import CaseSounds


@asynccontextmanager
async def on_emulator(folder: Path, server_url: str) -> AsyncIterator[tuple[Platform, Perform]]:
    """Processes on a node of the emulator, and people whose scripts run there."""
    async with emulator_platform(folder, server_url) as (platform, node):
        yield platform, _with_scripts(node)


@asynccontextmanager
async def emulator_platform(folder: Path, server_url: str) -> AsyncIterator[tuple[Platform, Node]]:
    """Processes on a node of the emulator, which lives in this process and is reached over TCP."""
    node = Node(RealClock(), door=Door("inbound", 10))
    server = Server(node, LinkRules(password=PASSWORD))
    port = await server.start("127.0.0.1", 0)
    try:
        async with running_platform(
            folder,
            server_url=server_url,
            node=f"127.0.0.1:{port}",
            gateway="gateway.invalid",
        ) as platform:
            yield platform, node
            await _must_become(lambda: len(node.channels), 0)
    finally:
        await server.stop()


async def _must_become(value: Callable[[], object], wanted: object) -> None:
    """Nothing may be left on a media node."""
    for _ in range(100):
        if value() == wanted:
            return
        await asyncio.sleep(0.05)  # another process, or another thread of it, has to do it
    assert value() == wanted


def _with_scripts(node: Node) -> Perform:
    async def perform(prepared: Sequence[Prepared]) -> Collect:
        callers = [
            replace(caller, at_s=caller.at_s + one.begins_s) for one in prepared for caller in one.case.scenario.callers
        ]
        callees = {name: plan for one in prepared for name, plan in one.case.scenario.callees.items()}
        known = {sound.name: sound for one in prepared for sound in one.sounds.known}
        voices = {text: samples for one in prepared for text, samples in one.sounds.voices.items()}
        sounds = CaseSounds([*known.values()], voices)
        cast = Cast(node, Scenario(tuple(callers), callees), sounds.describe)
        await cast.perform()

        async def collect() -> dict[str, Performed]:
            sounds.name(cast.logs)
            return {one.case.name: Performed([log for log in cast.logs if _is_of(one.case, log)]) for one in prepared}

        return collect

    return perform


def _is_of(case: Case, log: PartyLog) -> bool:
    return log.party in case.scenario.callees or log.party in [one.from_number for one in case.scenario.callers]


@asynccontextmanager
async def on_freeswitch(
    folder: Path, server_url: str, program: Path
) -> AsyncIterator[tuple[Platform, Perform, MediaNode]]:
    """Processes on a real FreeSWITCH, and people with telephones of their own around it."""
    casts: list[PhoneCast] = []
    exchange = Exchange(lambda call: _take(casts, call))
    await exchange.start()
    try:
        async with freeswitch_platform(folder, server_url, program, exchange.contact) as (platform, node):
            yield platform, _with_telephones(node, exchange, casts), node
    finally:
        await exchange.stop()


@asynccontextmanager
async def freeswitch_platform(
    folder: Path, server_url: str, program: Path, gateway: str
) -> AsyncIterator[tuple[Platform, MediaNode]]:
    """Processes on a real FreeSWITCH, on which nothing may be left at the end."""
    node = loopback_node(
        folder / "freeswitch", esl_password=PASSWORD, prompts=folder / "prompts", recordings=folder / "recordings"
    )
    address = f"{node.esl_address}:{node.esl_port}"
    async with AsyncExitStack() as stack:
        supervisor = await stack.enter_async_context(Supervisor(lambda _name, _line: None))
        await supervisor.start(passing_freeswitch(program, node))
        platform = running_platform(folder, server_url=server_url, node=address, gateway=gateway)
        yield await stack.enter_async_context(platform), node
        with contextlib.closing(logged_in(node.esl_port, PASSWORD)) as link:
            await _must_become(lambda: link.send(line("api", "show channels count")).strip(), "0 total.")


def _take(casts: list[PhoneCast], call: PhoneCall) -> None:
    """Give a call to those who know whom it is for."""
    for cast in casts:
        if cast.maybe_callee(call) is not None:
            cast.take_call(call)
            return
    call.refuse(404)


def _with_telephones(node: MediaNode, exchange: Exchange, casts: list[PhoneCast]) -> Perform:
    async def perform(prepared: Sequence[Prepared]) -> Collect:
        peer = (node.sip_address, node.sip_port)
        own = {one.case.name: PhoneCast(exchange, peer, one.case.scenario, one.sounds) for one in prepared}
        casts.extend(own.values())

        async def begin(one: Prepared) -> None:
            await asyncio.sleep(one.begins_s)
            await own[one.case.name].perform()

        await asyncio.gather(*map(begin, prepared))

        async def collect() -> dict[str, Performed]:
            return {name: Performed(await cast.perform_rest(), _keys(cast)) for name, cast in own.items()}

        return collect

    return perform


def _keys(cast: PhoneCast) -> dict[str, str]:
    """What telephones were sent."""
    return {party.log.party: "".join(key.key for key in party.call.stream.heard.keys) for party in cast.parties}
