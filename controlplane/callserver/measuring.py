"""What of a burst is counted as which verb."""

from __future__ import annotations

from controlplane.calls.runs import (
    AnswerLeg,
    Bridge,
    Collect,
    HangUpLeg,
    PlayPrompts,
    RecordVoice,
    RingBack,
    SendKeys,
    StartRecording,
    StopRecording,
    Wait,
)

VERB_OF: dict[type, str] = {
    AnswerLeg: "answer",
    Wait: "pause",
    PlayPrompts: "play",
    SendKeys: "play",
    Collect: "gather",
    RecordVoice: "record",
    StartRecording: "record",
    StopRecording: "dial",
    Bridge: "dial",
    RingBack: "dial",
    HangUpLeg: "hangup",
}
