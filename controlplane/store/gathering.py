"""Questions of many, asked at about the same time, answered by one transaction.

A transaction costs a process half a millisecond however little it asks. Under load the questions that come while one
is under way wait for the next and share it; without load a question is asked at once. Whoever asks sees everything
that was committed before the question.

While the database is away nobody waits for longer than one transaction takes to find that out: what came meanwhile is
told the same. There is a bound on how many wait, and a question of which the answer is wanted no more is not asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Generic, TypeAlias, TypeVar

from controlplane.base.errors import CallplaneError, Unavailable
from controlplane.store.database import Transaction

Q = TypeVar("Q")
A = TypeVar("A")

# Answers questions in their order; an error among the answers is raised for whoever asked that one.
Answers: TypeAlias = Callable[[Transaction, Sequence[Q]], Awaitable[Sequence[A | CallplaneError]]]

MOST_WAITING = 2000  # ten full transactions, a second or so of them


class TooManyAsk(Unavailable):
    """More is asked of the database than it answers; try again later."""

    slug = "too-many-ask"


class Gathering(Generic[Q, A]):
    """Questions of one kind. What `answers` writes is committed before anybody is told."""

    def __init__(
        self,
        begin: Callable[[], AbstractAsyncContextManager[Transaction]],
        answers: Answers[Q, A],
        *,
        most: int = 200,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        """`begin` is `Database.transaction` or `autocommit`; at most `most` questions share what it gives."""
        self._begin, self._answers, self._most, self._most_waiting = begin, answers, most, most_waiting
        self._waiting: list[tuple[Q, asyncio.Future[A]]] = []
        self._task: asyncio.Task[None] | None = None

    async def ask(self, question: Q) -> A:
        """Answer one question; raises its error, or what the whole transaction failed with, such as DatabaseAway.

        Raises TooManyAsk at once where too many wait already.
        """
        if len(self._waiting) >= self._most_waiting:
            self._forget_who_left()
            if len(self._waiting) >= self._most_waiting:
                raise TooManyAsk
        future: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work(), name="gathering")
        return await future

    async def _work(self) -> None:
        while self._waiting:
            await asyncio.sleep(0)  # whoever is about to ask in this turn of the loop comes along
            self._forget_who_left()
            asked, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            if asked:
                await self._answer(asked)

    async def _answer(self, asked: Sequence[tuple[Q, asyncio.Future[A]]]) -> None:
        try:
            async with self._begin() as tx:
                wanted = [(question, future) for question, future in asked if not future.done()]
                answers = await self._answers(tx, [question for question, _ in wanted]) if wanted else ()
        except BaseException as error:  # a task's end: whoever waits must hear of it, whatever it was
            self._fail(asked, error)
            if not isinstance(error, Exception):
                raise
        else:
            for (_, future), answer in zip(wanted, answers, strict=True):
                _settle(future, answer)

    def _fail(self, asked: Sequence[tuple[Q, asyncio.Future[A]]], error: BaseException) -> None:
        everybody = [future for _, future in (*asked, *self._waiting)]
        match error:
            case Unavailable():  # those who came meanwhile would find out the same, one transaction after the other
                self._waiting.clear()
                for future in everybody:
                    _settle(future, error)
            case Exception():
                for _, future in asked:
                    _settle(future, error)
            case _:
                self._waiting.clear()
                for future in everybody:
                    future.cancel()

    def _forget_who_left(self) -> None:
        self._waiting = [(question, future) for question, future in self._waiting if not future.done()]


def _settle(future: asyncio.Future[A], answer: A | Exception) -> None:
    if future.done():
        return  # nobody waits any more
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
