"""One tree of errors.

    CallplaneError                  slug, http_status
    ├── BadInput                    the one who asked can mend it
    │   ├── InvalidNumber
    │   ├── InvalidId
    │   └── DocumentError           (verbs/errors.py)
    ├── NotFound                    or another tenant's: the two look alike
    ├── Conflict                    the thing is not in a state that allows this
    ├── Refused                     not signed in, or over a limit
    ├── Unavailable                 try again later
    ├── HookError                   (hooks/errors.py) a tenant's server did not do its part
    └── RemoteEslError              (esl/errors.py) the peer broke the protocol

Each class has a stable `slug` (also the problem type of REST answers); its docstring's first line is the default
message; facts are attributes. Cores raise, services let pass, edges translate once.
"""

from __future__ import annotations

from typing import ClassVar


class CallplaneError(Exception):
    """Something went wrong."""

    slug: ClassVar[str] = "error"
    http_status: ClassVar[int] = 500

    def __init__(self, message: str | None = None, **facts: object) -> None:
        doc = (type(self).__doc__ or "").strip().splitlines()
        self.message = message or (doc[0] if doc else self.slug)
        self.facts = facts
        super().__init__(self.message)

    def __str__(self) -> str:
        if not self.facts:
            return self.message
        return f"{self.message} ({', '.join(f'{name}={value}' for name, value in self.facts.items())})"


class BadInput(CallplaneError):
    """The request is not valid."""

    slug = "bad-input"
    http_status = 422


class InvalidNumber(BadInput):
    """Not a phone number in E.164 form, such as +15550001111."""

    slug = "invalid-number"


class InvalidId(BadInput):
    """Not one of our ids."""

    slug = "invalid-id"


class NotFound(CallplaneError):
    """There is no such thing in this account."""

    slug = "not-found"
    http_status = 404


class Conflict(CallplaneError):
    """The thing is not in a state that allows this."""

    slug = "conflict"
    http_status = 409


class Refused(CallplaneError):
    """Not allowed."""

    slug = "refused"
    http_status = 403


class Unavailable(CallplaneError):
    """Not possible right now; try again later."""

    slug = "unavailable"
    http_status = 503
