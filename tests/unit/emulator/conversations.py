"""Whom a caller can be joined with in these tests, and how."""

from __future__ import annotations

from controlplane.emulator.channel import Channel
from controlplane.emulator.node import Node
from controlplane.emulator.parties import Cast
from controlplane.emulator.scenarios import CalleePlan, Scenario
from tests.unit.emulator.links import Link

B1, B2 = "0b000000-0000-4000-8000-000000000001", "0b000000-0000-4000-8000-000000000002"
RESULTS = ("originate_disposition", "DIALSTATUS", "last_bridge_to", "originate_failed_cause", "bridge_hangup_cause")
KEPT = "^^;hangup_after_bridge=false;continue_on_fail=true"


def people(node: Node, **plans: CalleePlan) -> Cast:
    """Who can be dialled, by name."""
    cast = Cast(node, Scenario(callees=plans))
    node.far_ends = cast.take_invite
    return cast


def leg(name: str, uuid: str = B1, **variables: str) -> str:
    """One leg of a dial string."""
    values = ",".join(f"{key}={value}" for key, value in {"origination_uuid": uuid, **variables}.items())
    return f"[{values}]sofia/external/{name}@192.0.2.9"


async def bridged(link: Link, channel: Channel, dial: str, settings: str = KEPT) -> dict[str, str]:
    """Bridge, and answer what it left in the caller's variables."""
    await link.run(channel.uuid, "multiset", settings)
    await link.run(channel.uuid, "bridge", dial, "b")
    done = await link.completed("b")
    return {name: value for name in RESULTS if (value := done.variable(name)) is not None}


def told(link: Link, uuid: str) -> list[str]:
    """What was told of a channel, but for settings."""
    return [line for line in link.story(uuid) if "multiset" not in line]
