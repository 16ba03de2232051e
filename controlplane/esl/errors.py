"""What can go wrong between us and a media node's event socket."""

from __future__ import annotations

from controlplane.base.errors import BadInput, CallplaneError


class RemoteEslError(CallplaneError):
    """The peer broke the event-socket protocol."""

    slug = "remote-esl-error"
    http_status = 502


class UnsafeValue(BadInput):
    """A value holds characters that may not reach a media node."""

    slug = "unsafe-value"
