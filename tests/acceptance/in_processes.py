"""Cases run against whole processes in real time, all at once: on the emulator over TCP, or on a real FreeSWITCH.

Every case is a tenant with a number and an application of its own; people and calls share one media node.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from controlplane.calls.machine import CallMachine
from controlplane.cli.freeswitch import freeswitch_child, loopback_node
from controlplane.cli.processes import Supervisor
from controlplane.emulator.clock import RealClock
from controlplane.emulator.node import Node
from controlplane.emulator.parties import Cast, PartyLog
from controlplane.emulator.phones.calls import PhoneCall
from controlplane.emulator.phones.cast import PhoneCast
from controlplane.emulator.phones.exchange import Exchange
from controlplane.emulator.phones.recognition import recognise
from controlplane.emulator.rules import Door, LinkRules
from controlplane.emulator.scenarios import Scenario
from controlplane.emulator.server import Server
from controlplane.esl.commands import line
from controlplane.render import MediaNode
from controlplane.services.load_live_calls import load_journal
from controlplane.store.database import Database
from controlplane.store.edge import uuid_of
from controlplane.wiring.replay import replay_call
from tests.acceptance.application import Application, Asked
from tests.acceptance.cases import Case
from tests.acceptance.faults import cause_faults
from tests.acceptance.in_memory import ended_call
from tests.acceptance.media_node import logged_in
from tests.acceptance.outcomes import EndedCall, Outcome
from tests.acceptance.platform import PASSWORD, Platform, Tenant, made, running_platform
from tests.acceptance.requests import make_requests
from tests.acceptance.sounds import CaseSounds, read_wav, sounds_of

APART_S = 0.12  # between the beginnings of two cases
WEBHOOK = "/webhook"

Collect = Callable[[], Awaitable[Mapping[str, "Performed"]]]
Perform = Callable[[Sequence["Prepared"]], Awaitable[Collect]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A case that is set up on the platform."""

    case: Case
    sounds: CaseSounds
    application: Application
    tenant: Tenant
    begins_s: float


@dataclass(frozen=True, slots=True)
class Performed:
    """What the people of a case met with. `keys` are those that telephones were sent."""

    logs: Sequence[PartyLog]
    keys: Mapping[str, str] | None = None


async def run_cases(cases: Sequence[Case], platform: Platform, perform: Perform) -> dict[str, Outcome]:
    """Perform cases at the same time; answers what came of each.

    `perform` lets everybody call and answers, when all who called are through, what will collect what people met with.
    """
    prepared = [await _prepare(case, platform, number * APART_S) for number, case in enumerate(cases)]
    try:
        await platform.until_all_know(sum("/" in case.pages for case in cases))
        meanwhile = [asyncio.create_task(_meanwhile(one, platform)) for one in prepared]
        collect = await perform(prepared)
        problems = await asyncio.gather(*meanwhile)
        unfinished = await platform.settle()
        performed, outcomes = await collect(), {}
        for one, more in zip(prepared, problems, strict=True):
            more += [what for account, what in unfinished if account == uuid_of("account_id", one.tenant.account_id)]
            outcomes[one.case.name] = await _outcome(one, platform, performed[one.case.name], more)
        return outcomes
    finally:
        for one in prepared:
            one.application.close()


async def _prepare(case: Case, platform: Platform, begins_s: float) -> Prepared:
    sounds = await sounds_of(case.pages.values(), case.voices())
    tenant = await platform.add_tenant(case.name, case.number)
    application = Application(case.pages, tenant.auth_token)
    if "/" in case.pages:
        app = {
            "name": case.name,
            "flow_url": f"{application.url}/",
            "fallback_url": f"{application.url}{case.fallback}" if case.fallback else None,
            "webhook_url": f"{application.url}{WEBHOOK}",
            "status_callback_events": [],
            "vn_ids": [tenant.number_id],
        }
        async with platform.api(tenant) as api:
            await made(api, "/voice/apps", app)
    return Prepared(case, sounds, application, tenant, begins_s)


async def _meanwhile(one: Prepared, platform: Platform) -> list[str]:
    """What is asked of the API and what befalls the platform; answers what was wrong with that."""
    await asyncio.sleep(one.begins_s)
    problems = await asyncio.gather(
        make_requests(one.case, platform, one.tenant, one.application),
        cause_faults(one.case, platform, one.tenant),
        return_exceptions=True,
    )
    return [f"meanwhile: {problem!r}" for problem in problems if problem is not None]


