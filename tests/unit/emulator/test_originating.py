"""bgapi originate: results, the parked leg, and what may come first."""

from __future__ import annotations

import pytest

from controlplane.emulator.clock import VirtualClock
from controlplane.emulator.memory import MemoryNetwork
from controlplane.emulator.node import Node
from controlplane.emulator.parties import Cast
from controlplane.emulator.rules import Races
from controlplane.emulator.scenarios import CalleePlan, Scenario, Then, Wait
from tests.unit.emulator.links import Link, open_link

B1 = "0b000000-0000-4000-8000-000000000001"


def dial(name: str, timeout_s: int = 30, app: str = "&park()") -> str:
    """An originate command with our own UUID and job."""
    variables = f"{{origination_uuid={B1},originate_timeout={timeout_s},ignore_early_media=true,callplane_call=cs_1}}"
    return f"bgapi originate {variables}sofia/external/{name}@192.0.2.9 {app}\nJob-UUID: job-1"


def people(node: Node, **plans: CalleePlan) -> None:
    node.far_ends = Cast(node, Scenario(callees=plans)).take_invite


async def test_an_answered_leg_is_parked_under_our_uuid_with_our_variables(link: Link, node: Node) -> None:
    people(node, agent=CalleePlan(after_answer=(Wait(20),)))
    assert await link.ask(dial("agent")) == "+OK Job-UUID: job-1"
    parked = await link.until("CHANNEL_PARK")
    assert (parked.get("Unique-ID"), parked.variable("callplane_call"), parked.get("Call-Direction")) == (
        B1,
        "cs_1",
        "outbound",
    )
    job = await link.until("BACKGROUND_JOB")
    assert (job.get("Job-UUID"), job.body) == ("job-1", f"+OK {B1}\n")
    assert link.story() == ["CHANNEL_PROGRESS", "CHANNEL_ANSWER", "BACKGROUND_JOB", "CHANNEL_PARK"]


@pytest.mark.parametrize(
    ("then", "answer"),
    [
        (Then.BUSY, "-ERR USER_BUSY\n"),
        (Then.NO_ANSWER, "-ERR NO_ANSWER\n"),
        (Then.NOT_FOUND, "-ERR UNALLOCATED_NUMBER\n"),
    ],
)
async def test_a_leg_that_nobody_takes_is_told_by_the_job(link: Link, node: Node, then: Then, answer: str) -> None:
    people(node, agent=CalleePlan(then=then))
    link.send(dial("agent", timeout_s=3))
    assert (await link.until("BACKGROUND_JOB")).body == answer
    await link.until("CHANNEL_HANGUP_COMPLETE", Unique_ID=B1)


async def test_a_second_live_leg_of_one_uuid_is_refused(link: Link, node: Node) -> None:
    people(node, agent=CalleePlan(after_answer=(Wait(20),)))
    link.send(dial("agent"))
    await link.until("CHANNEL_PARK")
    link.events.clear()
    link.send(dial("agent"))
    assert (await link.until("BACKGROUND_JOB")).body == "-ERR DESTINATION_OUT_OF_ORDER\n"
    assert await link.ask(f"api uuid_exists {B1}") == "true"


async def test_an_unknown_endpoint_and_too_few_words_are_refused(link: Link, node: Node) -> None:
    link.send("bgapi originate carrier/x/1 &park()\nJob-UUID: j1")
    link.send("bgapi originate\nJob-UUID: j2")
    assert (await link.until("BACKGROUND_JOB", Job_UUID="j1")).body == "-ERR CHAN_NOT_IMPLEMENTED\n"
    assert (await link.until("BACKGROUND_JOB", Job_UUID="j2")).body.startswith("-USAGE: <call url>")


async def test_an_answered_leg_may_run_another_application(link: Link, node: Node) -> None:
    people(node, agent=CalleePlan(after_answer=(Wait(20),)))
    link.send(dial("agent", app="'&playback(silence_stream://500)'"))
    done = await link.until("CHANNEL_EXECUTE_COMPLETE")
    assert (done.get("Application"), done.get("Application-Data")) == ("playback", "silence_stream://500")
    assert (await link.until("CHANNEL_HANGUP_COMPLETE")).get("Hangup-Cause") == "NORMAL_CLEARING"


async def test_an_originate_over_api_blocks_its_link_until_the_answer(link: Link, node: Node) -> None:
    people(node, agent=CalleePlan(ring_s=2, after_answer=(Wait(20),)))
    link.send(dial("agent").removeprefix("bg").partition("\n")[0])
    link.send("api status")
    await link.when(lambda: len(link.replies) >= 4)
    assert link.replies[2].text == f"+OK {B1}\n"
    assert node.clock.monotonic_ms() >= 2000


async def test_with_races_the_job_may_be_told_after_the_park(clock: VirtualClock) -> None:
    orders = set()
    for seed in range(8):
        node = Node(clock, races=Races(seed))
        people(node, agent=CalleePlan(after_answer=(Wait(20),)))
        link = await open_link(MemoryNetwork(node), "CHANNEL_PARK BACKGROUND_JOB")
        link.send(dial("agent"))
        await link.until("CHANNEL_PARK")
        await link.until("BACKGROUND_JOB")
        orders.add(tuple(link.story()))
    assert orders == {("BACKGROUND_JOB", "CHANNEL_PARK"), ("CHANNEL_PARK", "BACKGROUND_JOB")}
