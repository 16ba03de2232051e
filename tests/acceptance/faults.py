"""What befalls the platform while people act: `faults:` in a case.

faults:
  - {after: caller is connected, at_s: 1.5, kill: call server}     # the one that drives the case's last call
  - {at_s: 0, start: call server}
"""

from __future__ import annotations

from tests.acceptance.cases import Case
from tests.acceptance.moments import in_time
from tests.acceptance.platform import Platform, Tenant


async def cause_faults(case: Case, platform: Platform, tenant: Tenant) -> None:
    """Cause everything in its time."""
    async for step in in_time(case.faults, platform, tenant):
        match step:
            case {"kill": "call server"}:
                await platform.kill_call_server_of((await platform.call_ids(tenant))[-1])
            case {"start": "call server"}:
                await platform.start_call_server()
            case _:
                raise ValueError(f"no such fault: {step}")
