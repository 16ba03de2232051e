"""What the tenant was told, and what is kept of it: not as it should be."""

from __future__ import annotations

import copy

from controlplane.base.ids import id_of
from tests.postgres.ledger.cast import BUSY, LOST, PLACED, TALKS
from tests.postgres.ledger.mutation import Mutation, entering
from tests.postgres.ledger.scene import Scene

SPOILT_WEBHOOKS: list[Mutation] = []
_lose = entering(SPOILT_WEBHOOKS)


@_lose("a call is told as answered where it was told to ring", "happened-twice", "event-differs", whose=TALKS)
def _answered_twice(scene: Scene) -> None:
    scene.sql(
        "UPDATE events SET kind = 'call.answered' WHERE call_id = %(call)s AND kind = 'call.ringing'",
        call=scene.uuid(TALKS),
    )


@_lose("no callback tells the end of a leg", "broken-off", whose=TALKS)
def _end_not_called_back(scene: Scene) -> None:
    scene.callbacks()[-1]["body"]["CallStatus"] = "in-progress"


@_lose("a recording is not kept", "broken-off", whose=TALKS)
def _not_recorded(scene: Scene) -> None:
    scene.sql("UPDATE recordings SET state = 'failed'")


@_lose("the tenant never took an event", "event-not-received", "not-told", whose=TALKS)
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


@_lose("the tenant never took a callback", "callback-not-received", "callback-sequence", "not-called-back", whose=TALKS)
def _callback_lost(scene: Scene) -> None:
    scene.webhooks.remove(scene.callbacks()[1])


@_lose("the tenant answered a callback with an error", "callback-not-received", "not-called-back", whose=TALKS)
def _callback_refused(scene: Scene) -> None:
    scene.callbacks()[2]["answered"] = 503


@_lose("a leg's callbacks have a number twice", "callback-sequence", whose=TALKS)
def _callback_number(scene: Scene) -> None:
    scene.callbacks()[1]["body"]["SequenceNumber"] = "0"


@_lose("two callbacks tell the end of a leg", "several-ends-called-back", "not-called-back", whose=TALKS)
def _two_ends_called_back(scene: Scene) -> None:
    scene.callbacks()[1]["body"]["CallStatus"] = "failed"


@_lose("a recording is absent though its caller spoke", "broken-off", whose=TALKS)
def _absent(scene: Scene) -> None:
    scene.sql("UPDATE recordings SET state = 'absent', duration_ms = NULL")


@_lose("a recording has nothing on it", "broken-off", whose=TALKS)
def _empty(scene: Scene) -> None:
    scene.sql("UPDATE recordings SET duration_ms = 0")


@_lose("the tenant is told of ends alone, and so the engine has it", "not-told", "not-called-back", whose=TALKS)
def _ends_alone(scene: Scene) -> None:
    keep_events(scene, TALKS, ".completed")
    last = scene.callbacks()[-1]
    scene.webhooks = [line for line in scene.webhooks if line is last or line not in scene.callbacks()]
    last["headers"]["i-twilio-idempotency-token"] = f"{scene.calls[TALKS]}.c0"
    last["body"]["SequenceNumber"] = "0"
    call = scene.uuid(TALKS)
    scene.sql("DELETE FROM deliveries WHERE call_id = %(call)s AND lane = 1 AND number < 3", call=call)
    scene.sql("UPDATE deliveries SET number = 0 WHERE call_id = %(call)s AND lane = 1", call=call)
    scene.sql("UPDATE calls SET callback_count = 1 WHERE call_id = %(call)s", call=call)


@_lose("the tenant is told of an end alone, of a call that the API placed", "not-told", whose=PLACED)
def _end_of_placed_alone(scene: Scene) -> None:
    keep_events(scene, PLACED, "call.completed")


@_lose("the tenant is told only until an answer before a node's death", "not-told", whose=LOST)
def _answer_of_lost(scene: Scene) -> None:
    keep_events(scene, LOST, "call.completed", "call.initiated")


@_lose("the tenant is told nothing of a recording, and so the engine has it", "not-told", whose=TALKS)
def _recording_not_told(scene: Scene) -> None:
    keep_events(scene, TALKS, "call.", "leg.")


def keep_events(scene: Scene, number: str, *parts: str) -> None:
    """The engine has put on record those events alone whose kinds have one of these parts."""
    call, lines = scene.uuid(number), scene.events(number)
    kept = [line for line in lines if any(part in line["body"]["type"] for part in parts)]
    scene.webhooks = [line for line in scene.webhooks if line in kept or line not in lines]
    had = sorted(line["body"]["sequence"] for line in kept)
    for line in kept:
        line["body"]["sequence"] = had.index(line["body"]["sequence"])
    scene.sql("DELETE FROM events WHERE call_id = %(call)s AND NOT sequence = ANY(%(had)s)", call=call, had=had)
    scene.sql(
        "DELETE FROM deliveries WHERE call_id = %(call)s AND lane = 0 AND NOT number = ANY(%(had)s)", call=call, had=had
    )
    for new, old in enumerate(had):
        values = {"call": call, "new": new, "old": old}
        scene.sql("UPDATE events SET sequence = %(new)s WHERE call_id = %(call)s AND sequence = %(old)s", **values)
        scene.sql(
            "UPDATE deliveries SET number = %(new)s WHERE call_id = %(call)s AND lane = 0 AND number = %(old)s",
            **values,
        )
    scene.sql("UPDATE calls SET event_count = %(count)s WHERE call_id = %(call)s", call=call, count=len(had))
