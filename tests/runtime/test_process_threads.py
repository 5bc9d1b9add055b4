"""A process can only be reached from the Trio thread of its own run."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable

import pytest
import trio

from runtime import (
    Cast,
    Exit,
    Node,
    NoNode,
    OutsideProcess,
    Pid,
    Ref,
    Task,
    exit,
    is_alive,
    kill,
    link,
    monitor,
    named,
    open_node,
    process_info,
    receive,
    ref,
    register,
    registered,
    self_,
    send,
    send_after,
    spawn,
    spawn_link,
    spawn_monitor,
    trap_exits,
    wait_exit,
    whereis,
)
from tests.support import in_process, reason_of, stop_all

pytestmark = pytest.mark.real_clock


class Add(Cast):
    """Any cast."""


def in_thread(fn: Callable[[], object]) -> BaseException | None:
    """Run ``fn`` in a plain thread; what it raised."""
    raised: list[BaseException] = []

    def target() -> None:
        try:
            fn()
        except BaseException as exc:
            raised.append(exc)

    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
    return raised[0] if raised else None


FROM_OUTSIDE: dict[str, Callable[[Ref], object]] = {
    "send": lambda target: target.send("message"),
    "send to pid": lambda target: send(target.pid, "message"),
    "send by name": lambda _target: named("target").send("message"),
    "cast": lambda target: target.cast(Add()),
    "exit": lambda target: exit(target, "out"),
    "exit pid": lambda target: exit(target.pid, "out"),
    "kill": kill,
    "kill pid": lambda target: kill(target.pid),
    "register": lambda target: register("other", target),
    "whereis": lambda _target: whereis("target"),
    "registered": lambda _target: registered(),
    "spawn": lambda _target: spawn(trio.sleep_forever),
    "send_after": lambda target: send_after(target, "message", 1),
}


@pytest.mark.parametrize("how", list(FROM_OUTSIDE))
async def test_reaching_a_process_from_a_foreign_thread_is_refused_and_changes_nothing(
    node: Node, how: str
) -> None:
    """Contract 2."""
    pid = spawn(trio.sleep_forever, name="target")
    target = ref(pid)
    await trio.testing.wait_all_tasks_blocked()
    raised = in_thread(lambda: FROM_OUTSIDE[how](target))
    assert isinstance(raised, NoNode)
    assert "trio.from_thread.run" in str(raised)
    info = process_info(target)
    assert info is not None
    assert info.mailbox_length == 0
    assert registered() == ["target"]
    await trio.testing.wait_all_tasks_blocked()
    assert is_alive(target)
    await stop_all(pid)


FROM_WORKER: dict[str, Callable[[Pid], object]] = {
    "self_": lambda _other: self_(),
    "link": lambda other: link(ref_of[other]),
    "monitor": lambda other: monitor(ref_of[other]),
    "trap_exits": lambda _other: trap_exits(),
    "register": lambda _other: register("other"),
    "spawn_link": lambda _other: spawn_link(trio.sleep_forever),
    "spawn_monitor": lambda _other: spawn_monitor(trio.sleep_forever),
}
ref_of: dict[Pid, Ref] = {}


@pytest.mark.parametrize("how", list(FROM_WORKER))
async def test_a_worker_thread_of_a_process_is_foreign_too(node: Node, how: str) -> None:
    """Trio copies the context variables to it, but not the right to touch the process."""
    other = spawn(trio.sleep_forever)
    ref_of[other] = ref(other)

    async def body() -> None:
        with pytest.raises(NoNode):
            await trio.to_thread.run_sync(lambda: FROM_WORKER[how](other))
        info = process_info(self_())
        assert info is not None
        assert (info.links, info.monitors, info.trap_exits, info.name) == ((), (), False, None)

    await in_process(body)
    await stop_all(other)
    del ref_of[other]


async def test_a_worker_thread_may_go_through_trio(node: Node) -> None:
    received: list[object] = []

    async def reader() -> None:
        received.append(await receive())
        received.append(await receive())

    pid = spawn(reader)

    def work() -> None:
        trio.from_thread.run_sync(send, pid, "one")
        trio.from_thread.run_sync(ref_here, "two")

    def ref_here(message: str) -> None:
        ref(pid).send(message)

    await trio.to_thread.run_sync(work)
    await wait_exit(pid)
    assert received == ["one", "two"]


async def test_a_process_can_still_be_woken_after_a_refused_send(node: Node) -> None:
    """Kernel trap: a wake-up that raises must leave the process wakeable."""

    async def reader() -> str:
        return await receive(str)

    pid = spawn(reader)
    target = ref(pid)
    await trio.testing.wait_all_tasks_blocked()
    for _ in range(10):
        assert isinstance(in_thread(lambda: target.send("foreign")), NoNode)
    target.send("own")
    assert await wait_exit(pid) is not None


async def test_a_process_whose_thread_is_waited_for_outlives_its_kill(node: Node) -> None:
    """DESIGN 4: what ignores its cancellation, a worker thread, is waited for."""
    go_on = threading.Event()

    async def body() -> None:
        await trio.to_thread.run_sync(go_on.wait)

    pid = spawn(body)
    await trio.testing.wait_all_tasks_blocked()
    kill(pid)
    await trio.testing.wait_all_tasks_blocked()
    assert is_alive(pid)
    go_on.set()
    await wait_exit(pid)
    assert not is_alive(pid)


def test_two_runs_in_two_threads_never_see_each_other() -> None:
    both_up = threading.Barrier(2)
    done = threading.Barrier(2)
    pids: dict[str, Pid] = {}
    refs: dict[str, Ref] = {}
    problems: list[BaseException] = []

    async def main(mine: str, other: str) -> None:
        async with open_node(instruments=[]):
            pids[mine] = spawn(trio.sleep_forever, name="same name")
            refs[mine] = ref(pids[mine])
            await trio.testing.wait_all_tasks_blocked()
            await trio.to_thread.run_sync(both_up.wait)
            assert whereis("same name") is pids[mine]
            assert registered() == ["same name"]
            assert not is_alive(pids[other])
            assert process_info(pids[other]) is None
            send(pids[other], "vanishes")
            kill(pids[other])
            with pytest.raises(NoNode):
                refs[other].send("refused")
            with pytest.raises(NoNode):
                kill(refs[other])
            await trio.to_thread.run_sync(done.wait)
            assert is_alive(pids[mine])
            info = process_info(pids[mine])
            assert info is not None
            assert info.mailbox_length == 0

    def run(mine: str, other: str) -> None:
        try:
            trio.run(main, mine, other)
        except BaseException as exc:
            problems.append(exc)
            both_up.abort()
            done.abort()

    threads = [threading.Thread(target=run, args=args) for args in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gc.collect()
    assert problems == []


def test_two_runs_one_after_the_other_never_see_each_other() -> None:
    left: list[Pid | Ref] = []

    async def first() -> None:
        async with open_node(instruments=[]):
            pid = spawn(trio.sleep_forever, name="same name")
            left.extend([pid, ref(pid)])

    async def second() -> None:
        async with open_node(instruments=[]):
            assert whereis("same name") is None
            for target in left:
                assert not is_alive(target)
                send(target, "vanishes")
                kill(target)
            assert await reason_of(trio.lowlevel.checkpoint) is not None

    trio.run(first)
    trio.run(second)


async def test_another_run_neither_stops_a_process_nor_waits_for_it(node: Node) -> None:
    """It would be woken from the wrong thread."""
    task = await Task.start_nolink(trio.sleep_forever)
    pid = spawn(trio.sleep_forever)
    handle = ref(pid)

    async def elsewhere() -> None:
        with trio.fail_after(5):
            for waits in (handle.stop, task.wait, task.result):
                with pytest.raises(NoNode):
                    await waits()

    await trio.to_thread.run_sync(trio.run, elsewhere)
    await trio.testing.wait_all_tasks_blocked()
    assert is_alive(pid)
    await task.shutdown()


async def test_a_run_in_a_worker_thread_of_a_process_is_in_no_process(node: Node) -> None:
    """Trio copies the context variables to the thread; the other run is another world."""
    seen: list[object] = []

    async def inner_process() -> None:
        trap_exits()
        seen.append(await receive())

    async def inner() -> None:
        async with open_node(instruments=[]):
            with pytest.raises(OutsideProcess):
                self_()
            pid = spawn(inner_process)
            await trio.testing.wait_all_tasks_blocked()
            info = process_info(pid)
            assert info is not None
            assert info.ancestors == ()
            exit(pid, "from a plain task")
            await wait_exit(pid)

    async def outer() -> None:
        await trio.to_thread.run_sync(trio.run, inner)
        assert is_alive(self_())

    await in_process(outer)
    assert seen == [Exit(None, "from a plain task")]
