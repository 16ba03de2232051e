"""Questions put to an application; what comes of one is an event of its call."""

from __future__ import annotations

from controlplane.calls.commands import FetchDocument
from controlplane.calls.events import DocumentArrived, DocumentFailed
from controlplane.callserver.call import LiveCall
from controlplane.callserver.ports import Applications, FetchFailed, Meters


async def fetch(applications: Applications, meters: Meters, call: LiveCall, command: FetchDocument) -> None:
    """Ask for a document."""
    facts = call.machine.facts
    began_s = call.clock.monotonic_s()
    try:
        fetched = await applications.fetch(facts, command.link, command.parameters, command.token)
    except FetchFailed as error:
        meters.hook_answered(str(error.code), call.clock.monotonic_s() - began_s)
        call.feed(DocumentFailed(command.token, command.link.url, error.problem, error.code))
        return
    meters.hook_answered("ok", call.clock.monotonic_s() - began_s)
    call.feed(DocumentArrived(command.token, fetched.url, fetched.content_type, fetched.body))
