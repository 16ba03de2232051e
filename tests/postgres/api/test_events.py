from __future__ import annotations

import pytest

from controlplane.base.ids import CallId, Token
from controlplane.services.deliver import record_attempt, take_due_deliveries
from controlplane.services.schedule import Attempt
from controlplane.store.database import Database
from controlplane.store.journal import Recorder
from controlplane.store.records import EventPublished
from tests.postgres.api.tenants import Tenant, told
from tests.postgres.sample import VAULT, call_in_shard, offered


@pytest.fixture
async def call(recorder: Recorder, acme: Tenant) -> CallId:
    """A call with two events, the second told to nobody."""
    call = call_in_shard(1)
    told_to = EventPublished(Token("a"), "call.initiated", '{"status":"ringing"}', None, "http://app.example.com/hook")
    silent = EventPublished(Token("b"), "call.ringing", "{}")
    await recorder.submit((offered(call, told_to, silent, account=acme.account_id),))
    return call


async def attempt(db: Database, outcome: Attempt) -> None:
    async with db.transaction() as tx:
        for delivery in await take_due_deliveries(tx, VAULT):
            await record_attempt(tx, delivery, outcome)


async def test_events_are_listed_newest_first_as_webhooks_get_them(acme: Tenant, call: CallId) -> None:
    listed = (await acme.get("/events")).json()

    first = next(event for event in listed["data"] if event["type"] == "call.initiated")
    assert {event["type"] for event in listed["data"]} == {"call.initiated", "call.ringing"}
    assert [event["id"] for event in listed["data"]] == sorted((event["id"] for event in listed["data"]), reverse=True)
    assert first == {
        "id": first["id"],
        "account_id": acme.account_id,
        "call_id": call,
        "sip_trunk_id": None,
        "leg_id": None,
        "type": "call.initiated",
        "api_version": "2026-06-01",
        "occurred_at": "2023-11-14T22:13:20.000Z",
        "payload": {
            "id": first["id"],
            "type": "call.initiated",
            "api_version": "2026-06-01",
            "occurred_at": "2023-11-14T22:13:20.000Z",
            "account_id": acme.account_id,
            "voice_app_id": None,
            "sip_trunk_id": None,
            "call_id": call,
            "leg_id": None,
            "sequence": 0,
            "data": {
                "call_id": call,
                "from": "+15550001111",
                "to": "+15550002222",
                "direction": "inbound",
                "status": "ringing",
            },
            "previous_attributes": None,
        },
        "delivery_status": "pending",
        "attempt_count": 0,
        "last_attempt_at": None,
        "last_status_code": None,
        "last_error": None,
        "delivered_at": None,
        "created_at": "2023-11-14T22:13:20.000Z",
    }
    assert (await acme.get(f"/events/{first['id']}")).json() == first


async def test_events_are_found_by_what_they_are(acme: Tenant, call: CallId) -> None:
    async def found(**params: str) -> list[str]:
        return sorted(event["type"] for event in (await acme.get("/events", params=params)).json()["data"])

    other = call_in_shard(2)
    assert await found(call_id=call) == ["call.initiated", "call.ringing"]
    assert await found(call_id=other) == []
    assert await found(type="call.ringing") == ["call.ringing"]
    assert await found(occurred_after="2023-11-14T22:13:20Z") == []
    assert await found(occurred_after="2023-11-14T22:13:19Z", type="call.ringing") == ["call.ringing"]
    assert await found(delivery_status="pending") == ["call.initiated"]
    assert await found(delivery_status="delivered") == []


async def test_an_event_that_was_told_can_be_told_again(acme: Tenant, call: CallId, db: Database) -> None:
    [event] = (await acme.get("/events", params={"type": "call.initiated"})).json()["data"]
    path = f"/events/{event['id']}"
    too_early = await acme.post(f"{path}/redeliver")
    await attempt(db, Attempt(204, None, 12))
    delivered = (await acme.get(path)).json()
    again = await acme.post(f"{path}/redeliver")
    pending = (await acme.get(path)).json()
    attempts = (await acme.get(f"{path}/attempts")).json()["data"]

    assert told(too_early) == (409, "event_not_redeliverable")
    assert (delivered["delivery_status"], delivered["attempt_count"], delivered["last_status_code"]) == (
        "delivered", 1, 204,
    )  # fmt: skip
    assert (again.status_code, again.json()) == (
        202, {"event_id": event["id"], "redelivered_at": again.json()["redelivered_at"]},
    )  # fmt: skip
    assert pending["delivery_status"] == "pending"
    assert attempts == [{"at": attempts[0]["at"], "duration_ms": 12, "status_code": 204, "error": None}]


async def test_an_event_that_was_given_up_has_failed_for_good(acme: Tenant, call: CallId, db: Database) -> None:
    await attempt(db, Attempt(410, "gone", 5))

    [event] = (await acme.get("/events", params={"delivery_status": "failed_permanent"})).json()["data"]

    assert (event["last_status_code"], event["last_error"], event["delivered_at"]) == (410, "gone", None)


async def test_an_event_told_to_nobody_cannot_be_told_again(acme: Tenant, call: CallId) -> None:
    [event] = (await acme.get("/events", params={"type": "call.ringing"})).json()["data"]

    assert event["delivery_status"] is None
    assert told(await acme.post(f"/events/{event['id']}/redeliver")) == (409, "event_not_redeliverable")
