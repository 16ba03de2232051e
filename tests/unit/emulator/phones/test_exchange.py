"""Telephones that call each other over loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import numpy as np
import pytest

from controlplane.emulator.phones.calls import PhoneCall, State
from controlplane.emulator.phones.exchange import Exchange
from controlplane.emulator.phones.sip_text import Request, header, user_in


@dataclass(slots=True)
class Town:
    """Two exchanges, and the calls that the second was given."""

    here: Exchange
    there: Exchange
    came: asyncio.Queue[PhoneCall]

    async def call(self, **more: object) -> tuple[PhoneCall, PhoneCall]:
        mine = self.here.dial("+15550001111", "+15550002222", peer=(self.there.host, self.there.port), **more)  # type: ignore[arg-type]
        return mine, await self.came.get()


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    came: asyncio.Queue[PhoneCall] = asyncio.Queue()
    here, there = Exchange(lambda call: call.refuse(404)), Exchange(came.put_nowait)
    async with AsyncExitStack() as stack:
        for exchange in (here, there):
            await exchange.start()
            stack.push_async_callback(exchange.stop)
        yield Town(here, there, came)


async def until(call: PhoneCall, condition: Callable[[], bool]) -> None:
    changed = asyncio.Event()
    call.watchers.append(changed.set)
    while not condition():
        changed.clear()
        await changed.wait()


async def ended(call: PhoneCall) -> tuple[str, int]:
    await until(call, lambda: call.state is State.ENDED)
    return call.cause, call.status


def loudest(call: PhoneCall) -> int:
    return int(np.max(np.abs(call.stream.heard.samples()), initial=0))


def has_heard_all(call: PhoneCall) -> bool:
    return len(call.stream.heard.keys) == 2 and loudest(call) > 7000


async def test_a_call_rings_is_answered_and_hung_up_by_the_callee(town: Town) -> None:
    mine, theirs = await town.call(name='A "friend"', headers={"X-Test": "1"})
    assert user_in(theirs.invite.uri) == "+15550002222"
    assert header(theirs.invite, "From").startswith('"A \\"friend\\"" <sip:+15550001111@')
    assert header(theirs.invite, "X-Test") == "1"
    theirs.ring()
    await until(mine, lambda: mine.state is State.RINGING)
    theirs.answer()
    await until(mine, lambda: mine.state is State.ANSWERED)
    theirs.hang_up()
    assert await ended(mine) == ("NORMAL_CLEARING", 200)


async def test_both_hear_what_the_other_says_and_presses(town: Town) -> None:
    mine, theirs = await town.call()
    theirs.answer()
    await until(mine, lambda: mine.state is State.ANSWERED)
    voice = (np.sin(np.arange(1600) * 0.4) * 8000).astype(np.int16)
    for one in (mine, theirs):
        one.stream.say(voice)
        one.stream.press("5", 60)
        one.stream.press("#", 60)
    while not (has_heard_all(mine) and has_heard_all(theirs)):
        await asyncio.sleep(0.02)  # real time: audio takes as long as it takes
    mine.hang_up()
    await ended(theirs)
    for call in (mine, theirs):
        await asyncio.to_thread(call.stream.closed.wait, 60)
        assert "".join(key.key for key in call.stream.heard.keys) == "5#"
        assert loudest(call) == pytest.approx(8000, rel=0.05)


async def test_a_call_that_moves_is_ended_where_it_moved_to(town: Town) -> None:
    mine, theirs = await town.call()
    theirs.answer()
    await until(mine, lambda: mine.state is State.ANSWERED)
    offer = (("Contact", "<sip:elsewhere@127.0.0.1:9>"), *theirs.invite.headers)
    mine.take_request(Request("INVITE", mine.target, offer, theirs.invite.body))
    assert mine.target == "sip:elsewhere@127.0.0.1:9"
    theirs.hang_up()
    await ended(mine)


async def test_a_caller_who_gives_up_cancels(town: Town) -> None:
    mine, theirs = await town.call()
    theirs.ring()
    await until(mine, lambda: mine.state is State.RINGING)
    mine.hang_up()
    assert await ended(mine) == ("ORIGINATOR_CANCEL", 487)
    assert await ended(theirs) == ("ORIGINATOR_CANCEL", 487)


async def test_a_caller_who_gives_up_before_anything_was_heard_of_the_other_side_cancels_later(town: Town) -> None:
    mine = town.here.dial("+15550001111", "+15550002222", peer=(town.there.host, town.there.port))
    mine.hang_up()
    assert await ended(mine) == ("ORIGINATOR_CANCEL", 487)


@pytest.mark.parametrize("status", [486, 603, 404, 480])
async def test_a_refusal_reaches_the_caller(town: Town, status: int) -> None:
    mine, theirs = await town.call()
    theirs.refuse(status)
    assert await ended(mine) == (f"SIP {status}", status)


async def test_early_media_is_heard_before_the_answer(town: Town) -> None:
    mine, theirs = await town.call()
    theirs.stream.say(np.full(8000, 5000, np.int16))
    theirs.begin_early_media()
    while loudest(mine) < 4000:
        await asyncio.sleep(0.02)  # real time
    assert mine.state is State.RINGING
    mine.hang_up()
    await ended(mine)


async def test_a_number_that_nobody_has_is_refused(town: Town) -> None:
    call = town.there.dial("+1", "+2", peer=(town.here.host, town.here.port))
    assert await ended(call) == ("SIP 404", 404)
