"""Cases run against whole processes in real time, all at once: on the emulator over TCP, or on a real FreeSWITCH.

Every case is a tenant with a number and an application of its own; people and calls share one media node.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from controlplane.calls.machine import CallMachine
from controlplane.emulator.parties import PartyLog
from controlplane.emulator.phones.recognition import recognise
from controlplane.emulator.phones.sounds import spoken
from controlplane.services.load_live_calls import load_journal
from controlplane.store.database import Database
from controlplane.store.edge import uuid_of
from controlplane.wiring.replay import replay_call
from tests.acceptance.application import Application, Asked
from tests.acceptance.cases import Case
from tests.acceptance.faults import cause_faults
from tests.acceptance.in_memory import ended_call
from tests.acceptance.outcomes import EndedCall, Outcome
from tests.acceptance.platform import Platform, Tenant, made
from tests.acceptance.requests import make_requests
from tests.acceptance.sounds import CaseSounds, read_wav, sounds_of

APART_S = 0.4  # between the beginnings of two cases: sixty telephones at once are more than two cores can speak for
AT_ONCE = 6  # of whom it is asked what came of it
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
        performed, at_once = await collect(), asyncio.Semaphore(AT_ONCE)

        async def outcome(one: Prepared, more: list[str]) -> Outcome:
            more += [what for account, what in unfinished if account == uuid_of("account_id", one.tenant.account_id)]
            async with at_once:
                return await _outcome(one, platform, performed[one.case.name], more)

        outcomes = await asyncio.gather(*map(outcome, prepared, problems))
        return {outcome.case.name: outcome for outcome in outcomes}
    finally:
        for one in prepared:
            one.application.close()


async def _prepare(case: Case, platform: Platform, begins_s: float) -> Prepared:
    sounds = await sounds_of(case.pages.values(), spoken(case.scenario))
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
