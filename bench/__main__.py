"""Run every measurement of this folder: each module that has `measure`, in the order of names."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path

from bench.measurement import print_all


def main(wanted: list[str]) -> None:
    """Run all, or those named."""
    for module in sorted(found.name for found in pkgutil.iter_modules([str(Path(__file__).parent)])):
        if module in ("__main__", "measurement") or (wanted and module not in wanted):
            continue
        measure = getattr(importlib.import_module(f"bench.{module}"), "measure", None)
        if measure is not None:
            print_all(measure())


main(sys.argv[1:])
