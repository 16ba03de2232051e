"""Find out whether the database answers."""

from __future__ import annotations

from controlplane.store.database import Transaction
from controlplane.store.queries import query

_CHECK = query("check_database")


async def check_database(tx: Transaction) -> None:
    """Ask it something; raises DatabaseAway where no answer comes."""
    await tx.run(_CHECK)
