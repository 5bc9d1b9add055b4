"""What a consumer supervisor makes of an event: the spec of its child, and that child's row."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from runtime import ChildSpec
from runtime.child_spec import Restart
from runtime.containment import attempt, short_repr
from runtime.spawning import check_arguments, check_async_function, function_name
from runtime.stages.subscription import Subscription
from supervisors.dynamic_children import DynamicChild
from supervisors.dynamic_supervisor_ref import spec_maker

EventChildSource: TypeAlias = ChildSpec | Callable[..., object]
"""What makes the child of an event: a GenServer class or an async function, which takes the event
as its last argument; a spec, behind whose arguments the event goes; or a plain function that
returns a spec of an event."""

_BUT = (
    "the child of an event is done when it ends, and one that is always started again would never "
    "give its demand back; allowed are 'temporary' and 'transient', which is started again after "
    "a crash"
)


class EventChild(DynamicChild):
    """The child of one event, which counts for a subscription until the child is gone."""

    __slots__ = ("drops", "subscription")

    def __init__(self, spec: ChildSpec, subscription: Subscription) -> None:
        super().__init__(spec)
        self.subscription = subscription
        self.drops = False  # its event: it has failed to start

    @property
    def is_new(self) -> bool:
        """Whether it has never been up."""
        return self.up_since is None and self.restarts == 0


class EventTemplate:
    """Says which child an event gets; what could never work is refused when it is made.

    ``extra`` goes before all arguments, the event behind them.
    """

    def __init__(
        self, child: EventChildSource, extra: tuple[object, ...], restart: Restart | None
    ) -> None:
        if restart is not None:
            _check_restart("restart", restart)
        self._child, self._extra = child, extra
        self._restart: Restart | None = restart
        self._makes_spec = _is_plain_function(child)
        given: tuple[object, ...] = (*extra, object())
        if isinstance(child, ChildSpec):
            self._checked(child)
            given = (*extra, *child.args, object())
            check_arguments(child.behaviour, child.target, given, child.kwargs)
            return
        if not self._makes_spec:
            spec_maker(child, (), {})  # only to check what it is
        check_arguments(function_name(child), child, given, {})

    def spec(self, event: object) -> ChildSpec:
        """The spec of the child of an event."""
        child = self._child
        if isinstance(child, ChildSpec):
            spec = child.with_arguments(*self._extra, *child.args, event, **child.kwargs)
        elif self._makes_spec:
            spec = self._checked(child(*self._extra, event))
        else:
            spec = spec_maker(child, (event,), {})(*self._extra).replace(restart="temporary")
        return spec if self._restart is None else spec.replace(restart=self._restart)

    def _checked(self, made: object) -> ChildSpec:
        if not isinstance(made, ChildSpec):
            raise TypeError(
                f"child: {function_name(self._child)} returned {short_repr(made)} for an event, "
                "allowed is a ChildSpec such as Job.child_spec(event)"
            )
        spec_maker(made, (), {})  # only to check it
        if self._restart is None:
            _check_restart(f"restart of child {short_repr(made.id)}", made.restart)
        return made


def _is_plain_function(child: object) -> bool:
    if isinstance(child, type | ChildSpec) or not callable(child):
        return False
    _, is_no_async_function = attempt(check_async_function, "child", child)
    return is_no_async_function is not None


def _check_restart(field: str, restart: object) -> None:
    if restart not in ("temporary", "transient"):
        raise ValueError(f"{field}: got {restart!r}: {_BUT}")
