"""What a case's tenant asks of the API while its people act: `api:` in a case.

api:
  - {at_s: 0.5, place: {to: "+15550003333", document: <Response>…</Response>, timeout_s: 5}}   # from: the case's number
  - {at_s: 3, redirect: {flow_url: "{app}/other"}}      # of the case's last call
  - {at_s: 3, hangup: {}}                               # also mute, dtmf, play; leg: callee for the last B-leg
  - {after: callee answers, at_s: 2, hangup: {}}        # when is said in tests/acceptance/moments.py
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from tests.acceptance.application import Application
from tests.acceptance.cases import Case
from tests.acceptance.moments import in_time
from tests.acceptance.platform import Platform, Tenant, made

STEPS = ("place", "redirect", "hangup", "mute", "dtmf", "play")


async def make_requests(case: Case, platform: Platform, tenant: Tenant, application: Application) -> None:
    """Ask everything in its time."""
    async with platform.api(tenant) as api:
        async for step in in_time(case.api, platform, tenant):
            kind = next(one for one in STEPS if one in step)
            body = {name: _filled(value, application) for name, value in step[kind].items()}
            if kind == "place":
                await made(api, "/voice/calls", {"from_number": case.number, "to_number": body.pop("to"), **body})
                continue
            call = (await platform.call_ids(tenant))[-1]
            if body.pop("leg", "") == "callee":
                body["leg_id"] = await _callee(api, call)
            if kind == "mute" and "leg_id" not in body:
                body["leg_id"] = await _caller(api, call)
            await made(api, f"/voice/calls/{call}/{kind}", body)


def _filled(value: Any, application: Application) -> Any:
    return value.replace("{app}", application.url) if isinstance(value, str) else value


async def _legs(api: httpx.AsyncClient, call: str) -> list[Mapping[str, Any]]:
    legs: list[Mapping[str, Any]] = (await api.get(f"/voice/calls/{call}/legs")).json()["data"]
    return legs


async def _caller(api: httpx.AsyncClient, call: str) -> str:
    return str((await _legs(api, call))[0]["id"])


async def _callee(api: httpx.AsyncClient, call: str) -> str:
    return str((await _legs(api, call))[-1]["id"])
