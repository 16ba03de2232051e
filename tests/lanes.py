"""Which tests may run at the same time: three lanes, a worker each (`make test`).

Most of what runs in real time is waiting: calls last as long as they last. So calls that people hear run beside faults
that are waited for, and beside both whatever costs nothing but CPU time, which gives way to them: a machine that
stands still is heard in prompts. Within a lane tests run one after the other, as they do where there are no lanes.
"""

from __future__ import annotations

import os
from enum import Enum
from pathlib import Path

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

_NICE = 10


class Lane(Enum):
    """Its name is for whoever reads pytest-xdist's log."""

    CALLS = "calls"
    FAULTS = "faults"
    GIVES_WAY = "gives way"


_OF_FOLDER = {"acceptance": Lane.CALLS, "chaos": Lane.FAULTS, "hell": Lane.FAULTS}
_IN_MEMORY = frozenset({"test_interrupted.py", "test_outcomes.py", "test_scenarios.py"})


def lane_of(path: Path) -> Lane:
    """The lane of a file of tests."""
    folder = path.relative_to(Path(__file__).parent).parts[0]
    return _OF_FOLDER.get(folder, Lane.GIVES_WAY) if path.name not in _IN_MEMORY else Lane.GIVES_WAY


def give_way_where_lanes_run(item: pytest.Item) -> None:
    """Let the other lanes come first, if this is what can wait and there are others."""
    is_in_a_lane = item.config.getoption("loadgroup", default=False)  # pytest-xdist tells its workers
    if is_in_a_lane and lane_of(item.path) is Lane.GIVES_WAY:
        os.setpriority(os.PRIO_PROCESS, 0, max(_NICE, os.getpriority(os.PRIO_PROCESS, 0)))


class LanesScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """What pytest-xdist keeps together. Its own groups are none with pytest 9.2, which has no `_nodeid` to rename."""

    def _split_scope(self, nodeid: str) -> str:
        return lane_of(Path(self.config.rootpath, nodeid.partition("::")[0])).value
