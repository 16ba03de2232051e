"""Work that is told of while there is no broker."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from controlplane.base.errors import Unavailable
from controlplane.tasks.app import DELIVER, SWEEP, CeleryApp, build_celery, tasks_of
from controlplane.tasks.nudges import Nudges


class DatabaseAway(Unavailable):
    slug = "database-away"


@dataclass(slots=True)
class Deliveries:
    """Work of which each piece waits until it may end."""

    begun: int = 0
    may_end: asyncio.Event = field(default_factory=asyncio.Event)

    async def deliver(self) -> int:
        self.begun += 1
        await self.may_end.wait()
        return 1

    async def process_recordings(self) -> int:
        return 0

    async def sweep(self) -> int:
        self.begun += 1
        raise DatabaseAway


@pytest.fixture(params=["redis://127.0.0.1:{}/0", "amqp://guest:guest@127.0.0.1:{}//"])
def without_broker(request: pytest.FixtureRequest) -> Iterator[CeleryApp]:
    with socket.socket() as nobody:  # bound, and not listening: whoever connects is refused
        nobody.bind(("127.0.0.1", 0))
        app = build_celery(request.param.format(nobody.getsockname()[1]), {})
        yield app
        app.close()


async def test_work_is_done_by_whoever_would_have_told_of_it_once_at_a_time(without_broker: CeleryApp) -> None:
    work = Deliveries()
    nudges = Nudges(without_broker, tasks_of(work))
    await nudges.tell(DELIVER)
    await nudges.tell(DELIVER)
    await asyncio.sleep(0)
    assert work.begun == 1
    work.may_end.set()
    await nudges.finish()
    await nudges.tell(DELIVER)
    await nudges.finish()
    assert work.begun == 2


async def test_work_that_cannot_be_done_now_is_tried_at_the_next_telling(without_broker: CeleryApp) -> None:
    work = Deliveries()
    nudges = Nudges(without_broker, tasks_of(work))
    for _ in range(2):
        await nudges.tell(SWEEP)
        await nudges.finish()
    assert work.begun == 2
