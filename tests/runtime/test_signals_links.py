"""Links: abnormal reasons go both ways."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio

from runtime import (
    ExitReason,
    Killed,
    Node,
    NoProcess,
    OutsideProcess,
    ProcessExit,
    ProcessNotFound,
    Shutdown,
    exit,
    is_alive,
    kill,
    link,
    named,
    process_info,
    receive,
    ref,
    self_,
    send,
    spawn,
    spawn_link,
    start,
    trap_exits,
    unlink,
    wait_exit,
)
from runtime.messages import Exit
from runtime.pid import Pid
from tests.conftest import Recorder
from tests.runtime.ending import exits, raises
from tests.support import Scripted, end_of, in_process, stop_all


class Group:
    """Processes that link as they are told and write down the ``Exit`` messages they get."""

    def __init__(self) -> None:
        self.pids: list[Pid] = []
        self.got: dict[int, list[Exit]] = {}

    def add(self, *, trap: bool = False) -> int:
        number = len(self.pids)
        self.pids.append(spawn(self._member, number, trap))
        return number

    async def _member(self, number: int, trap: bool) -> None:
        trap_exits(trap)
        while True:
            message = await receive()
            if isinstance(message, Exit):
                self.got.setdefault(number, []).append(message)
            else:
                assert callable(message)
                message()

    async def tell(self, number: int, what: Callable[[], object]) -> None:
        send(self.pids[number], what)
        await trio.sleep(1)

    async def link(self, *pairs: tuple[int, int]) -> None:
        for one, other in pairs:
            await self.tell(one, lambda other=other: link(self.pids[other]))  # type: ignore[misc]

    async def exit(self, number: int, reason: ExitReason) -> None:
        def leave() -> None:
            raise ProcessExit(reason)

        await self.tell(number, leave)

    async def crash(self, number: int, error: Exception) -> None:
        def fail() -> None:
            raise error

        await self.tell(number, fail)

    def alive(self) -> list[bool]:
        return [is_alive(pid) for pid in self.pids]

    def ends(self, events: Recorder) -> list[ExitReason]:
        return [end_of(events, pid) for pid in self.pids if not is_alive(pid)]


@pytest.fixture
async def group(node: Node) -> Group:
    return Group()


async def test_killed_through_a_link_is_no_kill_terminate_runs(node: Node) -> None:
    """DESIGN 4: terminate runs on every end but a kill aimed at the process itself."""
    log: list[object] = []

    async def parent() -> None:
        await Scripted.start_link(log)
        await trio.sleep_forever()

    pid = spawn(parent)
    await trio.sleep(1)
    kill(pid)
    await trio.sleep(1)
    assert log == [("terminate", Killed())]


async def test_a_kill_still_ends_last_words_after_killed_came_through_a_link(node: Node) -> None:
    async def slow(_server: Scripted, _reason: ExitReason) -> None:
        await trio.sleep_forever()

    server = await start(Scripted.child_spec(terminate=slow))
    await trio.sleep(1)
    exit(server, Killed())
    await trio.sleep(100)
    assert is_alive(server)
    kill(server)
    assert await wait_exit(server) == Killed()


@pytest.mark.parametrize("reason", [Shutdown(), Shutdown("x"), "boom", NoProcess(), 0])
@pytest.mark.parametrize("who", [0, 1])
async def test_an_abnormal_end_of_either_ends_the_other_with_the_same_reason(
    group: Group, events: Recorder, reason: ExitReason, who: int
) -> None:
    """PROC-033: shutdown is not special for links."""
    p, q = group.add(), group.add()
    await group.link((p, q))
    await group.exit(who, reason)
    assert group.ends(events) == [reason, reason]


async def test_unlinking_what_was_never_linked_has_no_effect(group: Group) -> None:
    """PROC-041."""
    p, q = group.add(), group.add()
    await group.tell(p, lambda: unlink(group.pids[q]))
    await group.tell(p, lambda: unlink(group.pids[p]))
    await group.tell(p, lambda: unlink(named("nobody")))
    assert group.alive() == [True, True]


async def ended() -> Pid:
    async def nothing() -> None: ...

    pid = spawn(nothing)
    await wait_exit(pid)
    return pid


async def test_linking_to_the_dead_is_a_message_to_a_process_that_traps(node: Node) -> None:
    """PROC-044. By a name nobody holds there is no pid to tell."""

    async def body() -> None:
        pid = await ended()
        link(pid)
        link(ref(pid))
        link(named("nobody"))
        for _ in range(2):
            assert await receive(timeout=0) == Exit(pid, NoProcess())
        assert await receive(timeout=0) == Exit(None, NoProcess())

    await in_process(body, trap=True)


async def test_linking_to_the_dead_raises_in_a_process_that_does_not_trap(node: Node) -> None:
    """PROC-045. differs: the error is the exception ProcessNotFound."""

    async def body() -> None:
        pid = await ended()
        for target in (pid, ref(pid), named("nobody")):
            with pytest.raises(ProcessNotFound) as raised:
                link(target)
            assert raised.value.target is target
        link(pid)

    with pytest.raises(ProcessNotFound):
        await in_process(body)


async def test_a_link_to_itself_is_none(node: Node) -> None:
    """PROC-046."""

    async def body() -> None:
        link(self_())
        link(ref(self_()))
        info = process_info(self_())
        assert info is not None
        assert info.links == ()
        raise ProcessExit("boom")

    assert await wait_exit(spawn(body)) == "boom"


@pytest.mark.parametrize("function", [link, unlink])
async def test_outside_a_process_links_are_refused(
    node: Node, function: Callable[[Pid], None]
) -> None:
    pid = spawn(trio.sleep_forever)
    with pytest.raises(OutsideProcess):
        function(pid)
    await stop_all(pid)


@pytest.mark.parametrize("child", [raises, exits])
async def test_an_instant_crash_of_a_linked_child_has_always_its_real_reason(
    node: Node, child: Callable[[], Awaitable[None]]
) -> None:
    """PROC-047, and the trap: spawn and link are one step."""

    async def body() -> None:
        for number in range(50):
            pid = spawn_link(child)
            if number % 2:
                await trio.lowlevel.checkpoint()
            got = await receive(Exit)
            assert got.pid is pid
            assert "real reason" in repr(got.reason)

    await in_process(body, trap=True)
