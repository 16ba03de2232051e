"""A media node is killed under live calls: two real FreeSWITCH behind a record-routing Kamailio, telephones around."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import LiteralString

import pytest

from controlplane.emulator.phones.calls import State
from tests.chaos.flows import callee_of, caller_number
from tests.chaos.twins.flows import FILES, NUMBERS, UP, page
from tests.chaos.twins.people import People
from tests.chaos.twins.sip_proxy import find_kamailio
from tests.chaos.twins.site import Twins, running_twins

MOST_SILENCE_MS = 4000  # the aim is 1,000: a machine that tests share with others is slow
LISTEN_S = 8.0  # after the kill; by then everybody hears something again
PATIENCE_S = 40
_VERDICTS = "SELECT from_number, status, reason, node, moves FROM calls ORDER BY from_number"
_ROWS_OF_RECORDINGS = "SELECT state, node, duration_ms > 0 FROM recordings ORDER BY created_at"


@pytest.fixture(scope="session")
def kamailio() -> Path:
    """The installed Kamailio; skips where there is none."""
    program = find_kamailio()
    if program is None:
        pytest.skip("needs Kamailio: apt-get install kamailio")
    return program


@asynccontextmanager
async def twins_with(folder: Path, freeswitch: Path, kamailio: Path, people: People) -> AsyncIterator[Twins]:
    site: list[Twins] = []

    def pages(path: str, parameters: Mapping[str, str]) -> str | None:
        return page(site[0].receiver.url, path, parameters)

    folder.mkdir()
    folder.chmod(0o755)  # as root the database runs as another user
    async with running_twins(
        folder, freeswitch, kamailio, numbers=NUMBERS, pages=pages, files=FILES, on_call=people.take
    ) as twins:
        site.append(twins)
        yield twins


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.05)  # other processes have to do it


async def until_rows(twins: Twins, statement: LiteralString, wanted: list[tuple[object, ...]]) -> None:
    until_s = time.monotonic() + PATIENCE_S
    rows: list[tuple[object, ...]] = []
    while time.monotonic() < until_s:
        rows = await twins.database.rows(statement)
        if rows == wanted:
            return
        await asyncio.sleep(0.1)  # other processes have to do it
    assert rows == wanted


@pytest.mark.timeout(240)
async def test_prompts_conversations_and_recordings_go_on_on_the_other_node(
    short_folder: Path, freeswitch_program: Path, kamailio: Path
) -> None:
    flows = {caller_number(index): flow for index, flow in enumerate(NUMBERS)}
    people = People(flow_of={callee_of(caller): flow for caller, flow in flows.items()}.__getitem__)
    async with twins_with(short_folder / "twins", freeswitch_program, kamailio, people) as twins:
        for caller, flow in flows.items():
            people.dialled(twins.dial(caller, NUMBERS[flow]), flow, caller, NUMBERS[flow])
        await until(lambda: sum(one.is_up for one in people.everybody) == sum(UP.values()))
        await until(lambda: len(people.everybody) == len(flows) + 3)
        await asyncio.sleep(6)  # FreeSWITCH writes recordings to disk every four seconds, and rows in their own time
        twins.kill_node("n1")
        killed_s = time.monotonic()
        await asyncio.sleep(LISTEN_S)  # what is heard takes as long as it takes
        listeners = {f"{one.flow} {one.role}": one for one in people.everybody if one.flow in ("prompt", "talk")}
        assert set(listeners) == {"prompt caller", "talk caller", "talk callee"}
        over_s = killed_s + LISTEN_S
        heard = {name: one.silence_ms(killed_s - 0.5, over_s) for name, one in listeners.items()}
        assert max(heard.values()) < MOST_SILENCE_MS, heard
        at_last = {name: one.silence_ms(over_s - 1, over_s) for name, one in listeners.items()}
        assert max(at_last.values()) < 500, at_last
        # Two who talk were joined by FreeSWITCH alone; the caller goes on with the document when the other leaves.
        for person in people.of("callee", "talk", "ring", "early"):
            person.hang_up()
        await until(lambda: all(one.call.state is State.ENDED for one in people.of("caller", "talk", "ring")))
        for person in people.of("caller", "prompt", "record"):
            assert person.is_up
        for person in people.of("caller", "prompt", "record", "early"):
            person.hang_up()
        assert await twins.settle() == []
        told: list[tuple[object, ...]] = [(caller, "completed", "normal-clearing", "n2", 1) for caller in flows]
        early = next(caller for caller, flow in flows.items() if flow == "early")
        told = [one if one[0] != early else (early, "failed", "node-lost", "n1", 0) for one in told]
        await until_rows(twins, _VERDICTS, told)
        # What was recorded on the node that died is kept up to there; the next began on the other.
        await until_rows(twins, _ROWS_OF_RECORDINGS, [("completed", "n1", True), ("completed", "n2", True)])
        await until(lambda: twins.count_channels("n2") == 0)
