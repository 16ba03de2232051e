"""A run in which nothing was lost balances: what the ledger passes over, it passes over knowingly."""

from __future__ import annotations

from tests.postgres.ledger.cast import DID, DIED_S, LOST, NEVER, PLACED, REFUSED, RUNG
from tests.postgres.ledger.conftest import look, look_as_it_is
from tests.postgres.ledger.log_lines import dialog
from tests.postgres.ledger.scene import Scene
from tests.postgres.ledger.spoilt_webhooks import keep_events


def test_a_run_in_which_nothing_was_lost_balances(scene: Scene) -> None:
    assert look(scene) == []


def test_a_caller_who_gives_up_may_leave_no_row(scene: Scene) -> None:
    scene.dialogs["hasty"] = dialog("+15550000009", DID, 3.0, None, 3.05, final_status=487, ended_by="us")
    assert look(scene) == []


def test_a_caller_may_be_refused_when_the_window_opens_while_they_wait(scene: Scene) -> None:
    scene.dialogs[REFUSED] |= {"invited_at": DIED_S - 9, "ended_at": DIED_S + 1}
    assert look(scene) == []


def test_a_caller_may_be_refused_as_one_too_many(scene: Scene) -> None:
    """A server that is late takes no calls and writes nothing of them (decision 0007)."""
    scene.run["unavailable"] = []
    del scene.plans[REFUSED], scene.plans[NEVER]
    scene.records[REFUSED]["variables"]["hangup_cause"] = "SWITCH_CONGESTION"
    assert look(scene) == []


def test_a_call_of_the_api_may_have_rung_nobody(scene: Scene) -> None:
    del scene.dialogs[PLACED], scene.records[PLACED], scene.plans[PLACED]
    scene.sql("UPDATE calls SET answered_at = NULL WHERE call_id = %(call)s", call=scene.uuid(PLACED))
    assert look(scene) == []


def test_a_call_whose_events_nobody_wants_to_be_told_has_no_deliveries(scene: Scene) -> None:
    call = scene.uuid(PLACED)
    scene.sql("""UPDATE calls SET app_id = NULL, facts = '{"facts": {}}' WHERE call_id = %(call)s""", call=call)
    scene.sql("DELETE FROM deliveries WHERE call_id = %(call)s", call=call)
    scene.webhooks = [line for line in scene.webhooks if line not in scene.events(PLACED)]
    scene.plans[PLACED]["is_told"] = False
    assert look(scene) == []


def test_an_answer_that_a_node_took_with_it_need_not_be_known(scene: Scene) -> None:
    scene.dialogs[LOST]["answered_at"] = DIED_S - 1
    scene.sql("UPDATE calls SET answered_at = NULL WHERE call_id = %(call)s", call=scene.uuid(LOST))
    keep_events(scene, LOST, "initiated", "ringing", "completed")
    assert look(scene) == []


def test_numbers_are_the_same_however_a_node_writes_them(scene: Scene) -> None:
    record = scene.records[RUNG]
    del record["variables"]["sip_to_user"], record["variables"]["sip_from_user"], record["variables"]["sip_call_id"]
    record["callflow"][0]["caller_profile"]["destination_number"] = RUNG.replace("+", "%2B")
    scene.sql("UPDATE legs SET to_number = %(uri)s", uri=f"sip:{RUNG}@192.0.2.9:5060;transport=tcp")
    assert look(scene) == []


def test_a_line_that_is_being_written_is_not_told_yet(scene: Scene) -> None:
    scene.write()
    for name in ("callers", "webhooks"):
        with (scene.folder / f"{name}.jsonl").open("a") as file:
            file.write('{"at": 17')
    assert look_as_it_is(scene) == []
