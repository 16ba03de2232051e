"""What callers and the API met with, and our own processes left: not as it should be."""

from __future__ import annotations

from controlplane.base.ids import CALL, NUMBER, id_of
from tests.postgres.ledger.cast import BUSY, LOST, NEVER, PLACED, REFUSED, TALKS
from tests.postgres.ledger.log_lines import placement, plan
from tests.postgres.ledger.mutation import Mutation, entering
from tests.postgres.ledger.scene import Scene

SPOILT_CALLS: list[Mutation] = []
_lose = entering(SPOILT_CALLS)
_OTHER_CALL = id_of(CALL, 99)


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


@_lose("a call ends before its last document", "broken-off", whose=TALKS)
def _broken_off(scene: Scene) -> None:
    scene.plans[TALKS]["asks"] += ("/app/never",)


@_lose("a document was asked for and could not be had", "broken-off", whose=PLACED)
def _no_document(scene: Scene) -> None:
    scene.webhooks[-1]["answered"] = None


@_lose("a call is lost, and nothing had happened", "lost-without-need", whose=BUSY)
def _lost_without_need(scene: Scene) -> None:
    scene.sql("UPDATE calls SET cause = 'LOST' WHERE call_id = %(call)s", call=scene.uuid(BUSY))


@_lose("a lost call is on record as answered when it was found to be lost", "lost-at-another-time", whose=LOST)
def _answered_too_late(scene: Scene) -> None:
    scene.sql("UPDATE calls SET answered_at = answered_at + interval '3 s' WHERE call_id = %(c)s", c=scene.uuid(LOST))


@_lose("a lost call is on record as over before its node died", "lost-at-another-time", whose=LOST)
def _over_too_early(scene: Scene) -> None:
    scene.sql("UPDATE calls SET ended_at = ended_at - interval '9 s' WHERE call_id = %(c)s", c=scene.uuid(LOST))


@_lose("an answer long before its node died is not on record", "answer-in-doubt", whose=LOST)
def _answer_not_known(scene: Scene) -> None:
    scene.sql("UPDATE calls SET answered_at = NULL WHERE call_id = %(call)s", call=scene.uuid(LOST))


@_lose("a caller is refused though somebody was there", "refused-without-need")
def _refused(scene: Scene) -> None:
    scene.run["unavailable"] = [[scene.run["began_at"], scene.run["began_at"] + 5]]
    del scene.plans[REFUSED], scene.plans[NEVER]
