"""Nothing is left once all is at rest: in the database, and on the media nodes, on the disk."""

from __future__ import annotations

from collections.abc import Iterator

from tests.chaos.ledger.evidence import Evidence, Problem
from tests.chaos.ledger.ids import name_of


def nothing_is_left_in_the_database(evidence: Evidence) -> Iterator[Problem]:
    """No live call or leg, no delivery, recording or request that waits, no server or lock of one that is dead."""
    for left in evidence.tables.left:
        name = name_of(left.call) if left.call is not None else None
        whose = f"the call {name} should be at rest, and " if name is not None else "nothing should be left, and "
        yield Problem(left.check, name, whose + left.told)


def nothing_is_left_on_the_nodes(evidence: Evidence) -> Iterator[Problem]:
    """No channel, and no scheduled task of a channel that is gone."""
    for node in evidence.nodes:
        live = {uuid for uuid, _ in node.channels}
        for uuid, told in node.channels:
            yield Problem("channel-left", name_of(uuid), f"node {node.name} should be at rest, and has {uuid}: {told}")
        for group, description in node.tasks:
            if _is_uuid(group) and group not in live:
                told = f"node {node.name} has the task {description} of the channel {group}, which is gone"
                yield Problem("task-left", name_of(group), told)


def nothing_is_left_on_the_disk(evidence: Evidence) -> Iterator[Problem]:
    """What waited on the disk while the database was away is in the database, all that others did not go on without."""
    for spool in evidence.spools:
        told = f"the database is there, and {spool.size_bytes} bytes of journal entries"
        if spool.is_aside:
            if evidence.run.forked:
                continue
            yield Problem("entry-set-aside", None, f"{told} were set aside as {spool.path}: they are in no journal")
        else:
            yield Problem("spool-left", None, f"{told} still wait in {spool.path}")


def _is_uuid(text: str) -> bool:
    return len(text) == 36 and text.count("-") == 4
