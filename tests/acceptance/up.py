"""`callplane up` as a person starts it: one process with everything, and the operator's commands beside it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from controlplane.cli.processes import Child, Supervisor

_PROGRAM = (sys.executable, "-m", "controlplane.cli")


@dataclass(slots=True)
class Up:
    """What runs. `url` is what its line `ready http://…` said; `lines` are all that it printed."""

    data: Path
    is_emulated: bool
    url: str = ""
    lines: list[str] = field(default_factory=list)

    def take(self, _name: str, line: str) -> None:
        self.lines.append(line)
        if line.startswith("ready "):
            self.url = line.removeprefix("ready ")

    async def command(self, *arguments: str) -> dict[str, Any]:
        """What `callplane … --json` answers on this data folder."""
        process = await asyncio.create_subprocess_exec(
            *_PROGRAM, *arguments, "--json", env={**os.environ, "CALLPLANE_DATA": str(self.data)},
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, _ = await process.communicate()
        assert process.returncode == 0, arguments
        facts: dict[str, Any] = json.loads(out)
        return facts


@asynccontextmanager
async def running_up(data: Path, freeswitch: str, environment: Mapping[str, str]) -> AsyncIterator[Up]:
    """`callplane up --freeswitch …` on a free port and a database of its own, while the block runs."""
    up = Up(data, is_emulated=freeswitch == "emulator")

    async def is_ready() -> bool:
        return bool(up.url)

    argv = (*_PROGRAM, "up", "--port", "0", "--data", str(data), "--freeswitch", freeswitch)
    child = Child("up", argv, environment, probe=is_ready, ready_within_s=90, stop_within_s=30)
    try:
        async with Supervisor(up.take) as supervisor:
            await supervisor.start(child)
            yield up
    except BaseException:
        print(*up.lines, sep="\n")
        raise
