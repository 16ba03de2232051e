"""The worker as a process: Celery in the main thread, our work on a loop beside it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import Any

from controlplane.callserver.endless import insist_on
from controlplane.hooks.client import HookClient
from controlplane.metrics.exposition import serving_metrics
from controlplane.metrics.registry import Metrics
from controlplane.services.cancel_queued_call import expire_queued_calls
from controlplane.services.deliver import measure_outbox
from controlplane.services.idempotent import forget_old_answers
from controlplane.services.served_nodes import Watch, write_off_calls_of_gone_nodes
from controlplane.settings import Settings
from controlplane.store.channels import OUTBOX
from controlplane.store.database import Database
from controlplane.store.notify import Listener
from controlplane.tasks.app import (
    DELIVER,
    RECORDINGS,
    SWEEP,
    LoopThread,
    add_tasks,
    run_celery_worker,
    tasks_of,
)
from controlplane.tasks.deliveries import Courier
from controlplane.tasks.nudges import Nudges
from controlplane.tasks.recordings import process_due_recordings
from controlplane.tasks.sending import Sender
from controlplane.wiring.broker import celery_of
from controlplane.wiring.ending import DEFECT, end_at_once
from controlplane.wiring.files import RecordingKeeper, keeper_of
from controlplane.wiring.meters import watch_pool
from controlplane.wiring.places import database_url_of, vault_of

log = logging.getLogger(__name__)

# How often each kind of work is looked for although nobody told of it (seconds).
PERIODS_S = {DELIVER: 1.0, RECORDINGS: 2.0, SWEEP: 10.0}
MISSED_PERIODS = 3  # of work that the broker had nobody do here: then it is done without it
SETTLE_S = 0.02


@dataclass(slots=True)
class Worker:
    """What the tasks do."""

    db: Database
    courier: Courier
    keeper: RecordingKeeper
    public_url: str
    node_gone_after_s: float
    outbox_age_s: float = 0.0
    watch: Watch = field(default_factory=Watch)

    async def deliver(self) -> int:
        return await self.courier.deliver_due()

    async def process_recordings(self) -> int:
        return await process_due_recordings(self.db, self.keeper, public_url=self.public_url)

    async def sweep(self) -> int:
        async with self.db.transaction() as tx:
            self.outbox_age_s = (await measure_outbox(tx)).oldest_s
            ended = await expire_queued_calls(tx) + await forget_old_answers(tx)
            return ended + await write_off_calls_of_gone_nodes(
                tx, self.watch, gone_after_s=self.node_gone_after_s, now_s=monotonic()
            )


def run_worker(settings: Settings, *, on_ready: Callable[[dict[str, Any]], None]) -> None:
    """Work until SIGTERM or SIGINT; tasks under way are finished first. Raises BadInput for unusable settings."""
    url = database_url_of(settings)
    app, loop, stack = celery_of(settings), LoopThread(), AsyncExitStack()
    loop.start()
    try:
        worker = loop.run(_open(settings, url, stack))
        tasks = tasks_of(worker)
        nudges = Nudges(Sender(app), tasks, {name: MISSED_PERIODS * period_s for name, period_s in PERIODS_S.items()})
        add_tasks(app, nudges.heard(), loop)
        loop.run(_start_telling(nudges, url, stack, partial(end_at_once, DEFECT)))
        run_celery_worker(app, lambda: on_ready({"worker": "celery"}))
    finally:
        loop.run(stack.aclose())
        loop.stop()


async def _open(settings: Settings, url: str, stack: AsyncExitStack) -> Worker:
    metrics = Metrics()
    if settings.metrics_port:
        stack.enter_context(serving_metrics(metrics, settings.metrics_port))
    db = await stack.enter_async_context(Database(url, name="callplane worker"))
    watch_pool(metrics, db)
    hooks = await stack.enter_async_context(HookClient(allow_private=settings.allow_private_hooks))
    keeper = await stack.enter_async_context(keeper_of(settings))
    courier = await stack.enter_async_context(Courier(db, vault_of(settings), hooks, metrics))
    worker = Worker(db, courier, keeper, settings.public_url, settings.node_gone_after_s)
    metrics.watch_outbox_age_s(lambda: worker.outbox_age_s)
    return worker


async def _start_telling(nudges: Nudges, url: str, stack: AsyncExitStack, on_broken: Callable[[], None]) -> None:
    """Turn what the database tells, and the passing of time, into messages to the workers."""
    due = asyncio.Event()
    listener = Listener(url, (OUTBOX,), on_notify=lambda *_: due.set(), on_gap=due.set)
    await listener.start()
    stack.push_async_callback(listener.stop)
    stack.push_async_callback(nudges.finish)
    loops = [_tell_at_once(nudges, due)]
    loops += [_tell_now_and_then(nudges, name, period_s) for name, period_s in PERIODS_S.items()]
    for loop in loops:
        task = asyncio.create_task(loop, name="telling")
        insist_on(task, on_broken)
        stack.callback(task.cancel)


async def _tell_at_once(nudges: Nudges, due: asyncio.Event) -> None:
    while True:
        await due.wait()
        await asyncio.sleep(SETTLE_S)
        due.clear()
        for name in (DELIVER, RECORDINGS):
            await nudges.tell(name)


async def _tell_now_and_then(nudges: Nudges, name: str, period_s: float) -> None:
    while True:
        await asyncio.sleep(period_s)
        await nudges.tell(name)
