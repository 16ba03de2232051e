"""What went wrong between us and a tenant's server, in the numbers that applications know."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar

from controlplane.base.errors import CallplaneError


class Code(IntEnum):
    """The TwiML reference's error numbers that an HTTP request can end in."""

    URL_NOT_VALID = 11100
    HTTP_FAILURE = 11200
    CONNECTION_FAILURE = 11205
    PROTOCOL_VIOLATION = 11206
    BAD_HOST = 11210
    REDIRECTS = 11215
    TLS_HANDSHAKE = 11220
    CERTIFICATE_HOST = 11235
    CERTIFICATE_EXPIRED = 11236
    CERTIFICATE_CHAIN = 11237
    EDGE_INVALID = 11240
    EDGE_UNSUPPORTED = 11241
    INTERCONNECT_REFUSED = 11242
    OVERRIDE_INVALID = 11243
    BODY_TOO_LARGE = 11750
    BODY_EMPTY = 11770
    MEDIA_TYPE = 13420
    CALLBACK_ANSWER = 15003


class HookError(CallplaneError):
    """The application's server did not do its part.

    `code` is the reference's number; `problem` one line for the tenant, without addresses, query values or secrets;
    `url` what was asked, without credentials and fragment (it may hold query values: not for logs); `elapsed_ms` how
    long it took and `attempts` how many requests; `status` the HTTP status where one came; `retry_after_s` what the
    server asked for, seconds.
    """

    slug: ClassVar[str] = "hook-failed"
    http_status: ClassVar[int] = 502

    def __init__(
        self, code: Code, problem: str, *, url: str = "", status: int | None = None, retry_after_s: int | None = None
    ) -> None:
        self.code, self.problem, self.url = code, problem, url
        self.status, self.retry_after_s = status, retry_after_s
        self.elapsed_ms = self.attempts = 0
        super().__init__(problem, code=int(code))
