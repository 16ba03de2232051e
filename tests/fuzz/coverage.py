"""Which branches of some files a run takes: what coverage-guided fuzzing goes by.

From Python 3.12 on by sys.monitoring, which says nothing more of a branch that was taken both ways; before by
sys.settrace, line after line, which is some ten times slower.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, TypeAlias

Edge: TypeAlias = tuple[CodeType, int, int]  # from where to where: offsets of instructions, or lines
_TOOL = 4  # none of those that sys.monitoring names for others


@dataclass(slots=True)
class Coverage:
    """`edges` are all that were ever taken, `fresh` those since it was emptied last."""

    folders: tuple[str, ...]
    edges: set[Edge] = field(default_factory=set)
    fresh: set[Edge] = field(default_factory=set)
    _ours: dict[CodeType, bool] = field(default_factory=dict)

    def is_ours(self, code: CodeType) -> bool:
        """Whether code is of the files that count."""
        known = self._ours.get(code)
        if known is None:
            known = self._ours[code] = code.co_filename.startswith(self.folders)
        return known

    def take(self, code: CodeType, start: int, end: int) -> None:
        """One more edge."""
        edge = (code, start, end)
        if edge not in self.edges:
            self.edges.add(edge)
            self.fresh.add(edge)


@contextmanager
def covering(*modules: str) -> Iterator[Coverage]:
    """Watch these packages (`controlplane/esl`) while the block runs."""
    root = Path(__file__).parents[2]
    coverage = Coverage(tuple(str(root / module) for module in modules))
    watch = _monitored if sys.version_info >= (3, 12) else _traced
    with watch(coverage):
        yield coverage


@contextmanager
def _traced(coverage: Coverage) -> Iterator[None]:
    def call(frame: FrameType, event: str, argument: object) -> Any:
        if not coverage.is_ours(frame.f_code):
            return None
        last = 0

        def line(frame: FrameType, event: str, argument: object) -> Any:
            nonlocal last
            if event == "line":
                coverage.take(frame.f_code, last, frame.f_lineno)
                last = frame.f_lineno
            return line

        return line

    before = sys.gettrace()
    sys.settrace(call)
    try:
        yield
    finally:
        sys.settrace(before)


@contextmanager
def _monitored(coverage: Coverage) -> Iterator[None]:
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
    ways: dict[tuple[CodeType, int], int] = {}

    def branch(code: CodeType, start: int, end: int) -> Any:
        if not coverage.is_ours(code):
            return monitoring.DISABLE
        coverage.take(code, start, end)
        first = ways.setdefault((code, start), end)
        return None if first == end else monitoring.DISABLE

    def begin(code: CodeType, start: int) -> Any:
        if coverage.is_ours(code):
            coverage.take(code, -1, start)
        return monitoring.DISABLE

    events = monitoring.events
    monitoring.use_tool_id(_TOOL, "callplane fuzz")
    monitoring.register_callback(_TOOL, events.BRANCH, branch)
    monitoring.register_callback(_TOOL, events.PY_START, begin)
    monitoring.set_events(_TOOL, events.BRANCH | events.PY_START)
    try:
        yield
    finally:
        monitoring.set_events(_TOOL, 0)
        monitoring.free_tool_id(_TOOL)
        monitoring.restart_events()
