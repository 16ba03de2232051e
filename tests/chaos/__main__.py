"""`python -m tests.chaos`: break the platform under load, and see whether the ledger balances.

    python -m tests.chaos                              one run of each fault
    python -m tests.chaos --short                      a sample, in less than five minutes
    python -m tests.chaos --runs 20 --long --lanes 4   the long form: hours; with --first 8 the 8th to the 20th of each
    python -m tests.chaos --fault 'kill-*' --runs 20   some faults
    python -m tests.chaos --list                       every fault

One JSON line a run: the ledger's, and what the harness saw itself. A run that does not balance leaves its folder; nor
does one balance in which the platform took longer to be whole again than it may (bounds.py; CHAOS_SLOW=2 doubles that).
Exit status 0 if every ledger balanced, 1 if not, 2 if there was nothing to do.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import shutil
import sys
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from controlplane.cli.processes import ChildEnded, NotReady
from tests.chaos.faults import FAULTS, SHORT
from tests.chaos.report import table
from tests.chaos.runs import Wish, run_once, without_evidence
from tests.chaos.signals import end_as_by_ctrl_c
from tests.chaos.sites import Sites, freeswitch_for

_LASTING_S = 20.0
SHORT_S = 230  # nothing is begun after that in the short form; a run takes less than a minute


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--fault", action="append", metavar="NAME", help="which, * and ? allowed; may be repeated")
    add("--others", choices=("second", "restart"), help="only with another call server, or only without")
    add("--runs", type=int, default=1, help="how often each")
    add("--first", type=int, default=1, help="the number of the first run of each, to go on with a long form")
    add("--short", action="store_true", help="a sample of all kinds; what there is no time for is left out and named")
    add("--long", action="store_true", help="faults last as long as the plan has it (60 s)")
    add("--lanes", type=int, default=1, help="how many runs at once, each with a platform of its own")
    add("--calls", type=int, default=8, help="how many calls beside the marked one")
    add("--node", choices=("auto", "emulator", "freeswitch"), default="auto", help="auto: FreeSWITCH if there is one")
    add("--rest-s", type=float, default=60, help="how long everything may take to come to rest")
    add("--json", action="store_true", help="only the lines, no progress and no table")
    add("--keep", type=Path, help="where all runs are kept; else those that did not balance are, in a new folder")
    add("--list", action="store_true", help="tell the faults")
    return parser.parse_args()


def _wishes(given: argparse.Namespace) -> list[Wish]:
    patterns = given.fault or ["*"]
    chosen = [name for name in FAULTS if any(fnmatchcase(name, one) for one in patterns)]
    for name in [name for name in chosen if FAULTS[name].missing_package]:
        print(f"{name} cannot be made here: apt-get install {FAULTS[name].missing_package}", file=sys.stderr)
        chosen.remove(name)
    pairs = [(name, others) for others in ("second", "restart") for name in chosen if others in FAULTS[name].others]
    if given.short:
        pairs = [pair for pair in SHORT if pair in pairs]
    return [
        Wish(FAULTS[name], others, number, given.calls, given.rest_s, given.long)
        for number in range(given.first, given.runs + 1)  # each fault before any of them once more
        for name, others in (pairs if given.short else _mixed(pairs, is_long=given.long))
        if given.others in (None, others)
    ]


def _mixed(pairs: Sequence[tuple[str, str]], *, is_long: bool) -> list[tuple[str, str]]:
    """Those that last evenly among those that do not: lanes that wait leave the machine to those that start things."""
    lasting = [pair for pair in pairs if FAULTS[pair[0]].lasts_s[is_long] >= _LASTING_S]
    others = [pair for pair in pairs if pair not in lasting]
    placed = [(place / len(some), pair) for some in (others, lasting) for place, pair in enumerate(some)]
    return [pair for _, pair in sorted(placed, key=lambda one: one[0])]


async def _run_all(wishes: Sequence[Wish], given: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """Make the runs, in as many lanes as are asked for: each has a site of its own."""
    lines: list[dict[str, Any]] = []
    waiting = deque(wishes)
    until_s = time.monotonic() + (SHORT_S if given.short else math.inf)

    async def lane(sites: Sites) -> None:
        while waiting and time.monotonic() < until_s:
            wish = waiting.popleft()
            lines.append(await _run_one(sites, wish, folder / wish.name, is_kept=given.keep is not None))
            if not given.json:
                _tell_progress(lines, len(wishes))
        await sites.leave()

    freeswitch, starting = freeswitch_for(given.node), asyncio.Lock()
    all_sites = [Sites(folder, f"site-{number}", freeswitch, starting) for number in range(1, given.lanes + 1)]
    try:
        with suppress(ChildEnded, NotReady):  # the first run tells
            for sites in all_sites:  # so much starts for a site that no run could keep its bounds beside it
                await sites.site()
        async with asyncio.TaskGroup() as lanes:
            for sites in all_sites:
                lanes.create_task(lane(sites))
    finally:
        for sites in all_sites:
            await sites.leave()
    if waiting:
        left = ", ".join(one.name for one in waiting)
        print(f"left out, as {SHORT_S} s are over: {left}", file=sys.stderr, flush=True)
    return lines


def _tell_progress(lines: Sequence[dict[str, Any]], count: int) -> None:
    unbalanced = sum(1 for one in lines if not one["balanced"])
    told = f"{len(lines)} of {count}, {unbalanced} unbalanced"
    print(f"{time.strftime('%H:%M:%S')} {told}", file=sys.stderr, flush=True)


async def _run_one(sites: Sites, wish: Wish, folder: Path, *, is_kept: bool) -> dict[str, Any]:
    try:
        site = await sites.site()
    except (ChildEnded, NotReady) as error:
        line = without_evidence(wish, sites.kind, str(error))
    else:
        line = await run_once(site, wish, folder)
    print(json.dumps(line), flush=True)
    if not line["balanced"]:
        print(f"unbalanced: {folder}", file=sys.stderr, flush=True)
        await sites.leave()
        return line
    await site.forget_calls()
    if not is_kept:
        shutil.rmtree(folder)
    return line


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
    end_as_by_ctrl_c()
    lines = asyncio.run(_run_all(wishes, given, folder))
    if not given.json:
        print(table(lines), file=sys.stderr)
    is_balanced = all(line["balanced"] for line in lines)
    if is_balanced and given.keep is None:
        shutil.rmtree(folder)
    return 0 if is_balanced else 1


if __name__ == "__main__":
    sys.exit(main())
