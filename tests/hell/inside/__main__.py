"""Place calls whose URLs point inside, in a world where whatever they may mean is a canary; say in JSON what it heard.

`python -m tests.hell.inside FOLDER all` has every form in every place, on whole processes as they are by default, and
`… some` a tenth of that. `… open` has loopback in every place with the operator's own networks opened, which shows that
the canary can be reached from each. `… naive` asks every form with a plain client that guards nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from controlplane.emulator.channel import Channel
from controlplane.emulator.clock import RealClock
from controlplane.emulator.node import Node
from controlplane.emulator.parties import Cast
from controlplane.emulator.rules import Door, LinkRules
from controlplane.emulator.scenarios import CalleePlan, Scenario
from controlplane.emulator.server import Server
from controlplane.store import embedded
from tests.acceptance.platform import PASSWORD, Platform, running_platform
from tests.hell.inside.canary import Application, Canary
from tests.hell.inside.names import APP, REBINDS, NameServer
from tests.hell.inside.places import CALLEE, PLACES
from tests.unit.hooks.inside_forms import INSIDE

NUMBER = "+15550002222"
AT_ONCE = 4
_OVER_S = 60.0  # a call that is not over by then is not this program's business
NAMES = (REBINDS, "translated.test", "private.test", "six.test")
FORMS = [*INSIDE, *(f"http://{name}:{{p}}/" for name in NAMES)]
# What waits behind the first of its call is not tried before that was taken, which it never is.
_UNDER_WAY = """
    WITH told AS (SELECT max(attempts) AS tried FROM deliveries GROUP BY call_id)
    SELECT (SELECT count(*) FROM calls WHERE ended_at IS NULL) + (SELECT count(*) FROM told WHERE tried = 0)
"""
_PROBLEMS = "SELECT coalesce(last_error, last_status::text, state), count(*) FROM deliveries GROUP BY 1 ORDER BY 2 DESC"
_QUICK = {
    "CALLPLANE_CPS_LIMIT": "500",
    "CALLPLANE_CHANNEL_CAP": "5000",
    "CALLPLANE_GATEWAY_CPS_LIMIT": "500",
    "CALLPLANE_GATEWAY_CHANNEL_CAP": "5000",
    "CALLPLANE_OVERLOAD_LOOP_LAG_MS": "0",
    "CALLPLANE_OVERLOAD_LINK_DELAY_MS": "0",
    "CALLPLANE_OVERLOAD_COMMIT_MS": "0",
}


Case = tuple[str, str]  # a form and a place


def all_cases() -> list[Case]:
    """Every form in every place."""
    return [(form, place) for form in FORMS for place in PLACES]


def some_cases() -> list[Case]:
    """Every form and every place several times, together in turns."""
    return [case for number, case in enumerate(all_cases()) if number * 7 % 31 < 3]


def loopback_cases() -> list[Case]:
    """One form in every place, which names the place."""
    return [(f"http://127.0.0.1:{{p}}/{place.replace(' ', '-')}", place) for place in PLACES]


async def place_calls(folder: Path, cases: Sequence[Case], *, is_open: bool) -> dict[str, object]:
    """Have URLs used by a platform; answers what was placed, refused and reached."""
    canary, application, dialled = await _listening()
    node, database = Node(RealClock(), door=Door("inbound", 10)), embedded.start(folder / "postgres", is_durable=False)
    everybody = Cast(node, Scenario(callees={CALLEE: CalleePlan(ring_s=0), "canary": CalleePlan(ring_s=0)}))

    def take_invite(leg: Channel, names: list[str]) -> None:
        dialled.extend(name for name in names if "canary@" in name)
        everybody.take_invite(leg, [*names, CALLEE])

    node.far_ends = take_invite
    server = Server(node, LinkRules(password=PASSWORD))
    port = await server.start("127.0.0.1", 0)
    proxies = dict.fromkeys(("http_proxy", "HTTPS_PROXY", "ALL_PROXY"), f"http://127.0.0.1:{canary.port}")
    more = _QUICK | proxies | {"CALLPLANE_ALLOW_PRIVATE_HOOKS": str(int(is_open))}
    async with running_platform(
        folder, server_url=database.url, node=f"127.0.0.1:{port}", gateway="gateway.invalid", call_servers=1, more=more
    ) as platform:
        statuses = await _place_all(platform, application, cases, str(canary.port))
        await _until_over(platform.database_url)
        told = await _told(platform.database_url)
    await server.stop()
    database.stop()
    return {
        "cases": len(cases),
        "placed": sum(status < 300 for status in statuses),
        "refused": sum(400 <= status < 500 for status in statuses),
        "failed": sum(status >= 500 for status in statuses),
        "asked outside": application.asked,
        "deliveries": told,
        "hits": canary.hits,
        "dialled": dialled,
    }


async def _listening() -> tuple[Canary, Application, list[str]]:
    canary, application = Canary(), Application()
    await canary.start()
    await application.start()
    await asyncio.get_running_loop().create_datagram_endpoint(NameServer, ("127.0.0.1", 53))
    return canary, application, []


async def _place_all(platform: Platform, application: Application, cases: Sequence[Case], port: str) -> list[int]:
    tenant = await platform.add_tenant("inside", NUMBER)
    gate, bodies = asyncio.Semaphore(AT_ONCE), []
    for number, (form, place) in enumerate(cases):
        url = form.replace("{p}", port)
        order = PLACES[place](url, f"http://{APP}/{number}")
        application.orders.append((url, order))
        bodies.append({"from_number": NUMBER, "to_number": CALLEE, "time_limit_s": 30, **order.body})

    async with platform.api(tenant) as api:

        async def place_one(body: dict[str, object]) -> int:
            async with gate:
                return (await api.post("/voice/calls", json=body)).status_code

        return await asyncio.gather(*map(place_one, bodies))


async def _until_over(database_url: str) -> None:
    """Wait until no call is left, and everything that was to be told was tried."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_OVER_S):
                while (await (await connection.execute(_UNDER_WAY)).fetchone() or (0,))[0]:
                    await asyncio.sleep(0.2)  # other processes have to do it


async def _told(database_url: str) -> dict[str, int]:
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        return dict(await (await connection.execute(_PROBLEMS)).fetchall())


async def ask_naively(forms: Iterable[str]) -> dict[str, object]:
    """Ask every form as a program would that thinks no evil: the C library says what a host means."""
    canary, _, _ = await _listening()
    reaching = []
    for form in forms:
        before = len(canary.hits)
        with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
            await asyncio.to_thread(_get, form.replace("{p}", str(canary.port)))
        if len(canary.hits) > before:
            reaching.append(form)
    return {"reaching": reaching}


def _get(url: str) -> None:
    parts = urlsplit(url)
    asking = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=2)
    asking.request("GET", "/")
    asking.getresponse().read()


async def main(folder: Path, way: str) -> None:
    match way:
        case "all":
            told = await place_calls(folder, all_cases(), is_open=False)
        case "some":
            told = await place_calls(folder, some_cases(), is_open=False)
        case "open":
            told = await place_calls(folder, loopback_cases(), is_open=True)
        case _:
            told = await ask_naively(FORMS)
    print(json.dumps(told))


if __name__ == "__main__":
    os.chdir(Path(__file__).parents[3])
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
