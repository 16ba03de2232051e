"""What media nodes left of each leg: mod_json_cdr's files, `node/<name>/<uuid>.cdr.json`.

A leg that we dialled knows `sip_call_id`, `sip_from_user` and `sip_to_user` only once the far end has answered in some
way; before, its numbers are in its caller profile, percent-encoded (seen on 1.10.12).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos.ledger.ids import number_of
from tests.chaos.ledger.reading import text_or_none

_MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class NodeLeg:
    """One leg, as its node saw it. Times are seconds of the node's clock, None for never."""

    node: str
    uuid: str
    is_inbound: bool
    from_number: str
    to_number: str
    sip_call_id: str | None
    answered_at_s: float | None
    ended_at_s: float
    cause: str

    def __str__(self) -> str:
        return f"the leg {self.uuid} of node {self.node} ({self.from_number} to {self.to_number})"


@dataclass(frozen=True, slots=True)
class NodeRecords:
    """All records, and the files that cannot be read as one (yet)."""

    legs: tuple[NodeLeg, ...] = ()
    broken: tuple[str, ...] = ()


def read_node_records(folder: Path) -> NodeRecords:
    """Every file of every node of a run."""
    legs: list[NodeLeg] = []
    broken: list[str] = []
    for path in sorted((folder / "node").glob("*/*.json")):
        leg = _read(path)
        if leg is None:
            broken.append(f"{path.parent.name}/{path.name}")
        else:
            legs.append(leg)
    return NodeRecords(tuple(legs), tuple(broken))


def _read(path: Path) -> NodeLeg | None:
    """A record; None for a file that is not whole. mod_json_cdr writes in place, a newline last."""
    text = path.read_text("utf-8", "replace")
    if not text.endswith("\n"):
        return None
    try:
        record = json.loads(text)
        return _leg(path.parent.name, record["variables"], record["callflow"][0]["caller_profile"])
    except (ValueError, KeyError, TypeError, IndexError):
        return None


def _leg(node: str, values: Mapping[str, Any], profile: Mapping[str, Any]) -> NodeLeg:
    return NodeLeg(
        node,
        str(values["uuid"]),
        values["direction"] == "inbound",
        number_of(str(values.get("sip_from_user") or profile["caller_id_number"])),
        number_of(str(values.get("sip_to_user") or profile["destination_number"])),
        text_or_none(values.get("sip_call_id")),
        int(values["answer_uepoch"]) / _MICRO if int(values["answer_uepoch"]) else None,
        int(values["end_uepoch"]) / _MICRO,
        str(values["hangup_cause"]),
    )
