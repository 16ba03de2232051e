from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from controlplane.api.app import build_app
from controlplane.api.parts import ApiParts
from controlplane.services.accounts import change_account
from controlplane.services.api_keys import list_api_keys, revoke_api_key
from controlplane.store.database import Database
from controlplane.store.pages import Window
from tests.postgres.api.tenants import CALL, PUBLIC_URL, Tenant, told
from tests.postgres.api.things import ListingMeter, StillClock

JSON = {"content-type": "application/json"}


async def test_health_is_told_to_everyone(anyone: AsyncClient) -> None:
    live, ready = await anyone.get("/healthz"), await anyone.get("/readyz")

    assert (live.status_code, live.json()) == (ready.status_code, ready.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("headers", [{}, {"x-api-key": ""}, {"x-api-key": "cpk_" + "0" * 64}, {"x-api-key": "é" * 300},
                                     {"authorization": "Basic abc"}, {"authorization": "Bearer "},
                                     {"authorization": "Bearer cpk_x"}])  # fmt: skip
async def test_a_missing_or_wrong_key_is_refused_in_the_words_of_clients(
    anyone: AsyncClient, headers: dict[str, str]
) -> None:
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    answer = await anyone.get("/api/v1/account", headers=encoded)

    assert (answer.status_code, answer.json()) == (
        403,
        {
            "type": "/problems/api-key-refused",
            "title": "The API key is missing, wrong or revoked.",
            "status": 403,
            "detail": "The API key is missing, wrong or revoked.",
            "instance": "/api/v1/account",
            "code": "api_key_refused",
            "message": "The API key is missing, wrong or revoked.",
            "success": False,
        },
    )


async def test_a_key_may_come_as_a_bearer_token(anyone: AsyncClient, acme: Tenant) -> None:
    answer = await anyone.get("/api/v1/account", headers={"Authorization": f"bearer {acme.api_key}"})

    assert answer.json()["id"] == acme.account_id


async def test_a_revoked_key_stops_within_a_second(acme: Tenant, db: Database, clock: StillClock) -> None:
    await acme.get("/account")
    async with db.transaction() as tx:
        [key] = (await list_api_keys(tx, acme.account_id, Window())).data
        await revoke_api_key(tx, acme.account_id, key.key_id)
    clock.ms += 1000

    assert told(await acme.get("/account")) == (403, "api_key_refused")


async def test_a_key_that_was_refused_works_as_soon_as_it_is_good(acme: Tenant, db: Database) -> None:
    async def suspend_or_not(status: str) -> None:
        async with db.transaction() as tx:
            await change_account(tx, acme.account_id, status=status, cps_limit=None, channel_cap=None)

    await suspend_or_not("suspended")
    refused = await acme.get("/account")
    await suspend_or_not("active")

    assert (refused.status_code, (await acme.get("/account")).status_code) == (403, 200)


async def test_no_operation_answers_without_a_key(anyone: AsyncClient, app: FastAPI) -> None:
    asked = 0
    for path, operations in app.openapi()["paths"].items():
        for method in operations:
            if path.startswith("/api/"):
                answer = await anyone.request(method.upper(), path, content=b"{", headers=JSON)
                assert told(answer) == (403, "api_key_refused"), (method, path)
                asked += 1
    assert asked > 30


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"{", (400, "malformed_json")),
        (b"", (422, "invalid_request")),
        (b'{"from_number":}', (400, "malformed_json")),
        (b"\xff\xfe{}", (400, "malformed_json")),
        (b'{"a":"\xe9"}', (400, "malformed_json")),
        (b"[" * 100_000, (400, "malformed_json")),
        (b'{"timeout_s":' + b"9" * 5000 + b"}", (400, "malformed_json")),
        (b"[]", (422, "invalid_request")),
        (b'"text"', (422, "invalid_request")),
        (b"null", (422, "invalid_request")),
        (b'{"timeout_s": NaN}', (422, "invalid_request")),
    ],
)
async def test_a_body_that_is_no_object_is_refused(acme: Tenant, content: bytes, expected: tuple[int, str]) -> None:
    assert told(await acme.ask("POST", "/voice/calls", content=content, headers=JSON)) == expected


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "json", "text/json"])
async def test_only_what_says_that_it_is_json_is_read(acme: Tenant, kind: str) -> None:
    answer = await acme.ask("POST", "/voice/calls", content=json.dumps(CALL), headers={"content-type": kind})

    assert told(answer) == (415, "not_json")


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON", "application/vnd.x+json"])
async def test_json_may_say_so_in_its_own_way(acme: Tenant, kind: str) -> None:
    answer = await acme.ask("POST", "/voice/calls", content=json.dumps(CALL), headers={"content-type": kind})

    assert answer.status_code == 201


