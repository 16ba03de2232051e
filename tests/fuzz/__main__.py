"""Fuzz for longer than the tests do: `python -m tests.fuzz --minutes 30 [--target NAME] [--keep]`.

The time is shared among the targets. What took new branches goes into the corpus with `--keep`; an input that something
is wrong with is kept in any case, so that the tests fail until it is mended, and the exit status is 1. `--examples N`
asks the API, too, on a real PostgreSQL: so many requests made up from its OpenAPI description. `--every-cut` cuts every
frame that was ever recorded at each of its bytes (an hour).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time

from tests.fuzz.guided import Found, Target, fuzz_for
from tests.fuzz.recutting import all_streams, cut_everywhere
from tests.fuzz.targets import TARGETS

_API = "tests/postgres/api/test_fuzz.py"


def main() -> int:
    """Fuzz, and print a JSON line a target."""
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    asked.add_argument("--minutes", type=float, default=1.0)
    asked.add_argument("--target", choices=sorted(TARGETS), action="append")
    asked.add_argument("--seed", type=int, default=time.time_ns() % 2**32)
    asked.add_argument("--keep", action="store_true")
    asked.add_argument("--examples", type=int, default=0)
    asked.add_argument("--every-cut", action="store_true")
    given = asked.parse_args()
    targets = [TARGETS[name] for name in given.target or TARGETS]
    is_well = [_fuzz(target, given.minutes * 60 / len(targets), given.seed, keep=given.keep) for target in targets]
    if given.examples:
        is_well.append(_ask_api(given.examples))
    if given.every_cut:
        print(json.dumps({"target": "every cut", "runs": cut_everywhere(all_streams())}), flush=True)
    return int(not all(is_well))


def _fuzz(target: Target, seconds: float, seed: int, *, keep: bool) -> bool:
    try:
        session = fuzz_for(target, seconds, seed=seed)
    except Found as found:
        path = target.keep(found.data)
        print(json.dumps({"target": target.name, "seed": seed, "found": str(found), "kept": path.name}), flush=True)
        return False
    told = {"target": target.name, "seed": seed, "runs": session.runs, "fresh": len(session.fresh)}
    print(json.dumps({**told, "edges": len(session.coverage.edges)}), flush=True)
    for data in session.fresh if keep else ():
        target.keep(data)
    return True


def _ask_api(examples: int) -> bool:
    environment = {**os.environ, "CALLPLANE_FUZZ_EXAMPLES": str(examples)}
    return subprocess.run([sys.executable, "-m", "pytest", "-q", _API, "--timeout=0"], env=environment).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
