"""Teler's own Python client against `callplane up`: a call from its beginning to its recording, and what is refused.

Nothing of ours is in between: the client's requests, the application's answers and the events go over sockets.
"""

from __future__ import annotations

import asyncio
import io
import json
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import teler
from teler import exceptions

from controlplane.emulator.phones.recognition import recognise
from tests.acceptance.application import Application
from tests.acceptance.sounds import read_wav, sounds_of
from tests.acceptance.up import Up, running_up

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

FROM, TO, NOT_OURS = "+15550001111", "+15550003333", "+15559998888"
WITHIN_S = 30.0
GREETING, NOTICE = "greeting-1200ms.wav", "notice-900ms.wav"
PAGES: dict[str, Any] = {
    "/flow": f"<Response><Play>{{app}}/{GREETING}</Play><Redirect>/greeted</Redirect></Response>",
    "/greeted": "<Response><Pause length='60'/></Response>",
    f"/{GREETING}": {"audio": GREETING},
    f"/{NOTICE}": {"audio": NOTICE},
}
DESK = {
    "/": "<Response><Pause length='1'/>"  # it rings that long
    "<Gather numDigits='4' finishOnKey='' timeout='60' action='/pressed'/></Response>",
    "/pressed": "<Response><Pause length='60'/></Response>",
}
EVENTS = ["call.initiated", "call.ringing", "call.answered", "call.completed", "recording.completed"]
WAYS = ["emulator", pytest.param("auto", marks=pytest.mark.freeswitch, id="freeswitch")]


@dataclass(frozen=True, slots=True)
class Office:
    """A tenant with a number: what its programs hold in their hands."""

    api: Any  # teler.AsyncClient
    number_id: str
    auth_token: str


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=WAYS)
async def up(request: pytest.FixtureRequest) -> AsyncIterator[Up]:
    """Everything in one command, with FreeSWITCH's emulator or a real one."""
    if request.param == "auto":
        request.getfixturevalue("freeswitch_program")
    environment = {"CALLPLANE_ALLOW_PRIVATE_HOOKS": "1"}
    with tempfile.TemporaryDirectory(prefix="callplane-up-") as name, pytest.MonkeyPatch.context() as patch:
        patch.delenv("CALLPLANE_DATABASE_URL", raising=False)
        Path(name).chmod(0o755)  # as root the database runs as another user, who must get to its own folder
        async with running_up(Path(name), request.param, environment) as up:
            yield up


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(up: Up) -> AsyncIterator[Office]:
    """Who calls."""
    async with an_office(up, "Office", FROM) as office:
        yield office


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(up: Up) -> AsyncIterator[Office]:
    """Who is called. On the emulator whoever is dialled answers; on FreeSWITCH it is this tenant's application."""
    async with an_office(up, "Desk", TO) as desk:
        yield desk


@asynccontextmanager
async def an_office(up: Up, name: str, number: str) -> AsyncIterator[Office]:
    """A tenant as the operator makes it."""
    tenant = await up.command("tenant", "create", name)
    added = await up.command("number", "add", number, "--tenant", tenant["account_id"])
    async with teler.AsyncClient(api_key=tenant["api_key"], base_url=f"{up.url}/api/v1") as api:
        yield Office(api, added["number_id"], tenant["auth_token"])


@contextmanager
def serving(office: Office, pages: dict[str, Any]) -> Iterator[Application]:
    """A tenant's web application on loopback."""
    served = Application(pages, office.auth_token)
    try:
        yield served
    finally:
        served.close()


async def test_a_call_is_placed_steered_ended_and_read(office: Office, desk: Office, up: Up) -> None:
    with serving(office, PAGES) as told, serving(desk, DESK) as desk_told:
        at_desk = await desk.api.voice.apps.create("Desk", f"{desk_told.url}/", f"{desk_told.url}/events")
        await desk.api.virtual_numbers.assign(vn_ids=[desk.number_id], voice_app_id=at_desk.id)
        app = await office.api.voice.apps.create("Office", f"{told.url}/flow", f"{told.url}/events")

        placed = await office.api.voice.calls.create(FROM, TO, app.flow_url, app.webhook_url)
        live = await until(lambda: office.api.voice.calls.retrieve(placed.id), lambda call: call.state == "answered")
        await until(lambda: asked(told), lambda paths: "POST /greeted" in paths)
        states = await steer(office.api, placed.id, live.legs[0]["id"], f"{told.url}/{NOTICE}")
        if not up.is_emulated:  # whom the emulator lets answer has no keys
            await until(lambda: asked(desk_told), lambda paths: "POST /pressed" in paths)
        await office.api.voice.mutations.hangup(placed.id)
        ended = await until(lambda: office.api.voice.calls.retrieve(placed.id), lambda call: call.state == "completed")
        events = await until(lambda: events_of(office.api, placed.id), all_are_delivered)
        heard = await heard_in_recording(office.api, placed.id)

    assert states == {"mute": "done", "unmute": "done", "dtmf": "done", "play": "done"}
    assert (ended.from_number, ended.to_number, ended.direction, ended.reason) == (
        FROM, TO, "outbound", "normal_clearing",
    )  # fmt: skip
    assert ended.created_at < ended.answered_at < ended.ended_at
    assert await asked(told) == ["POST /flow", f"GET /{GREETING}", "POST /greeted", f"GET /{NOTICE}"]
    assert [event.type for event in events] == EVENTS
    assert in_order(told) == [event.payload for event in events]
    assert [one.path for one in told.log if one.method == "POST" and not one.is_signed] == []
    assert GREETING in heard
    if not up.is_emulated:
        assert [one.parameters["Digits"] for one in desk_told.log if one.path == "/pressed"] == ["15#9"]


