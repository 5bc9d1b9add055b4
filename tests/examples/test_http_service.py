from __future__ import annotations

import socket
from collections.abc import AsyncIterator

import httpx2
import pytest
import trio
import trio.testing

from examples.http_service import Hit, children
from runtime import named, open_node, wait_exit
from supervisors import open_supervisor

# Real HTTP, or a database in a thread.
pytestmark = pytest.mark.real_clock


@pytest.fixture
def port() -> int:
    """A port that is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
async def client(port: int) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the running service."""
    async with open_node(instruments=[]), open_supervisor(children(port), strategy="rest_for_one"):
        base_url = f"http://127.0.0.1:{port}"
        async with httpx2.AsyncClient(base_url=base_url, trust_env=False) as client:
            yield client


async def test_a_request_is_answered_by_the_server_behind(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/hits")).text == "1\n"
    assert (await client.get("/hits")).text == "2\n"
    assert await named("hits").call(Hit()) == 3


async def test_what_is_not_there_is_404(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/else")).status_code == 404


async def test_after_a_crash_the_service_goes_on_from_the_beginning(
    client: httpx2.AsyncClient,
) -> None:
    await client.get("/hits")
    before = named("hits").pid
    assert (await client.post("/crash")).status_code == 202
    await wait_exit(before)
    await trio.testing.wait_all_tasks_blocked()
    assert (await client.get("/hits")).text == "1\n"


async def test_while_nobody_is_behind_it_the_service_says_so(port: int) -> None:
    async with open_node(instruments=[]), open_supervisor(children(port)[1:]):
        async with httpx2.AsyncClient(trust_env=False) as client:
            response = await client.get(f"http://127.0.0.1:{port}/hits")
            assert response.status_code == 503


async def test_the_port_is_free_again_when_the_service_has_stopped(port: int) -> None:
    for _ in range(2):
        async with open_node(instruments=[]), open_supervisor(children(port)):
            pass


async def test_clients_that_talk_nonsense_or_hang_up_harm_nobody(
    client: httpx2.AsyncClient, port: int
) -> None:
    for nonsense in (b"what?\r\n\r\n", b"GET /hits HTTP/1.1\r\n", b""):
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            await stream.send_all(nonsense)
    assert (await client.get("/hits")).text == "1\n"


async def test_several_requests_share_a_connection(port: int) -> None:
    request = b"GET /hits HTTP/1.1\r\nHost: x\r\n\r\n"
    last = request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    async with open_node(instruments=[]), open_supervisor(children(port)):
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            await stream.send_all(request + last)
            answers = b"".join([chunk async for chunk in stream])
            assert answers.count(b"HTTP/1.1 200 OK") == 2
            assert b"1\n" in answers
            assert answers.endswith(b"2\n")
