"""Tones that a caller hears, as packets of PCMU."""

from __future__ import annotations

import pytest

from bench.listening import Ear, Heard, Loud, heard

PACKET = 160  # samples
HIGH, LOW = (b"\x80" * 4 + b"\x00" * 4) * 20, (b"\x80" * 8 + b"\x00" * 8) * 10
SILENT = b"\xff" * PACKET


def tone(begin: int, *, packets: int = 10) -> list[Loud]:
    return [Loud((begin + number * PACKET) % (1 << 32), number < packets // 2) for number in range(packets)]


def packet(at: int, payload: bytes) -> bytes:
    return bytes(4) + at.to_bytes(4, "big") + bytes(4) + payload


def test_an_ear_keeps_loud_packets_and_tells_the_notes_apart() -> None:
    ear = Ear()
    for number, payload in enumerate((SILENT, HIGH, LOW, HIGH, LOW[:80] + SILENT[80:])):
        ear.datagram_received(packet(number * PACKET, payload), None)

    assert ear.loud == [Loud(160, True), Loud(320, False), Loud(480, True)]


def test_tones_without_a_gap_are_counted() -> None:
    assert heard([*tone(0), *tone(1600), *tone(3200)]) == Heard(3, 600, 600)


def test_what_lies_between_tones_is_in_the_whole_also_where_timestamps_begin_anew() -> None:
    begin = (1 << 32) - 1600

    assert heard([*tone(begin), *tone(begin + 1600 + 240)]) == Heard(2, 400, 430)


def test_nothing_heard_is_no_tone() -> None:
    assert heard([]) == Heard(0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (Heard(10, 2000, 2030), None),
        (Heard(10, 1900, 2030), None),
        (Heard(10, 2100, 2130), None),
        (Heard(9, 2000, 2030), "9 tones were heard, not 10"),
        (Heard(11, 2000, 2030), "11 tones were heard, not 10"),
        (Heard(0, 0, 0), "0 tones were heard, not 10"),
        (Heard(10, 1880, 1910), "1880 ms of tones were heard, not 2000"),
        (Heard(10, 2120, 2150), "2120 ms of tones were heard, not 2000"),
    ],
)
def test_all_tones_must_be_heard_whole(told: Heard, why: str | None) -> None:
    assert told.why_not(10, 200) == why
