"""Coverage-guided fuzzing, as much of it as fits into a minute; `python -m tests.fuzz` goes on for longer."""

from __future__ import annotations

from random import Random
from types import FunctionType

import pytest

from controlplane.switch import translation
from tests.fuzz.coverage import covering
from tests.fuzz.guided import Found, Target, fuzz_runs
from tests.fuzz.mutating import MOST_BYTES, mutated
from tests.fuzz.targets import TARGETS, read_url

RUNS = {"esl-from-switch": 300, "esl-from-client": 700, "esl-events": 1200}


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_is_wrong_with_what_is_fuzzed(name: str) -> None:
    session = fuzz_runs(TARGETS[name], RUNS.get(name, 3000))

    assert session.runs > 300
    assert len(session.coverage.edges) > 20


@pytest.mark.parametrize("name", ["esl-from-switch", "esl-events"])
def test_every_function_that_translates_events_is_fuzzed(name: str) -> None:
    session = fuzz_runs(TARGETS[name], 0)

    made = [one for one in vars(translation).values() if getattr(one, "__module__", "") == translation.__name__]
    functions = {one.__code__ for one in (*made, *translation._ROWS.values()) if isinstance(one, FunctionType)}
    assert functions - {code for code, _, _ in session.coverage.edges} == set()


def test_a_fault_behind_several_conditions_is_found() -> None:
    """Guessing would take a million million tries: each letter is a branch of its own."""

    def run(data: bytes) -> None:
        assert not deep(data)

    def deep(data: bytes) -> bool:
        if data[:1] != b"F":
            return False
        if data[1:2] != b"U":
            return False
        if data[2:3] != b"Z":
            return False
        if data[3:4] != b"Z":
            return False
        return data[4:5] == b"I"

    target = Target("deep", run, ("tests/fuzz",), lambda: [b"......."], (b"F", b"U", b"Z", b"I"))
    with pytest.raises(Found, match="FUZZI"):
        fuzz_runs(target, 30_000)


def test_the_same_seed_does_the_same_again() -> None:
    sessions = [fuzz_runs(TARGETS["set-cookie"], 200, seed=7) for _ in range(2)]

    assert sessions[0].fresh == sessions[1].fresh


def test_branches_of_other_files_do_not_count() -> None:
    with covering("controlplane/esl") as coverage:
        read_url(b"http://example.com/")

    assert coverage.edges == set()


def test_mutations_stay_within_bounds() -> None:
    random, corpus = Random(1), [b"", b"a" * MOST_BYTES]

    assert all(len(mutated(random, corpus, (b"word",))) <= MOST_BYTES for _ in range(2000))
