from __future__ import annotations

import pytest

from controlplane.base.errors import Unavailable
from controlplane.services.accounts import create_account
from controlplane.store.database import Database
from controlplane.wiring.routing import NumbersInMemory, SigningTokens
from tests.postgres.sample import VAULT
from tests.postgres.wire import wire_to


async def test_requests_are_signed_while_the_database_is_away_also_for_whoever_is_called_for_the_first_time(
    url: str,
) -> None:
    async with wire_to(url) as wire, Database(wire.url, wait_s=0.2) as db:
        async with db.transaction() as tx:
            known = await create_account(tx, VAULT, "Known")
        numbers = NumbersInMemory(db)
        await numbers.read()
        async with db.transaction() as tx:
            newer = await create_account(tx, VAULT, "Newer")
        tokens = SigningTokens(numbers, db, VAULT)
        assert (await tokens.of(newer.account_id)).get_secret_value() == newer.auth_token
        wire.cut()
        assert (await tokens.of(known.account_id)).get_secret_value() == known.auth_token
        with pytest.raises(Unavailable):
            await tokens.of(newer.account_id)
        numbers.changed()
        wire.go_on()
        await numbers.read()
        assert (await tokens.of(newer.account_id)).get_secret_value() == newer.auth_token
