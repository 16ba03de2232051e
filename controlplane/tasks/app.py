"""The Celery application: a task is a name for one piece of work, run on the worker's own event loop.

Celery has no async tasks, so a loop runs in a thread of the worker process and a task waits for its work there.
Nothing of a task is in its message: what is to be done stands in the database, a message only says that somebody
should look. A message that is lost, late or doubled does no harm.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import warnings
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from celery import Celery, signals

from controlplane.base.errors import CallplaneError, Unavailable

log = logging.getLogger(__name__)

CeleryApp: TypeAlias = Celery
Task: TypeAlias = Callable[[], Coroutine[Any, Any, int]]
QUEUE = "callplane"
DELIVER, RECORDINGS, SWEEP = "callplane.deliver", "callplane.recordings", "callplane.sweep"
CONCURRENCY = 4
STALE_S = 30  # a nudge older than this has been overtaken by the next
TASK_LIMIT_S = 900


class BrokerAway(Unavailable):
    """The message broker does not answer; work is late, not lost."""

    slug = "broker-away"


class Work(Protocol):
    """What the worker can do."""

    def deliver(self) -> Coroutine[Any, Any, int]: ...

    def process_recordings(self) -> Coroutine[Any, Any, int]: ...

    def sweep(self) -> Coroutine[Any, Any, int]: ...


@dataclass(slots=True)
class LoopThread:
    """An event loop in a thread of its own, for a process whose main thread is somebody else's."""

    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._loop.run_forever, name="work", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Any], *, timeout_s: float | None = None) -> Any:
        """Run work on the loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout_s)

    def stop(self) -> None:
        """End; what still runs there is given up."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        if self._thread is not None:
            self._thread.join()
        self._loop.close()


def build_celery(broker_url: str, transport_options: dict[str, Any]) -> Celery:
    """The application, for whoever sends nudges; a worker adds the tasks."""
    app = Celery("callplane", broker=broker_url, set_as_current=False)
    app.conf.update(
        task_default_queue=QUEUE,
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,  # for ever; else a broker that is away for an hour ends every worker
        broker_channel_error_retry=True,  # else one that refuses a login, as its password is changed, ends them at once
        # Else a nudge waits 4 s for a broker that refuses connections (kombu/connection.py:467).
        broker_transport_options={"max_retries": 0, **transport_options},
        task_time_limit=TASK_LIMIT_S,
    )
    return app


def tasks_of(work: Work) -> Mapping[str, Task]:
    """What is done under which name. Without its database a task does nothing: the next nudge tries again."""
    tasks = {DELIVER: work.deliver, RECORDINGS: work.process_recordings, SWEEP: work.sweep}
    return {name: _unless_away(task) for name, task in tasks.items()}


def _unless_away(task: Task) -> Task:
    async def tried() -> int:
        try:
            return await task()
        except Unavailable as error:
            log.info("task_waits", extra={"problem": str(error)})
            return 0

    return tried


def add_tasks(app: Celery, tasks: Mapping[str, Task], loop: LoopThread) -> None:
    """Give a worker its tasks."""
    for name, task in tasks.items():
        app.task(name=name)(_in_a_thread(task, loop))


def _in_a_thread(task: Task, loop: LoopThread) -> Callable[[], int]:
    def run() -> int:
        done: int = loop.run(task(), timeout_s=TASK_LIMIT_S)
        return done

    return run


def nudge(app: Celery, name: str) -> None:
    """Say that there is work of a kind; raises BrokerAway."""
    try:
        app.send_task(name, expires=STALE_S, retry=False, ignore_result=True)
    except Exception as error:  # every transport has errors of its own, and kombu lets many through as they are
        raise BrokerAway from error


class WorkerBroke(CallplaneError):
    """Celery's worker ended unasked; the lines above say why."""

    slug = "worker-broke"


def run_celery_worker(app: Celery, on_ready: Callable[[], None]) -> None:
    """Work in this thread, the main one, until SIGTERM or SIGINT; tasks under way are finished first.

    Raises WorkerBroke if Celery gives up before that.
    """
    signals.setup_logging.connect(lambda **_: None, weak=False)  # ours is set up
    signals.worker_ready.connect(lambda **_: on_ready(), weak=False)
    warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges", append=True)
    worker = app.Worker(
        pool="threads",
        concurrency=CONCURRENCY,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        task_events=False,
        quiet=True,
        redirect_stdouts=False,
    )
    worker.start()
    if worker.exitcode:
        raise WorkerBroke
