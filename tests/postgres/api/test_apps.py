from __future__ import annotations

import pytest

from tests.postgres.api.tenants import APP, Tenant, told

BARE: dict[str, object] = {
    "name": "Support",
    "status": "active",
    "flow_url": "http://app.example.com/flow",
    "flow_method": "POST",
    "fallback_url": None,
    "fallback_method": "POST",
    "webhook_url": "http://app.example.com/hook",
    "webhook_api_version": "2026-06-01",
    "secret_id": None,
    "secret_name": None,
    "status_callback_url": None,
    "status_callback_method": "POST",
    "status_callback_events": [],
    "channel_limit": None,
    "record": False,
    "vn_count": 0,
    "code": None,
}


async def test_an_app_is_made_with_what_is_left_open_at_its_default(acme: Tenant) -> None:
    app = await acme.made("/voice/apps", APP)

    own = {name: app[name] for name in ("id", "created_at", "updated_at")}
    assert app == {**own, "account_id": acme.account_id, **BARE}
    assert (await acme.get(f"/voice/apps/{app['id']}")).json() == app


async def test_an_app_is_made_with_everything_and_its_numbers(acme: Tenant) -> None:
    secret = await acme.made("/secrets", {"name": "main"})
    everything = {
        "fallback_url": "http://app.example.com/fallback",
        "fallback_method": "GET",
        "flow_method": "GET",
        "webhook_api_version": "2025-08-01",
        "secret_id": secret["id"],
        "status_callback_url": "http://app.example.com/status",
        "status_callback_method": "GET",
        "status_callback_events": ["completed", "ringing"],
        "channel_limit": 3,
        "record": True,
        "status": "inactive",
    }

    app = await acme.made("/voice/apps", {**APP, **everything, "vn_ids": [acme.number_id]})

    assert app == {**app, **BARE, **everything, "secret_name": "main", "vn_count": 1}
    numbers = (await acme.get(f"/voice/apps/{app['id']}/virtual-numbers")).json()["data"]
    assert [number["id"] for number in numbers] == [acme.number_id]


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"name": "Sales"}, {"name": "Sales"}),
        ({"flow_url": "http://app.example.com/2"}, {"flow_url": "http://app.example.com/2"}),
        ({"flow_method": "POST"}, {"flow_method": "POST"}),
        ({"fallback_url": None}, {"fallback_url": None, "fallback_method": "POST"}),
        ({"webhook_url": None, "channel_limit": None}, {"webhook_url": None, "channel_limit": None}),
        ({"status_callback_events": ["answered"]}, {"status_callback_events": ["answered"]}),
        (
            {"status_callback_url": None},
            {"status_callback_url": None, "status_callback_method": "POST", "status_callback_events": []},
        ),
        ({"status_callback_method": "POST"}, {"status_callback_method": "POST"}),
        ({"status": "inactive", "record": True, "unheard": 1}, {"status": "inactive", "record": True}),
    ],
)
async def test_only_what_is_named_changes_in_an_app(
    acme: Tenant, change: dict[str, object], difference: dict[str, object]
) -> None:
    whole = {
        **APP,
        "flow_method": "GET",
        "fallback_url": "http://app.example.com/fallback",
        "fallback_method": "GET",
        "status_callback_url": "http://app.example.com/status",
        "status_callback_method": "GET",
        "status_callback_events": ["completed", "ringing"],
        "channel_limit": 3,
    }
    app = await acme.made("/voice/apps", whole)

    changed = (await acme.patch(f"/voice/apps/{app['id']}", change)).json()

    assert changed == {**app, **difference, "updated_at": changed["updated_at"]}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"unheard": 1},
        {"name": None},
        {"name": ""},
        {"name": "a\x00b"},
        {"flow_url": None},
        {"flow_url": "app"},
        {"status": "asleep"},
        {"status": None},
        {"channel_limit": "3"},
        {"channel_limit": 0},
        {"webhook_api_version": "2027-01-01"},
        {"status_callback_events": ["born"]},
    ],
)
async def test_an_app_is_not_changed_into_what_does_not_fit(acme: Tenant, change: dict[str, object]) -> None:
    app = await acme.made("/voice/apps", APP)

    assert told(await acme.patch(f"/voice/apps/{app['id']}", change)) == (422, "invalid_request")
    assert (await acme.get(f"/voice/apps/{app['id']}")).json() == app


async def test_apps_are_listed_by_name_and_status(acme: Tenant) -> None:
    one = await acme.made("/voice/apps", APP)
    two = await acme.made("/voice/apps", {**APP, "name": "Sales", "status": "inactive"})

    async def listed(**params: object) -> list[str]:
        return [app["id"] for app in (await acme.get("/voice/apps", params=params)).json()["data"]]

    assert await listed() == [two["id"], one["id"]]
    assert await listed(limit=1) == [two["id"]]
    assert await listed(search="supp") == [one["id"]]
    assert await listed(status=["active", "inactive"]) == [two["id"], one["id"]]
    assert await listed(status="inactive") == [two["id"]]


async def test_a_deleted_app_is_gone_and_its_numbers_lead_nowhere(acme: Tenant) -> None:
    app = await acme.made("/voice/apps", {**APP, "vn_ids": [acme.number_id]})

    answer = await acme.delete(f"/voice/apps/{app['id']}")

    assert (answer.status_code, answer.json()) == (200, {"message": "The app is gone.", "success": True})
    assert told(await acme.get(f"/voice/apps/{app['id']}")) == (404, "not_found")
    assert (await acme.get(f"/virtual-numbers/{acme.number_id}")).json()["voice_app"] is None


async def test_numbers_and_secrets_of_others_do_not_go_into_an_app(acme: Tenant, globex: Tenant) -> None:
    secret = await globex.made("/secrets", {"name": "main"})

    assert told(await acme.post("/voice/apps", {**APP, "vn_ids": [globex.number_id]})) == (404, "not_found")
    assert told(await acme.post("/voice/apps", {**APP, "secret_id": secret["id"]})) == (404, "not_found")
    assert (await acme.get("/voice/apps")).json()["data"] == []
