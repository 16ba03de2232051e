"""What is known of a call when it begins, and never changes after."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from controlplane.base.ids import AccountId, CallId, LegId
from controlplane.verbs.documents import Link, StatusCallback


class Direction(StrEnum):
    """From our side of the call; the words are those that applications get."""

    INBOUND = "inbound"
    OUTBOUND_API = "outbound-api"
    OUTBOUND_DIAL = "outbound-dial"


@dataclass(frozen=True, slots=True)
class Inline:
    """A document given with the call instead of a URL."""

    content_type: str
    body: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Who calls whom, for which account, and what its application said when it was set up.

    `from_number` and `to_number` are as the application is told them: E.164, a SIP URI, or "anonymous". `webhook_url`
    gets the account's events as JSON; `status_callback` gets the call's progress in the application's own dialect.
    `salt` is random text minted with the call: what the machine names after it (recordings) cannot be guessed.
    `public_url` is the base of links to recordings.
    """

    call: CallId
    account: AccountId
    a_leg: LegId
    node: str
    direction: Direction
    from_number: str
    to_number: str
    app: str | None = None
    document: Link | Inline | None = None
    fallback: Link | None = None
    status_callback: StatusCallback | None = None
    webhook_url: str | None = None
    caller_name: str = ""
    sip_headers: tuple[tuple[str, str], ...] = ()
    ring_timeout_s: int = 60
    time_limit_s: int = 14_400
    record: bool = False
    send_digits: str = ""
    sip_username: str = ""
    sip_secret: str = ""  # names a stored secret, never the secret itself
    parameters: tuple[tuple[str, str], ...] = ()
    salt: str = ""
    public_url: str = ""
