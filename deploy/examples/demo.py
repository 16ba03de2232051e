"""`make demo`: three people call a front desk, from the first ring to the last event delivered.

Starts everything that `callplane up` starts, a media node (FreeSWITCH if there is one on this machine, else the
emulator), and the sample application `frontdesk.py`; sets up a tenant through the command and the REST interface; lets
the callers of `frontdesk.yaml` call, prints their timelines as things happen, then a summary. Ends by itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib import request as http

from demo_telephones import PASSWORD, Telephones, emulator, freeswitch

from controlplane.base.errors import CallplaneError
from controlplane.cli.freeswitch import find_freeswitch
from controlplane.cli.processes import Child, Supervisor, port_answers
from controlplane.emulator.reading import parse_scenario

HERE = Path(__file__).parent
PYTHON = sys.executable
DESK, AGENT = "+15550002222", "+15550003333"
LIMIT_S = 120


@dataclass
class Platform:
    """What is running: its REST interface, and the tenant's key."""

    url: str
    key: str = ""

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        """One request to the REST interface."""
        return await asyncio.to_thread(self._ask, method, path, body)

    def _ask(self, method: str, path: str, body: object) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"x-api-key": self.key, "content-type": "application/json"}
        asked = http.Request(f"{self.url}/api/v1{path}", data, headers, method=method)
        with http.urlopen(asked, timeout=10) as answer:
            return json.load(answer)


@dataclass
class Output:
    """What the processes print: kept in a file, but for the one line that says where the platform is."""

    data: Path
    ready_at: str = ""

    def take(self, name: str, line: str) -> None:
        if name == "up" and line.startswith("ready "):
            self.ready_at = line.removeprefix("ready ").strip()
        with (self.data / "demo.log").open("a") as file:
            file.write(f"{name:10} {line}\n")


# Timelines as they happen