async def test_what_is_refused_is_an_exception_of_the_client(office: Office, desk: Office, up: Up) -> None:
    flow, hook = "http://127.0.0.1:1/flow", "http://127.0.0.1:1/events"
    create = office.api.voice.calls.create
    theirs = (await desk.api.voice.apps.create("Theirs", flow, hook)).id

    async with teler.AsyncClient(api_key="wrong", base_url=f"{up.url}/api/v1") as stranger:
        with pytest.raises(exceptions.ForbiddenException):
            await stranger.voice.calls.list()
    with pytest.raises(exceptions.BadParametersException, match="not one of this account's"):
        await create(NOT_OURS, TO, flow, hook)
    with pytest.raises(exceptions.UnprocessableRequestException) as refused:
        await create(FROM, "nobody", flow, hook)
    assert [fault["loc"] for fault in refused.value.details] == [["body", "to_number"]]
    with pytest.raises(exceptions.NotFoundException):
        await office.api.voice.apps.retrieve(theirs)
    with pytest.raises(exceptions.NotImplementedException):
        await office.api.sip.trunks.list()


async def steer(api: Any, call: str, leg: str, notice: str) -> dict[str, str]:
    """Ask everything that the client can ask of a live call, one after the other; answers what became of it."""
    steering = api.voice.mutations
    wishes = {
        "mute": partial(steering.mute, call, leg, True),
        "unmute": partial(steering.mute, call, leg, False),
        "dtmf": partial(steering.dtmf, call, "15#9", duration_ms=100),
        "play": partial(steering.play, call, notice, loop=1, on_dtmf="ignore"),
    }
    return {name: await state_of(api, (await wish()).request_id) for name, wish in wishes.items()}


async def state_of(api: Any, request_id: str) -> str:
    """What became of a request, once that is known. The client has no method for it, but asks any path."""
    path = f"/voice/requests/{request_id}"
    answer = await until(lambda: api.request("GET", path), lambda answer: answer.json()["state"] != "asked")
    return str(answer.json()["state"])


async def events_of(api: Any, call: str) -> list[Any]:
    """A call's events, the oldest first."""
    return [*reversed((await api.events.list(call_id=call)).data)]


def all_are_delivered(events: list[Any]) -> bool:
    return {"call.completed", "recording.completed"} <= {event.type for event in events} and all(
        event.delivery_status == "delivered" for event in events
    )


def in_order(served: Application) -> list[Any]:
    """The events that a webhook was told, each once, as JSON."""
    told = {one.body: json.loads(one.body) for one in served.log if one.path == "/events"}  # at least once
    return list(told.values())


async def heard_in_recording(api: Any, call: str) -> list[str]:
    """What is heard in a call's recording, downloaded by its link."""
    [leg] = (await api.voice.calls.list_legs(call)).data
    [recording] = leg.recordings
    link = await api.recordings.retrieve(recording, expires_in=60)
    async with httpx.AsyncClient() as anybody:
        file = await anybody.get(link.url)
    [samples] = read_wav(io.BytesIO(file.content)).T
    known = (await sounds_of(PAGES.values(), [])).known
    return [one.sound.name for one in recognise(samples, known)]


async def asked(served: Application) -> list[str]:
    """What an application was asked, but for events."""
    return [f"{one.method} {one.path}" for one in served.log if one.path != "/events"]


async def until(look: Callable[[], Awaitable[Any]], is_so: Callable[[Any], bool]) -> Any:
    """Look until it is so; what happens, happens in other processes."""
    async with asyncio.timeout(WITHIN_S):
        while not is_so(seen := await look()):
            await asyncio.sleep(0.1)
    return seen
