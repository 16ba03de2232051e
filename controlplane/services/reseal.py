"""Seal what lies sealed in the database with the current key, so that an older one can be taken away."""

from __future__ import annotations

from dataclasses import dataclass

from controlplane.base.ids import AccountId
from controlplane.store.database import Transaction
from controlplane.store.queries import Query, query
from controlplane.store.vault import SecretUnreadable, Vault

_TOKENS, _TOKEN = query("auth_tokens_to_reseal"), query("reseal_auth_token")
_SECRETS, _SECRET = query("secrets_to_reseal"), query("reseal_secret")
_ANSWERS, _ANSWER = query("answers_to_reseal"), query("reseal_answer")


@dataclass(frozen=True, slots=True)
class Resealed:
    """How many things are sealed with the current key now that were not, and how many no key opens."""

    resealed: int
    unreadable: int


async def reseal(tx: Transaction, vault: Vault) -> Resealed:
    """Seal everything anew that is not sealed with the vault's first key; may be done again, and while calls go on.

    Rows are held until the transaction ends; what cannot be read is left as it is.
    """
    found: list[tuple[Query, dict[str, str], bytes, str]] = []
    for token in await tx.all(_Token, _TOKENS, current=vault.current):
        found.append((_TOKEN, {"account_id": str(token.account_id)}, token.sealed, token.account_id))
    for secret in await tx.all(_Secret, _SECRETS, current=vault.current):
        found.append((_SECRET, {"secret_id": secret.secret_id}, secret.sealed, secret.secret_id))
    for answer in await tx.all(_Answer, _ANSWERS, current=vault.current):
        place = {"account_id": str(answer.account_id), "key": answer.key}
        found.append((_ANSWER, place, answer.sealed, f"{answer.account_id} {answer.key}"))
    unreadable = 0
    for change, row, sealed, bound in found:
        try:
            await tx.run(change, **row, sealed=vault.seal(vault.open(sealed, bound=bound), bound=bound))
        except SecretUnreadable:
            unreadable += 1
    return Resealed(len(found) - unreadable, unreadable)


@dataclass(frozen=True, slots=True)
class _Token:
    account_id: AccountId
    sealed: bytes


@dataclass(frozen=True, slots=True)
class _Secret:
    secret_id: str
    sealed: bytes


@dataclass(frozen=True, slots=True)
class _Answer:
    account_id: AccountId
    key: str
    sealed: bytes