@dataclass
class Watch:
    """Prints what is new in every call's timeline."""

    platform: Platform
    began_s: float = field(default_factory=time.time)
    names: dict[str, str] = field(default_factory=dict)
    shown: dict[str, int] = field(default_factory=dict)

    async def run(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(0.3)

    async def look(self) -> None:
        calls = (await self.platform.ask("GET", "/voice/calls"))["data"]
        for one in sorted(calls, key=lambda one: one["created_at"]):
            name = self.names.setdefault(one["id"], f"call {len(self.names) + 1}")
            timeline = (await self.platform.ask("GET", f"/voice/calls/{one['id']}/timeline"))["data"]
            for moment in timeline[self.shown.get(one["id"], 0) :]:
                at_s = datetime.fromisoformat(moment["at"]).timestamp() - self.began_s
                print(f"  {at_s:6.2f} s  {name}  {moment['actor']:11}  {moment['text']}", flush=True)
            self.shown[one["id"]] = len(timeline)


# The whole


async def demo(data: Path) -> int:
    """Everything, in order; answers the exit code."""
    async with AsyncExitStack() as stack:
        output = Output(data)
        supervisor = await stack.enter_async_context(Supervisor(output.take))
        supervisor.obey_signals()
        for folder in ("prompts", "recordings"):
            (data / folder).mkdir()
        program = find_freeswitch()
        node = freeswitch(program, data, supervisor) if program is not None else emulator()
        telephones = await stack.enter_async_context(node)
        print(f"media node: {telephones.kind}")
        desk_port = await start_front_desk(supervisor)
        platform = await start_platform(supervisor, output, telephones)
        print(f"Callplane is ready at {platform.url}, the front desk at http://127.0.0.1:{desk_port}/\n")
        await set_up(platform, data, f"http://127.0.0.1:{desk_port}")
        return await perform(platform, telephones)


async def start_front_desk(supervisor: Supervisor) -> int:
    from controlplane.cli.ports import free_port

    port = free_port()
    argv = (PYTHON, str(HERE / "frontdesk.py"), "--port", str(port), "--agent", AGENT)
    await supervisor.start(Child("frontdesk", argv, probe=port_answers("127.0.0.1", port)))
    return port


async def start_platform(supervisor: Supervisor, output: Output, telephones: Telephones) -> Platform:
    environment = {
        "CALLPLANE_DATA": str(output.data),
        "CALLPLANE_ESL_PASSWORD": PASSWORD,
        "CALLPLANE_GATEWAY": telephones.gateway,
        "CALLPLANE_ALLOW_PRIVATE_HOOKS": "1",
    }
    argv = (PYTHON, "-m", "controlplane.cli", "up", "--port", "0", "--freeswitch", telephones.address)

    async def is_ready() -> bool:
        return bool(output.ready_at)

    await supervisor.start(Child("up", argv, environment, probe=is_ready, ready_within_s=90, stop_within_s=20))
    return Platform(output.ready_at)


async def set_up(platform: Platform, data: Path, desk_url: str) -> None:
    """A tenant and its numbers by the operator's command, its apps by the tenant's REST interface."""
    tenant = await command(data, "tenant", "create", "Front desk", "--json")
    platform.key = tenant["api_key"]
    for number, name, path in ((DESK, "front desk", "/"), (AGENT, "agent", "/agent")):
        added = await command(data, "number", "add", number, "--tenant", tenant["account_id"], "--json")
        app = {
            "name": name,
            "flow_url": desk_url + path,
            "webhook_url": f"{desk_url}/events",
            "vn_ids": [added["number_id"]],
        }
        await platform.ask("POST", "/voice/apps", app)


async def command(data: Path, *arguments: str) -> Any:
    process = await asyncio.create_subprocess_exec(
        PYTHON, "-m", "controlplane.cli", *arguments, env={**os.environ, "CALLPLANE_DATA": str(data)}, stdout=-1
    )
    out, _ = await process.communicate()
    if process.returncode:
        raise CallplaneError(f"callplane {' '.join(arguments[:2])} failed")
    return json.loads(out)


async def perform(platform: Platform, telephones: Telephones) -> int:
    scenario = parse_scenario((HERE / "frontdesk.yaml").read_text())
    watch = Watch(platform)
    watching = asyncio.create_task(watch.run())
    try:
        await telephones.act(scenario)
        await until(lambda: everything_is_told(platform, len(scenario.callers)), 20)
        await watch.look()
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
    return await summarise(platform, len(scenario.callers))


async def everything_is_told(platform: Platform, least_calls: int) -> bool:
    calls = (await platform.ask("GET", "/voice/calls"))["data"]
    events = (await platform.ask("GET", "/events?limit=100"))["data"]
    recordings = (await platform.ask("GET", "/recordings"))["data"]
    return (
        len(calls) >= least_calls
        and all(one["ended_at"] for one in calls)
        and all(event["delivery_status"] == "delivered" for event in events)
        and all(recording["state"] != "processing" for recording in recordings)
    )


async def until(condition: Callable[[], Awaitable[bool]], most_s: float) -> None:
    until_s = time.monotonic() + most_s
    while not await condition() and time.monotonic() < until_s:  # noqa: ASYNC110
        await asyncio.sleep(0.3)


async def summarise(platform: Platform, callers: int) -> int:
    calls = (await platform.ask("GET", "/voice/calls"))["data"]
    events = (await platform.ask("GET", "/events?limit=100"))["data"]
    recordings = (await platform.ask("GET", "/recordings"))["data"]
    print("\nsummary")
    for one in sorted(calls, key=lambda one: one["created_at"]):
        seconds = one["duration_seconds"] or 0
        print(f"  {one['from_number']} -> {one['to_number']}  {one['status']:10} {seconds:3} s  {one['reason']}")
    for recording in recordings:
        length = f"{recording['duration_seconds']} s, {recording['channels']} channel(s)"
        print(f"  recording of {length}: {recording['source']}")
    delivered = sum(event["delivery_status"] == "delivered" for event in events)
    print(f"  {len(events)} events, {delivered} delivered")
    desk = [one for one in calls if one["to_number"] == DESK]
    is_well = (
        len(desk) == callers
        and all(one["status"] == "completed" for one in desk)
        and delivered == len(events)
        and {recording["source"] for recording in recordings} == {"RecordVerb", "DialVerb"}
    )
    print("  all well" if is_well else "  SOMETHING IS MISSING")
    return 0 if is_well else 1


def main() -> int:
    data = Path(tempfile.mkdtemp(prefix="callplane-demo-"))
    data.chmod(0o755)  # the embedded PostgreSQL does not run as root, and must get to its own folder
    try:
        code = asyncio.run(asyncio.wait_for(demo(data), LIMIT_S))
    except (CallplaneError, TimeoutError, OSError) as error:
        print(f"the demo failed: {error or 'it took too long'}; the last lines of its log:", file=sys.stderr)
        with suppress(FileNotFoundError):
            print("\n".join((data / "demo.log").read_text().splitlines()[-30:]), file=sys.stderr)
        code = 1
    shutil.rmtree(data, ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
