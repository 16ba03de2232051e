from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.base import ids
from controlplane.base.ids import AccountId, CallId, LegId, Token
from controlplane.calls.commands import KeepRecording
from controlplane.store.record_text import read_record, write_record
from controlplane.store.records import (
    CallbackQueued,
    CallChanged,
    CallOpened,
    EventPublished,
    LegChanged,
    LegOpened,
    NoteWritten,
    Record,
    RecordingKept,
    RequestAnswered,
)
from controlplane.verbs.documents import Link, RecordingCallback

CALL = CallId(ids.mint("cs", 1, b"0123456789"))
LEG = LegId("080b6542-1704-4b05-b5ec-8f2f8167209c")
CALLBACK = RecordingCallback(Link("http://app/rec"))
KEPT = KeepRecording(Token("t"), "rec_1", LEG, "RecordVerb", 2, None, True, CALLBACK, (("A", "b"),))
EVERY_WRITE = (
    CallOpened(None, "inbound", "ringing", "+15550001111", "+15550002222", "n1"),
    CallChanged(),
    CallChanged(status="completed", ended_ms=5, result="completed", reason="normal-clearing", sip_status=200),
    LegOpened(LEG, "dial_target", "+1", "sip:a@b"),
    LegChanged(LEG),
    LegChanged(LEG, ended_ms=7, cause="NORMAL_CLEARING"),
    EventPublished(Token("t"), "call.completed", '{"a":"ü\\u0000"}', LEG, "https://app/hook"),
    CallbackQueued("https://app/status", "POST", '[["CallStatus","completed"]]'),
    RecordingKept("n1", None, KEPT),
    NoteWritten(1, "warning", 12200, "odd", "Say[1]"),
    RequestAnswered("req_1", ""),
)
TEXT = st.text(max_size=30)


def test_every_kind_of_write_comes_back_the_same() -> None:
    record = Record(AccountId("acc"), CALL, 3, 1_700_000_000_000, "LegEnded", "{}", b"\x00digest", EVERY_WRITE)
    assert read_record(write_record(record)) == record


@given(st.integers(0), st.integers(0), TEXT, TEXT, st.binary(max_size=8), TEXT)
def test_whatever_text_a_record_has_comes_back_the_same(
    seq: int, at_ms: int, kind: str, data: str, digest: bytes, note: str
) -> None:
    write = NoteWritten(0, "error", 1, note, "")
    record = Record(AccountId("acc"), CALL, seq, at_ms, kind, data, digest, (write,))
    assert read_record(write_record(record)) == record


@pytest.mark.parametrize("text", ["", "{}", "[]", '"x"', "null", '{"account":"a"}'])
def test_what_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_record(text)


def test_a_write_of_a_kind_that_this_version_does_not_know_is_refused() -> None:
    text = write_record(Record(AccountId("acc"), CALL, 0, 0, "k", "{}", b"", (CallChanged(),)))
    with pytest.raises(ValueError, match="no record"):
        read_record(text.replace("CallChanged", "CallSung"))
