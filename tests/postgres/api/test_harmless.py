"""Each place of a request where attempts are made takes a harmless value, too (tests/injection/requests.py)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable

from httpx import AsyncClient, Response

from controlplane.base.ids import sid_of
from controlplane.store.database import Database
from controlplane.store.journal import Recorder
from tests.injection.requests import RequestPlace, request_of, request_places
from tests.injection.stage import NUMBER
from tests.postgres.api.conftest import tenant
from tests.postgres.api.recorded import recorded, stored
from tests.postgres.api.tenants import APP, Tenant
from tests.postgres.api.things import MemoryStorage

APP_URL = "http://app.example.com"
HARMLESS = (
    *(
        "1",
        "a",
        "60",
        "true",
        "POST",
        NUMBER,
        "http://app.example.com/x",
        "<Response><Hangup/></Response>",
        "completed",
    ),
    *("active", "outbound", "2026-01-01T00:00:00Z", "application/json", "DONE", "2026-06-01", "pending", "mono"),
    *("not-found", "recording.completed", "stop"),
)
# A link to a file is signed as a whole, and a change anywhere in it refused; there are no trunks yet.
NEVER = {
    "api get_recording_file path account_id", "api get_recording_file path file",
    "api get_recording_file query expires", "api get_recording_file query signature", "api assign body sip_trunk_id",
}  # fmt: skip
# What is no text: the fault must be that field's.
_NO_TEXT = re.compile(r"Input should be a valid (?:integer|boolean)\Z")


async def things(acme: Tenant, recorder: Recorder, db: Database, storage: MemoryStorage) -> dict[str, str]:
    """One of everything there is, by the name that paths have for it."""
    call, recording = await recorded(recorder, acme.account_id)
    await stored(db, storage, acme.account_id, recording)
    asked = await acme.made(f"/voice/calls/{call}/redirect", {"flow_url": APP_URL})
    return {
        "call_id": call,
        "leg_id": (await acme.get(f"/voice/calls/{call}/legs")).json()["data"][0]["id"],
        "recording_id": recording,
        "event_id": (await acme.get("/events")).json()["data"][0]["id"],
        "request_id": asked["request_id"],
        "app_id": (await acme.made("/voice/apps", APP))["id"],
        "secret_id": (await acme.made("/secrets", {"name": "of tests"}))["id"],
        "key_id": (await acme.made("/api-keys", {"name": "other"}))["id"],
        "number_id": acme.number_id,
        "account_sid": sid_of("AC", acme.account_id),
        "file": sid_of("RE", recording),
    }


def is_taken(place: RequestPlace, answer: Response) -> bool:
    if answer.status_code < 400 or answer.status_code == 409:  # understood, though it cannot be now
        return True
    errors = answer.json().get("errors", [])
    return [one["loc"] for one in errors if _NO_TEXT.match(one["msg"])] == [["body", place.field]]


async def test_each_place_of_a_request_takes_a_harmless_value(
    anyone: AsyncClient, recorder: Recorder, db: Database, storage: MemoryStorage
) -> None:
    acme = await tenant(db, anyone, "Acme", NUMBER)
    ids = await things(acme, recorder, db, storage)

    async def takes(place: RequestPlace, text: str) -> bool:
        path, more = request_of(place, text, ids, APP_URL)
        headers = {"x-api-key": acme.api_key, **more.get("headers", {})}
        answer = await anyone.request(place.operation.method, path, content=more.get("data"), headers=headers)
        return is_taken(place, answer)

    # What deletes something comes last.
    places = sorted(request_places(), key=lambda place: place.operation.method == "DELETE")
    refusing = [place.name for place in places if not await any_of(takes, place, (*ids.values(), *HARMLESS))]

    assert set(refusing) == NEVER


async def any_of(
    takes: Callable[[RequestPlace, str], Awaitable[bool]], place: RequestPlace, texts: Iterable[str]
) -> bool:
    for text in texts:
        if await takes(place, text):
            return True
    return False
