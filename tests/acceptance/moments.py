"""When something is done in a case: `at_s` after it began or, with `after`, after its call's timeline said something.

What follows counts from there as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import httpx

from tests.acceptance.platform import Platform, Tenant

Step = Mapping[str, Any]
_LOOK_S, _PATIENCE_S = 0.05, 60


async def in_time(steps: Sequence[Step], platform: Platform, tenant: Tenant) -> AsyncIterator[Step]:
    """Each step when it is due."""
    loop = asyncio.get_running_loop()
    since_s = loop.time()
    for step in steps:
        if "after" in step:
            async with platform.api(tenant) as api, asyncio.timeout(_PATIENCE_S):
                while not await _is_told(step["after"], platform, tenant, api):
                    await asyncio.sleep(_LOOK_S)  # people act, in other processes
            since_s = loop.time()
        await asyncio.sleep(max(0.0, since_s + float(step["at_s"]) - loop.time()))
        yield step


async def _is_told(text: str, platform: Platform, tenant: Tenant, api: httpx.AsyncClient) -> bool:
    """Say whether the timeline of the last call says something."""
    calls = await platform.call_ids(tenant)
    if not calls:
        return False
    lines = (await api.get(f"/voice/calls/{calls[-1]}/timeline")).json()["data"]
    return any(text in f"{line['actor']} {line['text']}" for line in lines)
