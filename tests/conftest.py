"""A PostgreSQL and a FreeSWITCH for a session; time that stands still for who asks for it; what was not run."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer

from controlplane.cli.freeswitch import find_freeswitch
from controlplane.settings import Settings
from controlplane.store import embedded
from tests.lanes import LanesScheduling, give_way_where_lanes_run
from tests.still_time import StillLoop, StillTime

# How long an example takes is the machine's business.
settings.register_profile("callplane", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("callplane")

LoopFactory = Callable[[], asyncio.AbstractEventLoop]


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Mapping[str, LoopFactory]:
    """A test that takes `time` has an event loop whose timers wait until it moves the time."""
    is_still = "time" in getattr(item, "fixturenames", ())
    return {"asyncio": StillLoop if is_still else asyncio.new_event_loop}


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LanesScheduling | None:
    """Lanes where groups are asked for."""
    return LanesScheduling(config, log) if config.getvalue("dist") == "loadgroup" else None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """What can wait gives way."""
    give_way_where_lanes_run(item)


@pytest.fixture
async def time() -> StillTime:
    """The test's time, to move."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, StillTime)
    return loop


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The server of CALLPLANE_DATABASE_URL, where that is set, else an embedded one."""
    given = Settings().database_url
    if given is not None:
        yield given.get_secret_value()
        return
    # Not in pytest's own temporary folder: each session of pytest takes its permissions away from others anew, and
    # as root the server runs as another user.
    with TemporaryDirectory(prefix="callplane-tests-") as folder:
        server = embedded.start(Path(folder) / "postgres", is_durable=False)
        yield server.url
        server.stop()


@pytest.fixture(scope="session")
def freeswitch_program() -> Path:
    """The installed FreeSWITCH; skips where there is none."""
    program = find_freeswitch()
    if program is None:
        pytest.skip("needs a real FreeSWITCH: put `freeswitch` on the PATH or name it in CALLPLANE_FREESWITCH")
    return program


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
