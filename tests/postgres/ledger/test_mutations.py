"""Whatever goes wrong is named: each check can fail, and each does where it should."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.chaos.ledger.checks import SLUGS, problems_of
from tests.chaos.ledger.database import tables_of
from tests.chaos.ledger.evidence import Problem, evidence_in
from tests.chaos.ledger.live_nodes import ask_node
from tests.chaos.ledger.spools import read_spool
from tests.postgres.ledger.conftest import Emulated, look
from tests.postgres.ledger.mutation import Mutation
from tests.postgres.ledger.scene import Scene
from tests.postgres.ledger.spoilt_calls import SPOILT_CALLS
from tests.postgres.ledger.spoilt_commands import SPOILT_COMMANDS, freezes, gets_back, takes_over
from tests.postgres.ledger.spoilt_nodes import SPOILT_NODES
from tests.postgres.ledger.spoilt_rows import SPOILT_ROWS
from tests.postgres.ledger.spoilt_webhooks import SPOILT_WEBHOOKS

MUTATIONS = (*SPOILT_ROWS, *SPOILT_CALLS, *SPOILT_NODES, *SPOILT_WEBHOOKS, *SPOILT_COMMANDS)
ELSEWHERE = {"channel-left", "task-left", "spool-left", "entry-set-aside"}  # below, one by one


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_what_goes_wrong_is_named(scene: Scene, mutation: Mutation) -> None:
    mutation.mutate(scene)
    problems = look(scene)
    assert {problem.check for problem in problems} == mutation.checks, problems
    whose = scene.calls[mutation.whose] if mutation.whose else None
    assert whose is None or whose in {problem.call for problem in problems}, problems
    for problem in problems:
        assert problem.call is None or problem.call in problem.told


def test_a_call_that_goes_to_another_server_and_back_is_well(scene: Scene) -> None:
    takes_over(scene)
    assert look(scene) == []


def test_a_call_that_a_server_gets_back_as_soon_as_it_was_lost_is_well(scene: Scene) -> None:
    gets_back(scene)
    assert look(scene) == []


def test_a_call_whose_server_stood_still_and_has_it_again_later_is_well(scene: Scene) -> None:
    freezes(scene)
    assert look(scene) == []


async def test_a_channel_that_is_left_on_a_node_is_named(scene: Scene, emulated: Emulated) -> None:
    channel = emulated.node.ring("+15550000001", "+15551110001")
    [problem] = look(scene, await asyncio.to_thread(ask_node, emulated.address))
    assert problem.check == "channel-left"
    assert channel.uuid in problem.told


async def test_a_watchdog_of_a_channel_that_is_gone_is_named(scene: Scene, emulated: Emulated) -> None:
    gone = emulated.node.make_uuid()
    emulated.node.schedule.add(gone, "switch_ivr_schedule_hangup", 3600, lambda: None)
    [problem] = look(scene, await asyncio.to_thread(ask_node, emulated.address))
    assert problem.check == "task-left"
    assert f"node m1 has the task switch_ivr_schedule_hangup of the channel {gone}, which is gone" in problem.told


def test_entries_that_are_left_on_a_disk_are_named(scene: Scene, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    for name in (
        "host-1/00000001.entries",
        "host-1/aside.entries",
        "aside/host-2-1.entries",
        "host-3/00000001.entries",
    ):
        (spool / name).parent.mkdir(parents=True, exist_ok=True)
        (spool / name).write_bytes(b"" if name.startswith("host-3") else b"sealed")
    (spool / "host-3" / "lock").touch()
    scene.write()
    evidence = evidence_in(scene.folder, tables_of(scene.connection), (), tuple(read_spool(spool)))
    told = "the database is there, and 6 bytes of journal entries"
    assert problems_of(evidence) == [
        Problem("entry-set-aside", None, f"{told} were set aside as aside/host-2-1.entries: they are in no journal"),
        Problem("spool-left", None, f"{told} still wait in host-1/00000001.entries"),
        Problem("entry-set-aside", None, f"{told} were set aside as host-1/aside.entries: they are in no journal"),
    ]
    assert list(read_spool(tmp_path / "nowhere")) == []
    scene.run["forked"] = [[scene.run["fault_at"], scene.run["healed_at"]]]
    scene.write()
    evidence = evidence_in(scene.folder, tables_of(scene.connection), (), tuple(read_spool(spool)))
    assert [problem.check for problem in problems_of(evidence)] == ["spool-left"]


def test_no_check_is_without_a_mutation_that_it_finds() -> None:
    found = {check for mutation in MUTATIONS for check in mutation.checks} | ELSEWHERE
    assert found == SLUGS
