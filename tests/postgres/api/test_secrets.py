from __future__ import annotations

from tests.postgres.api.tenants import APP, Tenant, told


async def test_a_secret_is_made_rotated_renamed_and_taken_away(acme: Tenant) -> None:
    made = await acme.made("/secrets", {"name": "main"})
    path = f"/secrets/{made['id']}"
    rotated = (await acme.patch(path, {"rotate": True})).json()
    renamed = (await acme.patch(path, {"name": "other"})).json()
    gone = await acme.delete(path)

    assert made == {
        "id": made["id"],
        "name": "main",
        "secret_value": made["secret_value"],
        "created_at": made["created_at"],
        "rotated_at": None,
        "needs_rotation": False,
        "app_count": 0,
    }
    assert made["secret_value"].startswith("whsec_")
    assert rotated["secret_value"] not in ("", made["secret_value"])
    assert renamed == {**rotated, "name": "other"}
    assert (gone.status_code, told(await acme.get(path))) == (200, (404, "not_found"))


async def test_a_secret_that_an_app_signs_with_stays(acme: Tenant) -> None:
    secret = await acme.made("/secrets", {"name": "main"})
    await acme.made("/voice/apps", {**APP, "secret_id": secret["id"]})

    assert told(await acme.delete(f"/secrets/{secret['id']}")) == (409, "secret_in_use")
    assert (await acme.get("/secrets", params={"search": "MAI"})).json()["data"] == [{**secret, "app_count": 1}]
    assert (await acme.get("/secrets", params={"search": "x"})).json()["data"] == []


async def test_two_secrets_of_one_name_are_a_conflict(acme: Tenant) -> None:
    await acme.made("/secrets", {"name": "main"})

    assert told(await acme.post("/secrets", {"name": "main"})) == (409, "conflict")
    assert told(await acme.patch("/secrets/sec_x", {})) == (422, "invalid_request")


async def test_an_account_reads_itself(acme: Tenant) -> None:
    shown = (await acme.get("/account")).json()

    assert shown == {
        "id": acme.account_id,
        "name": "Acme",
        "status": "active",
        "cps_limit": None,
        "channel_cap": None,
        "created_at": shown["created_at"],
    }
