"""Under which number parties are dialled."""

from __future__ import annotations

from pathlib import Path

import pytest

from controlplane.base.ids import AccountId
from controlplane.callserver.ports import Route
from controlplane.emulator.scenarios import CalleePlan, HangUp, Then, Wait
from controlplane.verbs.documents import Link
from controlplane.wiring.memory import MemoryNumbers

from .platform import ACCOUNT, APP, platform


class Owned(MemoryNumbers):
    """Numbers of which an account may show none but its own."""

    def may_show(self, account: AccountId, caller_id: str) -> bool:
        return (account, caller_id) == (ACCOUNT, "+15550009999")


NUMBERS = Owned(anything=Route(ACCOUNT, None, Link(f"{APP}/"), None, None, None))


@pytest.mark.parametrize("target", ["+15550003333", "<Number url='/screen'>+15550003333</Number>"])
@pytest.mark.parametrize(
    ("asked_for", "shown"),
    [("+15550009999", "+15550009999"), ("+15550002222", "+15550002222"), ("+18005550100", "+15550001111")],
)
async def test_nobody_is_dialled_under_the_number_of_somebody_else(
    asked_for: str, shown: str, target: str, tmp_path: Path
) -> None:
    pages = {"/": f"<Dial callerId='{asked_for}'>{target}</Dial>", "/screen": "<Pause/>"}
    async with platform(tmp_path, pages, numbers=NUMBERS) as here:
        seen: list[str] = []

        def look() -> None:
            dialled = (leg.variables.get("origination_caller_id_number") for leg in here.node.channels.values())
            seen.extend(number for number in dialled if number is not None)

        here.clock.call_at_ms(here.clock.monotonic_ms() + 2000, look)
        await here.call(Wait(4), HangUp(), _15550003333=CalleePlan(30, Then.ANSWER))
        assert seen == [shown]
        assert ("13214" in " ".join(here.timeline)) is (shown != asked_for)
