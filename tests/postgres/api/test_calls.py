from __future__ import annotations

import pytest

from controlplane.base.ids import AccountId, CallId, leg_of_call, public_leg_id
from controlplane.calls.facts import Direction, Facts, Inline
from controlplane.store.database import Database
from controlplane.store.facts import read_facts
from controlplane.store.queries import query
from controlplane.verbs.documents import Link, StatusCallback, StatusEvent
from tests.postgres.api.tenants import APP, CALL, FLOW, PUBLIC_URL, Tenant, told
from tests.postgres.sample import rows

SDK_CALL = {**CALL, "status_callback_url": "http://app.example.com/events", "record": True}


def facts_in(url: str) -> Facts:
    """What the one queued call was placed with, but its salt."""
    [row] = rows(url, "SELECT facts::text AS facts FROM calls")
    facts = read_facts(row["facts"], "")
    assert len(facts.salt) == 64
    return facts


async def test_initiating_a_call_as_telers_client_does_queues_it(acme: Tenant, url: str) -> None:
    answer = await acme.post("/voice/calls/initiate", SDK_CALL)
    body = answer.json()
    data = body["data"]

    assert answer.status_code == 202
    assert body == {"success": True, "message": "Call initiated.", "data": data}
    assert data == {
        "id": data["id"],
        "from_number": "+15550001111",
        "to_number": "+15550002222",
        "status_callback_url": "http://app.example.com/events",
        "record": True,
        "state": "initiated",
        "status": "queued",
        "created_at": data["created_at"],
    }
    facts = facts_in(url)
    assert facts == Facts(
        CallId(data["id"]), acme.account_id, leg_of_call(CallId(data["id"])), "", Direction.OUTBOUND_API,
        "+15550001111", "+15550002222", document=Link("http://app.example.com/flow"),
        webhook_url="http://app.example.com/events", record=True, salt=facts.salt, public_url=PUBLIC_URL,
    )  # fmt: skip


async def test_everything_that_can_be_said_of_a_call_reaches_its_facts(acme: Tenant, url: str) -> None:
    app = await acme.made("/voice/apps", APP)
    asked = {
        "from_number": "+15550001111",
        "to_number": "sip:alice@example.com;transport=tcp",
        "document": "<Response><Say>Hello</Say></Response>",
        "fallback_url": "http://app.example.com/fallback",
        "fallback_method": "GET",
        "app_id": app["id"],
        "status_callback_url": "http://app.example.com/status",
        "status_callback_events": ["ringing", "completed"],
        "timeout_s": 20,
        "time_limit_s": 600,
        "send_digits": "ww12#",
        "record": False,
        "something_new": [1],
    }

    answer = await acme.post("/voice/calls", asked)

    facts = facts_in(url)
    assert answer.status_code == 201
    assert facts == Facts(
        facts.call, acme.account_id, facts.a_leg, "", Direction.OUTBOUND_API, "+15550001111",
        "sip:alice@example.com;transport=tcp", app=app["id"],
        document=Inline("application/xml", "<Response><Say>Hello</Say></Response>"),
        fallback=Link("http://app.example.com/fallback", "GET"),
        status_callback=StatusCallback(
            Link("http://app.example.com/status"), frozenset({StatusEvent.RINGING, StatusEvent.COMPLETED})
        ),
        webhook_url="http://app.example.com/hook", ring_timeout_s=20, time_limit_s=600, send_digits="ww12#",
        salt=facts.salt, public_url=PUBLIC_URL,
    )  # fmt: skip


async def test_a_document_may_be_given_as_json(acme: Tenant, url: str) -> None:
    asked = {**CALL, "document": {"verbs": [{"say": "Grüße"}]}}
    del asked["flow_url"]

    await acme.made("/voice/calls", asked)

    assert facts_in(url).document == Inline("application/json", '{"verbs": [{"say": "Grüße"}]}')


async def test_the_old_path_of_initiate_still_works(acme: Tenant) -> None:
    assert (await acme.post("/calls/initiate", SDK_CALL)).status_code == 202


@pytest.mark.parametrize(
    ("change", "code", "place"),
    [
        ({"from_number": None}, "invalid_request", ["body", "from_number"]),
        ({"from_number": 15550001111}, "invalid_request", ["body", "from_number"]),
        ({"to_number": "5550001111"}, "invalid_request", ["body", "to_number"]),
        ({"to_number": "sip:bob@example.com\r\nX: y"}, "invalid_request", ["body", "to_number"]),
        ({"to_number": "sip:bob@ex${ample}.com"}, "invalid_request", ["body", "to_number"]),
        ({"to_number": "sip:bob@example.com?X-A=b"}, "invalid_request", ["body", "to_number"]),
        ({"flow_url": "ftp://app.example.com/"}, "invalid_request", ["body", "flow_url"]),
        ({"flow_url": "http://app.example.com/a b"}, "invalid_request", ["body", "flow_url"]),
        ({"record": "yes"}, "invalid_request", ["body", "record"]),
        ({"timeout_s": "20"}, "invalid_request", ["body", "timeout_s"]),
        ({"timeout_s": 0}, "invalid_request", ["body", "timeout_s"]),
        ({"send_digits": "12${x}"}, "invalid_request", ["body", "send_digits"]),
        ({"status_callback_events": ["ringing"]}, "invalid_request", ["body"]),
        ({"document": "<Response/>"}, "invalid_request", ["body"]),
        (
            {"flow_url": None, "document": "<Response><Say>x</Say><Dial/></Response>"},
            "document_error",
            ["body", "document", "Dial[1]"],
        ),
        (
            {"flow_url": None, "document": [{"say": "x"}, {"gather": {"timeout_s": "5"}}]},
            "document_error",
            ["body", "document", 1, "gather", "timeout_s"],
        ),
        (
            {"flow_url": None, "document": '{"verbs": [{"gather": {"prompts": [{"say": {"loop": -1}}]}}]}'},
            "document_error",
            ["body", "document", "verbs", 0, "gather", "prompts", 0, "say", "loop"],
        ),
        ({"flow_url": None, "document": "{"}, "document_error", ["body", "document"]),
    ],
)
async def test_a_call_that_does_not_fit_is_refused_with_its_place(
    acme: Tenant, change: dict[str, object], code: str, place: list[str | int]
) -> None:
    answer = await acme.post("/voice/calls", {**CALL, **change})

    assert told(answer) == (422, code)
    assert answer.json()["errors"][0]["loc"] == place


