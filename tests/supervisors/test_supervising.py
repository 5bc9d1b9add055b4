"""What every kind of supervisor has in common, seen in one that has nothing else."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import trio

from runtime import (
    Call,
    Cast,
    Exit,
    ExitReason,
    Killed,
    MessageUnexpected,
    Node,
    Normal,
    ProcessExit,
    Ref,
    ReplyTo,
    StartFailed,
    UnhandledMessage,
    exit,
    handles,
    is_alive,
    kill,
    spawn,
    start_link,
    wait_exit,
)
from supervisors.supervising import Supervising, SupervisingBody
from tests.conftest import Recorder
from tests.supervisors.tree_parts import settle
from tests.support import end_of


class Known(Call[int]):
    """A request of a kind of supervisor."""


class Unknown(Call[int]):
    """Meant for a child."""


class Hint(Cast):
    """A cast a kind of supervisor knows."""


class Strange(Cast):
    """Meant for a child."""


class Bare(Supervising):
    """Without any children."""


class Nursing(Supervising):
    """Its children are plain tasks."""

    def __init__(self, log: list[str], error: Exception | None = None) -> None:
        if error is not None:
            raise error
        self.log = log
        self.go_home = trio.Event()

    def init(self) -> None:
        self._nursery.start_soon(self._child)

    async def _child(self) -> None:
        await self.go_home.wait()
        self.log.append("child has ended")

    @handles(Known)
    def known(self, request: Known) -> int:
        return 5

    @handles(Hint)
    def hint(self, message: Hint) -> None:
        self.log.append("hint")

    def terminate(self, reason: ExitReason) -> None:
        self.log.append(f"terminate {type(reason).__name__}")

    async def stop_children(self) -> None:
        self.log.append("stop children")
        self.go_home.set()


async def nursing(log: list[str]) -> Ref:
    ref = await Nursing.start(log)
    await settle()
    return ref


@pytest.mark.parametrize("how", ["stop", "exit", "kill", "crash"])
async def test_however_it_ends_its_children_have_ended_before(
    node: Node, events: Recorder, how: str
) -> None:
    """Structure: the nursery is empty when the process is dead."""
    log: list[str] = []
    ref = await nursing(log)
    if how == "stop":
        await ref.stop("done")
    elif how == "exit":
        exit(ref, "ignored: a stranger's")
        await settle()
        await ref.stop("done")
    elif how == "kill":
        kill(ref)
    else:
        ref.send(object())
        await _crash(ref)
    await wait_exit(ref)
    assert log[-2:] == ["stop children", "child has ended"]
    expected: ExitReason = Killed() if how == "kill" else "done"
    assert end_of(events, ref.pid) == expected


async def _crash(ref: Ref) -> None:
    await ref.stop("done")


async def test_one_that_fails_to_be_made_has_no_children_to_stop(node: Node) -> None:
    log: list[str] = []
    with pytest.raises(StartFailed) as caught:
        await Nursing.start(log, LookupError("x"))
    assert isinstance(caught.value.__cause__, LookupError)
    assert log == []


async def test_one_whose_init_fails_stops_what_it_had_started(node: Node) -> None:
    log: list[str] = []

    class Failing(Nursing):
        def init(self) -> None:
            super().init()
            raise LookupError("x")

    with pytest.raises(StartFailed):
        await Failing.start(log)
    assert log == ["stop children", "child has ended"]


async def test_without_children_there_is_nothing_to_stop(node: Node, events: Recorder) -> None:
    ref = await Bare.start()
    await ref.stop()
    assert end_of(events, ref.pid) == Normal()


async def test_a_server_in_its_body_that_is_none_is_served_all_the_same(node: Node) -> None:
    """The body asks the server whether it has children."""
    from runtime import GenServer

    class Plain(GenServer):
        _body_class = SupervisingBody

        def handle_call(self, request: Any, reply_to: Any) -> int:
            return 7

    ref = await Plain.start()
    assert await ref.call(Known()) == 7
    await ref.stop()


async def test_a_call_it_does_not_know_is_the_callers_mistake(node: Node) -> None:
    ref = await nursing([])
    with pytest.raises(UnhandledMessage) as caught:
        await ref.call(Unknown())
    assert str(caught.value) == (
        "a supervisor does not handle the call Unknown; call the child: named(...).call(...)"
    )
    assert await ref.call(Known()) == 5


async def test_a_cast_it_does_not_know_is_reported_and_ignored(
    node: Node, events: Recorder
) -> None:
    log: list[str] = []
    ref = await nursing(log)
    ref.cast(Strange())
    ref.cast(Hint())
    await settle()
    assert log == ["hint"]
    assert events.of(MessageUnexpected) == [MessageUnexpected(ref.pid, "Strange()")]


async def test_an_exit_of_a_stranger_does_not_stop_it(node: Node, events: Recorder) -> None:
    ref = await nursing([])
    exit(ref, "boom")
    ref.send(Exit(None, "forged"))
    await settle()
    assert is_alive(ref)
    assert events.of(MessageUnexpected) == []


async def test_an_exit_of_its_parent_does(node: Node, events: Recorder) -> None:
    started: list[Ref] = []

    async def parent() -> None:
        started.append(await start_link(Nursing.child_spec([])))
        raise ProcessExit("going")

    await wait_exit(spawn(parent))
    await wait_exit(started[0])
    assert end_of(events, started[0].pid) == "going"


async def test_its_spec_gives_it_all_the_time_it_needs() -> None:
    spec = Bare.child_spec()
    assert (spec.type, spec.shutdown) == ("supervisor", float("inf"))


class Quick(Supervising):
    """A kind whose calls may run at once."""

    inline: ClassVar[bool] = True

    @handles(Known)
    def known(self, request: Known) -> int:
        return 1


class Slow(Quick):
    async def known(self, request: Known) -> int:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        await trio.sleep(1)
        return 2


@pytest.mark.parametrize(("kind", "reply"), [(Quick, 1), (Slow, 2)])
async def test_one_that_lets_calls_run_at_once(node: Node, kind: type[Quick], reply: int) -> None:
    supervisor = await kind.start()
    await settle()
    assert await supervisor.call(Known()) == reply
    with pytest.raises(UnhandledMessage):
        await supervisor.call(Unknown())
    assert is_alive(supervisor)


async def test_a_kind_with_a_handle_call_of_its_own_still_knows_its_requests(node: Node) -> None:
    seen: list[str] = []

    class Logging(Nursing):
        def handle_call(self, request: Any, reply_to: ReplyTo[Any]) -> Any:
            seen.append(type(request).__name__)
            return super().handle_call(request, reply_to)

    supervisor = await Logging.start([])
    assert await supervisor.call(Known()) == 5
    with pytest.raises(UnhandledMessage, match="does not handle the call Unknown"):
        await supervisor.call(Unknown())
    assert seen == ["Known", "Unknown"]
