"""Names are looked up in threads that cannot be called back: one tenant's slow names must leave some for the others."""

import asyncio
import socket
import threading

import pytest

from controlplane.hooks.guard import SystemLookup, lane_under_way
from tests.still_time import StillTime


class SlowNames:
    """A name server that does not answer for `*.slow.test` until it may."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self.asked: list[str] = []

    def __call__(self, host: str) -> list[str]:
        self.asked.append(host)
        if host.endswith(".slow.test"):
            self.may_answer.wait()
        if host.startswith("no."):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return ["192.0.2.1"]


async def looked_up(lookup: SystemLookup, lane: str, host: str) -> list[str]:
    lane_under_way.set(lane)
    return await lookup(host)


async def test_slow_names_of_one_tenant_leave_threads_for_others() -> None:
    names = SlowNames()
    lookup = SystemLookup(threads=4, per_lane=2, resolve=names)
    slow = [asyncio.create_task(looked_up(lookup, "one", f"{number}.slow.test")) for number in range(9)]
    try:
        assert await looked_up(lookup, "other", "quick.test") == ["192.0.2.1"]
    finally:
        names.may_answer.set()
    assert await asyncio.gather(*slow) == [["192.0.2.1"]] * 9
    lookup.close()


async def test_a_request_that_was_given_up_holds_its_tenants_thread_as_long_as_the_lookup_takes() -> None:
    names = SlowNames()
    lookup = SystemLookup(threads=4, per_lane=2, resolve=names)
    for number in range(9):
        given_up = asyncio.create_task(looked_up(lookup, "one", f"{number}.slow.test"))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
    try:
        assert await looked_up(lookup, "other", "quick.test") == ["192.0.2.1"]
        assert len(names.asked) == 3
    finally:
        names.may_answer.set()
        lookup.close()


async def test_what_waits_behind_slow_names_is_given_up_in_the_end(time: StillTime) -> None:
    names = SlowNames()
    lookup = SystemLookup(threads=2, per_lane=1, resolve=names)
    asking = [asyncio.create_task(looked_up(lookup, "one", f"{number}.slow.test")) for number in range(2)]
    await time.move(15)
    try:
        with pytest.raises(socket.gaierror, match="too many slow names"):
            await asking[1]
        assert names.asked == ["0.slow.test"]
    finally:
        names.may_answer.set()
    assert await asking[0] == ["192.0.2.1"]
    lookup.close()


@pytest.mark.parametrize("is_given_up", [False, True])
async def test_a_name_that_is_not_frees_its_thread(is_given_up: bool) -> None:
    names = SlowNames()
    lookup = SystemLookup(threads=1, per_lane=1, resolve=names)
    asking = asyncio.create_task(looked_up(lookup, "one", "no.slow.test"))
    await asyncio.sleep(0)
    if is_given_up:
        asking.cancel()
    names.may_answer.set()
    outcome = (await asyncio.gather(asking, return_exceptions=True))[0]

    assert isinstance(outcome, asyncio.CancelledError if is_given_up else socket.gaierror)
    assert await looked_up(lookup, "one", "quick.test") == ["192.0.2.1"]
    lookup.close()
