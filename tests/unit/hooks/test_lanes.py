import asyncio
from collections import Counter

import pytest

from controlplane.hooks.lanes import Lanes


class Work:
    """Requests that count how many are under way, in each lane and in all."""

    def __init__(self, lanes: Lanes) -> None:
        self.lanes = lanes
        self.under_way: Counter[str] = Counter()
        self.most: Counter[str] = Counter()

    async def do(self, lane: str) -> None:
        async with self.lanes.place(lane):
            for key in (lane, "all"):
                self.under_way[key] += 1
                self.most[key] = max(self.most[key], self.under_way[key])
            await asyncio.sleep(0)
            self.under_way.subtract([lane, "all"])


async def test_neither_a_lane_nor_all_of_them_pass_their_bounds() -> None:
    work = Work(Lanes(per_lane=2, at_once=3))

    await asyncio.gather(*(work.do(lane) for lane in "aabbccaabbcc" * 10))

    assert work.most.pop("all") == 3
    assert max(work.most.values()) == 2
    assert work.under_way.total() == 0


async def test_place_comes_back_however_the_request_ends() -> None:
    lanes = Lanes(per_lane=1, at_once=1)
    for error in (ValueError(), asyncio.CancelledError()):
        with pytest.raises(type(error)):
            async with lanes.place("a"):
                raise error

    async with lanes.place("a"):
        pass


async def test_one_who_stops_waiting_takes_no_place_and_leaves_no_trace() -> None:
    lanes = Lanes(per_lane=1, at_once=2)
    async with lanes.place("a"):
        waiting = [asyncio.create_task(Work(lanes).do("a")) for _ in range(3)]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    async with lanes.place("a"):
        pass
    assert not lanes._gates


async def test_one_who_stops_waiting_for_all_gives_the_lanes_place_back() -> None:
    lanes = Lanes(per_lane=1, at_once=1)
    async with lanes.place("a"):
        waiting = asyncio.create_task(Work(lanes).do("b"))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

    async with lanes.place("b"):
        assert list(lanes._gates) == ["b"]
