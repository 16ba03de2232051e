"""Clients that nobody here wrote, over TCP in real time: greenswitch, and FreeSWITCH's own fs_cli."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from controlplane.emulator.clock import RealClock
from controlplane.emulator.node import Node
from controlplane.emulator.parties import Cast
from controlplane.emulator.scenarios import CalleePlan, Scenario, Wait
from controlplane.emulator.server import Server
from tests.unit.emulator.conftest import MakeSound


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A node on a port of this machine, with an agent who answers at once."""
    node = Node(RealClock())
    plan = CalleePlan(ring_s=0.1, after_answer=(Wait(30),))
    node.far_ends = Cast(node, Scenario(callees={"agent": plan})).take_invite
    server = Server(node)
    yield await server.start()
    await server.stop()


async def run(*command: str) -> str:
    """Run a program and answer what it printed."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()


async def test_greenswitch_signs_in_subscribes_dials_plays_and_hangs_up(port: int, make_sound: MakeSound) -> None:
    program = str(Path(__file__).with_name("greenswitch_client.py"))
    told = json.loads(await run(sys.executable, program, "127.0.0.1", str(port), make_sound("short", 100)))
    assert told == {
        "subscribed": "+OK event listener enabled plain",
        "job": "+OK Job-UUID:",
        "seen": [
            "BACKGROUND_JOB",
            "CHANNEL_PARK",
            "CHANNEL_EXECUTE_COMPLETE FILE PLAYED",
            "CHANNEL_EXECUTE_COMPLETE _none_",
            "CHANNEL_EXECUTE_COMPLETE _none_",
            "CHANNEL_HANGUP_COMPLETE",
        ],
        "status": "UP",
    }


@pytest.mark.skipif(shutil.which("fs_cli") is None, reason="fs_cli is not installed (it comes with FreeSWITCH)")
async def test_fs_cli_asks_for_the_status(port: int) -> None:
    answer = await run("fs_cli", "-H", "127.0.0.1", "-P", str(port), "-p", "ClueCon", "-x", "status")
    assert "is ready\n0 session(s) since startup" in answer
