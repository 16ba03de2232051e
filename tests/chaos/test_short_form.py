"""The short form of `make chaos`: a sample of everything that can break, and the ledger balances."""

from __future__ import annotations

import asyncio
import json
import os
import sys

import pytest

from tests.chaos.faults import SHORT

SLOW = "2"  # everything else is tested on this machine, too, perhaps at the same time


@pytest.mark.timeout(600)
async def test_ledgers_balance_whatever_breaks() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.chaos", "--short", "--json",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env={**os.environ, "CHAOS_SLOW": SLOW},
    )  # fmt: skip
    out, problems = await process.communicate()
    lines = [json.loads(line) for line in out.splitlines()]
    unbalanced = [line for line in lines if not line["balanced"]]
    assert (process.returncode, unbalanced) == (0, []), problems.decode()
    assert len(lines) >= len(SHORT) / 2
