"""What is said to a media node when it goes on with another's legs, and to one that came back too late."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import suppress

from controlplane.base.causes import Cause
from controlplane.base.ids import LegId
from controlplane.esl import apis
from controlplane.esl.frames import Frame
from controlplane.switch.link import LinkLost
from controlplane.switch.node import Node


async def recover_legs(node: Node, profile: str) -> None:
    """Have a node bring up what its core database holds of others. Raises LinkLost."""
    await node.ask(apis.recover_legs(profile))


async def living(node: Node, legs: Collection[LegId]) -> frozenset[LegId]:
    """Those of these legs that the node has. Raises LinkLost."""
    return frozenset(leg for leg, told in await _variable(node, legs, "uuid") if told == leg)


async def on_their_way(node: Node, legs: Collection[LegId]) -> frozenset[LegId]:
    """Those of these legs that are not parked yet, and not being joined either. Raises LinkLost.

    Nothing may be said to them yet: what is scheduled on the way to the park would come after a claim. Whoever has been
    sent something was parked, and has left it for that.
    """
    bonds = dict(await _variable(node, legs, "signal_bond"))
    running = await _variable(node, [leg for leg in legs if not bonds[leg]], "current_application")
    sent = await _variable(node, [leg for leg, application in running if application != "park"], "callplane_sent")
    return frozenset(leg for leg, token in sent if not token)


async def shut_out(node: Node) -> None:
    """End whatever a node still has, and have it take nothing new. Raises LinkLost."""
    await node.ask(apis.refuse_new_legs())
    await node.ask(apis.hang_up_all(Cause.NORMAL_TEMPORARY_FAILURE))


async def _variable(node: Node, legs: Collection[LegId], name: str) -> list[tuple[LegId, str]]:
    answers = [asyncio.ensure_future(node.ask(apis.uuid_getvar(leg, name))) for leg in legs]
    try:
        return [(leg, _value(await answer)) for leg, answer in zip(legs, answers, strict=True)]
    finally:
        for answer in answers:
            answer.cancel()
        for answer in answers:
            with suppress(LinkLost, asyncio.CancelledError):
                await answer


def _value(frame: Frame) -> str:
    """ "" where the leg or its variable is not there."""
    text = frame.text.strip()
    return "" if text.startswith("-ERR") or text == "_undef_" else text
