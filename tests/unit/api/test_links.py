from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.api.errors import LinkExpired, LinkRefused, NoSuchPath
from controlplane.api.links import FileName, check, id_of_sid, parse_file, path_of, sign
from controlplane.base.ids import ACCOUNT, RECORDING, id_of, sid_of

KEY = b"k" * 32
PATH = path_of("acc_1", "rec_1")


def parts(query: str) -> tuple[str, str]:
    expires, signature = query.split("&")
    return expires.removeprefix("expires="), signature.removeprefix("signature=")


def test_a_signed_link_is_good_until_the_second_it_expires() -> None:
    expires, signature = parts(sign(KEY, PATH, 1000))

    check([KEY], PATH, expires, signature, 999)
    with pytest.raises(LinkExpired):
        check([KEY], PATH, expires, signature, 1000)


def test_links_stay_good_while_the_key_is_changed() -> None:
    expires, signature = parts(sign(KEY, PATH, 1000))

    check([b"n" * 32, KEY], PATH, expires, signature, 999)


@given(st.text(max_size=40), st.text(max_size=80))
def test_what_we_did_not_sign_is_refused(expires: str, signature: str) -> None:
    with pytest.raises(LinkRefused):
        check([KEY], PATH, expires, signature, 0)


def test_a_signature_is_of_one_path_one_time_and_one_key() -> None:
    expires, signature = parts(sign(KEY, PATH, 1000))

    for key, path, when in ((b"x" * 32, PATH, expires), (KEY, path_of("acc_1", "rec_2"), expires), (KEY, PATH, "1001")):
        with pytest.raises(LinkRefused):
            check([key], path, when, signature, 0)


@given(st.integers(0, 2**128 - 1))
def test_ids_come_back_from_what_applications_call_them(bits: int) -> None:
    for prefix, letters in ((ACCOUNT, "AC"), (RECORDING, "RE")):
        own = id_of(prefix, bits)
        assert id_of_sid(prefix, sid_of(letters, own)) == own


@pytest.mark.parametrize("sid", ["", "RE", "AC" + "0" * 32, "RE" + "0" * 31, "RE" + "G" * 32, "RE" + "0" * 32 + "\n"])
def test_what_is_no_sid_is_no_path(sid: str) -> None:
    with pytest.raises(NoSuchPath):
        id_of_sid(RECORDING, sid)


def test_a_file_is_wav_unless_it_says_otherwise() -> None:
    assert [parse_file(text) for text in ("RE1", "RE1.wav", "rec_1.mp3")] == [
        FileName("RE1", "wav"), FileName("RE1", "wav"), FileName("rec_1", "mp3"),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", ".wav", "RE1.ogg", "RE1.wav.mp3", "../x", "RE1\n", "RE 1"])
def test_what_is_no_file_is_no_path(text: str) -> None:
    with pytest.raises(NoSuchPath):
        parse_file(text)
