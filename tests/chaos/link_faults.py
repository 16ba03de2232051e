"""What can befall the links between a call server and its media node."""

from __future__ import annotations

import asyncio
import time

from tests.chaos.bounds import LINKS_S, NOTICES_S
from tests.chaos.proxy import Kind, Manner
from tests.chaos.running import Run
from tests.chaos.windows import Was

INTO_THE_CALL_S = 1.0
CUTS, CUTS_APART_S = 3, 0.7
SHORT_S, LONG_S = 6.0, 30.0
# How long the dead ends of links that are half open stay when there are new ones: nobody tells the node.
STAY_SHORT_S, STAY_LONG_S = 1.0, 30.0


async def cut_events(run: Run) -> None:
    """The event link is reset, again and again."""
    await _cut(run, Kind.EVENTS)


async def cut_commands(run: Run) -> None:
    """The command link is reset, again and again."""
    await _cut(run, Kind.COMMANDS)


async def _cut(run: Run, kind: Kind) -> None:
    """Every caller is served. A call of the API may be given up as lost, as below, if its command was under way."""
    await run.until_under_way(INTO_THE_CALL_S)
    cut_at_s = first_at_s = run.strike()
    for number in range(CUTS):
        await asyncio.sleep(CUTS_APART_S if number else 0.0)
        lines = run.site.proxy.lines_of(run.driver, kind)
        cut_at_s = time.time() if lines else cut_at_s
        for line in lines:
            line.cut()
    end_s = await run.recover(run.linked(cut_at_s, run.driver), cut_at_s, LINKS_S, "new links after they were cut")
    run.windows.add(first_at_s, end_s, Was.UNSEEN, *((Was.UNDIALLED,) if kind is Kind.COMMANDS else ()))
    run.heal()


async def half_open(run: Run) -> None:
    """Both links carry nothing any more, and nobody is told; new ones are good."""
    await _swallow(run, Kind.EVENTS, Kind.COMMANDS)


async def half_open_events(run: Run) -> None:
    """The same of the event link alone."""
    await _swallow(run, Kind.EVENTS)


async def _swallow(run: Run, *kinds: Kind) -> None:
    """No caller has to be refused for that: one who comes meanwhile waits longer at the door than this may last.

    A call of the API may be given up as lost: nobody can tell whether its telephone rang.
    """
    await run.until_under_way(INTO_THE_CALL_S)
    at_s = run.strike()
    dead = run.site.proxy.lines_of(run.driver, *kinds)
    for line in dead:
        line.swallow()
    end_s = await run.recover(run.linked(at_s, run.driver), at_s, NOTICES_S, "new links for those that are half open")
    run.windows.add(at_s, end_s, Was.UNSEEN, *((Was.UNDIALLED,) if Kind.COMMANDS in kinds else ()))
    await asyncio.sleep(STAY_LONG_S if run.is_long else STAY_SHORT_S)
    for line in dead:
        line.cut()
    run.heal()


async def slow(run: Run) -> None:
    """Everything comes late."""
    await _be(run, Manner.SLOW)


async def by_bytes(run: Run) -> None:
    """Every byte comes in a segment of its own."""
    await _be(run, Manner.BY_BYTES)


async def _be(run: Run, manner: Manner) -> None:
    """All links of all call servers are so for a while, those that are opened meanwhile, too. It excuses nothing."""
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
    run.heal()
