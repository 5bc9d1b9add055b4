"""What the checkers know about the kit for tests: what is expected is what comes back."""

from __future__ import annotations

from typing import TypeGuard, assert_type

from runtime import Call, Cast, Down, Exit, ExitReason, Pid, ProcessCrashed, Ref, named
from runtime.testing import (
    ReceivedCall,
    Reports,
    Scripted,
    as_process,
    assert_down,
    assert_receive,
    assert_up,
    capture_reports,
    crash,
    open_chaos,
    refute_receive,
    run_as_process,
)
from supervisors.fixtures import StartSupervised


class Get(Call[int]):
    key: str


class Put(Cast):
    key: str


def is_text(message: object) -> TypeGuard[str]:
    return isinstance(message, str)


async def messages() -> None:
    assert_type(await assert_receive(Down), Down)
    assert_type(await assert_receive((Down, Exit)), Down | Exit)
    assert_type(await assert_receive(is_text), str)
    assert_type(await assert_receive(Put("x")), Put)
    assert_type(await refute_receive(Down, timeout=1), None)
    await assert_receive(Down, timeout="1")  # type: ignore[call-overload] # pyright: ignore[reportArgumentType,reportCallIssue]
    await assert_receive()  # type: ignore[call-overload] # pyright: ignore[reportCallIssue]


async def ends(pid: Pid, handle: Ref) -> None:
    assert_type(await assert_down(pid, ValueError), ExitReason)
    assert_type(await assert_down(handle, timeout=2), ExitReason)
    assert_type(await assert_up(named("x")), Pid)
    await crash(pid, OSError("disk"))
    await assert_up("x")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    await crash(pid, OSError)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    await crash("x")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


async def scripts(script: Scripted) -> None:
    call = await script.expect_call(Get)
    assert_type(call, ReceivedCall[Get])
    assert_type(call.request.key, str)
    assert_type(await script.expect(Put), object)
    script.always(Get, lambda request: len(request.key))
    await script.expect_call(Put)  # type: ignore[type-var] # pyright: ignore[reportArgumentType]
    script.always(Get, lambda request: request.value)  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue]


@as_process
async def one(number: int) -> str:
    return str(number)


@as_process(trap=True)
async def other(number: int) -> str:
    return str(number)


async def processes() -> None:
    assert_type(await one(1), str)
    assert_type(await other(number=1), str)
    assert_type(await run_as_process(one, 1), str)
    await one("1")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    as_process(print)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


async def reports() -> None:
    with capture_reports() as told:
        assert_type(told, Reports)
        assert_type(told.of(ProcessCrashed), list[ProcessCrashed])
        told.of(int)  # type: ignore[type-var] # pyright: ignore[reportArgumentType]


async def chaos(start_supervised: StartSupervised) -> None:
    async with open_chaos(2, seed=1) as kills:
        assert_type(kills[0].at, float)
        assert_type(kills[0].victim.pid, Pid)
    async with open_chaos(2):  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
        pass
    assert_type(await start_supervised(processes), Ref)
