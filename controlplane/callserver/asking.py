"""Questions put to an application; what comes of one is an event of its call."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial

from controlplane.base.ids import CallId
from controlplane.calls.commands import FetchDocument, TakeInline
from controlplane.calls.events import DocumentArrived, DocumentFailed
from controlplane.callserver.call import LiveCall
from controlplane.callserver.ports import Applications, FetchFailed, Meters


@dataclass(slots=True)
class Questions:
    """Those of the calls of one node that are under way, also of calls that are over."""

    applications: Applications
    meters: Meters
    _under_way: set[asyncio.Task[None]] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self._under_way)

    def ask(self, call: LiveCall, command: FetchDocument | TakeInline) -> None:
        """Have a document come to a call, in a turn of its own."""
        if isinstance(command, TakeInline):
            arrived = DocumentArrived(command.token, "", command.inline.content_type, command.inline.body.encode())
            asyncio.get_running_loop().call_soon(call.feed, arrived)
            return
        question = call.ask(command.token, lambda: asyncio.create_task(self._fetch(call, command)))
        self._under_way.add(question)
        question.add_done_callback(partial(self._answered, call))

    def forget(self, call: CallId) -> None:
        """Keep nothing for a call that is over."""
        self.applications.forget(call)

    def close(self) -> None:
        """Wait for no answer any more."""
        for question in list(self._under_way):
            question.cancel()

    def _answered(self, call: LiveCall, question: asyncio.Task[None]) -> None:
        """Of a call that was over before nobody else will forget what was kept for it."""
        self._under_way.discard(question)
        if call.machine.is_over:
            self.forget(call.id)

    async def _fetch(self, call: LiveCall, command: FetchDocument) -> None:
        facts = call.machine.facts
        began_s = call.clock.monotonic_s()
        try:
            fetched = await self.applications.fetch(facts, command.link, command.parameters, command.token)
        except FetchFailed as error:
            self.meters.hook_answered(str(error.code), call.clock.monotonic_s() - began_s)
            call.feed(DocumentFailed(command.token, command.link.url, error.problem, error.code))
            return
        self.meters.hook_answered("ok", call.clock.monotonic_s() - began_s)
        call.feed(DocumentArrived(command.token, fetched.url, fetched.content_type, fetched.body))
