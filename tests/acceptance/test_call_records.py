"""What a real FreeSWITCH leaves of its legs, and that the emulator leaves the same: the same story is told on both.

A caller is answered, talks to a callee, and is hung up; before, a telephone was dialled that is busy.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from controlplane.cli.freeswitch import NodeLink, freeswitch_child, loopback_node
from controlplane.cli.lines import print_line
from controlplane.cli.processes import Supervisor
from controlplane.emulator.clock import RealClock
from controlplane.emulator.detail import write_details
from controlplane.emulator.node import Node
from controlplane.emulator.parties import Cast
from controlplane.emulator.rules import Door, LinkRules
from controlplane.emulator.scenarios import CalleePlan, Scenario, Then, Wait
from controlplane.emulator.server import Server
from controlplane.esl.commands import Command
from controlplane.render import MediaNode
from tests.chaos.ledger.node_records import read_node_records

pytestmark = pytest.mark.freeswitch

CALLER, DIALLED, CALLEE, BUSY = "+15550001111", "+15550002222", "+15550003333", "+15550004444"
UUIDS = {name: f"0b000000-0000-4000-8000-00000000000{place}" for place, name in enumerate(("busy", "callee"))}
Ask = Callable[[str], Awaitable[str]]
Record = dict[str, Any]

# What the ledger of the chaos tests reads.
READ = ("direction", "sip_from_user", "sip_to_user", "hangup_cause", "hangup_cause_q850", "sip_hangup_disposition")


async def ask_on(link: NodeLink, text: str) -> str:
    frame = await link.ask(Command("any", f"{text}\n\n".encode()))
    return frame.text or frame.reply_text


async def becomes(look: Callable[[], Awaitable[Any]]) -> Any:
    """Wait until there is something."""
    async with asyncio.timeout(10):
        while not (found := await look()):
            await asyncio.sleep(0.05)  # another process has to do it
    return found


async def drive(node: MediaNode, at: str) -> None:
    """The story. `at` is where the dialled are; who is dialled on this node itself is parked, and answered by us."""
    async with NodeLink(node) as link:

        async def inbound(dialled: str) -> str:
            rows = json.loads(await ask_on(link, "api show channels as json")).get("rows", [])
            found = [row["uuid"] for row in rows if (row["direction"], row["dest"]) == ("inbound", dialled)]
            return found[0] if found else ""

        async def has_ended(uuid: str) -> bool:
            return await ask_on(link, f"api uuid_exists {uuid}") == "false"

        caller = await becomes(lambda: inbound(DIALLED))
        await ask_on(link, f"api sched_del {caller}")
        await ask_on(link, f"api uuid_answer {caller}")
        await ask_on(
            link, f"bgapi originate {{origination_uuid={UUIDS['busy']}}}sofia/internal/sip:{BUSY}@{at} &park()"
        )
        if at.startswith("127."):
            await ask_on(link, f"api uuid_kill {await becomes(lambda: inbound(BUSY))} USER_BUSY")
        await becomes(lambda: has_ended(UUIDS["busy"]))
        lines = f"sendmsg {caller}\ncall-command: execute\nexecute-app-name: bridge\nexecute-app-arg: "
        await ask_on(link, f"{lines}[origination_uuid={UUIDS['callee']}]sofia/internal/sip:{CALLEE}@{at}")
        if at.startswith("127."):
            await ask_on(link, f"api uuid_answer {await becomes(lambda: inbound(CALLEE))}")

        async def are_talking() -> bool:
            return await ask_on(link, f"api uuid_getvar {caller} bridge_uuid") == UUIDS["callee"]

        await becomes(are_talking)
        await ask_on(link, f"api uuid_kill {caller} NORMAL_CLEARING")
        for uuid in (caller, UUIDS["callee"]):
            await becomes(lambda uuid=uuid: has_ended(uuid))  # type: ignore[misc]


def records_in(folder: Path) -> dict[str, Record]:
    """The records of the three legs of the story, by what they are."""
    all_of = [json.loads(file.read_text("utf-8")) for file in folder.glob("*.cdr.json")]
    by_uuid = {record["variables"]["uuid"]: record for record in all_of}
    [caller] = [
        record for record in all_of
        if (record["variables"]["direction"], record["variables"].get("sip_to_user")) == ("inbound", DIALLED)
    ]  # fmt: skip
    return {"caller": caller, **{name: by_uuid[uuid] for name, uuid in UUIDS.items()}}


async def on_freeswitch(program: Path, folder: Path) -> dict[str, Record]:
    node = loopback_node(folder, esl_password="for-tests", name="m1", call_records=folder / "records")
    async with Supervisor(print_line) as supervisor:
        await supervisor.start(freeswitch_child(program, node))
        here = f"127.0.0.1:{node.sip_port}"
        async with NodeLink(node) as link:
            settings = f"{{origination_caller_id_number={CALLER}}}"
            await ask_on(link, f"bgapi originate {settings}sofia/internal/sip:{DIALLED}@{here} &park()")
        await drive(node, here)
    assert Path(folder, "records").stat().st_mode & 0o077 == 0
    return records_in(folder / "records")


async def on_emulator(like: MediaNode, folder: Path) -> dict[str, Record]:
    node = Node(RealClock(), name="m1", door=Door("inbound", 10), recorder=write_details(folder))
    plans = {CALLEE: CalleePlan(after_answer=(Wait(60),)), BUSY: CalleePlan(then=Then.BUSY)}
    node.far_ends = Cast(node, Scenario(callees=plans)).take_invite
    server = Server(node, LinkRules(password="for-tests"))
    port = await server.start()
    try:
        node.ring(CALLER, DIALLED)
        await drive(replace(like, esl_port=port), "192.0.2.9")
    finally:
        await server.stop()
    return records_in(folder)


def shape_of(value: Any, path: str = "") -> set[tuple[str, str]]:
    """Every place in a record and what is there; the names of variables are not its shape."""
    if isinstance(value, dict) and path != "/variables":
        return {(path, "object")}.union(*(shape_of(inner, f"{path}/{name}") for name, inner in value.items()))
    if isinstance(value, list):
        return {(path, "list")}.union(*(shape_of(inner, f"{path}/-") for inner in value))
    return {(path, type(value).__name__)}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(
    freeswitch_program: Path, node_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Record], dict[str, Record]]:
    folder = tmp_path_factory.mktemp("emulator")
    like = loopback_node(folder, esl_password="for-tests")
    return await on_freeswitch(freeswitch_program, node_folder), await on_emulator(like, folder)


def test_the_emulator_leaves_records_like_those_of_a_real_node(
    both: tuple[dict[str, Record], dict[str, Record]],
) -> None:
    real, ours = both
    for name in ("caller", "callee", "busy"):
        assert shape_of(ours[name]) - shape_of(real[name]) == set()
        told = [{key: record["variables"].get(key) for key in READ} for record in (ours[name], real[name])]
        assert told[0] == told[1], name
        for record in (ours[name], real[name]):
            began, answered, ended = (int(record["variables"][f"{key}_uepoch"]) for key in ("start", "answer", "end"))
            assert 1_700_000_000_000_000 < began <= ended
            assert answered == 0 if name == "busy" else began <= answered <= ended
            assert record["variables"]["uuid"] == record["callflow"][0]["caller_profile"]["uuid"]
            assert record["variables"]["sip_call_id"]
            assert record["switchname"] == "m1"
            assert len(record["core-uuid"]) == 36
    assert real["caller"]["variables"]["caller_id"] == ours["caller"]["variables"]["caller_id"]


def test_the_ledger_reads_both(both: tuple[dict[str, Record], dict[str, Record]], tmp_path: Path) -> None:
    for name, records in zip(("real", "ours"), both, strict=True):
        folder = tmp_path / "run" / "node" / name
        folder.mkdir(parents=True)
        for record in records.values():
            (folder / f"{record['variables']['uuid']}.cdr.json").write_text(json.dumps(record) + "\n")
    read = read_node_records(tmp_path / "run")
    assert read.broken == ()
    parties = {
        "caller": (True, CALLER, DIALLED),
        "callee": (False, CALLER, CALLEE),
        "busy": (False, "0000000000", BUSY),
    }
    legs = {(leg.node, leg.uuid): (leg.is_inbound, leg.from_number, leg.to_number) for leg in read.legs}
    assert legs == {
        (name, record["variables"]["uuid"]): parties[who]
        for name, records in zip(("real", "ours"), both, strict=True)
        for who, record in records.items()
    }
