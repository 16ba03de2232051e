"""Whatever goes wrong is named: each check can fail, and each does where it should."""

from __future__ import annotations

import asyncio

import pytest

from tests.chaos.ledger.checks import SLUGS
from tests.chaos.ledger.live_nodes import ask_node
from tests.postgres.ledger.conftest import Emulated, look
from tests.postgres.ledger.mutation import Mutation
from tests.postgres.ledger.scene import Scene
from tests.postgres.ledger.spoilt_logs import SPOILT_LOGS
from tests.postgres.ledger.spoilt_rows import SPOILT_ROWS

MUTATIONS = (*SPOILT_ROWS, *SPOILT_LOGS)
_ON_NODES = {"channel-left", "task-left"}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_what_goes_wrong_is_named(scene: Scene, mutation: Mutation) -> None:
    mutation.mutate(scene)
    problems = look(scene)
    assert {problem.check for problem in problems} == mutation.checks, problems
    whose = scene.calls[mutation.whose] if mutation.whose else None
    assert whose is None or whose in {problem.call for problem in problems}, problems
    for problem in problems:
        assert problem.call is None or problem.call in problem.told


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


def test_no_check_is_without_a_mutation_that_it_finds() -> None:
    found = {check for mutation in MUTATIONS for check in mutation.checks} | _ON_NODES
    assert found == SLUGS
