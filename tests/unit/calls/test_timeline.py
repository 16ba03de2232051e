"""What is told of a call: one line for each thing that happened, whatever documents and callers say."""

from __future__ import annotations

import json

import pytest

from controlplane.calls.commands import FetchDocument
from controlplane.calls.events import DocumentArrived
from controlplane.calls.timeline import tell
from tests.unit.calls.conversation import APP_URL, Conversation

FORGED = "x\n2026-01-01T00:00:00.000Z  platform  forged\r\u2028\x1b[2K\u202e"


def texts(call: Conversation) -> list[str]:
    return [moment.text for moment in tell(call.entries)]


@pytest.fixture
def call() -> Conversation:
    conversation = Conversation()
    conversation.offer()
    return conversation


def test_a_text_that_is_said_stays_on_its_line(call: Conversation) -> None:
    body = json.dumps([{"say": FORGED.replace("\x1b", "")}]).encode()
    call.feed(DocumentArrived(call.last(FetchDocument).token, APP_URL, "application/json", body))

    assert all(text.isprintable() for text in texts(call))
    assert any("2026-01-01T00:00:00.000Z" in text for text in texts(call))


def test_a_content_type_stays_on_its_line(call: Conversation) -> None:
    call.feed(DocumentArrived(call.last(FetchDocument).token, APP_URL, f"text/xml; charset={FORGED}", b"<Response/>"))

    assert "answers with 11 bytes of text/xml; charset=x 2026-01-01T00:00:00.000Z  platform  forged   [2K " in texts(
        call
    )
