"""RTP, µ-law, keys, and the time line that packets are put on."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from controlplane.emulator.phones.heard import HeardAudio, HeardKey
from controlplane.emulator.phones.rtp import (
    FRAME,
    SILENCE,
    Packet,
    from_ulaw,
    is_end,
    key_payloads,
    maybe_key,
    parse_packet,
    to_ulaw,
    write_packet,
)
from controlplane.emulator.phones.sdp import Audio, describe, parse_audio


def test_ulaw_has_the_values_of_g711() -> None:
    codes = bytes((0x00, 0x7F, 0x80, 0xFF, 0xFE, 0x01, 0xC0))
    assert from_ulaw(codes).tolist() == [-32124, 0, 32124, 0, 8, -31100, 1884]


@given(st.binary(min_size=1, max_size=400))
def test_every_ulaw_byte_but_minus_zero_comes_back(data: bytes) -> None:
    assert to_ulaw(from_ulaw(data)) == data.replace(b"\x7f", b"\xff")


@given(st.lists(st.integers(-32768, 32767), min_size=1))
def test_ulaw_is_off_by_a_thirtieth_at_most(values: list[int]) -> None:
    samples = np.array(values, np.int16)
    difference = np.abs(from_ulaw(to_ulaw(samples)).astype(int) - samples)
    assert np.all(difference <= np.maximum(np.abs(samples.astype(int)) / 29 + 8, 8))


@given(st.integers(0, 127), st.integers(0, 65535), st.integers(0, 2**32 - 1), st.booleans(), st.binary())
def test_a_packet_is_read_as_it_was_written(
    kind: int, sequence: int, timestamp: int, marked: bool, data: bytes
) -> None:
    packet = Packet(kind, sequence, timestamp, marked, data)
    assert parse_packet(write_packet(packet, 1)) == packet


def test_what_is_no_rtp_is_not_read() -> None:
    assert parse_packet(b"\x00" * 20) is None
    assert parse_packet(b"\x80") is None


def test_a_key_is_told_every_20_ms_and_its_end_three_times() -> None:
    payloads = list(key_payloads("#", 100))
    assert [maybe_key(payload) for payload in payloads] == ["#"] * 7
    assert [is_end(payload) for payload in payloads] == [False] * 4 + [True] * 3
    assert [int.from_bytes(payload[2:]) for payload in payloads] == [160, 320, 480, 640, 800, 800, 800]


def test_an_sdp_says_where_audio_and_keys_go() -> None:
    assert parse_audio(describe("127.0.0.1", 4000, keys=97)) == Audio("127.0.0.1", 4000, 97)
    assert parse_audio(b"v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 5 RTP/AVP 8 0\r\n") == Audio("1.2.3.4", 5, None)


def tone(sequence: int) -> Packet:
    return Packet(0, sequence, sequence * FRAME, is_marked=False, payload=b"\x80" * FRAME)


def test_packets_in_a_row_are_laid_end_to_end_however_late_they_are_read() -> None:
    heard = HeardAudio(began_s=10.0)
    for sequence, late_s in enumerate((0.02, 0.1, 0.1, 0.1, 0.1)):
        heard.take(tone(sequence), 10.0 + late_s)
    assert heard.length == 5 * FRAME
    assert set(heard.samples()) == {32124}


def test_a_pause_is_as_long_as_it_was() -> None:
    heard = HeardAudio(began_s=10.0)
    heard.take(tone(0), 10.02)
    heard.take(tone(1), 11.02)
    assert heard.length == 8000 + FRAME
    assert np.flatnonzero(heard.samples()).tolist() == [*range(FRAME), *range(8000, 8000 + FRAME)]


def test_a_packet_that_comes_twice_is_heard_once() -> None:
    heard = HeardAudio(began_s=10.0)
    for sequence in (0, 1, 0, 1):
        heard.take(tone(sequence), 10.04)
    assert heard.length == 2 * FRAME


def test_who_begins_to_count_anew_is_heard_from_the_second_packet_on() -> None:
    heard = HeardAudio(began_s=10.0)
    for place, sequence in enumerate((500, 501, 20, 21, 22)):
        heard.take(tone(sequence), 10.02 + place * 0.02)
    assert heard.packets == 4


def test_a_key_is_heard_once() -> None:
    heard = HeardAudio(began_s=10.0)
    sequence = 0
    for at in (0, 8000):
        for payload in key_payloads("5", 100):
            heard.take(Packet(101, sequence, at, is_marked=False, payload=payload), 10.5 + at / 8000)
            sequence += 1
    heard.take(Packet(0, 99, 0, is_marked=False, payload=SILENCE), 12)
    assert heard.keys == [HeardKey(500, "5"), HeardKey(1500, "5")]
