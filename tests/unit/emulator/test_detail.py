"""Call records: one a leg, as it ends, in the shape of mod_json_cdr."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from controlplane.emulator.clock import VirtualClock
from controlplane.emulator.detail import Detail, write_details
from controlplane.emulator.memory import MemoryNetwork
from controlplane.emulator.node import Node
from controlplane.emulator.parties import Cast
from controlplane.emulator.scenarios import CalleePlan, HangUp, Scenario, Then, Wait
from tests.unit.emulator.links import Link, open_link, parked


@pytest.fixture
def details() -> list[Detail]:
    return []


@pytest.fixture
def node(clock: VirtualClock, details: list[Detail]) -> Node:
    return Node(clock, name="m1", recorder=details.append)


def variables_of(detail: Detail) -> dict[str, str]:
    variables = detail["variables"]
    assert isinstance(variables, dict)
    return {name: value for name, value in variables.items() if isinstance(value, str)}


async def test_a_leg_that_ended_has_one_record_with_its_times_and_parties(
    link: Link, node: Node, clock: VirtualClock, details: list[Detail]
) -> None:
    channel = await parked(link, node)
    await clock.sleep(2)
    await link.ask(f"api uuid_kill {channel.uuid} USER_BUSY")
    await link.until("CHANNEL_HANGUP_COMPLETE")
    [detail] = details
    wanted = ("uuid", "direction", "hangup_cause", "sip_from_user", "sip_to_user", "sip_call_id")
    variables = variables_of(detail)
    assert [variables[name] for name in wanted] == [
        channel.uuid, "inbound", "USER_BUSY", "+15550001111", "+15550002222", channel.variables.get("sip_call_id"),
    ]  # fmt: skip
    assert (detail["core-uuid"], detail["switchname"]) == (node.core_uuid, "m1")
    assert detail["channel_data"] == {"state": "CS_REPORTING", "direction": "inbound", "state_number": "11"}
    began, answered, ended = (int(variables[f"{name}_uepoch"]) for name in ("start", "answer", "end"))
    assert began <= answered <= ended - 2_000_000
    times = channel.profile.times
    assert (began, answered, ended) == (times.created, times.answered, times.hungup)


async def test_both_legs_of_a_conversation_and_one_that_was_refused_have_theirs(
    link: Link, node: Node, details: list[Detail]
) -> None:
    plans = {"+15550003333": CalleePlan(after_answer=(Wait(1), HangUp())), "+15550004444": CalleePlan(then=Then.BUSY)}
    node.far_ends = Cast(node, Scenario(callees=plans)).take_invite
    for caller, callee in (("+15550001111", "+15550004444"), ("+15550005555", "+15550003333")):
        channel = await parked(link, node, caller)
        await link.run(channel.uuid, "multiset", "^^;hangup_after_bridge=false;continue_on_fail=true")
        await link.run(channel.uuid, "bridge", f"sofia/external/{callee}@192.0.2.9", callee)
        await link.completed(callee)
        await link.ask(f"api uuid_kill {channel.uuid}")
        await link.until("CHANNEL_HANGUP_COMPLETE", Unique_ID=channel.uuid)
    told = [
        tuple(variables_of(detail).get(name) for name in ("direction", "sip_from_user", "sip_to_user", "hangup_cause"))
        for detail in details
    ]
    assert told == [
        ("outbound", None, None, "USER_BUSY"),
        ("inbound", "+15550001111", "+15550002222", "NORMAL_CLEARING"),
        ("outbound", "+15550005555", "+15550003333", "NORMAL_CLEARING"),
        ("inbound", "+15550005555", "+15550002222", "NORMAL_CLEARING"),
    ]


async def test_a_node_that_dies_leaves_no_record_of_its_live_legs(
    link: Link, node: Node, details: list[Detail]
) -> None:
    await parked(link, node)
    node.restart()
    assert details == []


async def test_records_are_left_as_files_that_end_with_a_newline(clock: VirtualClock, tmp_path: Path) -> None:
    node = Node(clock, recorder=write_details(tmp_path))
    link = await open_link(MemoryNetwork(node))
    channel = await parked(link, node, answered=False)
    await link.ask(f"api uuid_kill {channel.uuid} CALL_REJECTED")
    await link.until("CHANNEL_HANGUP_COMPLETE")
    [file] = tmp_path.iterdir()
    text = file.read_text("utf-8")
    assert file.name == f"{channel.uuid}.cdr.json"
    assert text.endswith("}\n")
    assert text.count("\n") == 1
    assert variables_of(json.loads(text))["hangup_cause"] == "CALL_REJECTED"
