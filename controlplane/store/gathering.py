"""Questions of many, asked at about the same time, answered by one transaction.

A transaction costs a process half a millisecond however little it asks. Under load the questions that come while one
is under way wait for the next and share it; without load a question is asked at once. Whoever asks sees everything
that was committed before the question.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Generic, TypeAlias, TypeVar

from controlplane.base.errors import CallplaneError
from controlplane.store.database import Transaction

Q = TypeVar("Q")
A = TypeVar("A")

# Answers questions in their order; an error among the answers is raised for whoever asked that one.
Answers: TypeAlias = Callable[[Transaction, Sequence[Q]], Awaitable[Sequence[A | CallplaneError]]]


class Gathering(Generic[Q, A]):
    """Questions of one kind. What `answers` writes is committed before anybody is told."""

    def __init__(
        self, begin: Callable[[], AbstractAsyncContextManager[Transaction]], answers: Answers[Q, A], *, most: int = 200
    ) -> None:
        """`begin` is `Database.transaction` or `autocommit`; at most `most` questions share what it gives."""
        self._begin, self._answers, self._most = begin, answers, most
        self._waiting: list[tuple[Q, asyncio.Future[A]]] = []
        self._task: asyncio.Task[None] | None = None

    async def ask(self, question: Q) -> A:
        """Answer one question; raises its error, or what the whole transaction failed with, such as DatabaseAway."""
        future: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work(), name="gathering")
        return await future

    async def _work(self) -> None:
        while self._waiting:
            await asyncio.sleep(0)  # whoever is about to ask in this turn of the loop comes along
            asked, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            try:
                async with self._begin() as tx:
                    answers = await self._answers(tx, [question for question, _ in asked])
            except BaseException as error:  # a task's end: whoever waits must hear of it, whatever it was
                self._fail(asked, error)
                if not isinstance(error, Exception):
                    raise
            else:
                for (_, future), answer in zip(asked, answers, strict=True):
                    _settle(future, answer)

    def _fail(self, asked: list[tuple[Q, asyncio.Future[A]]], error: BaseException) -> None:
        if isinstance(error, Exception):
            for _, future in asked:
                _settle(future, error)
            return
        for _, future in (*asked, *self._waiting):
            future.cancel()
        self._waiting.clear()


def _settle(future: asyncio.Future[A], answer: A | Exception) -> None:
    if future.done():
        return  # nobody waits any more
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
