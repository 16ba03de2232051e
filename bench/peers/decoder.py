"""Genesis in a process of its own, on an environment of its own: `deploy/scripts/bench_peers.sh` makes that."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.measurement import Skipped

WORKER = Path(__file__).parent / "genesis_worker.py"
INTERPRETER = Path(sys.prefix) / "peers" / "genesis" / "bin" / "python"


@dataclass(slots=True)
class Genesis:
    """The running worker."""

    process: subprocess.Popen[str]

    def round_s(self, headers: Sequence[str] | None, count: int) -> float:
        """Decode the stream once and read these headers of each event; answers the CPU time."""
        seconds, found = self._ask(headers)
        assert found == count, f"Genesis found {found} events of {count}"
        return float(seconds)

    def values(self, headers: Sequence[str]) -> list[list[str | None]]:
        """These headers of all events."""
        values: list[list[str | None]] = self._ask({"values": headers})
        return values

    def _ask(self, question: object) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@contextmanager
def running_genesis(stream: bytes) -> Iterator[Genesis]:
    """The worker with a stream of events. Raises Skipped where Genesis is not installed."""
    if not INTERPRETER.exists():
        raise Skipped("Genesis is not installed: deploy/scripts/bench_peers.sh")
    with tempfile.TemporaryDirectory(prefix="callplane-bench-") as folder:
        path = Path(folder) / "stream"
        path.write_bytes(stream)
        process = subprocess.Popen(  # noqa: S603 - our own arguments
            [str(INTERPRETER), "-P", str(WORKER), str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            yield Genesis(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait()
