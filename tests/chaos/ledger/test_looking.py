"""How often the ledger looks, and what it makes of names, numbers and addresses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from controlplane.base.ids import CALL, EVENT, CallId, id_of, leg_of_call, sid_of
from tests.chaos.ledger.__main__ import look_until_at_rest
from tests.chaos.ledger.callers import Dialog
from tests.chaos.ledger.database import Left, Tables
from tests.chaos.ledger.evidence import Evidence, evidence_in
from tests.chaos.ledger.ids import name_of, number_of, uuid_of
from tests.chaos.ledger.live_nodes import Address, parse_address
from tests.chaos.ledger.reading import CannotLook
from tests.chaos.ledger.run import Run

QUIET = Dialog("id", True, "+15550001111", "+15550002222", 0.0, None, 1.0, 486, "platform", "m1")
GOOD = Evidence(Run("run"), (QUIET,))
BAD = Evidence(Run("run"), (QUIET,), tables=Tables(left=(Left("delivery-left", None, "one"),)))


@dataclass(slots=True)
class HandClock:
    """Time goes by when somebody sleeps."""

    now_s: float = 0.0

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def looks(*found: Evidence | None, rest_s: float = 2.0) -> tuple[float, list[str]]:
    """When the looking ended, and what was found wrong, if these are found one after the other (None: no look)."""
    clock, coming = HandClock(), iter(found)

    def look() -> Evidence:
        evidence = next(coming)
        if evidence is None:
            raise CannotLook("gone")
        return evidence

    _, problems = look_until_at_rest(look, rest_s, 0.5, clock)
    assert next(coming, "none left") == "none left"
    return clock.now_s, [problem.check for problem in problems]


def test_two_good_looks_in_a_row_are_enough() -> None:
    assert looks(BAD, GOOD, BAD, GOOD, GOOD) == (2.0, [])
    assert looks(GOOD, GOOD) == (0.5, [])


def test_a_source_that_cannot_be_read_may_come_back() -> None:
    assert looks(GOOD, None, GOOD, GOOD) == (1.5, [])


def test_what_is_left_when_the_time_is_over_is_told() -> None:
    assert looks(BAD, BAD, BAD, BAD, BAD) == (2.0, ["delivery-left"])
    assert looks(BAD, rest_s=0) == (0.0, ["delivery-left"])


def test_the_last_look_must_be_had() -> None:
    with pytest.raises(CannotLook, match="gone"):
        looks(BAD, None, rest_s=0.5)


def test_a_run_in_which_nobody_called_shows_nothing() -> None:
    assert looks(Evidence(Run("run")), rest_s=0) == (0.0, ["evidence-in-doubt"])


def test_a_run_without_the_log_of_its_callers_cannot_be_looked_at(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"run": "run"}')
    with pytest.raises(CannotLook, match=r"callers\.jsonl is not there"):
        evidence_in(tmp_path, Tables(), ())


def test_names_of_calls_are_read_however_they_are_written() -> None:
    call = CallId(id_of(CALL, 0x0123456789ABCDEF_FEDCBA9876543210))
    leg = leg_of_call(call)
    assert [uuid_of(name) for name in (call, leg, sid_of("CA", call), id_of(EVENT, 5))] == [
        leg, leg, leg, "00000000-0000-0000-0000-000000000005",
    ]  # fmt: skip
    assert [uuid_of(name) for name in ("", "cs_", "cs_!", "nobody", None, 7)] == [None] * 6
    assert name_of(leg) == call


@pytest.mark.parametrize(
    "address", ["+15550001111", "%2B15550001111", "sip:+15550001111@192.0.2.9:5060", "sips:%2B15550001111@host;x=y"]
)
def test_a_number_is_the_same_however_it_is_dialled(address: str) -> None:
    assert number_of(address) == "+15550001111"


def test_an_address_of_a_node_has_four_parts() -> None:
    assert parse_address("m1=127.0.0.1:8021:a:b") == Address("m1", "127.0.0.1", 8021, "a:b")
    for text in ("m1", "m1=host", "m1=host:port:x", "m1=host:8021", "m1=host:8021:", "=host:8021:x"):
        with pytest.raises(ValueError, match="is not NAME=HOST:PORT:PASSWORD"):
            parse_address(text)
