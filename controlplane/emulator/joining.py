"""Moving live channels: to another dialplan (`uuid_transfer`), or together (`uuid_bridge`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controlplane.emulator.bridging import converse
from controlplane.emulator.fibers import pause
from controlplane.emulator.hearing import SILENCE

if TYPE_CHECKING:
    from controlplane.emulator.channel import Channel


def transfer(channel: Channel, words: list[str]) -> None:
    """`app:data,… inline` runs applications; any other extension goes through the door again."""
    if len(words) > 1 and words[-1] == "inline":
        text = " ".join(words[:-1])
        steps = [step.partition(":") for step in text.split(",")]
        actions = [(app, data) for app, _, data in steps]
    else:
        actions = channel.node.door.actions()
    channel.extension.clear()
    channel.extension.extend(actions)
    channel.profile.times.transferred = channel.node.now_us()
    channel.go_to("CS_ROUTING")


def join(a_leg: Channel, b_leg: Channel) -> bool:
    """Let two channels leave what they do and talk. False if neither has audio (switch_ivr_uuid_bridge)."""
    if a_leg.is_down or b_leg.is_down or a_leg is b_leg:
        return False
    if not a_leg.has_media:
        a_leg, b_leg = b_leg, a_leg
    if not a_leg.has_media:
        return False
    for leg, other in ((a_leg, b_leg), (b_leg, a_leg)):
        leg.variables.update({"bridge_channel": other.profile.channel_name, "bridge_uuid": other.uuid})
        leg.variables.set("signal_bond", other.uuid)
        leg.met[other.uuid] = other
    a_leg.other_leg, b_leg.other_leg = ("originatee", b_leg.profile), ("originator", a_leg.profile)
    a_leg.joins, b_leg.joins = b_leg, a_leg
    a_leg.is_first_to_join, b_leg.is_first_to_join = True, False
    a_leg.go_to("CS_HIBERNATE")
    b_leg.go_to("CS_HIBERNATE")
    return True


async def be_joined(channel: Channel) -> None:
    """What a channel's thread does after uuid_bridge: fall asleep, wake up, and talk."""
    other, channel.joins = channel.joins, None
    if other is None:
        return
    channel.enter("CS_RESET")
    channel.enter("CS_SOFT_EXECUTE")
    for _ in range(2):
        await pause(channel.next_frame_ms())
    if channel.is_down or other.is_down:
        if channel.variables.is_true("uuid_bridge_park_on_cancel"):
            channel.go_to("CS_PARK")
        elif not channel.is_down:
            channel.hang_up("DESTINATION_OUT_OF_ORDER")
        return
    channel.fire("CHANNEL_EXECUTE", after=[("Application", "uuid_bridge"), ("Application-Data", other.uuid)])
    channel.hears.begin(SILENCE, channel.node.clock.monotonic_ms())
    if not channel.is_first_to_join:
        return
    await converse(channel, other)
    if channel.is_ready:
        channel.go_to("CS_EXECUTE")
