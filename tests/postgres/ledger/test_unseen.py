"""Legs that ended while nobody listened: what the ledger lets pass of them, and what not."""

from __future__ import annotations

from tests.postgres.ledger.cast import BEGAN_S, PLACED
from tests.postgres.ledger.conftest import look
from tests.postgres.ledger.scene import Scene
from tests.postgres.ledger.spoilt_webhooks import keep_events

ENDED_S = BEGAN_S + 9  # when the call that was placed ended outside; 4 seconds later somebody listened again
WINDOW = [ENDED_S - 1, ENDED_S + 4]


def found_gone(scene: Scene, after_s: float, cause: str = "LOST") -> None:
    """Nobody told the end of the call; so long after it somebody saw that it was gone."""
    scene.run["unseen"] = [WINDOW]
    scene.sql(
        "UPDATE calls SET cause = %(cause)s, reason = 'lost', ended_at = ended_at + %(after_s)s * interval '1 s'"
        " WHERE call_id = %(call)s",
        cause=cause, after_s=after_s, call=scene.uuid(PLACED),
    )  # fmt: skip


def checks(scene: Scene) -> set[str]:
    return {problem.check for problem in look(scene)}


def test_a_call_that_ended_unseen_may_have_lasted_until_somebody_looked(scene: Scene) -> None:
    found_gone(scene, 4.5)
    assert checks(scene) == set()


def test_it_may_not_have_lasted_longer_than_that(scene: Scene) -> None:
    found_gone(scene, 5.5)
    assert checks(scene) == {"durations-differ"}


def test_one_whose_end_was_told_has_no_excuse(scene: Scene) -> None:
    found_gone(scene, 3.0, "NORMAL_CLEARING")
    assert checks(scene) == {"durations-differ"}


def test_one_that_ended_while_somebody_listened_has_no_excuse(scene: Scene) -> None:
    found_gone(scene, 3.0)
    scene.run["unseen"] = [[ENDED_S + 1, ENDED_S + 4]]
    assert checks(scene) == {"durations-differ", "lost-without-need"}


def test_one_that_was_answered_and_ended_unseen_may_be_known_as_neither(scene: Scene) -> None:
    found_gone(scene, 4.0)
    scene.run["unseen"] = [[BEGAN_S + 1, ENDED_S + 4]]
    scene.sql("UPDATE calls SET answered_at = NULL WHERE call_id = %(call)s", call=scene.uuid(PLACED))
    assert checks(scene) == set()


def test_one_that_was_answered_before_is_known_to_be(scene: Scene) -> None:
    found_gone(scene, 4.0)
    scene.sql("UPDATE calls SET answered_at = NULL WHERE call_id = %(call)s", call=scene.uuid(PLACED))
    assert checks(scene) == {"answer-in-doubt", "durations-differ"}


def test_one_that_rang_unseen_need_not_be_told_to_have_rung(scene: Scene) -> None:
    scene.run["unseen"] = [[BEGAN_S + 0.7, BEGAN_S + 1]]
    keep_events(scene, PLACED, "initiated", "answered", "completed")
    assert checks(scene) == set()


def test_one_that_rang_while_somebody_listened_is_told_to_have_rung(scene: Scene) -> None:
    scene.run["unseen"] = [[BEGAN_S + 0.9, BEGAN_S + 3]]
    keep_events(scene, PLACED, "initiated", "answered", "completed")
    assert checks(scene) == {"not-told"}


def test_one_that_was_answered_unseen_and_lived_on_is_told_to_be_answered(scene: Scene) -> None:
    scene.run["unseen"] = [[BEGAN_S + 0.7, BEGAN_S + 3]]
    keep_events(scene, PLACED, "initiated", "completed")
    assert checks(scene) == {"not-told"}


def test_one_that_was_answered_and_ended_unseen_may_be_told_to_have_failed(scene: Scene) -> None:
    found_gone(scene, 4.0)
    scene.run["unseen"] = [[BEGAN_S + 1, ENDED_S + 4]]
    call = scene.uuid(PLACED)
    scene.sql("UPDATE calls SET answered_at = NULL WHERE call_id = %(call)s", call=call)
    keep_events(scene, PLACED, "initiated", "ringing", "completed")
    scene.sql("UPDATE events SET kind = 'call.failed' WHERE call_id = %(c)s AND kind = 'call.completed'", c=call)
    scene.events(PLACED)[-1]["body"]["type"] = "call.failed"
    assert checks(scene) == set()
