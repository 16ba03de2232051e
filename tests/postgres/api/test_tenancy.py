"""What is another's is not there: every operation, asked with ids of two other accounts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from controlplane.base.ids import leg_of_call, public_leg_id
from controlplane.services.events import list_events
from controlplane.store.database import Database
from controlplane.store.journal import Recorder
from controlplane.store.pages import Window
from tests.postgres.api.recorded import recorded, stored
from tests.postgres.api.tenants import APP, Tenant, told
from tests.postgres.api.things import MemoryStorage

_LEG = public_leg_id(leg_of_call("cs_01HF7YAT000000000000000001"))  # type: ignore[arg-type]
_BODIES: dict[str, Any] = {
    "/voice/calls/{call_id}/hangup": {},
    "/voice/calls/{call_id}/mute": {"leg_id": _LEG, "on": True},
    "/voice/calls/{call_id}/dtmf": {"digits": "1"},
    "/voice/calls/{call_id}/play": {"media_url": "http://app.example.com/a.wav"},
    "/voice/calls/{call_id}/redirect": {"flow_url": "http://app.example.com/"},
    "/voice/apps/{app_id}": {"name": "Mine now"},
    "/virtual-numbers/{number_id}": {"name": "Mine now"},
    "/secrets/{secret_id}": {"rotate": True},
}
_UNKNOWN = "01HF7YAT0000000000000000ZZ"


async def things_of(tenant: Tenant, recorder: Recorder, db: Database, storage: MemoryStorage) -> dict[str, str]:
    """One of everything, by the name that paths have for its id."""
    call, recording = await recorded(recorder, tenant.account_id)
    await stored(db, storage, tenant.account_id, recording)
    async with db.transaction() as tx:
        [event] = (await list_events(tx, tenant.account_id, Window())).data
    return {
        "call_id": call,
        "recording_id": recording,
        "event_id": event.event_id,
        "app_id": (await tenant.made("/voice/apps", APP))["id"],
        "secret_id": (await tenant.made("/secrets", {"name": "main"}))["id"],
        "number_id": tenant.number_id,
        "key_id": (await tenant.made("/api-keys", {"name": "other"}))["id"],
        "request_id": (await tenant.made(f"/voice/calls/{call}/hangup", {}))["request_id"],
    }


def operations_with_ids(app: FastAPI) -> Iterator[tuple[str, str]]:
    for path, operations in app.openapi()["paths"].items():
        if path.startswith("/api/v1") and "{" in path:
            for method in operations:
                yield method.upper(), path.removeprefix("/api/v1")


async def everything(tenants: list[Tenant]) -> list[Any]:
    """What lists show, to see that nothing was changed."""
    paths = ("/voice/calls", "/voice/apps", "/virtual-numbers", "/secrets", "/recordings", "/events", "/api-keys")
    return [(await tenant.get(path)).json() for tenant in tenants for path in paths]


async def test_ids_of_others_are_answered_like_ids_that_nobody_has(
    acme: Tenant,
    globex: Tenant,
    initech: Tenant,
    app: FastAPI,
    recorder: Recorder,
    db: Database,
    storage: MemoryStorage,
) -> None:
    tenants = [acme, globex, initech]
    things = [await things_of(tenant, recorder, db, storage) for tenant in tenants]
    before = await everything(tenants)
    asked = 0
    for method, path in operations_with_ids(app):
        for at, tenant in enumerate(tenants):
            foreign = [things[(at + 1) % 3], things[(at + 2) % 3]]
            unknown = {name: f"{text.partition('_')[0]}_{_UNKNOWN}" for name, text in foreign[0].items()}
            malformed = dict.fromkeys(unknown, "%00'--")
            answers = {
                told(await tenant.ask(method, path.format(**ids), json=_BODIES.get(path)))
                for ids in (*foreign, unknown, malformed)
            }
            assert answers == {(404, "not_found")}, (method, path)
            asked += 1
    assert asked > 50
    assert await everything(tenants) == before


async def test_ids_of_others_in_bodies_and_queries_are_not_there_either(
    acme: Tenant, globex: Tenant, recorder: Recorder, db: Database, storage: MemoryStorage
) -> None:
    theirs = await things_of(globex, recorder, db, storage)
    mine = await things_of(acme, recorder, db, storage)

    for body in (
        {"vn_ids": [theirs["number_id"]], "voice_app_id": mine["app_id"]},
        {"vn_ids": [mine["number_id"]], "voice_app_id": theirs["app_id"]},
        {"apply_to_all": True, "voice_app_id": theirs["app_id"]},
    ):
        assert told(await acme.post("/virtual-numbers/assign", body)) == (404, "not_found")
    assert told(await acme.post("/virtual-numbers/unassign", {"vn_ids": [theirs["number_id"]]})) == (404, "not_found")
    patched = await acme.patch(f"/voice/apps/{mine['app_id']}", {"secret_id": theirs["secret_id"]})
    assert told(patched) == (404, "not_found")
    linked = await acme.get("/recordings", params={"recording_id": theirs["recording_id"]})
    assert told(linked) == (404, "not_found")
    for path, name in (("/recordings", "call_id"), ("/events", "call_id"), ("/virtual-numbers", "voice_app")):
        key = {"voice_app": "app_id"}.get(name, name)
        assert (await acme.get(path, params={name: theirs[key]})).json()["data"] == []
    muted = await acme.post(f"/voice/calls/{mine['call_id']}/mute", {"leg_id": _leg_of(theirs), "on": True})
    assert told(muted) == (409, "leg_not_found")


async def test_a_cursor_of_somebody_elses_shows_only_ones_own(
    acme: Tenant, globex: Tenant, recorder: Recorder, db: Database, storage: MemoryStorage
) -> None:
    theirs = await things_of(globex, recorder, db, storage)
    mine = await things_of(acme, recorder, db, storage)

    listed = (await acme.get("/voice/apps", params={"cursor_before": theirs["app_id"]})).json()

    assert [one["id"] for one in listed["data"]] == [mine["app_id"]]


def _leg_of(things: dict[str, str]) -> str:
    return public_leg_id(leg_of_call(things["call_id"]))  # type: ignore[arg-type]
