"""``console.connections``: who is let in, what is refused, and what the threads leave behind."""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress

import msgspec
import pytest
import trio

from runtime import Node, kill, spawn, wait_exit
from runtime.console import connections
from runtime.console.connections import MAX_CLIENTS, MAX_UNDER_WAY, peer_uid
from runtime.console.frames import (
    MAX_REQUEST,
    VERSION,
    Answer,
    AskStack,
    Evaluate,
    Failed,
    Goodbye,
    Hello,
    Interrupt,
    Refused,
    StackView,
    ToClient,
    Welcome,
)
from runtime.console.wire import FrameReader, packed
from tests.consoles import Client, attached, connected, open_console

pytestmark = pytest.mark.real_clock


@pytest.fixture
async def path(node: Node, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    async with open_console(monkeypatch) as (_, path):
        yield path
        async with attached(path) as client:  # whatever was sent, the service is unharmed
            assert await client.run("1 + 1") == "2"


async def refusal(client: Client) -> str:
    """Why it was refused; nothing follows."""
    frame = await client.read()
    assert isinstance(frame, Refused), frame
    assert await client.read() is None
    return frame.why


async def test_the_first_frames_say_who_is_who(path: str) -> None:
    async with connected(path) as client:
        await client.send(Hello(VERSION, 1))
        welcome = await client.read()
        assert isinstance(welcome, Welcome)
        assert (welcome.version, welcome.service, welcome.os_pid) == (VERSION, "shop", os.getpid())
        assert welcome.python.startswith("3.")
        assert 0 <= welcome.up < 60


async def test_another_version_is_refused(path: str) -> None:
    async with connected(path) as client:
        await client.send(Hello(VERSION + 1, 1))
        assert await refusal(client) == (
            f"you speak version {VERSION + 1}, this service {VERSION}: "
            "use the otp command of the service's own environment"
        )


async def test_whoever_does_not_say_hello_is_refused(path: str) -> None:
    async with connected(path) as client:
        await client.send(AskStack(1))
        assert await refusal(client) == "the first frame is AskStack, allowed is Hello"


async def test_whoever_says_nothing_is_refused_after_a_while(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_HELLO_WITHIN", 0.01)
    async with connected(path) as client:
        assert await refusal(client) == "no Hello within 0.01 seconds"


async def test_hello_is_said_once(path: str) -> None:
    async with attached(path) as client:
        await client.send(Hello(VERSION, 1))
        assert await refusal(client) == "a second Hello"


async def test_garbage_is_refused(path: str) -> None:
    for before in (b"", struct.pack("!I", 5)):
        async with connected(path) as client:
            await client.stream.send_all(before + b"GET / HTTP/1.1\r\n\r\n")
            assert await refusal(client)


async def test_a_frame_over_the_limit_is_refused_before_it_is_read(path: str) -> None:
    async with attached(path) as client:
        await client.stream.send_all(struct.pack("!I", MAX_REQUEST + 1))
        assert await refusal(client) == (
            f"a frame of {MAX_REQUEST + 1} bytes, allowed are {MAX_REQUEST}"
        )


async def test_a_client_that_knocks_and_leaves_is_no_news(path: str) -> None:
    for _ in range(5):
        async with connected(path):
            pass


async def test_another_user_is_refused(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    me = os.geteuid()
    with monkeypatch.context() as patch:
        patch.setattr(connections, "peer_uid", lambda _: me + 1)
        async with connected(path) as client:
            assert await refusal(client) == (
                f"this service belongs to user {me}, you are user {me + 1}: "
                "only the same user and root may attach"
            )


def test_the_user_at_the_other_end_is_known() -> None:
    one, other = socket.socketpair()
    with one, other:
        assert peer_uid(one) == os.geteuid()


def test_the_user_is_known_on_systems_like_bsd() -> None:
    class Bsd(socket.socket):
        def getsockopt(self, *asked: int) -> bytes:  # type: ignore[override]
            assert asked == (0, 1, 76)
            return struct.pack("2I", 0, 501) + bytes(68)

    with Bsd(socket.AF_UNIX) as stream:
        assert peer_uid(stream, "darwin") == 501


async def test_there_may_be_so_many_clients(path: str) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(MAX_CLIENTS):
            await stack.enter_async_context(attached(path))
        async with connected(path) as client:
            assert await refusal(client) == f"{MAX_CLIENTS} clients are attached, as many as may be"
        assert not await has_room(path)
    while not await has_room(path):
        await trio.sleep(0.01)


async def has_room(path: str) -> bool:
    with suppress(trio.BrokenResourceError):  # it is refused before it has said hello
        async with connected(path) as client:
            await client.send(Hello(VERSION, 1))
            return isinstance(await client.read(), Welcome)
    return False


async def test_so_many_questions_may_be_under_way(path: str) -> None:
    async with attached(path) as client:
        await client.begin("import trio\nawait trio.sleep_forever()")
        for _ in range(MAX_UNDER_WAY):
            await client.begin("1")
        frames = [await client.read() for _ in range(2)]
        assert Refused(f"more than {MAX_UNDER_WAY} questions at once; wait for answers") in frames


async def test_answers_make_room_for_questions(path: str) -> None:
    async with attached(path) as client:
        for _ in range(3 * MAX_UNDER_WAY):
            await client.run("1")


async def test_the_stack_is_told_while_the_loop_is_stuck(path: str) -> None:
    stacks: list[StackView] = []

    def ask() -> None:
        with socket.socket(socket.AF_UNIX) as stream:
            stream.settimeout(5)
            stream.connect(path)
            reader = FrameReader[ToClient](stream, ToClient, 1 << 20)
            stream.sendall(packed(Hello(VERSION, 1)) + packed(AskStack(7)))
            assert isinstance(reader.read(), Welcome)
            answer = reader.read()
            assert isinstance(answer, Answer)
            stacks.append(msgspec.msgpack.decode(answer.data, type=StackView))

    async def stuck() -> None:
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()

    await wait_exit(spawn(stuck))
    assert [(one.behaviour, (one.handler or "").split(".")[-1]) for one in stacks] == [
        ("stuck", "stuck")
    ]


async def test_a_client_that_vanishes_has_its_evaluation_cancelled(path: str) -> None:
    gone = trio.Event()
    seen["gone"] = gone
    async with attached(path) as client:
        number = await client.begin(f"""
import trio
from {__name__} import seen
try:
    print("on")
    await trio.sleep_forever()
finally:
    seen["gone"].set()
""")
        await client.printed(number, "on")
    with trio.fail_after(10):
        await gone.wait()


seen: dict[str, trio.Event] = {}


async def test_a_client_that_vanishes_has_its_loop_broken(path: str) -> None:
    async with attached(path) as client:
        descriptor = os.dup(client.stream.socket.fileno())
        pause = threading.Event()

        def vanish() -> None:
            pause.wait(0.1)
            with socket.socket(fileno=descriptor) as stream:
                stream.shutdown(socket.SHUT_RDWR)

        thread = threading.Thread(target=vanish)
        await client.send(Evaluate(1, "while True: pass"))
        thread.start()
        assert await client.read() is None
        thread.join()


async def test_an_interrupt_of_nothing_is_nothing(path: str) -> None:
    async with attached(path) as client:
        await client.send(Interrupt(5))
        assert await client.run("1") == "1"
        await client.send(Interrupt(1))
        assert await client.run("2") == "2"


async def test_the_end_is_told(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_console(monkeypatch) as (console, path), attached(path) as client:
        number = await client.begin("import trio\nprint('on')\nawait trio.sleep_forever()")
        await client.printed(number, "on")
        kill(console)
        ended = await client.read()
        assert isinstance(ended, Failed)
        assert ended.text == "the process of this session has ended: Shutdown(detail=None)"
        assert await client.read() == Goodbye(
            "the console has ended (Killed()), the service goes on"
        )
        assert await client.read() is None


async def test_a_client_that_does_not_read_holds_up_nobody(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.console.console._TO_STOP", 0.05)
    async with open_console(monkeypatch) as (console, path), attached(path) as sleeper:
        await sleeper.begin("for _ in range(1000): print('x' * 10_000)")
        async with attached(path) as client:
            assert await client.run("1") == "1"
        kill(console)
        with trio.fail_after(10):
            await wait_exit(console)


async def test_without_descriptors_the_next_client_waits(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept, failures = socket.socket.accept, [OSError(24, "no descriptor is left")]

    def failing(self: socket.socket) -> tuple[socket.socket, object]:
        if failures:
            raise failures.pop()
        return accept(self)

    monkeypatch.setattr(socket.socket, "accept", failing)
    async with attached(path) as client:
        assert await client.run("1") == "1"
    assert failures == []


async def test_a_client_that_leaves_without_reading_is_no_news(path: str) -> None:
    async with attached(path) as client:
        number = await client.begin("print('x\\n' * 500_000)")
        await client.printed(number, "x")


async def test_what_is_told_to_a_loop_that_has_ended_is_lost() -> None:
    async def main() -> trio.lowlevel.TrioToken:
        await trio.lowlevel.checkpoint()
        return trio.lowlevel.current_trio_token()

    token = await trio.to_thread.run_sync(trio.run, main)
    connections.tell_loop(token, pytest.fail, "it was told")
