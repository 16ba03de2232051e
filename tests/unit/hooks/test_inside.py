"""URLs that point inside: none may reach a canary that listens on loopback."""

import pytest

from controlplane.hooks.client import HookClient
from controlplane.hooks.errors import Code
from tests.unit.hooks.asking import AT_ONCE, code_of
from tests.unit.hooks.inside_forms import INSIDE
from tests.unit.hooks.servers import serving

NAMES = {
    "localhost": ["127.0.0.1"],
    "localhost.": ["127.0.0.1"],
    "metadata.internal.test": ["169.254.169.254"],
    "both.test": ["8.8.8.8", "127.0.0.1"],
    "zone.test": ["fe80::1%2"],
    "mapped.test": ["::ffff:127.0.0.1"],
}
REFUSALS = {Code.BAD_HOST, Code.URL_NOT_VALID}


async def lookup(host: str) -> list[str]:
    """A resolver that knows the names above and takes everything else for loopback, the worst it could do."""
    return NAMES.get(host.lower(), ["127.0.0.1"])


def test_there_are_more_than_sixty_forms() -> None:
    assert len(set(INSIDE)) == len(INSIDE) > 60


@pytest.mark.parametrize("form", INSIDE)
async def test_no_url_reaches_the_canary(form: str) -> None:
    async with serving() as canary, HookClient(limits=AT_ONCE, lookup=lookup) as client:
        url = form.format(p=canary.port)

        assert await code_of(client, url) in REFUSALS
        assert canary.connections == 0


@pytest.mark.parametrize("form", ["http://localhost:{p}/", "http://[::ffff:127.0.0.1]:{p}/", "http://0x7f.1:{p}/"])
async def test_no_url_reaches_the_canary_with_the_systems_own_resolver(form: str) -> None:
    async with serving() as canary, HookClient(limits=AT_ONCE) as client:
        assert await code_of(client, form.format(p=canary.port)) in REFUSALS
        assert canary.connections == 0
