"""A test that is a process itself: it has a mailbox, can link, monitor and trap exits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar, overload

from runtime.containment import short_repr
from runtime.exits import SHUTDOWN, Crashed
from runtime.signals import exit, trap_exits, wait_exit
from runtime.spawning import spawn

P = ParamSpec("P")
T = TypeVar("T")


async def run_as_process(fn: Callable[..., Awaitable[T]], *args: object, trap: bool = False) -> T:
    """Run ``fn(*args)`` as a process of the node; return what it returns, raise what it raises.

    ``trap`` says whether it traps exits. ``AssertionError`` if it ends otherwise, by an exit signal
    say. Cancelling asks it to end, and does not wait for that.
    """
    results: list[T] = []

    async def test() -> None:
        trap_exits(trap)
        results.append(await fn(*args))

    pid = spawn(test)
    try:
        reason = await wait_exit(pid)
    finally:
        exit(pid, SHUTDOWN)
    if isinstance(reason, Crashed):
        raise reason.exception
    assert results, f"the test's process was ended: {short_repr(reason)}"
    return results[0]


Test = Callable[P, Coroutine[Any, Any, T]]


@overload
def as_process(fn: Test[P, T]) -> Test[P, T]: ...
@overload
def as_process(*, trap: bool = ...) -> Callable[[Test[P, T]], Test[P, T]]: ...


def as_process(
    fn: Test[P, T] | None = None, *, trap: bool = False
) -> Test[P, T] | Callable[[Test[P, T]], Test[P, T]]:
    """Let the decorated async test run as a process of its node: ``@as_process``.

    What needs a process works in it then: ``self_()``, ``assert_receive``, ``monitor``,
    ``start_link``. With ``@as_process(trap=True)`` it traps exits. Its fixtures stay the same, and
    one of them must open the node: ``node`` or ``start_supervised``. In Elixir every test is one.
    """
    if fn is None:
        return partial(_as_process, trap)
    return _as_process(trap, fn)


def _as_process(trap: bool, fn: Test[P, T]) -> Test[P, T]:
    @wraps(fn)
    async def test(*args: P.args, **kwargs: P.kwargs) -> T:
        return await run_as_process(partial(fn, *args, **kwargs), trap=trap)

    return test
