"""The handle of a dynamic supervisor, with what it can be asked as methods."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import cast, overload

from runtime import ChildSpec, GenServer, Ref, child_spec
from runtime.containment import short_repr
from runtime.gen_server import spec_of
from runtime.spawning import check_async_function
from supervisors.children_ref import ChildrenRef


class DynamicSupervisorRef(ChildrenRef):
    """A handle of a dynamic supervisor: ``DynamicSupervisorRef("connections")``.

    Every method is a call without a time limit; it raises ``CallExit`` if the supervisor is not
    there, or ends meanwhile. A slow start or stop holds up nobody but its own requester.
    """

    __slots__ = ()

    @overload
    async def start_child(self, child: ChildSpec) -> Ref: ...
    @overload
    async def start_child(
        self, child: Callable[..., object], *args: object, **kwargs: object
    ) -> Ref: ...

    async def start_child(
        self, child: ChildSpec | Callable[..., object], *args: object, **kwargs: object
    ) -> Ref:
        """Start a child and return when it is up. OTP: ``DynamicSupervisor.start_child``.

        Given a spec, or a GenServer class or an async function and its arguments, which the
        supervisor's ``extra_arguments`` go before. ``MaxChildren`` at the limit,
        ``AlreadyStarted`` if its name is taken, ``StartFailed`` if its ``init`` failed, ``Ignored``
        if it said so. Cancelling ends what was started.
        """
        return await self._start_child(spec_maker(child, args, kwargs))


def spec_maker(
    child: object, args: tuple[object, ...], kwargs: dict[str, object]
) -> Callable[..., ChildSpec]:
    """What makes the spec, once the supervisor has said what goes before the arguments."""
    if isinstance(child, ChildSpec):
        if args or kwargs:
            raise TypeError(
                f"child: {child!r} has its arguments already; give the class or the function "
                "itself to pass some here"
            )
        if child.significant:
            raise ValueError(
                f"significant of child {short_repr(child.id)}: got True, allowed is False: the "
                "end of a child never ends a dynamic supervisor"
            )
        return partial(_with_extra, child)
    if isinstance(child, type) and issubclass(child, GenServer):
        return partial(_server_spec, child, args, kwargs)
    if isinstance(child, type) or not callable(child):
        raise TypeError(
            f"child: got {child!r}, allowed are a ChildSpec such as Counter.child_spec(10), a "
            "GenServer class or an async function, with its arguments"
        )
    check_async_function("child", child)
    return partial(_function_spec, child, args, kwargs)


def _with_extra(spec: ChildSpec, *extra: object) -> ChildSpec:
    return spec.with_arguments(*extra, *spec.args, **spec.kwargs) if extra else spec


def _server_spec(
    cls: type[GenServer], args: tuple[object, ...], kwargs: dict[str, object], *extra: object
) -> ChildSpec:
    return spec_of(cls, (*extra, *args), kwargs)


def _function_spec(
    fn: Callable[..., object], args: tuple[object, ...], kwargs: dict[str, object], *extra: object
) -> ChildSpec:
    return child_spec(cast("Callable[..., Awaitable[object]]", fn), *extra, *args, **kwargs)
