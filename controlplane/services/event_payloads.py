"""Events as tenants get them: the JSON of the webhook version that their app asks for. Pure.

The shapes are those of the Teler reference, "Webhooks"; `sequence` (gap-free from 0 for each call) is ours beside them.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from controlplane.base.ids import AccountId, CallId, public_leg_id
from controlplane.services.deliver import Told

OLD_VERSION = "2025-08-01"
VERSION = "2026-06-01"


def event_body(event: Told, account: AccountId, call: CallId) -> bytes:
    """The body of a webhook request."""
    body = _old(event, account, call) if event.api_version == OLD_VERSION else current_payload(event, account, call)
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def current_payload(event: Told, account: AccountId, call: CallId) -> dict[str, object]:
    """An event in the newest version, before it is written."""
    return {
        "id": event.event_id,
        "type": event.kind,
        "api_version": VERSION,
        "occurred_at": _iso(event.occurred_at),
        "account_id": account,
        "voice_app_id": event.app_id,
        "sip_trunk_id": None,
        "call_id": call,
        "leg_id": public_leg_id(event.leg) if event.leg is not None else None,
        "sequence": event.sequence,
        "data": {"call_id": call, **json.loads(event.data)},
        "previous_attributes": None,
    }


_TIMES = {
    "call.initiated": "start_time",
    "call.ringing": "ringing_time",
    "call.answered": "answer_time",
    "call.completed": "hangup_time",
    "call.failed": "hangup_time",
}


def _old(event: Told, account: AccountId, call: CallId) -> dict[str, object]:
    data = json.loads(event.data)
    told = {"call_id": call, **data}
    if "duration_seconds" in data:
        told["duration"] = data["duration_seconds"]
    if event.kind in _TIMES:
        told[_TIMES[event.kind]] = _iso(event.occurred_at)
    return {"event": event.kind, "account_id": account, "call_app_id": event.app_id, "data": told}


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
