from __future__ import annotations

import asyncio
from collections import Counter

from tests.postgres.api.tenants import APP, CALL, Tenant, told
from tests.postgres.sample import rows

KEY = {"Idempotency-Key": "one"}


async def test_the_same_request_again_gets_the_same_answer_and_makes_nothing(acme: Tenant, url: str) -> None:
    first = await acme.post("/voice/calls/initiate", CALL, headers=KEY)
    again = await acme.post("/voice/calls/initiate", CALL, headers=KEY)

    assert (again.status_code, again.content) == (first.status_code, first.content) == (202, first.content)
    assert rows(url, "SELECT count(*) FROM calls") == [{"count": 1}]


async def test_another_request_with_the_same_key_is_refused(acme: Tenant, url: str) -> None:
    await acme.post("/voice/calls", CALL, headers=KEY)

    other_body = await acme.post("/voice/calls", {**CALL, "timeout_s": 9}, headers=KEY)
    other_path = await acme.post("/voice/calls/initiate", CALL, headers=KEY)

    assert told(other_body) == told(other_path) == (422, "idempotency_key_reused")
    assert rows(url, "SELECT count(*) FROM calls") == [{"count": 1}]


async def test_a_key_means_something_in_its_own_account_only(acme: Tenant, globex: Tenant) -> None:
    one = await acme.post("/voice/apps", APP, headers=KEY)
    two = await globex.post("/voice/apps", APP, headers=KEY)

    assert (one.status_code, two.status_code) == (201, 201)
    assert one.json()["id"] != two.json()["id"]


async def test_a_request_that_failed_may_be_made_again_with_its_key(acme: Tenant) -> None:
    failed = await acme.post("/voice/calls", {**CALL, "app_id": "va_x"}, headers=KEY)
    again = await acme.post("/voice/calls", CALL, headers=KEY)

    assert (failed.status_code, again.status_code) == (404, 201)


async def test_a_key_that_is_none_is_refused(acme: Tenant) -> None:
    for key in ("", "x" * 256):
        answer = await acme.post("/voice/calls", CALL, headers={"Idempotency-Key": key})
        assert told(answer) == (422, "bad_idempotency_key")


async def test_a_hundred_at_once_with_one_key_make_one_call(acme: Tenant, url: str) -> None:
    async def initiate() -> tuple[int, str]:
        while True:
            answer = await acme.post("/voice/calls/initiate", CALL, headers=KEY)
            if answer.status_code == 409:
                assert told(answer) == (409, "idempotency_key_in_use")
                continue  # one that is under way: the client's turn to ask again
            return answer.status_code, answer.json()["data"]["id"]

    answers = Counter(await asyncio.gather(*(initiate() for _ in range(100))))

    [call] = rows(url, "SELECT count(*) FROM calls")
    assert (list(answers.values()), call["count"]) == ([100], 1)


async def test_a_secret_in_an_answer_is_not_to_be_read_where_answers_are_kept(acme: Tenant, url: str) -> None:
    made = await acme.post("/secrets", {"name": "main"}, headers=KEY)
    again = await acme.post("/secrets", {"name": "main"}, headers=KEY)

    [kept] = rows(url, "SELECT body FROM idempotency_keys")
    assert made.json()["secret_value"].encode() not in kept["body"]
    assert again.content == made.content
