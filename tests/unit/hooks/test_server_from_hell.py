import pytest

from controlplane.hooks.errors import Code, HookError
from tests.still_time import StillTime
from tests.unit.hooks.asking import after, client_to_loopback, document, failure_of
from tests.unit.hooks.hell import FAST, SLOW, answers_before_it_is_asked, answers_before_it_is_asked_and_closes
from tests.unit.hooks.servers import Handler, serving_raw


async def ending_in_no_time(handler: Handler) -> HookError:
    """Ask such a server for a document while time stands still: no deadline of ours can be what ends it."""
    async with serving_raw(handler) as server, client_to_loopback() as client:
        return await failure_of(client, document(server.url()))


def test_there_are_more_than_forty_behaviours() -> None:
    assert len(SLOW) + len(FAST) > 40


@pytest.mark.parametrize("name", SLOW)
async def test_slow_server_is_left_at_the_deadline(name: str, time: StillTime) -> None:
    handler, code = SLOW[name]
    async with serving_raw(handler) as server, client_to_loopback() as client:
        error = await after(15, server, time, failure_of(client, document(server.url())))

    assert error.code == code


@pytest.mark.parametrize("name", FAST)
async def test_wrong_answer_ends_in_its_number_before_the_deadline(name: str) -> None:
    handler, code = FAST[name]

    assert (await ending_in_no_time(handler)).code == code


@pytest.mark.parametrize("handler", [answers_before_it_is_asked, answers_before_it_is_asked_and_closes])
async def test_answer_before_the_question_is_a_failure_on_either_loop(handler: Handler) -> None:
    endings = (Code.HTTP_FAILURE, Code.CONNECTION_FAILURE, Code.PROTOCOL_VIOLATION)
    assert (await ending_in_no_time(handler)).code in endings