async def test_validation_errors_have_telers_shape(acme: Tenant) -> None:
    answer = await acme.post("/voice/calls/initiate", {"to_number": "x"})

    assert answer.json()["message"] == "Validation Error"
    assert answer.json()["errors"] == [
        {"loc": ["body", "from_number"], "msg": "Field required", "type": "missing"},
        {"loc": ["body", "to_number"], "msg": answer.json()["errors"][1]["msg"], "type": "string_pattern_mismatch"},
    ]
    assert answer.json()["detail"].startswith("body.from_number: Field required; body.to_number: ")


async def test_a_large_body_is_refused_announced_or_not(acme: Tenant, app: FastAPI) -> None:
    large = b'{"x":"' + b"a" * 1024 * 1024 + b'"}'

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(large), 65_536):
            yield large[at : at + 65_536]

    announced = await acme.ask("POST", "/voice/calls", content=large, headers=JSON)
    in_pieces = await acme.ask("POST", "/voice/calls", content=pieces(), headers=JSON)

    assert told(announced) == told(in_pieces) == (413, "body_too_large")


async def test_a_body_just_within_the_limit_is_read(acme: Tenant) -> None:
    padded = json.dumps({**CALL, "x": ""}).encode()
    padded = padded.replace(b'"x": ""', b'"x": "' + b"a" * (1024 * 1024 - len(padded)) + b'"')

    assert (await acme.ask("POST", "/voice/calls", content=padded, headers=JSON)).status_code == 201


async def test_unknown_paths_and_methods_are_problems_too(acme: Tenant, anyone: AsyncClient) -> None:
    wrong_method = await acme.ask("PUT", "/voice/calls")

    assert told(await acme.get("/nothing")) == (404, "no_such_path")
    assert told(await anyone.get("/nothing")) == (404, "no_such_path")
    assert told(await acme.get("/voice/calls/")) == (404, "no_such_path")
    assert told(wrong_method) == (405, "method_not_allowed")
    assert wrong_method.headers["allow"] != ""


async def test_the_type_of_a_problem_leads_to_what_it_means(acme: Tenant, anyone: AsyncClient) -> None:
    problem = (await acme.get("/voice/calls/cs_x")).json()
    page = await anyone.get(problem["type"])

    assert (page.status_code, page.json()) == (
        200,
        {"type": "/problems/not-found", "title": "There is no such thing in this account.", "status": 404},
    )
    assert told(await anyone.get("/problems/none")) == (404, "no_such_path")


async def test_every_answer_carries_headers_that_keep_browsers_out(anyone: AsyncClient) -> None:
    answer = await anyone.get("/healthz", headers={"Origin": "https://evil.example.com"})

    assert {name: value for name, value in answer.headers.items() if not name.startswith("content-l")} == {
        "content-type": "application/json",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
        "strict-transport-security": "max-age=31536000",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    }


async def test_without_its_database_the_api_asks_to_come_again(parts: ApiParts) -> None:
    away = Database("postgresql://127.0.0.1:1/nothing", wait_s=0.05)
    async with away, AsyncClient(transport=ASGITransport(build_app(replace(parts, db=away))), base_url=PUBLIC_URL) as c:
        ready = await c.get("/readyz")
        asked = await c.get("/api/v1/voice/calls", headers={"x-api-key": "cpk_x"})
        live = await c.get("/healthz")

    assert told(ready) == told(asked) == (503, "database_unavailable")
    assert (asked.headers["retry-after"], live.status_code) == ("5", 200)


async def test_what_nobody_expected_is_answered_and_counted(
    parts: ApiParts, meter: ListingMeter, caplog: pytest.LogCaptureFixture
) -> None:
    app = build_app(parts)

    @app.get("/broken")
    async def broken() -> None:
        raise ZeroDivisionError

    async with AsyncClient(transport=ASGITransport(app), base_url=PUBLIC_URL) as client:
        answer = await client.get("/broken")

    assert told(answer) == (500, "internal_error")
    assert meter.seen == [("GET", "/broken", 500)]
    assert [(record.message, record.levelname) for record in caplog.records] == [("request_failed", "ERROR")]


async def test_requests_are_counted_by_route_not_by_id(acme: Tenant, meter: ListingMeter) -> None:
    await acme.get("/voice/calls/cs_x")
    await acme.post("/voice/calls/initiate", {})
    await acme.get("/nothing")
    await acme.ask("BREW", "/nothing")

    assert meter.seen == [
        ("GET", "/api/v1/voice/calls/{call_id}", 404),
        ("POST", "/api/v1/voice/calls/initiate", 422),
        ("GET", "", 404),
        ("OTHER", "", 404),
    ]