async def _outcome(one: Prepared, platform: Platform, performed: Performed, more: list[str]) -> Outcome:
    calls = []
    for call in await platform.call_ids(one.tenant):
        ended, problems = await _call(platform, call)
        calls.append(ended)
        more += problems
    asked = [request for request in one.application.log if request.path != WEBHOOK]
    told = [request for request in one.application.log if request.path == WEBHOOK]
    more += [f"an event is not signed: {request.body!r}" for request in told if not request.is_signed]
    async with platform.api(one.tenant) as api:
        recordings = [await _recording(api, facts, one.sounds) for facts in await _listed(api, "/recordings")]
    return Outcome(
        one.case, performed.logs, asked, calls, one.sounds,
        keys=performed.keys, events=events_told(told), recordings=recordings, more=more,
    )  # fmt: skip


async def _call(platform: Platform, call: str) -> tuple[EndedCall, list[str]]:
    """A call by its journal, and what `callplane replay` finds wrong with that."""
    async with Database(platform.database_url, size=1) as db, db.transaction() as tx:
        entries = [line.entry() for line in await load_journal(tx, call)]  # type: ignore[arg-type]
    machine = CallMachine()
    commands = [machine.handle(entry) for entry in entries]
    replayed = await replay_call(platform.settings, call)
    wrong = [f"{call}: entry {step.seq} replays differently" for step in replayed.steps if not step.is_same]
    return ended_call(entries, commands), wrong


def events_told(told: Sequence[Asked]) -> list[str]:
    """The kinds of all events, call by call in the order of their numbers; a gap or a disorder stands there as such."""
    calls: dict[str, list[tuple[int, str]]] = {}
    for request in told:
        event = json.loads(request.body)
        numbered = (event["sequence"], event["type"])
        events = calls.setdefault(event["call_id"], [])
        if numbered not in events:  # at least once
            events.append(numbered)
    kinds = []
    for events in calls.values():
        kinds += [
            kind if number == place else f"{kind} as number {number}" for place, (number, kind) in enumerate(events)
        ]
    return kinds


async def _listed(api: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
    """Everything of a list, oldest first."""
    answer = (await api.get(path, params={"limit": 100})).json()
    return [*reversed(answer["data"])]


async def _recording(api: httpx.AsyncClient, facts: Mapping[str, Any], sounds: CaseSounds) -> dict[str, Any]:
    """A recording as a tenant gets it: what is told of it, and what is heard in each of its channels."""
    told = {"state": facts["state"], "channels": facts["channels"], "seconds": facts["duration_seconds"]}
    if facts["state"] != "completed":
        return told
    link = await api.get("/recordings", params={"recording_id": facts["id"]})
    async with httpx.AsyncClient(verify=False) as anybody:
        file = await anybody.get(link.headers["location"])
    samples = read_wav(io.BytesIO(file.content))
    heard = await asyncio.to_thread(lambda: [recognise(channel, sounds.known) for channel in samples.T])
    return {**told, "heard": [[one.sound.name for one in channel if one.is_whole] for channel in heard]}


@asynccontextmanager
async def on_emulator(
    folder: Path, server_url: str, *, call_servers: int = 2
) -> AsyncIterator[tuple[Platform, Perform]]:
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
            call_servers=call_servers,
        ) as platform:
            yield platform, _with_scripts(node)
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
    folder: Path, server_url: str, program: Path, *, call_servers: int = 2
) -> AsyncIterator[tuple[Platform, Perform]]:
    """Processes on a real FreeSWITCH, and people with telephones of their own around it."""
    node = loopback_node(
        folder / "freeswitch", esl_password=PASSWORD, prompts=folder / "prompts", recordings=folder / "recordings"
    )
    casts: list[PhoneCast] = []
    exchange = Exchange(lambda call: _take(casts, call))
    async with AsyncExitStack() as stack:
        supervisor = await stack.enter_async_context(Supervisor(lambda _name, _line: None))
        await supervisor.start(freeswitch_child(program, node))
        await exchange.start()
        stack.push_async_callback(exchange.stop)
        platform = await stack.enter_async_context(
            running_platform(
                folder,
                server_url=server_url,
                node=f"{node.esl_address}:{node.esl_port}",
                gateway=exchange.contact,
                call_servers=call_servers,
            )
        )
        yield platform, _with_telephones(node, exchange, casts)
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
