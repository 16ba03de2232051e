"""The facts of a queued call as its row keeps them: like the journal's first entry, but on no node yet."""

from __future__ import annotations

from dataclasses import replace

from controlplane.calls.events import CallPlaced
from controlplane.calls.facts import Facts
from controlplane.calls.journal import decode_event, encode_event


def write_facts(facts: Facts) -> str:
    """Facts as JSON text."""
    return encode_event(CallPlaced(facts))[1]


def read_facts(text: str, node: str) -> Facts:
    """What `write_facts` wrote, on the node that was chosen for the call; raises ValueError on anything else."""
    placed = decode_event(CallPlaced.__name__, text)
    if not isinstance(placed, CallPlaced):
        raise ValueError(type(placed).__name__)
    return replace(placed.facts, node=node)
