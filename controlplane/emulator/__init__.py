"""A FreeSWITCH that is not there: the SWITCH role of `esl`, scripted parties, real or virtual time.

`Node` holds channels; `MemoryNetwork` and `Server` let clients reach its event socket; `Cast` lets the people of a
scenario call and be called. What is told, in which order and when, was taken from a real FreeSWITCH 1.10.12 and is
held against its recorded conversations (tests/transcripts/test_emulator.py).

Not here: hold and the far end's display (CALL_UPDATE), conferences, speech engines, XML, sockets of a call's own, and
SIP and RTP themselves (`phones` has those). A node does not freeze when a reader stalls: it loses events and closes
that link.
"""
