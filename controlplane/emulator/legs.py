"""Legs that we dial: a channel that begins with an INVITE of ours, and what the far end does with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from controlplane.emulator.channel import Channel
from controlplane.emulator.profiles import Profile

if TYPE_CHECKING:
    from controlplane.emulator.node import Node


def make_leg(
    node: Node, caller: Channel | None, address: tuple[str, list[str]], variables: Mapping[str, str], endpoint: str
) -> Channel | None:
    """Dial one leg. None if there is a live channel of the UUID that was asked for."""
    uuid = variables.get("origination_uuid") or node.make_uuid()
    if uuid in node.channels:
        return None
    wire, names = address
    profile = _profile(caller, uuid, wire, variables, endpoint)
    leg = node.create(profile, _variables(caller, variables))
    if caller is not None:
        leg.originator, leg.other_leg = caller, ("originator", caller.profile)
        leg.variables.update(
            {"originator": caller.uuid, "signal_bond": caller.uuid, "originating_leg_uuid": caller.uuid}
        )
        leg.variables.set("call_uuid", caller.uuid)
        caller.variables.push("originated_legs", f"{uuid};Outbound Call;{wire}")
        caller.variables.set("originate_signal_bond", uuid)
    leg.state, leg.running_state = "CS_INIT", "CS_NONE"
    leg.changed()
    leg.fire("CHANNEL_OUTGOING")
    node.start(leg)
    node.invite(leg, names)
    return leg


def _profile(caller: Channel | None, uuid: str, wire: str, variables: Mapping[str, str], endpoint: str) -> Profile:
    number, name = _caller_id(caller, variables)
    kind, _, target = endpoint.partition("/")
    profile_name, _, rest = target.partition("/")
    label = f"{kind}/external/{wire}" if profile_name == "gateway" else f"{kind}/{profile_name}/{rest}"
    from_caller = caller.profile if caller is not None else None
    return Profile(
        uuid=uuid, direction="outbound", channel_name=label, destination=wire, cid_number=number, cid_name=name,
        orig_cid_number=from_caller.cid_number if from_caller else number,
        orig_cid_name=from_caller.cid_name if from_caller else name, callee_number=wire, callee_name="Outbound Call",
        username=from_caller.username if from_caller else "", ani=from_caller.ani if from_caller else "",
        dialplan=from_caller.dialplan if from_caller else "",
        source="mod_sofia" if from_caller else "src/switch_ivr_originate.c",
        context=from_caller.context if from_caller else "default",
    )  # fmt: skip


def _caller_id(caller: Channel | None, variables: Mapping[str, str]) -> tuple[str, str]:
    number = variables.get("origination_caller_id_number")
    name = variables.get("origination_caller_id_name")
    if caller is not None:
        number = number or caller.variables.get("effective_caller_id_number") or caller.profile.cid_number
        name = name or caller.variables.get("effective_caller_id_name") or caller.profile.cid_name
    return number or "0000000000", name or ""


def _variables(caller: Channel | None, variables: Mapping[str, str]) -> dict[str, str]:
    if caller is None:
        return {**variables, "originate_endpoint": "sofia", "originate_early_media": "true"}
    return {**variables, "originate_endpoint": "sofia", "max_forwards": "69"}
