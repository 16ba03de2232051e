from __future__ import annotations

import pytest

from controlplane.services.numbers import add_number
from controlplane.store.database import Database
from tests.postgres.api.tenants import APP, Tenant, told


async def test_a_number_is_shown_with_its_country_and_app(acme: Tenant) -> None:
    app = await acme.made("/voice/apps", {**APP, "vn_ids": [acme.number_id]})

    shown = (await acme.get(f"/virtual-numbers/{acme.number_id}")).json()

    assert shown == {
        "id": acme.number_id,
        "account_id": acme.account_id,
        "number": "+15550001111",
        "name": "Desk",
        "location": {"country": ""},
        "voice_app": {"id": app["id"], "name": "Support"},
        "sip_trunk": None,
        "created_at": shown["created_at"],
    }
    assert (await acme.get("/virtual-numbers")).json()["data"] == [shown]


async def test_numbers_are_found_by_text_and_app(acme: Tenant, db: Database) -> None:
    async with db.transaction() as tx:
        other = (await add_number(tx, acme.account_id, "+442079460000", "London")).number_id
    app = await acme.made("/voice/apps", {**APP, "vn_ids": [acme.number_id]})

    async def found(**params: object) -> list[str]:
        return [number["id"] for number in (await acme.get("/virtual-numbers", params=params)).json()["data"]]

    assert await found() == [other, acme.number_id]
    assert await found(search="lond") == [other]
    assert await found(search="5550") == [acme.number_id]
    assert await found(voice_app=app["id"]) == [acme.number_id]
    assert await found(location="London") == []
    assert await found(sip_trunk="st_1") == []
    assert (await acme.get(f"/virtual-numbers/{other}")).json()["location"] == {"country": "GB"}


async def test_numbers_are_assigned_and_unassigned(acme: Tenant) -> None:
    app = await acme.made("/voice/apps", APP)

    led = await acme.made("/virtual-numbers/assign", {"vn_ids": [acme.number_id], "voice_app_id": app["id"]})
    there = (await acme.get(f"/virtual-numbers/{acme.number_id}")).json()["voice_app"]
    freed = await acme.made("/virtual-numbers/unassign", {"vn_ids": [acme.number_id], "apply_to_all": False})
    gone = (await acme.get(f"/virtual-numbers/{acme.number_id}")).json()["voice_app"]

    assert led == {"message": "1 numbers assigned.", "count": 1, "success": True}
    assert freed == {"message": "1 numbers unassigned.", "count": 1, "success": True}
    assert (there, gone) == ({"id": app["id"], "name": "Support"}, None)


async def test_all_numbers_that_filters_name_are_assigned_at_once(acme: Tenant, globex: Tenant) -> None:
    app = await acme.made("/voice/apps", APP)
    everything = {"apply_to_all": True, "voice_app_id": app["id"]}

    assert (await acme.made("/virtual-numbers/assign?search=nothing", everything))["count"] == 0
    assert (await acme.made("/virtual-numbers/assign?location=London", everything))["count"] == 0
    assert (await acme.made("/virtual-numbers/assign?search=desk", everything))["count"] == 1
    assert (await acme.made("/virtual-numbers/unassign", {"apply_to_all": True}))["count"] == 1
    assert (await globex.get(f"/virtual-numbers/{globex.number_id}")).json()["voice_app"] is None


async def test_a_number_is_renamed(acme: Tenant) -> None:
    renamed = (await acme.patch(f"/virtual-numbers/{acme.number_id}", {"name": "Front"})).json()

    assert renamed["name"] == "Front"
    assert told(await acme.patch(f"/virtual-numbers/{acme.number_id}", {"name": None}))[0] == 422


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (422, "invalid_request")),
        ({"vn_ids": []}, (422, "invalid_request")),
        ({"vn_ids": ["x"], "apply_to_all": True, "voice_app_id": "x"}, (422, "invalid_request")),
        ({"vn_ids": ["x"]}, (422, "invalid_request")),
        ({"vn_ids": ["x"], "voice_app_id": "va_x"}, (404, "not_found")),
        ({"vn_ids": ["x"], "voice_app_id": "a", "sip_trunk_id": "b"}, (422, "invalid_request")),
        ({"vn_ids": ["x"], "sip_trunk_id": "st_x"}, (404, "not_found")),
    ],
)
async def test_numbers_are_not_assigned_to_what_is_not_there(
    acme: Tenant, body: dict[str, object], expected: tuple[int, str]
) -> None:
    assert told(await acme.post("/virtual-numbers/assign", body)) == expected


async def test_one_unknown_number_keeps_all_where_they_are(acme: Tenant, globex: Tenant) -> None:
    app = await acme.made("/voice/apps", APP)
    both = {"vn_ids": [acme.number_id, globex.number_id], "voice_app_id": app["id"]}

    assert told(await acme.post("/virtual-numbers/assign", both)) == (404, "not_found")
    assert (await acme.get(f"/virtual-numbers/{acme.number_id}")).json()["voice_app"] is None
