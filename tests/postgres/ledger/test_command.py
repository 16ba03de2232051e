"""The ledger as a command: one line, an exit status, and nothing of the engine in it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import Any

from tests.postgres.ledger.cast import PLACED, TALKS
from tests.postgres.ledger.conftest import Emulated
from tests.postgres.ledger.scene import Scene

_LOADED = """
import sys, tests.chaos.ledger.__main__
print(*sorted(name for name in sys.modules if name.startswith(("controlplane", "tests.chaos"))), sep="\\n")
"""


async def run(scene: Scene, url: str, emulated: Emulated, *more: str) -> tuple[int, dict[str, Any]]:
    """The command's exit status, and the line that it printed."""
    scene.write()
    at = emulated.address
    node = f"{at.name}={at.host}:{at.port}:{at.password}"
    argv = ("-m", "tests.chaos.ledger", str(scene.folder), "--database", url, "--node", node, *more)
    process = await asyncio.create_subprocess_exec(sys.executable, *argv, stdout=subprocess.PIPE)
    out, _ = await process.communicate()
    assert out.count(b"\n") == 1
    assert process.returncode is not None
    return process.returncode, json.loads(out)


async def test_a_run_that_balances_is_one_line_and_status_0(scene: Scene, filled_url: str, emulated: Emulated) -> None:
    scene.webhooks += [line | {"at": line["at"] + 60} for line in scene.events(TALKS)[:2]]
    assert await run(scene, filled_url, emulated, "--look-s", "0.01") == (
        0,
        {
            "run": "made-up", "balanced": True, "calls": 4, "answered": 4, "refused": 1, "lost_with_node": 1,
            "ended_unseen": 0, "duplicates": 2, "problems": [],
        },
    )  # fmt: skip


async def test_a_run_that_does_not_is_status_1_and_says_why(scene: Scene, filled_url: str, emulated: Emulated) -> None:
    scene.dialogs[PLACED]["ended_at"] += 3
    status, line = await run(scene, filled_url, emulated, "--rest-s", "0")
    assert (status, line["balanced"]) == (1, False)
    assert [(problem["check"], problem["call"]) for problem in line["problems"]] == [
        ("durations-differ", scene.calls[PLACED]),
        ("durations-differ", scene.calls[PLACED]),
    ]
    assert "lasted 10.00 s" in line["problems"][0]["told"]


async def test_what_cannot_be_looked_at_is_status_2(scene: Scene, filled_url: str, emulated: Emulated) -> None:
    scene.dialogs[TALKS]["invited_at"] = None
    status, line = await run(scene, filled_url, emulated, "--rest-s", "0")
    assert status == 2
    assert line["balanced"] is False
    assert "callers.jsonl" in line["could_not_look"]


def test_nothing_of_the_engine_or_of_the_harness_is_in_it() -> None:
    loaded = subprocess.run([sys.executable, "-c", _LOADED], capture_output=True, text=True, check=True).stdout.split()
    assert "tests.chaos.ledger.checks" in loaded
    assert [name for name in loaded if not name.startswith("tests.chaos.ledger") and name != "tests.chaos"] == []
