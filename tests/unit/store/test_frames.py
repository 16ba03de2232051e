from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.store.frames import MARK, MOST_BYTES, Scanned, frame, scan

HELD = st.lists(st.binary(max_size=9) | st.just(MARK + b"inside"), max_size=4)


def file_of(held: list[bytes]) -> bytes:
    return b"".join(map(frame, held))


@given(HELD)
def test_what_was_written_is_read_in_its_order(held: list[bytes]) -> None:
    data = file_of(held)
    assert scan(data) == Scanned(tuple(held), (), len(data))


@given(HELD)
def test_a_file_cut_off_anywhere_holds_every_frame_that_was_whole(held: list[bytes]) -> None:
    data = file_of(held)
    ends = [len(file_of(held[:count])) for count in range(len(held) + 1)]
    for cut in range(len(data) + 1):
        whole = max(count for count, end in enumerate(ends) if end <= cut)
        assert scan(data[:cut]) == Scanned(tuple(held[:whole]), (), ends[whole])


@given(HELD, st.binary(min_size=1, max_size=30), HELD)
def test_reading_goes_on_behind_damage(before: list[bytes], rubbish: bytes, after: list[bytes]) -> None:
    damaged = (rubbish,) if after else ()
    end = len(file_of(before)) + (len(rubbish) + len(file_of(after)) if after else 0)
    assert scan(file_of(before) + rubbish + file_of(after)) == Scanned((*before, *after), damaged, end)


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=4), st.data())
def test_a_frame_with_a_changed_bit_is_never_taken_for_whole(held: list[bytes], data: st.DataObject) -> None:
    whole = bytearray(file_of(held))
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    whole[bit // 8] ^= 1 << bit % 8
    found = scan(bytes(whole)).held
    assert len(found) == len(held) - 1
    assert all(one in held for one in found)


def test_a_length_beyond_all_bounds_is_damage() -> None:
    lie = MARK + b"\xff" * 8
    assert scan(lie + frame(b"a")) == Scanned((b"a",), (lie,), len(lie) + len(frame(b"a")))
    with pytest.raises(ValueError, match="too many"):
        frame(bytes(MOST_BYTES + 1))
