"""What many runs come to: a table for people."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_HEAD = ("fault", "others", "node", "runs", "balanced", "unbalanced", "takeover p50 ms", "p95 ms")


def table(lines: Iterable[Mapping[str, Any]]) -> str:
    """One row a fault and company, the sums below; columns stand under each other."""
    kinds: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for line in lines:
        kinds.setdefault((line["fault"], line["others"], line["node"]), []).append(line)
    rows = [_HEAD, *(_row(kind, some) for kind, some in kinds.items())]
    rows.append(_row(("all", "", ""), [line for some in kinds.values() for line in some]))
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def _row(kind: tuple[str, str, str], lines: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    balanced = sum(1 for line in lines if line["balanced"])
    times = sorted(line["takeover_ms"] for line in lines if line["takeover_ms"] is not None)
    shown = tuple("" if not times or not kind[1] else str(percentile(times, part)) for part in (50, 95))
    return (*kind, str(len(lines)), str(balanced), str(len(lines) - balanced), *shown)


def percentile(ordered: Sequence[int], part: int) -> int:
    """The nearest-rank percentile of what is in order."""
    return ordered[max(0, math.ceil(len(ordered) * part / 100) - 1)]
