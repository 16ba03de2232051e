"""Real FreeSWITCH nodes: one that call servers drive, and one whose own dialplan does the same without us."""

from __future__ import annotations

import asyncio
import sys
import wave
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from xml.sax.saxutils import quoteattr

from bench.measurement import Skipped
from bench.node import PASSWORD
from bench.processes import cpu_s_of
from controlplane.cli.freeswitch import NodeLink, find_freeswitch, freeswitch_child, loopback_node
from controlplane.cli.processes import Child, Supervisor, port_answers
from controlplane.esl.commands import line
from controlplane.render import MediaNode

SESSIONS, LEGS_PER_S = 5000, 1000
RATE_HZ = 8000

Actions = tuple[tuple[str, str], ...]  # an application and its argument


@dataclass(frozen=True, slots=True)
class RealNode:
    """A running FreeSWITCH."""

    node: MediaNode
    pid: int

    @property
    def address(self) -> str:
        """Its event socket."""
        return f"{self.node.esl_address}:{self.node.esl_port}"

    def cpu_s(self) -> float:
        """CPU time it has taken."""
        return cpu_s_of(self.pid)

    async def until_idle(self) -> None:
        """Wait until no channel is left."""
        async with NodeLink(self.node) as link:
            for _ in range(300):
                if (await link.ask(line("api", "show channels count"))).text.strip().startswith("0 total"):
                    return
                await asyncio.sleep(0.1)
        raise AssertionError("channels are left on the media node")


@asynccontextmanager
async def running_node(
    folder: Path,
    name: str,
    *,
    prompts: Path | None = None,
    dialplan: Mapping[str, Actions] | None = None,
    core_database: str = "",
    gives_way: bool = False,
) -> AsyncIterator[RealNode]:
    """A node in a folder of its own, while the block runs; numbers of `dialplan` never see the door. Raises Skipped.

    One that `gives_way` runs when nobody else wants to (sched(7), SCHED_IDLE), not before everybody as it does else.
    """
    program = find_freeswitch()
    if program is None:
        raise Skipped("needs a real FreeSWITCH: put `freeswitch` on the PATH or name it in CALLPLANE_FREESWITCH")
    node = loopback_node(
        folder / name, esl_password=PASSWORD, name=name, prompts=prompts or folder / "prompts",
        recordings=folder / "recordings",
    )  # fmt: skip
    node = replace(node, session_cap=SESSIONS, leg_rate_limit=LEGS_PER_S, core_database=core_database)
    child = freeswitch_child(program, node)
    if gives_way:
        child = replace(child, argv=("chrt", "--idle", "0", *child.argv, "-np"))
    if dialplan:
        _write_dialplan(Path(node.folders.conf, "dialplan", "door.xml"), dialplan)
    async with Supervisor(lambda _name, _line: None) as supervisor:
        await supervisor.start(child)
        pid = supervisor.pid_of(child.name)
        assert pid is not None
        yield RealNode(node, pid)


@asynccontextmanager
async def running_greenswitch(port: int, file: Path) -> AsyncIterator[int]:
    """The greenswitch application as a process; answers its process id."""
    argv = (sys.executable, "-m", "bench.peers.greenswitch_worker", str(port), str(file))
    async with Supervisor(lambda _name, _line: None) as supervisor:
        await supervisor.start(Child("greenswitch", argv, probe=port_answers("127.0.0.1", port)))
        pid = supervisor.pid_of("greenswitch")
        assert pid is not None
        yield pid


def write_tone(path: Path, duration_ms: int) -> bytes:
    """Make a sound file of loud square waves, half of it at 1,000 Hz, then at 500; answers what is in it."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", "NONE"))
        high, low = ((level).to_bytes(2, "little", signed=True) for level in (12_000, -12_000))
        half = duration_ms * RATE_HZ // 1000 // 2
        file.writeframes((high * 4 + low * 4) * (half // 8) + (high * 8 + low * 8) * (half // 16))
    return path.read_bytes()


def _write_dialplan(path: Path, dialplan: Mapping[str, Actions]) -> None:
    extensions = "".join(_extension(number, actions) for number, actions in dialplan.items())
    text = path.read_text().replace('<context name="door">', f'<context name="door">{extensions}', 1)
    path.write_text(text)


def _extension(number: str, actions: Actions) -> str:
    rows = "".join(f"<action application={quoteattr(app)} data={quoteattr(data)}/>" for app, data in actions)
    digits = number.lstrip("+")
    condition = f'<condition field="destination_number" expression="^.{digits}$">{rows}</condition>'
    return f'<extension name="{digits}">{condition}</extension>'
