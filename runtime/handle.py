"""The base of typed handles: a ``Ref`` to a server of a known kind, its requests as methods."""

from __future__ import annotations

from runtime.calls import Ref, named, ref
from runtime.pid import Pid
from runtime.process import Process


class Handle(Ref):
    """A ``Ref`` that leads where another one does; subclasses know what can be asked there.

    Made of a name, a pid or a ``Ref``: ``SupervisorRef("shop")``. By name it is looked up at each
    use, and so follows restarts.
    """

    __slots__ = ("_target",)

    def __init__(self, target: str | Pid | Ref) -> None:
        self._target = as_ref(target)

    @property
    def incarnation(self) -> Pid | None:
        """The pid it stays with; ``None`` if it leads there by name."""
        return self._target.incarnation

    @property
    def name(self) -> str | None:
        """The name by which it leads there, if that is how."""
        return self._target.name

    def find(self) -> Process | None:
        """The process, while it lives."""
        return self._target.find()

    @property
    def pid(self) -> Pid:
        """The pid it leads to; by name only while somebody holds it."""
        return self._target.pid

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._target!r})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other._target == self._target

    def __hash__(self) -> int:
        return hash(self._target)


def as_ref(target: object, field: str = "target") -> Ref:
    """The ``Ref`` of a name, a pid or a ``Ref``."""
    if isinstance(target, str):
        return named(target)
    if isinstance(target, Pid):
        return ref(target)
    if isinstance(target, Ref):
        return target
    raise TypeError(
        f"{field}: got {target!r}, allowed are a name, a Pid and a Ref: 'shop' or named('shop')"
    )
