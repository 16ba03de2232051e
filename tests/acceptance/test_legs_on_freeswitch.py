"""How legs are dialled, joined, ended, found and filtered, on a real FreeSWITCH."""

from __future__ import annotations

import json
import threading

import pytest

from controlplane.base.causes import Cause
from controlplane.base.ids import LegId
from controlplane.esl import apis, apps
from controlplane.esl.apps import execute, hang_up
from controlplane.esl.commands import (
    KICK,
    EslEventName,
    leave,
    line,
    see_no_application,
    see_no_events,
    see_no_step,
    see_only_jobs,
    see_only_shards,
    see_shards_no_more,
    subscribe,
)
from controlplane.esl.dialstring import DialString, Order, bridge
from controlplane.esl.sip_uri import Hop
from controlplane.esl.sounds import Silence
from controlplane.esl.variables import Setting, Variable, mark
from controlplane.switch.terms import TERMS
from controlplane.switch.writing import Writer
from tests.acceptance.media_node import MediaNode, new_uuid
from tests.acceptance.parked_call import Call, party

pytestmark = pytest.mark.freeswitch
WRITER = Writer("internal", Hop("127.0.0.1"), "/recordings")


def test_a_leg_is_answered_asked_for_and_ended_at_once(call: Call) -> None:
    link, leg = call.link, call.leg
    assert link.send(apis.uuid_answer(leg)) == "+OK\n"
    assert link.send(apis.uuid_exists(leg)) == "true"
    assert json.loads(link.send(apis.uuid_dump(leg)))["Unique-ID"] == leg
    assert link.send(apis.uuid_kill(leg, Cause.USER_BUSY)) == "+OK\n"
    assert link.until("CHANNEL_HANGUP_COMPLETE", Unique_ID=leg).get("Hangup-Cause") == "USER_BUSY"
    assert link.send(apis.uuid_exists(leg)) == "false"
    assert link.send(execute(leg, apps.answer())) == f"-ERR invalid session id [{leg}]"
    assert link.send(apis.uuid_kill(leg, Cause.USER_BUSY)) == "-ERR No such channel!\n"
    assert link.send(apis.uuid_getvar(leg, "x")) == "-ERR No such channel!\n"


@pytest.mark.parametrize("way", ["application", "api"])
def test_a_leg_ends_when_its_time_is_up(call: Call, way: str) -> None:
    if way == "api":
        assert call.link.send(apis.sched_hangup(call.leg, 1, Cause.ALLOTTED_TIMEOUT)) == "+OK\n"
    else:
        call.run(apps.sched_hangup(1, Cause.ALLOTTED_TIMEOUT))
    ended = call.link.until("CHANNEL_HANGUP_COMPLETE", Unique_ID=call.leg)
    assert ended.get("Hangup-Cause") == "ALLOTTED_TIMEOUT"


def test_a_leg_whose_watchdog_was_cancelled_lives_on(call: Call) -> None:
    call.run(apps.sched_hangup(1, Cause.RECOVERY_ON_TIMER_EXPIRE))
    assert call.link.send(apis.sched_del(call.leg)) == "+OK Deleted: 1\n"
    call.run(apps.sleep(2500))
    assert call.link.send(apis.uuid_exists(call.leg)) == "true"


def test_a_hang_up_waits_for_what_runs(call: Call) -> None:
    call.run(apps.answer())
    call.link.send(execute(call.leg, apps.playback([Silence(300)]), "first"))
    call.link.send(hang_up(call.leg, Cause.USER_BUSY))
    assert call.link.until("PLAYBACK_STOP", Unique_ID=call.leg).get("Playback-Status") == "done"
    ended = call.link.until("CHANNEL_HANGUP_COMPLETE", Unique_ID=call.leg)
    assert ended.get("Hangup-Cause") == "USER_BUSY"


def test_what_holds_for_every_leg_is_the_nodes(call: Call) -> None:
    for setting in TERMS:
        assert call.link.send(apis.global_setvar(setting)) == "+OK"
        assert call.link.send(apis.uuid_getvar(call.leg, setting.name)) == setting.value
    assert call.run(apps.sleep(1)).variable(Variable.PLAYBACK_TERMINATORS) is None


def test_a_leg_rings_has_early_media_and_is_parked(call: Call) -> None:
    call.link.send(execute(call.leg, apps.ring_ready()))
    call.link.until("CHANNEL_PROGRESS", Unique_ID=call.leg)
    call.link.send(execute(call.leg, apps.pre_answer()))
    call.link.until("CHANNEL_PROGRESS_MEDIA", Unique_ID=call.leg)
    call.start(apps.park())


BACK_TO_PARK = [
    Setting(Variable.HANGUP_AFTER_BRIDGE, "false"),
    Setting(Variable.CONTINUE_ON_FAIL, "true"),
    Setting(Variable.PARK_AFTER_BRIDGE, "true"),
]


