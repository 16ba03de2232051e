"""Folders that a media node can be told of."""

from __future__ import annotations

from pathlib import Path

import pytest

from controlplane.base.errors import BadInput
from controlplane.settings import Settings
from controlplane.wiring.places import prompts_folder, recordings_folder


def test_prompts_and_recordings_lie_below_the_data_folder() -> None:
    settings = Settings(data=Path("/srv/.callplane"))
    assert prompts_folder(settings) == Path("/srv/.callplane/prompts")
    assert recordings_folder(settings) == Path("/srv/.callplane/recordings")


@pytest.mark.parametrize("name", ["my data", "données", "a@b", "${x}", "x" * 200])
def test_a_folder_that_freeswitch_could_not_be_given_is_refused_before_any_call(name: str) -> None:
    with pytest.raises(BadInput, match="CALLPLANE_DATA or CALLPLANE_PROMPTS"):
        prompts_folder(Settings(data=Path("/srv", name)))
