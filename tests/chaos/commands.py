"""What call servers had media nodes do to legs: who, when, and with which leg. Questions are none of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.proxy import Message

_UUID = r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_COMMAND = re.compile(rf"sendmsg {_UUID}|(?:bg)?api (?!uuid_(?:exists|dump|getvar) )[a-z_]+ (?:\+\d+ )?{_UUID}")


@dataclass(slots=True)
class Commands:
    """Those of a run. `frozen` are servers that stood still in it, and woke."""

    told: list[dict[str, object]] = field(default_factory=list)
    frozen: set[str] = field(default_factory=set)

    def watch(self, message: Message) -> bool:
        """A watcher of the proxy, which lets everything go on."""
        if not message.is_from_node and (found := _COMMAND.match(message.frame.line)):
            leg = found[1] or found[2]
            self.told.append({
                "at": message.at_s, "server": message.server, "leg": leg, "line": message.frame.line,
                "line_since": message.line_since_s,
            })  # fmt: skip
        return True

    def write(self, folder: Path) -> None:
        """Put them where the ledger looks."""
        with (folder / "commands.jsonl").open("w") as file:
            for one in self.told:
                file.write(json.dumps(one | {"was_frozen": one["server"] in self.frozen}) + "\n")