async def test_half_a_character_is_no_text(acme: Tenant) -> None:
    asked = b'{"from_number":"+15550001111","to_number":"+15550002222","document":"<Response>\\ud800</Response>"}'

    answer = await acme.ask("POST", "/voice/calls", content=asked, headers={"content-type": "application/json"})

    assert told(answer) == (400, "malformed_json")


async def test_a_call_without_any_document_is_refused(acme: Tenant) -> None:
    answer = await acme.post("/voice/calls", {**CALL, "flow_url": None})

    assert told(answer) == (422, "no_document")


async def test_a_number_of_somebody_elses_cannot_be_shown(acme: Tenant, globex: Tenant) -> None:
    answer = await acme.post("/voice/calls/initiate", {**CALL, "from_number": "+15550003333"})

    assert told(answer) == (400, "from_number_not_provisioned")


async def test_an_app_of_somebody_elses_is_not_there(acme: Tenant, globex: Tenant) -> None:
    app = await globex.made("/voice/apps", APP)

    assert told(await acme.post("/voice/calls", {**CALL, "app_id": app["id"]})) == (404, "not_found")


async def test_a_call_is_shown_with_its_first_leg(acme: Tenant) -> None:
    made = await acme.made("/voice/calls", CALL)
    shown = (await acme.get(f"/voice/calls/{made['id']}")).json()

    leg = {
        "id": public_leg_id(leg_of_call(made["id"])),
        "call_session_id": made["id"],
        "direction": "outbound",
        "role": "primary",
        "state": "created",
        "from_number": "+15550001111",
        "to_number": "+15550002222",
        "parent_leg_id": None,
        "recordings": [],
        "created_at": made["created_at"],
        "ringing_at": None,
        "answered_at": None,
        "ended_at": None,
        "reason": None,
        "ended_by": None,
        "sip_status": None,
        "sip_call_id": None,
    }
    assert shown == {
        "id": made["id"],
        "account_id": acme.account_id,
        "voice_app_id": None,
        "state": "initiated",
        "status": "queued",
        "direction": "outbound",
        "from_number": "+15550001111",
        "to_number": "+15550002222",
        "created_at": made["created_at"],
        "ringing_at": None,
        "answered_at": None,
        "ended_at": None,
        "duration_seconds": None,
        "result": None,
        "reason": None,
        "sip_status": None,
        "properties": {},
        "legs": [leg],
    }
    assert made == {**shown, "legs": None}
    legs = (await acme.get(f"/voice/calls/{made['id']}/legs")).json()
    assert legs == {"data": [leg], "next_cursor": None, "previous_cursor": None, "has_more": False}


async def test_a_suspended_account_has_no_key(acme: Tenant, db: Database) -> None:
    async with db.transaction() as tx:
        await tx.run(
            query("change_account"), account_id=AccountId(acme.account_id), status="suspended", cps_limit=None,
            channel_cap=None,
        )  # fmt: skip

    assert told(await acme.post("/voice/calls", {**CALL, **FLOW})) == (403, "api_key_refused")


async def test_a_timeline_tells_what_happened_line_by_line(acme: Tenant) -> None:
    call = (await acme.made("/voice/calls", CALL))["id"]
    empty = (await acme.get(f"/voice/calls/{call}/timeline")).json()
    await acme.made(f"/voice/calls/{call}/hangup", {})

    shown = (await acme.get(f"/voice/calls/{call}/timeline")).json()
    read = await acme.get(f"/voice/calls/{call}/timeline", headers={"Accept": "text/plain"})

    at = shown["data"][0]["at"]
    assert empty == {"call_id": call, "data": []}
    assert shown["data"][0] == {
        "at": at,
        "seq": 0,
        "actor": "api",
        "kind": "call-placed",
        "level": "info",
        "text": "a call from +15550001111 to +15550002222 is placed",
    }
    assert [moment["kind"] for moment in shown["data"]][-1] == "finish"
    assert read.headers["content-type"] == "text/plain; charset=utf-8"
    assert read.text.splitlines()[0] == f"{at}  api       a call from +15550001111 to +15550002222 is placed"
    assert len(read.text.splitlines()) == len(shown["data"])