def test_the_first_of_several_that_answers_is_joined(call: Call) -> None:
    winner, loser = new_uuid(), new_uuid()
    call.run(apps.answer())
    call.run(apps.multiset(BACK_TO_PARK))
    legs = (
        party(call.node, "rings", (Setting(Variable.ORIGINATION_UUID, loser), Setting(Variable.LEG_TIMEOUT_S, "20"))),
        party(call.node, "busy"),
        party(
            call.node,
            "answers",
            (
                Setting(Variable.ORIGINATION_UUID, winner),
                Setting(Variable.CALLER_NAME, "Café Zoë (1)"),
                mark("of", "cs_1"),
            ),
            (apps.sched_hangup(2, Cause.ALLOTTED_TIMEOUT), apps.multiset([mark("tried", "yes"), mark("b", "2")])),
        ),
    )
    dial = DialString(legs, Order.AT_ONCE, (Setting(Variable.ORIGINATE_TIMEOUT_S, "30"), mark("all", "x")))
    token = call.start(bridge(dial))
    joined = call.link.until("CHANNEL_BRIDGE", Unique_ID=call.leg)
    assert joined.get("Other-Leg-Unique-ID") == winner
    ended = call.link.until("CHANNEL_HANGUP_COMPLETE", Unique_ID=winner)
    names = ("callplane_of", "callplane_all", "callplane_tried", "callplane_b", "origination_caller_id_name")
    assert ended.get("Hangup-Cause") == "ALLOTTED_TIMEOUT"
    assert [ended.variable(name) for name in names] == ["cs_1", "x", "yes", "2", "Café Zoë (1)"]
    assert call.done(token).variable("originate_disposition") == "SUCCESS"


def test_legs_dialled_in_turn_end_with_the_last_verdict(call: Call) -> None:
    call.run(apps.multiset(BACK_TO_PARK))
    first = party(call.node, "rings", (Setting(Variable.LEG_TIMEOUT_S, "1"),))
    done = call.run(bridge(DialString((first, party(call.node, "busy")), Order.IN_TURN)))
    assert done.variable("originate_disposition") == "USER_BUSY"
    assert call.link.send(apis.uuid_exists(call.leg)) == "true"


def test_two_parked_legs_are_joined(call: Call) -> None:
    other = new_uuid()
    call.run(apps.answer())
    leg = party(call.node, "answers", (Setting(Variable.ORIGINATION_UUID, other),))
    call.link.send(apis.originate(leg, (), "other"))
    assert call.link.until("BACKGROUND_JOB", Job_UUID="other").body == f"+OK {other}\n"
    assert call.link.send(apis.uuid_bridge(call.leg, other)) == f"+OK {other}\n"
    call.link.until("CHANNEL_BRIDGE")


def test_a_leg_can_be_interrupted_as_often_as_one_likes(call: Call) -> None:
    """FreeSWITCH takes each for a transfer, and ends a leg that has used up its Max-Forwards (70, or the caller's)."""
    hops = call.link.send(apis.uuid_getvar(call.leg, "max_forwards"))
    terms = [apis.global_setvar(setting) for setting in TERMS]
    for command in (*terms, *75 * WRITER.interrupt(LegId(call.leg), is_parked_after=True)):
        call.link.send(command)
    call.run(apps.sleep(100))
    assert call.link.send(apis.uuid_getvar(call.leg, "max_forwards")) == hops


@pytest.mark.parametrize("after_ms", [0, 10, 20, 30])
def test_a_leg_lives_on_whose_partner_goes_while_the_two_are_joined(call: Call, after_ms: int) -> None:
    """FreeSWITCH ends the first, where it is not told to park it (switch_ivr_bridge.c, uuid_bridge_on_soft_execute)."""
    other = new_uuid()
    call.run(apps.answer())
    leg = party(call.node, "answers", (Setting(Variable.ORIGINATION_UUID, other),))
    call.link.send(apis.originate(leg, (), "other"))
    call.link.until("BACKGROUND_JOB", Job_UUID="other")
    interrupt, join = (
        WRITER.interrupt(LegId(call.leg), is_parked_after=True),
        WRITER.join(LegId(call.leg), LegId(other)),
    )
    for command in (*interrupt, *join):
        call.link.send(command)
    threading.Event().wait(after_ms / 1000)  # the time at which it goes is what is tried
    call.link.send(apis.uuid_kill(other, Cause.NORMAL_CLEARING))
    call.link.until("CHANNEL_HANGUP_COMPLETE", Unique_ID=other)
    for command in interrupt:
        call.link.send(command)
    call.run(apps.sleep(100))
    assert call.link.send(apis.uuid_exists(call.leg)) == "true"


