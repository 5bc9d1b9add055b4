"""How a child is started, restarted and stopped: a plain value, checked when it is made.

OTP: the child specification. A spec is made by a behaviour (``Counter.child_spec(10)``) or of any
async function (``child_spec(fn, *args)``); options are set on a copy with ``replace``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping
from functools import partial
from typing import Any, Literal, ParamSpec, TypeAlias, TypedDict, Unpack, get_args

import msgspec

from runtime.containment import attempt, short_repr, show
from runtime.current import ViaName
from runtime.mailbox import MailboxLimit
from runtime.outcomes import check_seconds
from runtime.process import Body
from runtime.spawning import (
    DEFAULT_SHUTDOWN,
    FunctionBody,
    check_arguments,
    check_async_function,
    check_start_name,
    function_name,
)

P = ParamSpec("P")

Restart: TypeAlias = Literal["permanent", "transient", "temporary"]
"""When a child that has ended is started again: always, after a crash, never."""
ShutdownBudget: TypeAlias = float | Literal["brutal_kill"]
"""How long a child may take to stop, in seconds; ``math.inf`` is no limit."""
ChildType: TypeAlias = Literal["worker", "supervisor"]
"""What a child is."""


Arguments: TypeAlias = tuple[tuple[object, ...], dict[str, object]]
CheckArguments: TypeAlias = Callable[[tuple[object, ...], dict[str, object]], Arguments]


class ChildOptions(TypedDict, total=False):
    """What ``ChildSpec.replace`` may change."""

    id: Hashable
    name: str | ViaName | None
    restart: Restart
    shutdown: ShutdownBudget
    type: ChildType
    significant: bool
    enabled: bool | Callable[[], bool]
    mailbox: MailboxLimit | None


class ChildSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One child of a supervisor.

    - ``id``: tells it from its siblings; by default its name, else what it is made of.
    - ``name``: what it is registered under before its ``init`` runs: a local name, or a ``via``.
    - ``restart``: ``permanent`` always, ``transient`` after a crash, ``temporary`` never.
    - ``shutdown``: seconds it may take to stop before it is killed, ``math.inf`` for no limit,
      ``"brutal_kill"`` for no last words.
    - ``type``: ``worker`` or ``supervisor``.
    - ``significant``: its end can end the supervisor, see ``auto_shutdown``.
    - ``enabled``: false, or a function that says so when the supervisor starts, leaves it out.
    - ``mailbox``: its ``MailboxLimit``, in place of the one its class has.
    """

    target: Callable[..., object]
    args: tuple[object, ...]
    kwargs: Mapping[str, object]
    body_of: Callable[..., Body]
    check: CheckArguments
    behaviour: str
    given_id: Hashable = None
    name: str | ViaName | None = None
    restart: Restart = "permanent"
    shutdown: ShutdownBudget = DEFAULT_SHUTDOWN
    type: ChildType = "worker"
    significant: bool = False
    enabled: bool | Callable[[], bool] = True
    mailbox: MailboxLimit | None = None

    def __repr__(self) -> str:
        """Without the arguments, which may be nobody else's business."""
        return f"<ChildSpec {show(self.id)}: {self.behaviour}, {self.restart}>"

    def __hash__(self) -> int:
        """Arguments need not be hashable."""
        return hash((self.id, self.behaviour))

    @property
    def id(self) -> Hashable:
        """What tells it from its siblings."""
        if self.given_id is not None:
            return self.given_id
        if self.name is None:
            return self.behaviour
        return self.name.key if isinstance(self.name, ViaName) else self.name

    def __post_init__(self) -> None:
        _check_one_of("restart", self.restart, get_args(Restart))
        _check_one_of("type", self.type, get_args(ChildType))
        check_shutdown("shutdown", self.shutdown)
        if self.name is not None:
            check_start_name("name", self.name)
        if not isinstance(self.significant, bool):
            raise TypeError(f"significant: got {self.significant!r}, allowed are True and False")
        if self.significant and self.restart == "permanent":
            raise ValueError(
                "significant: a permanent child is always restarted and never ends "
                "its supervisor; allowed are restart='transient' and 'temporary'"
            )
        if not isinstance(self.enabled, bool) and not callable(self.enabled):
            raise TypeError(f"enabled: got {self.enabled!r}, allowed are a bool and a function")
        if self.mailbox is not None and not isinstance(self.mailbox, MailboxLimit):
            raise TypeError(f"mailbox: got {self.mailbox!r}, allowed are MailboxLimit and None")
        check_child_id(self.given_id)

    def replace(self, **options: Unpack[ChildOptions]) -> ChildSpec:
        """A copy with these options changed, checked again."""
        allowed = ChildOptions.__annotations__
        for key in options:
            if key not in allowed:
                raise TypeError(f"replace: got {key!r}, allowed are {', '.join(sorted(allowed))}")
        changes: dict[str, Any] = dict(options)
        if "id" in changes:
            changes["given_id"] = changes.pop("id")
        return self._changed(changes)

    def with_arguments(self, *args: object, **kwargs: object) -> ChildSpec:
        """A copy that starts with these arguments instead, which are checked now."""
        args, kwargs = self.check(args, kwargs)
        return self._changed({"args": args, "kwargs": kwargs})

    def _changed(self, changes: dict[str, Any]) -> ChildSpec:
        # not structs.replace, which would skip __post_init__
        values: dict[str, Any] = {field: getattr(self, field) for field in self.__struct_fields__}
        return ChildSpec(**{**values, **changes})

    def make_body(self) -> Body:
        """The body of one incarnation."""
        if not self.args and not self.kwargs:
            return self.body_of(self.target)
        return self.body_of(partial(self.target, *self.args, **self.kwargs))

    def is_enabled(self) -> bool:
        """Ask the ``enabled`` condition."""
        enabled = self.enabled() if callable(self.enabled) else self.enabled
        if not isinstance(enabled, bool):
            raise TypeError(
                f"enabled of child {short_repr(self.id)}: returned {short_repr(enabled)}, "
                "allowed are True and False"
            )
        return enabled


