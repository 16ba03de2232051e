"""Which records of a spool are written, held against a model of the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from controlplane.base import ids
from controlplane.base.ids import AccountId, CallId
from controlplane.store.records import Record
from controlplane.store.replaying import Sorted, sort_out
from controlplane.store.rows import journal_row

CALLS = [CallId(ids.mint("cs", 1, bytes([number] * 10))) for number in range(2)]


def record(call: int, seq: int, by: str = "us") -> Record:
    return Record(AccountId("acc"), CALLS[call], seq, 1000 + seq, "Something", f'{{"by":"{by}"}}')


def sorted_against(records: Sequence[Record], journal: Sequence[Record], lost: frozenset[CallId]) -> Sorted:
    written = {(one.call, one.seq): journal_row(one) for one in journal}
    heads = {one.call: max(other.seq for other in journal if other.call == one.call) for one in journal}
    places = {(one.call, one.seq) for one in records}
    return sort_out(records, {place: row for place, row in written.items() if place in places}, heads, lost)


def written_in_chunks(records: Sequence[Record], journal: list[Record], sizes: Sequence[int]) -> list[Record]:
    """Replay as it is done, some at a time; answers what was set aside, and leaves in `journal` what is written."""
    aside: list[Record] = []
    at = 0
    for size in [*sizes, len(records)]:
        found = sorted_against(records[at : at + size], journal, frozenset(one.call for one in aside))
        journal += found.fresh
        aside += found.conflicting
        at += size
    return aside


@st.composite
def two_calls(draw: st.DrawFn) -> list[Record]:
    """Records of two calls as one process spooled them, each call in its order."""
    waiting = [[record(call, seq) for seq in range(draw(st.integers(0, 5)))] for call in range(2)]
    mixed: list[Record] = []
    while any(waiting):
        mixed.append(draw(st.sampled_from([one for one in waiting if one])).pop(0))
    return mixed


SIZES = st.lists(st.integers(1, 4), max_size=4)


@given(two_calls(), st.data(), SIZES)
def test_whatever_of_it_was_written_before_each_record_is_written_once(
    records: list[Record], data: st.DataObject, sizes: list[int]
) -> None:
    written = data.draw(st.integers(0, len(records)))
    journal = list(records[:written])
    assert written_in_chunks(records, journal, sizes) == []
    assert journal == records


@given(two_calls(), SIZES, SIZES)
def test_a_second_replay_changes_nothing(records: list[Record], sizes: list[int], others: list[int]) -> None:
    journal: list[Record] = []
    written_in_chunks(records, journal, sizes)
    again = list(journal)
    assert written_in_chunks(records, again, others) == []
    assert again == journal


@given(two_calls(), st.integers(0, 4), st.integers(1, 8), SIZES)
def test_what_another_wrote_stays_and_nothing_of_ours_follows_it(
    records: list[Record], common: int, more: int, sizes: list[int]
) -> None:
    """The other went on with the first call from where the journal stood, and wrote `more` entries."""
    theirs = [record(0, seq, "us" if seq < common else "them") for seq in range(common + more)]
    journal = list(theirs)
    aside = written_in_chunks(records, journal, sizes)
    assert [one for one in journal if one.call == CALLS[0]] == theirs
    assert [one for one in journal if one.call == CALLS[1]] == [one for one in records if one.call == CALLS[1]]
    assert aside == [one for one in records if one.call == CALLS[0] and one.seq >= common]


def test_a_gap_is_never_written_over() -> None:
    assert sorted_against([record(0, 2)], [record(0, 0)], frozenset()) == Sorted((), (record(0, 2),))
    assert sorted_against([record(0, 1)], [], frozenset()) == Sorted((), (record(0, 1),))


def test_a_record_twice_is_one_and_two_for_one_place_are_a_conflict() -> None:
    assert sorted_against([record(0, 0)] * 2, [], frozenset()) == Sorted((record(0, 0),), ())
    other = replace(record(0, 0), data="{}")
    assert sorted_against([record(0, 0), other], [], frozenset()) == Sorted((record(0, 0),), (other,))
