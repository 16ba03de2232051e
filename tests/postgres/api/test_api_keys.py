from __future__ import annotations

import dataclasses

from tests.postgres.api.tenants import Tenant, told
from tests.postgres.api.things import StillClock
from tests.postgres.sample import rows


async def test_a_key_is_made_works_is_listed_and_revoked(acme: Tenant, clock: StillClock) -> None:
    made = await acme.made("/api-keys", {"name": "laptop"})
    other = dataclasses.replace(acme, api_key=made["api_key"])
    [shown, first] = (await other.get("/api-keys")).json()["data"]
    gone = await acme.delete(f"/api-keys/{made['id']}")
    clock.ms += 2000

    assert shown == {
        "id": made["id"],
        "name": "laptop",
        "prefix": made["api_key"][:10],
        "created_at": shown["created_at"],
        "revoked_at": None,
    }
    assert first["name"] == "first"
    assert (gone.status_code, told(await other.get("/account"))) == (200, (403, "api_key_refused"))
    [revoked, _] = (await acme.get("/api-keys")).json()["data"]
    assert revoked["revoked_at"] is not None


async def test_a_key_cannot_be_read_again(acme: Tenant, url: str) -> None:
    made = await acme.made("/api-keys", {"name": "laptop"})

    assert made["api_key"] not in (await acme.get("/api-keys")).text
    assert made["api_key"] not in str(rows(url, "SELECT * FROM api_keys"))
