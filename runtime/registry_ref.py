"""The handle of a registry. OTP: the functions of ``Registry``.

They read and change the registry's tables where they are: ``registry`` says why.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Hashable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, Generic, TypeVar, cast, overload

import msgspec

from runtime.containment import short_repr
from runtime.current import Target, find_process, require_process
from runtime.handle import Handle
from runtime.keys import check_key
from runtime.pid import Pid
from runtime.plain_functions import check_plain_function
from runtime.process import Process
from runtime.registry import KeyLock, RegistryKeys, find_registry
from runtime.registry_entries import Entry, Row
from runtime.user_code import as_coroutine

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_AWAIT_FIRST: Final = "allowed is a plain one: what must be awaited is awaited before"
_LOOK_UP: Final = "allowed is a plain one; take lookup to await something for each entry"


class AlreadyRegistered(ValueError):
    """``register``: ``key`` is that of ``pid``, in a registry of unique keys."""

    def __init__(self, key: Hashable, pid: Pid) -> None:
        super().__init__(f"key {short_repr(key)} is held by {pid!r}")
        self.key = key
        self.pid = pid


class RegistryInfo(msgspec.Struct, frozen=True):
    """A registry in numbers: its kind of keys, how many entries it has, who listens."""

    keys: RegistryKeys
    count: int
    listeners: tuple[str, ...]


class RegistryRef(Handle, Generic[K, V]):
    """A handle of a registry: ``names: RegistryRef[str, int] = RegistryRef("names")``.

    ``K`` is the type of its keys, ``V`` that of the values. Keys are told apart by type as well as
    by value: ``1``, ``1.0`` and ``True`` are three. Every operation but ``lock`` is synchronous and
    has happened when it returns, also while the registry is busy or suspended; it raises
    ``ProcessNotFound`` if the registry is not running. Functions that are given run in the caller,
    and what they raise is the caller's.
    """

    __slots__ = ()

    # -- of the calling process -------------------------------------------------------------

    @overload
    def register(self: RegistryRef[K, None], key: K) -> None: ...
    @overload
    def register(self, key: K, value: V) -> None: ...

    def register(self, key: Hashable, value: object = None) -> None:
        """Register the calling process, and link it to the registry. OTP: ``register/3``.

        ``AlreadyRegistered`` if keys are unique and somebody has this one, be it the caller.
        """
        registry = find_registry(self)
        taken = registry.add(require_process("register"), key, value)
        if taken is not None:
            raise AlreadyRegistered(key, taken.pid)

    def unregister(self, key: K) -> None:
        """Remove all the caller's entries under a key; those of others stay. OTP: ``unregister``.

        The link to the registry goes with the caller's last entry. No entry is no error.
        """
        registry, me = find_registry(self), require_process("unregister")
        registry.remove(me, registry.entries.of(me, key))
        registry.tell_unregistered(me, key)

    def unregister_match(self, key: K, predicate: Callable[[V], bool]) -> None:
        """Remove the caller's entries under a key whose value fits. OTP: ``unregister_match``.

        Listeners hear of it only if none is left.
        """
        _check_predicate(predicate)
        registry, me = find_registry(self), require_process("unregister_match")
        rows = [row for row in registry.entries.of(me, key) if predicate(_value(row))]
        registry.remove(me, rows)
        if rows and not registry.entries.of(me, key):
            registry.tell_unregistered(me, key)

    def update_value(self, key: K, fn: Callable[[V], V]) -> tuple[V, V] | None:
        """Replace the caller's value by ``fn(value)``; the new and the old one. Unique keys only.

        ``None``, and ``fn`` is not called, if the key is not the caller's. OTP: ``update_value``.
        """
        check_plain_function("fn", fn, _AWAIT_FIRST)
        registry, me = find_registry(self), require_process("update_value")
        registry.require_unique("update_value")
        for row in registry.entries.of(me, key):
            old: V = _value(row)
            new = fn(old)
            if row.held:  # fn may have given it up
                row.entry = Entry(me.pid, new)
                return new, old
        return None

    # -- of anybody -------------------------------------------------------------------------

    def lookup(self, key: K) -> list[Entry[V]]:
        """The entries of a key, in the order of registration. OTP: ``lookup``."""
        entries: list[Entry[V]] = [
            cast("Entry[V]", row.entry) for row in find_registry(self).entries.under(key)
        ]
        return entries

    def whereis_name(self, key: K) -> Pid | None:
        """Who is registered under a key. Unique keys only. OTP: ``whereis_name``."""
        registry = find_registry(self)
        registry.require_unique("whereis_name")
        owner = registry.find(key)
        return None if owner is None else owner.pid

    def keys(self, target: Target | None = None) -> list[K]:
        """The keys of a process, by default the calling one, once per entry. OTP: ``keys``.

        An empty list for a process that is dead or has none.
        """
        entries, process = find_registry(self).entries, _process_of("keys", target)
        return [] if process is None else [cast("K", row.key) for row in entries.all_of(process)]

    def values(self, key: K, target: Target | None = None) -> list[V]:
        """The values of a process under a key, by default of the calling one. OTP: ``values``."""
        entries, process = find_registry(self).entries, _process_of("values", target)
        return [] if process is None else [_value(row) for row in entries.of(process, key)]

    def count(self) -> int:
        """How many entries there are. OTP: ``count``."""
        return find_registry(self).entries.count

    def match(self, key: K, predicate: Callable[[V], bool]) -> list[Entry[V]]:
        """The entries of a key whose value fits. OTP: ``match``."""
        _check_predicate(predicate)
        return [entry for entry in self.lookup(key) if predicate(entry.value)]

    def count_match(self, key: K, predicate: Callable[[V], bool]) -> int:
        """How many entries of a key have a value that fits. OTP: ``count_match``."""
        return len(self.match(key, predicate))

    def select(
        self, predicate: Callable[[K, Pid, V], bool] | None = None
    ) -> list[tuple[K, Pid, V]]:
        """Key, pid and value of all entries, or of those that fit. OTP: ``select``.

        Those of one key come together, in the order of registration.
        """
        if predicate is not None:
            _check_predicate(predicate)
        found: list[tuple[K, Pid, V]] = [
            (cast("K", row.key), row.owner.pid, _value(row))
            for row in find_registry(self).entries.all()
        ]
        return found if predicate is None else [one for one in found if predicate(*one)]

    def count_select(self, predicate: Callable[[K, Pid, V], bool]) -> int:
        """How many entries fit. OTP: ``count_select``."""
        _check_predicate(predicate)
        return len(self.select(predicate))

    def dispatch(self, key: K, fn: Callable[[list[Entry[V]]], object]) -> None:
        """Call ``fn`` once with the entries of a key, not at all if there are none. OTP: the same.

        It runs in the caller and must be a plain function; to await something for each, take
        ``lookup``.
        """
        check_plain_function("fn", fn, _LOOK_UP)
        entries = self.lookup(key)
        if not entries:
            return
        coroutine = as_coroutine(fn(entries))
        if coroutine is not None:
            coroutine.close()
            raise TypeError(f"fn: got {fn!r}, which returned a coroutine; {_LOOK_UP}")

    # -- of the registry --------------------------------------------------------------------

    def meta(self, key: Hashable, default: object = None) -> object:
        """What is stored with the registry under ``key``, else ``default``. OTP: ``meta``."""
        return find_registry(self).meta.get(check_key(key), default)

    def put_meta(self, key: Hashable, value: object) -> None:
        """Store something with the registry; gone with it. OTP: ``put_meta``."""
        find_registry(self).meta[check_key(key)] = value

    def delete_meta(self, key: Hashable) -> None:
        """Forget it; what is not there is no error. OTP: ``delete_meta``."""
        find_registry(self).meta.pop(check_key(key), None)

    def info(self) -> RegistryInfo:
        """The registry in numbers."""
        registry = find_registry(self)
        keys: RegistryKeys = "unique" if registry.entries.unique else "duplicate"
        return RegistryInfo(keys, registry.entries.count, registry.listeners)

    def lock(self, key: Hashable) -> AbstractAsyncContextManager[None]:
        """One at a time in ``async with names.lock(key):``, in the order of asking. OTP: ``lock``.

        Keys of locks have nothing to do with those of entries. Any task may hold one; leaving the
        block frees it, however it is left, and whoever is cancelled while waiting is passed over.
        Taking a lock one already holds is a ``RuntimeError``. A registry that was restarted knows
        nothing of the locks before.
        """
        return self._lock(check_key(key))

    @asynccontextmanager
    async def _lock(self, exact: Hashable) -> AsyncGenerator[None]:
        locks = find_registry(self).locks
        held = locks.setdefault(exact, KeyLock())
        held.users += 1
        try:
            async with held.lock:
                yield
        finally:
            held.users -= 1
            if held.users == 0:
                del locks[exact]


def _check_predicate(predicate: Callable[..., bool]) -> None:
    check_plain_function("predicate", predicate, _AWAIT_FIRST)


def _process_of(what: str, target: Target | None) -> Process | None:
    return require_process(what) if target is None else find_process(target)


def _value(row: Row[Process]) -> Any:
    """The value of an entry, which the handle's ``V`` gives its type."""
    return row.entry.value
