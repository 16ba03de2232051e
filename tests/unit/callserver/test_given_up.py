"""Calls that cannot be gone on with: they end, and that is put on record."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from pathlib import Path

import pytest

from controlplane.base.causes import Cause
from controlplane.base.ids import CALL, CallId, leg_of_call, mint
from controlplane.calls.events import CallOffered, Entry, LegAnswered, LegEnded
from controlplane.calls.facts import Facts
from controlplane.callserver.ports import Stored
from controlplane.emulator.parties import Cast
from controlplane.emulator.scenarios import CalleePlan, ExpectEnd, HangUp, Hear, Scenario, Then, Wait
from controlplane.verbs.documents import Link
from tests.unit.calls.conversation import A_LEG, OUTBOUND

from .doubles import Broken, BrokenSounds, Choosy, Fading, Filling, Shelf
from .platform import APP, NODE, platform

GREETING = {"/": "<Say>hello</Say>"}


def facts_of_entry(entry: Entry) -> Facts:
    assert isinstance(entry.event, CallOffered)
    return entry.event.facts


async def test_a_call_that_cannot_be_put_on_record_is_ended(tmp_path: Path) -> None:
    journal = Shelf()
    pages = {"/": "<Say>hello</Say><Redirect>/next</Redirect>", "/next": "<Say>never</Say>"}
    async with platform(tmp_path, pages, journal=journal, application=Filling(pages, journal=journal)) as here:
        log = await here.call(Hear("hello"), ExpectEnd(cause="NORMAL_TEMPORARY_FAILURE"))
        assert log.problems == []
        assert here.servers[0].keepers[NODE].calls == {}


async def test_a_call_that_was_given_up_is_over_on_record_as_soon_as_that_can_be(tmp_path: Path) -> None:
    journal = Shelf()
    pages = {"/": "<Say>hello</Say><Redirect>/next</Redirect>", "/next": "<Say>never</Say>"}
    async with platform(tmp_path, pages, journal=journal, application=Filling(pages, journal=journal)) as here:
        await here.call(Hear("hello"), ExpectEnd(cause="NORMAL_TEMPORARY_FAILURE"))
        journal.is_full = False
        await here.clock.sleep(40)
        assert here.timeline[-1].startswith("platform the call is over")


async def test_a_call_that_is_over_but_for_a_leg_is_counted_by_whoever_saw_its_verdict_and_nobody_after(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    pages = {"/": "<Dial><Number url='/screen'>+15550003333</Number></Dial>", "/screen": "<Pause length='30'/>"}
    async with platform(tmp_path, pages) as here:

        def lose() -> None:
            (call,) = here.servers[0].keepers[NODE].calls_of(frozenset(range(16)))
            call.feed(LegEnded(call.machine.facts.a_leg, "NORMAL_CLEARING"))
            call.drop()

        here.clock.call_at_ms(here.clock.monotonic_ms() + 3000, lose)
        callee = CalleePlan(1, Then.ANSWER, (ExpectEnd(60),))
        await here.call(Wait(5), HangUp(), _15550003333=callee)
        await here.clock.sleep(60)
    told = [record.message for record in caplog.records if record.message in ("call_taken", "call_finished")]
    assert told == ["call_taken", "call_finished", "call_taken"]


async def test_a_call_that_nobody_drives_is_gone_on_with_though_the_database_went_away_as_it_was_found(
    tmp_path: Path,
) -> None:
    journal = Fading()
    pages = {"/": "<Pause length='60'/><Redirect>/next</Redirect>", "/next": "<Say>end</Say>"}
    async with platform(tmp_path, pages, journal=journal) as here:

        def lose() -> None:
            (call,) = here.servers[0].keepers[NODE].calls_of(frozenset(range(16)))
            call.drop()
            journal.answers_left = 2

        begin = here.clock.monotonic_ms()
        here.clock.call_at_ms(begin + 2000, lose)
        here.clock.call_at_ms(begin + 50_000, journal.come_back)
        log = await here.call(Hear("end", 100), ExpectEnd())
        assert log.problems == []


async def test_a_call_of_which_something_can_never_be_recorded_ends_and_is_over_on_record(tmp_path: Path) -> None:
    pages = {"/": "<Say>hello</Say><Redirect>/next</Redirect>", "/next": "<Say>never</Say>"}
    async with platform(tmp_path, pages, journal=Choosy()) as here:
        log = await here.call(Hear("hello"), ExpectEnd(cause="NORMAL_TEMPORARY_FAILURE"))
        await here.clock.sleep(40)
        assert log.problems == []
        assert here.timeline[-1].startswith("platform the call is over")


async def test_a_journal_that_makes_no_call_gets_its_verdict_and_keeps_nobody_from_the_others(tmp_path: Path) -> None:
    journal = Shelf(strange=(Stored(OUTBOUND, (Entry(0, 0, LegAnswered(A_LEG)),)),))
    async with platform(tmp_path, GREETING, journal=journal) as here:
        log = await here.call(Hear("hello"), ExpectEnd())
        assert log.problems == []
        assert journal.written_off == {OUTBOUND.call: Cause.JOURNAL_UNREADABLE}


async def test_a_caller_whose_call_nobody_can_read_any_more_is_hung_up_on(tmp_path: Path) -> None:
    journal = Shelf()
    async with platform(tmp_path, {"/": "<Say>hello</Say><Pause length='60'/>"}, journal=journal) as here:

        async def replaced_by_one_that_cannot_read_it() -> None:
            await here.servers.pop().stop()
            ((call, entries),) = journal.entries.items()
            facts = dataclasses.replace(facts_of_entry(entries[0]), from_number="", to_number="")
            journal.strange = (Stored(facts, (), is_readable=False),)
            del journal.entries[call]
            await here.start_server("second")

        def begin() -> None:
            tasks.append(asyncio.get_running_loop().create_task(replaced_by_one_that_cannot_read_it()))

        tasks: list[asyncio.Task[None]] = []
        here.clock.call_at_ms(here.clock.monotonic_ms() + 3000, begin)
        log = await here.call(Hear("hello"), ExpectEnd(cause="NORMAL_TEMPORARY_FAILURE"))
        assert log.problems == []
        assert len(journal.written_off) == 1
        assert journal.entries == {}


@pytest.mark.parametrize("is_there", [True, False])
async def test_a_call_that_may_have_been_dialled_is_lost_and_not_dialled_again(tmp_path: Path, is_there: bool) -> None:
    """A review found it: the first entry was on the disk of a host that died, and a callee was called twice."""
    journal = Shelf()
    pages = {"/": "<Say>hello</Say><Pause length='60'/>"}
    async with platform(tmp_path, pages, journal=journal) as here:
        callee = CalleePlan(after_answer=(ExpectEnd(60),) if is_there else (Wait(2), HangUp()))
        cast = Cast(here.node, Scenario((), {OUTBOUND.to_number: callee}))
        here.node.far_ends = cast.take_invite
        facts = dataclasses.replace(OUTBOUND, node=NODE, document=Link(f"{APP}/"))
        here.inbox.calls.append(facts)
        here.servers[0].queue_changed()
        await here.clock.sleep(5)
        await here.servers.pop().stop()
        journal.entries.clear()
        journal.strange = (Stored(facts, (), may_have_been_dialled=True),)
        await here.start_server("second")
        await here.clock.sleep(5)
        assert [log.cause for log in cast.logs] == ["NORMAL_TEMPORARY_FAILURE" if is_there else "NORMAL_CLEARING"]
        assert journal.written_off == {facts.call: Cause.LOST}
        assert here.node.channels == {}


async def test_while_the_database_is_away_calls_that_are_to_be_ended_on_record_wait_together(tmp_path: Path) -> None:
    """A review found it: each of them waited for the database, and all news of the node for them."""
    calls = [CallId(mint(CALL, 1, bytes([number]) * 10)) for number in range(20)]
    strange = [dataclasses.replace(OUTBOUND, node=NODE, call=call, a_leg=leg_of_call(call)) for call in calls]
    journal = Shelf(strange=tuple(Stored(facts, (), is_readable=False) for facts in strange), cannot_write_off=True)
    async with platform(tmp_path, GREETING, journal=journal) as here:
        assert journal.refused == 1
        journal.strange = ()  # whoever looks for what nobody drives does not find them once more
        await here.clock.sleep(30)
        journal.cannot_write_off = False
        await here.clock.sleep(30)
        assert journal.written_off == dict.fromkeys(calls, Cause.JOURNAL_UNREADABLE)


async def test_a_call_whose_application_cannot_be_asked_for_a_defect_of_ours_is_ended(tmp_path: Path) -> None:
    async with platform(tmp_path, {}, application=Broken({})) as here:
        log = await here.call(ExpectEnd(cause="NORMAL_TEMPORARY_FAILURE"))
        assert log.problems == []


async def test_a_call_whose_prompt_cannot_be_made_for_a_defect_of_ours_is_ended(tmp_path: Path) -> None:
    async with platform(tmp_path, GREETING, BrokenSounds(slow=frozenset({"hello"}))) as here:
        log = await here.call(ExpectEnd(cause="NORMAL_TEMPORARY_FAILURE"))
        assert log.problems == []
