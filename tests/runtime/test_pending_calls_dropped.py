"""A ``ReplyTo`` that is let go of unanswered fails its caller at once, unless the server ended."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest
import trio

from runtime import (
    Call,
    CallError,
    CallExit,
    CallTimeout,
    Crashed,
    ExitReason,
    GenServer,
    Instrument,
    Killed,
    Node,
    NoReply,
    Normal,
    ProcessEnded,
    Ref,
    ReplyDropped,
    ReplyTo,
    Request,
    Stop,
    exit,
    handles,
    is_alive,
    kill,
    open_node,
    receive,
    ref,
    replace_state,
    self_,
    send,
    spawn,
    start,
)
from tests.support import Ask, Note, Scripted


class Soon(Call[int]):
    """Handled by a ``def``."""


class Later(Call[int]):
    """Handled by an ``async def``."""


BOOM = ValueError("boom")


async def dropped(server: Ref, request: Ask, after: float = 0) -> None:
    """The call fails with ReplyDropped, ``after`` seconds from now."""
    begun = trio.current_time()
    with pytest.raises(ReplyDropped) as caught:
        await server.call(request, timeout=float("inf"))
    assert trio.current_time() - begun == after
    assert isinstance(caught.value, CallError)
    assert (caught.value.target, caught.value.request) == (server, request)
    assert str(caught.value) == f"Ask to {server!r}: the server dropped reply_to unanswered"


@pytest.mark.parametrize("style", ["def", "async"])
async def test_a_handler_that_returns_noreply_and_keeps_nothing(node: Node, style: str) -> None:
    """DESIGN 3.3."""

    async def forgets(server: object, reply_to: object) -> NoReply:
        await trio.sleep(2)
        return NoReply()

    server = await start(Scripted.child_spec())
    if style == "async":
        await dropped(server, Ask(forgets), after=2)
    else:
        await dropped(server, Ask(lambda one, reply_to: NoReply()))
    assert await server.call(Ask(lambda one, reply_to: "alive")) == "alive"


class Forgetful(GenServer):
    """Puts off what it was given no ``reply_to`` for."""

    @handles(Soon)
    def soon(self, request: Soon) -> NoReply:
        return NoReply()

    @handles(Later)
    async def later(self, request: Later) -> NoReply:
        await trio.sleep(2)
        return NoReply()


@pytest.mark.parametrize("dispatch", ["inline", "queued"], indirect=True)
@pytest.mark.parametrize(("request_class", "after"), [(Soon, 0), (Later, 2)])
async def test_a_handler_that_returns_noreply_and_takes_no_reply_to(
    dispatch: str, node: Node, request_class: type[Call[int]], after: float
) -> None:
    server = await Forgetful.start()
    await trio.testing.wait_all_tasks_blocked()
    begun = trio.current_time()
    with pytest.raises(ReplyDropped):
        await server.call(request_class())
    assert trio.current_time() - begun == after
    assert is_alive(server)


def defer(server: Any, reply_to: ReplyTo[Any]) -> NoReply:
    server.kept = reply_to
    return NoReply()


def forget(server: Any) -> None:
    del server.kept


async def test_an_attribute_that_is_deleted_later(node: Node) -> None:
    server = await start(Scripted.child_spec())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(dropped, server, Ask(defer), 2)
        await trio.sleep(2)
        server.send(Note(forget))
    assert is_alive(server)


async def test_an_attribute_that_is_overwritten_by_the_next_call(node: Node) -> None:
    """The classic slip: a server with room for one waiter gets a second."""
    server = await start(Scripted.child_spec())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(dropped, server, Ask(defer), 1)
        await trio.sleep(1)
        with trio.move_on_after(1):
            await server.call(Ask(defer))


async def test_a_state_that_is_replaced_from_outside(node: Node) -> None:
    server = await start(Scripted.child_spec())

    def without_kept(state: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in state.items() if key != "kept"}

    async with trio.open_nursery() as nursery:
        nursery.start_soon(dropped, server, Ask(defer), 1)
        await trio.sleep(1)
        await replace_state(server, without_kept)


async def test_a_worker_that_returns_without_answering(node: Node) -> None:
    def hand_over(one: Any, reply_to: ReplyTo[Any]) -> NoReply:
        async def worker(reply_to: object) -> None:
            await trio.sleep(2)

        spawn(worker, reply_to)
        return NoReply()

    server = await start(Scripted.child_spec())
    await dropped(server, Ask(hand_over), after=2)
    assert is_alive(server)


async def test_a_worker_that_crashes_without_answering() -> None:
    """The server lives on, so it is a drop; no instrument keeps the crash and with it the frame."""

    def hand_over(one: Any, reply_to: ReplyTo[Any]) -> NoReply:
        async def worker(reply_to: object) -> None:
            await trio.sleep(2)
            raise RuntimeError("not answered")

        spawn(worker, reply_to)
        return NoReply()

    async with open_node(instruments=[]):
        server = await start(Scripted.child_spec())
        await dropped(server, Ask(hand_over), after=2)
        assert is_alive(server)


async def test_a_reference_cycle_that_the_garbage_collector_finds(node: Node) -> None:
    class Knot:
        def __init__(self, reply_to: object) -> None:
            self.reply_to = reply_to
            self.me = self

    def tie(one: Any, reply_to: ReplyTo[Any]) -> NoReply:
        Knot(reply_to)
        return NoReply()

    server = await start(Scripted.child_spec())
    gc.collect()
    gc.disable()
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(dropped, server, Ask(tie), 1)
            await trio.sleep(1)
            gc.collect()
    finally:
        gc.enable()


@pytest.mark.real_clock
async def test_a_drop_in_a_worker_thread_reaches_the_caller(node: Node) -> None:
    async def worker(box: list[object]) -> None:
        await trio.to_thread.run_sync(box.clear)

    def hand_over(one: Any, reply_to: ReplyTo[Any]) -> NoReply:
        spawn(worker, [reply_to])
        return NoReply()

    server = await start(Scripted.child_spec())
    with pytest.raises(ReplyDropped):
        await server.call(Ask(hand_over), timeout=float("inf"))


async def test_an_answer_first_and_a_drop_later_is_an_answer(node: Node) -> None:
    server = await start(Scripted.child_spec())

    def answer(one: Any, reply_to: ReplyTo[str]) -> NoReply:
        reply_to.reply("answer")
        return NoReply()

    assert await server.call(Ask(answer)) == "answer"


async def test_a_drop_after_the_caller_has_given_up_is_nothing(node: Node) -> None:
    server = await start(Scripted.child_spec())
    with trio.move_on_after(1):
        await server.call(Ask(defer))
    server.send(Note(forget))
    assert await server.call(Ask(lambda one, reply_to: "alive")) == "alive"


# -- the server ends: the caller hears of that, not of the drop ------------------------------


def crash(server: Any, reply_to: object) -> None:
    raise BOOM


def stop(server: Any, reply_to: object) -> Stop:
    return Stop("stopped")


async def hang(server: Any, reply_to: object) -> NoReply:
    await trio.sleep_forever()
    return NoReply()


def drop_and_exit(server: Any, reply_to: ReplyTo[Any]) -> NoReply:
    exit(self_(), "left")
    return NoReply()


def drop_and_kill(server: Any, reply_to: ReplyTo[Any]) -> NoReply:
    kill(self_())
    return NoReply()


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize(
    ("handler", "end", "reason"),
    [
        pytest.param(crash, None, Crashed(BOOM), id="crash"),
        pytest.param(stop, None, "stopped", id="stop"),
        pytest.param(drop_and_exit, None, "left", id="exit in the handler"),
        pytest.param(drop_and_kill, None, Killed(), id="kill in the handler"),
        pytest.param(hang, lambda one: exit(one, "left"), "left", id="cancelled by a signal"),
        pytest.param(hang, kill, Killed(), id="cancelled by a kill"),
        pytest.param(defer, lambda one: exit(one, "left"), "left", id="kept, then a signal"),
        pytest.param(defer, kill, Killed(), id="kept, then a kill"),
        pytest.param(defer, lambda one: one.send(Note(stop_info)), "stopped", id="kept, then stop"),
        pytest.param(
            defer, lambda one: one.send(Note(forget_and_stop)), "stopped", id="dropped in the stop"
        ),
    ],
)
async def test_when_the_server_ends_the_caller_gets_its_exit(
    recorded: bool,
    handler: Callable[..., Any],
    end: Callable[[Ref], None] | None,
    reason: ExitReason,
) -> None:
    """Whether or not somebody keeps the traceback that holds the ``ReplyTo``."""
    kept: list[Any] = []

    async def client(server: Ref) -> None:
        with pytest.raises(CallExit) as caught:
            await server.call(Ask(handler), timeout=float("inf"))
        assert caught.value.reason == reason

    instruments = [Instrument(kept.append, (ProcessEnded,))] if recorded else []
    async with open_node(instruments=instruments):
        server = await start(Scripted.child_spec())
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client, server)
            await trio.sleep(1)
            if end is not None:
                end(server)
        kept.clear()


def stop_info(server: Any) -> Stop:
    return Stop("stopped")


def forget_and_stop(server: Any) -> Stop:
    """Returned first, dropped by ``terminate``'s time."""
    server.script["terminate"] = lambda one, reason: forget(one)
    return Stop("stopped")