def test_a_dialled_leg_runs_what_it_was_given_when_it_answers(call: Call) -> None:
    other = new_uuid()
    on_answer = (apps.record_session(call.file("b-leg")), apps.send_dtmf("5w6"))
    leg = party(call.node, "answers", (Setting(Variable.ORIGINATION_UUID, other),), on_answer)
    call.link.send(apis.originate(leg, (), "other"))
    done = [call.link.until("CHANNEL_EXECUTE_COMPLETE", Unique_ID=other) for _ in on_answer]
    assert [(event.get("Application"), event.get("Application-Data")) for event in done] == [
        (app.name.value, app.argument) for app in on_answer
    ]


def test_a_call_that_fails_says_why(call: Call) -> None:
    settings = (Setting(Variable.ORIGINATE_TIMEOUT_S, "1"), Setting(Variable.IGNORE_EARLY_MEDIA, "true"))
    for name, cause in (("busy", "USER_BUSY"), ("rings", "NO_ANSWER")):
        call.link.send(apis.originate(party(call.node, name), settings, name))
        assert call.link.until("BACKGROUND_JOB", Job_UUID=name).body == f"-ERR {cause}\n"


def test_the_node_tells_what_it_has(call: Call) -> None:
    settings = [Setting(Variable.PRESENCE_DATA, "cs_9"), Setting(Variable.ACCOUNT, "acc_1")]
    call.link.send(apis.uuid_setvar_multi(call.leg, settings))
    call.run(apps.answer())
    call.run(apps.sleep(500))
    rows = json.loads(call.link.send(apis.show_channels()))["rows"]
    [row] = [row for row in rows if row["uuid"] == call.leg]
    assert (row["presence_data"], row["accountcode"]) == ("cs_9", "acc_1")
    assert call.link.send(line("api", "show channels count")) == f"\n{len(rows)} total.\n"
    assert len(call.link.send(apis.core_uuid())) == 36
    assert call.link.send(apis.status()).startswith("UP ")
    assert call.link.send(apis.ping()).strip().isdigit()


def test_a_filter_by_shard_lets_only_its_channels_through(node: MediaNode) -> None:
    watcher, link = node.link(EslEventName.CHANNEL_CREATE, EslEventName.BACKGROUND_JOB), node.link()
    assert watcher.send(see_only_shards([10, 11])) == "+OK filter added. [Unique-ID]=[/[ab]$/]"
    assert watcher.send(see_only_shards([3])) == "+OK filter added. [Unique-ID]=[/[3]$/]"
    assert watcher.send(see_shards_no_more([10, 11])) == "+OK filter deleted. [Unique-ID][/[ab]$/]"
    assert watcher.send(see_only_jobs("cs_1.")) == "+OK filter added. [Job-UUID]=[/^cs_1[.]/]"
    for last in "a3":
        leg = party(node, "busy", (Setting(Variable.ORIGINATION_UUID, new_uuid()[:-1] + last),))
        link.send(apis.originate(leg, (), f"cs_1x.{last}"))
    leg = party(node, "busy", (Setting(Variable.ORIGINATION_UUID, new_uuid()[:-1] + "b"),))
    link.send(apis.originate(leg, (), "cs_1.0.1"))
    created = watcher.until("CHANNEL_CREATE")
    assert (created.get("Unique-ID") or "")[-1] == "3"
    job = watcher.until("BACKGROUND_JOB")
    assert job.get("Job-UUID") == "cs_1.0.1"


def test_a_link_is_not_told_of_what_is_kept_back(node: MediaNode, call: Call) -> None:
    watcher = node.link(EslEventName.CHANNEL_EXECUTE_COMPLETE)
    assert watcher.send(see_no_application("sleep")) == "+OK filter added. [Application]=[-sleep]"
    assert watcher.send(see_no_step("step")) == "+OK filter added. [Application-UUID]=[-step]"
    watcher.send(see_only_shards(range(16)))
    quiet, told = mark("look", "1"), mark("look", "2")
    for command in (
        execute(call.leg, apps.multiset((quiet,)), "step"),
        execute(call.leg, apps.sleep(20), "cs_1.0.1"),
        execute(call.leg, apps.multiset((told,)), "cs_1.0.2"),
    ):
        assert call.link.send(command) == "+OK"
    first = watcher.until("CHANNEL_EXECUTE_COMPLETE", Unique_ID=call.leg)
    assert (first.get("Application-UUID"), first.variable("callplane_look")) == ("cs_1.0.2", "2")


def test_a_link_changes_what_it_hears_and_leaves(node: MediaNode) -> None:
    link = node.link()
    assert link.send(subscribe([EslEventName.HEARTBEAT])) == "+OK event listener enabled plain"
    assert link.send(see_no_events()) == "+OK no longer listening for events"
    link.write(KICK)
    assert link.send(leave()) == "+OK bye"
