"""Lists of calls: pages, filters, cursors."""

from __future__ import annotations

import pytest

from controlplane.store.database import Database
from tests.postgres.api.tenants import CALL, Tenant, told


async def test_calls_are_listed_newest_first_in_pages_that_join(acme: Tenant) -> None:
    ids = [(await acme.made("/voice/calls", CALL))["id"] for _ in range(5)][::-1]

    first = (await acme.get("/voice/calls", params={"limit": 2})).json()
    second = (await acme.get("/voice/calls", params={"limit": 2, "cursor_after": first["next_cursor"]})).json()
    last = (await acme.get("/voice/calls", params={"limit": 2, "cursor_after": second["next_cursor"]})).json()
    back = (await acme.get("/voice/calls", params={"limit": 2, "cursor_before": second["previous_cursor"]})).json()

    assert [[call["id"] for call in page["data"]] for page in (first, second, last, back)] == [
        ids[:2], ids[2:4], ids[4:], ids[:2],
    ]  # fmt: skip
    assert (first["has_more"], second["has_more"], last["has_more"]) == (True, True, False)
    assert (first["previous_cursor"], last["next_cursor"]) == (None, None)


async def test_a_list_shows_only_what_its_filters_name(acme: Tenant, db: Database) -> None:
    one = await acme.made("/voice/calls", CALL)
    two = await acme.made("/voice/calls", {**CALL, "to_number": "+15550009999"})
    assert (await acme.post(f"/voice/calls/{two['id']}/hangup", {})).status_code == 202

    async def listed(**filters: str) -> list[str]:
        return [call["id"] for call in (await acme.get("/voice/calls", params=filters)).json()["data"]]

    assert await listed(state="initiated") == [one["id"]]
    assert await listed(state="queued") == [one["id"]]
    assert await listed(state="failed") == [two["id"]]
    assert await listed(state="canceled") == [two["id"]]
    assert await listed(to_number="+15550009999") == [two["id"]]
    assert await listed(from_number="+15550001111", direction="outbound") == [two["id"], one["id"]]
    assert await listed(direction="inbound") == []
    assert await listed(created_after=two["created_at"][:-5] + "Z", created_before="2100-01-01T00:00:00") != []
    assert await listed(created_before="2001-01-01T00:00:00Z") == []


@pytest.mark.parametrize(
    "params",
    [
        {"limit": 0},
        {"limit": 101},
        {"limit": "many"},
        {"state": "asleep"},
        {"cursor_after": "cs_x"},
        {"cursor_after": "va_01HF7YAT00V1R6E8ZZ1AH3GX8N"},
        {"cursor_after": "\x00"},
        {"from_number": "\x00"},
        {"created_after": "yesterday"},
    ],
)
async def test_a_list_that_cannot_be_made_is_refused(acme: Tenant, params: dict[str, str]) -> None:
    assert told(await acme.get("/voice/calls", params=params))[0] == 422


async def test_a_page_starts_after_or_before_a_cursor_not_both(acme: Tenant) -> None:
    call = (await acme.made("/voice/calls", CALL))["id"]

    assert told(await acme.get("/voice/calls", params={"cursor_after": call, "cursor_before": call}))[0] == 422
