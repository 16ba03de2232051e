"""Who calls in the demo: people on a media node, FreeSWITCH if there is one on this machine, else the emulator."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from controlplane.cli.freeswitch import freeswitch_child, loopback_node
from controlplane.cli.processes import Supervisor
from controlplane.emulator.clock import RealClock
from controlplane.emulator.node import Node
from controlplane.emulator.parties import Cast
from controlplane.emulator.rules import Door, LinkRules
from controlplane.emulator.scenarios import CallerPlan, HangUp, Hear, Press, Say, Scenario, Wait
from controlplane.emulator.server import Server
from controlplane.esl import apis, commands
from controlplane.esl.apps import execute, playback
from controlplane.esl.dialstring import DialledLeg
from controlplane.esl.sip_uri import Endpoint, Hop, number_at
from controlplane.esl.sounds import Cadence, RingBack
from controlplane.esl.variables import Setting, Variable
from controlplane.render import MediaNode
from controlplane.switch.link import Link
from controlplane.wiring.calls import connect_to

LISTEN_S = 2.5
PASSWORD = secrets.token_hex(8)


@dataclass
class Telephones:
    """The media node, and how people at its far ends act out a scenario."""

    kind: str
    address: str
    gateway: str
    act: Callable[[Scenario], Awaitable[None]]


@asynccontextmanager
async def emulator() -> AsyncIterator[Telephones]:
    """The emulator, in this process."""
    node = Node(RealClock(), door=Door("inbound", 10))
    server = Server(node, LinkRules(password=PASSWORD))
    port = await server.start()

    async def act(scenario: Scenario) -> None:
        await Cast(node, by_the_clock(scenario)).perform()

    try:
        yield Telephones("the emulator (no FreeSWITCH on this machine)", f"127.0.0.1:{port}", "gateway.invalid", act)
    finally:
        await server.stop()


@asynccontextmanager
async def freeswitch(program: Path, data: Path, supervisor: Supervisor) -> AsyncIterator[Telephones]:
    """A real FreeSWITCH, which calls itself: callers and the agent are legs of the same node."""
    node = loopback_node(
        data / "freeswitch", esl_password=PASSWORD, prompts=data / "prompts", recordings=data / "recordings"
    )
    await supervisor.start(freeswitch_child(program, node))
    link = Link(lambda _: None, lambda _: None)
    await connect_to(node.esl_address, node.esl_port)(lambda: link)
    await link.log_in(commands.auth(PASSWORD))
    kind = f"FreeSWITCH ({program}), SIP on 127.0.0.1:{node.sip_port}"

    async def act(scenario: Scenario) -> None:
        await asyncio.gather(*(call(link, node, plan) for plan in by_the_clock(scenario).callers))

    try:
        yield Telephones(kind, f"{node.esl_address}:{node.esl_port}", f"127.0.0.1:{node.sip_port}", act)
    finally:
        link.abort("the demo is over")


def by_the_clock(scenario: Scenario) -> Scenario:
    """The same people, who listen for a while where they would wait for words: this end of the line knows none."""
    callers = tuple(
        replace(plan, script=tuple(Wait(LISTEN_S) if isinstance(step, Hear) else step for step in plan.script))
        for plan in scenario.callers
    )
    return replace(scenario, callers=callers)


async def call(link: Link, node: MediaNode, plan: CallerPlan) -> None:
    """Play a caller on a leg of the node itself."""
    leg = (await link.ask(commands.line("api", "create_uuid"))).text.strip()
    endpoint = Endpoint(node.sip_profile, number_at(plan.to_number, Hop("127.0.0.1", node.sip_port)))
    settings = (Setting(Variable.ORIGINATION_UUID, leg), Setting(Variable.CALLER_NUMBER, plan.from_number))
    await link.ask(apis.originate(DialledLeg(endpoint, settings), (), f"demo-{leg}"))
    for step in plan.script:
        match step:
            case Wait(seconds):
                await asyncio.sleep(seconds)
            case Say(_, seconds):  # a tone for a voice
                await link.ask(execute(leg, playback([RingBack(Cadence.AMERICA)])))
                await asyncio.sleep(seconds)
                await link.ask(apis.uuid_break(leg))
            case Press(keys):
                await link.ask(apis.uuid_send_dtmf(leg, keys))
            case HangUp():
                return
            case _:
                await until_gone(link, leg)


async def until_gone(link: Link, leg: str) -> None:
    while (await link.ask(apis.uuid_exists(leg))).text.strip() == "true":  # noqa: ASYNC110
        await asyncio.sleep(0.2)
