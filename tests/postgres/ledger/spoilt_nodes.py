"""What callers and media nodes wrote down, one against the other: not as it should be."""

from __future__ import annotations

import copy
from typing import Any

from tests.postgres.ledger.cast import BUSY, DID, DIED_S, LOST, PLACED, REFUSED, RUNG, TALKS
from tests.postgres.ledger.log_lines import dialog, plan, record
from tests.postgres.ledger.mutation import Mutation, entering
from tests.postgres.ledger.scene import Scene

SPOILT_NODES: list[Mutation] = []
_lose = entering(SPOILT_NODES)


@_lose("a caller is turned away without one", "not-answered")
def _turned_away_and_forgotten(scene: Scene) -> None:
    scene.dialogs["new"] = dialog("+15550000009", DID, 3.0, None, 3.1, final_status=404)
    scene.plans["new"] = plan("+15550000009", "caller", 3.0)


@_lose("a telephone that was to be dialled never rang", "broken-off", whose=TALKS)
def _never_dialled(scene: Scene) -> None:
    scene.plans[TALKS]["rings"] = "+15559000095"


@_lose("a call ended long before its node died, and the node has no record", "dialog-without-record", whose=LOST)
def _ended_before(scene: Scene) -> None:
    scene.run["fault_at"] = DIED_S + 3
    scene.sql(
        "UPDATE calls SET ended_at = to_timestamp(%(at)s), cause = 'NORMAL_CLEARING' WHERE call_id = %(call)s",
        at=DIED_S + 0.1,
        call=scene.uuid(LOST),
    )


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


@_lose(
    "no node went on with a call of one that died, and one was to",
    "dialog-without-record",
    "durations-differ",
    whose=LOST,
)
def _not_adopted(scene: Scene) -> None:
    scene.dialogs[LOST]["node"] = "m1"


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


def _shift(variables: dict[str, Any], name: str, by_us: int) -> None:
    variables[name] = str(int(variables[name]) + by_us)
