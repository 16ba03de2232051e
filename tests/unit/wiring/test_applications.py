"""Applications as the call server asks them."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from controlplane.base.ids import AccountId, Token
from controlplane.callserver.ports import FetchFailed
from controlplane.hooks.client import HookClient
from controlplane.metrics.logs import configure_logging
from controlplane.verbs.documents import Link
from controlplane.wiring.applications import HttpApplications
from tests.unit.calls.conversation import OUTBOUND


class OneToken:
    """The same token for every account."""

    async def of(self, account: AccountId) -> SecretStr:
        return SecretStr("token")


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What is logged."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    configure_logging("INFO", stream)
    yield stream
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)


async def test_a_question_that_failed_is_logged_with_its_call(written: io.StringIO) -> None:
    async with HookClient() as client:
        applications = HttpApplications(client, OneToken())
        with pytest.raises(FetchFailed):
            await applications.fetch(OUTBOUND, Link("http://127.0.0.1/"), (), Token("cs_1.1.1"))

    [line] = map(json.loads, written.getvalue().splitlines())
    assert (line["event"], line["call"]) == ("hook_failed", OUTBOUND.call)
