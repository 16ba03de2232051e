"""Run every measurement of this folder: each module that has `measure`, in the order of names.

Measured values go to the standard output; what was passed over and why, how long each module took, and in the end a
table for people, to the other.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import time
import traceback
from pathlib import Path

from bench.measurement import Measurement, Skipped, table


def main(wanted: list[str]) -> None:
    """Run all, or those named."""
    failed: list[str] = []
    measured: list[Measurement] = []
    known = {found.name for found in pkgutil.iter_modules([str(Path(__file__).parent)]) if not found.ispkg}
    for name in sorted(known.difference({"__main__"})):
        if wanted and name not in wanted:
            continue
        measure = getattr(importlib.import_module(f"bench.{name}"), "measure", None)
        if measure is None:
            continue
        began_s = time.monotonic()
        try:
            for measurement in measure():
                print(measurement.line(), flush=True)
                measured.append(measurement)
        except Skipped as reason:
            print(f"{name}: passed over: {reason}", file=sys.stderr, flush=True)
        except Exception as error:
            # The others can be measured all the same.
            traceback.print_exception(error)
            failed.append(name)
        print(f"{name}: {time.monotonic() - began_s:.0f} s", file=sys.stderr, flush=True)
    print(table(measured), file=sys.stderr, flush=True)
    if failed:
        raise SystemExit(f"not measured: {', '.join(failed)}")
    if unknown := set(wanted) - known:
        raise SystemExit(f"no such measurement: {', '.join(sorted(unknown))}")


main([name for argument in sys.argv[1:] for name in argument.replace(",", " ").split()])
