"""Making a process: of a body, or of any async function. OTP: ``spawn`` and its relatives."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from types import FunctionType, MethodType
from typing import Any, Final, ParamSpec, TypeGuard, cast

import trio
from trio.lowlevel import disable_ki_protection, enable_ki_protection

from runtime.bodies import TrapMode
from runtime.containment import short_repr
from runtime.current import ViaName, current_process, current_table, require_process
from runtime.errors import AlreadyStarted, NoNode
from runtime.exits import NORMAL, ExitReason
from runtime.inspection.views import Plain
from runtime.life_scope import LifeScope
from runtime.mailbox import MailboxLimit
from runtime.messages import MonitorRef
from runtime.pid import Pid
from runtime.process import Body, Process
from runtime.process_table import ProcessTable, check_name

P = ParamSpec("P")

DEFAULT_SHUTDOWN = 5.0
MAX_ANCESTORS = 32

_COLLECTS: Final = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS


class FunctionBody:
    """The body of a process that is just an async function.

    One that takes ``task_status`` is up when it calls ``task_status.started()``, any other at once.
    """

    __slots__ = ("_call",)

    is_server = False
    trap: TrapMode = "no"
    begun = False

    def __init__(self, call: Callable[..., Awaitable[object]]) -> None:
        self._call = call

    @property
    def behaviour(self) -> str:
        """The name of the function."""
        return function_name(self._call)

    def begin(self, process: Process) -> None:
        """Nothing: a function runs in its own task from the start."""

    async def live(self, process: Process) -> ExitReason:
        """Run the function where exit signals can cancel it."""
        with LifeScope(process) as life:
            life.open()
            if takes_task_status(self._call):
                await self._run(partial(self._call, task_status=_Started(process)))
            else:
                process.mark_started()
                await self._run(self._call)
        return NORMAL

    @staticmethod
    @disable_ki_protection
    async def _run(call: Callable[[], Awaitable[object]]) -> object:
        return await call()

    def describe(self, message: object) -> str:
        """A plain process hides nothing of its messages."""
        return short_repr(message)

    def describe_state(self) -> str | None:
        """A function has no state to show."""
        return None

    def facts(self) -> dict[str, Plain]:
        """A function says nothing of itself."""
        return {}

    def release(self) -> None:
        """Nothing is held."""


class _Started(trio.TaskStatus[object]):
    """The ``task_status`` given to a function: its first ``started`` says the process is up."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def started(self, value: object = None) -> None:
        if self._process.status != "starting":
            raise RuntimeError("called 'started' twice on the same task status")
        self._process.mark_started()


def takes_task_status(fn: Callable[..., object]) -> bool:
    """Whether ``fn`` can be given a ``task_status``, as ``nursery.start`` would."""
    inner: object = fn
    while isinstance(inner, partial):
        inner = inner.func
    if _is_plain(inner) and "task_status" not in inner.__code__.co_varnames:
        return False
    return "task_status" in inspect.signature(fn).parameters


def _is_plain(fn: object) -> TypeGuard[FunctionType]:
    """A function that stands for no other one, so that its code says what it takes."""
    return type(fn) is FunctionType and not fn.__dict__


# What a plain one returns cannot be known: it may be an awaitable, as from lambda: trio.sleep(1).
_INSTEAD_OF_PLAIN = (
    "write `async def`; in place of one that only calls an async function give that, "
    "functools.partial(fn, ...) say; one that blocks is wrapped: to_thread(fn)"
)


def check_async_function(field: str, fn: object) -> None:
    """Refuse what is not an async function; partials and objects with an async call are fine."""
    if type(fn) is FunctionType and fn.__code__.co_flags & inspect.CO_COROUTINE:
        return
    inner = fn
    while isinstance(inner, partial):
        inner = inner.func
    called = inner if inspect.isroutine(inner) else getattr(type(inner), "__call__", None)  # noqa: B004
    if not inspect.iscoroutinefunction(called):
        instead = f"; {_INSTEAD_OF_PLAIN}" if callable(fn) else ""
        raise TypeError(f"{field}: got {fn!r}, allowed is an async function, not called{instead}")


def check_arguments(
    what: str,
    fn: Callable[..., object],
    args: tuple[object, ...],
    kwargs: Mapping[str, object],
    *,
    task_status: bool = True,
) -> None:
    """Refuse arguments that ``fn`` would refuse, now and not at the first restart.

    ``task_status`` says whether it will be given one, if it takes it.
    """
    if not kwargs and _surely_fit(fn, args):
        return
    signature = inspect.signature(fn)
    takes_it = task_status and "task_status" in signature.parameters
    given = {"task_status": None, **kwargs} if takes_it else kwargs
    try:
        signature.bind(*args, **given)
    except TypeError as exc:
        parameters = signature.parameters.values()
        allowed = ", ".join(str(one.replace(annotation=one.empty)) for one in parameters)
        raise TypeError(f"arguments of {what}: {exc}; allowed are ({allowed})") from None


