"""The operations of the API, their fields, and what they need besides the one that an attempt stands in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.injection.places import BUSY
from tests.injection.stage import NUMBER

REQUEST_HEADERS = (
    "Idempotency-Key",
    "Accept",
    "Accept-Language",
    "Content-Type",
    "Authorization",
    "User-Agent",
    "Host",
)
_PAGE = ("limit", "cursor_after", "cursor_before")
_V1 = "/api/v1"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: `base` is a body that is taken; `excludes` names what of it must go where a field is set.

    `filtered` is the body where the query is tried, if that is another.
    """

    id: str
    method: str
    path: str
    query: tuple[str, ...] = ()
    body: tuple[str, ...] = ()
    base: Mapping[str, Any] = field(default_factory=dict)
    lists: tuple[str, ...] = ()
    excludes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    filtered: Mapping[str, Any] = field(default_factory=dict)

    @property
    def in_path(self) -> tuple[str, ...]:
        """The names in braces."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))


_CALL = (
    "from_number", "to_number", "flow_url", "method", "document", "fallback_url", "fallback_method", "app_id",
    "status_callback_url", "status_callback_events", "status_callback_method", "timeout_s", "time_limit_s",
    "send_digits", "record",
)  # fmt: skip
_CALL_BASE = {
    "from_number": NUMBER, "to_number": BUSY, "flow_url": "@APP@/next", "timeout_s": 5,
    "status_callback_url": "@APP@/told", "record": False,
}  # fmt: skip
_APP = (
    "name", "flow_url", "flow_method", "fallback_url", "fallback_method", "webhook_url", "webhook_api_version",
    "secret_id", "status_callback_url", "status_callback_method", "status_callback_events", "channel_limit", "record",
    "status",
)  # fmt: skip
_NUMBERS = ("search", "voice_app", "location", "sip_trunk")
_LIVE = f"{_V1}/voice/calls/{{call_id}}"
_WITHOUT_URL = {"flow_url": ("document",)}


def _placing(name: str, path: str) -> Operation:
    return Operation(
        name, "POST", path, body=_CALL, base=_CALL_BASE, lists=("status_callback_events",), excludes=_WITHOUT_URL
    )


OPERATIONS = (
    _placing("create_call", f"{_V1}/voice/calls"),
    _placing("initiate_call", f"{_V1}/voice/calls/initiate"),
    _placing("initiate_call_deprecated", f"{_V1}/calls/initiate"),
    Operation("get_call", "GET", _LIVE),
    Operation("list_legs", "GET", f"{_LIVE}/legs"),
    Operation("get_timeline", "GET", f"{_LIVE}/timeline"),
    Operation(
        "list_calls", "GET", f"{_V1}/voice/calls",
        (*_PAGE, "state", "direction", "from_number", "to_number", "created_after", "created_before"),
    ),
    Operation("hang_up", "POST", f"{_LIVE}/hangup", body=("leg_id", "reason"), base={"reason": "DONE"}),
    Operation("mute", "POST", f"{_LIVE}/mute", body=("leg_id", "on"), base={"leg_id": "@LEG@", "on": False}),
    Operation("send_dtmf", "POST", f"{_LIVE}/dtmf", body=("digits", "leg_id", "duration_ms"), base={"digits": "1"}),
    Operation(
        "play", "POST", f"{_LIVE}/play", body=("media_url", "leg_id", "loop", "on_dtmf"),
        base={"media_url": "@APP@/media/beep"},
    ),
    Operation(
        "redirect", "POST", f"{_LIVE}/redirect", body=("flow_url", "method", "document"),
        base={"flow_url": "@APP@/next"}, excludes=_WITHOUT_URL,
    ),
    Operation("get_request", "GET", f"{_V1}/voice/requests/{{request_id}}"),
    Operation(
        "list_events", "GET", f"{_V1}/events", (*_PAGE, "call_id", "type", "occurred_after", "delivery_status")
    ),
    Operation("get_event", "GET", f"{_V1}/events/{{event_id}}"),
    Operation("list_attempts", "GET", f"{_V1}/events/{{event_id}}/attempts"),
    Operation("redeliver_event", "POST", f"{_V1}/events/{{event_id}}/redeliver"),
    Operation("list_recordings", "GET", f"{_V1}/recordings", (*_PAGE, "recording_id", "expires_in", "call_id")),
    Operation("get_recording", "GET", f"{_V1}/recordings/{{recording_id}}"),
    Operation("delete_recording", "DELETE", f"{_V1}/recordings/{{recording_id}}"),
    Operation(
        "create_app", "POST", f"{_V1}/voice/apps", body=(*_APP, "vn_ids"),
        base={"name": "x", "flow_url": "@APP@/next", "status_callback_url": "@APP@/told"},
        lists=("status_callback_events", "vn_ids"),
    ),
    Operation("list_apps", "GET", f"{_V1}/voice/apps", (*_PAGE, "search", "status")),
    Operation("get_app", "GET", f"{_V1}/voice/apps/{{app_id}}"),
    Operation(
        "update_app", "PATCH", f"{_V1}/voice/apps/{{app_id}}", body=_APP, base={"name": "x"},
        lists=("status_callback_events",),
    ),
    Operation("delete_app", "DELETE", f"{_V1}/voice/apps/{{app_id}}"),
    Operation(
        "list_numbers_of_app", "GET", f"{_V1}/voice/apps/{{app_id}}/virtual-numbers", (*_PAGE, "search", "location")
    ),
    Operation("list_numbers", "GET", f"{_V1}/virtual-numbers", (*_PAGE, *_NUMBERS)),
    Operation(
        "assign", "POST", f"{_V1}/virtual-numbers/assign", _NUMBERS,
        ("vn_ids", "apply_to_all", "voice_app_id", "sip_trunk_id"),
        {"voice_app_id": "@APP_ID@", "vn_ids": ["@NUMBER_ID@"]},
        lists=("vn_ids",), excludes={"sip_trunk_id": ("voice_app_id",)},
        filtered={"voice_app_id": "@APP_ID@", "apply_to_all": True},
    ),
    Operation(
        "unassign", "POST", f"{_V1}/virtual-numbers/unassign", _NUMBERS, ("vn_ids", "apply_to_all"),
        {"vn_ids": ["@NUMBER_ID@"]}, lists=("vn_ids",), filtered={"apply_to_all": True},
    ),
    Operation("get_number", "GET", f"{_V1}/virtual-numbers/{{number_id}}"),
    Operation("update_number", "PATCH", f"{_V1}/virtual-numbers/{{number_id}}", body=("name",), base={"name": "x"}),
    Operation("create_secret", "POST", f"{_V1}/secrets", body=("name",)),
    Operation("list_secrets", "GET", f"{_V1}/secrets", (*_PAGE, "search")),
    Operation("get_secret", "GET", f"{_V1}/secrets/{{secret_id}}"),
    Operation("update_secret", "PATCH", f"{_V1}/secrets/{{secret_id}}", body=("name", "rotate"), base={"name": "x"}),
    Operation("delete_secret", "DELETE", f"{_V1}/secrets/{{secret_id}}"),
    Operation("create_api_key", "POST", f"{_V1}/api-keys", body=("name",)),
    Operation("list_api_keys", "GET", f"{_V1}/api-keys", _PAGE),
    Operation("revoke_api_key", "DELETE", f"{_V1}/api-keys/{{key_id}}"),
    Operation("get_recording_file", "GET", "/media/recordings/{account_id}/{file}", ("expires", "signature")),
    Operation(
        "get_recording_twiml", "GET", "/2010-04-01/Accounts/{account_sid}/Recordings/{file}", ("RequestedChannels",)
    ),
    Operation("get_problem_kind", "GET", "/problems/{slug}"),
)  # fmt: skip
