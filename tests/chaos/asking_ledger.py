"""The ledger, asked about a run: a program of its own, which is ended if it takes too long."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

LEDGER = (sys.executable, "-m", "tests.chaos.ledger")


async def ask_ledger(
    folder: Path, *, database: str, nodes: Mapping[str, str], rest_s: float, within_s: float, spool: Path | None = None
) -> dict[str, Any]:
    """Hold a run's sources against each other; answers the ledger's line. `nodes` are host:port:password by name."""
    argv = [*LEDGER, str(folder), "--database", database, "--rest-s", str(rest_s)]
    for name, address in nodes.items():
        argv += ["--node", f"{name}={address}"]
    if spool is not None:
        argv += ["--spool", str(spool)]
    process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    out = b""
    with suppress(TimeoutError):
        out, _ = await asyncio.wait_for(process.communicate(), within_s)
    if process.returncode is None:
        process.kill()
        await process.wait()
    try:
        line: dict[str, Any] = json.loads(out)
    except ValueError:
        return {"balanced": False, "problems": [{"check": "ledger", "call": None, "told": "the ledger said nothing"}]}
    return line
