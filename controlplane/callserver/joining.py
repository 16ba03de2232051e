"""Two legs of a call that are to hear each other, and what becomes of one when the other leaves."""

from __future__ import annotations

from contextlib import suppress

from controlplane.calls.commands import Join, StayAfterParting
from controlplane.calls.events import LegsJoined
from controlplane.callserver.call import LiveCall
from controlplane.callserver.outlet import Outlet
from controlplane.switch.link import LinkLost


def join(outlet: Outlet, call: LiveCall, command: Join | StayAfterParting) -> None:
    """Join two legs, unless they are: said again after a change of owner it would part them for a moment.

    What breaks the joining off while the node is asked goes out before it, and must not be undone.
    """
    if isinstance(command, StayAfterParting):
        outlet.send(call, command.leg, outlet.writer.stay(command.leg))
        return

    def take(joined: str) -> None:
        if not call.machine.awaits(command.token):
            return
        if joined == command.other:
            call.feed(LegsJoined(command.leg, command.other))
            return
        with suppress(LinkLost):
            outlet.send(call, command.leg, *outlet.writer.join(command.leg, command.other))

    outlet.ask(call, command.leg, outlet.writer.ask_joined(command.leg), take)
