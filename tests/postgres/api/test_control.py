from __future__ import annotations

from dataclasses import replace

import pytest

from controlplane.base.ids import CallId, LegId, leg_of_call, public_leg_id
from controlplane.calls.events import DigitsAsked, Event, HangUpAsked, MuteAsked, PlayAsked, Redirected
from controlplane.calls.facts import Inline
from controlplane.services.ask_control import Wish, load_asked
from controlplane.store.database import Database
from controlplane.store.journal import Recorder
from controlplane.store.records import CallChanged, LegOpened, RequestAnswered
from controlplane.verbs.documents import Link
from tests.postgres.api.tenants import CALL, Tenant, told
from tests.postgres.sample import NOW_MS, call_in_shard, entry, offered

B_LEG = LegId("11111111-2222-4333-8444-555555555555")


@pytest.fixture
async def call(recorder: Recorder, acme: Tenant) -> CallId:
    """A live inbound call with a second leg."""
    call = call_in_shard(3)
    b_leg = LegOpened(B_LEG, "dial_target", "+15550001111", "+15550007777")
    await recorder.submit((offered(call, account=acme.account_id),))
    answered = CallChanged(status="in-progress", answered_ms=NOW_MS + 1000)
    await recorder.submit((entry(call, 1, answered, b_leg, account=acme.account_id),))
    return call


async def asked(db: Database, call: CallId) -> dict[str, Event]:
    async with db.transaction() as tx:
        return {one.request_id: one.event for one in (await load_asked(tx, ["fs1"], lambda _: True)).get(call, [])}


@pytest.mark.parametrize(
    ("path", "body", "wish"),
    [
        ("hangup", {}, HangUpAsked("")),
        ("hangup", {"reason": "AGENT_DONE"}, HangUpAsked("", reason="AGENT_DONE")),
        ("hangup", {"leg_id": public_leg_id(B_LEG)}, HangUpAsked("", B_LEG)),
        ("mute", {"leg_id": public_leg_id(B_LEG), "on": True}, MuteAsked("", B_LEG, is_on=True)),
        ("dtmf", {"leg_id": public_leg_id(B_LEG), "digits": "12#"}, DigitsAsked("", B_LEG, "12#")),
        (
            "redirect",
            {"flow_url": "http://app.example.com/next", "method": "GET"},
            Redirected("", Link("http://app.example.com/next", "GET")),
        ),
        (
            "redirect",
            {"document": "<Response><Hangup/></Response>"},
            Redirected("", Inline("application/xml", "<Response><Hangup/></Response>")),
        ),
    ],
)
async def test_a_request_to_a_live_call_waits_for_its_call_server(
    acme: Tenant, db: Database, call: CallId, path: str, body: dict[str, object], wish: Wish
) -> None:
    answer = await acme.post(f"/voice/calls/{call}/{path}", body)

    assert answer.status_code == 202
    [(request_id, event)] = (await asked(db, call)).items()
    assert answer.json() == {"request_id": request_id}
    assert event == replace(wish, request=request_id)


async def test_keys_go_to_the_first_leg_unless_another_is_named(acme: Tenant, db: Database, call: CallId) -> None:
    await acme.made(f"/voice/calls/{call}/dtmf", {"digits": "A", "duration_ms": 40})

    [(request_id, event)] = (await asked(db, call)).items()
    assert event == DigitsAsked(request_id, leg_of_call(call), "A", 40)


async def test_what_is_played_has_an_id(acme: Tenant, db: Database, call: CallId) -> None:
    body = {"media_url": "http://app.example.com/a.wav", "loop": 3, "on_dtmf": "ignore"}

    answer = await acme.made(f"/voice/calls/{call}/play", body)

    [(request_id, event)] = (await asked(db, call)).items()
    playback = answer["playback_id"]
    assert answer == {"request_id": request_id, "playback_id": playback}
    assert playback.startswith("pb_")
    assert event == PlayAsked(
        request_id, leg_of_call(call), playback, "http://app.example.com/a.wav", 3, stops_on_digit=False
    )


