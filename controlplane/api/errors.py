"""What can be wrong with a request before any use case sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from controlplane.base.errors import BadInput, CallplaneError, NotFound, Refused


class MalformedJson(BadInput):
    """The body is not JSON."""

    slug = "malformed-json"
    http_status = 400


class NotJson(BadInput):
    """The body must be JSON, and say so: Content-Type: application/json."""

    slug = "not-json"
    http_status = 415


class BodyTooLarge(BadInput):
    """The body is larger than this API takes."""

    slug = "body-too-large"
    http_status = 413


class InvalidRequest(BadInput):
    """Validation Error"""

    # These very words are the message that Teler's clients look for.
    slug = "invalid-request"

    def __init__(self, errors: Sequence[Mapping[str, Any]]) -> None:
        """`errors` are pydantic's: `loc`, `msg`, `type`."""
        self.errors = errors
        super().__init__()


class NoSuchPath(NotFound):
    """This API has no such path."""

    slug = "no-such-path"


class MethodNotAllowed(BadInput):
    """This path does not take this method."""

    slug = "method-not-allowed"
    http_status = 405


class LinkRefused(Refused):
    """This link is not one of ours."""

    slug = "link-refused"


class LinkExpired(Refused):
    """This link has expired; ask for another."""

    slug = "link-expired"
    http_status = 410


class InternalError(CallplaneError):
    """Something went wrong on our side."""

    slug = "internal-error"


class NotOffered(BadInput):
    """This platform does not offer that."""

    slug = "not-offered"
    http_status = 501
