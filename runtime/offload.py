"""Blocking functions as async ones: in a worker thread, or in a worker process.

A thread cannot be stopped: cancelling waits for it, or leaves it to itself. A worker process can,
and its end frees everything, also a loop that never returns. The price is a new interpreter per
worker, and that functions, arguments and results are pickled.

The worker processes belong to one ``trio.run``. They are kept for the next function, and closed by
a system task, which Trio ends last of all. No process of the node could hold them: it would be
stopped in its turn, before others that may still need a worker for their last words. The cost is
that idle workers outlive the node if the run goes on without it; a node that could close something
after its last process would change our mind.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial, update_wrapper
from typing import Any, Final, ParamSpec, Protocol, TypeVar

import trio

from runtime.containment import attempt
from runtime.plain_functions import check_plain_function, signature_of
from runtime.spawning import function_name

P = ParamSpec("P")
R = TypeVar("R")

_GRACE: Final = 5.0
_NOT_NEEDED: Final = "it needs no worker: use it as it is"


def to_thread(
    fn: Callable[P, R],
    *,
    limiter: trio.CapacityLimiter | None = None,
    abandon_on_cancel: bool = False,
) -> Callable[P, Coroutine[object, object, R]]:
    """An async function that runs the plain function ``fn`` in a worker thread.

    For blocking work as a child, a task or a step of a stream: ``child_spec(to_thread(fn), x)``.
    It takes what ``fn`` takes and returns or raises what ``fn`` does. ``limiter`` bounds how many
    threads run at once; by default it is Trio's own, 40 for everything in the run.

    Cancelling does not stop ``fn``: it waits until ``fn`` returns. With ``abandon_on_cancel`` the
    caller goes on at once, and ``fn`` to its end, with nobody to hear of it. So, without, the end
    of a process that runs a thread takes as long as the thread does. In the thread the context
    variables are those of the caller; whatever belongs to the node goes through
    ``trio.from_thread``. Virtual time does not wait for threads.
    """
    _check(fn, limiter)
    if not isinstance(abandon_on_cancel, bool):
        raise TypeError(f"abandon_on_cancel: got {abandon_on_cancel!r}, allowed are True and False")

    async def in_thread(*args: P.args, **kwargs: P.kwargs) -> R:
        return await trio.to_thread.run_sync(
            partial(fn, *args, **kwargs), limiter=limiter, abandon_on_cancel=abandon_on_cancel
        )

    return _named_like(fn, in_thread)


def to_process(
    fn: Callable[P, R], *, limiter: trio.CapacityLimiter | None = None
) -> Callable[P, Coroutine[object, object, R]]:
    """An async function that runs the plain function ``fn`` in a worker process of the system.

    For work that keeps a processor busy, may have to be stopped, or may take its interpreter down.
    Used like ``to_thread``. Needs the extra ``processes``: ``ImportError`` without it. ``fn`` must
    be one that another interpreter can import: at the top of a module, under its own name, so this
    is no decorator; a program keeps its start under ``if __name__ == "__main__"``. Arguments,
    result and error are pickled. ``limiter`` bounds how many workers are busy at once; by default
    there is one limit for the run, the number of processors.

    Cancelling kills the worker, whatever it is doing, and returns when it is gone. A worker that
    dies by itself raises ``trio_parallel.BrokenWorkerError``. Idle workers wait for the next
    function and are ended with ``trio.run``. Virtual time does not wait for processes.
    """
    _check(fn, limiter)
    _, error = attempt(pickle.dumps, fn)
    if error is not None:
        raise TypeError(
            f"fn: got {fn!r}, allowed is a function that a worker process can import: "
            "one at the top of a module, under its own name"
        ) from error
    _trio_parallel()

    async def in_process(*args: P.args, **kwargs: P.kwargs) -> R:
        workers = await _workers_of_this_run()
        return await workers.run_sync(
            partial(fn, *args, **kwargs), kill_on_cancel=True, limiter=limiter
        )

    return _named_like(fn, in_process)


def _check(fn: Callable[..., object], limiter: object) -> None:
    check_plain_function("fn", fn, _NOT_NEEDED)
    if not (limiter is None or isinstance(limiter, trio.CapacityLimiter)):
        raise TypeError(f"limiter: got {limiter!r}, allowed are a trio.CapacityLimiter and None")
    signature = signature_of(fn)
    if signature is not None and "task_status" in signature.parameters:
        raise TypeError(
            f"fn: got {fn!r}, which takes task_status; a worker cannot use it, "
            "so its start is reported by an async function around it"
        )


def _named_like(
    fn: Callable[P, R], call: Callable[P, Coroutine[object, object, R]]
) -> Callable[P, Coroutine[object, object, R]]:
    """Labels show its name, and arguments are checked against what it takes, if it says so."""
    update_wrapper(call, fn, updated=())
    call.__name__ = function_name(fn)
    if signature_of(fn) is None:
        del call.__wrapped__  # type: ignore[attr-defined]
    return call


# ---------------------------------------------------------------------- worker processes


class _Workers(Protocol):
    async def run_sync(self, fn: Callable[[], R], **options: object) -> R: ...


class _Pool:
    """The worker processes of one run, from the first use to the end of the run."""

    def __init__(self) -> None:
        self.opened = trio.Event()
        self.workers: _Workers

    async def hold(self) -> None:
        """The system task. One that died while it was idle is no news any more."""
        package = _trio_parallel()
        with suppress(package.BrokenWorkerError):
            async with package.open_worker_context(grace_period=_GRACE) as self.workers:
                self.opened.set()
                await trio.sleep_forever()


_pool: trio.lowlevel.RunVar[_Pool] = trio.lowlevel.RunVar("runtime.offload")


async def _workers_of_this_run() -> _Workers:
    try:
        pool = _pool.get()
    except LookupError:
        pool = _Pool()
        _pool.set(pool)
        trio.lowlevel.spawn_system_task(pool.hold, name="worker processes")
    await pool.opened.wait()
    return pool.workers


def _trio_parallel() -> Any:
    """The package, imported by those who use it alone."""
    try:
        import trio_parallel  # type: ignore[import-untyped]  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]
    except ImportError as exc:
        raise ImportError(
            "to_process needs the package trio-parallel: pip install 'trio-otp[processes]'",
            name="trio_parallel",
        ) from exc
    return trio_parallel
