"""What the loop does, seen from another thread; and where a process sleeps."""

from __future__ import annotations

import inspect
import json
import threading
from typing import Any

import pytest
import trio
import trio.testing

from runtime import GenServer, Node, ReplyTo, named, open_node, spawn, start, wait_exit
from runtime.instruments import Instruments
from runtime.process import Process, table_var
from runtime.process_table import ProcessTable
from runtime.watchdogs.stacks import (
    Doing,
    Place,
    behaviour_of,
    stack_of,
    stack_of_loop,
    what_runs,
)
from tests.runtime.stalling import elsewhere, seen
from tests.support import Ask, Do, Scripted, stop_all


class Stuck(GenServer):
    """Looks at itself from outside, wherever it is told to."""

    def __init__(self, at: str = "") -> None:
        self.at = at
        self.seen: Doing | None = None

    def init(self) -> Any:
        return self.look() if self.at == "init" else None

    def look(self) -> None:
        self.seen = seen()

    def handle_call(self, request: Ask, reply_to: ReplyTo[Any]) -> Any:
        self.deeper()
        return self.seen

    def deeper(self) -> None:
        self.look()


class StuckAwaiting(Stuck):
    async def handle_call(self, request: Ask, reply_to: ReplyTo[Any]) -> Any:
        await trio.lowlevel.checkpoint()
        self.look()
        return self.seen


def functions(doing: Doing) -> list[str]:
    """The functions, without those of the helper that looks and of the library it waits by."""
    own = [place.function for place in doing.places]
    return own[: own.index("seen")]


ASK = Ask(lambda *_: None)


@pytest.mark.parametrize(
    ("cls", "expected"),
    [
        (Stuck, ["Stuck.handle_call", "Stuck.deeper", "Stuck.look"]),
        (StuckAwaiting, ["StuckAwaiting.handle_call", "Stuck.look"]),
    ],
)
async def test_a_handler_that_is_stuck_is_seen_with_its_process(
    node: Node, cls: type[Stuck], expected: list[str]
) -> None:
    ref = await start(cls.child_spec().replace(name="stuck"))
    doing: Doing = await ref.call(ASK)
    assert doing.process is not None
    assert (doing.process.pid, doing.process.name) == (ref.pid, "stuck")
    assert functions(doing) == expected
    assert doing.handler == expected[0]
    await stop_all(ref)


async def test_in_a_call_from_one_server_to_another_it_is_the_one_that_runs(node: Node) -> None:
    inner = await start(Stuck.child_spec().replace(name="inner"))
    outer = await start(Scripted.child_spec())

    async def ask(_server: object, _reply_to: object) -> Doing:
        answer: Doing = await named("inner").call(ASK)
        return answer

    doing: Doing = await outer.call(Ask(ask))
    assert doing.process is not None
    assert doing.process.pid is inner.pid
    assert functions(doing)[0] == "Stuck.handle_call"
    await stop_all(inner, outer)


async def test_an_init_that_runs_in_its_starters_step_is_the_new_process(node: Node) -> None:
    ref = await start(Stuck.child_spec("init"))
    doing: Doing = await ref.call(Ask(lambda *_: None))
    assert doing.process is not None
    (process,) = table_var.get().by_pid.values()
    server: Any = getattr(process.body, "server")  # noqa: B009
    assert server.seen is doing
    await stop_all(ref)


async def test_a_plain_process_and_its_helper_tasks(node: Node) -> None:
    found: list[Doing] = []

    async def helper() -> None:
        await trio.lowlevel.checkpoint()
        found.append(seen())

    async def work() -> None:
        found.append(seen())
        async with trio.open_nursery() as nursery:
            nursery.start_soon(helper)

    pid = spawn(work)
    await wait_exit(pid)
    assert [one.process and one.process.pid for one in found] == [pid, pid]
    assert [(one.handler or "").rpartition(".")[2] for one in found] == ["work", "helper"]


async def test_a_task_that_is_no_process_is_seen_without_one(node: Node) -> None:
    found: list[Doing] = []

    async def plain() -> None:
        found.append(seen())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(plain)
    (doing,) = found
    assert doing.process is None
    assert (doing.handler or "").endswith("plain")


async def test_before_the_node_is_open_there_is_no_process_to_be_seen() -> None:
    table: ProcessTable[Process] = ProcessTable(Instruments(), lambda exc: None)
    doing = elsewhere(lambda: what_runs(table))
    assert doing.process is None
    assert doing.places != ()


def test_a_loop_that_waits_does_nothing() -> None:
    """A thread looks while the loop sleeps for it."""
    found: list[Doing] = []

    async def main() -> None:
        async with open_node():
            table: ProcessTable[Process] = table_var.get()
            await trio.to_thread.run_sync(lambda: found.append(asleep(table)))

    trio.run(main)
    assert found == [Doing(None, ())]


