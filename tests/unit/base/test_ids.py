from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.base.errors import InvalidId
from controlplane.base.ids import CALL, bits_of, call_of_leg, id_of, leg_of_call, mint

BITS = st.integers(0, 2**128 - 1)


@pytest.mark.parametrize(
    ("bits", "text"),
    [
        (0, "cs_00000000000000000000000000"),
        (1, "cs_00000000000000000000000001"),
        (31, "cs_0000000000000000000000000Z"),
        (32, "cs_00000000000000000000000010"),
        (2**128 - 1, "cs_7ZZZZZZZZZZZZZZZZZZZZZZZZZ"),
        (UUID("018bcfe5-6800-7000-8000-000000000abc").int, "cs_01HF7YAT00E0080000000002NW"),
    ],
)
def test_an_id_is_crockfords_base32_of_its_bits(bits: int, text: str) -> None:
    assert (id_of("cs", bits), bits_of("cs", text)) == (text, bits)


@given(BITS)
def test_an_id_is_read_back_as_it_was_written(bits: int) -> None:
    assert bits_of(CALL, id_of(CALL, bits)) == bits


@given(BITS, BITS)
def test_ids_sort_like_their_bits(one: int, two: int) -> None:
    assert (id_of(CALL, one) < id_of(CALL, two)) is (one < two)


@given(BITS)
def test_a_call_and_its_channel_are_the_same_bits(bits: int) -> None:
    call = call_of_leg(leg_of_call(id_of(CALL, bits)))  # type: ignore[arg-type]
    assert call == id_of(CALL, bits)


@given(st.text(max_size=40))
def test_other_texts_are_no_ids(text: str) -> None:
    with pytest.raises(InvalidId):
        bits_of(CALL, text)


@pytest.mark.parametrize(
    "text",
    ["cl_00000000000000000000000000", "cs_0000000000000000000000000", "cs_8ZZZZZZZZZZZZZZZZZZZZZZZZZ",
     "cs_0000000000000000000000000I", "cs_0000000000000000000000000a", "cs_00000000000000000000000_00",
     "cs_00000000000000000000000000\n", "cs_ 0000000000000000000000000"],
)  # fmt: skip
def test_what_only_looks_like_an_id_is_none(text: str) -> None:
    with pytest.raises(InvalidId):
        bits_of(CALL, text)


def test_later_ids_are_greater() -> None:
    assert mint(CALL, 1, b"\xff" * 10) < mint(CALL, 2, b"\x00" * 10)
