"""Calls driven on the emulator: what callers hear, what applications are asked, what survives."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from controlplane.base.ids import CallId, call_of_leg, leg_of_call
from controlplane.calls.facts import Direction, Facts, Inline
from controlplane.callserver.server import CallServer
from controlplane.emulator.parties import Cast
from controlplane.emulator.scenarios import CalleePlan, ExpectEnd, HangUp, Hear, Press, Say, Scenario, Then, Wait
from controlplane.verbs.documents import Link

from .platform import ACCOUNT, APP, NODE, Platform, Sounds, kill, platform


def heard(words: list[str]) -> list[str]:
    return [word for word in words if word.startswith("heard")]


async def test_a_caller_is_greeted_and_goes(tmp_path: Path) -> None:
    async with platform(tmp_path, {"/": "<Say>welcome</Say><Pause/><Say>bye</Say>"}) as here:
        log = await here.call(Hear("welcome"), Hear("bye"), ExpectEnd(cause="NORMAL_CLEARING"))
        assert log.problems == []
        assert here.timeline[-1] == "platform the call is over: completed (normal-clearing)"
        assert here.node.channels == {}


async def test_a_call_is_logged_when_it_is_taken_and_when_it_is_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with platform(tmp_path, {"/": "<Say>welcome</Say>"}) as here:
        await here.call(ExpectEnd())
        (call,) = here.journal.entries
    told = [record.message for record in caplog.records if getattr(record, "call", None) == call]
    assert told == ["call_taken", "call_finished"]


async def test_keys_choose_what_comes_next(tmp_path: Path) -> None:
    pages = {"/": "<Gather numDigits='1' action='/picked'><Say>choose</Say></Gather>", "/picked": "<Say>picked</Say>"}
    async with platform(tmp_path, pages) as here:
        log = await here.call(Hear("choose"), Press("7"), Hear("picked"), ExpectEnd())
        assert log.problems == []
        assert here.pages.asked[1][1]["Digits"] == "7"


async def test_a_message_is_recorded_until_the_finish_key(tmp_path: Path) -> None:
    pages = {"/": "<Say>speak</Say><Record action='/got' finishOnKey='#'/>", "/got": "<Say>thanks</Say>"}
    async with platform(tmp_path, pages) as here:
        log = await here.call(Hear("speak"), Wait(2), Say("hello", 3), Press("#"), Hear("thanks"), ExpectEnd())
        assert log.problems == []
        told = here.pages.asked[1][1]
        assert told["Digits"] == "#"
        assert 2 <= int(told["RecordingDuration"]) <= 5


async def test_an_agent_is_dialled_and_the_caller_goes_on_after(tmp_path: Path) -> None:
    pages = {"/": "<Dial action='/after'>+15550003333</Dial>", "/after": "<Say>bye</Say>"}
    async with platform(tmp_path, pages) as here:
        agent = CalleePlan(1, Then.ANSWER, (Say("how can I help", 3), HangUp()))
        log = await here.call(Hear("how can I help"), Hear("bye"), ExpectEnd(), _15550003333=agent)
        assert log.problems == []
        told = here.pages.asked[1][1]
        assert (told["DialCallStatus"], told["DialBridged"]) == ("completed", "true")


async def test_a_busy_agent_is_told(tmp_path: Path) -> None:
    pages = {"/": "<Dial action='/after'>+15550003333</Dial>", "/after": "<Say>bye</Say>"}
    async with platform(tmp_path, pages) as here:
        log = await here.call(Hear("bye"), ExpectEnd(), _15550003333=CalleePlan(1, Then.BUSY))
        assert log.problems == []
        assert here.pages.asked[1][1]["DialCallStatus"] == "busy"


async def test_the_first_of_several_agents_wins(tmp_path: Path) -> None:
    pages = {"/": "<Dial action='/after'><Number>+15550003333</Number><Number>+15550004444</Number></Dial>"}
    pages["/after"] = "<Say>bye</Say>"
    async with platform(tmp_path, pages) as here:
        fast = CalleePlan(1, Then.ANSWER, (Say("fast", 2), HangUp()))
        slow = CalleePlan(4, Then.ANSWER, (Say("slow", 2), HangUp()))
        log = await here.call(Hear("fast"), Hear("bye"), ExpectEnd(), _15550003333=slow, _15550004444=fast)
        assert log.problems == []
        assert {one.party: one.cause for one in here.logs[1:]}["+15550003333"] == "LOSE_RACE"


async def test_a_screened_agent_hears_the_document_before_the_caller(tmp_path: Path) -> None:
    pages = {
        "/": "<Dial action='/after'><Number url='/screen'>+15550003333</Number></Dial>",
        "/screen": "<Gather numDigits='1' action='/accept'><Say>press a key</Say></Gather><Hangup/>",
        "/accept": "<Say>joining</Say>",
        "/after": "<Say>bye</Say>",
    }
    async with platform(tmp_path, pages) as here:
        script = (Hear("press-a-key"), Press("1"), Hear("joining"), Wait(2), Say("hello caller", 2), HangUp())
        log = await here.call(
            Hear("hello caller"), Hear("bye"), ExpectEnd(), _15550003333=CalleePlan(1, Then.ANSWER, script)
        )
        assert [one.problems for one in here.logs] == [[], []]
        assert log.problems == []


async def test_the_action_is_told_when_the_caller_leaves_while_the_agent_rings(tmp_path: Path) -> None:
    pages = {"/": "<Dial action='/after'>+15550003333</Dial>", "/after": "<Say>never said</Say>"}
    async with platform(tmp_path, pages) as here:
        await here.call(Wait(3), HangUp(), _15550003333=CalleePlan(30, Then.ANSWER))
        callbacks = [told for told in here.callbacks if told.link.url.endswith("/after")]
        assert len(callbacks) + [path for path, _ in here.pages.asked].count("/after") == 1


async def test_a_question_under_way_is_put_to_its_end_when_the_caller_leaves(tmp_path: Path) -> None:
    """FreeSWITCH ends a bridge before it ends the leg: the action of a Dial is asked just before the caller is gone."""
    pages = {"/": "<Gather numDigits='1' action='/picked'/>", "/picked": "<Say>never said</Say>"}
    async with platform(tmp_path, pages) as here:
        here.pages.thinking = asyncio.Event()
        await here.call(Wait(1), Press("1"), Wait(1), HangUp())
        here.pages.thinking.set()
        await here.clock.sleep(0.1)
        assert here.pages.answered == ["/", "/picked"]
        assert here.timeline[-1] == "platform the call is over: completed (normal-clearing)"


def place(here: Platform, document: Link | Inline) -> None:
    """Have the server call somebody who answers after a second and listens."""
    here.node.far_ends = Cast(here.node, Scenario((), {"+15550003333": CalleePlan()})).take_invite
    leg = leg_of_call(CallId("cs_7XTVHE5PSB8PRTSB6VBDN5N2KA"))
    here.servers[0].keepers[NODE].place(
        Facts(
            call=call_of_leg(leg),
            account=ACCOUNT,
            a_leg=leg,
            node=NODE,
            direction=Direction.OUTBOUND_API,
            from_number="+15550002222",
            to_number="+15550003333",
            document=document,
        )
    )


async def test_nothing_is_sent_to_a_dialled_leg_before_it_is_parked(tmp_path: Path) -> None:
    """FreeSWITCH parks it 20 ms after the answer, and cuts what it was sent before that."""
    async with platform(tmp_path, {}) as here:
        place(here, Inline("application/xml", "<Response><Say>hello</Say></Response>"))
        await here.until(lambda: bool(here.node.channels))
        (channel,) = here.node.channels.values()
        await here.until(lambda: channel.is_answered)
        while not channel.is_parked:
            assert list(channel.messages) == []
            await here.clock.sleep(0.001)
        await here.until(lambda: channel.is_down)
        assert here.timeline[-1] == "platform the call is over: completed (normal-clearing)"


async def test_how_a_leg_ended_is_what_its_own_news_says_though_that_comes_after_the_dialling_failed(
    tmp_path: Path,
) -> None:
    """The two come over two links: which is read first is chance."""
    async with platform(tmp_path, {}) as here:
        place(here, Link(f"{APP}/"))
        here.node.far_ends = Cast(here.node, Scenario((), {"+15550003333": CalleePlan(1, Then.REJECT)})).take_invite
        _, events = here.network.transports
        events.pause_reading()
        await here.clock.sleep(1.15)
        events.resume_reading()
        await here.clock.sleep(1)
        assert here.timeline[-1] == "platform the call is over: busy (declined)"


async def test_a_call_that_is_just_being_dialled_is_not_missed(tmp_path: Path) -> None:
    async with platform(tmp_path, {"/": "<Say>hello</Say>"}) as here:
        place(here, Link(f"{APP}/"))
        await here.servers[0].keepers[NODE].sweep()
        await here.clock.sleep(10)
        assert here.timeline[-1] == "platform the call is over: completed (normal-clearing)"


async def test_an_agent_whose_turn_has_not_come_is_not_missed(tmp_path: Path) -> None:
    """Calls are looked through every 15 seconds for legs that are gone."""
    pages = {"/": f"{'<Say>one</Say>' * 20}<Dial>+15550003333</Dial>"}
    async with platform(tmp_path, pages) as here:
        agent = CalleePlan(1, Then.ANSWER, (Say("here I am", 2), HangUp()))
        log = await here.call(Hear("here I am"), ExpectEnd(), _15550003333=agent)
        assert log.problems == []
        assert [line for line in here.timeline if line.startswith("callee")] == [
            "callee rings",
            "callee answers",
            "callee is gone: NORMAL_CLEARING",
        ]


async def test_an_agent_after_an_agent(tmp_path: Path) -> None:
    pages = {"/": "<Dial>+15550003333</Dial><Dial>+15550004444</Dial><Say>bye</Say>"}
    async with platform(tmp_path, pages) as here:
        first = CalleePlan(1, Then.ANSWER, (Say("first", 2), HangUp()))
        second = CalleePlan(1, Then.ANSWER, (Say("second", 2), HangUp()))
        log = await here.call(
            Hear("first"), Hear("second"), Hear("bye"), ExpectEnd(), _15550003333=first, _15550004444=second
        )
        assert log.problems == []


async def test_a_screened_agent_after_a_screened_agent_after_one_who_is_not(tmp_path: Path) -> None:
    screened = "<Dial><Number url='/screen'>+15550003333</Number></Dial>"
    pages = {"/": f"{screened}<Dial>+15550004444</Dial>{screened}<Say>bye</Say>", "/screen": "<Say>call</Say>"}
    async with platform(tmp_path, pages) as here:
        one = CalleePlan(1, Then.ANSWER, (Hear("call"), Wait(2), Say("one", 2), HangUp()))
        other = CalleePlan(1, Then.ANSWER, (Say("other", 2), HangUp()))
        script = (Hear("one"), Hear("other"), Hear("one"), Hear("bye"), ExpectEnd())
        log = await here.call(*script, _15550003333=one, _15550004444=other)
        assert log.problems == []


async def test_early_media_is_no_answer(tmp_path: Path) -> None:
    pages = {"/": "<Dial timeout='5' action='/after'>+15550003333</Dial>", "/after": "<Say>bye</Say>"}
    async with platform(tmp_path, pages) as here:
        plan = CalleePlan(1, Then.EARLY_MEDIA, (Say("hello", 2), HangUp()))
        log = await here.call(Hear("hello"), Hear("bye"), ExpectEnd(), _15550003333=plan)
        assert log.problems == []
        assert [line for line in here.timeline if "callee" in line][:3] == [
            "callee rings",
            "callee answers",
            "callee is gone: NORMAL_CLEARING",
        ]


async def test_a_prompt_that_cannot_be_made_is_passed_over(tmp_path: Path) -> None:
    pages = {"/": "<Say>first</Say><Play>/gone.wav</Play><Say>third</Say>"}
    async with platform(tmp_path, pages, Sounds(missing=frozenset({"gone"}))) as here:
        log = await here.call(Hear("first"), Hear("third"), ExpectEnd())
        assert log.problems == []
        assert any("gone.wav" in line for line in here.timeline)


async def test_a_number_that_asks_for_nothing_it_can_get_is_told_so(tmp_path: Path) -> None:
    async with platform(tmp_path, {"/": 11205}) as here:
        log = await here.call(Hear("*application-error*"), ExpectEnd())
        assert log.problems == []


# Links and servers that go


async def test_a_call_goes_on_after_its_links_were_cut(tmp_path: Path) -> None:
    pages = {"/": "<Gather numDigits='2' timeout='20' action='/got'><Say>type</Say></Gather>", "/got": "<Say>ok</Say>"}
    async with platform(tmp_path, pages) as here:
        here.clock.call_at_ms(here.clock.monotonic_ms() + 1500, here.network.sever_all)
        log = await here.call(Hear("type"), Wait(4), Press("42"), Hear("ok"), ExpectEnd())
        assert log.problems == []
        assert here.pages.asked[1][1]["Digits"] == "42"


async def test_keys_typed_while_no_link_was_up_are_not_lost(tmp_path: Path) -> None:
    pages = {"/": "<Gather numDigits='2' timeout='20' action='/got'><Say>type</Say></Gather>", "/got": "<Say>ok</Say>"}
    async with platform(tmp_path, pages) as here:

        def cut() -> None:
            here.network.is_down = True
            here.network.sever_all()

        def mend() -> None:
            here.network.is_down = False

        begin = here.clock.monotonic_ms()
        here.clock.call_at_ms(begin + 1500, cut)
        here.clock.call_at_ms(begin + 6000, mend)
        log = await here.call(Hear("type"), Wait(2), Press("42"), Hear("ok"), ExpectEnd())
        assert log.problems == []
        assert here.pages.asked[1][1]["Digits"] == "42"


async def replace(here: Platform, first: CallServer) -> None:
    """The first server dies without a word: its links break, its locks are free. A second takes over."""
    kill(first)
    here.network.sever_all()
    await here.ownership.close()
    here.servers.remove(first)
    await here.start_server("second")


async def test_another_server_goes_on_in_the_middle_of_a_prompt(tmp_path: Path) -> None:
    pages = {
        "/": "<Say>one</Say><Pause length='8'/><Say>two</Say><Redirect>/next</Redirect>",
        "/next": "<Say>end</Say>",
    }
    async with platform(tmp_path, pages) as here:

        def die() -> None:
            asyncio.get_running_loop().create_task(replace(here, here.servers[0]))

        here.clock.call_at_ms(here.clock.monotonic_ms() + 3000, die)
        log = await here.call(Hear("one"), Hear("two"), Hear("end"), ExpectEnd())
        assert log.problems == []
        assert [word.rpartition("/")[2] for word in heard(log.words())] == ["one.wav", "two.wav", "end.wav"]
        assert "platform second drives the call from here on" in here.timeline
        assert [path for path, _ in here.pages.asked] == ["/", "/next"]
