"""Logs as JSON, one object a line: the event is the message, facts are fields, the id of a call that it is about too.

    configure_logging(settings.log_level)
    log.info("call_placed", extra={"trunk": trunk.name})
    → {"time": "2026-01-02T03:04:05.678+00:00", "level": "info", "event": "call_placed", "call": "cs_…", "trunk": …}

People's data stays out: above DEBUG, fields that hold numbers, names, digits or texts are left out by their name, and
what looks like a number in any other text (a library's message, a traceback) is blotted out. Secrets never get in.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

from pythonjsonlogger.json import JsonFormatter

from controlplane.base.errors import BadInput

_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_SECRET = frozenset({"password", "token", "auth_token", "authorization", "api_key", "secret", "signature", "cookie"})
_PRIVATE = frozenset(
    {"number", "numbers", "caller", "callee", "caller_number", "callee_number", "dialled_number", "caller_name"}
    | {
        "from",
        "from_number",
        "to",
        "to_number",
        "digits",
        "digit",
        "speech",
        "transcript",
        "text",
        "body",
        "parameters",
    }
)
_LOOKS_LIKE_A_NUMBER = re.compile(r"(?:\+|%2B)[1-9]\d{6,14}(?!\d)", re.IGNORECASE)
# Their INFO is a line a request, with whatever stood in its URL; ours say what matters.
_TALKATIVE = ("uvicorn.access", "aiohttp.access", "httpx", "botocore", "celery.worker.strategy", "celery.app.trace")

_call: ContextVar[str | None] = ContextVar("call", default=None)


class BadLogLevel(BadInput):
    """CALLPLANE_LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR."""

    slug = "bad-log-level"


def configure_logging(level: str, stream: TextIO | None = None) -> None:
    """Send every log of this process to `stream` (standard error if None) as JSON; raises BadLogLevel.

    Handlers that were there before are removed, so that nothing is written twice or in another form.
    """
    if level.upper() not in _LEVELS:
        raise BadLogLevel
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_Formatter(fmt=()))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)


@contextmanager
def call_in_logs(call_id: str) -> Iterator[None]:
    """Whatever this task logs inside the block carries the call's id."""
    token = _call.set(call_id)
    try:
        yield
    finally:
        _call.reset(token)


class _Formatter(JsonFormatter):
    """One line of JSON a record."""

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        log_data["time"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        log_data["level"] = record.levelname.lower()
        log_data["event"] = record.message
        log_data["logger"] = record.name
        call = _call.get()
        if call is not None:
            log_data["call"] = call
        super().add_fields(log_data, record, message_dict)

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        is_private_fine = log_data["level"] == "debug"
        hidden = _SECRET if is_private_fine else _SECRET | _PRIVATE
        kept = {name: value for name, value in log_data.items() if name not in hidden and value is not None}
        return kept if is_private_fine else {name: _blot(value) for name, value in kept.items()}


def _blot(value: Any) -> Any:
    """Replace what looks like an E.164 number in a text, and in the texts inside lists and dicts."""
    match value:
        case str():
            return _LOOKS_LIKE_A_NUMBER.sub("+…", value)
        case dict():
            return {key: _blot(inner) for key, inner in value.items() if key not in _PRIVATE | _SECRET}
        case list() | tuple() | set() | frozenset():
            return [_blot(inner) for inner in value]
        case Exception():
            return _blot(str(value))
    return value