async def test_a_drop_before_the_stop_is_a_drop(node: Node) -> None:
    """What happens first counts: the handler lets go of it, and only then returns its Stop."""
    server = await start(Scripted.child_spec())

    def forget_then_stop(one: Any) -> Stop:
        del one.kept
        return Stop("stopped")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(dropped, server, Ask(defer), 1)
        await trio.sleep(1)
        server.send(Note(forget_then_stop))


async def test_a_plain_process_that_lets_go_of_a_request(node: Node) -> None:
    async def forgetful() -> None:
        await receive(Request)
        await trio.sleep(5)

    pid = spawn(forgetful)
    await dropped(ref(pid), Ask(crash))
    assert is_alive(pid)


async def test_a_request_that_is_only_looked_at_stays_whole(node: Node) -> None:
    """A predicate that says no drops what it was shown, and the caller waits on."""

    async def picky() -> None:
        from runtime import self_

        looked_at: list[object] = []

        def is_text(message: object) -> bool:
            looked_at.append(type(message))
            return isinstance(message, str)

        send(self_(), "the message")
        await trio.sleep(1)
        while Request not in looked_at:
            send(self_(), await receive(is_text))
        request = await receive(Request)
        request.reply_to.reply("answer")
        await receive(str)

    assert await ref(spawn(picky)).call(Ask(crash)) == "answer"


async def test_a_plain_process_that_returns_with_a_request_in_its_mailbox(node: Node) -> None:
    async def leaves() -> None:
        await trio.sleep(1)

    with pytest.raises(CallExit) as caught:
        await ref(spawn(leaves)).call(Ask(crash))
    assert caught.value.reason == Normal()


async def test_a_caller_that_has_given_up_already_is_told_of_at_once(node: Node) -> None:
    """A server may ask for it late; it hears nothing of a caller that was answered."""
    kept: list[ReplyTo[Any]] = []
    told: list[str] = []

    def keep(server: Scripted, reply_to: ReplyTo[Any]) -> NoReply:
        kept.append(reply_to)
        return NoReply()

    server = await Scripted.start()
    with pytest.raises(CallTimeout):
        await server.call(Ask(keep), timeout=1.0)
    kept[0].on_give_up(lambda: told.append("timed out"))
    assert told == ["timed out"]

    def answer(server: Scripted, reply_to: ReplyTo[Any]) -> int:
        kept.append(reply_to)
        return 5

    assert await server.call(Ask(answer)) == 5
    kept[1].on_give_up(lambda: told.append("answered"))
    assert told == ["timed out"]
    await server.stop()
