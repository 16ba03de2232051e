"""`callplane simulate`: one scenario file, on the emulator or, by telephones, on a real FreeSWITCH."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.application import Application
from tests.acceptance.platform import PROGRAM

PAGES = {
    "/": """<Response>
        <Gather numDigits="1" action="/got" timeout="10"><Say>Please press any key that you like.</Say></Gather>
    </Response>""",
    "/got": """<Response>
        <Say>Speak after the tone.</Say><Record action="/kept" maxLength="20" finishOnKey="#" trim="do-not-trim"/>
    </Response>""",
    "/kept": "<Response><Say>Your message was recorded.</Say></Response>",
}
SCENARIO = """
callers:
  - from: "+15550001111"
    to: "+15550002222"
    script:
      - hear: please press
      - wait_s: 3
      - press: "7"
      - hear: beep
      - wait_s: 1
      - say: this is my message
        seconds: 2
      - press: "#"
      - hear: was recorded
      - expect_end: {cause: NORMAL_CLEARING}
"""
HEARD = ["Please press any key that you like.", "Speak after the tone.", "beep", "Your message was recorded."]


async def simulated(folder: Path, url: str, *options: str) -> dict[str, Any]:
    """What the command says of the scenario, in JSON."""
    (folder / "scenario.yaml").write_text(SCENARIO)
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, "simulate", folder / "scenario.yaml", "--app", f"{url}/", "--json", *options,
        env={**os.environ, "CALLPLANE_DATA": str(folder)}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate()
    facts: dict[str, Any] = json.loads(output)
    assert process.returncode == 0, facts
    return facts


def must_have_heard_it_all(facts: dict[str, Any]) -> None:
    (caller,) = facts["parties"]
    assert [one["what"] for one in caller["heard"] if one["what"] != "silence"] == HEARD
    assert (caller["ended"], caller["problems"]) == ("NORMAL_CLEARING", [])
    (call,) = facts["calls"]
    assert call["timeline"][-1]["text"] == "the call is over: completed (normal-clearing)"


async def test_a_scenario_is_performed_on_a_clock_that_jumps(tmp_path: Path) -> None:
    application = Application(PAGES, "simulation")
    try:
        facts = await simulated(tmp_path, application.url)
    finally:
        application.close()

    must_have_heard_it_all(facts)
    assert [(one.path, one.parameters.get("Digits"), one.is_signed) for one in application.log] == [
        ("/", None, True),
        ("/got", "7", True),
        ("/kept", "#", True),
    ]


@pytest.mark.freeswitch
@pytest.mark.timeout(120)
async def test_the_same_scenario_is_performed_on_a_real_freeswitch(tmp_path: Path, freeswitch_program: Path) -> None:
    application = Application(PAGES, "simulation")
    try:
        facts = await simulated(tmp_path, application.url, "--freeswitch")
    finally:
        application.close()

    must_have_heard_it_all(facts)
