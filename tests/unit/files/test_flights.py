"""Doing a thing once for everybody who asks."""

from __future__ import annotations

import asyncio
import gc

import pytest

from controlplane.base.errors import Unavailable
from controlplane.files.flights import Flights
from tests.unit.files.clocks import HandClock


class Work:
    """Counts how often it is done, and goes on when it is told to."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.times, self.failure = 0, failure
        self.may_go_on = asyncio.Event()

    async def __call__(self) -> int:
        self.times += 1
        await self.may_go_on.wait()
        if self.failure is not None:
            raise self.failure
        return self.times


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def flights(clock: HandClock) -> Flights[int]:
    return Flights(clock, failed_s=1.0)


async def test_who_asks_meanwhile_gets_the_same_answer(flights: Flights[int]) -> None:
    work = Work()
    tasks = [asyncio.create_task(flights.once("a", work)) for _ in range(100)]
    other = Work()
    other.may_go_on.set()
    assert await flights.once("b", other) == 1

    work.may_go_on.set()

    assert await asyncio.gather(*tasks) == [1] * 100
    assert await flights.once("a", work) == 2


async def test_a_failure_is_everybodys_answer_for_a_while(flights: Flights[int], clock: HandClock) -> None:
    work = Work(Unavailable("broken"))
    work.may_go_on.set()
    answers = await asyncio.gather(*(flights.once("a", work) for _ in range(5)), return_exceptions=True)
    assert {str(answer) for answer in answers} == {"broken"}

    clock.pass_s(0.9)
    with pytest.raises(Unavailable):
        await flights.once("a", work)
    assert work.times == 1

    clock.pass_s(0.2)
    work.failure = None
    assert await flights.once("a", work) == 2


async def test_a_mistake_of_ours_is_not_remembered(flights: Flights[int]) -> None:
    work = Work(ZeroDivisionError())
    work.may_go_on.set()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await flights.once("a", work)

    assert work.times == 2


async def test_who_is_canceled_leaves_the_work_to_the_others(flights: Flights[int]) -> None:
    work = Work()
    first = asyncio.create_task(flights.once("a", work))
    await asyncio.sleep(0)
    second = asyncio.create_task(flights.once("a", work))
    await asyncio.sleep(0)

    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    work.may_go_on.set()

    assert await second == 1


async def test_failures_that_nobody_waits_for_are_forgotten_in_silence(flights: Flights[int]) -> None:
    work = Work(Unavailable("broken"))
    only = asyncio.create_task(flights.once("a", work))
    await asyncio.sleep(0)
    only.cancel()
    with pytest.raises(asyncio.CancelledError):
        await only
    work.may_go_on.set()

    with pytest.raises(Unavailable):
        await flights.once("a", work)


async def test_a_failure_that_nobody_hears_of_is_not_told_as_a_defect_of_ours(flights: Flights[int]) -> None:
    """A call went on to something else while a prompt was fetched that is not to be had."""
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context))
    work = Work(Unavailable("broken"))
    only = asyncio.create_task(flights.once("a", work))
    await asyncio.sleep(0)
    only.cancel()
    with pytest.raises(asyncio.CancelledError):
        await only
    work.may_go_on.set()
    for _ in range(3):
        await asyncio.sleep(0)
    gc.collect()

    assert told == []


async def test_closing_gives_up_what_is_under_way(flights: Flights[int]) -> None:
    waiting = asyncio.create_task(flights.once("a", Work()))
    await asyncio.sleep(0)

    await flights.close()

    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_failures_remembered_are_bounded(flights: Flights[int]) -> None:
    for number in range(1500):
        work = Work(Unavailable("broken"))
        work.may_go_on.set()
        with pytest.raises(Unavailable):
            await flights.once(number, work)

    assert len(flights._failed) == 1000
