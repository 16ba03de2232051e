"""One `callplane up` a folder."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from controlplane.base.errors import BadInput
from controlplane.cli.up import _alone


def test_a_second_up_is_refused_while_the_first_has_the_folder(tmp_path: Path) -> None:
    async def twice() -> None:
        async with _alone(tmp_path):
            with pytest.raises(BadInput, match="another `callplane up` uses"):
                async with _alone(tmp_path):
                    raise AssertionError("let in")
        async with _alone(tmp_path):
            pass  # free again

    asyncio.run(twice())
