from __future__ import annotations

import pytest
from httpx import AsyncClient

from controlplane.base.ids import leg_of_call, public_leg_id, sid_of
from controlplane.store.database import Database
from controlplane.store.journal import Recorder
from tests.postgres.api.recorded import WAV, recorded, stored
from tests.postgres.api.tenants import PUBLIC_URL, Tenant, told
from tests.postgres.api.things import MemoryStorage, StillClock


@pytest.fixture
async def recording(recorder: Recorder, acme: Tenant, db: Database, storage: MemoryStorage) -> str:
    _, recording = await recorded(recorder, acme.account_id)
    await stored(db, storage, acme.account_id, recording)
    return recording


async def link_to(acme: Tenant, recording: str, expires_in: int = 900) -> str:
    answer = await acme.get("/recordings", params={"recording_id": recording, "expires_in": expires_in})
    assert answer.status_code == 307
    return answer.headers["location"]


def twiml_link(acme: Tenant, recording: str) -> str:
    return f"/2010-04-01/Accounts/{sid_of('AC', acme.account_id)}/Recordings/{sid_of('RE', recording)}"


async def test_recordings_are_listed_shown_and_found_on_their_leg(
    acme: Tenant, recorder: Recorder, db: Database, storage: MemoryStorage
) -> None:
    call, recording = await recorded(recorder, acme.account_id)
    before = (await acme.get(f"/recordings/{recording}")).json()
    await stored(db, storage, acme.account_id, recording)
    after = (await acme.get(f"/recordings/{recording}")).json()

    assert before == {
        "id": recording,
        "account_id": acme.account_id,
        "call_id": call,
        "leg_id": public_leg_id(leg_of_call(call)),
        "state": "processing",
        "source": "RecordVerb",
        "channels": 1,
        "duration_seconds": None,
        "size_bytes": None,
        "problem": None,
        "created_at": "2023-11-14T22:13:20.000Z",
        "finished_at": None,
    }
    assert after == {
        **before,
        "state": "completed",
        "duration_seconds": 2.6,
        "size_bytes": len(WAV),
        "finished_at": after["finished_at"],
    }
    assert (await acme.get("/recordings", params={"call_id": call})).json()["data"] == [after]
    assert (await acme.get(f"/voice/calls/{call}/legs")).json()["data"][0]["recordings"] == [recording]
    assert (await acme.get(f"/voice/calls/{call}")).json()["legs"][0]["recordings"] == [recording]


async def test_a_link_to_a_recording_is_good_for_a_while(
    acme: Tenant, anyone: AsyncClient, clock: StillClock, recording: str
) -> None:
    link = await link_to(acme, recording, 60)

    listened = await anyone.get(link)
    clock.ms += 60_000
    late = await anyone.get(link)

    assert link.startswith(f"{PUBLIC_URL}/media/recordings/{acme.account_id}/{recording}.wav?expires=")
    assert (listened.status_code, listened.content) == (200, WAV)
    assert {name: listened.headers[name] for name in ("content-type", "content-length", "accept-ranges")} == {
        "content-type": "audio/wav",
        "content-length": str(len(WAV)),
        "accept-ranges": "bytes",
    }
    assert told(late) == (410, "link_expired")


@pytest.mark.parametrize(
    ("old", "new"),
    [("signature=", "signature=0"), ("expires=", "expires=9"), (".wav", ".mp3"), ("?", "?x="), ("acc_0", "acc_1")],
)
async def test_a_link_that_was_changed_is_none_of_ours(
    acme: Tenant, anyone: AsyncClient, recording: str, old: str, new: str
) -> None:
    link = await link_to(acme, recording)

    assert told(await anyone.get(link.replace(old, new, 1))) == (403, "link_refused")


async def test_a_store_that_signs_links_is_linked_to(acme: Tenant, storage: MemoryStorage, recording: str) -> None:
    storage.links = True

    link = await link_to(acme, recording, 60)

    assert link == f"https://store.example.com/{acme.account_id}/{recording}.wav?for=60"


async def test_a_recording_that_is_not_stored_yet_has_no_link(
    acme: Tenant, anyone: AsyncClient, recorder: Recorder
) -> None:
    _, recording = await recorded(recorder, acme.account_id)

    assert told(await acme.get("/recordings", params={"recording_id": recording})) == (409, "recording_not_ready")
    assert told(await anyone.get(twiml_link(acme, recording))) == (404, "not_found")
    assert told(await acme.delete(f"/recordings/{recording}")) == (409, "recording_not_ready")


@pytest.mark.parametrize("expires_in", [59, 86_401, "soon"])
async def test_a_link_lasts_a_minute_to_a_day(acme: Tenant, recording: str, expires_in: object) -> None:
    answer = await acme.get("/recordings", params={"recording_id": recording, "expires_in": expires_in})

    assert told(answer) == (422, "invalid_request")


