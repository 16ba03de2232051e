"""Load by SIPp: callers who ring at a pace, listen, and are hung up on; what they saw is their own measure."""

from __future__ import annotations

import asyncio
import csv
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.measurement import Skipped
from controlplane.cli.ports import free_port
from controlplane.render import MediaNode

SCENARIO = Path(__file__).parent / "sipp" / "caller.xml"
LAST_CALL_S = 30  # how long the last of them may take


@dataclass(frozen=True, slots=True)
class Load:
    """What callers met with. `answered_ms` are times from INVITE to 200, `lasted_ms` from there to the BYE.

    `took_s` is of the whole load.
    """

    calls: int
    failed: int
    answered_ms: list[float]
    lasted_ms: list[float]
    took_s: float

    @property
    def failed_part(self) -> float:
        """Between 0 and 1."""
        return self.failed / max(1, self.calls)


def sipp() -> str:
    """The program. Raises Skipped."""
    program = shutil.which("sipp")
    if program is None:
        raise Skipped("needs SIPp: apt-get install sip-tester")
    return program


async def call(node: MediaNode, number: str, *, calls: int, per_s: float, ear: int = 9) -> Load:
    """Have so many callers ring at a pace. Their audio goes to the UDP port `ear` (9: nobody's)."""
    with tempfile.TemporaryDirectory(prefix="callplane-sipp-") as folder:
        began_s = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            sipp(), f"{node.sip_address}:{node.sip_port}", "-sf", str(SCENARIO), "-s", number, "-r", f"{per_s:g}",
            "-m", str(calls), "-l", str(calls), "-i", "127.0.0.1", "-p", str(free_port()), "-key", "ear", str(ear),
            "-nostdin", "-timeout", str(int(calls / per_s) + LAST_CALL_S), "-recv_timeout", "20000", "-nd",
            "-trace_rtt", "-rtt_freq", "1", "-trace_stat", "-stf", "stat.csv", "-fd", "1",
            "-trace_err", "-error_file", "errors.log", "-buff_size", "1048576",
            cwd=folder, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        await process.wait()
        return _read(Path(folder), calls, time.monotonic() - began_s)


def _read(folder: Path, wanted: int, took_s: float) -> Load:
    with (folder / "stat.csv").open() as file:
        last = list(csv.DictReader(file, delimiter=";"))[-1]
    successful = int(last["SuccessfulCall(C)"])
    times_ms: dict[str, list[float]] = {"1": [], "2": []}  # by what caller.xml calls them
    for path in folder.glob("*_rtt.csv"):
        for row in (line.split(";") for line in path.read_text().splitlines()[1:]):
            if len(row) > 2:
                times_ms[row[2]].append(float(row[1]))
    return Load(wanted, wanted - successful, times_ms["1"], times_ms["2"], took_s)