async def test_what_became_of_a_request_can_be_asked(acme: Tenant, call: CallId, recorder: Recorder) -> None:
    request = (await acme.made(f"/voice/calls/{call}/hangup", {}))["request_id"]
    before = (await acme.get(f"/voice/requests/{request}")).json()
    await recorder.submit((entry(call, 2, RequestAnswered(request, "call_not_live")),))
    after = (await acme.get(f"/voice/requests/{request}")).json()

    assert before == {
        "request_id": request,
        "call_id": call,
        "kind": "HangUpAsked",
        "state": "asked",
        "problem": None,
        "created_at": before["created_at"],
        "done_at": None,
    }
    assert after == {**before, "state": "failed", "problem": "call_not_live", "done_at": after["done_at"]}


async def test_a_call_that_is_over_takes_no_requests(acme: Tenant, recorder: Recorder, call: CallId) -> None:
    ended = CallChanged(status="completed", ended_ms=NOW_MS + 2000)
    await recorder.submit((entry(call, 2, ended, account=acme.account_id),))

    for path, body in BODIES.items():
        assert told(await acme.post(f"/voice/calls/{call}/{path}", body)) == (409, "call_not_live")


async def test_a_queued_call_can_only_be_hung_up(acme: Tenant) -> None:
    call = (await acme.made("/voice/calls", CALL))["id"]

    for path, body in BODIES.items():
        if path != "hangup":
            assert told(await acme.post(f"/voice/calls/{call}/{path}", body)) in (
                (409, "call_not_controllable"),
                (409, "leg_not_found"),
            )
    elsewhere = await acme.post(f"/voice/calls/{call}/hangup", {"leg_id": public_leg_id(B_LEG)})
    assert told(elsewhere) == (409, "leg_not_found")
    assert (await acme.post(f"/voice/calls/{call}/hangup")).status_code == 202
    shown = (await acme.get(f"/voice/calls/{call}")).json()
    assert (shown["status"], shown["state"], shown["reason"]) == ("canceled", "failed", "canceled")


@pytest.mark.parametrize("leg", ["cl_x", "cs_01HF7YAT00V1R6E8ZZ1AH3GX8N", public_leg_id(leg_of_call(call_in_shard(9)))])
async def test_a_leg_the_call_has_not_is_refused(acme: Tenant, call: CallId, leg: str) -> None:
    for path in ("hangup", "mute", "dtmf", "play"):
        answer = await acme.post(f"/voice/calls/{call}/{path}", {**BODIES[path], "leg_id": leg})
        assert told(answer) == (409, "leg_not_found")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("hangup", {"reason": "because"}),
        ("mute", {"leg_id": public_leg_id(B_LEG), "on": 1}),
        ("mute", {"on": True}),
        ("dtmf", {"digits": ""}),
        ("dtmf", {"digits": "12\n"}),
        ("dtmf", {"digits": "1", "duration_ms": 2000}),
        ("play", {"media_url": "http://app.example.com/a.wav", "loop": 11}),
        ("play", {"media_url": "/etc/passwd"}),
        ("play", {"media_url": "http://app.example.com/a.wav", "on_dtmf": "wait"}),
        ("redirect", {}),
        ("redirect", {"flow_url": "http://app.example.com/", "document": "<Response/>"}),
        ("redirect", {"document": "<Response><Unclosed></Response>"}),
        ("redirect", {"document": ""}),
    ],
)
async def test_a_request_that_does_not_fit_is_refused(
    acme: Tenant, db: Database, call: CallId, path: str, body: dict[str, object]
) -> None:
    assert told(await acme.post(f"/voice/calls/{call}/{path}", body))[0] == 422
    assert await asked(db, call) == {}


BODIES: dict[str, dict[str, object]] = {
    "hangup": {},
    "mute": {"leg_id": public_leg_id(B_LEG), "on": True},
    "dtmf": {"digits": "1"},
    "play": {"media_url": "http://app.example.com/a.wav"},
    "redirect": {"flow_url": "http://app.example.com/next"},
}
