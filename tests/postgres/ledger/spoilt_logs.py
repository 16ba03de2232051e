"""What callers, nodes, the tenant's server and the API wrote down, and our own processes: not as it should be."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from controlplane.base.ids import CALL, NUMBER, id_of
from tests.postgres.ledger.mutation import Mutate, Mutation
from tests.postgres.ledger.scene import (
    BUSY,
    DID,
    DIED_S,
    LOST,
    NEVER,
    PLACED,
    REFUSED,
    RUNG,
    TALKS,
    Scene,
    dialog,
    placement,
    plan,
    record,
)

SPOILT_LOGS: list[Mutation] = []
_OTHER_CALL = id_of(CALL, 99)


def _lose(name: str, *checks: str, whose: str = "") -> Callable[[Mutate], Mutate]:
    """Enter a mutation into the list."""

    def enter(mutate: Mutate) -> Mutate:
        SPOILT_LOGS.append(Mutation(name, frozenset(checks), mutate, whose))
        return mutate

    return enter


@_lose("a dead call server is listed", "dead-server-left")
def _dead_server(scene: Scene) -> None:
    scene.sql("INSERT INTO call_servers (server_id, backend_pid, backend_start) VALUES ('dead', 1, now())")


@_lose("a call server has another's session", "dead-server-left", "stray-lock")
def _restarted_server(scene: Scene) -> None:
    scene.sql(
        "UPDATE call_servers SET backend_start = backend_start - interval '1 s',"
        " backend_pid = (SELECT max(backend_pid) + 1 FROM call_servers)"
    )


@_lose("a shard's lock belongs to nobody", "stray-lock")
def _stray_lock(scene: Scene) -> None:
    scene.sql("DELETE FROM call_servers")


@_lose("nobody called", "row-without-origin", whose=BUSY)
def _nobody_called(scene: Scene) -> None:
    del scene.dialogs[BUSY]


@_lose("a call was dialled that nobody asked for", "row-without-origin", whose=PLACED)
def _nobody_asked(scene: Scene) -> None:
    del scene.dialogs[PLACED], scene.placements[0], scene.records[PLACED], scene.plans[PLACED]


@_lose("the API took a call that is not there", "placement-without-row")
def _placement(scene: Scene) -> None:
    scene.placements.append(placement("+15559000098", 0, 201, call=_OTHER_CALL))


@_lose("the API took a call and gave no name", "placement-without-row")
def _nameless_placement(scene: Scene) -> None:
    scene.placements.append(placement(PLACED, 0, 200, call=id_of(NUMBER, 7)))


@_lose("the API refuses a call while all is well", "placement-refused")
def _placement_refused(scene: Scene) -> None:
    scene.placements.append(placement("+15559000097", 3.0, 503, retry_after="5"))


@_lose("the API does not say when to come again", "placement-refused")
def _no_retry_after(scene: Scene) -> None:
    scene.placements[1]["retry_after"] = None


@_lose("the API fails where it should say that it cannot", "placement-refused")
def _placement_fails(scene: Scene) -> None:
    scene.placements[1]["status"] = 500


@_lose("somebody who was to call never did", "not-made")
def _not_made(scene: Scene) -> None:
    scene.plans[NEVER] = plan(NEVER, "caller", 12.0)


@_lose("the API took a call that nobody got", "not-made")
def _nobody_called_them(scene: Scene) -> None:
    scene.plans["other"] = plan("+15559000096", "callee", 1.0)
    scene.placements.append(placement("+15559000096", 1.0, 201, call=scene.calls[PLACED]))


@_lose("a caller is turned away with a row of their call", "not-answered", whose=BUSY)
def _turned_away(scene: Scene) -> None:
    scene.plans[BUSY] = plan(BUSY, "caller", 1.0)


@_lose("a caller is turned away without one", "not-answered")
def _turned_away_and_forgotten(scene: Scene) -> None:
    scene.dialogs["new"] = dialog("+15550000009", DID, 3.0, None, 3.1, final_status=404)
    scene.plans["new"] = plan("+15550000009", "caller", 3.0)


@_lose("a call ends before its last document", "broken-off", whose=TALKS)
def _broken_off(scene: Scene) -> None:
    scene.plans[TALKS]["asks"] += ("/app/never",)


@_lose("a document was asked for and could not be had", "broken-off", whose=PLACED)
def _no_document(scene: Scene) -> None:
    scene.webhooks[-1]["answered"] = None


@_lose("a telephone that was to be dialled never rang", "broken-off", whose=TALKS)
def _never_dialled(scene: Scene) -> None:
    scene.plans[TALKS]["rings"] = "+15559000095"


@_lose("a call is lost, and nothing had happened", "lost-without-need", whose=BUSY)
def _lost_without_need(scene: Scene) -> None:
    scene.sql("UPDATE calls SET cause = 'LOST' WHERE call_id = %(call)s", call=scene.uuid(BUSY))


@_lose("a call ended long before its node died, and the node has no record", "dialog-without-record", whose=LOST)
def _ended_before(scene: Scene) -> None:
    scene.run["fault_at"] = DIED_S + 3
    scene.sql(
        "UPDATE calls SET ended_at = to_timestamp(%(at)s), cause = 'NORMAL_CLEARING' WHERE call_id = %(call)s",
        at=DIED_S + 0.1,
        call=scene.uuid(LOST),
    )


@_lose("a call is told as answered where it was told to ring", "happened-twice", "event-differs", whose=TALKS)
def _answered_twice(scene: Scene) -> None:
    scene.sql(
        "UPDATE events SET kind = 'call.answered' WHERE call_id = %(call)s AND kind = 'call.ringing'",
        call=scene.uuid(TALKS),
    )


@_lose("a lost call is on record as answered when it was found to be lost", "lost-at-another-time", whose=LOST)
def _answered_too_late(scene: Scene) -> None:
    scene.sql("UPDATE calls SET answered_at = answered_at + interval '3 s' WHERE call_id = %(c)s", c=scene.uuid(LOST))


@_lose("a lost call is on record as over before its node died", "lost-at-another-time", whose=LOST)
def _over_too_early(scene: Scene) -> None:
    scene.sql("UPDATE calls SET ended_at = ended_at - interval '9 s' WHERE call_id = %(c)s", c=scene.uuid(LOST))


@_lose("an answer long before its node died is not on record", "answer-in-doubt", whose=LOST)
def _answer_not_known(scene: Scene) -> None:
    scene.sql("UPDATE calls SET answered_at = NULL WHERE call_id = %(call)s", call=scene.uuid(LOST))


@_lose("no callback tells the end of a leg", "broken-off", whose=TALKS)
def _end_not_called_back(scene: Scene) -> None:
    scene.callbacks()[-1]["body"]["CallStatus"] = "in-progress"


@_lose("a recording is not kept", "broken-off", whose=TALKS)
def _not_recorded(scene: Scene) -> None:
    scene.sql("UPDATE recordings SET state = 'failed'")


@_lose("a caller is refused though somebody was there", "refused-without-need")
def _refused(scene: Scene) -> None:
    scene.run["unavailable"] = [[scene.run["began_at"], scene.run["began_at"] + 5]]
    del scene.plans[REFUSED], scene.plans[NEVER]


@_lose("a caller hears nothing at all", "refused-without-need")
def _no_answer(scene: Scene) -> None:
    silent = dialog("+15550000009", DID, 3.0, None, 13.0, final_status=None, ended_by=None)
    scene.dialogs["silent"] = silent


@_lose("a caller was answered while nobody was there", "caller-without-row", "record-without-row")
def _answered_by_nobody(scene: Scene) -> None:
    scene.dialogs[REFUSED] |= {"answered_at": scene.dialogs[REFUSED]["ended_at"] - 0.3, "final_status": 200}
    scene.records[REFUSED] = record("0b000000-0000-4000-8000-000000000003", scene.dialogs[REFUSED])


@_lose("a telephone was dialled that no call knows", "telephone-without-row", "record-without-row")
def _unknown_telephone(scene: Scene) -> None:
    told = dialog(TALKS, "+15559000009", 2.0, None, 3.0, role="callee", final_status=487)
    scene.dialogs["unknown"] = told
    scene.records["unknown"] = record("0b000000-0000-4000-8000-000000000009", told)


@_lose("a telephone was invited twice", "dialled-twice", "dialogs-differ", whose=TALKS)
def _dialled_twice(scene: Scene) -> None:
    scene.dialogs["again"] = scene.dialogs[RUNG] | {"sip_call_id": "again@phone"}


@_lose(
    "a call of the API was dialled twice",
    "dialogs-differ",
    "dialled-twice",
    "nodes-dial-twice",
    "record-without-row",
    whose=PLACED,
)
def _placed_twice(scene: Scene) -> None:
    scene.dialogs["again"] = scene.dialogs[PLACED] | {"sip_call_id": "again@phone"}
    scene.records["again"] = record("0b000000-0000-4000-8000-000000000009", scene.dialogs["again"])


@_lose("two callers have one number", "evidence-in-doubt", "dialogs-differ", whose=BUSY)
def _two_callers(scene: Scene) -> None:
    scene.dialogs["again"] = scene.dialogs[BUSY] | {"sip_call_id": "again@phone"}


@_lose("a dialog has two records", "recorded-twice", "record-without-row", "nodes-dial-twice")
def _recorded_twice(scene: Scene) -> None:
    scene.records["again"] = record("0b000000-0000-4000-8000-000000000009", scene.dialogs[RUNG])


@_lose("a channel has records of two nodes", "recorded-twice")
def _recorded_on_two_nodes(scene: Scene) -> None:
    scene.records["again"] = copy.deepcopy(scene.records[TALKS]) | {"switchname": "m3"}


@_lose("a node has no record of a call", "dialog-without-record", whose=TALKS)
def _no_record(scene: Scene) -> None:
    del scene.records[TALKS]


@_lose("a node has no record of a call after it came back", "dialog-without-record", "durations-differ", whose=LOST)
def _no_record_later(scene: Scene) -> None:
    scene.run["fault_at"] = scene.dialogs[LOST]["invited_at"] - 5


@_lose("a call is told of another dialog of its caller", "dialogs-differ", whose=TALKS)
def _other_dialog(scene: Scene) -> None:
    scene.sql("UPDATE calls SET sip_call_id = 'other@phone' WHERE call_id = %(call)s", call=scene.uuid(TALKS))


@_lose("a telephone was in another dialog than its node tells", "dialogs-differ", whose=TALKS)
def _other_dialog_of_telephone(scene: Scene) -> None:
    scene.dialogs[RUNG]["sip_call_id"] = "other@phone"


@_lose("a record is half written", "broken-record", "dialog-without-record")
def _half_a_record(scene: Scene) -> None:
    scene.records[TALKS] = {"switchname": "m1"}


@_lose("a call lasted longer by its node", "durations-differ", whose=TALKS)
def _longer_on_node(scene: Scene) -> None:
    _shift(scene.records[TALKS]["variables"], "end_uepoch", 1_300_000)


@_lose("a call lasted longer by its caller", "durations-differ", whose=PLACED)
def _longer_outside(scene: Scene) -> None:
    scene.dialogs[PLACED]["answered_at"] -= 1.2


@_lose("the tenant never took an event", "event-not-received", whose=TALKS)
def _not_received(scene: Scene) -> None:
    scene.webhooks.remove(scene.events(TALKS)[2])


@_lose("the tenant was asked and did not answer", "event-not-received", whose=TALKS)
def _not_answered(scene: Scene) -> None:
    scene.events(TALKS)[1]["answered"] = None


@_lose("the tenant answered with an error", "event-not-received", whose=BUSY)
def _answered_with_error(scene: Scene) -> None:
    scene.events(BUSY)[0]["answered"] = 500


@_lose("the tenant was told an event with another number", "event-differs", whose=TALKS)
def _other_number(scene: Scene) -> None:
    scene.events(TALKS)[1]["body"]["sequence"] = 5


@_lose("the tenant was told an event of another call", "event-differs", whose=BUSY)
def _other_call(scene: Scene) -> None:
    scene.events(TALKS)[1]["body"]["call_id"] = scene.calls[BUSY]


@_lose("the tenant was told of two ends", "several-ends-told", "event-not-logged", whose=BUSY)
def _two_ends(scene: Scene) -> None:
    again = copy.deepcopy(scene.events(BUSY)[-1])
    again["headers"]["X-Teler-Event-Id"] = id_of("evt", 5)
    scene.webhooks.append(again)


@_lose("the tenant took events out of order", "events-out-of-order", whose=TALKS)
def _out_of_order(scene: Scene) -> None:
    first, second = scene.events(TALKS)[:2]
    first["at"], second["at"] = second["at"], first["at"]


@_lose("the tenant never took a callback", "callback-not-received", "callback-sequence", whose=TALKS)
def _callback_lost(scene: Scene) -> None:
    scene.webhooks.remove(scene.callbacks()[1])


@_lose("the tenant answered a callback with an error", "callback-not-received", whose=TALKS)
def _callback_refused(scene: Scene) -> None:
    scene.callbacks()[2]["answered"] = 503


@_lose("a leg's callbacks have a number twice", "callback-sequence", whose=TALKS)
def _callback_number(scene: Scene) -> None:
    scene.callbacks()[1]["body"]["SequenceNumber"] = "0"


@_lose("two callbacks tell the end of a leg", "several-ends-called-back", whose=TALKS)
def _two_ends_called_back(scene: Scene) -> None:
    scene.callbacks()[1]["body"]["CallStatus"] = "failed"


def _shift(variables: dict[str, Any], name: str, by_us: int) -> None:
    variables[name] = str(int(variables[name]) + by_us)
