"""Folders that a media node can be told of, and keys."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from pydantic import SecretStr

from controlplane.base.errors import BadInput
from controlplane.settings import Settings
from controlplane.store.vault import SecretUnreadable
from controlplane.wiring.places import prompts_folder, recordings_folder, vault_of


def test_prompts_and_recordings_lie_below_the_data_folder() -> None:
    settings = Settings(data=Path("/srv/.callplane"))
    assert prompts_folder(settings) == Path("/srv/.callplane/prompts")
    assert recordings_folder(settings) == Path("/srv/.callplane/recordings")


@pytest.mark.parametrize("name", ["my data", "données", "a@b", "${x}", "x" * 200])
def test_a_folder_that_freeswitch_could_not_be_given_is_refused_before_any_call(name: str) -> None:
    with pytest.raises(BadInput, match="CALLPLANE_DATA or CALLPLANE_PROMPTS"):
        prompts_folder(Settings(data=Path("/srv", name)))


def test_of_several_keys_the_first_seals_and_all_open() -> None:
    old, new = (base64.b64encode(letter * 32).decode() for letter in (b"o", b"n"))
    before, during = (vault_of(Settings(secret_key=SecretStr(text))) for text in (old, f"{new}, {old}"))

    assert during.open(before.seal("whsec_1", bound="sec_1"), bound="sec_1") == "whsec_1"
    with pytest.raises(SecretUnreadable):
        before.open(during.seal("whsec_1", bound="sec_1"), bound="sec_1")
