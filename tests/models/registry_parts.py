"""What the machine of registries is built from: confusable keys, members, words for comparing."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from enum import IntEnum
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from runtime import (
    AlreadyRegistered,
    AlreadyStarted,
    Call,
    CallExit,
    Cast,
    ChildSpec,
    Crashed,
    Down,
    Entry,
    Exit,
    ExitReason,
    Ignore,
    Pid,
    ProcessNotFound,
    Registered,
    RegistryRef,
    StartFailed,
    Unregistered,
    self_,
    trap_exits,
)
from tests.support import Scripted

Names = RegistryRef[Any, Any]


class Pair(NamedTuple):
    """A tuple of another type."""

    one: int


class Number(IntEnum):
    """An int of another type."""

    ONE = 1


class Text(str):
    """A string of another type."""

    __slots__ = ()


class Oops(Exception):
    """What a user's function raises."""


class Strange(Call[int]):
    """A call no registry knows."""


class Odd(Cast):
    """A cast no registry knows."""


ALIKE: tuple[tuple[Hashable, ...], ...] = (
    (1, 1.0, True, Number.ONE),
    ((1,), (1.0,), (True,), Pair(1), ((1,),)),
    ("1", b"1", Text("1"), ("1",)),
    (0.0, -0.0, 0, False, None, "", ()),
    (frozenset({1}), frozenset({True}), (frozenset({1}),)),
)
UNHASHABLE: tuple[Any, ...] = ([1], ([1],), {1: 1})
VALUES = (1, 1.0, True, "1", None)


def confusable_keys(count: int) -> SearchStrategy[list[Hashable]]:
    """Two that are alike, and some others."""
    alike = st.sampled_from(ALIKE).flatmap(lambda keys: st.permutations(keys))
    other = st.sampled_from(ALIKE).flatmap(st.sampled_from)
    others = st.lists(other, min_size=count - 2, max_size=count - 2)
    return st.builds(lambda two, more: [*two[:2], *more], alike, others)


def say(reason: ExitReason) -> str:
    """A reason as the model writes it."""
    if isinstance(reason, Crashed):
        return f"crash {type(reason.exception).__name__}"
    return reason if isinstance(reason, str) else type(reason).__name__


def raises(*_: object) -> bool:
    """A function of the user's that is a mistake."""
    raise Oops


class Words:
    """Says things as the model does: made-up names for pids, texts that tell 1 from True."""

    def __init__(self) -> None:
        self.names: dict[Pid, str] = {}

    def of(self, value: object) -> object:
        """What an operation gave."""
        match value:
            case Pid():
                return self.names[value]
            case Entry():
                return (self.names[value.pid], repr(value.value))
            case Registered():
                return f"{self._of(value)} + {value.key!r} {self.of(value.pid)} {value.value!r}"
            case Unregistered():
                return f"{self._of(value)} - {value.key!r} {self.of(value.pid)}"
            case Exit():
                sender = None if value.pid is None else self.names[value.pid]
                return f"exit {sender} {say(value.reason)}"
            case _:
                return repr(value)

    def _of(self, value: Registered | Unregistered) -> str:
        registry = value.registry
        return registry if isinstance(registry, str) else self.names[registry]

    def of_error(self, error: Exception) -> tuple[object, ...]:
        """What an operation raised."""
        match error:
            case AlreadyRegistered():
                return ("AlreadyRegistered", repr(error.key), self.of(error.pid))
            case AlreadyStarted():
                return ("AlreadyStarted", self.of(error.pid))
            case StartFailed() | CallExit():
                return (type(error).__name__, say(error.reason))
            case _:
                return (type(error).__name__,)

    def all(self, values: Iterable[object]) -> list[object]:
        """Several of them."""
        return [self.of(value) for value in values]

    def get(self, fn: Callable[[], object]) -> object:
        """What an operation gives or raises; a value is in a list, an error is not."""
        try:
            given = fn()
            return [self.of(given) if isinstance(given, Pid) else given]
        except Exception as exc:
            return self.of_error(exc)


class Witness(Scripted):
    """Watches members; when it hears of a death it looks what is left of it."""

    def __init__(self, handles: Mapping[str, Names], log: list[Any]) -> None:
        super().__init__(log)
        self._handles = handles

    def handle_info(self, message: object) -> None:
        assert isinstance(message, Down)
        assert message.pid is not None
        left = 0
        for registry in self._handles.values():
            if registry.whereis() is not None:
                left += len(registry.keys(message.pid))
                left += sum(pid is message.pid for _, pid, _ in registry.select())
        self.log.append((message.pid, say(message.reason), left))


def member_spec(
    name: str, words: Words, handles: Mapping[str, Names], *, trap: bool, init: str = ""
) -> tuple[ChildSpec, list[Any]]:
    """A member, and what it writes down: the keys it has when it starts and when it ends.

    ``init`` is how its start goes, and for a start by name the registry: ``"fails one"``.
    """
    log: list[Any] = []

    def keys(slot: str) -> list[str] | None:
        try:
            return list(map(repr, handles[slot].keys()))
        except ProcessNotFound:
            return None

    def begin(_server: Scripted) -> object:
        words.names[self_()] = name
        trap_exits(trap)
        how, _, slot = init.partition(" ")
        if slot:
            log.append(f"init {keys(slot)}")
        if how == "fails":
            raise Oops
        return Ignore() if how == "ends" else None

    def end(_server: Scripted, reason: ExitReason) -> None:
        log[-1] = f"terminate {say(reason)} { {slot: keys(slot) for slot in handles} }"

    return Scripted.child_spec(log, init=begin, terminate=end), log
