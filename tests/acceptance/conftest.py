"""A real FreeSWITCH for the tests that are marked so, where one is installed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from controlplane.cli.freeswitch import loopback_node
from controlplane.cli.lines import print_line
from controlplane.cli.processes import Supervisor
from controlplane.render import MediaNode
from tests.acceptance.media_node import MediaNode as PlainNode
from tests.acceptance.media_node import passing_freeswitch, running_media_node
from tests.acceptance.parked_call import Call, parked_call_on

DOOR_WATCHDOG_S = 2


@pytest.fixture(scope="session")
def sipp() -> Path:
    """The installed SIPp; skips where there is none."""
    program = shutil.which("sipp")
    if program is None:
        pytest.skip("needs SIPp: apt-get install sip-tester")
    return Path(program)


@pytest.fixture(scope="session")
def short_folder() -> Iterator[Path]:
    """For processes: paths of sockets and FreeSWITCH's own buffers have limits."""
    with tempfile.TemporaryDirectory(prefix="callplane-at-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def node_folder() -> Iterator[Path]:
    """A short-named folder: paths of sockets and FreeSWITCH's own buffers have limits."""
    with tempfile.TemporaryDirectory(prefix="callplane-fs-") as name:
        yield Path(name)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def media_node(freeswitch_program: Path, node_folder: Path) -> AsyncIterator[MediaNode]:
    """A running FreeSWITCH with our configuration, one for the tests of a file."""
    node = loopback_node(node_folder, esl_password="for-tests", door_watchdog_s=DOOR_WATCHDOG_S)
    async with Supervisor(print_line) as supervisor:
        await supervisor.start(passing_freeswitch(freeswitch_program, node))
        yield node


@pytest.fixture(scope="module")
def node(freeswitch_program: Path, node_folder: Path) -> Iterator[PlainNode]:
    """A running FreeSWITCH with a configuration of nothing but a few parties to call, for the tests of a file."""
    with running_media_node(freeswitch_program, node_folder) as node:
        yield node


@pytest.fixture
def call(node: PlainNode) -> Iterator[Call]:
    """Somebody called in and is parked."""
    with parked_call_on(node) as call:
        yield call
