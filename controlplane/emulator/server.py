"""The node's event socket over TCP."""

from __future__ import annotations

import asyncio

from controlplane.emulator.memory import LinkProtocol
from controlplane.emulator.node import Node
from controlplane.emulator.rules import LinkRules


class Server:
    """Listens for links to a node."""

    def __init__(self, node: Node, rules: LinkRules | None = None) -> None:
        self._node, self._rules = node, rules or LinkRules()
        self._server: asyncio.Server | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen; answers the port (a free one for 0)."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: LinkProtocol(self._node, self._rules), host, port)
        address: tuple[str, int] = self._server.sockets[0].getsockname()
        return address[1]

    async def stop(self) -> None:
        """Close the links that are open, and listen no more."""
        for listener in list(self._node.listeners):
            listener.cut()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None
