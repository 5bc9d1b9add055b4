"""``start`` and ``start_link``: what the starter gets, and what is left behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio

from runtime import (
    BadResult,
    Crashed,
    ExitReason,
    GenServer,
    Idle,
    Ignore,
    Ignored,
    Killed,
    Node,
    NoNode,
    Normal,
    OutsideProcess,
    ProcessExit,
    Shutdown,
    StartFailed,
    Stop,
    child_spec,
    is_alive,
    kill,
    process_info,
    processes,
    self_,
    start,
    start_link,
)
from tests.runtime.starting import exits, slow
from tests.support import Ask, Scripted, in_process, reason_of

BOOM = ValueError("boom")


def fail(exc: BaseException) -> Callable[..., Any]:
    """An ``init`` that raises."""

    def callback(*args: object) -> None:
        raise exc

    return callback


async def test_start_link_links_the_starter(node: Node) -> None:
    """GEN-001."""

    async def starter() -> None:
        server = await Scripted.start_link()
        me, info = process_info(self_()), process_info(server)
        assert me is not None
        assert me.links == (server.pid,)
        assert info is not None
        assert (info.links, info.parent, info.status) == ((self_(),), self_(), "running")
        await server.stop()

    await in_process(starter)


async def test_start_does_not_link_the_starter(node: Node) -> None:
    """GEN-002."""

    async def starter() -> None:
        server = await Scripted.start()
        info = process_info(server)
        assert info is not None
        assert (info.links, info.parent.label) == ((), "node")

    await in_process(starter)


async def test_start_works_from_a_plain_task_and_start_link_does_not(node: Node) -> None:
    """DESIGN 3.6: ``start_link`` outside a process is refused, before anything is started."""
    assert is_alive(await Scripted.start())
    with pytest.raises(OutsideProcess, match="start_link needs a process"):
        await Scripted.start_link()
    with pytest.raises(OutsideProcess):
        await start_link(Scripted.child_spec())
    assert len(processes()) == 1


@pytest.mark.parametrize("how", [start, start_link])
async def test_the_start_returns_when_init_is_done(node: Node, how: Callable[..., Any]) -> None:
    """GEN-003."""
    log: list[Any] = []

    async def starter() -> None:
        await how(Scripted.child_spec(log, init=slow(3)))
        log.append("started")
        assert trio.current_time() - begun == 3

    begun = trio.current_time()
    await in_process(starter)
    assert log[:3] == ["init begins", "init ends", "started"]


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (Stop("no disk"), "no disk"),
        (Stop(Shutdown("later")), Shutdown("later")),
        (Stop(Normal()), Normal()),
        (Ignore(), Normal()),
    ],
)
async def test_a_trapping_starter_gets_the_error_and_an_exit_message(
    node: Node, result: object, reason: ExitReason
) -> None:
    """GEN-005, GEN-009."""
    log: list[Any] = []

    async def starter() -> None:
        with pytest.raises(Ignored if isinstance(result, Ignore) else StartFailed) as caught:
            await start_link(Scripted.child_spec(log, init=lambda server: result))
        if isinstance(caught.value, StartFailed):
            assert caught.value.reason == reason
            assert caught.value.__cause__ is None
        assert [message.reason for message in await exits()] == [reason]

    await in_process(starter, trap=True)
    assert log == [], "terminate does not run for a server that was never up"


@pytest.mark.parametrize("reason", ["no disk", Shutdown(), Killed()])
async def test_a_starter_that_does_not_trap_ends_with_the_reason(
    node: Node, reason: ExitReason
) -> None:
    """GEN-006."""
    ended = await reason_of(
        lambda: start_link(Scripted.child_spec(init=lambda server: Stop(reason)))
    )
    assert ended == reason


async def test_a_starter_that_does_not_trap_survives_a_normal_stop_of_init(node: Node) -> None:
    """GEN-007."""

    async def starter() -> str:
        with pytest.raises(StartFailed) as caught:
            await start_link(Scripted.child_spec(init=lambda server: Stop()))
        assert caught.value.reason == Normal()
        with pytest.raises(Ignored):
            await start_link(Scripted.child_spec(init=lambda server: Ignore()))
        return "alive"

    assert await in_process(starter) == "alive"


@pytest.mark.parametrize(
    ("init", "reason", "cause"),
    [
        pytest.param(lambda server: Stop("no disk"), "no disk", None, id="GEN-008 stop"),
        pytest.param(fail(BOOM), Crashed(BOOM), BOOM, id="GEN-010 raise"),
        pytest.param(fail(ProcessExit("gone")), "gone", None, id="GEN-011 exit"),
        pytest.param(fail(ProcessExit(Normal())), Normal(), None, id="GEN-011 exit normal"),
    ],
)
@pytest.mark.parametrize("style", ["def", "async"])
async def test_the_starter_gets_the_reason_why_init_failed(
    node: Node,
    style: str,
    init: Callable[[Any], object],
    reason: ExitReason,
    cause: BaseException | None,
) -> None:
    """GEN-008, GEN-010, GEN-011: and ``terminate`` is not called."""
    log: list[Any] = []

    async def async_init(server: Scripted) -> object:
        await trio.sleep(1)
        return init(server)

    spec = Scripted.child_spec(log, init=async_init if style == "async" else init)
    with pytest.raises(StartFailed) as caught:
        await start(spec)
    assert caught.value.reason == reason
    assert caught.value.__cause__ is cause
    assert str(caught.value) == f"Scripted did not start: {reason!r}"
    assert log == []
    assert processes() == []


async def test_a_constructor_that_raises_fails_the_start(node: Node) -> None:
    class Fragile(GenServer):
        def __init__(self, text: str) -> None:
            self.number = int(text)

    assert is_alive(await Fragile.start("1"))
    with pytest.raises(StartFailed) as caught:
        await Fragile.start("one")
    assert isinstance(caught.value.__cause__, ValueError)


@pytest.mark.parametrize("junk", [5, "ok", BOOM, ("error", "R"), Stop("x", reply=1), False])
async def test_junk_from_init_is_a_bad_result(node: Node, junk: object) -> None:
    """GEN-013, GEN-014. differs: an error is said with ``Stop(reason)``, never with a tuple."""
    with pytest.raises(StartFailed) as caught:
        await start(Scripted.child_spec(init=lambda server: junk))
    cause = caught.value.__cause__
    assert isinstance(cause, BadResult)
    assert cause.value == junk


async def test_an_outcome_that_is_raised_is_a_crash_like_any_other(node: Node) -> None:
    """GEN-012. differs: there is no throw-as-return; Python cannot even raise an outcome."""

    def init(server: Scripted) -> None:
        raise Stop("not so")  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]

    with pytest.raises(StartFailed) as caught:
        await start(Scripted.child_spec(init=init))
    assert isinstance(caught.value.__cause__, TypeError)


@pytest.mark.parametrize("what", [Scripted, Scripted.start, None, "Scripted"])
async def test_what_is_no_spec_is_refused(node: Node, what: Any) -> None:
    with pytest.raises(TypeError, match=r"spec: got .*, allowed is a ChildSpec"):
        await start(what)


async def test_a_start_without_a_node_is_refused() -> None:
    with pytest.raises(NoNode, match="no node is open"):
        await Scripted.start()


async def test_idle_may_be_returned_from_init(node: Node) -> None:
    log: list[Any] = []
    await start(Scripted.child_spec(log, init=lambda server: Idle(2)))
    await trio.sleep(1)
    assert log == []
    await trio.sleep(2)
    assert len(log) == 1


async def test_an_async_function_is_started_from_a_spec_too(node: Node) -> None:
    """The start returns when the function says so, or at once if it cannot say."""
    log: list[str] = []

    async def service(*, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        await trio.sleep(2)
        log.append("up")
        task_status.started()
        await trio.sleep_forever()

    async def fails(*, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        raise BOOM

    async def returns(*, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Never says that it is up."""

    server = await start(child_spec(service))
    assert log == ["up"]
    assert is_alive(server)
    plain = await start(child_spec(trio.sleep_forever))
    assert is_alive(plain)
    with pytest.raises(StartFailed) as caught:
        await start(child_spec(fails))
    assert caught.value.__cause__ is BOOM
    with pytest.raises(StartFailed) as caught:
        await start(child_spec(returns))
    assert caught.value.reason == Normal()


async def test_a_server_killed_in_init_fails_the_start(node: Node) -> None:
    def init(server: Scripted) -> None:
        kill(self_())

    with pytest.raises(StartFailed) as caught:
        await start(Scripted.child_spec(init=init))
    assert caught.value.reason == Killed()


async def test_the_reference_that_start_gives_calls_the_server(node: Node) -> None:
    server = await start(Scripted.child_spec())
    assert await server.call(Ask(lambda one, reply_to: self_())) is server.pid
