"""Teler's own Python client, as it is, against this API on a real port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import teler
import uvicorn
from fastapi import FastAPI
from teler import exceptions

from controlplane.base.ids import Token
from controlplane.services.deliver import record_attempt, take_due_deliveries
from controlplane.services.schedule import Attempt
from controlplane.store.database import Database
from controlplane.store.journal import Recorder
from controlplane.store.records import CallChanged, EventPublished
from tests.postgres.api.recorded import recorded, stored
from tests.postgres.api.tenants import Tenant
from tests.postgres.api.things import MemoryStorage
from tests.postgres.sample import NOW_MS, VAULT, call_in_shard, entry, offered

FROM, TO = "+15550001111", "+15550002222"
FLOW, HOOK = "https://app.example.com/flow", "https://app.example.com/hook"
UNKNOWN = "01HF7YAT0000000000000000ZZ"


@pytest.fixture
async def base_url(app: FastAPI) -> AsyncIterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", log_config=None))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/api/v1"
    server.should_exit = True
    await serving


@pytest.fixture
async def client(base_url: str, acme: Tenant) -> AsyncIterator[Any]:
    async with teler.AsyncClient(api_key=acme.api_key, base_url=base_url) as client:
        yield client


async def live_call(recorder: Recorder, acme: Tenant) -> str:
    call = call_in_shard(5)
    event = EventPublished(Token("a"), "call.answered", "{}", None, HOOK)
    await recorder.submit((offered(call, event, account=acme.account_id),))
    answered = CallChanged(status="in-progress", answered_ms=NOW_MS)
    await recorder.submit((entry(call, 1, answered, account=acme.account_id),))
    return call


async def test_calls_are_created_listed_and_read(client: Any) -> None:
    created = await client.voice.calls.create(FROM, TO, FLOW, HOOK)
    page = await client.voice.calls.list(state="initiated", from_number=FROM, limit=10)
    call = await client.voice.calls.retrieve(created.id)
    legs = await client.voice.calls.list_legs(created.id)

    assert (created.from_number, created.to_number, created.status_callback_url, created.record) == (
        FROM, TO, HOOK, True,
    )  # fmt: skip
    assert ([one.id for one in page.data], page.has_more, page.next_cursor) == ([created.id], False, None)
    assert (call.state, call.direction, call.properties) == ("initiated", "outbound", {})
    assert [(leg.id, leg.call_session_id, leg.role, leg.state) for leg in legs.data] == [
        (call.legs[0]["id"], created.id, "primary", "created")
    ]


async def test_pages_of_calls_are_turned_by_their_cursors(client: Any) -> None:
    made = [(await client.voice.calls.create(FROM, TO, FLOW, HOOK, record=False)).id for _ in range(3)]

    first = await client.voice.calls.list(limit=2)
    last = await client.voice.calls.list(limit=2, cursor_after=first.next_cursor)
    back = await client.voice.calls.list(limit=2, cursor_before=last.previous_cursor)

    assert [call.id for call in [*first.data, *last.data]] == made[::-1]
    assert [call.id for call in back.data] == [call.id for call in first.data]


async def test_live_calls_are_steered(client: Any, recorder: Recorder, acme: Tenant) -> None:
    call = await live_call(recorder, acme)
    leg = (await client.voice.calls.list_legs(call)).data[0].id
    steer = client.voice.mutations

    answers = [
        await steer.mute(call, leg, True),
        await steer.dtmf(call, "12#", duration_ms=60),
        await steer.play(call, "https://app.example.com/a.wav", loop=2, on_dtmf="ignore"),
        await steer.hangup(call, reason="DONE"),
    ]

    assert all(answer.request_id.startswith("req_") for answer in answers)
    assert answers[2].playback_id.startswith("pb_")


async def test_an_idempotency_key_gives_the_same_request(client: Any, recorder: Recorder, acme: Tenant) -> None:
    call = await live_call(recorder, acme)

    one = await client.voice.mutations.dtmf(call, "1", idempotency_key="one")
    two = await client.voice.mutations.dtmf(call, "1", idempotency_key="one")

    assert one == two


async def test_apps_live_their_whole_life(client: Any, acme: Tenant) -> None:
    app = await client.voice.apps.create("Support", FLOW, HOOK, vn_ids=[acme.number_id], channel_limit=5)
    updated = await client.voice.apps.update(app.id, name="Sales", status="inactive")
    page = await client.voice.apps.list(search="sal", status=["inactive"])
    numbers = await client.voice.apps.list_virtual_numbers(app.id)
    deleted = await client.voice.apps.delete(app.id)

    assert (app.vn_count, app.webhook_api_version, app.status) == (1, "2026-06-01", "active")
    assert [one.raw for one in page.data] == [updated.raw]
    assert [number.id for number in numbers.data] == [acme.number_id]
    assert (deleted.success, (await client.voice.apps.list()).data) == (True, [])


async def test_numbers_are_listed_assigned_and_renamed(client: Any, acme: Tenant) -> None:
    app = await client.voice.apps.create("Support", FLOW, HOOK)

    assigned = await client.virtual_numbers.assign(vn_ids=[acme.number_id], voice_app_id=app.id)
    [number] = (await client.virtual_numbers.list(voice_app=[app.id])).data
    unassigned = await client.virtual_numbers.unassign(apply_to_all=True, search="desk")
    renamed = await client.virtual_numbers.update(acme.number_id, name="Front")

    assert (assigned.success, unassigned.success) == (True, True)
    assert (number.number, number.voice_app) == (FROM, {"id": app.id, "name": "Support"})
    assert (renamed.name, renamed.voice_app) == ("Front", None)


async def test_secrets_live_their_whole_life(client: Any) -> None:
    secret = await client.secrets.create("main")
    rotated = await client.secrets.update(secret.id, rotate=True)
    [listed] = (await client.secrets.list()).data
    deleted = await client.secrets.delete(secret.id)

    assert listed.secret_value == rotated.secret_value != secret.secret_value
    assert deleted.success


async def test_a_recording_is_downloaded_by_its_link(
    client: Any, base_url: str, acme: Tenant, recorder: Recorder, db: Database, storage: MemoryStorage
) -> None:
    _, recording = await recorded(recorder, acme.account_id)
    key = await stored(db, storage, acme.account_id, recording)

    link = await client.recordings.retrieve(recording, expires_in=60)

    here = link.url.replace("https://calls.example.com", base_url.removesuffix("/api/v1"))
    async with httpx.AsyncClient() as anyone:
        assert (await anyone.get(here)).content == storage.files[key]


async def test_events_are_listed_read_and_redelivered(
    client: Any, recorder: Recorder, acme: Tenant, db: Database
) -> None:
    call = await live_call(recorder, acme)
    async with db.transaction() as tx:
        [delivery] = await take_due_deliveries(tx, VAULT)
        await record_attempt(tx, delivery, Attempt(200, None, 3))

    [event] = (await client.events.list(call_id=call, type="call.answered", delivery_status="delivered")).data
    same = await client.events.retrieve(event.id)
    again = await client.events.redeliver(event.id)

    assert (event.raw, again.event_id) == (same.raw, event.id)
    parties = {"from": "+15550001111", "to": "+15550002222", "direction": "inbound"}
    assert event.payload["data"] == {"call_id": call, **parties}


@pytest.mark.parametrize(
    ("expected", "ask"),
    [
        (exceptions.NotFoundException, lambda c: c.voice.calls.retrieve(f"cs_{UNKNOWN}")),
        (exceptions.NotFoundException, lambda c: c.events.retrieve("nothing")),
        (exceptions.UnprocessableRequestException, lambda c: c.voice.calls.create("x", TO, FLOW, HOOK)),
        (
            exceptions.NotImplementedException,
            lambda c: c.voice.operations.transfer("cs_1", {"kind": "pstn", "number": TO}, "cold"),
        ),
        (exceptions.NotImplementedException, lambda c: c.sip.trunks.list()),
        (exceptions.BadParametersException, lambda c: c.voice.calls.create("+15559998888", TO, FLOW, HOOK)),
    ],
)
async def test_errors_are_the_clients_own(client: Any, expected: type[Exception], ask: Any) -> None:
    with pytest.raises(expected) as caught:
        await ask(client)
    assert caught.value.message != f"Request failed with status {caught.value.code}."  # type: ignore[attr-defined]


async def test_a_call_that_is_over_is_a_conflict_to_the_client(client: Any, acme: Tenant) -> None:
    call = await client.voice.calls.create(FROM, TO, FLOW, HOOK)
    await client.voice.mutations.hangup(call.id)

    with pytest.raises(exceptions.ConflictException):
        await client.voice.mutations.hangup(call.id)


async def test_the_faults_of_a_request_reach_the_client(client: Any) -> None:
    with pytest.raises(exceptions.UnprocessableRequestException) as caught:
        await client.voice.calls.create("x", TO, FLOW, HOOK)

    assert caught.value.message == "Validation Error"
    assert [fault["loc"] for fault in caught.value.details] == [["body", "from_number"]]


async def test_a_wrong_key_is_forbidden(base_url: str) -> None:
    async with teler.AsyncClient(api_key="wrong", base_url=base_url) as client:
        with pytest.raises(exceptions.ForbiddenException):
            await client.voice.calls.list()


async def test_the_blocking_client_works_as_well(base_url: str, acme: Tenant) -> None:
    def place_and_end() -> tuple[str, str]:
        with teler.Client(api_key=acme.api_key, base_url=base_url) as client:
            call = client.voice.calls.create(FROM, TO, FLOW, HOOK)
            client.voice.mutations.hangup(call.id)
            ended = client.voice.calls.retrieve(call.id)
            return ended.state, ended.reason

    assert await asyncio.to_thread(place_and_end) == ("failed", "canceled")
