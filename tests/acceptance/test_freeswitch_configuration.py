"""Our configuration on a real FreeSWITCH: it is accepted, parks every call at the door, and starts no programs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from controlplane.cli.freeswitch import AlreadyRunning, NodeLink, freeswitch_child
from controlplane.esl.commands import Command
from controlplane.render import MediaNode

pytestmark = [pytest.mark.freeswitch, pytest.mark.asyncio(loop_scope="module")]

SCENARIOS = Path(__file__).parent / "sipp"


async def ask(node: MediaNode, text: str) -> str:
    """Send a command that the builder would refuse, too."""
    async with NodeLink(node) as link:
        frame = await link.ask(Command("any", f"{text}\n\n".encode()))
        return frame.text or frame.reply_text


async def channels(node: MediaNode) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = json.loads(await ask(node, "api show channels as json")).get("rows", [])
    return rows


async def start_caller(
    sipp: Path, node: MediaNode, scenario: str, number: str, folder: Path
) -> asyncio.subprocess.Process:
    """One call by SIPp from loopback; its exit code is 0 if the call went as the scenario says."""
    return await asyncio.create_subprocess_exec(
        sipp, f"{node.sip_address}:{node.sip_port}", "-sf", SCENARIOS / f"{scenario}.xml", "-m", "1", "-i", "127.0.0.1",
        "-s", number, "-nostdin", "-timeout", "20", "-timeout_error", "-trace_err",
        "-error_file", folder / "sipp.log", cwd=folder,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip


async def parked(node: MediaNode, number: str) -> dict[str, str]:
    """Wait for the call to this number that is parked."""
    async with asyncio.timeout(5):
        while not (
            rows := [row for row in await channels(node) if (row["dest"], row["application"]) == (number, "park")]
        ):
            await asyncio.sleep(0.02)
    return rows[0]


async def test_the_configuration_is_accepted_without_a_complaint(media_node: MediaNode) -> None:
    log = Path(media_node.folders.log, "freeswitch.log").read_text()
    assert [line for line in log.splitlines() if "MSG Thread" not in line] == []


async def test_what_is_configured_holds(media_node: MediaNode) -> None:
    assert (await ask(media_node, "api fsctl max_sessions")).strip() == "+OK max sessions: 2000"
    assert (await ask(media_node, "api fsctl sps")).strip() == "+OK sessions per second: 200"
    assert (await ask(media_node, "api global_getvar recordings_dir")) == media_node.folders.recordings


async def test_a_call_that_nobody_claims_is_parked_and_ends_with_the_watchdogs_cause(
    media_node: MediaNode, sipp: Path, tmp_path: Path
) -> None:
    caller = await start_caller(sipp, media_node, "nobody_claims", "+15550002001", tmp_path)
    row = await parked(media_node, "+15550002001")
    assert (row["direction"], row["dest"], row["context"]) == ("inbound", "+15550002001", "door")
    assert await ask(media_node, f"api uuid_getvar {row['uuid']} callplane_door") == "inbound"
    assert await caller.wait() == 0, (tmp_path / "sipp.log").read_text()


async def test_cancelling_the_watchdog_claims_the_call(media_node: MediaNode, sipp: Path, tmp_path: Path) -> None:
    caller = await start_caller(sipp, media_node, "rejected_as_busy", "+15550002002", tmp_path)
    uuid = (await parked(media_node, "+15550002002"))["uuid"]
    assert (await ask(media_node, f"api sched_del {uuid}")).startswith("+OK")
    await asyncio.sleep(
        media_node.door_watchdog_s + 1.5
    )  # real time: tasks that were deleted may still be listed by `show tasks`
    assert await ask(media_node, f"api uuid_exists {uuid}") == "true"
    await ask(media_node, f"api uuid_kill {uuid} USER_BUSY")
    assert await caller.wait() == 0, (tmp_path / "sipp.log").read_text()


@pytest.mark.parametrize("command", ["system", "bg_system", "spawn", "bg_spawn", "spawn_stream"])
async def test_no_api_starts_a_program(media_node: MediaNode, tmp_path: Path, command: str) -> None:
    answer = await ask(media_node, f"api {command} touch {tmp_path}/made")
    assert answer.strip() == f"-ERR {command} Command not found!"
    assert list(tmp_path.iterdir()) == []


async def test_no_argument_runs_an_api(media_node: MediaNode, sipp: Path, tmp_path: Path) -> None:
    caller = await start_caller(sipp, media_node, "rejected_as_busy", "+15550002003", tmp_path)
    uuid = (await parked(media_node, "+15550002003"))["uuid"]
    message = f"sendmsg {uuid}\ncall-command: execute\nexecute-app-name: set\nevent-lock: true\nexecute-app-arg: "
    await ask(media_node, f"{message}first=${{system(touch {tmp_path}/made)}} ${{version()}}")
    await ask(media_node, f"api uuid_setvar {uuid} stored ${{global_getvar(core_uuid)}}")
    await ask(media_node, f"{message}second=${{stored}}")
    async with asyncio.timeout(5):
        while (second := await ask(media_node, f"api uuid_getvar {uuid} second")) == "_undef_":
            await asyncio.sleep(0.02)
    denied = "<API Execute Permission Denied>"
    assert await ask(media_node, f"api uuid_getvar {uuid} first") == f"{denied} {denied}"
    assert second == denied
    assert not (tmp_path / "made").exists()
    await ask(media_node, f"api uuid_kill {uuid} USER_BUSY")
    assert await caller.wait() == 0, (tmp_path / "sipp.log").read_text()


async def test_a_second_one_in_the_same_folder_is_refused(media_node: MediaNode, freeswitch_program: Path) -> None:
    pid = Path(media_node.folders.run, "freeswitch.pid").read_text().strip()
    with pytest.raises(AlreadyRunning, match=f"kill {pid}"):
        freeswitch_child(freeswitch_program, media_node)
