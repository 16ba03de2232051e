"""Thousands of calls that end or become somebody else's."""

from __future__ import annotations

import asyncio
from collections import UserDict
from collections.abc import Iterator
from pathlib import Path

from controlplane.base import ids
from controlplane.base.ids import LegId, call_of_leg, leg_in_shard
from controlplane.calls.facts import Direction, Facts
from controlplane.callserver.call import LiveCall
from controlplane.callserver.crowd import OwnCalls
from controlplane.callserver.letting_go import DROPPED_AT_ONCE
from controlplane.verbs.documents import Link

from .platform import ACCOUNT, APP, NODE, Platform, platform

SUPPORT, SALES = (ids.mint(ids.APP, number, b"0123456789") for number in (1, 2))


def facts_of(number: int, app: str | None = None) -> Facts:
    leg = leg_in_shard(number << 64 | 0x4 << 76 | 0x2 << 62, number % 16)
    return Facts(
        call_of_leg(leg), ACCOUNT, leg, NODE, Direction.OUTBOUND_API, "+15550002222", "+15550003333",
        app=app, document=Link(f"{APP}/"), salt="salt", public_url="https://api.example",
    )  # fmt: skip


def place(here: Platform, count: int) -> list[LiveCall]:
    keeper = here.servers[0].keepers[NODE]
    for number in range(count):
        keeper.place(facts_of(number))
    return keeper.calls_of(keeper.shards)


async def test_others_have_their_turns_while_calls_are_let_go_of(tmp_path: Path) -> None:
    rounds = 3
    async with platform(tmp_path, {"/": "<Pause length='60'/>"}) as here:
        calls = place(here, DROPPED_AT_ONCE * rounds)
        assert len(calls) == DROPPED_AT_ONCE * rounds
        keeper = here.servers[0].keepers[NODE]
        letting_go = asyncio.create_task(keeper.let_go(calls, keeper.shards))
        left = set()
        while not letting_go.done():
            await asyncio.sleep(0)
            left.add(sum(not call.is_dropped for call in calls))
        assert left == {DROPPED_AT_ONCE * rest for rest in range(rounds)}


class Counted(UserDict[LegId, LiveCall]):
    """Calls by leg, of which nobody may look through all."""

    def __iter__(self) -> Iterator[LegId]:
        raise AssertionError("every call was looked at")


async def test_the_end_of_a_call_takes_no_longer_however_many_there_are(tmp_path: Path) -> None:
    async with platform(tmp_path, {"/": "<Pause length='60'/>"}) as here:
        first, *_ = place(here, 3)
        keeper = here.servers[0].keepers[NODE]
        keeper.effects.calls = Counted(keeper.calls)  # type: ignore[assignment]
        first.drop()
        assert len(keeper.effects.calls) == 2
        keeper.effects.calls = keeper.calls
        del keeper.calls[first.machine.facts.a_leg]


def test_calls_are_counted_by_app_as_they_come_and_go() -> None:
    own = OwnCalls()
    first, second, third, fourth = (facts_of(n, app) for n, app in enumerate((SUPPORT, SUPPORT, SALES, None)))
    for facts in (first, second, second, third, fourth):
        own.came(facts)
    assert [own.count(app) for app in (SUPPORT, SALES)] == [2, 1]
    for gone in (first, first, third, fourth):
        own.went(gone.call)
    assert [own.count(app) for app in (SUPPORT, SALES)] == [1, 0]