@pytest.mark.parametrize(
    ("header", "status", "content", "content_range"),
    [
        ("bytes=0-3", 206, b"RIFF", f"bytes 0-3/{len(WAV)}"),
        ("bytes=1500-2100", 206, WAV[1500:2101], f"bytes 1500-2100/{len(WAV)}"),
        ("bytes=-2", 206, WAV[-2:], f"bytes {len(WAV) - 2}-{len(WAV) - 1}/{len(WAV)}"),
        ("bytes=0-1,5-6", 200, WAV, None),
        ("lines=0-1", 200, WAV, None),
    ],
)
async def test_a_part_of_a_recording_can_be_had(
    acme: Tenant,
    anyone: AsyncClient,
    recording: str,
    header: str,
    status: int,
    content: bytes,
    content_range: str | None,
) -> None:
    answer = await anyone.get(await link_to(acme, recording), headers={"Range": header})

    assert (answer.status_code, answer.content) == (status, content)
    assert answer.headers.get("content-range") == content_range
    assert answer.headers["content-length"] == str(len(content))


async def test_a_part_that_is_not_there_is_refused(acme: Tenant, anyone: AsyncClient, recording: str) -> None:
    answer = await anyone.get(await link_to(acme, recording), headers={"Range": f"bytes={len(WAV)}-"})

    assert told(answer) == (416, "range_not_met")
    assert answer.headers["content-range"] == f"bytes */{len(WAV)}"


async def test_applications_listen_by_the_link_they_were_given(
    acme: Tenant, anyone: AsyncClient, recording: str
) -> None:
    link = twiml_link(acme, recording)

    plain, wav, mp3 = await anyone.get(link), await anyone.get(f"{link}.wav"), await anyone.get(f"{link}.mp3")
    head = await anyone.head(link)

    assert plain.content == wav.content == WAV
    assert (mp3.content, mp3.headers["content-type"]) == (b"mp3 of " + WAV, "audio/mpeg")
    assert (head.content, head.headers["content-length"]) == (b"", str(len(WAV)))


async def test_two_channels_are_mixed_where_one_is_wanted(
    acme: Tenant, anyone: AsyncClient, recorder: Recorder, db: Database, storage: MemoryStorage
) -> None:
    _, recording = await recorded(recorder, acme.account_id, channels=2)
    await stored(db, storage, acme.account_id, recording)
    link = twiml_link(acme, recording)

    async def heard(query: str) -> bytes:
        return (await anyone.get(f"{link}{query}")).content

    assert await heard("?RequestedChannels=2") == WAV
    assert await heard("?RequestedChannels=1") == b"mix of " + WAV
    assert await heard(".mp3?RequestedChannels=1") == b"mp3 of mix of " + WAV
    assert told(await anyone.get(f"{link}?RequestedChannels=3")) == (422, "invalid_request")


async def test_one_channel_does_not_become_two(acme: Tenant, anyone: AsyncClient, recording: str) -> None:
    answer = await anyone.get(f"{twiml_link(acme, recording)}?RequestedChannels=2")

    assert told(answer) == (400, "recording_has_one_channel")


async def test_a_recording_is_found_under_its_own_account_only(
    acme: Tenant, globex: Tenant, anyone: AsyncClient, recording: str
) -> None:
    assert told(await anyone.get(twiml_link(globex, recording))) == (404, "not_found")
    for path in ("x", "REx", "RE" + "0" * 31, "AC" + "0" * 32, "RE" + "0" * 32 + ".ogg"):
        answer = await anyone.get(f"/2010-04-01/Accounts/{sid_of('AC', acme.account_id)}/Recordings/{path}")
        assert answer.status_code == 404
        assert told(answer)[0] == 404


async def test_a_deleted_recording_is_gone_with_its_file(
    acme: Tenant, anyone: AsyncClient, storage: MemoryStorage, recording: str
) -> None:
    link = await link_to(acme, recording)
    answer = await acme.delete(f"/recordings/{recording}")

    assert answer.json() == {"message": "The recording is gone.", "success": True}
    assert storage.files == {}
    assert told(await anyone.get(link)) == (404, "not_found")
    assert told(await acme.get(f"/recordings/{recording}")) == (404, "not_found")
    assert (await acme.get("/recordings")).json()["data"] == []


async def test_a_recording_whose_file_cannot_be_deleted_is_still_there(
    acme: Tenant, storage: MemoryStorage, recording: str
) -> None:
    storage.is_away = True

    assert told(await acme.delete(f"/recordings/{recording}")) == (500, "internal_error")
    assert (await acme.get(f"/recordings/{recording}")).json()["state"] == "completed"


async def test_a_file_that_the_store_lost_is_not_found(
    acme: Tenant, anyone: AsyncClient, storage: MemoryStorage, recording: str
) -> None:
    storage.files.clear()

    for ending in ("", ".mp3"):
        assert told(await anyone.get(twiml_link(acme, recording) + ending)) == (404, "not_found")
