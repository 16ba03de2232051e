from __future__ import annotations

import asyncio

import psycopg

from controlplane.base.ids import ACCOUNT, AccountId, LegId, leg_of_call, mint
from controlplane.services.apps import AppDraft, create_app
from controlplane.services.load_live_calls import LiveCall, count_live_calls, load_live_calls
from controlplane.store.database import Database
from controlplane.store.journal import Recorder
from controlplane.store.queue import Claimed, Limits, claim_calls, count_queued
from controlplane.store.records import LegChanged, LegOpened
from controlplane.verbs.documents import Link
from tests.postgres.sample import ACME, NOW_MS, SERVER, add_account, call_in_shard, facts_of, offered, queue_call, rows

OTHER = AccountId(mint(ACCOUNT, NOW_MS, b"other....."))
WIDE = Limits(cps_limit=1000, channel_cap=1000, gateway="gw", gateway_cps_limit=1000, gateway_channel_cap=1000)
EVERYWHERE = [("fs1", shard) for shard in range(16)]


def limits(**changes: int) -> Limits:
    return Limits(**{**{name: getattr(WIDE, name) for name in WIDE.__dataclass_fields__}, **changes})


def let_a_second_pass(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE calls SET claimed_at = claimed_at - interval '1 second'")


async def test_a_server_claims_the_calls_of_its_shards_and_says_on_which_node(db: Database, url: str) -> None:
    await add_account(db)
    ours, theirs = call_in_shard(3), call_in_shard(4)
    await queue_call(db, ours)
    await queue_call(db, theirs)
    assert await claim_calls(db, [("fs2", 3), ("fs1", 5)], WIDE, server_id=SERVER) == [
        Claimed(ours, ACME, 3, facts_of(ours, node="fs2"))
    ]
    assert await claim_calls(db, [("fs2", 3), ("fs1", 5)], WIDE, server_id=SERVER) == []
    assert await count_queued(db, [3]) == 0
    assert await count_queued(db, [3, 4]) == 1
    assert rows(url, "SELECT status, gateway FROM calls WHERE shard = 3") == [{"status": "queued", "gateway": "gw"}]


async def test_a_call_in_words_of_another_version_keeps_nobody_from_the_others(db: Database, url: str) -> None:
    await add_account(db)
    strange, known = call_in_shard(3), call_in_shard(3)
    await queue_call(db, strange)
    await queue_call(db, known)
    with psycopg.connect(url) as connection:
        uuid = leg_of_call(strange)
        connection.execute("UPDATE calls SET facts = '{\"facts\": {}}' WHERE call_id = %s", [uuid])
    assert await claim_calls(db, [("fs1", 3)], WIDE, server_id=SERVER) == [
        Claimed(known, ACME, 3, facts_of(known, node="fs1"))
    ]


async def test_of_several_nodes_each_gets_some(db: Database) -> None:
    await add_account(db)
    for _ in range(40):
        await queue_call(db, call_in_shard(1))
    claimed = await claim_calls(db, [("fs1", 1), ("fs2", 1), ("fs3", 2)], WIDE, server_id=SERVER)
    assert {call.facts.node for call in claimed} == {"fs1", "fs2"}


async def test_many_servers_claim_each_call_once(db: Database) -> None:
    await add_account(db)
    calls = {call_in_shard(index % 16) for index in range(60)}
    for call in calls:
        await queue_call(db, call)
    answers = await asyncio.gather(*[claim_calls(db, EVERYWHERE, WIDE, server_id=SERVER, most=7) for _ in range(12)])
    claimed = [call.call_id for answer in answers for call in answer]
    assert len(claimed) == len(set(claimed)) == 60
    assert set(claimed) == calls


async def test_an_account_starts_no_more_calls_in_a_second_than_it_may(db: Database, url: str) -> None:
    await add_account(db, cps_limit=2)
    for _ in range(5):
        await queue_call(db, call_in_shard(1))
    counts = []
    for _ in range(3):
        counts.append(len(await claim_calls(db, EVERYWHERE, WIDE, server_id=SERVER)))
        counts.append(len(await claim_calls(db, EVERYWHERE, WIDE, server_id=SERVER)))
        let_a_second_pass(url)
    assert counts == [2, 0, 2, 0, 1, 0]


async def test_limits_hold_when_many_claim_at_once(db: Database) -> None:
    await add_account(db, cps_limit=5)
    for _ in range(30):
        await queue_call(db, call_in_shard(1))
    answers = await asyncio.gather(*[claim_calls(db, EVERYWHERE, WIDE, server_id=SERVER) for _ in range(20)])
    assert sum(len(answer) for answer in answers) == 5


async def test_an_account_has_no_more_live_calls_than_its_cap(db: Database, url: str) -> None:
    await add_account(db, channel_cap=2)
    for _ in range(3):
        await queue_call(db, call_in_shard(1))
    assert len(await claim_calls(db, EVERYWHERE, WIDE, server_id=SERVER)) == 2
    let_a_second_pass(url)
    assert await claim_calls(db, EVERYWHERE, WIDE, server_id=SERVER) == []
    with psycopg.connect(url) as connection:
        connection.execute(
            "UPDATE calls SET ended_at = now() WHERE call_id = (SELECT min(call_id::text)::uuid FROM calls)"
        )
    assert len(await claim_calls(db, EVERYWHERE, WIDE, server_id=SERVER)) == 1


async def test_the_gateway_limits_all_accounts_together_and_they_take_turns(db: Database, url: str) -> None:
    await add_account(db)
    await add_account(db, OTHER)
    for _ in range(10):
        await queue_call(db, call_in_shard(1))
    for _ in range(2):
        await queue_call(db, call_in_shard(1), OTHER)
    claimed = await claim_calls(db, EVERYWHERE, limits(gateway_cps_limit=4), server_id=SERVER)
    assert sorted(call.account_id for call in claimed) == sorted([ACME, ACME, OTHER, OTHER])
    let_a_second_pass(url)
    assert len(await claim_calls(db, EVERYWHERE, limits(gateway_channel_cap=5), server_id=SERVER)) == 1


async def test_legs_to_numbers_that_calls_dialled_count_in_the_gateways_limits(
    db: Database, recorder: Recorder, url: str
) -> None:
    await add_account(db)
    calls = [call_in_shard(1) for _ in range(3)]
    for call in calls:
        await queue_call(db, call)
    legs = [LegId(f"018bcfe5-6800-0000-0000-00000000001{digit}") for digit in "abcd"]
    targets = ["+15550003333", "+15550004444", "sip:bob@example.net", "+15550005555"]
    inbound = call_in_shard(2)
    opened = [LegOpened(leg, "dial_target", "+15550001111", target) for leg, target in zip(legs, targets, strict=True)]
    await recorder.submit([offered(inbound, *opened, LegChanged(legs[3], ended_ms=NOW_MS))])

    assert await claim_calls(db, EVERYWHERE, limits(gateway_channel_cap=2), server_id=SERVER) == []
    assert len(await claim_calls(db, EVERYWHERE, limits(gateway_channel_cap=3), server_id=SERVER)) == 1
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE legs SET created_at = now()")
    assert await claim_calls(db, EVERYWHERE, limits(gateway_cps_limit=3), server_id=SERVER) == []
    assert len(await claim_calls(db, EVERYWHERE, limits(gateway_cps_limit=4), server_id=SERVER)) == 1


async def test_an_app_has_no_more_live_calls_than_its_limit_and_holds_up_no_other(
    db: Database, recorder: Recorder, url: str
) -> None:
    await add_account(db)
    async with db.transaction() as tx:
        limited = await create_app(tx, ACME, AppDraft("Limited", Link("http://app/flow"), channel_limit=2))
    await recorder.submit([offered(call_in_shard(2), app=limited.app_id)])
    theirs = [call_in_shard(1) for _ in range(3)]
    for call in theirs:
        await queue_call(db, call, app=limited.app_id)
    other = call_in_shard(1)
    await queue_call(db, other)

    claimed = await claim_calls(db, EVERYWHERE, WIDE, server_id=SERVER)
    assert [call.call_id for call in claimed] == [theirs[0], other]
    assert await claim_calls(db, EVERYWHERE, WIDE, server_id=SERVER) == []
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE calls SET ended_at = now() WHERE direction = 'inbound'")
    assert [call.call_id for call in await claim_calls(db, EVERYWHERE, WIDE, server_id=SERVER)] == [theirs[1]]


async def test_a_call_that_waited_a_day_is_not_dialled(db: Database, url: str) -> None:
    await add_account(db)
    await queue_call(db, call_in_shard(1))
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE calls SET created_at = now() - interval '25 hours'")
    assert await claim_calls(db, EVERYWHERE, WIDE, server_id=SERVER) == []


async def test_a_server_without_shards_claims_nothing(db: Database) -> None:
    assert await claim_calls(db, [], WIDE, server_id=SERVER) == []


async def test_a_claimed_call_without_a_journal_is_found_by_its_next_server(db: Database) -> None:
    await add_account(db)
    call = call_in_shard(3)
    await queue_call(db, call)
    await claim_calls(db, EVERYWHERE, WIDE, server_id=SERVER)
    async with db.transaction() as tx:
        found = await load_live_calls(tx, "fs1", [3])
    [claimed_ago_s] = [one.claimed_ago_s for one in found]
    assert claimed_ago_s is not None
    assert 0 <= claimed_ago_s < 60
    assert found == [LiveCall(call, ACME, facts_of(call, node="fs1"), claimed_by=SERVER, claimed_ago_s=claimed_ago_s)]


async def test_live_calls_of_an_app_are_counted_whichever_way_they_go(db: Database, recorder: Recorder) -> None:
    await add_account(db)
    async with db.transaction() as tx:
        apps = [(await create_app(tx, ACME, AppDraft(name, Link("http://app/flow")))).app_id for name in "abc"]
    await recorder.submit([offered(call_in_shard(2), app=apps[0])])
    for app in (apps[0], apps[1]):
        await queue_call(db, call_in_shard(1), app=app)
    await claim_calls(db, EVERYWHERE, WIDE, server_id=SERVER)
    await queue_call(db, call_in_shard(1), app=apps[2])
    async with db.transaction() as tx:
        assert await count_live_calls(tx, apps) == {apps[0]: 2, apps[1]: 1}
