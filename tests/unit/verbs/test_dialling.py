"""Phone numbers as people write them."""

from __future__ import annotations

import pytest

from controlplane.verbs.dialling import parse_caller, parse_number
from controlplane.verbs.kinds import Unfit

FORGOTTEN = "has no plus sign: taken for +15550001111; write numbers in E.164"


@pytest.mark.parametrize(
    ("text", "number", "oddity"),
    [
        ("+15550001111", "+15550001111", ""),
        (" +1 (555) 000-1111\n", "+15550001111", ""),
        ("+49\u00a030.123456", "+4930123456", ""),
        ("15550001111", "+15550001111", FORGOTTEN),
        ("1-555-000-1111", "+15550001111", FORGOTTEN),
    ],
)
def test_a_number_is_read_as_people_write_it(text: str, number: str, oddity: str) -> None:
    assert parse_number(text) == (number, oddity)


@pytest.mark.parametrize(
    "text",
    ["", "+", "+0123456789", "+123456", "+1234567890123456", "5550001111", "0030123456789", "911", "1555000FLOW",
     "+1555000FLOW", "++15550001111", "+1555;ext=1", "+1,5550001111", "+١٥٥٥٠٠٠١١١١", "sip:a@b.example"],
)  # fmt: skip
def test_a_number_whose_country_is_not_said_is_refused(text: str) -> None:
    with pytest.raises(Unfit, match=r"must be a number in E\.164, such as \+15550001111, not"):
        parse_number(text)


@pytest.mark.parametrize(
    ("text", "caller"),
    [("+1 555 000 1111", "+15550001111"), ("client:alice", "alice"), ("anonymous", "anonymous"), ("100", "100")],
)
def test_a_caller_is_a_number_or_a_name(text: str, caller: str) -> None:
    assert parse_caller(text) == caller


@pytest.mark.parametrize("text", ["", "+12", "a b", "alice@example.com", "a" * 65, "client:", "'", "${x}", "a\nb"])
def test_a_caller_of_other_marks_is_refused(text: str) -> None:
    with pytest.raises(Unfit):
        parse_caller(text)