def _surely_fit(fn: Callable[..., object], args: tuple[object, ...]) -> bool:
    """Whether the arguments fit a plain function or class, told without making its signature.

    A signature costs more than all the rest of a start; whatever is not plain is left to it.
    """
    bound, called = 0, cast("object", fn)
    if isinstance(fn, type):
        if type(fn) is not type or type.__getattribute__(fn, "__new__") is not object.__new__:
            return False
        bound, called = 1, type.__getattribute__(fn, "__init__")
        if called is object.__init__:
            return not args
    elif isinstance(fn, MethodType):
        bound, called = 1, fn.__func__
    if not _is_plain(called):
        return False
    code = called.__code__
    if code.co_flags & _COLLECTS or code.co_kwonlyargcount or "task_status" in code.co_varnames:
        return False
    most = code.co_argcount - bound
    return most - len(called.__defaults__ or ()) <= len(args) <= most


def check_start_name(field: str, name: object) -> str | ViaName:
    """What a process can be started under: a local name, or a ``via`` name."""
    return name if isinstance(name, ViaName) else check_name(field, name)


def function_name(fn: object) -> str:
    """What a function is called in labels and as a default child id."""
    while isinstance(fn, partial):
        fn = fn.func
    return getattr(fn, "__name__", type(fn).__name__)


@enable_ki_protection
def spawn_process(
    table: ProcessTable[Process],
    body: Body,
    *,
    label: str,
    name: str | ViaName | None = None,
    limit: MailboxLimit | None = None,
    budget: float | str = DEFAULT_SHUTDOWN,
    nursery: trio.Nursery | None = None,
    parent: Pid | None = None,
    link_to: Process | None = None,
    begins: bool = False,
) -> Process:
    """Start a process's task; its first step has not run yet when this returns.

    Without a ``nursery`` it lives in the node's root. The link is part of the start, so no end,
    however early, is missed. Refused with a ``StartError`` before anything exists. If it ``begins``
    it may be up when this returns; only for the caller's own step: see ``inline_starts``.
    """
    local = name if isinstance(name, str) else None
    if local is not None:
        holder = table.by_name.get(local)
        if holder is not None:
            raise AlreadyStarted(local, holder.pid)
    if nursery is None and table.stopping:
        raise NoNode("the node is stopping and starts nothing any more")
    pid = table.new_pid(label if name is None else str(name))
    process = Process(
        pid,
        table,
        body,
        parent=parent or table.owner,
        name=local,
        ancestors=_ancestors(),
        limit=limit,
    )
    process.behaviour = label
    if name is not None and isinstance(name, ViaName):
        name.claim(process)
    table.add(pid, process, local, budget if nursery is None else None)
    if link_to is not None:
        link_to.links.link(process)
        process.links.link(link_to)
    context = table.context.copy()  # to start is to be in it, and ``init`` may start others
    launch = partial(process.launch, begins)
    is_launched = False
    try:
        context.run(partial((nursery or table.nursery).start_soon, launch, name=pid.label))
        is_launched = True
    finally:
        if not is_launched:  # at the end of the stack, say: without a task it would never end
            process.dissolve()
    return process


def _ancestors() -> tuple[Pid | str, ...]:
    """Who started it, by name if it has one, then who started that. OTP: ``$ancestors``."""
    starter = current_process()
    if starter is None:
        return ()
    return (starter.name or starter.pid, *starter.ancestors)[:MAX_ANCESTORS]


def _spawn(
    link_to: Process | None,
    fn: Callable[..., Awaitable[object]],
    args: tuple[Any, ...],
    name: str | ViaName | None,
    limit: MailboxLimit | None,
) -> Process:
    if name is not None:
        check_start_name("name", name)
    check_async_function("fn", fn)
    check_arguments(function_name(fn), fn, args, {})
    if not (limit is None or isinstance(limit, MailboxLimit)):
        raise TypeError(f"mailbox: got {limit!r}, allowed are MailboxLimit(...) and None")
    call = partial(fn, *args)
    parent = None if link_to is None else link_to.pid
    return spawn_process(
        current_table(),
        FunctionBody(call),
        label=function_name(fn),
        name=name,
        limit=limit,
        parent=parent,
        link_to=link_to,
    )


def spawn(
    fn: Callable[..., Awaitable[object]],
    *args: object,
    name: str | ViaName | None = None,
    mailbox: MailboxLimit | None = None,
) -> Pid:
    """Run ``fn(*args)`` as a process in the node's root, linked to nobody. OTP: ``spawn``.

    Returns at once; the function's first step has not run. It ends with the node at the latest.
    """
    return _spawn(None, fn, args, name, mailbox).pid


def spawn_link(
    fn: Callable[..., Awaitable[object]],
    *args: object,
    name: str | ViaName | None = None,
    mailbox: MailboxLimit | None = None,
) -> Pid:
    """``spawn`` and ``link`` in one step. Only in a process. OTP: ``spawn_link``."""
    return _spawn(require_process("spawn_link"), fn, args, name, mailbox).pid


def spawn_monitor(
    fn: Callable[..., Awaitable[object]],
    *args: object,
    name: str | ViaName | None = None,
    mailbox: MailboxLimit | None = None,
) -> tuple[Pid, MonitorRef]:
    """``spawn`` and ``monitor`` in one step. Only in a process. OTP: ``spawn_monitor``."""
    watcher = require_process("spawn_monitor")
    process = _spawn(None, fn, args, name, mailbox)
    ref = MonitorRef()
    watcher.links.watch(ref, process)
    process.links.watched(ref, watcher, None)
    return process.pid, ref
