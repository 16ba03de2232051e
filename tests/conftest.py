"""Time that stands still for who asks for it; and at the end of a run what was not run on this machine, and why."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping

import pytest
from hypothesis import HealthCheck, settings

from tests.still_time import StillLoop, StillTime

# How long an example takes is the machine's business.
settings.register_profile("callplane", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("callplane")

LoopFactory = Callable[[], asyncio.AbstractEventLoop]


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Mapping[str, LoopFactory]:
    """A test that takes `time` has an event loop whose timers wait until it moves the time."""
    is_still = "time" in getattr(item, "fixturenames", ())
    return {"asyncio": StillLoop if is_still else asyncio.new_event_loop}


@pytest.fixture
async def time() -> StillTime:
    """The test's time, to move."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, StillTime)
    return loop


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line a reason, instead of pytest's one line a test."""
    files: dict[str, list[str]] = defaultdict(list)
    for report in terminalreporter.getreports("skipped"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        files[reason.removeprefix("Skipped: ")].append(report.nodeid.partition("::")[0])
    if files:
        terminalreporter.section("not run on this machine")
    for reason, places in sorted(files.items()):
        terminalreporter.write_line(f"{len(places)} skipped: {reason} ({', '.join(sorted(set(places)))})")
