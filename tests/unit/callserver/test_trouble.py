"""What goes wrong around a call server, and what becomes of the calls."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

from controlplane.base import ids
from controlplane.base.ids import CallId, LegId, call_of_leg, leg_of_call
from controlplane.calls.events import DigitsAsked, HangUpAsked, LegAnswered, LegEnded, Redirected
from controlplane.calls.facts import Facts
from controlplane.callserver.ports import Request
from controlplane.emulator.clock import VirtualClock
from controlplane.emulator.parties import Cast
from controlplane.emulator.rules import Races
from controlplane.emulator.scenarios import CalleePlan, ExpectEnd, HangUp, Hear, Scenario, Then, Wait
from controlplane.verbs.documents import Link
from tests.unit.calls.conversation import A_LEG, OUTBOUND

from .doubles import Keeping, SetBack, Shared, Shelf, SlowInbox
from .platform import APP, NODE, Platform, platform
from .test_driving import replace


def in_shard(facts: Facts, digit: str) -> Facts:
    leg = LegId(f"{facts.a_leg[:-1]}{digit}")
    return dataclasses.replace(facts, a_leg=leg, call=ids.call_of_leg(leg))


def redirect(here: Platform) -> None:
    """Ask, as the API does, that the only call go on with /next."""
    (call,) = here.journal.entries
    here.inbox.asked.append(Request(call, Redirected("req_1", Link(f"{APP}/next"))))
    here.servers[0].requests_changed()


MUSIC = {"/": "<Play loop='0'>/music.wav</Play>", "/next": "<Say>end</Say>"}


async def test_a_redirect_breaks_off_what_a_server_before_us_had_begun(tmp_path: Path) -> None:
    async with platform(tmp_path, MUSIC) as here:

        def die() -> None:
            asyncio.get_running_loop().create_task(replace(here, here.servers[0]))

        begin = here.clock.monotonic_ms()
        here.clock.call_at_ms(begin + 3000, die)
        here.clock.call_at_ms(begin + 6000, lambda: redirect(here))
        log = await here.call(Hear("music"), Hear("end"), ExpectEnd())
        assert log.problems == []


async def test_a_redirect_asked_while_no_link_was_up_breaks_off_what_ran(tmp_path: Path) -> None:
    async with platform(tmp_path, MUSIC) as here:

        def cut() -> None:
            here.network.is_down = True
            here.network.sever_all()

        def mend() -> None:
            here.network.is_down = False

        begin = here.clock.monotonic_ms()
        here.clock.call_at_ms(begin + 3000, cut)
        here.clock.call_at_ms(begin + 3500, lambda: redirect(here))
        here.clock.call_at_ms(begin + 8000, mend)
        log = await here.call(Hear("music"), Hear("end"), ExpectEnd())
        assert log.problems == []


async def test_keys_asked_for_while_no_link_was_up_are_sent_when_one_is(tmp_path: Path) -> None:
    async with platform(tmp_path, {"/": "<Gather timeout='60'/>"}) as here:
        waiting: list[Request] = []

        def cut() -> None:
            here.network.is_down = True
            here.network.sever_all()

        def ask() -> None:
            (call,) = here.journal.entries
            here.inbox.asked.append(Request(call, DigitsAsked("req_1", ids.leg_of_call(call), "5", 200)))
            here.servers[0].requests_changed()

        def mend() -> None:
            waiting.extend(here.inbox.asked)
            here.network.is_down = False

        begin = here.clock.monotonic_ms()
        here.clock.call_at_ms(begin + 3000, cut)
        here.clock.call_at_ms(begin + 3500, ask)
        here.clock.call_at_ms(begin + 8000, mend)
        await here.call(Wait(20), HangUp())
        (call,) = here.journal.entries
        assert waiting == [Request(call, DigitsAsked("req_1", ids.leg_of_call(call), "5", 200))]
        assert "api asks to send keys 5" in here.timeline


GREETING = {"/": "<Say>hello</Say>"}


async def test_shards_taken_while_the_database_hiccups_are_driven_when_it_is_back(tmp_path: Path) -> None:
    journal = Shelf()
    async with platform(tmp_path, GREETING, journal=journal) as here:
        everything = frozenset(range(16))
        await here.servers[0].keepers[NODE].give(everything)
        journal.is_away = True
        await here.ownership.release(NODE, sorted(everything))
        await here.clock.sleep(2)
        journal.is_away = False
        await here.clock.sleep(1)
        log = await here.call(Hear("hello"), ExpectEnd())
        assert log.problems == []


async def test_a_call_goes_on_when_its_links_are_cut_while_the_database_is_away(tmp_path: Path) -> None:
    journal = Shelf()
    pages = {"/": "<Say>hello</Say><Pause length='5'/><Redirect>/next</Redirect>", "/next": "<Say>still here</Say>"}
    async with platform(tmp_path, pages, journal=journal) as here:

        def cut() -> None:
            journal.is_away = True
            here.network.sever_all()

        here.clock.call_at_ms(here.clock.monotonic_ms() + 1500, cut)
        log = await here.call(Hear("hello"), Hear("still-here"), ExpectEnd())
        assert log.problems == []


async def test_a_leg_that_ended_while_we_looked_has_its_own_cause(tmp_path: Path) -> None:
    clock = VirtualClock()
    journal = Shelf(clock=clock)
    async with platform(tmp_path, {"/": "<Pause length='60'/>"}, journal=journal, clock=clock) as here:

        def cut() -> None:
            journal.delay_s = 2
            here.network.sever_all()

        here.clock.call_at_ms(here.clock.monotonic_ms() + 1500, cut)
        await here.call(Wait(3), HangUp())
        await here.clock.sleep(5)
        assert "caller is gone: ORIGINATOR_CANCEL (SIP 487)" in here.timeline


async def test_a_leg_that_comes_up_when_nobody_knows_it_any_more_is_ended(tmp_path: Path) -> None:
    async with platform(tmp_path, GREETING) as here:
        plan = CalleePlan(5, Then.ANSWER, (ExpectEnd(cause="NORMAL_TEMPORARY_FAILURE"),))
        cast = Cast(here.node, Scenario((), {OUTBOUND.to_number: plan}))
        here.node.far_ends = cast.take_invite
        keeper = here.servers[0].keepers[NODE]
        leg = leg_of_call(CallId(ids.mint(ids.CALL, here.clock.now_ms(), bytes(10))))
        keeper.place(dataclasses.replace(OUTBOUND, a_leg=leg, call=call_of_leg(leg)))
        await here.clock.sleep(1)
        keeper.calls[leg].drop()
        here.journal.entries.clear()
        await here.clock.sleep(50)
        assert await keeper.node.channels() == []


async def test_a_call_from_the_queue_that_was_found_on_record_is_placed_once(tmp_path: Path) -> None:
    async with platform(tmp_path, GREETING) as here:
        keeper = here.servers[0].keepers[NODE]
        keeper.place(OUTBOUND)
        found = keeper.calls[A_LEG]
        keeper.place(OUTBOUND)
        assert keeper.calls[A_LEG] is found
        assert [entry.seq for entry in here.journal.entries[OUTBOUND.call]] == [0]


async def test_a_call_from_the_queue_whose_shard_went_meanwhile_is_left_to_whoever_has_that(tmp_path: Path) -> None:
    async with platform(tmp_path, GREETING) as here:
        keeper = here.servers[0].keepers[NODE]
        await keeper.give(keeper.shards)
        keeper.place(OUTBOUND)
        assert (keeper.calls, dict(here.journal.entries)) == ({}, {})


async def test_nothing_is_kept_of_a_call_that_ends_as_its_application_is_about_to_be_asked(tmp_path: Path) -> None:
    application = Keeping({"/": "<Say>hello</Say>"})
    async with platform(tmp_path, {}, application=application) as here:
        keeper = here.servers[0].keepers[NODE]
        facts = dataclasses.replace(OUTBOUND, document=Link(f"{APP}/"))
        keeper.place(facts)
        call = keeper.calls[A_LEG]
        call.feed(LegAnswered(A_LEG))
        call.feed(LegEnded(A_LEG, "NORMAL_CLEARING"))
        await here.clock.sleep(1)
        assert (application.answered, application.kept) == (["/"], set())


async def test_a_leg_that_is_to_end_before_the_node_has_begun_to_dial_it_does_not_ring_on(tmp_path: Path) -> None:
    async with platform(tmp_path, GREETING) as here:
        here.node.races = Races(seed=1)
        plan = CalleePlan(20, Then.ANSWER, (ExpectEnd(),))
        cast = Cast(here.node, Scenario((), {OUTBOUND.to_number: plan}))
        here.node.far_ends = cast.take_invite
        keeper = here.servers[0].keepers[NODE]
        keeper.place(OUTBOUND)
        keeper.calls[A_LEG].feed(HangUpAsked("req_1"))
        await here.clock.sleep(2)
        assert await keeper.node.channels() == []
        assert here.timeline[-1] == "platform the call is over: canceled (canceled)"


async def test_a_clock_set_back_does_not_set_a_journal_back(tmp_path: Path) -> None:
    clock = SetBack()
    async with platform(tmp_path, GREETING, clock=clock) as here:
        here.clock.call_at_ms(here.clock.monotonic_ms() + 500, clock.set_back)
        await here.call(Hear("hello"), ExpectEnd())
        (entries,) = here.journal.entries.values()
        times = [entry.at_ms for entry in entries]
        assert times == sorted(times)


async def test_a_shard_is_given_away_with_the_calls_that_were_claimed_for_it(tmp_path: Path) -> None:
    async with platform(tmp_path, GREETING) as here:
        await here.servers.pop().stop()
        facts = in_shard(OUTBOUND, "0")
        here.inbox = SlowInbox([facts], clock=here.clock)
        here.ownership = locks = Shared("first")
        await here.start_server()
        locks.servers.append("second")
        await here.until(lambda: len(locks.owned) == 8)
        assert list(here.journal.entries) == [facts.call]


async def test_a_leg_that_was_taken_for_lost_and_comes_up_after_all_is_ended(tmp_path: Path) -> None:
    pages = {"/": "<Dial><Number url='/screen'>+15550003333</Number></Dial><Pause length='60'/>", "/screen": ""}
    async with platform(tmp_path, pages) as here:

        def lose() -> None:
            (call,) = here.servers[0].keepers[NODE].calls_of(frozenset(range(16)))
            call.feed(LegEnded(call.machine.living_legs[1].id, "LOST"))

        here.clock.call_at_ms(here.clock.monotonic_ms() + 1000, lose)
        callee = CalleePlan(5, Then.ANSWER, (ExpectEnd(5, "NORMAL_CLEARING"),))
        await here.call(Wait(20), HangUp(), _15550003333=callee)
        assert [log.problems for log in here.logs] == [[], []]


async def test_a_parked_leg_of_a_call_that_nobody_knows_is_ended(tmp_path: Path) -> None:
    async with platform(tmp_path, {"/": "<Dial><Number url='/screen'>+15550003333</Number></Dial>"}) as here:

        def forget() -> None:
            (call,) = here.servers[0].keepers[NODE].calls_of(frozenset(range(16)))
            call.drop()
            here.journal.entries.clear()
            (caller, *_) = here.node.channels.values()
            caller.hang_up("NORMAL_CLEARING")

        here.clock.call_at_ms(here.clock.monotonic_ms() + 1000, forget)
        callee = CalleePlan(5, Then.ANSWER, (ExpectEnd(50, "NORMAL_TEMPORARY_FAILURE"),))
        await here.call(ExpectEnd(), _15550003333=callee)
        assert [log.problems for log in here.logs] == [[], []]


async def test_what_follows_a_prompt_that_the_node_cannot_be_told_of_is_done_all_the_same(tmp_path: Path) -> None:
    async with platform(tmp_path, {"/": "<Say>hello</Say><Hangup/>"}) as here:
        here.sounds.folder = str(tmp_path / "no folder of ours")
        Path(here.sounds.folder).mkdir()
        log = await here.call(ExpectEnd(within_s=5))

    assert (log.problems, log.cause) == ([], "NORMAL_CLEARING")
    assert [line for line in here.timeline if "13211" in line] == [
        "platform 13211 Not a file of ours. (a value of this document)"
    ]
