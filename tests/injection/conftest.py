"""A real FreeSWITCH, where one is installed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from controlplane.cli.freeswitch import find_freeswitch


@pytest.fixture(scope="session")
def freeswitch_program() -> Path:
    """The installed FreeSWITCH; skips where there is none."""
    program = find_freeswitch(os.environ.get("CALLPLANE_FREESWITCH"))
    if program is None:
        pytest.skip("needs a real FreeSWITCH: put `freeswitch` on the PATH or name it in CALLPLANE_FREESWITCH")
    return program
