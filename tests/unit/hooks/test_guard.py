import socket
from collections.abc import Sequence
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.hooks.client import HookClient
from controlplane.hooks.errors import Code, HookError
from controlplane.hooks.guard import AddressRefused, Guard, GuardedResolver
from controlplane.hooks.limits import Limits
from controlplane.hooks.target import parse_target
from tests.unit.hooks.asking import AT_ONCE, document, failure_of
from tests.unit.hooks.servers import redirect, serving


def info(address: str, port: int = 80) -> tuple[int, int, int, str, tuple[str, int]]:
    return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))


class ChangesItsMind:
    """A name server that gives another answer each time."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)

    async def __call__(self, host: str) -> Sequence[str]:
        return self.answers.pop(0)


async def test_name_that_changes_its_mind_is_judged_each_time() -> None:
    resolver = GuardedResolver(Guard(), ChangesItsMind(["8.8.8.8"], ["127.0.0.1"]))

    [first] = await resolver.resolve("rebind.test", 80)
    with pytest.raises(AddressRefused):
        await resolver.resolve("rebind.test", 80)

    assert first["host"] == "8.8.8.8"


async def test_connection_goes_to_the_very_address_that_was_judged() -> None:
    lookup = ChangesItsMind(["127.0.0.1"])
    async with serving() as server, HookClient(allow_private=True, limits=AT_ONCE, lookup=lookup) as client:
        await client.fetch_document(document(server.url(host="once.test")))

        assert (lookup.answers, server.connections) == ([], 1)


async def test_rebinding_between_two_requests_reaches_nothing_inside() -> None:
    lookup = ChangesItsMind(["203.0.113.1"], ["127.0.0.1"], ["::1"], ["10.0.0.1"])
    async with serving() as canary, HookClient(limits=Limits(retries=0), lookup=lookup) as client:
        errors = [await failure_of(client, document(canary.url(host="rebind.test"))) for _ in range(4)]

        assert [error.code for error in errors] == [Code.BAD_HOST] * 4
        assert (canary.connections, lookup.answers) == (0, [])


async def test_one_bad_address_refuses_the_name() -> None:
    with pytest.raises(AddressRefused):
        await GuardedResolver(Guard(), ChangesItsMind(["8.8.8.8", "10.0.0.1"])).resolve("both.test")


@pytest.mark.parametrize("answer", [["nonsense"], ["8.8.8.8", ""], ["127.1"], ["fe80::1%2"]])
async def test_what_is_no_plain_address_is_refused(answer: list[str]) -> None:
    with pytest.raises(AddressRefused):
        await GuardedResolver(Guard(allow_private=True), ChangesItsMind(answer)).resolve("odd.test")


async def test_name_without_addresses_does_not_resolve() -> None:
    async with HookClient(limits=AT_ONCE, lookup=ChangesItsMind([])) as client:
        error = await failure_of(client, document("http://nothing.test/"))

    assert (error.code, error.problem) == (Code.BAD_HOST, "the host name does not resolve")


async def test_name_that_does_not_exist_is_a_bad_host_and_is_asked_once() -> None:
    async def lookup(host: str) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async with HookClient(limits=AT_ONCE, lookup=lookup) as client:
        error = await failure_of(client, document("http://no.test/"))

    assert (error.code, error.problem, error.attempts) == (Code.BAD_HOST, "the host name does not resolve", 1)


def test_no_socket_is_made_to_an_address_that_is_not_allowed() -> None:
    with pytest.raises(AddressRefused):
        Guard().socket_to(info("127.0.0.1"))


def test_socket_is_made_to_an_allowed_address() -> None:
    with Guard(allow_private=True).socket_to(info("127.0.0.1")) as made:
        assert (made.family, made.type) == (socket.AF_INET, socket.SOCK_STREAM)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.1.2.3", "192.168.1.1", "172.20.0.1", "100.64.0.1", "[::1]", "[fd00::1]"]
)
def test_operator_opens_his_own_networks(host: str) -> None:
    target = parse_target(f"http://{host}/")

    Guard(allow_private=True).check(target)
    with pytest.raises(HookError) as refused:
        Guard().check(target)

    assert refused.value.code == Code.BAD_HOST


@pytest.mark.parametrize("host", ["169.254.169.254", "0.0.0.0", "224.0.0.1", "[fe80::1]", "[fd00:ec2::254]", "[::]"])
def test_metadata_and_the_like_stay_closed_to_everyone(host: str) -> None:
    with pytest.raises(HookError) as refused:
        Guard(allow_private=True).check(parse_target(f"http://{host}/"))

    assert refused.value.code == Code.BAD_HOST


async def test_redirect_inside_is_refused_before_anything_is_sent() -> None:
    async with serving() as canary:
        async with serving(redirect(canary.url(host="inside.test"))) as server:

            async def lookup(host: str) -> list[str]:
                return ["169.254.0.1"] if host == "inside.test" else ["127.0.0.1"]

            async with HookClient(allow_private=True, limits=AT_ONCE, lookup=lookup) as client:
                error = await failure_of(client, document(server.url(host="outside.test")))

        assert (error.code, error.url) == (Code.BAD_HOST, server.url(host="outside.test"))
        assert canary.connections == 0


async def test_error_names_no_address() -> None:
    async with HookClient(limits=AT_ONCE, lookup=ChangesItsMind(["10.20.30.40"])) as client:
        error = await failure_of(client, document("http://intern.test/"))

    assert "10.20" not in f"{error!r} {error} {error.__cause__}"


def is_allowed(host: str) -> bool:
    try:
        Guard().check(parse_target(f"http://{host}/"))
    except HookError:
        return False
    return True


@given(st.ip_addresses(v=4))
def test_every_spelling_of_an_address_is_judged_alike_or_refused(address: IPv4Address) -> None:
    number = int(address)
    spellings = [str(address), str(number), hex(number), f"0{number:o}", f"[::ffff:{address}]", f"[64:ff9b::{address}]"]

    allowed = [spelling for spelling in spellings if is_allowed(spelling)]

    assert allowed in ([], [spellings[0], spellings[4], spellings[5]])