def check_shutdown(field: str, budget: object) -> None:
    """Refuse what is no shutdown budget."""
    if budget == "brutal_kill":
        return
    if isinstance(budget, str):
        raise ValueError(
            f"{field}: got {budget!r}, allowed are seconds, math.inf and 'brutal_kill'"
        )
    check_seconds(field, budget)


def check_child_id(child_id: object) -> None:
    """Refuse what cannot be an id: it must be hashable."""
    _, error = attempt(hash, child_id)
    if error is not None:
        raise TypeError(f"id: got {short_repr(child_id)}, allowed is anything hashable") from error


def _check_one_of(field: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{field}: got {value!r}, allowed are {', '.join(map(repr, allowed))}")


def child_spec(fn: Callable[P, Awaitable[object]], *args: P.args, **kwargs: P.kwargs) -> ChildSpec:
    """A spec of any async function, run as a supervised process with these arguments.

    A function with a ``task_status`` is started when it calls ``task_status.started()``, so
    ``child_spec(trio.serve_tcp, handler, 8000)`` is a supervised server; for the checkers' sake it
    has a default, as Trio's own have: ``trio.TASK_STATUS_IGNORED``. Returning is a ``Normal`` end,
    so a function that is done when it returns wants ``restart="transient"``.
    """
    check_async_function("fn", fn)
    check = partial(_check_function, fn)
    given, named = check(args, kwargs)
    return ChildSpec(
        target=fn,
        args=given,
        kwargs=named,
        body_of=FunctionBody,
        check=check,
        behaviour=function_name(fn),
    )


def _check_function(
    fn: Callable[..., object], args: tuple[object, ...], kwargs: dict[str, object]
) -> Arguments:
    check_arguments(function_name(fn), fn, args, kwargs)
    return args, kwargs


def task_spec(fn: Callable[..., Awaitable[object]], shutdown: ShutdownBudget) -> ChildSpec:
    """What a task supervisor keeps of a task: it is never started again, so no arguments."""
    check_async_function("fn", fn)
    return ChildSpec(
        target=fn,
        args=(),
        kwargs={},
        body_of=FunctionBody,
        check=partial(_check_function, fn),
        behaviour=function_name(fn),
        restart="temporary",
        shutdown=shutdown,
    )