def asleep(table: ProcessTable[Process]) -> Doing:
    """What the loop does when it has nothing left to do: it has answered, and waits for us."""
    answered = threading.Lock()
    answered.acquire()
    table.token.run_sync_soon(answered.release)
    answered.acquire()
    return what_runs(table)


def test_without_a_loop_nothing_is_done() -> None:
    tables: list[ProcessTable[Process]] = []

    async def main() -> None:
        tables.append(ProcessTable(Instruments(), lambda exc: None))

    trio.run(main)
    assert what_runs(tables[0]) == Doing(None, ())
    tables[0].thread = -1  # as if that thread had ended too
    assert what_runs(tables[0]) == Doing(None, ())


async def test_what_has_nothing_of_the_users_shows_the_runtime(node: Node) -> None:
    """Code of ours that is busy: then its own frames are better than none."""
    file = inspect.getfile(Process)
    names: dict[str, Any] = {}
    source = "async def busy(begun, seen):\n begun.release()\n seen.acquire()"
    exec(compile(source, file, "exec"), names)
    table: ProcessTable[Process] = table_var.get()
    found: list[Doing] = []
    begun, has_seen = threading.Lock(), threading.Lock()
    begun.acquire()
    has_seen.acquire()

    def look() -> None:
        begun.acquire()
        found.append(what_runs(table))
        has_seen.release()

    thread = threading.Thread(target=look)
    thread.start()
    pid = spawn(names["busy"], begun, has_seen)
    await wait_exit(pid)
    thread.join()
    (doing,) = found
    assert doing.process is not None
    assert doing.process.pid is pid
    assert doing.places[-1] == Place(file, 3, "busy")
    assert doing.line == f"{file}:3"


def test_the_line_is_in_the_users_own_code_also_when_that_has_called_a_library() -> None:
    library = Place(json.__file__, 7, "loads")
    own = Place("/srv/shop/shop.py", 12, "Shop.price")
    assert Doing(None, (own, library)).line == "/srv/shop/shop.py:12"
    assert Doing(None, (library,)).line == f"{json.__file__}:7"
    assert Doing(None, ()).line is None
    assert (Doing(None, ()).handler, str(own)) == (None, "/srv/shop/shop.py:12 Shop.price")


async def test_as_plain_values_with_how_long_the_loop_has_not_turned(node: Node) -> None:
    table: ProcessTable[Process] = table_var.get()

    def look_twice(_server: object, _reply_to: object) -> Any:
        return elsewhere(lambda: (stack_of_loop(table), stack_of_loop(table)))

    ref = await start(Scripted.child_spec().replace(name="shop"))
    first, second = await ref.call(Ask(look_twice))
    assert (first.pid, first.behaviour, first.name) == (ref.pid.number, "Scripted", "shop")
    assert first.handler == "Scripted.handle_call"
    line = inspect.getsourcelines(Scripted.handle_call)[1] + 1
    assert first.frames[0] == f"{inspect.getfile(Scripted)}:{line} Scripted.handle_call"
    assert first.turned == 0.0
    assert second.turned > 0.0
    await trio.testing.wait_all_tasks_blocked()
    third, _ = await ref.call(Ask(look_twice))
    assert third.turned == 0.0
    await stop_all(ref)


async def test_outside_of_processes_the_plain_values_name_none(node: Node) -> None:
    table: ProcessTable[Process] = table_var.get()
    view = elsewhere(lambda: stack_of_loop(table))
    assert (view.pid, view.behaviour, view.name) == (None, None, None)


# ---------------------------------------------------------------------- asleep


async def test_a_process_that_sleeps_shows_where(node: Node) -> None:
    async def deep() -> None:
        await trio.sleep_forever()

    async def handler(_server: object) -> None:
        await deep()

    ref = await start(Scripted.child_spec())
    (process,) = table_var.get().by_pid.values()
    await trio.testing.wait_all_tasks_blocked()
    assert stack_of(process) == ()
    ref.cast(Do(handler))
    await trio.testing.wait_all_tasks_blocked()
    # a plain handle_cast has returned the coroutine, and is not on the stack any more
    names = [frame.rpartition(".")[2] for frame in stack_of(process)]
    assert names == ["handler", "deep"]
    assert stack_of(process)[1].startswith(f"{__file__}:{inspect.getsourcelines(deep)[1] + 1} ")
    await stop_all(ref)
    assert stack_of(process) == ()


async def test_what_kind_of_process_it_is(node: Node) -> None:
    ref = await start(Scripted.child_spec().replace(name="shop"))
    pid = spawn(trio.sleep_forever)
    server, function = table_var.get().by_pid.values()
    assert (behaviour_of(server), behaviour_of(function)) == ("Scripted", "sleep_forever")
    await stop_all(ref, pid)
