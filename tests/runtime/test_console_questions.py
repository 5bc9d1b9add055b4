"""``console.questions``: what is asked by the command, and its answers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import trio
import trio.testing

from runtime import Call, CrashView, GenServer, Node, Snapshot, handles, spawn, start, wait_exit
from runtime.console.finding import NotFound
from runtime.console.frames import (
    Act,
    AskCrashes,
    AskInfo,
    AskTop,
    AskTree,
    InfoView,
    StopTop,
)
from runtime.console.questions import Asker
from runtime.current import current_table
from runtime.process import Process


class Hold(Call[int]): ...


class Holder(GenServer):
    @handles(Hold)
    async def hold(self, request: Hold) -> int:
        await trio.sleep_forever()
        return 1

    def redact(self, what: str, value: object) -> object:
        return "n=3" if what == "state" else value

    def facts(self) -> dict[str, int]:
        return {"size": 3}


class Boom(Exception): ...


async def crash() -> None:
    raise Boom


async def restart(process: Process) -> str:
    return f"restarted {process.pid.number}"


@pytest.fixture
async def asker(node: Node) -> AsyncIterator[Asker]:
    asker = Asker(restart)
    yield asker
    asker.look_away()
    assert current_table().cpu is None


async def test_the_tree(asker: Asker) -> None:
    await start(Holder.child_spec().replace(name="holder"))
    answer = asker.answer(AskTree(1))
    assert isinstance(answer, Snapshot)
    assert [view.name for view in answer.processes] == ["holder"]


async def test_cpu_time_is_measured_from_the_first_look_to_the_last(asker: Asker) -> None:
    table = current_table()
    for _ in range(3):
        assert isinstance(asker.answer(AskTop(1)), Snapshot)
        assert table.cpu is not None
    assert asker.answer(StopTop(2)) is None
    assert table.cpu is None
    assert asker.answer(StopTop(3)) is None


async def test_the_first_by_what_is_asked(asker: Asker) -> None:
    for name in ("a", "b", "c"):
        await start(Holder.child_spec().replace(name=name))
    answer = asker.answer(AskTop(1, sort="pid", limit=2))
    assert isinstance(answer, Snapshot)
    assert ([view.name for view in answer.processes], answer.total) == (["a", "b"], 3)
    for limit, count in ((-5, 0), (1 << 40, 3)):
        answer = asker.answer(AskTop(1, limit=limit))
        assert isinstance(answer, Snapshot)
        assert len(answer.processes) == count
    answer = asker.answer(AskTop(1, find="B"))
    assert isinstance(answer, Snapshot)
    assert [view.name for view in answer.processes] == ["b"]


async def test_one_process(asker: Asker) -> None:
    holder = await start(Holder.child_spec().replace(name="holder"))
    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(holder.call, Hold())
        await trio.testing.wait_all_tasks_blocked()
        answer = asker.answer(AskInfo(1, "holder"))
        nursery.cancel_scope.cancel()
    assert isinstance(answer, InfoView)
    assert answer.process.name == "holder"
    assert (answer.state, answer.facts, answer.waiting) == ("'n=3'", {"size": 3}, ("Hold()",) * 2)
    assert [line.split()[-1] for line in answer.stack] == ["Holder.hold"]
    assert answer.crashes == ()


async def test_the_crashes_of_earlier_incarnations_are_its_own(asker: Asker) -> None:
    await wait_exit(spawn(crash, name="holder"))
    await wait_exit(spawn(crash, name="other"))
    await wait_exit(spawn(crash))
    await start(Holder.child_spec().replace(name="holder"))
    nameless = await start(Holder.child_spec())
    answer = asker.answer(AskInfo(1, "holder"))
    assert isinstance(answer, InfoView)
    assert [(one.name, one.reason) for one in answer.crashes] == [("holder", "Boom()")]
    answer = asker.answer(AskInfo(1, str(nameless.pid.number)))
    assert isinstance(answer, InfoView)
    assert answer.crashes == ()


async def test_crashes(asker: Asker) -> None:
    for name in ("a", "b", "c"):
        await wait_exit(spawn(crash, name=name))
    answer = asker.answer(AskCrashes(1, limit=2))
    assert isinstance(answer, list)
    assert all(isinstance(one, CrashView) for one in answer)
    assert [one.name for one in answer] == ["b", "c"]
    assert asker.answer(AskCrashes(1, limit=-1)) == []


async def test_who_is_not_there_is_said(asker: Asker) -> None:
    with pytest.raises(NotFound, match=r"^no process is called 'nobody'$"):
        asker.answer(AskInfo(1, "nobody"))
    with pytest.raises(NotFound):
        await asker.do(Act(1, "kill", "nobody"))


async def test_something_is_done(asker: Asker) -> None:
    await start(Holder.child_spec().replace(name="holder"))
    assert await asker.do(Act(1, "restart", "holder")) == "restarted 1"
    assert await asker.do(Act(1, "kill", "holder")) == "killed holder (1)"
