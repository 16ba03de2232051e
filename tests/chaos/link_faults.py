"""What can befall the links between a call server and its media node."""

from __future__ import annotations

import asyncio

from tests.chaos.proxy import Kind, Manner
from tests.chaos.running import Run, Was

INTO_THE_CALL_S = 1.0
CUTS, CUTS_APART_S = 3, 0.7
SHORT_S, LONG_S = 6.0, 30.0
RECONNECTED_WITHIN_S = 60.0


async def cut_events(run: Run) -> None:
    """The event link is reset, again and again."""
    await _cut(run, Kind.EVENTS)


async def cut_commands(run: Run) -> None:
    """The command link is reset, again and again."""
    await _cut(run, Kind.COMMANDS)


async def _cut(run: Run, kind: Kind) -> None:
    await run.until_under_way(INTO_THE_CALL_S)
    run.strike()
    for _ in range(CUTS):
        for line in run.site.proxy.lines_of(run.driver, kind):
            line.cut()
        await asyncio.sleep(CUTS_APART_S)
    run.heal(Was.UNSEEN)


async def half_open(run: Run) -> None:
    """Both links carry nothing any more, and nobody is told; new ones are good."""
    await _swallow(run, Kind.EVENTS, Kind.COMMANDS)


async def half_open_events(run: Run) -> None:
    """The same of the event link alone."""
    await _swallow(run, Kind.EVENTS)


async def _swallow(run: Run, *kinds: Kind) -> None:
    await run.until_under_way(INTO_THE_CALL_S)
    run.strike()
    dead = run.site.proxy.lines_of(run.driver, *kinds)
    for line in dead:
        line.manner = Manner.SWALLOW
    async with asyncio.timeout(RECONNECTED_WITHIN_S):
        while any(line in run.site.proxy.lines for line in dead):
            await asyncio.sleep(0.1)  # the call server, another process, is to find out
    run.heal(Was.NOBODY_THERE)


async def slow(run: Run) -> None:
    """Everything comes late."""
    await _be(run, Manner.SLOW)


async def by_bytes(run: Run) -> None:
    """Every byte comes in a segment of its own."""
    await _be(run, Manner.BY_BYTES)


async def _be(run: Run, manner: Manner) -> None:
    """All links of all call servers are so for a while, those that are opened meanwhile, too."""
    proxy = run.site.proxy
    await run.until_under_way(INTO_THE_CALL_S)
    run.strike()
    proxy.new_lines = manner
    for line in proxy.lines:
        line.manner = manner
    await asyncio.sleep(LONG_S if run.is_long else SHORT_S)
    proxy.new_lines = Manner.PASS
    for line in proxy.lines:
        line.manner = Manner.PASS
    run.heal(Was.NOBODY_THERE)
