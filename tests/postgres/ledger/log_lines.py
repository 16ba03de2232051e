"""Lines of the logs, and records of nodes, as people and nodes would have written them down."""

from __future__ import annotations

from typing import Any

from tests.postgres.ledger.cast import BEGAN_S


def dialog(
    from_number: str, to_number: str, invited_s: float, answered_s: float | None, ended_s: float, **more: object
) -> dict[str, Any]:
    """A line of callers.jsonl; seconds count from the beginning of the run."""
    return {
        "sip_call_id": f"{from_number}-{to_number}@phone", "role": "caller", "from": from_number, "to": to_number,
        "invited_at": BEGAN_S + invited_s, "ringing_at": None,
        "answered_at": None if answered_s is None else BEGAN_S + answered_s, "ended_at": BEGAN_S + ended_s,
        "final_status": 200, "ended_by": "platform", "node": "m1", **more,
    }  # fmt: skip


def placement(to_number: str, after_s: float, status: int, **more: object) -> dict[str, Any]:
    """A line of placements.jsonl."""
    at_s = BEGAN_S + after_s
    told = {"to": to_number, "asked_at": at_s, "at": at_s + 0.1, "status": status}
    return {**told, "call": None, "retry_after": None, **more}


def plan(number: str, role: str, after_s: float, *asks: str, **more: object) -> dict[str, Any]:
    """A line of plans.jsonl."""
    told = {"number": number, "role": role, "at": BEGAN_S + after_s, "asks": asks}
    return {**told, "rings": None, "is_recorded": False, "calls_back": (), **more}


def record(uuid: str, told: dict[str, Any], *, node: str = "m1") -> dict[str, Any]:
    """The record that a node leaves of a dialog."""
    answered_us, ended_us = (round((told[name] or 0) * 1e6) for name in ("answered_at", "ended_at"))
    return {
        "core-uuid": "core", "switchname": node,
        "variables": {
            "uuid": uuid, "direction": "inbound" if told["role"] == "caller" else "outbound",
            "sip_call_id": told["sip_call_id"], "sip_from_user": told["from"], "sip_to_user": told["to"],
            "start_uepoch": str(round(told["invited_at"] * 1e6)), "answer_uepoch": str(answered_us),
            "end_uepoch": str(ended_us), "hangup_cause": "NORMAL_CLEARING",
        },
        "callflow": [{"caller_profile": {"caller_id_number": told["from"], "destination_number": told["to"]}}],
    }  # fmt: skip
