"""`python -m tests.chaos`: break the platform under load, and see whether the ledger balances.

    python -m tests.chaos                              one run of each fault
    python -m tests.chaos --fault 'kill-*' --runs 20   the long form, of some faults
    python -m tests.chaos --list                       every fault

Exit status 0 if every ledger balanced, 1 if not, 2 if there was nothing to do.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from controlplane.cli.freeswitch import find_freeswitch
from tests.chaos.faults import FAULTS
from tests.chaos.freeswitch_node import FreeswitchNode
from tests.chaos.nodes import ChaosNode, EmulatorNode
from tests.chaos.report import table
from tests.chaos.runs import Wish, run_once
from tests.chaos.site import FAKETIME, Site, running_site


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__.partition("\n")[0])
    parser.add_argument("--fault", action="append", metavar="NAME", help="which, * and ? allowed; may be repeated")
    parser.add_argument(
        "--others", choices=("second", "restart"), help="only with another call server, or only without"
    )
    parser.add_argument("--runs", type=int, default=1, help="how often each")
    parser.add_argument("--calls", type=int, default=8, help="how many calls beside the marked one")
    parser.add_argument("--node", choices=("emulator", "freeswitch"), default="emulator")
    parser.add_argument("--long", action="store_true", help="faults last as long as the plan has it (60 s)")
    parser.add_argument("--rest-s", type=float, default=60, help="how long everything may take to come to rest")
    parser.add_argument("--json", action="store_true", help="only the lines, no progress and no table")
    parser.add_argument("--keep", type=Path, help="where runs are kept; else only those that did not balance, in /tmp")
    parser.add_argument("--list", action="store_true", help="tell the faults")
    return parser.parse_args()


def _wishes(given: argparse.Namespace) -> list[Wish]:
    patterns = given.fault or ["*"]
    chosen = [fault for name, fault in FAULTS.items() if any(fnmatchcase(name, one) for one in patterns)]
    for fault in [fault for fault in chosen if fault.has_fake_clock and FAKETIME is None]:
        print(f"{fault.name} cannot be made here: apt-get install faketime", file=sys.stderr)
        chosen.remove(fault)
    return [
        Wish(fault, others, number, given.calls, given.rest_s, given.long)
        for others in ("second", "restart")
        for fault in chosen
        if others in fault.others and given.others in (None, others)
        for number in range(1, given.runs + 1)
    ]


def _freeswitch(node: str) -> Path | None:
    """The program, None for the emulator. Raises SystemExit if it is asked for and not there."""
    if node == "emulator":
        return None
    program = find_freeswitch(os.environ.get("CALLPLANE_FREESWITCH"))
    if program is None or shutil.which("sipp") is None:
        raise SystemExit("needs a freeswitch on the PATH (or in CALLPLANE_FREESWITCH), and sipp")
    return program


class Sites:
    """The site of the next run: the last one, unless it did not balance."""

    def __init__(self, folder: Path, freeswitch: Path | None, stack: AsyncExitStack) -> None:
        self._folder, self._freeswitch, self._outer = folder, freeswitch, stack
        self._count = 0
        self._stack: AsyncExitStack | None = None
        self._site: Site | None = None

    async def site(self) -> Site:
        if self._site is None:
            self._count += 1
            folder = self._folder / f"site-{self._count}"
            folder.mkdir()
            self._stack = await self._outer.enter_async_context(AsyncExitStack())
            self._site = await self._stack.enter_async_context(running_site(folder, self._node(folder)))
        return self._site

    async def leave(self) -> None:
        """Let the site go: nobody knows what is left in it."""
        if self._stack is not None:
            await self._stack.aclose()
        self._site = self._stack = None

    def _node(self, folder: Path) -> ChaosNode:
        if self._freeswitch is None:
            return EmulatorNode(folder / "node")
        return FreeswitchNode(folder / "node", folder, self._freeswitch)


async def _run_all(wishes: Sequence[Wish], given: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    async with AsyncExitStack() as stack:
        sites = Sites(folder, _freeswitch(given.node), stack)
        for wish in wishes:
            site = await sites.site()
            line = await run_once(site, wish, folder / wish.name)
            lines.append(line)
            print(json.dumps(line), flush=True)
            if line["balanced"]:
                await site.database.empty()
                if given.keep is None:
                    shutil.rmtree(folder / wish.name)
            else:
                print(f"unbalanced: {folder / wish.name}", file=sys.stderr, flush=True)
                await sites.leave()
            if not given.json:
                done = f"{len(lines)} of {len(wishes)}, {sum(1 for one in lines if not one['balanced'])} unbalanced"
                print(f"{time.strftime('%H:%M:%S')} {done}", file=sys.stderr, flush=True)
    return lines


def main() -> int:
    """Run what is asked for; answers the exit status."""
    given = _arguments()
    if given.list:
        print(*(f"{fault.name:20} {', '.join(fault.others)}" for fault in FAULTS.values()), sep="\n")
        return 0
    wishes = _wishes(given)
    if not wishes:
        print("no such fault: --list tells them", file=sys.stderr)
        return 2
    folder = Path(tempfile.mkdtemp(prefix="callplane-chaos-")) if given.keep is None else given.keep.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # as root the database runs as another user
    lines = asyncio.run(_run_all(wishes, given, folder))
    if not given.json:
        print(table(lines), file=sys.stderr)
    is_balanced = all(line["balanced"] for line in lines)
    if is_balanced and given.keep is None:
        shutil.rmtree(folder)
    return 0 if is_balanced else 1


if __name__ == "__main__":
    sys.exit(main())
