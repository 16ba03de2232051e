"""Every case of `scenarios/`, run in every way there is."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.acceptance.cases import Case, read_cases
from tests.acceptance.in_memory import run_in_memory
from tests.acceptance.in_processes import run_cases
from tests.acceptance.outcomes import Outcome, must_be_as_expected
from tests.acceptance.ways import on_emulator, on_freeswitch

CASES = read_cases()


def cases_for(way: str) -> list[Case]:
    return [case for case in CASES if case.runs(way)]


@pytest.mark.parametrize("case", cases_for("memory"), ids=lambda case: case.name)
async def test_a_case_in_memory_on_virtual_time(case: Case) -> None:
    must_be_as_expected(await run_in_memory(case))


@pytest.fixture(scope="session")
def on_the_emulator(server_url: str, short_folder: Path) -> Mapping[str, Outcome]:
    """What came of all cases, performed at the same time against whole processes on the emulator."""

    async def run() -> Mapping[str, Outcome]:
        async with on_emulator(short_folder / "emulator", server_url) as (platform, perform):
            return await run_cases(cases_for("emulator"), platform, perform)

    return asyncio.run(run())


@pytest.mark.timeout(300)
@pytest.mark.parametrize("case", cases_for("emulator"), ids=lambda case: case.name)
def test_a_case_in_processes_on_the_emulator(case: Case, on_the_emulator: Mapping[str, Outcome]) -> None:
    must_be_as_expected(on_the_emulator[case.name])


@pytest.fixture(scope="session")
def on_a_freeswitch(freeswitch_program: Path, server_url: str, short_folder: Path) -> Mapping[str, Outcome]:
    """The same with people with telephones around a real FreeSWITCH."""

    async def run() -> Mapping[str, Outcome]:
        async with on_freeswitch(short_folder / "real", server_url, freeswitch_program) as (platform, perform):
            return await run_cases(cases_for("freeswitch"), platform, perform)

    return asyncio.run(run())


@pytest.mark.freeswitch
@pytest.mark.timeout(300)
@pytest.mark.parametrize("case", cases_for("freeswitch"), ids=lambda case: case.name)
def test_a_case_in_processes_on_a_real_freeswitch(case: Case, on_a_freeswitch: Mapping[str, Outcome]) -> None:
    must_be_as_expected(on_a_freeswitch[case.name])
