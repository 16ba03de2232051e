"""Recordings for tests."""

from __future__ import annotations

from controlplane.base.ids import RECORDING, AccountId, CallId, Token, leg_of_call, mint
from controlplane.calls.commands import KeepRecording
from controlplane.services.finish_recording import Stored, finish_recording
from controlplane.store.database import Database
from controlplane.store.journal import Recorder
from controlplane.store.records import RecordingKept
from tests.postgres.api.things import MemoryStorage
from tests.postgres.sample import NOW_MS, call_in_shard, offered

WAV = b"RIFF" + bytes(range(256)) * 10


async def recorded(
    recorder: Recorder, account: AccountId, *, channels: int = 1, call: CallId | None = None
) -> tuple[CallId, str]:
    """A call with a recording that its media node has ended."""
    call = call or call_in_shard(1)
    recording = mint(RECORDING, NOW_MS, call[-10:].encode())
    kept = KeepRecording(Token("t"), recording, leg_of_call(call), "RecordVerb", channels, None, False, None)
    await recorder.submit((offered(call, RecordingKept("fs1", None, kept), account=account),))
    return call, recording


async def stored(db: Database, storage: MemoryStorage, account: AccountId, recording: str) -> str:
    """It is in the storage now; answers its key."""
    key = f"{account}/{recording}.wav"
    storage.files[key] = WAV
    async with db.transaction() as tx:
        await finish_recording(tx, account, recording, Stored(key, 2600, len(WAV)), public_url="")
    return key
