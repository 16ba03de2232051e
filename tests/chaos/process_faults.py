"""What can befall processes: ours, the media node, PostgreSQL, the tenant's application, and their clock."""

from __future__ import annotations

import asyncio
import time

from tests.chaos.bounds import ALL_RESTART_S, FINDS_NODE_S, RESTARTS_S, TAKES_OVER_S, THAWS_S, WRITES_AGAIN_S
from tests.chaos.programs import wake
from tests.chaos.running import Run
from tests.chaos.site import SERVERS
from tests.chaos.windows import Was

INTO_THE_CALL_S = 1.0
NODE_BACK_S = 1.0
SUPERVISOR_S = 0.5
CLOCK_STEP_S = 600


async def freeze(run: Run) -> None:
    """The marked call's server does nothing for a while; its watchdog ends it then, and a supervisor starts another."""
    await _freeze(run, just=1)


async def freeze_container(run: Run) -> None:
    """The same, its watchdog frozen with it: it wakes when others have had its calls for long."""
    await _freeze(run, just=None)


async def _freeze(run: Run, just: int | None) -> None:
    await run.until_under_way(INTO_THE_CALL_S)
    at_s = run.strike()
    frozen = run.driving.freeze()
    run.commands.frozen.add(run.driver)
    if just is not None:
        wake(frozen[just:])
    try:
        end_s = await run.recover(run.taken_over(), at_s, THAWS_S, "another call server, after one was stopped")
        run.windows.add(at_s, end_s, Was.UNSEEN)
        await asyncio.sleep(max(0.0, at_s + run.lasting_s(8.0, 30.0) - time.time()))
    finally:
        wake(frozen)  # also when the harness is told to end: nobody else ever would
    run.heal()


async def kill_twice(run: Run) -> None:
    """The marked call's server is killed, and the one that takes over as soon as it speaks of the call."""
    await run.until_under_way(INTO_THE_CALL_S)
    at_s = run.kill_driver()
    await run.recover(run.taken_over(), at_s, TAKES_OVER_S, "another call server")
    second = next(name for name in SERVERS if name != run.driver)
    run.site.programs[second].kill()
    nobody_s = run.lose_driver()
    what = "the first call server, started again"
    end_s = await run.recover_with(run.driving, since_s=nobody_s, within_s=RESTARTS_S, what=what)
    run.windows.add(at_s, end_s, Was.UNSEEN)
    run.windows.add(nobody_s, end_s, Was.UNAVAILABLE)
    run.heal()


async def kill_node(run: Run) -> None:
    """The media node dies with all its calls, and comes back as another."""
    await run.until_under_way(INTO_THE_CALL_S)
    at_s = run.strike()
    run.site.node.kill()
    run.dead_nodes.append("local")
    await asyncio.sleep(NODE_BACK_S)
    again_s = time.time()
    await run.site.node.start()
    back_s = time.time()
    end_s = await run.recover(run.linked(again_s), back_s, FINDS_NODE_S, "links to the node that is back")
    run.windows.add(at_s, end_s, Was.UNAVAILABLE, Was.UNSEEN)
    run.heal()


async def stop_postgres(run: Run) -> None:
    """PostgreSQL is away for a while."""
    await run.until_under_way(INTO_THE_CALL_S)
    at_s = run.strike()
    await run.site.database.halt()
    await asyncio.sleep(run.lasting_s(8.0))
    await run.site.database.go_on()
    run.windows.add(at_s, time.time() + WRITES_AGAIN_S, Was.UNWRITABLE)
    run.heal()


async def restart_postgres(run: Run) -> None:
    """PostgreSQL is stopped and started."""
    await run.until_under_way(INTO_THE_CALL_S)
    at_s = run.strike()
    await run.site.database.halt()
    await run.site.database.go_on()
    run.windows.add(at_s, time.time() + WRITES_AGAIN_S, Was.UNWRITABLE)
    run.heal()


async def cut_postgres(run: Run) -> None:
    """Every session of PostgreSQL is ended, three times."""
    await run.until_under_way(INTO_THE_CALL_S)
    at_s = run.strike()
    for _ in range(3):
        await run.site.database.cut_connections()
        await asyncio.sleep(0.7)
    run.windows.add(at_s, time.time() + WRITES_AGAIN_S, Was.UNWRITABLE)
    run.heal()


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
    run.strike()
    run.broker.kill()
    await asyncio.sleep(run.lasting_s(8.0))
    await run.broker.start()
    run.heal()


async def hang_broker(run: Run) -> None:
    """The worker's broker takes connections and does not answer, for a while."""
    await run.until_under_way(INTO_THE_CALL_S)
    run.strike()
    with run.broker.hanging():
        await asyncio.sleep(run.lasting_s(8.0))
    run.heal()


async def kill_all(run: Run) -> None:
    """All of the platform's processes are killed at once, and started again."""
    await run.until_under_way(INTO_THE_CALL_S)
    killed = [program for program in run.site.programs.values() if program.is_running]
    at_s = run.kill_driver()
    for program in killed:
        program.kill()
    await asyncio.sleep(SUPERVISOR_S)
    what = "processes that were started again"
    end_s = await run.recover_with(*killed, since_s=time.time(), within_s=ALL_RESTART_S, what=what)
    run.windows.add(at_s, end_s, Was.UNAVAILABLE, Was.UNSEEN, Was.UNWRITABLE)
    run.heal()


async def stop_webhooks(run: Run) -> None:
    """The tenant's application refuses every connection for a while.

    What could not be delivered is tried again after five minutes; the run lets them pass at once.
    """
    await run.until_under_way(INTO_THE_CALL_S)
    at_s = run.strike()
    await run.site.receiver.stop()
    await asyncio.sleep(run.lasting_s(8.0))
    await run.site.receiver.start()
    run.windows.add(at_s, time.time(), Was.SPEECHLESS)
    run.heal()
    await run.site.node.until_quiet(run.load, within_s=90)
    await run.site.database.execute("UPDATE deliveries SET due_at = now() WHERE state = 'pending'")


async def step_clock(run: Run) -> None:
    """The clocks of the call servers jump ten minutes ahead, and later back again."""
    await run.until_under_way(INTO_THE_CALL_S)
    run.strike()
    run.site.step_clocks(CLOCK_STEP_S)
    await asyncio.sleep(run.lasting_s(4.0, 30.0))
    run.site.step_clocks(0)
    run.heal()
