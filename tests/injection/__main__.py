"""`python -m tests.injection`: attempts on a real FreeSWITCH. Its last line says how many, and how many canaries sang.

--all            every attempt in every place; else 3 in each
--each N         so many in each place
--places GLOB    only these places (may be given again), such as 'twiml Dial*' or 'INVITE *' or 'api *'
--lanes N        so many calls at once
--json           the last line as JSON, problems and canaries before it on the error output
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

from controlplane.cli.freeswitch import find_freeswitch
from controlplane.settings import Settings
from controlplane.store import embedded
from tests.injection.run import Report, Wanted, run_all


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.injection", description=__doc__)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--each", type=int, default=3)
    parser.add_argument("--places", action="append")
    parser.add_argument("--lanes", type=int, default=16)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    program = find_freeswitch()
    if program is None:
        print("needs a real FreeSWITCH: put `freeswitch` on the PATH or name it in CALLPLANE_FREESWITCH")
        return 2
    wanted = Wanted(None if asked.all else asked.each, tuple(asked.places or ("*",)), asked.lanes)
    with tempfile.TemporaryDirectory(prefix="cpi-") as name:
        report = _run(Path(name), program, wanted)
    _show(report, as_json=asked.json)
    return 0 if report.is_well else 1


def _run(folder: Path, program: Path, wanted: Wanted) -> Report:
    given = Settings().database_url
    if given is not None:
        return asyncio.run(run_all(folder, given.get_secret_value(), program, wanted, _tell))
    server = embedded.start(folder / "postgres", is_durable=False)
    try:
        return asyncio.run(run_all(folder, server.url, program, wanted, _tell))
    finally:
        server.stop()


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _show(report: Report, *, as_json: bool) -> None:
    for name, counts in sorted(report.outcomes.by_place.items()):
        _tell(f"{name}: {', '.join(f'{count} {outcome}' for outcome, count in counts.most_common(6))}")
    for name, sings in report.controls.items():
        _tell(f"control {name}: {'fired' if sings else 'DID NOT FIRE'}")
    for problem in report.outcomes.problems:
        _tell(f"PROBLEM {problem}")
    for complaint in report.complaints[:50]:
        _tell(f"LOG {complaint}")
    for canary in report.sung:
        _tell(f"CANARY {canary}")
    facts = report.facts()
    print(json.dumps(facts) if as_json else ", ".join(f"{name} {value}" for name, value in facts.items()))


if __name__ == "__main__":
    sys.exit(main())
