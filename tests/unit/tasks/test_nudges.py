"""Work that is told of while there is no broker."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from amqp.exceptions import AccessRefused
from celery import Celery

from controlplane.base.errors import Unavailable
from controlplane.tasks.app import DELIVER, SWEEP, BrokerAway, CeleryApp, build_celery, tasks_of
from controlplane.tasks.nudges import Nudges
from controlplane.tasks.sending import Sender


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
    nudges = Nudges(Sender(without_broker), tasks_of(work))
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
    nudges = Nudges(Sender(without_broker), tasks_of(work))
    for _ in range(2):
        await nudges.tell(SWEEP)
        await nudges.finish()
    assert work.begun == 2


@pytest.fixture(params=["redis://127.0.0.1:{}/0", "amqp://guest:guest@127.0.0.1:{}//"])
def with_hung_broker(request: pytest.FixtureRequest) -> Iterator[CeleryApp]:
    """As one that was sent SIGSTOP: the kernel takes connections and what is written to them, and nobody reads it."""
    with socket.create_server(("127.0.0.1", 0)) as stopped:
        app = build_celery(request.param.format(stopped.getsockname()[1]), {})
        yield app
    app.close()


async def test_work_is_done_without_a_broker_that_hangs_which_holds_one_thread(with_hung_broker: CeleryApp) -> None:
    threads = threading.active_count()
    work = Deliveries()
    work.may_end.set()
    nudges = Nudges(Sender(with_hung_broker, answer_s=0.05), tasks_of(work))
    for _ in range(3):
        await nudges.tell(DELIVER)
        await nudges.finish()
    assert work.begun == 3
    assert threading.active_count() == threads + 1


async def test_while_a_broker_hangs_nobody_waits_for_it_again(with_hung_broker: CeleryApp) -> None:
    sender = Sender(with_hung_broker, answer_s=0.05)
    with pytest.raises(BrokerAway):
        await sender.send(DELIVER)
    with pytest.raises(BrokerAway):
        sender.send(DELIVER).send(None)  # is through before the loop could turn


class Refusing(Celery):
    """A broker that refuses the login, as while its password is being changed."""

    def send_task(self, *args: Any, **kwargs: Any) -> Any:
        raise AccessRefused("ACCESS_REFUSED - Login was refused")


async def test_a_broker_that_refuses_is_one_that_is_away() -> None:
    work = Deliveries()
    work.may_end.set()
    nudges = Nudges(Sender(Refusing("callplane", set_as_current=False)), tasks_of(work))
    await nudges.tell(DELIVER)
    await nudges.finish()
    assert work.begun == 1


@dataclass(slots=True)
class Broker:
    """One that takes what it is told, and passes on what it is asked to. `now_s` is moved by hand."""

    now_s: float = 100.0
    work: Deliveries = field(default_factory=Deliveries)
    nudges: Nudges = field(init=False)

    def __post_init__(self) -> None:
        self.work.may_end.set()
        app = build_celery("memory://localhost/", {})
        self.nudges = Nudges(Sender(app), tasks_of(self.work), {DELIVER: 3.0}, lambda: self.now_s)

    async def begun_by_telling(self, *, after_s: float = 0.0) -> int:
        """How much work is begun here by telling of it."""
        self.now_s += after_s
        before = self.work.begun
        await self.nudges.tell(DELIVER)
        await self.nudges.finish()
        return self.work.begun - before

    async def pass_on(self) -> None:
        await self.nudges.heard()[DELIVER]()


async def test_work_that_a_broker_passes_on_to_nobody_is_done_here_until_it_does() -> None:
    broker = Broker()
    assert [await broker.begun_by_telling(after_s=1.0) for _ in range(5)] == [0, 0, 0, 1, 1]
    await broker.pass_on()
    assert [await broker.begun_by_telling(after_s=1.0) for _ in range(3)] == [0, 0, 1]


async def test_work_that_goes_on_has_been_passed_on() -> None:
    broker = Broker()
    broker.work.may_end.clear()
    going_on = asyncio.create_task(broker.pass_on())
    await asyncio.sleep(0)
    broker.now_s += 10.0
    broker.work.may_end.set()
    await going_on
    assert await broker.begun_by_telling(after_s=1.0) == 0
