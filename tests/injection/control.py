"""The same harm done on purpose, past the builder: every kind of canary must sing, or their silence says nothing."""

from __future__ import annotations

import asyncio
import json

from controlplane.esl.commands import line
from controlplane.esl.connection import SwitchConnection
from tests.injection.stage import Stage
from tests.injection.wiretap import Line

_WAIT_S = 5.0


async def fire_canaries(stage: Stage) -> dict[str, bool]:
    """Do each harm on a stage of its own and say whether it was seen."""
    watcher, host, peer = stage.watcher, stage.canaries.host, stage.telephones.contact
    caller = stage.dial("+15550002000")
    leg = await _parked(stage)
    seen: dict[str, bool] = {}

    async def harm(name: str, data: str, sign: str, *, answers: int = 1) -> None:
        for number in range(answers):
            await watcher.write(data.encode() if number == 0 else b"")
        seen[name] = await _sings(stage, sign)

    file = stage.canaries.file
    await harm("expansion", _execute(leg, "set", f"x=${{system(touch {file(1)})}}"), "a file appeared: 1")
    await harm(
        "command after a blank line", f"api uptime\n\napi system touch {file(2)}\n\n", "file appeared: 2", answers=2
    )
    await harm("application", _execute(leg, "system", f"touch {file(3)}"), "nobody asked for: system")
    variable = _execute(leg, "multiset", "^^|x=1|canary_control=1") + _execute(leg, "sleep", "1")
    await harm("variable", variable, "a variable that nobody set", answers=2)
    await harm("variable of the node", "api global_setvar canary_control=1\n\n", "a variable of the whole node")
    await watcher.ask(line("api", "global_setvar canary_control="))
    brackets = f"{{x='1',api_on_originate='system touch {file(4)}'}}sofia/internal/sip:1@{peer}"
    await harm("dial string", f"api originate {brackets} &park()\n\n", "file appeared: 4")
    aside = f"sofia/internal/sip:1@{peer};fs_path=sip:{host}"
    await harm("address", f"bgapi originate {aside} &park()\n\n", "sent to the canary's address")
    over_tcp = f"sofia/internal/sip:1@{host};transport=tcp"
    await harm("address over TCP", f"bgapi originate {over_tcp} &park()\n\n", "connected to the canary's address")
    header = f"{{sip_h_Canary=1}}sofia/internal/sip:1@{peer}"
    await harm("header of an INVITE", f"api originate {header} &park()\n\n", "an INVITE with a header")
    stream = _execute(leg, "playback", f"shell_stream://touch {file(5)}")
    dial = "bgapi originate [sip_h_X-A=1,sip_h_Canary=1]sofia/internal/sip:a@b &park()\n\n"
    no_shape = "a command of no shape of ours: "
    harms = {
        "stream": (stream, "an application that is not ours"),
        "shape": ("api system true\n\n", f"{no_shape}api system"),
        "line": ("api status\r\n\n", f"{no_shape}api status"),
        "variable": (dial, f"{no_shape}bgapi originate"),
    }
    for name, (command, sign) in harms.items():
        for frame in SwitchConnection().feed(command.encode()):
            stage.tap.take_command(frame, Line())
        seen[f"wiretap: {name}"] = await _sings(stage, sign)
    stage.tap.take_reply(Line())
    seen["wiretap: reply"] = await _sings(stage, "0 commands had 1 replies")
    for name, request in _REQUESTS.items():
        await _say(stage.app_url, request)
        seen[f"application: {name}"] = await _sings(stage, name)
    stage.telephones.hang_up(caller)
    return seen


_FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
_REQUESTS = {
    "a request with a header": b"GET / HTTP/1.1\r\nHost: x\r\nCanary: 1\r\n\r\n",
    "a parameter that nobody has": b"POST / HTTP/1.1\r\n" + _FORM + b"Content-Length: 8\r\n\r\ncanary=1",
    "a parameter with control characters": b"POST / HTTP/1.1\r\n" + _FORM + b"Content-Length: 11\r\n\r\nFrom=%0A%0Ax",
    "a request that is none": b"GET / x y z HTTP/1.1\r\n\r\n",
}


async def _say(url: str, data: bytes) -> None:
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(data)
    await reader.readline()
    writer.close()


def _execute(leg: str, application: str, argument: str) -> str:
    size = len(argument.encode())
    return (
        f"sendmsg {leg}\ncall-command: execute\nexecute-app-name: {application}\n"
        f"content-type: text/plain\ncontent-length: {size}\n\n{argument}"
    )


async def _parked(stage: Stage) -> str:
    async def rows() -> list[dict[str, str]]:
        answer = await stage.watcher.ask(line("api", "show channels as json"))
        found: list[dict[str, str]] = json.loads(answer).get("rows", [])
        return [row for row in found if row.get("application") == "park"]

    async with asyncio.timeout(_WAIT_S):
        while not (found := await rows()):
            await asyncio.sleep(0.02)  # FreeSWITCH has to park it
    return found[0]["uuid"]


async def _sings(stage: Stage, sign: str) -> bool:
    """Whether a canary sings of it in time."""
    until_s = asyncio.get_running_loop().time() + _WAIT_S
    while asyncio.get_running_loop().time() < until_s:
        stage.canaries.look()
        await stage.watcher.look()
        if any(sign in what for what in stage.canaries.sung):
            return True
        await asyncio.sleep(0.05)  # FreeSWITCH has to do it
    return False
