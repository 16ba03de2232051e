"""What can befall processes: ours, the media node, PostgreSQL, the tenant's application, and their clock."""

from __future__ import annotations

import asyncio

from tests.chaos.programs import wake
from tests.chaos.running import Run, Was
from tests.chaos.site import SERVERS

INTO_THE_CALL_S = 1.0
NODE_BACK_S = 1.0
SUPERVISOR_S = 0.5
CLOCK_STEP_S = 600


def _lasting_s(run: Run, short_s: float, long_s: float = 60.0) -> float:
    return long_s if run.is_long else short_s


async def freeze(run: Run) -> None:
    """The marked call's server does nothing for a while; its watchdog ends it then, and a supervisor starts another."""
    await _freeze(run, just=1)


async def freeze_container(run: Run) -> None:
    """The same, its watchdog frozen with it: it wakes when others have had its calls for long."""
    await _freeze(run, just=None)


async def _freeze(run: Run, just: int | None) -> None:
    await run.until_under_way(INTO_THE_CALL_S)
    run.strike()
    frozen = run.driving.freeze()
    run.commands.frozen.add(run.driver)
    if just is not None:
        wake(frozen[just:])
    await asyncio.sleep(_lasting_s(run, 8.0, 30.0))
    wake(frozen)
    run.heal(Was.UNSEEN)


async def kill_twice(run: Run) -> None:
    """The marked call's server is killed, and the one that takes over as soon as it speaks of the call."""
    await run.until_under_way(INTO_THE_CALL_S)
    run.kill_driver()
    async with asyncio.timeout(30):
        while run.takeover_at_s is None:
            await asyncio.sleep(0.001)  # another process takes over
    second = next(name for name in SERVERS if name != run.driver)
    run.site.programs[second].kill()
    await run.driving.start()
    run.heal(Was.NOBODY_THERE)


async def kill_node(run: Run) -> None:
    """The media node dies with all its calls, and comes back as another."""
    await run.until_under_way(INTO_THE_CALL_S)
    run.strike()
    run.site.node.kill()
    run.dead_nodes.append("local")
    await asyncio.sleep(NODE_BACK_S)
    await run.site.node.start()
    run.heal(Was.NOBODY_THERE)


async def stop_postgres(run: Run) -> None:
    """PostgreSQL is away for a while."""
    await run.until_under_way(INTO_THE_CALL_S)
    run.strike()
    await run.site.database.halt()
    await asyncio.sleep(_lasting_s(run, 8.0))
    await run.site.database.go_on()
    run.heal(Was.UNWRITABLE)


async def restart_postgres(run: Run) -> None:
    """PostgreSQL is stopped and started."""
    await run.until_under_way(INTO_THE_CALL_S)
    run.strike()
    await run.site.database.halt()
    await run.site.database.go_on()
    run.heal(Was.UNWRITABLE)


async def cut_postgres(run: Run) -> None:
    """Every session of PostgreSQL is ended, three times."""
    await run.until_under_way(INTO_THE_CALL_S)
    run.strike()
    for _ in range(3):
        await run.site.database.cut_connections()
        await asyncio.sleep(0.7)
    run.heal(Was.UNWRITABLE)


async def kill_worker(run: Run) -> None:
    """The worker is killed, its broker with it (which is its memory), and started again."""
    await run.until_under_way(INTO_THE_CALL_S)
    run.strike()
    run.site.programs["worker"].kill()
    await asyncio.sleep(SUPERVISOR_S)
    await run.site.programs["worker"].start()
    run.heal()


async def kill_broker(run: Run) -> None:
    """The worker's broker is killed, and comes back after a while; the worker goes on."""
    await run.until_under_way(INTO_THE_CALL_S)
    broker = run.site.broker
    assert broker is not None, "a run with this fault has one"
    run.strike()
    broker.kill()
    await asyncio.sleep(_lasting_s(run, 8.0))
    await broker.start()
    run.heal()


async def kill_all(run: Run) -> None:
    """All of the platform's processes are killed at once, and started again."""
    await run.until_under_way(INTO_THE_CALL_S)
    run.strike()
    killed = [program for program in run.site.programs.values() if program.is_running]
    for program in killed:
        program.kill()
    await asyncio.sleep(SUPERVISOR_S)
    await asyncio.gather(*(program.start() for program in killed))
    run.heal(Was.NOBODY_THERE, Was.UNWRITABLE)


async def stop_webhooks(run: Run) -> None:
    """The tenant's application refuses every connection for a while.

    What could not be delivered is tried again after five minutes; the run lets them pass at once.
    """
    await run.until_under_way(INTO_THE_CALL_S)
    run.strike()
    await run.site.receiver.stop()
    await asyncio.sleep(_lasting_s(run, 8.0))
    await run.site.receiver.start()
    run.heal(Was.SPEECHLESS)
    await run.site.node.until_quiet(run.load, within_s=90)
    await run.site.database.execute("UPDATE deliveries SET due_at = now() WHERE state = 'pending'")


async def step_clock(run: Run) -> None:
    """The clocks of the call servers jump ten minutes ahead, and later back again."""
    await run.until_under_way(INTO_THE_CALL_S)
    run.strike()
    run.site.step_clocks(CLOCK_STEP_S)
    await asyncio.sleep(_lasting_s(run, 4.0, 30.0))
    run.site.step_clocks(0)
    run.heal()
